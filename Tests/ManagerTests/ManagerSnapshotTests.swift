import AdapterKit
import Identity
import Ledger
import Manager
import Primitives
import Store
import Testing

@Suite("Snapshots of managers")
struct ManagerSnapshotTests {
    /// A network whose nodes all take part, with a snapshot every 10 entries.
    private func ready(_ count: Int, without absent: Int? = nil, others: [String] = []) throws -> ManagerCluster {
        var cluster = try ManagerCluster(count, snapshotInterval: 10, others: others)
        if let absent { cluster.kill(absent) }
        let isReady = cluster.run { cluster in
            cluster.leader != nil
                && cluster.nodes.indices.allSatisfy {
                    $0 == absent || cluster.nodes[$0].isServing && cluster.nodes[$0].manager.isMember
                }
        }
        try #require(isReady, "the nodes don't find together")
        return cluster
    }

    private func text(_ sum: UInt64) -> String { String(decoding: CounterAdapter.bytes(sum), as: UTF8.self) }

    /// Adds one to 7 in turn, and gives the sum.
    @discardableResult
    private func work(_ cluster: inout ManagerCluster, _ node: Int, _ count: Int) throws -> UInt64 {
        var sum: UInt64 = 0
        for index in 0..<count {
            let said = try #require(ask(&cluster, node, [UInt8(index % 7 + 1)]))
            try #require(said.hasPrefix("sum "), "\(said)")
            sum = UInt64(said.dropFirst(4)) ?? 0
        }
        return sum
    }

    /// Lets what is on its way come to rest.
    private func settle(_ cluster: inout ManagerCluster) { _ = cluster.run(milliseconds: 300) { _ in false } }

    private func service(_ cluster: ManagerCluster, _ node: Int) throws -> X509Certificate {
        try X509Certificate(pem: SealedState(decoding: #require(cluster.nodes[node].seal)).networkCertificate)
    }

    private func files(_ cluster: ManagerCluster, _ node: Int) -> [String: [UInt8]] {
        cluster.nodes[node].snapshots.storage.files.filter { SnapshotName($0.key) != nil }
    }

    private func says(_ cluster: ManagerCluster, _ node: Int, _ message: String) -> Bool {
        cluster.nodes[node].log.contains { $0.message == message }
    }

    private func problems(_ cluster: ManagerCluster) -> [LogLine] {
        cluster.nodes.flatMap(\.log).filter { $0.level == .error }
    }

    @Test("every node makes the same files, which the network's certificate vouches for")
    func everyNodeMakesTheSame() throws {
        var cluster = try ready(3)
        try work(&cluster, 0, 60)
        settle(&cluster)
        let names = cluster.snapshotNames(0)
        #expect(names.count == 2)
        for node in 0..<3 {
            #expect(files(cluster, node) == files(cluster, 0), "node \(node)")
            // Nothing is left of the making but the runs of changes since.
            #expect(cluster.nodes[node].snapshots.storage.files.keys.allSatisfy { !$0.hasPrefix("made_") })
        }
        let certificate = try service(cluster, 0)
        for (name, bytes) in files(cluster, 0) {
            let snapshot = try SnapshotFile(bytes)
            try snapshot.verify(service: certificate, evidence: SnapshotName(name)?.evidence)
            let evidence = try LedgerEntry(cluster.nodes[0].entries[Int(SnapshotName(name)?.evidence ?? 0) - 1])
            #expect(evidence.claimsDigest == snapshot.digest)
            let point = try LedgerEntry(cluster.nodes[0].entries[Int(snapshot.id.seqno) - 1])
            #expect(point.kind == .signature && point.flags == .chunkAfter && point.leaf == snapshot.leaf)
            #expect(throws: LedgerError.self) { try snapshot.verify(service: certificate, evidence: 1) }
        }
        #expect(problems(cluster).isEmpty)
    }

    @Test("a restart begins at the newest snapshot, and goes on to make the same ones as the others")
    func restartsFromSnapshot() throws {
        var cluster = try ready(3)
        let sum = try work(&cluster, 0, 40)
        settle(&cluster)
        let node = try #require((0..<3).first { $0 != cluster.leader })
        let snapshot = try #require(cluster.snapshotNames(node).last)
        cluster.kill(node)
        try cluster.restart(node)
        let isBack = cluster.run { $0.nodes[node].isServing && $0.nodes[node].manager.isMember }
        #expect(isBack)
        #expect(ask(&cluster, node, []) == text(sum))
        #expect(says(cluster, node, "starting from a snapshot"))
        #expect(says(cluster, node, "the worker was restored from a snapshot"))
        for case .apply(_, let id, _) in cluster.nodes[node].workerRequests { #expect(id.seqno > snapshot.seqno) }
        #expect(ask(&cluster, node, [3]) == "sum \(sum + 3)")
        try work(&cluster, node, 60)
        settle(&cluster)
        #expect(files(cluster, node) == files(cluster, (node + 1) % 3))
        #expect(try #require(cluster.snapshotNames(node).first) > snapshot)
        #expect(problems(cluster).isEmpty)
    }

    @Test("all nodes stop and start from their snapshots, the leader too")
    func fullRestart() throws {
        var cluster = try ready(3)
        let sum = try work(&cluster, 0, 50)
        settle(&cluster)
        for round in 1...4 {
            // The ledger and the snapshots tell of themselves in any order.
            cluster.listsAreSlow = round % 2 == 0
            for node in 0..<3 { cluster.kill(node) }
            for node in 0..<3 { try cluster.restart(node) }
            let isLed = cluster.run { cluster in
                cluster.leader != nil && cluster.nodes.allSatisfy { $0.isServing && $0.manager.phase == .active }
            }
            #expect(isLed)
            let node = try #require(cluster.leader)
            #expect(ask(&cluster, node, [1]) == "sum \(sum + UInt64(round))")
            for node in 0..<3 {
                // Each time anew: the log keeps what earlier rounds said.
                let starts = cluster.nodes[node].log.count { $0.message == "starting from a snapshot" }
                #expect(starts == round, "node \(node)")
            }
        }
        #expect(problems(cluster).isEmpty)
    }

    @Test("a damaged snapshot is refused: the older one or the ledger is used", arguments: 0..<4)
    func damagedSnapshots(seed: UInt64) throws {
        var cluster = try ready(1)
        let sum = try work(&cluster, 0, 45)
        settle(&cluster)
        let names = cluster.snapshotNames(0).map(\.fileName)
        try #require(names.count == 2)
        let good = cluster.nodes[0].snapshots.storage.files
        let (oldest, newest) = (try #require(good[names[0]]), try #require(good[names[1]]))
        var foreign = try ManagerCluster(1, snapshotInterval: 10, name: "elsewhere")
        _ = foreign.run { $0.nodes[0].isServing }
        try work(&foreign, 0, 45)
        settle(&foreign)
        let other = try #require(foreign.nodes[0].snapshots.storage.files[names[1]])
        let receipt = try SnapshotFile(oldest).receipt
        let entryEnd = newest.count - (try SnapshotFile(newest).receipt.count)

        var damages: [(String, [UInt8])] = [
            ("empty", []), ("cut in the header", Array(newest[..<40])),
            ("cut in the middle", Array(newest[..<(newest.count / 2)])),
            ("without the receipt", Array(newest[..<entryEnd])), ("cut in the receipt", Array(newest.dropLast(7))),
            ("another network's", other), ("the older one", oldest),
            ("another receipt", Array(newest[..<entryEnd]) + receipt), ("something behind", newest + [0]),
        ]
        var random = SeededBytes(state: seed + 1)
        for _ in 0..<25 {
            var bytes = newest
            let place = Int(random.next(2).reduce(0) { $0 << 8 | Int($1) }) % bytes.count
            bytes[place] ^= 1 << (random.next(1)[0] & 7)
            damages.append(("bit of byte \(place) of \(bytes.count)", bytes))
        }
        for (what, bytes) in seed == 0 ? damages : Array(damages.dropFirst(9)) {
            for damagesBoth in [false, true] where !damagesBoth || seed == 0 {
                cluster.kill(0)
                try cluster.editSnapshots(0) { files in
                    files = good
                    files[names[1]] = bytes
                    if damagesBoth { files[names[0]]?[100] ^= 1 }
                }
                try cluster.restart(0)
                let isBack = cluster.run { $0.nodes[0].isServing && $0.nodes[0].manager.phase == .active }
                try #require(isBack, "\(what)")
                #expect(ask(&cluster, 0, []) == text(sum), "\(what)")
                let refused = cluster.nodes[0].log.filter { $0.message == "a snapshot of this node can't be used" }
                #expect(!refused.isEmpty, "\(what)")
                #expect(cluster.nodes[0].snapshots.storage.files.keys.contains { $0.hasSuffix(".ignored") }, "\(what)")
            }
        }
    }

    @Test("without a usable snapshot a ledger that begins later is refused")
    func noWayToStart() throws {
        var cluster = try ready(1)
        let sum = try work(&cluster, 0, 45)
        settle(&cluster)
        let (oldest, newest) = (cluster.snapshotNames(0)[0], cluster.snapshotNames(0)[1])
        cluster.kill(0)
        // From the newest alone it starts, from the older one alone not any more.
        cluster.dropEntries(0, before: newest.seqno + 1)
        try cluster.restart(0)
        let isBack = cluster.run { $0.nodes[0].isServing && $0.nodes[0].manager.phase == .active }
        #expect(isBack)
        #expect(ask(&cluster, 0, []) == text(sum))
        cluster.kill(0)
        try cluster.editSnapshots(0) { $0[newest.fileName]?[300] ^= 4 }
        try cluster.restart(0)
        let refused = cluster.run(milliseconds: 1_000) { cluster in
            if case .stopped(let reason) = cluster.nodes[0].manager.phase {
                reason.contains("no snapshot before it")
            } else {
                false
            }
        }
        #expect(refused)
        #expect(cluster.nodes[0].log.contains { $0.fields.contains { $0.value == "\(oldest)" } })
    }

    @Test("a snapshot whose evidence is not what the own ledger says is refused")
    func evidenceOfAnotherLedger() throws {
        var cluster = try ready(1)
        let sum = try work(&cluster, 0, 45)
        settle(&cluster)
        let newest = try #require(cluster.snapshotNames(0).last)
        cluster.kill(0)
        try cluster.editSnapshots(0) { files in
            // The receipt is good, but for another entry than the name says.
            files[SnapshotName(seqno: newest.seqno, evidence: newest.evidence + 1).fileName] = files.removeValue(
                forKey: newest.fileName)
        }
        try cluster.restart(0)
        let isBack = cluster.run { $0.nodes[0].isServing && $0.nodes[0].manager.phase == .active }
        #expect(isBack)
        #expect(says(cluster, 0, "a snapshot of this node can't be used"))
        #expect(ask(&cluster, 0, []) == text(sum))
    }

    @Test("a worker that dies is rebuilt from the snapshot and what follows")
    func workerDies() throws {
        var cluster = try ready(3, others: ["other"])
        var sum = try work(&cluster, 0, 30)
        #expect(ask(&cluster, 1, [9, 9], path: "/other") == "sum 9,sum 18")
        sum = try work(&cluster, 0, 20)
        settle(&cluster)
        #expect(ask(&cluster, 2, [5], path: "/other") == "sum 23")
        for node in 0..<3 {
            let snapshot = try #require(cluster.snapshotNames(node).last)
            let before = cluster.nodes[node].workerRequests.count
            cluster.killWorker(node)
            settle(&cluster)
            #expect(ask(&cluster, node, []) == text(sum))
            #expect(ask(&cluster, node, [], path: "/other") == text(23))
            var restored: Set<String> = []
            for request in cluster.nodes[node].workerRequests[before...] {
                if case .apply(_, let id, _) = request { #expect(id.seqno > snapshot.seqno) }
                if case .restore(let endpoint, let part) = request {
                    #expect(part.map.hasPrefix(endpoint + "."))
                    restored.insert(endpoint)
                }
            }
            #expect(restored == ["counter", "other"])
        }
        #expect(ask(&cluster, 1, [2]) == "sum \(sum + 2)")
        #expect(problems(cluster).allSatisfy { $0.message == "the worker is gone and is being rebuilt" })
    }

    @Test("receipts of old entries verify although the tree is not kept")
    func oldReceipts() throws {
        var cluster = try ready(3)
        try work(&cluster, 0, 25)
        settle(&cluster)
        let certificate = try service(cluster, 0)
        var verified = 0
        for (index, bytes) in cluster.nodes[0].entries.enumerated().dropLast(2) {
            let entry = try LedgerEntry(bytes)
            for format in ["json", "cose"] {
                let token = cluster.ask(
                    1, [], method: "GET", path: "/app/receipt",
                    parameters: [("transaction_id", "\(entry.id)"), ("format", format)])
                _ = cluster.run { $0.answer(1, token) != nil }
                let answer = try #require(cluster.nodes[1].answers[token])
                try #require(answer.status == 200, "\(index) \(String(decoding: answer.body, as: UTF8.self))")
                if format == "json" || entry.kind == .signature {
                    try Receipt(json: answer.body).verify(service: certificate)
                } else {
                    try CoseReceipt(answer.body).verify(
                        service: certificate.publicKey, claimsDigest: entry.claimsDigest)
                }
                verified += 1
            }
        }
        #expect(verified > 60)
    }

    @Test("a leader that dies before the evidence: its successor records what it made itself")
    func leaderDiesBeforeEvidence() throws {
        var cluster = try ready(3)
        settle(&cluster)
        let before = cluster.snapshotNames(0)
        cluster.snapshotsAreSlow = true
        let first = try #require(cluster.leader)
        try work(&cluster, first, 20)
        let marked = cluster.nodes[first].entries.contains { (try? LedgerEntry($0).flags) == .chunkAfter }
        #expect(marked)
        cluster.kill(first)
        let node = try #require((0..<3).first { $0 != first })
        let sum = try work(&cluster, node, 3)
        #expect(cluster.snapshotNames(node) == before)
        cluster.snapshotsAreSlow = false
        settle(&cluster)
        #expect(cluster.snapshotNames(node).count > before.count)
        try cluster.restart(first)
        let isBack = cluster.run { $0.nodes[first].isServing && $0.nodes[first].manager.phase == .active }
        #expect(isBack)
        #expect(ask(&cluster, first, []) == text(sum))
        try work(&cluster, node, 60)
        settle(&cluster)
        #expect(files(cluster, 0) == files(cluster, 1))
        #expect(files(cluster, 0) == files(cluster, 2))
        #expect(problems(cluster).isEmpty)
    }
}
