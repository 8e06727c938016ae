/// Name of a chunk file, as CCF names them.
public struct ChunkName: Sendable, Hashable {
    /// Seqno of its first entry.
    public let start: UInt64
    /// Seqno of its last entry; nil while the chunk is open or not committed.
    public let end: UInt64?
    /// Whether the name says that all of it is committed, and so will never change.
    public let isCommitted: Bool

    /// The name of a chunk that is open or not committed yet.
    public init(start: UInt64) {
        self.start = start
        end = nil
        isCommitted = false
    }

    /// The name of a committed chunk.
    public init(start: UInt64, committedEnd end: UInt64) {
        self.start = start
        self.end = end
        isCommitted = true
    }

    /// Parses `ledger_S`, `ledger_S-E` and `ledger_S-E.committed`; nil for anything else, such as files that were set
    /// aside as `.ignored` or `.recovery`.
    public init?(_ name: String) {
        var rest = name[...]
        guard rest.hasPrefix("ledger_") else { return nil }
        rest = rest.dropFirst(7)
        isCommitted = rest.hasSuffix(".committed")
        if isCommitted { rest = rest.dropLast(10) }
        let parts = rest.split(separator: "-", omittingEmptySubsequences: false)
        guard let start = parts.first.flatMap({ TransactionID.number($0) }), start > 0 else { return nil }
        self.start = start
        switch parts.count {
        case 1 where !isCommitted: end = nil
        case 2:
            guard let end = TransactionID.number(parts[1]), end >= start else { return nil }
            self.end = end
        default: return nil
        }
    }

    /// The file's name.
    public var fileName: String {
        "ledger_\(start)" + (end.map { "-\($0)" } ?? "") + (isCommitted ? ".committed" : "")
    }
}
