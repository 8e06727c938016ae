import Constitution
import Ledger
import Manager
import Primitives
import Testing

/// Disks that take no writes, ledgers that are damaged, workers that die under a leader.
@Suite("Managers whose disk or worker fails")
struct ManagerStorageTests {
    private func ready(_ count: Int) throws -> ManagerCluster {
        var cluster = try ManagerCluster.ready(count)
        // Until all know of one another who could lead.
        _ = cluster.run(milliseconds: 1_500) { _ in false }
        return cluster
    }

    private func get(
        _ cluster: inout ManagerCluster, _ node: Int, _ path: String, _ parameters: [(name: String, value: String)] = []
    ) -> String {
        let token = cluster.ask(
            node, [], listener: .administration, method: "GET", path: path, parameters: parameters)
        _ = cluster.run { $0.answer(node, token) != nil }
        return cluster.answer(node, token) ?? ""
    }

    private func sum(_ number: UInt64) -> String { String(decoding: CounterAdapter.bytes(number), as: UTF8.self) }

    private func says(_ cluster: ManagerCluster, _ node: Int, _ text: String) -> Bool {
        cluster.nodes[node].log.contains { $0.message.contains(text) }
    }

    private func agree(_ cluster: inout ManagerCluster) -> Bool {
        cluster.run { cluster in cluster.nodes.allSatisfy { $0.entries == cluster.nodes[0].entries } }
    }

    /// Without printing them when they don't.
    private func begins(_ cluster: ManagerCluster, _ node: Int, _ entries: [[UInt8]]) -> Bool {
        Array(cluster.nodes[node].entries.prefix(entries.count)) == entries
    }

    // MARK: The disk

    static let states: [StorageState] = [.full("no room"), .failed("fdatasync: Input/output error")]

    @Test("a leader whose disk takes no writes hands over; it goes on reading and refuses writes", arguments: states)
    func leaderHandsOver(state: StorageState) throws {
        var cluster = try ready(3)
        let old = try #require(cluster.leader)
        #expect(ask(&cluster, old, [5]) == "sum 5")
        cluster.stopDisk(old, state)
        let moved = cluster.run(milliseconds: 300) { $0.leader != nil && $0.leader != old }
        #expect(moved, "no other node leads after 300 ms")
        #expect(says(cluster, old, "hands its leadership over"))
        let next = try #require(cluster.leader)
        #expect(ask(&cluster, next, [2]) == "sum 7")
        // What it has committed it goes on answering.
        #expect(ask(&cluster, old, [])?.isEmpty == false)
        let token = cluster.ask(old, [1], requestID: [9])
        _ = cluster.run { $0.answer(old, token) != nil }
        #expect(cluster.nodes[old].answers[token]?.status == 503)
        #expect(cluster.answer(old, token)?.contains("StorageUnavailable") == true)
        #expect(
            get(&cluster, old, "/node/state").contains("\"storage\":\"\(state == Self.states[0] ? "full" : "failed")\"")
        )
        #expect(get(&cluster, old, "/node/metrics").contains("entente_storage_writable 0"))
        if case .full = state {
            cluster.freeDisk(old)
            #expect(ask(&cluster, old, [1], id: [9]) == "sum 8")
            #expect(get(&cluster, old, "/node/state").contains("\"storage\":\"good\""))
        } else {
            // The process ends; the next one reads what was synced.
            cluster.kill(old)
            try cluster.restart(old)
            #expect(ask(&cluster, next, [1], id: [9]) == "sum 8")
        }
        #expect(agree(&cluster))
        #expect(ask(&cluster, old, []) == sum(8))
    }

    @Test("writes on their way when the leader's disk fills up are done once")
    func writesOnTheirWay() throws {
        var cluster = try ready(3)
        let old = try #require(cluster.leader)
        var tokens: [(node: Int, token: RequestToken)] = []
        for number in 0..<12 {
            tokens.append((number % 3, cluster.ask(number % 3, [1], requestID: [UInt8(number)])))
            if number == 5 { cluster.stopDisk(old, .full("no room")) }
            _ = cluster.run(milliseconds: 1) { _ in false }
        }
        let answered = cluster.run(milliseconds: 6_000) { cluster in
            tokens.allSatisfy { cluster.answer($0.node, $0.token) != nil }
        }
        #expect(answered, "somebody waits for more than 6 s")
        cluster.freeDisk(old)
        for number in 0..<12 { _ = ask(&cluster, (number + 1) % 3, [1], id: [UInt8(number)]) }
        #expect(agree(&cluster))
        for node in 0..<3 { #expect(ask(&cluster, node, []) == sum(12)) }
    }

    @Test("a node alone keeps its leadership, refuses writes while its disk is full, and goes on by itself")
    func aloneWithAFullDisk() throws {
        var cluster = try ready(1)
        #expect(ask(&cluster, 0, [5]) == "sum 5")
        cluster.stopDisk(0, .full("no room"))
        _ = cluster.run(milliseconds: 10) { _ in false }
        let token = cluster.ask(0, [1], requestID: [1])
        _ = cluster.run(milliseconds: 5_000) { $0.answer(0, token) != nil }
        #expect(cluster.answer(0, token)?.contains("StorageUnavailable") == true)
        #expect(ask(&cluster, 0, []) == sum(5))
        #expect(cluster.leader == 0)
        cluster.freeDisk(0)
        #expect(ask(&cluster, 0, [1], id: [1]) == "sum 6")
    }

    @Test("an uncommitted write of a node alone is unknown while the disk is full, and done when there is room")
    func unknownWhileFull() throws {
        var cluster = try ready(1)
        cluster.disksAreSlow = true
        let token = cluster.ask(0, [4], requestID: [7])
        _ = cluster.run(milliseconds: 20) { _ in false }
        #expect(cluster.answer(0, token) == nil)
        cluster.stopDisk(0, .full("no room"))
        _ = cluster.run(milliseconds: 5_000) { $0.answer(0, token) != nil }
        #expect(cluster.nodes[0].answers[token]?.status == 504)
        cluster.disksAreSlow = false
        cluster.freeDisk(0)
        #expect(ask(&cluster, 0, [4], id: [7]) == "sum 4")
        #expect(ask(&cluster, 0, []) == sum(4))
    }

    @Test("a follower whose disk is full keeps no more than it may, and catches up")
    func followerWithAFullDisk() throws {
        var cluster = try ready(3)
        let leader = try #require(cluster.leader)
        let follower = (leader + 1) % 3
        cluster.stopDisk(follower, .full("no room"))
        for _ in 0..<20 { #expect(ask(&cluster, leader, [1])?.hasPrefix("sum") == true) }
        #expect(cluster.leader == leader)
        cluster.freeDisk(follower)
        #expect(agree(&cluster))
        #expect(ask(&cluster, follower, []) == sum(20))
    }

    // MARK: The worker

    @Test("a leader whose worker dies hands over at once")
    func workerDiesUnderALeader() throws {
        var cluster = try ready(3)
        let old = try #require(cluster.leader)
        #expect(ask(&cluster, old, [5]) == "sum 5")
        cluster.inject(old, .workerDied(reason: "test"))
        let moved = cluster.run(milliseconds: 100) { $0.leader != nil && $0.leader != old }
        #expect(moved)
        let next = try #require(cluster.leader)
        #expect(ask(&cluster, next, [1]) == "sum 6")
        cluster.startWorker(old)
        _ = cluster.run(milliseconds: 50) { _ in false }
        #expect(ask(&cluster, old, [1]) == "sum 7")
        #expect(cluster.leader == next)
    }

    @Test("a leader without a worker leads on while no other node has one, and when it is alone")
    func nobodyToHandOverTo() throws {
        var cluster = try ready(3)
        let leader = try #require(cluster.leader)
        let others = (0..<3).filter { $0 != leader }
        for node in others { cluster.inject(node, .workerDied(reason: "test")) }
        _ = cluster.run(milliseconds: 200) { _ in false }
        cluster.inject(leader, .workerDied(reason: "test"))
        _ = cluster.run(milliseconds: 1_000) { _ in false }
        #expect(cluster.leader == leader)
        // The first that has a worker again takes over.
        cluster.startWorker(others[1])
        let moved = cluster.run(milliseconds: 500) { $0.leader == others[1] }
        #expect(moved)
        #expect(ask(&cluster, others[1], [3]) == "sum 3")

        var alone = try ready(1)
        alone.inject(0, .workerDied(reason: "test"))
        _ = alone.run(milliseconds: 1_000) { _ in false }
        #expect(alone.leader == 0)
        #expect(!says(alone, 0, "hands its leadership over"))
        alone.startWorker(0)
        _ = alone.run(milliseconds: 50) { _ in false }
        #expect(ask(&alone, 0, [3]) == "sum 3")
    }

    // MARK: Damage

    @Test("a damaged chunk is fetched from another node: found at a start, or when a worker needs it")
    func damagedChunk() throws {
        var cluster = try ready(3)
        for _ in 0..<6 { _ = ask(&cluster, 0, [1]) }
        #expect(agree(&cluster))
        let leader = try #require(cluster.leader)
        let node = (leader + 1) % 3
        let whole = cluster.nodes[node].entries

        // At a start.
        cluster.kill(node)
        let lost = cluster.loseChunk(node, with: 9)
        cluster.edit(node) { entries in for seqno in lost { entries[Int(seqno) - 1] = [0] } }
        try cluster.restart(node)
        let back = cluster.run(milliseconds: 10_000) { $0.nodes[node].missing.isEmpty }
        #expect(back)
        #expect(begins(cluster, node, whole))
        #expect(ask(&cluster, node, []) == sum(6))

        // While it runs, when somebody asks for it.
        let again = cluster.loseChunk(node, with: 12)
        cluster.edit(node) { entries in for seqno in again { entries[Int(seqno) - 1] = [0] } }
        _ = get(&cluster, node, "/node/ledger/entries", [("first", "12"), ("last", "12")])
        let mended = cluster.run(milliseconds: 10_000) { $0.nodes[node].missing.isEmpty }
        #expect(mended)
        #expect(begins(cluster, node, whole))
        #expect(ask(&cluster, node, [2]) == "sum 8")
        #expect(get(&cluster, node, "/node/metrics").contains("entente_ledger_repairs_total 2"))
    }

    @Test("entries that are read twice at a start are taken once, before and after the last of them")
    func readTwice() throws {
        var cluster = try ready(3)
        for _ in 0..<6 { _ = ask(&cluster, 0, [1]) }
        #expect(agree(&cluster))
        let node = (try #require(cluster.leader) + 1) % 3
        let stored = cluster.nodes[node].entries.enumerated().map { StoredEntry(seqno: UInt64($0) + 1, bytes: $1) }
        cluster.kill(node)
        try cluster.restart(node)
        cluster.inject(node, .entries(Array(stored.prefix(9)), for: .recovery))
        cluster.inject(node, .entries(stored, for: .recovery))
        cluster.inject(node, .entries([], for: .recovery))
        cluster.inject(node, .entries(stored, for: .recovery))
        let back = cluster.run { $0.nodes[node].isServing && $0.nodes[node].manager.answersReads }
        #expect(back)
        #expect(ask(&cluster, node, [2]) == "sum 8")
        #expect(cluster.nodes[node].missing.isEmpty && !says(cluster, node, "is damaged"))
        #expect(says(cluster, node, "the ledger was read"))
    }

    @Test("an entry that was altered with its checksum mended is found out and fetched")
    func alteredEntry() throws {
        var cluster = try ready(3)
        for _ in 0..<4 { _ = ask(&cluster, 0, [1]) }
        #expect(agree(&cluster))
        let leader = try #require(cluster.leader)
        let node = (leader + 1) % 3
        let whole = cluster.nodes[node].entries
        let place = try #require(
            whole.indices.dropFirst(6).first { (try? LedgerEntry(whole[$0]))?.kind != .signature })
        cluster.kill(node)
        try alter(&cluster, node, place)
        try cluster.restart(node)
        let mended = cluster.run(milliseconds: 10_000) { cluster in
            cluster.nodes[node].entries.prefix(whole.count) == whole[...]
        }
        #expect(mended)
        #expect(ask(&cluster, node, [1]) == "sum 5")
    }

    private func alter(_ cluster: inout ManagerCluster, _ node: Int, _ place: Int) throws {
        var bytes = cluster.nodes[node].entries[place]
        bytes[bytes.count - 1] ^= 1
        let altered = try LedgerEntry(retagging: bytes).bytes
        cluster.edit(node) { $0[place] = altered }
    }

    @Test("what a peer gives is verified: forged entries never take the place of damaged ones")
    func forgedRepair() throws {
        var cluster = try ready(3)
        for _ in 0..<4 { _ = ask(&cluster, 0, [1]) }
        #expect(agree(&cluster))
        let leader = try #require(cluster.leader)
        let node = (leader + 1) % 3
        let whole = cluster.nodes[node].entries
        cluster.kill(node)
        let lost = cluster.loseChunk(node, with: 8)
        cluster.edit(node) { entries in for seqno in lost { entries[Int(seqno) - 1] = [0] } }
        cluster.onMessage = { _, _, message in
            guard case .entriesPart(let first, var entries, let isEnd) = message, !entries.isEmpty else {
                return message
            }
            var bytes = entries[0]
            bytes[bytes.count - 1] ^= 1
            entries[0] = (try? LedgerEntry(retagging: bytes).bytes) ?? bytes
            return .entriesPart(first: first, entries, isEnd: isEnd)
        }
        try cluster.restart(node)
        let wrong = cluster.run(milliseconds: 12_000) { $0.nodes[node].missing.isEmpty }
        #expect(!wrong)
        #expect(says(cluster, node, "entries of a peer can't replace the damaged ones"))
        cluster.onMessage = nil
        let mended = cluster.run(milliseconds: 12_000) { $0.nodes[node].missing.isEmpty }
        #expect(mended)
        #expect(begins(cluster, node, whole))
    }

    @Test("the end of the ledger that was cut off as damaged comes back, as far as it is committed")
    func damagedTail() throws {
        var cluster = try ready(3)
        for _ in 0..<5 { _ = ask(&cluster, 0, [1]) }
        #expect(agree(&cluster))
        let leader = try #require(cluster.leader)
        let node = (leader + 1) % 3
        let whole = cluster.nodes[node].entries
        cluster.kill(node)
        cluster.edit(node) { $0.removeLast(5) }
        try cluster.restart(node)
        let cut = UInt64(whole.count - 5) + 1..<UInt64.max
        cluster.inject(node, .ledgerDamaged(LedgerDamage(seqnos: cut, isReplaceable: true, reason: "test")))
        _ = cluster.run(milliseconds: 10_000) { $0.nodes[node].entries.count >= whole.count }
        #expect(begins(cluster, node, whole))
        #expect(ask(&cluster, node, [1]) == "sum 6")
    }

    @Test("the ledger of another network is refused, with a word on what to do")
    func anotherNetwork() throws {
        var cluster = try ready(3)
        var other = try ManagerCluster(1, name: "other", seed: 1_000)
        _ = other.run { $0.leader != nil }
        for _ in 0..<6 {
            _ = ask(&cluster, 0, [1])
            _ = ask(&other, 0, [1])
        }
        let node = try (#require(cluster.leader) + 1) % 3
        cluster.kill(node)
        let foreign = other.nodes[0].entries
        cluster.edit(node) { $0 = foreign }
        try cluster.restart(node)
        _ = cluster.run(milliseconds: 3_000) { cluster in
            if case .stopped = cluster.nodes[node].manager.phase { true } else { false }
        }
        guard case .stopped(let reason) = cluster.nodes[node].manager.phase else {
            Issue.record("the node takes the ledger of another network")
            return
        }
        #expect(reason.contains("of another network") && reason.contains("entente ledger repair"))
    }
}
