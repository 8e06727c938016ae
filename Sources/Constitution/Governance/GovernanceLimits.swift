/// Bounds that keep proposals from filling the ledger's state. They are fixed, so that all nodes of a version agree.
public enum GovernanceLimits {
    /// Milliseconds for which a signed message may wait before it is brought.
    public static let messageAgeMilliseconds: UInt64 = 7 * 86_400_000
    /// Milliseconds by which a signer's clock may be ahead of ledger time.
    public static let messageAheadMilliseconds: UInt64 = 5 * 60_000
    /// Open proposals of one proposer.
    public static let openMax = 16
    /// Open proposals of all participants together, who can never keep a member from proposing.
    public static let openByParticipantsMax = 64
    /// Proposals that one proposer makes within ``messageAgeMilliseconds``.
    public static let recentMax = 256
    /// Closed proposals that are kept in the state; older ones are in the ledger alone, but for what they changed, which
    /// stays among the versions.
    public static let closedMax = 256
}
