import AdapterKit
import Constitution
import Ledger
import Manager
import Primitives
import Store
import Testing

@Suite("Managers")
struct ManagerTests {
    @Test("one node founds a network and commits alone")
    func single() throws {
        var cluster = try ManagerCluster.ready(1)
        #expect(ask(&cluster, 0, [5]) == "sum 5")
        #expect(ask(&cluster, 0, [0]) == "invalid zero")
        #expect(ask(&cluster, 0, []) == String(decoding: CounterAdapter.bytes(5), as: UTF8.self))
    }

    @Test("a network grows to three; writes anywhere are seen everywhere")
    func growsAndForwards() throws {
        var cluster = try ManagerCluster.ready(3)
        for node in 0..<3 { #expect(ask(&cluster, node, [1])?.hasPrefix("sum") == true) }
        let agree = cluster.run { cluster in Set(cluster.nodes.map(\.entries.count)).count == 1 }
        #expect(agree)
        #expect(cluster.nodes[0].entries == cluster.nodes[1].entries)
        #expect(cluster.nodes[0].entries == cluster.nodes[2].entries)
        for node in 0..<3 {
            #expect(ask(&cluster, node, []) == String(decoding: CounterAdapter.bytes(3), as: UTF8.self))
        }
    }

    @Test("a request id makes a write happen once, whichever node gets it again")
    func requestIDs() throws {
        var cluster = try ManagerCluster.ready(3)
        #expect(ask(&cluster, 1, [7], id: [1, 2, 3]) == "sum 7")
        #expect(ask(&cluster, 2, [7], id: [1, 2, 3]) == "sum 7")
        #expect(ask(&cluster, 0, [7], id: [9]) == "sum 14")
    }

    @Test("a repetition while the first is on its way is the same write")
    func repeatsInFlight() throws {
        var cluster = try ManagerCluster.ready(3)
        let first = cluster.ask(1, [7], requestID: [4])
        let second = cluster.ask(2, [7], requestID: [4])
        _ = cluster.run { $0.answer(1, first) != nil && $0.answer(2, second) != nil }
        #expect(cluster.answer(1, first) == "sum 7")
        #expect(cluster.answer(2, second) == "sum 7")
    }

    @Test("the leader dies in the middle: each write counts once")
    func leaderDies() throws {
        var cluster = try ManagerCluster.ready(3)
        let leader = try #require(cluster.leader)
        let others = (0..<3).filter { $0 != leader }
        var tokens: [(node: Int, token: RequestToken)] = []
        for number in 0..<20 {
            let node = others[number % 2]
            tokens.append((node, cluster.ask(node, [1], requestID: [UInt8(number)])))
        }
        _ = cluster.run(milliseconds: 2) { _ in false }
        cluster.kill(leader)
        let answered = cluster.run { cluster in tokens.allSatisfy { cluster.answer($0.node, $0.token) != nil } }
        #expect(answered)
        for each in tokens { #expect(cluster.answer(each.node, each.token)?.hasPrefix("sum") == true) }
        #expect(ask(&cluster, others[0], []) == String(decoding: CounterAdapter.bytes(20), as: UTF8.self))
        try cluster.restart(leader)
        let back = cluster.run { $0.nodes[leader].entries.count >= $0.nodes[others[0]].entries.count }
        #expect(back)
        #expect(ask(&cluster, leader, [2])?.hasPrefix("sum 22") == true)
    }

    @Test("all nodes stop and start: everything committed is there")
    func fullRestart() throws {
        var cluster = try ManagerCluster.ready(3)
        #expect(ask(&cluster, 0, [3]) == "sum 3")
        for node in 0..<3 { cluster.kill(node) }
        for node in 0..<3 { try cluster.restart(node) }
        let isLed = cluster.run { $0.leader != nil }
        #expect(isLed)
        let node = try #require(cluster.leader)
        #expect(ask(&cluster, node, [4]) == "sum 7")
    }

    @Test("a node whose disk lost what it acknowledged refuses")
    func rolledBack() throws {
        var cluster = try ManagerCluster.ready(3)
        let leader = try #require(cluster.leader)
        let victim = (0..<3).first { $0 != leader } ?? 0
        for _ in 0..<3 { _ = ask(&cluster, leader, [1]) }
        cluster.kill(victim)
        cluster.edit(victim) { $0.removeLast(4) }
        try cluster.restart(victim)
        let refused = cluster.run(milliseconds: 5_000) { cluster in
            if case .stopped = cluster.nodes[victim].manager.phase { true } else { false }
        }
        #expect(refused)
        #expect(ask(&cluster, leader, [1]) == "sum 4")
    }

    @Test("a node whose ledger was altered refuses to start")
    func alteredLedger() throws {
        var cluster = try ManagerCluster.ready(1)
        #expect(ask(&cluster, 0, [3]) == "sum 3")
        cluster.kill(0)
        cluster.edit(0) { $0[2][60] ^= 1 }
        try cluster.restart(0)
        let refused = cluster.run(milliseconds: 1_000) { cluster in
            if case .stopped = cluster.nodes[0].manager.phase { true } else { false }
        }
        #expect(refused)
    }

    @Test("a worker dies: it is rebuilt from the ledger")
    func workerDies() throws {
        var cluster = try ManagerCluster.ready(3)
        #expect(ask(&cluster, 0, [3]) == "sum 3")
        for node in 0..<3 {
            cluster.killWorker(node)
            _ = cluster.run(milliseconds: 50) { _ in false }
            #expect(ask(&cluster, node, []) == String(decoding: CounterAdapter.bytes(3), as: UTF8.self))
        }
        #expect(ask(&cluster, 1, [2]) == "sum 5")
    }

    /// Lies of a worker: what it says in place of the truth.
    static let lies: [(name: String, tell: @Sendable (WorkerRequest, WorkerReply) -> WorkerReply)] = [
        ("an answer of the wrong kind", { _, _ in .opened(versions: ["x"]) }),
        ("more outcomes than submissions", { _, reply in batch(reply) { $0.outcomes.append(.executed(index: 0)) } }),
        ("an outcome that points nowhere", { _, reply in batch(reply) { $0.outcomes = [.executed(index: 7)] } }),
        (
            "writes to the manager's maps",
            { _, reply in
                batch(reply) { result in
                    let writes = MapWrites(name: "entente.requests", writes: [.init(key: [1], value: [1])])
                    result.compartments = [.init(readers: .network, writes: WriteSet([writes]))]
                }
            }
        ),
        (
            "writes in public of what is private",
            { _, reply in
                batch(reply) { result in
                    for index in result.compartments.indices { result.compartments[index].readers = .public }
                }
            }
        ),
        ("a failure without a reason", { _, _ in .failed("") }),
    ]

    private static func batch(_ reply: WorkerReply, _ change: (inout BatchResult) -> Void) -> WorkerReply {
        guard case .executed(var result) = reply else { return reply }
        change(&result)
        return .executed(result)
    }

    @Test(
        "a worker that lies is replaced; nothing of it comes to the ledger, and the node goes on",
        arguments: lies.indices)
    func workerLies(lie: Int) throws {
        var cluster = try ManagerCluster.ready(3)
        let leader = try #require(cluster.leader)
        #expect(ask(&cluster, leader, [3]) == "sum 3")
        let entries = cluster.nodes[leader].entries.count
        var left = 1
        cluster.tamper = { request, reply in
            guard case .execute = request, left > 0 else { return reply }
            left -= 1
            return Self.lies[lie].tell(request, reply)
        }
        let token = cluster.ask(leader, [5])
        _ = cluster.run { $0.answer(leader, token) != nil }
        cluster.tamper = nil
        #expect(left == 0)
        #expect(cluster.nodes[leader].log.contains { $0.message.contains("the worker is gone") })
        // The write was refused, or done by the next worker: once, or not at all.
        let answer = try #require(cluster.answer(leader, token))
        let wasDone = answer == "sum 8"
        _ = cluster.run(milliseconds: 500) { _ in false }
        if !wasDone, answer.contains("unknown") == false { #expect(cluster.nodes[leader].entries.count == entries) }
        let sum = ask(&cluster, leader, [2])
        #expect(sum == (wasDone ? "sum 10" : "sum 5") || (sum == "sum 10" && !answer.contains("-32603")))
    }

    @Test("a new leader within two election timeouts after the old one is gone", arguments: 1...6)
    func newLeader(writes: Int) throws {
        var cluster = try ManagerCluster.ready(3)
        let old = try #require(cluster.leader)
        // Other numbers of writes shift the randomness that timeouts are drawn from.
        for _ in 0..<writes { _ = ask(&cluster, old, [1]) }
        cluster.kill(old)
        let timeout = Int(cluster.constitution.electionTimeoutMilliseconds)
        // A wait is drawn from one to two of them; a second one is for votes that split.
        let isLed = cluster.run(milliseconds: 2 * 2 * timeout) { $0.leader != nil && $0.leader != old }
        #expect(isLed)
    }

    @Test("a worker that hangs is ended and rebuilt; one that is slow is left alone")
    func workerHangs() throws {
        var cluster = try ManagerCluster.ready(1)
        let isRestarted = { (cluster: ManagerCluster) in
            cluster.nodes[0].log.contains { $0.message.contains("the worker is gone") }
        }
        cluster.workersAreSlow = true
        let slow = cluster.ask(0, [2])
        let tooEarly = cluster.run(milliseconds: 8_000, until: isRestarted)
        #expect(!tooEarly)
        cluster.workersAreSlow = false
        _ = cluster.run { $0.answer(0, slow) != nil }
        #expect(cluster.answer(0, slow) == "sum 2")
        // Idle, it owes nothing.
        let whileIdle = cluster.run(milliseconds: 20_000, until: isRestarted)
        #expect(!whileIdle)
        cluster.workersAreSlow = true
        let hung = cluster.ask(0, [3], requestID: [5])
        let inTime = cluster.run(milliseconds: 12_000, until: isRestarted)
        #expect(inTime)
        cluster.workersAreSlow = false
        let answered = cluster.run { $0.answer(0, hung) != nil }
        #expect(answered)
        _ = cluster.run(milliseconds: 1_000) { _ in false }
        // Its outcome was unknown; the same request tells.
        let again = cluster.ask(0, [3], requestID: [5])
        _ = cluster.run { $0.answer(0, again) != nil }
        #expect(cluster.answer(0, again) == "sum 5")
    }

    @Test("a leader cut off from the others steps down; what it took is decided by the network")
    func leaderCutOff() throws {
        var cluster = try ManagerCluster.ready(3)
        let leader = try #require(cluster.leader)
        let others = (0..<3).filter { $0 != leader }
        cluster.cut = Set(others.map { [leader, $0].sorted() })
        let token = cluster.ask(leader, [9], requestID: [77])
        let moved = cluster.run { cluster in others.contains { cluster.nodes[$0].manager.isLeading } }
        #expect(moved)
        #expect(ask(&cluster, others[0], [1])?.hasPrefix("sum 1") == true)
        cluster.cut = []
        _ = cluster.run { $0.answer(leader, token) != nil }
        #expect(cluster.answer(leader, token) == "sum 10")
    }

    @Test("a signature that falls due while a batch executes does not take the batch's place")
    func signatureWhileExecuting() throws {
        var cluster = try ManagerCluster.ready(1)
        // The disk is slow: the first batch and its signature stay uncommitted, so that what follows waits its 5 ms.
        cluster.disksAreSlow = true
        var tokens = [cluster.ask(0, [1])]
        _ = cluster.run(milliseconds: 1) { _ in false }
        tokens.append(cluster.ask(0, [1]))
        _ = cluster.run(milliseconds: 3) { _ in false }
        // The second batch executes slowly. When it is done, the third waits as long for its batch as the second's entry
        // for a signature: the batch is cut first, and takes its time.
        cluster.workersAreSlow = true
        _ = cluster.run(milliseconds: 5) { _ in false }
        tokens.append(cluster.ask(0, [1]))
        _ = cluster.run(milliseconds: 1) { _ in false }
        cluster.workersAreSlow = false
        _ = cluster.run(milliseconds: 1) { _ in false }
        cluster.workersAreSlow = true
        _ = cluster.run(milliseconds: 20) { _ in false }
        #expect(cluster.heldReplies == 1)
        cluster.workersAreSlow = false
        cluster.disksAreSlow = false
        _ = cluster.run { cluster in tokens.allSatisfy { cluster.answer(0, $0) != nil } }
        #expect(tokens.map { cluster.answer(0, $0) } == ["sum 1", "sum 2", "sum 3"])
        #expect(!cluster.nodes[0].log.contains { $0.level == .warning || $0.level == .error })
    }

    @Test("a request that ran out of time before its batch was done does not stand in the way of its repetition")
    func repeatsAfterExpiry() throws {
        var cluster = try ManagerCluster.ready(1, workerSilence: 60_000_000)
        // The first batch stays uncommitted, so the second request waits for its batch, which then executes slowly.
        cluster.disksAreSlow = true
        let first = cluster.ask(0, [1])
        _ = cluster.run(milliseconds: 1) { _ in false }
        let late = cluster.ask(0, [0], requestID: [5])
        _ = cluster.run(milliseconds: 2) { _ in false }
        cluster.workersAreSlow = true
        _ = cluster.run(milliseconds: 31_000) { _ in false }
        cluster.workersAreSlow = false
        cluster.disksAreSlow = false
        _ = cluster.run { $0.answer(0, first) != nil && $0.answer(0, late) != nil }
        #expect(cluster.answer(0, late) == "unknown")
        #expect(ask(&cluster, 0, [3], id: [5]) == "sum 4")
    }

    @Test("what comes together becomes one batch")
    func together() throws {
        var cluster = try ManagerCluster.ready(1)
        let before = cluster.nodes[0].entries.count
        let tokens = cluster.askTogether(0, [[1], [2], [3]])
        _ = cluster.run { cluster in tokens.allSatisfy { cluster.answer(0, $0) != nil } }
        #expect(tokens.map { cluster.answer(0, $0) } == ["sum 1", "sum 3", "sum 6"])
        // The batch and its signature.
        #expect(cluster.nodes[0].entries.count == before + 2)
    }

    @Test("metrics tell the processor time of each stage, with and without a worker")
    func metrics() throws {
        var cluster = try ManagerCluster.ready(1)
        for _ in 0..<2 {
            let token = cluster.ask(0, [], listener: .administration, method: "GET", path: "/node/metrics")
            _ = cluster.run { $0.answer(0, token) != nil }
            let text = try #require(cluster.answer(0, token))
            for stage in ["decode", "recover", "execute", "state root", "seal", "replicate", "apply", "transport"] {
                #expect(text.contains("entente_stage_cpu_nanoseconds_total{stage=\"\(stage)\"} 0\n"))
            }
            cluster.workersAreSlow = true
            cluster.killWorker(0)
            _ = cluster.run(milliseconds: 1) { _ in false }
        }
    }

    @Test("receipts verify, for an entry and for one transaction of a batch")
    func receipts() throws {
        var cluster = try ManagerCluster.ready(3)
        let token = cluster.ask(0, [1, 2, 3])
        _ = cluster.run { $0.answer(0, token) != nil }
        let id = try #require(cluster.nodes[0].answers[token]?.reflects)
        for (text, hasBatch) in [("\(id)", false), ("\(id).1", true)] {
            let receiptToken = cluster.ask(
                0, [], method: "GET", path: "/app/receipt", parameters: [("transaction_id", text)])
            _ = cluster.run { $0.answer(0, receiptToken) != nil }
            let body = try #require(cluster.nodes[0].answers[receiptToken]?.body)
            guard let receipt = try? Receipt(json: body) else {
                // The commit that the answer reflects may be the signature after the batch.
                continue
            }
            #expect((receipt.batch != nil) == hasBatch)
        }
    }

    @Test("malformed node messages are refused, at every length")
    func malformedMessages() throws {
        let name = SnapshotName(seqno: 7, evidence: 9)
        let messages: [NodeMessage] = [
            .forward(number: 1, endpoint: "counter", [Submission(requestID: [1], actor: "bank-0", body: [2])]),
            .decided(number: 1, [.unknown, .committed(id: TransactionID(view: 2, seqno: 3), index: 0, response: [4])]),
            .declined(number: 1, .busy),
            .join(
                JoinRequest(address: "127.0.0.1:9000", publicKey: [1, 2, 3], constitution: "ab")),
            .govern(
                number: 4,
                GovernanceCall(
                    kind: "ballot", proposalID: "ab", member: "bank-1", message: [1, 2], session: [[3], [4, 5]])),
            .governed(
                number: 4,
                GovernanceAnswer(status: 200, body: [6], id: TransactionID(view: 2, seqno: 7))),
            .governed(number: 5, GovernanceAnswer(status: 400, body: [])), .constitutionWanted(known: "cd"),
            .constitution([7, 8]),
            .welcome(
                JoinGrant(
                    networkKey: [1], networkCertificate: "a", nodeCertificate: "b",
                    epochKeys: [EpochKey(epoch: 1, key: [2])])), .refused(reason: "no", primary: "127.0.0.1:9000"),
            .snapshotOffer(SnapshotListing(name: name, byteCount: 100)),
            .snapshotPull(name, offset: 1, byteCount: 2), .snapshotPart(name, offset: 3, [4, 5]), .snapshotGone(name),
            .snapshotRefused(name), .fitness(true), .fitness(false), .entriesPull(first: 3, last: .max),
            .entriesPart(first: 3, [[1, 2], [3]], isEnd: false), .entriesPart(first: 9, [], isEnd: true),
        ]
        var random = SeededBytes(state: 7)
        for message in messages.map({ $0.encoded() }) {
            #expect(try NodeMessage(decoding: message).encoded() == message)
            for length in 0..<message.count {
                #expect(throws: ByteReaderError.self) { try NodeMessage(decoding: Array(message[..<length])) }
            }
            #expect(throws: ByteReaderError.self) { try NodeMessage(decoding: message + [0]) }
            for _ in 0..<5_000 {
                var bytes = message
                bytes[Int(random.next(1)[0]) % bytes.count] = random.next(1)[0]
                _ = try? NodeMessage(decoding: bytes)
                _ = try? NodeMessage(decoding: [1] + random.next(Int(random.next(1)[0])))
            }
        }
        // A name that no ledger can have, and a part over the limit.
        for wrong in [SnapshotName(seqno: 0, evidence: 1), SnapshotName(seqno: 2, evidence: 2)] {
            let bytes = NodeMessage.snapshotGone(wrong).encoded()
            #expect(throws: ByteReaderError.self) { try NodeMessage(decoding: bytes) }
        }
        let large = [UInt8](repeating: 0, count: NodeMessage.snapshotPartBytesMax + 1)
        let bytes = NodeMessage.snapshotPart(name, offset: 0, large).encoded()
        #expect(throws: ByteReaderError.self) { try NodeMessage(decoding: bytes) }
    }
}
