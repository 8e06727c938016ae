import AdapterKit
import Primitives

/// What the adapter asks the primary's adapter to do: the body of a submission. A version, a kind, the content.
enum SubmissionBody {
    /// Execute a signed transaction.
    case transaction([UInt8])
    /// Load foreign state and environment for the next block (replay only).
    case replayLoad(ReplayLoad)
    /// Execute these signed transactions as one block (replay only).
    case replayBlock([[UInt8]])

    private static let version: UInt8 = 1

    /// Transactions of one replayed block at most.
    static let replayTransactionsMax = 65_536

    func encoded() -> [UInt8] {
        switch self {
        case .transaction(let raw):
            var bytes: [UInt8] = [Self.version, 0]
            bytes.reserveCapacity(raw.count + 2)
            bytes += raw
            return bytes
        case .replayLoad(let load):
            var writer = ByteWriter(capacity: 1 << 16)
            writer.raw([Self.version, 1])
            load.encode(to: &writer)
            return writer.bytes
        case .replayBlock(let transactions):
            var writer = ByteWriter(capacity: 1 << 16)
            writer.raw([Self.version, 2])
            writer.list(transactions) { $0.blob($1) }
            return writer.bytes
        }
    }

    /// Reads a body; it may come from another node, so nothing is taken for granted.
    /// - Throws: ``AdapterError``.
    init(decoding bytes: [UInt8]) throws(AdapterError) {
        guard bytes.count >= 2 else { throw .malformed("submission") }
        guard bytes[0] == Self.version else { throw .unsupportedVersion(bytes[0], of: "a submission") }
        if bytes[1] == 0 {
            self = .transaction(Array(bytes[2...]))
            return
        }
        var reader = ByteReader(bytes, from: 2, to: bytes.count)
        do {
            switch bytes[1] {
            case 1: self = .replayLoad(try ReplayLoad(from: &reader))
            case 2:
                self = .replayBlock(
                    try reader.list(limit: Self.replayTransactionsMax) { reader throws(ByteReaderError) in
                        try reader.blob()
                    })
            default: throw ByteReaderError.invalid(at: 1)
            }
            try reader.finish()
        } catch {
            throw .malformed("submission at byte \(reader.offset)")
        }
    }
}
