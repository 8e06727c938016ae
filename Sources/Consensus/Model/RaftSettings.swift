/// The dials of one node. Times in microseconds, sizes in bytes.
public struct RaftSettings: Sendable {
    /// A leader lets its followers hear from it at least so often.
    public var heartbeat: Microseconds = 50_000
    /// A follower waits at least so long for its leader; also the span of a follower's loyalty to a live leader.
    public var electionTimeoutMin: Microseconds = 500_000
    /// And at most so long; the time is drawn anew for each wait.
    public var electionTimeoutMax: Microseconds = 1_000_000
    /// Most entry bytes of one AppendEntries (a larger entry travels alone).
    public var appendBytesMax: Int = 1 << 20
    /// Most entries of one AppendEntries.
    public var appendEntriesMax: Int = 1024
    /// Most unacknowledged AppendEntries to one peer.
    public var inflightMessagesMax: Int = 256
    /// Unacknowledged entry bytes to one peer after which nothing more is sent.
    public var inflightBytesMax: Int = 16 << 20
    /// Entry bytes kept in memory; older ones are asked of the shell.
    public var windowBytesMax: Int = 16 << 20
    /// Entries that a learner may be behind and still count as caught up.
    public var catchUpLag: UInt64 = 64
    /// A snapshot that a peer has not acknowledged after this time is asked for again.
    public var snapshotRetry: Microseconds = 10_000_000
    /// The constitution's `restart: sealed`: the seals of nodes are trusted so far that a majority restarting together
    /// goes on by itself. Otherwise its members decide (``RaftInput/restartAuthorized``).
    public var restartSealed: Bool = true

    /// Deliberate bugs, for tests of the tests.
    package var faults: RaftFault = []

    /// The defaults.
    public init() {}
}

/// Known bugs of Raft implementations, each of which the simulator must find (CCF's from the NSDI'25 paper, Table 2).
package struct RaftFault: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Votes and acknowledgements are counted over the union of the active configurations.
    package static let unionTally = RaftFault(rawValue: 1 << 0)
    /// A leader commits entries of earlier views by counting (Raft's Figure 8).
    package static let commitsPreviousViews = RaftFault(rawValue: 1 << 1)
    /// A NACK's estimate counts as an acknowledgement.
    package static let commitsOnNack = RaftFault(rawValue: 1 << 2)
    /// A follower truncates to what an AppendEntries says although it agrees with the log.
    package static let truncatesEarly = RaftFault(rawValue: 1 << 3)
    /// A follower acknowledges the end of its own log.
    package static let acknowledgesLogEnd = RaftFault(rawValue: 1 << 4)
    /// Acknowledgements leave before the entries are durable.
    package static let acknowledgesBeforeSync = RaftFault(rawValue: 1 << 5)
    /// Messages leave before the hard state is durable.
    package static let sendsBeforeSeal = RaftFault(rawValue: 1 << 6)
    /// A candidate's log is not compared in elections.
    package static let votesForAnyLog = RaftFault(rawValue: 1 << 7)
    /// Votes are granted again and again in one view.
    package static let votesTwice = RaftFault(rawValue: 1 << 8)
    /// A new configuration replaces the old one when appended (no joint phase).
    package static let skipsJointPhase = RaftFault(rawValue: 1 << 9)
    /// A restarted node believes its disk without asking.
    package static let skipsRestartRule = RaftFault(rawValue: 1 << 10)
    /// A leader answers reads from its memory, without asking a quorum.
    package static let readsWithoutQuorum = RaftFault(rawValue: 1 << 11)
    /// A new leader keeps its unsigned tail.
    package static let keepsUnsignedTail = RaftFault(rawValue: 1 << 12)
    /// Entries commit without a signature over them.
    package static let commitsUnsigned = RaftFault(rawValue: 1 << 13)
    /// A report of durability counts for entries that replaced those it was about.
    package static let trustsOldSync = RaftFault(rawValue: 1 << 14)
    /// A removed node is done as soon as it reads its removal.
    package static let retiresEarly = RaftFault(rawValue: 1 << 15)
    /// Elections ask for `n - q_r` votes only, whatever the view's uniqueness needs.
    package static let electsWithTooFew = RaftFault(rawValue: 1 << 16)
    /// A restarting node is judged by what it holds when it asks, not by what it was found with.
    package static let claimMoves = RaftFault(rawValue: 1 << 17)
    /// An objection counts only if it answers the newest question.
    package static let objectionsGoStale = RaftFault(rawValue: 1 << 18)
    /// Peers remember the views that a restarting node goes through as if it took part in them.
    package static let remembersRestarting = RaftFault(rawValue: 1 << 19)
    /// A node that stops again before its restart is confirmed is judged anew.
    package static let forgetsClaim = RaftFault(rawValue: 1 << 20)
    /// Only the leader that got an acknowledgement knows of it.
    package static let keepsAcknowledgements = RaftFault(rawValue: 1 << 21)
    /// An acknowledgement of an earlier view is forgotten even where it is committed.
    package static let forgetsWhatIsCommitted = RaftFault(rawValue: 1 << 22)
    /// An acknowledgement is held against a node although a later leader may have cut what it was about.
    package static let remembersWhatWasCut = RaftFault(rawValue: 1 << 23)
    /// What a node acknowledged and only a later leader committed is held against it.
    package static let countsLaterCommits = RaftFault(rawValue: 1 << 26)
    /// A node that asks for pre-votes goes on standing by the leader that it has given up.
    package static let preVoteKeepsLeader = RaftFault(rawValue: 1 << 24)
    /// A snapshot brings no configurations.
    package static let snapshotForgetsConfiguration = RaftFault(rawValue: 1 << 25)
}
