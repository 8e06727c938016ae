import Primitives

/// An error of JSON-RPC 2.0, with go-ethereum's codes and, where it has one, its texts: wallets and libraries match on
/// both.
struct RPCError: Error, Hashable, Sendable {
    /// The code.
    var code: Int32
    /// The text.
    var message: String
    /// Revert data, as hex in the answer.
    var data: [UInt8]?

    private init(_ code: Int32, _ message: String, data: [UInt8]? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// An error that came as a rejection from execution or from the manager.
    init(code: Int32, message: String, data: [UInt8]?) {
        self.init(code, message, data: data)
    }

    /// The body is not JSON.
    static let parse = RPCError(-32700, "parse error")
    /// A request is not one of JSON-RPC 2.0.
    static let invalidRequest = RPCError(-32600, "invalid request")
    /// A batch of nothing.
    static let emptyBatch = RPCError(-32600, "empty batch")
    /// A batch of too much.
    static let batchTooLarge = RPCError(-32600, "batch too large")
    /// The answers of a batch are too long together.
    static let responseTooLarge = RPCError(-32003, "response too large")

    /// No such method here.
    static func methodNotFound(_ name: String) -> RPCError {
        .init(-32601, "the method \(name.prefix(100)) does not exist/is not available")
    }
    /// Parameters are missing, too many or of the wrong form.
    static func invalidParameters(_ message: String) -> RPCError { .init(-32602, message) }
    /// A parameter has the wrong form.
    static func invalidArgument(_ index: Int, _ message: String) -> RPCError {
        .init(-32602, "invalid argument \(index): \(message)")
    }
    /// The request is understood and refused.
    static func server(_ message: String) -> RPCError { .init(-32000, message) }
    /// Nobody can tell whether a transaction was accepted; its hash will tell.
    static func unknownOutcome(_ hash: String) -> RPCError {
        .init(-32000, "outcome unknown, ask for the receipt of \(hash)")
    }
    /// The contract reverted. The text has the reason if the data are those of Solidity's `Error` or `Panic`.
    static func reverted(_ data: [UInt8]) -> RPCError {
        let reason = RevertReason.text(data)
        return .init(3, reason.map { "execution reverted: \($0)" } ?? "execution reverted", data: data)
    }

    /// The error object.
    var json: JSON {
        var object = JSONObject([.init(name: "code", value: .integer(Int64(code)))])
        object.append("message", .string(message))
        if let data { object.append("data", .data(data)) }
        return .object(object)
    }
}

/// Reads the two standard forms of revert data.
enum RevertReason {
    /// The text of `Error(string)`, or what `Panic(uint256)` means; nil for other data.
    static func text(_ data: [UInt8]) -> String? {
        if data.starts(with: [0x08, 0xC3, 0x79, 0xA0]) { return errorString(data) }
        guard data.starts(with: [0x4E, 0x48, 0x7B, 0x71]), data.count >= 36,
            let code = UInt256(bigEndian: data[4..<36])
        else { return nil }
        return panics[code] ?? "unknown panic code: \(code.hex)"
    }

    private static func errorString(_ data: [UInt8]) -> String? {
        guard data.count >= 68, let offset = UInt256(bigEndian: data[4..<36]), offset == UInt256(32 as UInt64),
            let length = UInt256(bigEndian: data[36..<68])?.asUInt64, length <= UInt64(data.count - 68)
        else { return nil }
        return String(decoding: data[68..<68 + Int(length)], as: UTF8.self)
    }

    /// The codes of Solidity's panics.
    private static let panics: [UInt256: String] = [
        UInt256(0x00 as UInt64): "generic panic", UInt256(0x01 as UInt64): "assert(false)",
        UInt256(0x11 as UInt64): "arithmetic underflow or overflow",
        UInt256(0x12 as UInt64): "division or modulo by zero", UInt256(0x21 as UInt64): "enum overflow",
        UInt256(0x22 as UInt64): "invalid encoded storage byte array accessed",
        UInt256(0x31 as UInt64): "out-of-bounds array access; popping on an empty array",
        UInt256(0x32 as UInt64): "out-of-bounds access of an array or bytesN",
        UInt256(0x41 as UInt64): "out of memory", UInt256(0x51 as UInt64): "uninitialized function",
    ]
}
