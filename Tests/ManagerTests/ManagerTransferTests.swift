import AdapterKit
import Ledger
import Manager
import Primitives
import Testing

@Suite("Snapshots between managers")
struct ManagerTransferTests {
    /// Asks, again if the node is not ready yet, as clients do.
    private func ask(_ cluster: inout ManagerCluster, _ node: Int, _ body: [UInt8]) -> String? {
        let id = [UInt8](cluster.nodes[node].answers.count.description.utf8) + [UInt8(node)]
        for _ in 0..<40 {
            let token = cluster.ask(node, body, requestID: id)
            _ = cluster.run { $0.answer(node, token) != nil }
            guard let answer = cluster.answer(node, token), answer.contains("FrontendNotOpen") else {
                return cluster.answer(node, token)
            }
            settle(&cluster)
        }
        return nil
    }

    private func text(_ sum: UInt64) -> String { String(decoding: CounterAdapter.bytes(sum), as: UTF8.self) }

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

    private func settle(_ cluster: inout ManagerCluster, milliseconds: Int = 300) {
        _ = cluster.run(milliseconds: milliseconds) { _ in false }
    }

    private func says(_ cluster: ManagerCluster, _ node: Int, _ message: String) -> Bool {
        cluster.nodes[node].log.contains { $0.message == message }
    }

    /// A network of three of which node 2 went away early, while the others went on and let old entries go; what node 2
    /// had then, and the sum.
    private func away() throws -> (cluster: ManagerCluster, had: [[UInt8]], sum: UInt64) {
        var cluster = try ManagerCluster(3, snapshotInterval: 10)
        let isReady = cluster.run { cluster in
            cluster.leader == 0 && cluster.nodes.allSatisfy { $0.isServing && $0.manager.isMember }
        }
        try #require(isReady)
        try work(&cluster, 0, 3)
        settle(&cluster)
        cluster.kill(2)
        let had = cluster.nodes[2].entries
        let sum = try work(&cluster, 0, 60)
        settle(&cluster)
        for node in 0..<2 {
            let oldest = try #require(cluster.snapshotNames(node).first)
            try #require(oldest.seqno > UInt64(had.count))
            cluster.dropEntries(node, before: oldest.seqno + 1)
        }
        return (cluster, had, sum)
    }

    /// Waits until a node takes part and has what the leader has.
    private func isBack(_ cluster: inout ManagerCluster, _ node: Int, milliseconds: Int = 60_000) -> Bool {
        func end(_ node: ManagerCluster.Node) -> UInt64 { node.firstSeqno + UInt64(node.entries.count) }
        return cluster.run(milliseconds: milliseconds) { cluster in
            guard let leader = cluster.leader else { return false }
            return cluster.nodes[node].isServing && cluster.nodes[node].manager.phase == .active
                && cluster.nodes[node].manager.isMember && end(cluster.nodes[node]) == end(cluster.nodes[leader])
        }
    }

    @Test("a node that was away gets a snapshot, goes on after it, and restarts from it")
    func wasAway() throws {
        var (cluster, _, sum) = try away()
        try cluster.restart(2)
        #expect(isBack(&cluster, 2))
        #expect(ask(&cluster, 2, []) == text(sum))
        #expect(says(cluster, 2, "a snapshot was installed"))
        #expect(cluster.nodes[2].firstSeqno > 20)
        settle(&cluster)
        #expect(cluster.snapshotNames(2).last == cluster.snapshotNames(0).last)
        sum = try work(&cluster, 2, 40)
        settle(&cluster)
        let newest = try #require(cluster.snapshotNames(2).last)
        #expect(newest == cluster.snapshotNames(0).last)
        let isTheSame =
            cluster.nodes[2].snapshots.storage.files[newest.fileName]
            == cluster.nodes[0].snapshots.storage.files[newest.fileName]
        #expect(isTheSame)
        // It counts: with it and one other the network goes on, also after it was started again.
        cluster.kill(2)
        try cluster.restart(2)
        #expect(isBack(&cluster, 2))
        cluster.kill(1)
        #expect(ask(&cluster, 2, [4]) == "sum \(sum + 4)")
        #expect(!cluster.nodes[2].log.contains { $0.level == .error })
    }

    @Test("a crash right after a snapshot was installed, before any entry came")
    func crashAfterInstall() throws {
        var (cluster, _, sum) = try away()
        cluster.onMessage = { _, to, message in
            // Node 2 gets no entry after the snapshot.
            if to == 2, case .consensus(let bytes) = message, bytes.count > 400 { return nil }
            return message
        }
        try cluster.restart(2)
        let isInstalled = cluster.run { self.says($0, 2, "a snapshot was installed") }
        #expect(isInstalled)
        settle(&cluster, milliseconds: 20)
        try #require(cluster.nodes[2].entries.count == 0)
        cluster.kill(2)
        cluster.onMessage = nil
        try cluster.restart(2)
        #expect(isBack(&cluster, 2))
        #expect(says(cluster, 2, "starting from a snapshot"))
        #expect(ask(&cluster, 2, []) == text(sum))
        sum = try work(&cluster, 2, 2)
        #expect(ask(&cluster, 0, []) == text(sum))
    }

    @Test("a joiner gets a snapshot when the primary has one, although the primary has all entries")
    func joiner() throws {
        var cluster = try ManagerCluster(3, snapshotInterval: 10)
        cluster.kill(2)
        let isReady = cluster.run { cluster in
            cluster.leader == 0 && cluster.nodes[..<2].allSatisfy { $0.isServing && $0.manager.isMember }
        }
        try #require(isReady)
        let sum = try work(&cluster, 0, 40)
        settle(&cluster)
        try cluster.startAfresh(2)
        #expect(isBack(&cluster, 2))
        #expect(says(cluster, 2, "a snapshot was installed"))
        #expect(cluster.nodes[2].firstSeqno > 10)
        #expect(ask(&cluster, 2, [1]) == "sum \(sum + 1)")
        #expect(!cluster.nodes[2].log.contains { $0.level == .error })
    }

    @Test("the leader goes in the middle of a transfer: its successor's copy goes on where it stopped")
    func leaderGoes() throws {
        var (cluster, _, sum) = try away()
        final class Seen: @unchecked Sendable { var pulls: [(to: Int, offset: UInt64)] = [] }
        let seen = Seen()
        cluster.onMessage = { from, to, message in
            if from == 2, case .snapshotPull(_, let offset, _) = message {
                if offset >= 2_100, to == 0 { return nil }
                seen.pulls.append((to, offset))
            }
            return message
        }
        try cluster.restart(2)
        let isHalfway = cluster.run { _ in seen.pulls.contains { $0.offset == 1_400 } }
        try #require(isHalfway)
        cluster.kill(0)
        #expect(isBack(&cluster, 2))
        let others = seen.pulls.filter { $0.to == 1 }
        #expect(others.first?.offset == 2_100)
        #expect(Set(seen.pulls.map(\.offset)).count == seen.pulls.count)
        #expect(ask(&cluster, 2, []) == text(sum))
        sum = try work(&cluster, 2, 3)
        try cluster.restart(0)
        #expect(isBack(&cluster, 0))
        #expect(ask(&cluster, 0, []) == text(sum))
    }

    @Test("parts that get lost are asked for again; a channel that closes costs nothing")
    func lostParts() throws {
        var (cluster, _, sum) = try away()
        final class Count: @unchecked Sendable { var parts = 0 }
        let count = Count()
        cluster.onMessage = { _, to, message in
            guard to == 2, case .snapshotPart = message else { return message }
            count.parts += 1
            return count.parts % 3 == 0 ? nil : message
        }
        try cluster.restart(2)
        let isHalfway = cluster.run { _ in count.parts > 4 }
        #expect(isHalfway)
        cluster.reconnect(0, 2)
        #expect(isBack(&cluster, 2))
        #expect(ask(&cluster, 2, []) == text(sum))
        sum = try work(&cluster, 2, 2)
    }

    /// Ways in which a sender can be wrong.
    enum Hostility: CaseIterable {
        case short, long, empty, otherBytes, otherPlace, endless, hugeOffer, shortOffer, longOffer, otherName, foreign
    }

    @Test("a hostile sender gets nothing replaced; an honest one then succeeds", arguments: Hostility.allCases)
    func hostileSender(_ hostility: Hostility) throws {
        var (cluster, had, sum) = try away()
        let names = cluster.snapshotNames(2)
        let size = try #require(cluster.nodes[0].snapshots.storage.files[cluster.snapshotNames(0)[1].fileName]?.count)
        final class State: @unchecked Sendable { var isHostile = true; var tricks = 0 }
        let state = State()
        let id = cluster.id(0)
        var foreign = try ManagerCluster(1, snapshotInterval: 10, name: "elsewhere")
        _ = foreign.run { $0.nodes[0].isServing }
        for _ in 0..<40 { _ = ask(&foreign, 0, [1]) }
        settle(&foreign)
        let strange = try #require(foreign.nodes[0].snapshots.storage.files[foreign.snapshotNames(0)[1].fileName])
        cluster.onMessage = { from, to, message in
            guard state.isHostile, from == 0, to == 2 else { return message }
            switch (hostility, message) {
            case (.short, .snapshotPart(let name, let offset, let bytes)):
                state.tricks += 1
                return .snapshotPart(name, offset: offset, Array(bytes.dropLast()))
            case (.long, .snapshotPart(let name, let offset, let bytes)):
                state.tricks += 1
                return .snapshotPart(name, offset: offset, bytes + [0])
            case (.empty, .snapshotPart(let name, let offset, _)):
                state.tricks += 1
                return .snapshotPart(name, offset: offset, [])
            case (.otherBytes, .snapshotPart(let name, let offset, var bytes)):
                state.tricks += 1
                bytes[bytes.count / 2] ^= 1
                return .snapshotPart(name, offset: offset, bytes)
            case (.otherPlace, .snapshotPart(let name, let offset, let bytes)):
                state.tricks += 1
                return .snapshotPart(name, offset: offset + 1, bytes)
            case (.endless, .snapshotPart(let name, _, let bytes)):
                state.tricks += 1
                return .snapshotPart(name, offset: 0, bytes)
            case (.hugeOffer, .snapshotOffer(let offer)):
                state.tricks += 1
                return .snapshotOffer(SnapshotListing(name: offer.name, byteCount: .max))
            case (.shortOffer, .snapshotOffer(let offer)):
                state.tricks += 1
                return .snapshotOffer(SnapshotListing(name: offer.name, byteCount: offer.byteCount - 9))
            case (.longOffer, .snapshotOffer(let offer)):
                state.tricks += 1
                return .snapshotOffer(SnapshotListing(name: offer.name, byteCount: offer.byteCount + 500))
            case (.otherName, .snapshotOffer(let offer)):
                state.tricks += 1
                let name = SnapshotName(seqno: offer.name.seqno + 1, evidence: offer.name.evidence + 1)
                return .snapshotOffer(SnapshotListing(name: name, byteCount: offer.byteCount))
            case (.foreign, .snapshotOffer(let offer)):
                state.tricks += 1
                return .snapshotOffer(SnapshotListing(name: offer.name, byteCount: UInt64(strange.count)))
            case (.foreign, .snapshotPart(let name, let offset, let bytes)):
                state.tricks += 1
                let end = min(strange.count, Int(offset) + 700)
                return .snapshotPart(
                    name, offset: offset, Int(offset) < end ? Array(strange[Int(offset)..<end]) : bytes)
            default: return message
            }
        }
        try cluster.restart(2)
        if hostility == .endless {
            _ = cluster.run(milliseconds: 5_000) { _ in state.tricks > 2 }
            // Parts that nobody asked for, as many as it likes.
            let name = cluster.snapshotNames(0)[1]
            let part = NodeMessage.snapshotPart(name, offset: 0, [UInt8](repeating: 1, count: 700)).encoded()
            for _ in 0..<500 { cluster.inject(2, .message(part, from: id)) }
        }
        settle(&cluster, milliseconds: 15_000)
        #expect(state.tricks > 0)
        #expect(!says(cluster, 2, "a snapshot was installed"))
        let isUntouched = cluster.nodes[2].entries == had
        #expect(isUntouched)
        #expect(cluster.snapshotNames(2) == names)
        if case .stopped(let reason) = cluster.nodes[2].manager.phase { Issue.record("stopped: \(reason)") }
        let written = cluster.nodes[2].snapshots.storage.files["incoming"]?.count ?? 0
        #expect(written <= size + 500)
        state.isHostile = false
        cluster.reconnect(0, 2)
        #expect(isBack(&cluster, 2, milliseconds: 120_000))
        #expect(ask(&cluster, 2, []) == text(sum))
        sum = try work(&cluster, 2, 1)
        #expect(ask(&cluster, 0, []) == text(sum))
    }

    @Test("only the primary's offers count, and only members are served")
    func strangers() throws {
        var (cluster, had, _) = try away()
        cluster.onMessage = { from, to, message in
            if to == 2, case .snapshotOffer = message { return nil }
            return message
        }
        try cluster.restart(2)
        _ = cluster.run(milliseconds: 2_000) { _ in false }
        let newest = cluster.snapshotNames(1)[1]
        let size = UInt64(cluster.nodes[1].snapshots.storage.files[newest.fileName]?.count ?? 0)
        cluster.inject(
            2,
            .message(
                NodeMessage.snapshotOffer(SnapshotListing(name: newest, byteCount: size)).encoded(), from: cluster.id(1)
            ))
        settle(&cluster, milliseconds: 1_000)
        let isUntouched = cluster.nodes[2].entries == had
        #expect(isUntouched)
        #expect(!says(cluster, 2, "taking a snapshot from a peer"))
        // What nobody has is said so at once.
        final class Seen: @unchecked Sendable { var gone = 0 }
        let seen = Seen()
        cluster.onMessage = { from, to, message in
            if from == 0, to == 2, case .snapshotGone = message { seen.gone += 1 }
            return message
        }
        let none = SnapshotName(seqno: 999, evidence: 1_000)
        for pull in [
            NodeMessage.snapshotPull(none, offset: 0, byteCount: 100),
            .snapshotPull(newest, offset: size, byteCount: 100), .snapshotPull(newest, offset: .max, byteCount: 100),
            .snapshotPull(newest, offset: 0, byteCount: 0),
        ] {
            cluster.inject(0, .message(pull.encoded(), from: cluster.id(2)))
            settle(&cluster, milliseconds: 5)
        }
        #expect(seen.gone == 4)
    }
}
