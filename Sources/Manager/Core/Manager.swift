public import AdapterKit
package import Consensus
public import Constitution
import Identity
import Ledger
import Primitives
import Store

/// The manager enclave's state machine: consensus, ledger, constitution, keys, sessions and the worker's reins, without
/// any I/O. The runtime gives it inputs with the time and carries out its effects in order; everything that happened is
/// a function of the inputs and of the randomness that it was given.
public struct Manager {
    /// How far the node is.
    public enum Phase: Sendable, Equatable {
        /// Reads its own ledger.
        case recovering
        /// Asks to be let in.
        case joining
        /// Part of the network.
        case active
        /// Refuses everything, for this reason.
        case stopped(String)

        /// A word for status pages.
        public var word: String {
            switch self {
            case .recovering: "recovering"
            case .joining: "joining"
            case .active: "active"
            case .stopped: "stopped"
            }
        }
    }

    // What this node is.
    let settings: ManagerSettings
    let node: NodeIdentity
    var sealed: SealedState
    var random: any RandomBytes & Sendable

    // What the network is.
    var constitution: Constitution
    var store = Store(schema: RequestMap.schema)
    var ledger: LedgerState

    // Where things stand.
    /// How far the node is.
    public internal(set) var phase: Phase
    var clock = ClockReading(monotonic: 0, wall: 0)
    var effects: [ManagerEffect] = []
    package internal(set) var raft: Raft?
    /// Everything up to here is committed and applied to this node's committed state.
    var appliedSeqno: UInt64 = 0
    var primary: PeerID?
    var isPrimary = false
    /// Last signature of this node's own ledger when it restarted.
    var recovered: LogPosition?
    /// Ledger time of the newest entry, in milliseconds since 1970.
    package internal(set) var ledgerTime: UInt64 = 0

    // Other nodes.
    /// Peers with an open, attested channel.
    var channels: [PeerID: VerifiedNode] = [:]
    var pendingJoins: [UInt64: PeerID] = [:]
    var membershipChanges: [MembershipChange] = []
    /// The configuration may not be what the constitution in force wants.
    var membershipIsUnchecked = true
    /// When channels to removed peers are closed.
    var leaving: [PeerID: UInt64] = [:]
    var joining = JoinState()
    var nextDial: UInt64 = 0
    /// What a node that is not active yet waits for, in words for its operator.
    var waitsFor = ""

    // Leading.
    var queues = BatchQueues()
    var executing: BatchInFlight?
    /// Seqnos of batch entries that are not committed yet.
    var uncommittedBatches = 0
    var unsigned = UnsignedTail()
    var signer: RootSigner?

    // Clients and their work.
    var clients: [RequestToken: ClientWait] = [:]
    var works: [UInt64: Work] = [:]
    var nextWork: UInt64 = 1
    var waitingForCommit: [(seqno: UInt64, token: RequestToken)] = []
    var waitingForApply: [(seqno: UInt64, work: UInt64)] = []
    var outcomesAtCommit: [UInt64: [(item: WorkItem, outcome: SubmissionOutcome)]] = [:]
    var inFlightRequests: [RequestKey: [WorkItem]] = [:]
    var historyQueries: [RequestToken: QueryToken] = [:]
    var outside = OutsideState()
    var nextExpiry: UInt64 = 0
    /// Time between two looks at what is overdue, in microseconds.
    static let watchMicroseconds: UInt64 = 100_000

    var governance = GovernanceDesk()
    var worker = WorkerLink()
    var fitness = Fitness()
    var repair = RepairState()
    var snapshots = SnapshotState()
    /// At a start: the seqnos that the ledger's files hold.
    var ledgerOnDisk: Range<UInt64>?
    var counters = Counters()
    let meter: StageMeter

    /// When the next ``ManagerInput/tick`` is wanted at the latest, in monotonic microseconds. Kept, since the runtime
    /// asks after every input.
    public private(set) var deadline: UInt64 = 0

    /// A manager that starts as `start` says.
    /// - Parameters:
    ///   - constitution: the genesis constitution, whose digest names the network.
    ///   - random: secret random bytes.
    ///   - meter: counts processor time by stage, for the metrics alone.
    public init(
        settings: ManagerSettings, node: NodeIdentity, constitution: Constitution, start: ManagerStart,
        random: any RandomBytes & Sendable, meter: StageMeter = StageMeter()
    ) throws {
        self.meter = meter
        self.settings = settings
        self.node = node
        self.constitution = constitution
        self.random = random
        ledger = LedgerState(networkID: constitution.networkID)
        switch start {
        case .found:
            phase = .recovering
            sealed = SealedState(nodeKey: node.key.rawRepresentation)
        case .join(let sealed):
            phase = .joining
            self.sealed = sealed
        case .restart(let sealed):
            phase = .recovering
            self.sealed = sealed
        }
        self.start = start
        if constitution.isKnown { joining.approvedDigest = constitution.digest }
        if !sealed.constitution.isEmpty {
            self.constitution = try Constitution(file: sealed.constitution, networkID: constitution.networkID)
            joining.approvedDigest = self.constitution.digest
        }
    }

    let start: ManagerStart

    /// One step.
    public mutating func handle(_ input: ManagerInput, at clock: ClockReading) -> [ManagerEffect] {
        handle([input], at: clock)
    }

    /// One step for all that came together, in order: what is due fires after the last, so that a batch takes in all
    /// that is there.
    public mutating func handle(_ inputs: [ManagerInput], at clock: ClockReading) -> [ManagerEffect] {
        self.clock = clock
        effects = []
        defer {
            effects = []
            deadline = nextDeadline
        }
        for input in inputs {
            if case .stopped = phase { refuseWhenStopped(input) } else { take(input) }
        }
        if case .stopped = phase { return effects }
        runTimers()
        return effects
    }

    private mutating func take(_ input: ManagerInput) {
        switch input {
        case .begin: begin()
        case .tick: break
        case .request(let request): receive(request)
        case .peerConnected(let peer): peerConnected(peer)
        case .peerDisconnected(let peer): peerDisconnected(peer)
        case .peerRefused(let reason, let isByPeer): peerRefused(reason, isByPeer: isByPeer)
        case .approval(let bytes): receiveApproval(bytes)
        case .message(let bytes, let peer): receive(bytes, from: peer)
        case .workerReady: workerStarted()
        case .workerDied(let reason): workerDied(reason: reason)
        case .workerReply(let frame): receive(frame)
        case .logPersisted(let ticket):
            if raft == nil { tailPersisted(ticket) } else { step(.logPersisted(ticket: ticket)) }
        case .sealed(let ticket): step(.hardStatePersisted(ticket: ticket))
        case .entries(let entries, let purpose): receive(entries, for: purpose)
        case .ledgerFound(let seqnos):
            ledgerOnDisk = seqnos
            continueRecovery()
        case .snapshot(let report): receive(report)
        case .heard(let number, let result): heard(number, result)
        case .storage(let state): storageChanged(to: state)
        case .ledgerDamaged(let damage): receive(damage)
        case .chunkRestored(let range): chunkRestored(range)
        case .shutdown: shutDown()
        }
    }

    private var nextDeadline: UInt64 {
        // A stopped node waits for nothing but questions.
        if case .stopped = phase { return .max }
        var next = nextExpiry
        if let raft { next = min(next, raft.deadline) }
        // What can't be done now is done when what it waits for is there: a deadline in the past would be asked for again
        // and again.
        guard mayPropose, executing == nil else { return next }
        if worker.isReady, fitness.storage.isGood, let due = queues.deadline { next = min(next, due) }
        if let due = unsigned.deadline { next = min(next, due) }
        return next
    }

    /// Who a client's certificates stand for, by the constitution in force.
    public func authenticate(_ chain: [[UInt8]], at time: UInt64) -> Result<ActorID, ActorRefusal> {
        do {
            return .success(try constitution.resolveActor(certificateChain: chain, at: time).id)
        } catch {
            return .failure(error)
        }
    }

    /// Whether this node leads.
    package var isLeading: Bool { isPrimary }

    /// Whether this node answers reads.
    package var answersReads: Bool { phase == .active && worker.isReady }

    /// Whether this node votes.
    package var isMember: Bool { configuration?.voters.contains(node.id) == true }

    private mutating func runTimers() {
        if let raft, raft.deadline <= clock.monotonic { step(.tick) }
        if isPrimary {
            proposeSnapshotEvidence()
            cutBatch()
            signIfDue()
        }
        if clock.monotonic >= nextExpiry {
            nextExpiry = clock.monotonic + Self.watchMicroseconds
            expireWork()
            expireGovernance()
            takeGovernance()
            dismissRemovedPeers()
            expireTransfer()
            watchWorker()
            watchFitness()
            watchStorage()
            watchRepair()
            dialPeers()
        }
    }

    private mutating func refuseWhenStopped(_ input: ManagerInput) {
        if case .request(let request) = input, case .stopped(let reason) = phase {
            if request.listener == .administration {
                administrate(request)
            } else {
                refuse(request.token, .notReady, "the node has stopped: \(reason)")
            }
        }
    }

    /// The node refuses everything from now on.
    mutating func stop(_ reason: String) {
        log(.error, "the node has stopped", [("reason", reason)])
        phase = .stopped(reason)
        for peer in channels.keys.sorted() { send(.fitness(false), to: peer) }
        let submitted = governance.works.values.compactMap { work -> RequestToken? in
            if case .client(let token) = work.origin { token } else { nil }
        }
        for token in clients.keys.sorted() {
            if case .submitted? = clients[token]?.stage {
                refuse(token, .timedOut, Self.unknownAtStop)
            } else if submitted.contains(token) {
                refuse(token, .timedOut, Self.unknownAtStop)
            } else {
                refuse(token, .notReady, "the node has stopped")
            }
        }
        // Its operator shall be able to ask why.
        serve()
    }

    private static let unknownAtStop =
        "the node has stopped; the outcome is unknown, ask another node by transaction id"

    private mutating func shutDown() {
        if isPrimary { step(.transferLeadership(to: nil)) }
        for token in clients.keys.sorted() {
            refuse(token, .timedOut, "the node is shutting down; the outcome is unknown, ask by transaction id")
        }
    }

    mutating func log(_ level: LogLine.Level, _ message: String, _ fields: [(String, String)] = []) {
        effects.append(.log(LogLine(level, message, fields.map { (name: $0.0, value: $0.1) })))
    }
}
