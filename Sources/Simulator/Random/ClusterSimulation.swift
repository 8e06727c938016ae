package import Consensus

/// What a run came to.
public struct SimulationReport: Sendable {
    /// Determines everything else here.
    public let seed: UInt64
    /// The broken rule and how it was broken, if one was.
    public let violation: String?
    /// The rule alone.
    public var rule: String? { violation.map { String($0.prefix { $0 != ":" }) } }
    /// Inputs that nodes took.
    public let steps: Int
    /// Simulated time.
    public let microseconds: UInt64
    /// Entries committed.
    public let committed: Int
    /// Hash over everything that happened.
    public let traceHash: UInt64
    /// The last lines of the trace, if asked for.
    public let trace: [String]
    /// Elections won, crashes, configurations committed, rollbacks recognised: whether the run was worth anything.
    public let elections: Int
    /// Power failures.
    public let crashes: Int
    /// Configurations proposed and taken into a log.
    public let reconfigurations: Int
    /// Nodes that refused after their disk was put back.
    public let rollbacksRecognised: Int
    /// Reads answered.
    public let reads: Int
    /// 1 if the cluster waits for its members after a rollback.
    public let refusals: Int
    /// Writes that clients were told are committed; whole nodes only.
    public var acknowledged = 0
    /// Writes of which no client ever heard what became of them; whole nodes only.
    public var unknown = 0
    /// Faults of each kind that happened, in the order of their names; whole nodes only.
    public var faults: [(name: String, count: Int)] = []
}

/// A whole cluster of consensus cores in one object: network, disks, clients, operators and faults, all from one seed.
///
/// Each run has a phase of faults and, after it, a phase without any, in which the cluster must come to rest: a leader,
/// everything committed everywhere.
public final class ClusterSimulation {
    enum Event {
        case deliver(to: Int, from: Int, life: Int, RaftMessage, [Testimony])
        case tick(Int)
        case logSynced(Int, life: Int)
        case sealSynced(Int, life: Int)
        case loaded(Int, life: Int, peer: PeerID, from: UInt64, count: Int)
        case snapshotArrives(at: Int, from: Int)
        case becameLeader(Int, life: Int)
        case settle(Int, life: Int, seqno: UInt64)
        case restart(Int)
        case propose, read, crash, partition, reconfigure, transfer, compact, save, rollback
        case authorize(Int, life: Int)
        case heal, checkRest
        case mend([Int], [Int])
    }

    struct Node {
        let id: PeerID
        var raft: Raft?
        var disk = SimulatedDisk()
        /// An older state of the disk and of ``claim``, for a rollback.
        var oldDisk: SimulatedDisk?
        var oldClaim: RestartClaim?
        var wasRolledBack = false
        /// What it was found with when a restart began that is not confirmed and sealed yet.
        var claim: RestartClaim?
        /// Which of its seals was the first that holds ``claim``.
        var claimedBy: UInt64 = 0
        /// Which of its seals says that the restart is confirmed.
        var confirmedBy: UInt64?
        /// The name of its process start, as its queries say.
        var start: UInt64 = 0
        /// What it has seen others promise in this life.
        var witnesses: [Int: Witness] = [:]
        var isRetired = false
        var isJoining = true
        /// Counts process starts; events of an earlier life are void.
        var life = 0
        var nextTick = UInt64.max
        var committed: UInt64 = 0
        var tail = LogPosition.zero
        var view: UInt64 = 0
        var isSyncingLog = false
        var isSyncingSeal = false
    }

    let seed: UInt64
    var random: SplitMix64
    var profile: Profile
    var nodes: [Node] = []
    var events = EventQueue<Event>()
    var now: UInt64 = 0
    var oracle = Oracle()
    /// `blocked[from][to]`: how many partitions stand between.
    var blocked: [[Int]] = []
    var isHealed = false
    var healedAt: UInt64 = 0
    var restGoal: Int?
    var isAtRest = false
    var counter: UInt64 = 0
    /// Nodes that some proposed configuration left out.
    var removed: Set<PeerID> = []
    var readFloors: [UInt64: Int] = [:]
    var effects: [RaftEffect] = []

    var steps = 0
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var elections = 0
    var crashes = 0
    var reconfigurations = 0
    var rollbacksRecognised = 0
    var reads = 0
    var refusals = 0
    let keepsTrace: Bool
    var trace: [String] = []
    let faultMicroseconds: UInt64
    let stepsMax: Int
    /// Set before the run to keep what each node did.
    package var recorder: TraceRecorder?

    static let nodesMax = 9
    static let restWithin: UInt64 = 60_000_000

    /// A run that has not started.
    public convenience init(_ plan: SimulationPlan, keepsTrace: Bool = false) {
        self.init(plan, keepsTrace: keepsTrace, faults: [])
    }

    /// A whole run of this seed that has not started.
    public convenience init(seed: UInt64, keepsTrace: Bool = false) {
        self.init(SimulationPlan(seed: seed), keepsTrace: keepsTrace, faults: [])
    }

    /// A run of a core with known bugs.
    package convenience init(seed: UInt64, keepsTrace: Bool = false, faults: RaftFault) {
        self.init(SimulationPlan(seed: seed), keepsTrace: keepsTrace, faults: faults)
    }

    package init(_ plan: SimulationPlan, keepsTrace: Bool = false, faults: RaftFault) {
        seed = plan.seed
        self.keepsTrace = keepsTrace
        faultMicroseconds = min(plan.faultMilliseconds, 1 << 40) * 1_000
        stepsMax = plan.stepsMax ?? .max
        random = SplitMix64(seed: seed)
        profile = Profile(&random)
        profile.leave(out: plan.without)
        profile.settings.faults = faults
    }

    /// Runs to the end or to the first broken rule.
    public func run() -> SimulationReport {
        start()
        while oracle.violation == nil, !isAtRest, steps < stepsMax, let event = events.next() {
            now = event.time
            handle(event.payload)
        }
        return SimulationReport(
            seed: seed, violation: oracle.violation, steps: steps, microseconds: now,
            committed: oracle.committed.count, traceHash: hash, trace: trace, elections: elections, crashes: crashes,
            reconfigurations: reconfigurations, rollbacksRecognised: rollbacksRecognised, reads: reads,
            refusals: refusals)
    }

    func note(_ line: @autoclosure () -> String, _ values: UInt64...) {
        for value in values { hash = (hash ^ value) &* 0x100_0000_01b3 }
        hash = (hash ^ now) &* 0x100_0000_01b3
        guard keepsTrace else { return }
        if trace.count >= 40_000 { trace.removeFirst(20_000) }
        trace.append("\(now / 1000).\(now % 1000) " + line())
    }

    // MARK: Start

    private func start() {
        if profile.startsFromGenesis {
            let founder = addNode()
            if let configuration = try? Configuration(voters: [nodes[founder].id]) {
                startNode(founder, .genesis(configuration, view: 2))
            }
        } else {
            startFounded()
        }
        for event in [Event.propose, .read, .crash, .partition, .reconfigure, .transfer, .compact] { plan(event) }
        if profile.rollbackOnce {
            let half = faultMicroseconds / 2
            events.add(.save, at: random.below(half + 1))
            events.add(.rollback, at: half + random.below(half / 2 + 1))
        }
        events.add(.heal, at: faultMicroseconds)
    }

    /// All nodes come back from a full stop of a network that had committed a few entries.
    private func startFounded() {
        for _ in 0..<profile.nodes { _ = addNode() }
        guard let configuration = try? Configuration(voters: nodes.map(\.id), policy: profile.policy) else { return }
        let entries = [
            LogEntry(view: 2, seqno: 1, kind: .configuration(configuration), bytes: [1]),
            LogEntry(view: 2, seqno: 2, kind: .signature, bytes: [2]),
        ]
        oracle.found(on: entries)
        recorder?.found(nodes.map(\.id), entries, HardState(view: 2, committed: entries[1].position))
        for node in nodes.indices {
            nodes[node].disk = SimulatedDisk(entries: entries, seal: HardState(view: 2, committed: entries[1].position))
            startNode(node, nodes[node].disk.restart())
        }
        // However the policy is, the members wanted this start.
        for node in nodes.indices { step(node, .restartAuthorized) }
    }

    func addNode() -> Int {
        let node = nodes.count
        nodes.append(Node(id: "n\(node)"))
        for place in blocked.indices { blocked[place].append(0) }
        blocked.append(Array(repeating: 0, count: nodes.count))
        return node
    }

    func startNode(_ node: Int, _ start: RaftStart) {
        nodes[node].life += 1
        nodes[node].isJoining = false
        nodes[node].nextTick = .max
        nodes[node].isSyncingLog = false
        nodes[node].isSyncingSeal = false
        nodes[node].witnesses.removeAll()
        nodes[node].start = 0
        if case .restart = start { found(node) }
        let raft = Raft(id: nodes[node].id, settings: profile.settings, start: start, seed: random.next())
        nodes[node].raft = raft
        nodes[node].tail = raft.last
        nodes[node].committed = raft.commit
        nodes[node].view = raft.view
        note("\(nodes[node].id) starts: view \(raft.view), log to \(raft.last)", 1, UInt64(node))
        recorder?.started(nodes[node].id, start)
        step(node, .tick)
    }

    func place(of id: PeerID) -> Int? { nodes.firstIndex { $0.id == id } }

    // MARK: Planning

    func around(_ mean: Microseconds) -> UInt64 { now + mean / 2 + random.below(mean + 1) }

    /// Plans the next event of this kind, if the profile wants any.
    func plan(_ event: Event) {
        let mean: Microseconds?
        switch event {
        case .propose: mean = profile.proposeEvery
        case .read: mean = profile.readEvery
        case .crash: mean = profile.crashEvery
        case .partition: mean = profile.partitionEvery
        case .reconfigure: mean = profile.reconfigureEvery
        case .transfer: mean = profile.transferEvery
        case .compact: mean = profile.compactEvery
        default: mean = nil
        }
        if let mean { events.add(event, at: around(mean)) }
    }
}
