/// What a node did with its vote in a view.
public enum Vote: Hashable, Sendable {
    /// Nothing yet: it may grant it.
    case free
    /// It never will: a restarted node can't know what it promised in this view.
    case spent
    /// Given to this candidate.
    case given(PeerID)
}

/// What a node must not forget, sealed by the shell before any message that depends on it leaves.
public struct HardState: Hashable, Sendable {
    /// Highest view it took part in.
    public var view: UInt64
    /// Its vote in `view`.
    public var vote: Vote
    /// An entry that was committed and durable here when this was sealed; its view is 0 where an older version sealed
    /// it. It may lag; a log without it was rolled back.
    public var committed: LogPosition
    /// Set from a restart until peers have confirmed it: what this node had promised when it stopped. Whatever it does
    /// meanwhile, and however often it stops again, is judged by this.
    public var claim: RestartClaim?

    /// A hard state.
    public init(
        view: UInt64 = 0, vote: Vote = .free, committed: LogPosition = .zero, claim: RestartClaim? = nil
    ) {
        self.view = view
        self.vote = vote
        self.committed = committed
        self.claim = claim
    }

    /// Seqno of ``committed``.
    public var commit: UInt64 { committed.seqno }
}

/// What a node was found with when its process started: no promise of an honest node goes further.
public struct RestartClaim: Hashable, Sendable {
    /// The sealed view.
    public var view: UInt64
    /// The sealed vote in that view.
    public var vote: Vote
    /// The last entry on disk.
    public var last: LogPosition

    /// A claim.
    public init(view: UInt64, vote: Vote, last: LogPosition) {
        self.view = view
        self.vote = vote
        self.last = last
    }
}

/// How a node comes to life.
public enum RaftStart: Sendable {
    /// It founds a network: `configuration` names it alone, its log is empty, it leads the view `view` as soon as its
    /// vote is sealed. The first entry that it proposes must be this configuration.
    case genesis(Configuration, view: UInt64)
    /// A new instance with an empty log that waits for a leader to call.
    case joining
    /// A new instance that starts from a verified snapshot; `log` was made by ``LogIndex/init(snapshot:configurations:)``.
    case snapshot(LogIndex)
    /// The same instance again, seal intact: what was sealed, and the index of all that is on disk, torn tail cut off.
    case restart(HardState, LogIndex)
}
