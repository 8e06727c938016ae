import Primitives

/// One call of JSON-RPC 2.0, or what is wrong with it.
struct RPCRequest: Sendable {
    /// What answers to it carry; nil for a notification, which gets none.
    var id: JSON?
    /// The method's name.
    var method: String
    /// The parameters by position.
    var parameters: [JSON]

    /// Reads one call.
    /// - Throws: the error to answer with, together with the id to answer to.
    init(_ json: JSON) throws(RPCFailure) {
        guard let object = json.object else { throw RPCFailure(id: .null, .invalidRequest) }
        let id = object["id"]
        switch id {
        case nil, .null, .string, .integer, .double: break
        default: throw RPCFailure(id: .null, .invalidRequest)
        }
        guard object["jsonrpc"] == .string("2.0"), let method = object["method"]?.string, !method.isEmpty else {
            throw RPCFailure(id: id ?? .null, .invalidRequest)
        }
        switch object["params"] {
        case nil, .null: parameters = []
        case .array(let values): parameters = values
        default: throw RPCFailure(id: id ?? .null, .invalidParameters("non-array args"))
        }
        self.id = id
        self.method = method
    }
}

/// An error with the id of the call that it answers.
struct RPCFailure: Error {
    /// The call's id, `null` if it could not be read.
    var id: JSON
    /// The error.
    var error: RPCError

    init(id: JSON, _ error: RPCError) {
        self.id = id
        self.error = error
    }
}

/// The bytes of answers.
enum RPCAnswer {
    /// An answer with a result.
    static func result(_ value: JSON, id: JSON) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(160)
        begin(id, &bytes)
        JSON.write(ascii: ",\"result\":", to: &bytes)
        value.write(to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// An answer with a result that is JSON text already.
    static func result(text: [UInt8], id: JSON) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96 + text.count)
        begin(id, &bytes)
        JSON.write(ascii: ",\"result\":", to: &bytes)
        bytes += text
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// An answer with an error.
    static func error(_ error: RPCError, id: JSON) -> [UInt8] {
        var bytes: [UInt8] = []
        begin(id, &bytes)
        JSON.write(ascii: ",\"error\":", to: &bytes)
        error.json.write(to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The array of a batch's answers.
    static func batch(_ answers: [[UInt8]]) -> [UInt8] {
        // Nothing but notifications: nothing is answered.
        if answers.isEmpty { return [] }
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        bytes.reserveCapacity(answers.reduce(2) { $0 + $1.count + 1 })
        for (index, answer) in answers.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += answer
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    private static func begin(_ id: JSON, _ bytes: inout [UInt8]) {
        JSON.write(ascii: "{\"jsonrpc\":\"2.0\",\"id\":", to: &bytes)
        id.write(to: &bytes)
    }
}
