/// Where and why a ledger is refused.
public struct LedgerFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The chunk file.
    public let file: String
    /// Offset in it, in bytes.
    public let offset: Int
    /// The entry in question, if it is known.
    public let seqno: UInt64?
    /// What is wrong.
    public let error: LedgerError

    /// File, offset, seqno and reason.
    public var description: String {
        let entry = seqno.map { ", entry \($0)" } ?? ""
        return "\(file), byte \(offset)\(entry): \(error.reason)"
    }
}

/// What a verification found.
public struct LedgerReport: Sendable, Hashable {
    /// The last signature entry that verified: all before it is what its signers saw.
    public internal(set) var lastVerified: TransactionID?
    /// The last such entry in a chunk named as committed.
    public internal(set) var lastCommitted: TransactionID?
    /// Entries read without a fault.
    public internal(set) var entryCount = 0
    /// Signature entries among them.
    public internal(set) var signatureCount = 0
    /// Entries after ``lastVerified``: whole, but nobody vouches for them.
    public internal(set) var unsignedTailCount = 0
    /// Chunk files read without a fault.
    public internal(set) var chunkCount = 0
    /// Files at the end in which no entry was ever written, as a crash may leave them: nothing is wrong with that.
    public internal(set) var emptyChunks: [String] = []
    /// The snapshot after which the verification began, where the ledger has no entry before.
    public internal(set) var startsAfter: TransactionID?
    /// Whether Entente wrote the ledger; else CCF did.
    public internal(set) var isEntente = false
    /// The service's status at the end.
    public internal(set) var serviceStatus: ServiceStatus?
    /// The service's certificate at the end, PEM.
    public internal(set) var serviceCertificate: String?
    /// The first thing that is wrong; nil if the ledger is good.
    public internal(set) var fault: LedgerFault?

    /// Whether nothing is wrong and at least one signature verified.
    public var isGood: Bool { fault == nil && lastVerified != nil }
}
