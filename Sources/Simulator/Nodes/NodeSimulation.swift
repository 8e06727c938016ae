import AdapterKit
import Attestation
package import Consensus
import Constitution
import Identity
import Ledger
package import Manager

/// Whole nodes in one object, from one seed: the manager's state machine, ledger files, snapshots and worker of each, on
/// simulated disks, clocks and channels, with clients who remember what they were told.
///
/// At first the network grows to its size; then there are faults and clients; then the faults end, and everything must
/// come to rest: all nodes agree, serve, and hold what was acknowledged.
public final class NodeSimulation {
    enum Event {
        case deliver(to: Int, from: Int, channel: UInt64, [UInt8])
        case connected(Int, to: Int, life: Int, channel: UInt64)
        case disconnected(Int, from: Int, channel: UInt64)
        case tick(Int)
        case diskBegins(Int, life: Int)
        case diskSynced(Int, life: Int, ticket: UInt64?, committed: UInt64?)
        case snapshotsWork(Int, life: Int)
        case workerArrives(Int, life: Int)
        case workerServes(Int, workerLife: Int)
        case request(Int, ClientRequest)
        case response(RequestToken, ClientResponse?)
        case timeout(RequestToken)
        case think(Int)
        case restart(Int)
        case stopped(Int, life: Int)
        case crash, partition, pause, crashWorker, fillDisk, jumpClock, stop, rot, save, rollback, lie, flush, failLiar
        case mend([Int], [Int])
        case freeDisk(Int)
        case checkGrowth, heal, checkRest
    }

    let plan: SimulationPlan
    var random: SplitMix64
    var profile: NodeProfile
    let faults: ManagerFault
    let raftFaults: RaftFault
    let constitution: Constitution
    var machines: [Machine] = []
    var events = EventQueue<Event>()
    var now: UInt64 = 0
    var oracle = Oracle()
    var prefix = CommittedPrefix()
    var history = History()
    var clients: [SimulatedClient] = []
    let watch = StateWatch()

    // Network.
    /// `blocked[from][to]`: how many partitions stand between.
    var blocked: [[Int]] = []
    /// `channels[node][peer]`: the channel that the node sees as open, 0 for none.
    var channels: [[UInt64]] = []
    var dialing: [[UInt64]] = []
    var nextChannel: UInt64 = 1
    /// When the last message so far arrives on a channel in each direction, for those that keep the order.
    var tails: [[UInt64]] = []
    /// Channels that lost something, and will break.
    var broken: Set<UInt64> = []

    var isGrown = false
    var isHealed = false
    var healedAt: UInt64 = 0
    var isAtRest = false
    var finalReads: [RequestToken: (node: Int, key: UInt8)] = [:]
    var hasAskedFinalReads = false
    var rotten: (node: Int, file: String, offset: Int, bit: UInt8, isSnapshot: Bool)?
    var saved: [Machine.Backup] = []
    /// In a script: how requests were answered.
    var statuses: [RequestToken: Int]?
    /// In a script: when requests were taken and answered, and delays between nodes in place of the profile's.
    var takenAt: [RequestToken: UInt64] = [:]
    var answeredAt: [RequestToken: UInt64] = [:]
    var delays: [[UInt64]] = []
    var liar: Int?

    var steps = 0
    var fingerprint = Fingerprint()
    var elections = 0
    var crashes = 0
    var rollbacksRecognised = 0
    var refusals = 0
    var counts: [String: Int] = [:]
    let keepsTrace: Bool
    var trace: [String] = []
    let faultMicroseconds: UInt64

    /// Wall clock at the start, in milliseconds since 1970.
    static let epoch: UInt64 = 1_800_000_000_000
    static let clockBoundMilliseconds: UInt64 = 1_000
    static let restWithin: UInt64 = 90_000_000

    /// A run that has not started.
    public convenience init(_ plan: SimulationPlan, keepsTrace: Bool = false) {
        self.init(plan, keepsTrace: keepsTrace, faults: [])
    }

    /// A run of nodes with known bugs.
    package convenience init(
        _ plan: SimulationPlan, keepsTrace: Bool = false, faults: ManagerFault, raftFaults: RaftFault = []
    ) {
        var random = SplitMix64(seed: plan.seed ^ 0x6e6f_6465_7321)
        var profile = NodeProfile(&random)
        profile.leave(out: plan.without)
        self.init(plan, profile, random, keepsTrace: keepsTrace, faults: faults, raftFaults: raftFaults)
    }

    init(
        _ plan: SimulationPlan, _ profile: NodeProfile, _ random: SplitMix64, keepsTrace: Bool, faults: ManagerFault,
        raftFaults: RaftFault
    ) {
        self.plan = plan
        self.keepsTrace = keepsTrace
        self.faults = faults
        self.raftFaults = raftFaults
        faultMicroseconds = min(plan.faultMilliseconds, 1 << 40) * 1_000
        self.random = random
        self.profile = profile
        let keys = (0..<profile.nodes).map { NodeSimulation.key(UInt8(50 + $0)) }
        constitution = SigningKey.withDerivedNonces { Self.constitution(profile, keys) }
        for place in keys.indices {
            machines.append(Machine(node: NodeIdentity(key: keys[place]), seed: self.random.next()))
        }
        let count = profile.nodes
        blocked = Array(repeating: Array(repeating: 0, count: count), count: count)
        channels = Array(repeating: Array(repeating: 0, count: count), count: count)
        dialing = channels
        tails = channels
    }

    /// Runs to the end or to the first broken rule.
    public func run() -> SimulationReport {
        SigningKey.withDerivedNonces {
            start()
            let stepsMax = plan.stepsMax ?? .max
            while oracle.violation == nil, !isAtRest, steps < stepsMax, let event = events.next() {
                now = event.time
                handle(event.payload)
            }
            if oracle.violation == nil, plan.stepsMax == nil || isAtRest { judgeHistory() }
        }
        var report = SimulationReport(
            seed: plan.seed, violation: oracle.violation, steps: steps, microseconds: now,
            committed: prefix.entries.count, traceHash: fingerprint.value, trace: trace, elections: elections,
            crashes: crashes, reconfigurations: 0, rollbacksRecognised: rollbacksRecognised, reads: history.readCount,
            refusals: refusals)
        report.acknowledged = history.acknowledgedCount
        report.unknown = history.unknownCount
        report.faults = counts.keys.sorted().map { ($0, counts[$0] ?? 0) }
        return report
    }

    /// Everything that is noted here is in the trace hash.
    func note(_ line: @autoclosure () -> String, _ values: UInt64...) {
        for value in values { fingerprint.take(value) }
        fingerprint.take(now)
        guard keepsTrace else { return }
        if trace.count >= 40_000 { trace.removeFirst(20_000) }
        let micro = String(now % 1000)
        trace.append("\(now / 1000).\(String(repeating: "0", count: 3 - micro.count))\(micro) " + line())
    }

    func count(_ fault: String) { counts[fault, default: 0] += 1 }

    // MARK: The network's beginning

    private static func key(_ byte: UInt8) -> SigningKey {
        do { return try SigningKey(rawRepresentation: [UInt8](repeating: byte, count: 32)) } catch {
            preconditionFailure("\(byte) repeated is a scalar of P-256")
        }
    }

    private static func constitution(_ profile: NodeProfile, _ keys: [SigningKey]) -> Constitution {
        do {
            var document = ConstitutionDocument(name: "simulated")
            for (place, key) in keys.enumerated() {
                let owner = Self.key(UInt8(10 + place))
                let request = CertificateRequest(
                    commonName: "bank-\(place)", purpose: .actor, serial: [1, UInt8(place)],
                    notBefore: epoch - 86_400_000, notAfter: epoch + 86_400_000_000)
                let certificate = try X509Certificate.selfSigned(request, key: owner)
                document.actors.append(
                    Actor(
                        id: "bank-\(place)", role: .member,
                        certificates: [.init(kind: .endEntity, der: certificate.der)]))
                document.nodes.append(
                    try NodeTuple(owner: "bank-\(place)", address: address(place), publicKey: key.publicKey.spki)
                        .signed(by: owner))
                document.tee.softwareKeys.append(
                    .init(owner: "bank-\(place)", key: try PlatformKey.x963(owner.publicKey)))
            }
            document.tee.rules = [.init(platform: .software)]
            document.code.entries = [
                .init(
                    name: "entente", version: "1", role: .combined, platform: .software,
                    measurement: [UInt8](repeating: 1, count: 32))
            ]
            document.adapters = [Adapter(kind: "kv", endpoint: KeyValueAdapter.endpoint)]
            document.parameters.snapshotIntervalEntries = profile.snapshotInterval
            document.parameters.clockBoundMilliseconds = clockBoundMilliseconds
            document.parameters.electionTimeoutMilliseconds = profile.electionTimeoutMilliseconds
            document.parameters.batchTransactionsMax = profile.batchMax
            document.parameters.signatureEntriesMax = profile.signatureEntriesMax
            if let replication = profile.replication { document.consensus.replicationQuorum = .nodes(replication) }
            return try Constitution(genesis: document)
        } catch {
            preconditionFailure("a simulated constitution must be one: \(error)")
        }
    }

    static func address(_ node: Int) -> String { "10.0.0.\(node + 1):9000" }

    func start() {
        for node in machines.indices {
            machines[node].drift = Int64(random.below(2 * profile.driftMax + 1)) - Int64(profile.driftMax)
            machines[node].wallOffset = wallOffset(profile.wallSpread)
            machines[node].isLate = profile.joinsLate && node > 0 && random.below(2) == 0
            if !machines[node].isLate { events.add(.restart(node), at: UInt64(node) * 1_000 + random.below(100_000)) }
        }
        for client in 0..<profile.clients {
            clients.append(SimulatedClient(node: client % profile.nodes))
        }
        events.add(.checkGrowth, at: 100_000)
    }

    func wallOffset(_ spread: UInt64) -> Int64 { Int64(random.below(spread + 1)) - Int64(spread / 2) }

    /// The network has its size, or the part of it that comes early: clients and faults may begin.
    func checkGrowth() {
        let early = machines.indices.filter { !machines[$0].isLate }
        let ready = early.allSatisfy {
            machines[$0].manager?.isMember == true && machines[$0].manager?.phase == .active
        }
        guard ready else {
            guard now < 30_000_000 else {
                return oracle.violated("Growth", "no network within 30 s: " + describeNodes())
            }
            return events.add(.checkGrowth, at: now + 50_000)
        }
        note("the network has grown", 1)
        isGrown = true
        guard statuses == nil else { return }
        for client in clients.indices { events.add(.think(client), at: now + random.below(profile.thinkMean + 1)) }
        for node in machines.indices where machines[node].isLate {
            events.add(.restart(node), at: now + random.below(faultMicroseconds / 2 + 1))
        }
        planFaults()
        events.add(.heal, at: now + faultMicroseconds)
    }

    func around(_ mean: UInt64) -> UInt64 { now + mean / 2 + random.below(mean + 1) }

    func place(of id: PeerID) -> Int? { machines.firstIndex { $0.node.id == id } }

    func describeNodes() -> String {
        machines.enumerated().map { place, machine in
            guard let manager = machine.manager else { return "n\(place) down" }
            var text = "n\(place) \(manager.phase.word)"
            if let raft = manager.raft {
                text += " \(raft.role) view \(raft.view) log \(raft.last) durable \(raft.durable)"
                text += " commit \(raft.commit)"
                text += raft.isRestarting ? " restarting" : ""
                text += " voters \(raft.configurations.last?.configuration.voters.count ?? 0)"
            }
            return text + (machine.isSuspect ? " (suspect)" : "")
        }.joined(separator: "; ")
    }
}
