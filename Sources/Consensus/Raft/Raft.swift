/// One node's consensus: Raft (Ongaro's thesis, 2014) with commit at signature entries as in CCF.
///
/// A value that takes an input and the time and says what is to be done; it has no clock, disk, network or randomness of
/// its own. What the rules rest on:
///
/// - **Commit at signatures.** Only signature entries of the leader's own view are counted; everything before one
///   commits with it. Elections compare the *last signature* (view, seqno), and a new leader cuts its log after it. This is
///   safe as Raft's own comparison is: if signature `s` of view `t` is durable on a replication quorum, each later
///   election quorum contains one of these nodes, which voted after acknowledging (acknowledgements are refused in older
///   views). Its last signature is at least `(t, s)`, so the winner's is too; with view `t` the winner holds `s` by log
///   matching; with a later view, that view's leader held `s` by induction, and so does its signature's prefix. What lies
///   behind the last signature was never counted, so cutting it loses nothing committed, even where it was durable.
/// - **Durability.** Nothing is acknowledged or counted before the shell reports it on disk, including the leader's own
///   copy; no message leaves before the view and vote that it speaks from are sealed.
/// - **Configurations** count from the moment of appending, each active one for itself (``Configuration``).
/// - **Restart** is in Raft+Restart.swift, reads in Raft+Reads.swift.
public struct Raft: Sendable {
    /// What a node does in its view.
    public enum Role: Hashable, Sendable {
        case follower, preCandidate, candidate, leader
    }

    enum Phase: Sendable {
        case fresh(RaftStart)
        case normal
        case restarting(RestartRound)
        case refusing
    }

    /// This node.
    public let id: PeerID
    /// Its dials.
    public internal(set) var settings: RaftSettings
    /// What it does.
    public internal(set) var role = Role.follower
    /// What must be sealed; ``RaftEffect/persistHardState(_:ticket:)`` says when.
    public internal(set) var hardState = HardState()
    /// The leader of this view, where known.
    public internal(set) var leader: PeerID?
    /// Everything up to here is committed.
    public internal(set) var commit: UInt64 = 0
    /// Everything up to here is on this node's disk.
    public internal(set) var durable: UInt64 = 0
    /// What the whole log looks like.
    public internal(set) var index = LogIndex()

    var phase: Phase
    var random: SplitMix64
    var now: Microseconds = 0
    var out: [RaftEffect] = []
    var window = EntryWindow(after: 0)
    var firstAvailable: UInt64 = 1

    // Disk and seal.
    var logTicket: UInt64 = 0
    var writes: Trail<(ticket: UInt64, end: UInt64)> = Trail()
    var hardTicket: UInt64 = 0
    var hardTicketDurable: UInt64 = 0
    var held: Trail<(ticket: UInt64, peer: PeerID, message: RaftMessage)> = Trail()

    // Elections.
    var electionDeadline: Microseconds = 0
    var heardLeaderAt: Microseconds = 0
    var votes: [PeerID] = []
    /// An election needs a candidate with at least this signature, besides our own (see Raft+Restart).
    package internal(set) var barrier = LogPosition.zero
    var memories: [PeerMemory] = []

    // Following.
    /// In this view the log is known to be the leader's up to here.
    var verified: UInt64 = 0
    /// The leader's attempt that was heard last.
    var attempt: UInt64 = 0
    var announced: (view: UInt64, leader: PeerID?, leads: Bool) = (0, nil, false)

    // Leading.
    var progress: [Progress] = []
    var tallies: [Tally] = []
    var round: UInt64 = 0
    var heartbeatDeadline: Microseconds = 0
    var quorumDeadline: Microseconds = 0
    var transfer: (target: PeerID, deadline: Microseconds, isAsked: Bool)?
    var readsWaiting: [UInt64] = []
    var readBatch: (round: UInt64, seqno: UInt64, ids: [UInt64])?
    var hasReportedConfiguration = false

    // Membership.
    var activeConfigurations: [PlacedConfiguration] = []
    var wasMember = false
    /// A configuration at or before this seqno is committed, as peers say: earlier ones do not count.
    var settled: UInt64 = 0

    /// A node before its first step.
    ///
    /// - Parameter seed: Determines the election timeouts; give each node and start another one.
    public init(id: PeerID, settings: RaftSettings = RaftSettings(), start: RaftStart, seed: UInt64) {
        self.id = id
        self.settings = settings
        random = SplitMix64(seed: seed)
        phase = .fresh(start)
        switch start {
        case .genesis(let configuration, _): index = LogIndex(genesis: configuration)
        case .joining: break
        case .snapshot(let index): self.index = index
        case .restart(let hardState, let index):
            self.hardState = hardState
            self.index = index
        }
        switch start {
        case .genesis, .joining: break
        case .snapshot: commit = index.lastSeqno
        case .restart(let hardState, _):
            let sealed = index.holds(sealed: hardState.committed) ? index.signature(atMost: hardState.commit) : nil
            commit = max(index.base.seqno, sealed ?? 0)
        }
        if index.last.view > self.hardState.view {
            // Entries of a view may reach the disk before the view is sealed, and a snapshot brings a view of its own.
            // Whether a vote was given there does not matter if none is given any more.
            self.hardState.view = index.last.view
            self.hardState.vote = .spent
        }
        durable = index.lastSeqno
        verified = commit
        firstAvailable = index.base.seqno + 1
        window = EntryWindow(after: index.lastSeqno)
        index.forget(before: commit)
        activeConfigurations = index.active(commit: commit)
        noteMembership()
    }

    /// View this node is in.
    public var view: UInt64 { hardState.view }
    /// Last entry of its log.
    public var lastSeqno: UInt64 { index.lastSeqno }
    /// Position of the last entry of its log.
    public var last: LogPosition { index.last }
    /// Whether it leads.
    public var isLeader: Bool { role == .leader }
    /// Whether the restart rule still holds it back.
    public var isRestarting: Bool {
        if case .restarting = phase { return true }
        return false
    }
    /// Whether it was found to be rolled back, or stopped on a contradiction.
    public var isRefusing: Bool {
        if case .refusing = phase { return true }
        return false
    }
    /// The configurations that must each agree now, oldest first; the last one is the newest appended.
    public var configurations: [PlacedConfiguration] { activeConfigurations }
    /// The newest configuration known to be committed.
    public var committedConfiguration: PlacedConfiguration? { index.committedConfiguration(commit) }
    /// Whether this leader has committed an entry of its own view, so that configurations and reads are open.
    public var hasCommittedInView: Bool { commit > 0 && index.view(at: commit) == view }
    /// How far each peer's log is known to be ours and durable, by id; leaders only.
    public var acknowledged: [(peer: PeerID, seqno: UInt64)] { progress.map { ($0.id, $0.match) } }
    /// A peer that fewer than all the leader's entries have reached keeps the leader from being idle.
    public var isTransferring: Bool { transfer != nil }

    /// When the next ``RaftInput/tick`` is due at the latest.
    public var deadline: Microseconds {
        switch phase {
        case .fresh: return 0
        case .refusing: return .max
        case .restarting(let round): return round.deadline
        case .normal: break
        }
        guard role == .leader else { return isElectable ? electionDeadline : .max }
        return min(heartbeatDeadline, quorumDeadline, transfer?.deadline ?? .max)
    }

    /// Takes one input; what is to be done comes in order.
    public mutating func step(_ input: RaftInput, now: Microseconds) -> [RaftEffect] {
        var effects: [RaftEffect] = []
        step(input, now: now, into: &effects)
        return effects
    }

    /// Takes one input and appends what is to be done, in order, to `effects`.
    public mutating func step(_ input: RaftInput, now: Microseconds, into effects: inout [RaftEffect]) {
        self.now = max(self.now, now)
        swap(&out, &effects)
        defer { swap(&out, &effects) }
        if case .fresh(let start) = phase { begin(start) }
        if case .refusing = phase { return }
        handle(input)
        fireTimers()
        announce()
    }

    private mutating func begin(_ start: RaftStart) {
        phase = .normal
        resetElectionTimer()
        refreshConfigurations()
        switch start {
        case .genesis(_, let view):
            hardState.view = view - min(view, 1)
            startElection(isTransfer: false)
        case .joining: break
        case .snapshot: persistHardState()
        case .restart(let sealed, _): beginRestart(sealed)
        }
    }

    private mutating func handle(_ input: RaftInput) {
        switch input {
        case .tick: break
        case .received(let message, let peer): receive(message, from: peer)
        case .propose(let entries): propose(entries)
        case .logPersisted(let ticket): logPersisted(ticket)
        case .hardStatePersisted(let ticket): hardStatePersisted(ticket)
        case .entriesLoaded(let peer, let from, let entries): entriesLoaded(peer, from: from, entries: entries)
        case .compacted(let first): firstAvailable = max(firstAvailable, min(first, durable + 1))
        case .snapshotInstalled(let index): installSnapshot(index)
        case .snapshotFailed(let peer): snapshotFailed(peer)
        case .transferLeadership(let target): transferLeadership(to: target)
        case .read(let id): read(id)
        case .campaign:
            if case .normal = phase, role != .leader, isElectable { startPreVote() }
        case .restartAuthorized: authorizeRestart()
        }
    }

    private mutating func fireTimers() {
        switch phase {
        case .fresh, .refusing: break
        case .restarting: restartTick()
        case .normal:
            if role == .leader {
                leaderTick()
            } else if now >= electionDeadline {
                if isElectable { startPreVote() } else { resetElectionTimer() }
            }
        }
    }

    private mutating func receive(_ message: RaftMessage, from peer: PeerID) {
        guard peer != id else { return }
        if message.isBinding || settings.faults.contains(.remembersRestarting) { remember(peer, view: message.view) }
        switch message.body {
        case .append(let append): onAppend(append, view: message.view, from: peer)
        case .appendResponse(let response): onAppendResponse(response, view: message.view, from: peer)
        case .voteRequest(let request): onVoteRequest(request, view: message.view, from: peer)
        case .voteResponse(let response): onVoteResponse(response, view: message.view, from: peer)
        case .timeoutNow: onTimeoutNow(view: message.view, from: peer)
        case .restartQuery(let query): onRestartQuery(query, view: message.view, from: peer)
        case .restartAnswer(let answer): onRestartAnswer(answer, view: message.view, from: peer)
        }
    }

    /// Tells the shell who leads, if that changed.
    private mutating func announce() {
        let leads = role == .leader
        guard announced.view != view || announced.leader != leader || announced.leads != leads else { return }
        announced = (view, leader, leads)
        if !leads { out.append(.following(view: view, leader: leader)) }
    }

    /// Stops for good: what a peer says can't be true if what is committed here is.
    mutating func halt(_ reason: String) {
        phase = .refusing
        out.append(.halted(reason))
    }
}
