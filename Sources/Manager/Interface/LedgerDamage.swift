/// Entries that can't be read from the ledger's files.
public struct LedgerDamage: Sendable, Hashable {
    /// The entries; up to `UInt64.max` when everything behind a damaged entry was cut off.
    public var seqnos: Range<UInt64>
    /// The same entries may take their place: they are those of a committed chunk that was set aside or is missing, or the
    /// end of the ledger.
    public var isReplaceable: Bool
    /// What is wrong.
    public var reason: String

    /// Damage as found.
    public init(seqnos: Range<UInt64>, isReplaceable: Bool, reason: String) {
        self.seqnos = seqnos
        self.isReplaceable = isReplaceable
        self.reason = reason
    }

    /// Whether the end of the ledger was cut off.
    var isTail: Bool { seqnos.upperBound == .max }
}
