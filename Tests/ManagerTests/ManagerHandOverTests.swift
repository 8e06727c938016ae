import AdapterKit
import Consensus
import Ledger
import Manager
import Testing

/// What the simulation of whole nodes found: writes whose worker dies, and leaders that hand over.
@Suite("Managers between two states")
struct ManagerHandOverTests {
    @Test("a write is decided, and its worker dies before it can say so: unknown, not refused")
    func workerDiesBeforeTheAnswer() throws {
        var cluster = try ManagerCluster.ready(1)
        let warm = cluster.ask(0, [1])
        _ = cluster.run { $0.answer(0, warm) != nil }
        let before = cluster.nodes[0].workerRequests.count
        cluster.workersAreSlow = true
        let token = cluster.ask(0, [4], requestID: [9])
        for _ in 0..<50 {
            _ = cluster.run(milliseconds: 5) { _ in false }
            let isDecided = cluster.nodes[0].workerRequests.dropFirst(before).contains {
                if case .finish = $0 { true } else { false }
            }
            if isDecided { break }
            cluster.workersAreSlow = false
            cluster.workersAreSlow = true
        }
        #expect(cluster.nodes[0].answers[token] == nil)
        cluster.killWorker(0)
        cluster.workersAreSlow = false
        _ = cluster.run { $0.nodes[0].answers[token] != nil }
        #expect(cluster.nodes[0].answers[token]?.status == 504)
        _ = cluster.run(milliseconds: 500) { _ in false }
        let again = cluster.ask(0, [4], requestID: [9])
        _ = cluster.run { $0.answer(0, again) != nil }
        #expect(cluster.answer(0, again) == "sum 5")
    }

    @Test("a write is decided, and its worker fails to say so: unknown, not an error of the request")
    func workerFailsToAnswer() throws {
        var cluster = try ManagerCluster.ready(1)
        cluster.tamper = { request, reply in
            if case .finish = request { .failed("no words") } else { reply }
        }
        let token = cluster.ask(0, [4], requestID: [9])
        _ = cluster.run { $0.nodes[0].answers[token] != nil }
        #expect(cluster.nodes[0].answers[token]?.status == 504)
    }

    @Test("a batch that is executed while leadership is handed over waits for the next leader")
    func batchWhileHandingOver() throws {
        var cluster = try ManagerCluster.ready(3)
        let leader = try #require(cluster.leader)
        let warm = cluster.ask(leader, [1])
        _ = cluster.run { $0.answer(leader, warm) != nil }
        cluster.workersAreSlow = true
        let token = cluster.ask(leader, [4], requestID: [9])
        func isExecuting(_ cluster: ManagerCluster) -> Bool {
            guard case .execute(_, let batch)? = cluster.nodes[leader].workerRequests.last else { return false }
            return batch.submissions.contains { $0.body == [4] }
        }
        for _ in 0..<20 where !isExecuting(cluster) {
            _ = cluster.run(milliseconds: 5, until: isExecuting)
            guard !isExecuting(cluster) else { break }
            cluster.workersAreSlow = false
            cluster.workersAreSlow = true
        }
        try #require(isExecuting(cluster))
        // Nobody may answer before the hand-over begins.
        cluster.inject(leader, .shutdown)
        cluster.workersAreSlow = false
        let moved = cluster.run { $0.leader != nil && $0.leader != leader }
        #expect(moved)
        #expect(!cluster.nodes[leader].log.contains { $0.message.contains("the worker is gone") })
        // The shutting-down node has told its client that it does not know; the network has it once.
        #expect(cluster.nodes[leader].answers[token]?.status == 504)
        let other = try #require(cluster.leader)
        let again = cluster.ask(other, [4], requestID: [9])
        _ = cluster.run { $0.answer(other, again) != nil }
        #expect(cluster.answer(other, again) == "sum 5")
    }

    @Test("what waits for a worker does not ask for time again and again")
    func noDeadlineInThePast() throws {
        var cluster = try ManagerCluster.ready(1)
        cluster.workersAreSlow = true
        _ = cluster.ask(0, [4])
        _ = cluster.run(milliseconds: 2) { _ in false }
        cluster.workersAreSlow = false
        cluster.workersAreSlow = true
        // The submission is in the queue or with the worker; the worker goes, and none comes for a while.
        cluster.inject(0, .workerDied(reason: "test"))
        _ = cluster.run(milliseconds: 200) { _ in false }
        let clock = cluster.now
        #expect(cluster.nodes[0].manager.deadline > clock)
    }

    @Test("the founder is lost for good, all others restart: they know by their seals that it is not alone any more")
    func othersRestartWithoutTheFounder() throws {
        var cluster = try ManagerCluster.ready(3)
        let warm = cluster.ask(1, [1])
        _ = cluster.run { $0.answer(1, warm) != nil }
        for node in 0..<3 { cluster.kill(node) }
        for node in 1..<3 { try cluster.restart(node) }
        let isLed = cluster.run { $0.leader != nil && $0.nodes[1...].allSatisfy { $0.manager.phase == .active } }
        #expect(isLed)
        let token = cluster.ask(1, [2])
        _ = cluster.run { $0.answer(1, token) != nil }
        #expect(cluster.answer(1, token) == "sum 3")
    }
}
