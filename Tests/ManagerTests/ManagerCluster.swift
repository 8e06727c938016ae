import AdapterKit
import Attestation
import Consensus
import Constitution
import Identity
import Ledger
import Manager
import Primitives
import Testing

/// Managers in one process, with a disk, a worker and a clock each, all in the test's hands.
struct ManagerCluster {
    struct Node {
        var manager: Manager
        var worker: AdapterHost
        var entries: [[UInt8]] = []
        /// Seqno of the first of the entries.
        var firstSeqno: UInt64 = 1
        var snapshots: SnapshotFiles<MemoryLedgerStorage>
        /// What was read of each worker's requests, for tests that look.
        var workerRequests: [WorkerRequest] = []
        var seal: [UInt8]?
        var answers: [RequestToken: ClientResponse] = [:]
        var inputs: [ManagerInput] = []
        var isUp = true
        var isServing = false
        var log: [LogLine] = []
        /// Channels that it closed, with the reason.
        var disconnected: [(peer: String, reason: String)] = []
        var sessionChecks = 0
        /// While its disk takes no writes: what waits for it.
        var waiting: [ManagerEffect]?
        /// Committed entries that its disk can't give.
        var missing: [Range<UInt64>] = []
    }

    private static let start: UInt64 = 1_800_000_000_000
    let constitution: Constitution
    private(set) var nodes: [Node] = []
    private var keys: [SigningKey] = []
    private var microseconds: UInt64 = 1_000_000
    private var nextToken: RequestToken = 1
    /// Pairs of nodes that can't hear each other.
    var cut: Set<[Int]> = []
    /// What workers say in place of their answers: a worker that was taken over. The request, and its answer.
    var tamper: ((WorkerRequest, WorkerReply) -> WorkerReply)?
    /// While set, workers' answers are held back; what was held comes when it is cleared.
    var workersAreSlow = false { didSet { release() } }
    /// While set, no snapshot is made any further.
    var snapshotsAreSlow = false
    /// What a snapshot folder has is told after everything else at a start.
    var listsAreSlow = false
    private var lateLists: [(node: Int, input: ManagerInput)] = []
    /// Changes messages between nodes on their way; nil loses one.
    var onMessage: ((_ from: Int, _ to: Int, NodeMessage) -> NodeMessage?)?
    /// What services outside say; without one no answer comes.
    var outside: ((OutsideRequest) -> OutsideAnswer.Result)?
    /// What they were asked, with the node that asked.
    private(set) var asked: [(node: Int, request: OutsideRequest)] = []
    /// The same for the reports of disks.
    var disksAreSlow = false { didSet { release() } }
    private var held: [(node: Int, isDisk: Bool, input: ManagerInput)] = []

    /// - Parameters:
    ///   - snapshotInterval: entries between two snapshots.
    ///   - others: further endpoints of the same kind of adapter.
    /// Time after which a worker that owes answers is given up.
    private let workerSilence: UInt64
    private let seed: UInt64

    init(
        _ count: Int, snapshotInterval: UInt64 = 10_000, name: String = "test", others: [String] = [],
        workerSilence: UInt64 = ManagerSettings().workerSilenceMicroseconds, seed: UInt64 = 0
    ) throws {
        self.workerSilence = workerSilence
        self.seed = seed
        var document = ConstitutionDocument(name: name)
        document.parameters.snapshotIntervalEntries = snapshotInterval
        for index in 0..<count {
            let owner = try SigningKey(rawRepresentation: [UInt8](repeating: UInt8(10 + index), count: 32))
            let key = try SigningKey(rawRepresentation: [UInt8](repeating: UInt8(50 + index), count: 32))
            let request = CertificateRequest(
                commonName: "bank-\(index)", purpose: .actor, serial: [1, UInt8(index)],
                notBefore: Self.start - 86_400_000, notAfter: Self.start + 86_400_000_000)
            let certificate = try X509Certificate.selfSigned(request, key: owner)
            document.actors.append(
                Actor(id: "bank-\(index)", role: .member, certificates: [.init(kind: .endEntity, der: certificate.der)])
            )
            document.nodes.append(
                try NodeTuple(
                    owner: "bank-\(index)", address: "127.0.0.1:\(9_000 + index)", publicKey: key.publicKey.spki
                )
                .signed(by: owner))
            document.tee.softwareKeys.append(.init(owner: "bank-\(index)", key: try PlatformKey.x963(owner.publicKey)))
            keys.append(key)
        }
        document.tee.rules = [.init(platform: .software)]
        document.code.entries = [
            .init(
                name: "entente", version: "1", role: .combined, platform: .software,
                measurement: [UInt8](repeating: 1, count: 32))
        ]
        let authority = document.actors[0].certificates[0].der
        document.adapters = (["counter"] + others).map {
            Adapter(
                kind: "counter", endpoint: $0,
                outside: ["rates", "weather"].map {
                    OutsideService(name: $0, url: "https://\($0).example/now", authorities: [authority])
                })
        }
        constitution = try Constitution(genesis: document)
        for index in 0..<count {
            let start: ManagerStart =
                index == 0 ? .found : .join(SealedState(nodeKey: keys[index].rawRepresentation))
            nodes.append(
                Node(
                    manager: try make(index, start), worker: AdapterHost(kinds: [CounterAdapter.kind]),
                    snapshots: try Self.snapshots(MemoryLedgerStorage())))
            nodes[index].inputs = [.begin, .workerReady]
        }
        for index in nodes.indices { connect(index) }
    }

    /// Small frames and runs, so that each test has many.
    private static func snapshots(_ storage: MemoryLedgerStorage) throws -> SnapshotFiles<MemoryLedgerStorage> {
        try SnapshotFiles(
            storage, secret: [UInt8](repeating: 7, count: 32), frameByteCount: 4_096, runByteCount: 2_048)
    }

    private func make(_ index: Int, _ start: ManagerStart) throws -> Manager {
        var settings = ManagerSettings()
        settings.address = "127.0.0.1:\(9_000 + index)"
        settings.workerSilenceMicroseconds = workerSilence
        settings.snapshotPartBytes = 700
        settings.entryWindowBytes = 4_000
        settings.snapshotPartTimeoutMicroseconds = 1_000_000
        return try Manager(
            settings: settings, node: NodeIdentity(key: keys[index]), constitution: constitution, start: start,
            random: SeededBytes(state: UInt64(index + 1) &+ microseconds &+ seed))
    }

    func id(_ index: Int) -> String { keys[index].publicKey.id }

    /// The node that leads, if exactly one thinks so.
    var leader: Int? {
        let leaders = nodes.indices.filter { nodes[$0].isUp && nodes[$0].manager.isLeading }
        return leaders.count == 1 ? leaders[0] : nil
    }

    // MARK: What a test does

    mutating func ask(
        _ node: Int, _ body: [UInt8], requestID: [UInt8]? = nil, listener: Listener = .application,
        actor: String = "bank-0", method: String = "POST", path: String = "/",
        parameters: [(name: String, value: String)] = []
    ) -> RequestToken {
        defer { nextToken += 1 }
        nodes[node].inputs.append(
            .request(
                ClientRequest(
                    token: nextToken, listener: listener, actor: actor, method: method, path: path,
                    parameters: parameters, requestID: requestID, body: body)))
        return nextToken
    }

    /// Requests that come in one step, as do the worker's answers to them.
    mutating func askTogether(_ node: Int, _ bodies: [[UInt8]]) -> [RequestToken] {
        let requests = bodies.map { body -> ManagerInput in
            defer { nextToken += 1 }
            return .request(
                ClientRequest(
                    token: nextToken, listener: .application, actor: "bank-0", method: "POST", path: "/", body: body))
        }
        workersAreSlow = true
        step(requests, on: node)
        let replies = held.map(\.input)
        held = []
        step(replies, on: node)
        workersAreSlow = false
        return (nextToken - RequestToken(bodies.count)..<nextToken).map { $0 }
    }

    /// The answer's text, once it is there.
    /// Nodes that have found together: one leads, all serve and vote.
    static func ready(
        _ count: Int, workerSilence: UInt64 = ManagerSettings().workerSilenceMicroseconds
    ) throws -> ManagerCluster {
        var cluster = try ManagerCluster(count, workerSilence: workerSilence)
        let isReady = cluster.run { cluster in
            cluster.leader != nil && cluster.nodes.allSatisfy { $0.isServing && $0.manager.isMember }
        }
        try #require(isReady, "the nodes don't find together")
        return cluster
    }

    func answer(_ node: Int, _ token: RequestToken) -> String? {
        nodes[node].answers[token].map { String(decoding: $0.body, as: UTF8.self) }
    }

    /// kill -9: what was not on the disk is gone, peers see the channel close.
    mutating func kill(_ node: Int) {
        nodes[node].isUp = false
        nodes[node].inputs = []
        for peer in nodes.indices where peer != node && nodes[peer].isUp {
            nodes[peer].inputs.append(.peerDisconnected(id(node)))
        }
    }

    mutating func restart(_ node: Int) throws {
        let sealed = try SealedState(decoding: nodes[node].seal ?? [])
        nodes[node].manager = try make(node, .restart(sealed))
        nodes[node].worker = AdapterHost(kinds: [CounterAdapter.kind])
        nodes[node].snapshots = try Self.snapshots(nodes[node].snapshots.storage.crashed())
        nodes[node].isUp = true
        nodes[node].isServing = false
        nodes[node].waiting = nil
        nodes[node].workerRequests = []
        nodes[node].inputs = [.begin, .workerReady]
        connect(node)
    }

    /// A node without a past comes, which asks to be let in.
    mutating func startAfresh(_ node: Int) throws {
        nodes[node].manager = try make(node, .join(SealedState(nodeKey: keys[node].rawRepresentation)))
        nodes[node].isUp = true
        nodes[node].inputs = [.begin, .workerReady]
        connect(node)
    }

    /// The channel between two nodes closes and opens again.
    mutating func reconnect(_ one: Int, _ other: Int) {
        nodes[one].inputs += [.peerDisconnected(id(other)), .peerConnected(verified(other))]
        nodes[other].inputs += [.peerDisconnected(id(one)), .peerConnected(verified(one))]
    }

    /// Gives a node an input.
    mutating func inject(_ node: Int, _ input: ManagerInput) { nodes[node].inputs.append(input) }

    /// The worker process dies and a new one comes.
    mutating func killWorker(_ node: Int) {
        nodes[node].worker = AdapterHost(kinds: [CounterAdapter.kind])
        nodes[node].inputs += [.workerDied(reason: "test"), .workerReady]
    }

    /// A new worker process comes.
    mutating func startWorker(_ node: Int) {
        nodes[node].worker = AdapterHost(kinds: [CounterAdapter.kind])
        inject(node, .workerReady)
    }

    /// Damages a file of a node's snapshot folder.
    mutating func editSnapshots(_ node: Int, _ change: (inout [String: [UInt8]]) -> Void) throws {
        var files = nodes[node].snapshots.storage.files
        change(&files)
        nodes[node].snapshots = try Self.snapshots(MemoryLedgerStorage(files: files))
    }

    /// Names of a node's committed snapshots.
    func snapshotNames(_ node: Int) -> [SnapshotName] {
        nodes[node].snapshots.storage.files.keys.compactMap { SnapshotName($0) }.sorted()
    }

    /// Removes a node's entries before a seqno, as an operator may.
    mutating func dropEntries(_ node: Int, before seqno: UInt64) {
        nodes[node].entries.removeFirst(Int(seqno - nodes[node].firstSeqno))
        nodes[node].firstSeqno = seqno
    }

    /// A node's disk takes no writes from now on.
    mutating func stopDisk(_ node: Int, _ state: StorageState) {
        nodes[node].waiting = nodes[node].waiting ?? []
        inject(node, .storage(state))
    }

    /// There is room again: what waits is written, in order.
    mutating func freeDisk(_ node: Int) {
        let waiting = nodes[node].waiting ?? []
        nodes[node].waiting = nil
        for effect in waiting { perform(effect, on: node) }
        inject(node, .storage(.good))
    }

    /// The chunk with this entry is damaged: the disk finds out when it is read.
    mutating func loseChunk(_ node: Int, with seqno: UInt64) -> Range<UInt64> {
        let range = chunk(node, with: seqno)
        nodes[node].missing.append(range)
        return range
    }

    /// From the entry after a signature to the next signature.
    private func chunk(_ node: Int, with seqno: UInt64) -> Range<UInt64> {
        let signatures = nodes[node].entries.enumerated().compactMap { index, bytes -> UInt64? in
            guard let entry = try? LedgerEntry(bytes), entry.kind == .signature else { return nil }
            return nodes[node].firstSeqno + UInt64(index)
        }
        let before = signatures.last { $0 < seqno } ?? nodes[node].firstSeqno - 1
        let end = signatures.first { $0 >= seqno } ?? seqno
        return before + 1..<end + 1
    }

    private func damage(_ range: Range<UInt64>) -> ManagerInput {
        .ledgerDamaged(LedgerDamage(seqnos: range, isReplaceable: true, reason: "test"))
    }

    /// Damages what a node has on its disk.
    mutating func edit(_ node: Int, _ change: (inout [[UInt8]]) -> Void) { change(&nodes[node].entries) }

    private mutating func connect(_ node: Int) {
        for peer in nodes.indices where peer != node && nodes[peer].isUp {
            nodes[node].inputs.append(.peerConnected(verified(peer)))
            nodes[peer].inputs.append(.peerConnected(verified(node)))
        }
    }

    private func verified(_ index: Int) -> VerifiedNode {
        VerifiedNode(id: id(index), owner: "bank-\(index)", measurement: "01")
    }

    /// Runs until `condition` holds, a millisecond at a time.
    mutating func run(milliseconds: Int = 20_000, until condition: (ManagerCluster) -> Bool) -> Bool {
        for _ in 0..<milliseconds {
            settle()
            if condition(self) { return true }
            microseconds += 1_000
            for index in nodes.indices where nodes[index].isUp && nodes[index].manager.deadline <= microseconds {
                nodes[index].inputs.append(.tick)
            }
        }
        return false
    }

    /// The monotonic clock of all nodes, in microseconds.
    var now: UInt64 { microseconds }

    /// Workers' answers that are held back.
    var heldReplies: Int { held.count { !$0.isDisk } }

    private mutating func release() {
        let still = held.filter { $0.isDisk ? disksAreSlow : workersAreSlow }
        for each in held where each.isDisk ? !disksAreSlow : !workersAreSlow {
            nodes[each.node].inputs.append(each.input)
        }
        held = still
    }

    private mutating func report(_ input: ManagerInput, to node: Int, isDisk: Bool) {
        if isDisk ? disksAreSlow : workersAreSlow {
            held.append((node, isDisk, input))
        } else {
            nodes[node].inputs.append(input)
        }
    }

    private mutating func settle() {
        while true {
            guard let index = nodes.indices.first(where: { nodes[$0].isUp && !nodes[$0].inputs.isEmpty }) else {
                if !lateLists.isEmpty {
                    for each in lateLists { nodes[each.node].inputs.append(each.input) }
                    lateLists = []
                    continue
                }
                guard !snapshotsAreSlow,
                    let busy = nodes.indices.first(where: { nodes[$0].isUp && nodes[$0].snapshots.isBusy })
                else { return }
                for each in nodes[busy].snapshots.advance() { nodes[busy].inputs.append(.snapshot(each)) }
                continue
            }
            step([nodes[index].inputs.removeFirst()], on: index)
        }
    }

    private mutating func step(_ inputs: [ManagerInput], on index: Int) {
        let clock = ClockReading(monotonic: microseconds, wall: Self.start + microseconds / 1_000)
        for effect in nodes[index].manager.handle(inputs, at: clock) { perform(effect, on: index) }
    }

    private mutating func perform(_ effect: ManagerEffect, on index: Int) {
        switch effect {
        case .append, .truncate, .resetLog, .seal, .restoreChunk:
            if nodes[index].waiting != nil { nodes[index].waiting?.append(effect) } else { write(effect, on: index) }
        default: act(effect, on: index)
        }
    }

    /// What goes to the disk.
    private mutating func write(_ effect: ManagerEffect, on index: Int) {
        switch effect {
        case .append(let entries, let ticket):
            nodes[index].entries += entries.map(\.bytes)
            report(.logPersisted(ticket: ticket), to: index, isDisk: true)
        case .truncate(let seqno, let ticket):
            nodes[index].entries.removeLast(nodes[index].entries.count - Int(seqno + 1 - nodes[index].firstSeqno))
            report(.logPersisted(ticket: ticket), to: index, isDisk: true)
        case .resetLog(let seqno, let ticket):
            nodes[index].entries = []
            nodes[index].firstSeqno = seqno + 1
            report(.logPersisted(ticket: ticket), to: index, isDisk: true)
        case .seal(let bytes, let ticket):
            nodes[index].seal = bytes
            nodes[index].inputs.append(.sealed(ticket: ticket))
        case .restoreChunk(let range, let entries):
            nodes[index].missing.removeAll { $0 == range }
            for (offset, bytes) in entries.enumerated() {
                nodes[index].entries[Int(range.lowerBound - nodes[index].firstSeqno) + offset] = bytes
            }
            nodes[index].inputs.append(.chunkRestored(range))
        default: break
        }
    }

    private mutating func act(_ effect: ManagerEffect, on index: Int) {
        switch effect {
        case .respond(let token, let response): nodes[index].answers[token] = response
        case .send(let peer, let bytes):
            guard let other = nodes.indices.first(where: { id($0) == peer }), nodes[other].isUp,
                !cut.contains([index, other].sorted())
            else { return }
            var bytes = bytes
            if let onMessage, let message = try? NodeMessage(decoding: bytes) {
                guard let changed = onMessage(index, other, message) else { return }
                bytes = changed.encoded()
            }
            nodes[other].inputs.append(.message(bytes, from: id(index)))
        case .worker(let frame):
            nodes[index].workerRequests.append(frame.message)
            let answer = nodes[index].worker.handle(frame.message)
            let reply = tamper.map { $0(frame.message, answer) } ?? answer
            report(.workerReply(WorkerFrame(number: frame.number, reply)), to: index, isDisk: false)
        case .restartWorker:
            nodes[index].worker = AdapterHost(kinds: [CounterAdapter.kind])
            // What the old one would still have said is never heard.
            held.removeAll { $0.node == index && !$0.isDisk }
            nodes[index].inputs.append(.workerReady)
        case .read(let first, let last, _, let purpose):
            var found: [StoredEntry] = []
            let start = nodes[index].firstSeqno
            let end = start + UInt64(nodes[index].entries.count) - 1
            if first >= start, first <= min(last, end) {
                if let range = nodes[index].missing.first(where: { $0.contains(first) }) {
                    nodes[index].inputs.append(damage(range))
                }
                for seqno in first...min(last, end) {
                    if nodes[index].missing.contains(where: { $0.contains(seqno) }) { break }
                    found.append(StoredEntry(seqno: seqno, bytes: nodes[index].entries[Int(seqno - start)]))
                }
            }
            nodes[index].inputs.append(.entries(found, for: purpose))
        case .setAsideChunk(let seqno):
            let range = loseChunk(index, with: seqno)
            nodes[index].inputs.append(damage(range))
        case .surveyLedger:
            let start = nodes[index].firstSeqno
            nodes[index].inputs.append(.ledgerFound(start..<start + UInt64(nodes[index].entries.count)))
        case .snapshot(let job):
            for each in nodes[index].snapshots.perform(job) {
                if listsAreSlow, case .list = job {
                    lateLists.append((index, .snapshot(each)))
                } else {
                    nodes[index].inputs.append(.snapshot(each))
                }
            }
        case .ask(let request):
            asked.append((index, request))
            if let outside { nodes[index].inputs.append(.heard(request.number, outside(request))) }
        case .serve: nodes[index].isServing = true
        case .log(let line): nodes[index].log.append(line)
        case .disconnect(let peer, let reason):
            nodes[index].disconnected.append((peer, reason))
            guard let other = nodes.indices.first(where: { id($0) == peer }) else { return }
            nodes[index].inputs.append(.peerDisconnected(peer))
            nodes[other].inputs.append(.peerDisconnected(id(index)))
        case .checkSessions: nodes[index].sessionChecks += 1
        default: break
        }
    }
}

/// Asks until an answer comes, and gives it.
func ask(
    _ cluster: inout ManagerCluster, _ node: Int, _ body: [UInt8], id: [UInt8]? = nil, actor: String = "bank-0",
    path: String = "/"
) -> String? {
    let token = cluster.ask(node, body, requestID: id, actor: actor, path: path)
    _ = cluster.run { $0.answer(node, token) != nil }
    return cluster.answer(node, token)
}

/// The same with a text.
func ask(
    _ cluster: inout ManagerCluster, _ node: Int, _ text: String, id: [UInt8]? = nil, actor: String = "bank-0"
) -> String? {
    ask(&cluster, node, Array(text.utf8), id: id, actor: actor)
}

/// Numbers from a seed, so that a failure can be repeated. Not secret, as a test's needn't be.
struct SeededBytes: RandomBytes, Sendable {
    var state: UInt64
    mutating func next(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }
}
