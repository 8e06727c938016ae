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
    /// An entry that was committed and durable here when this was sealed. It may lag; a log that ends before it was
    /// rolled back.
    public var commit: UInt64

    /// A hard state.
    public init(view: UInt64 = 0, vote: Vote = .free, commit: UInt64 = 0) {
        self.view = view
        self.vote = vote
        self.commit = commit
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
