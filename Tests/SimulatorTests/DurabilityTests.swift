import Ledger
import Simulator
import Testing

/// Each side of the bound on disks that fail: `q_r + q_e - n - 1` that lose in silence what they acknowledged, `q_r - 1`
/// that notice. Inside nothing is lost; beyond, the network stops or says what it lost.
@Suite struct DurabilityTests {
    private func write(_ network: NodeSimulation, _ count: Int, at node: Int) throws -> TransactionID {
        var last: TransactionID?
        for _ in 0..<count { last = network.write(at: node) ?? last }
        return try #require(last, "nothing is acknowledged")
    }

    /// Four nodes of which three must have each entry, and three vote for a leader: one disk may lie.
    @Test func oneOfFourLies() throws {
        for place in 0...1 {
            let network = try #require(NodeSimulation.script(nodes: 4, replication: 3))
            let leader = try #require(network.leaderNode)
            let liar = (leader + place) % 4
            _ = try write(network, 3, at: leader)
            network.lie(liar)
            // One that is honest lacks the last entries, so that the liar was needed for them.
            let absent = (leader + 2) % 4
            network.isolate(absent, true)
            let last = try write(network, 5, at: leader)
            network.stop([0, 1, 2, 3], takingPower: true)
            network.isolate(absent, false)
            network.restart([0, 1, 2, 3])
            network.advance(milliseconds: 5_000)
            for node in 0..<4 where network.isActive(node) {
                #expect(network.read(at: node, atLeast: last) == 200, "n\(node)")
            }
            let served = (0..<4).count { network.isActive($0) }
            #expect(served >= 3)
            #expect(network.violation == nil)
            #expect(network.judge() == nil)
        }
    }

    /// Three nodes with majorities: one may lose its ledger and notice.
    @Test func oneOfThreeIsDestroyed() throws {
        let network = try #require(NodeSimulation.script(nodes: 3))
        let leader = try #require(network.leaderNode)
        _ = try write(network, 5, at: leader)
        network.stop([leader], takingPower: true)
        network.destroyLedger(of: leader)
        network.restart([leader])
        network.advance(milliseconds: 5_000)
        let reason = try #require(network.refusal(of: leader))
        #expect(reason.contains("older than what it promised"))
        let other = try #require((0..<3).first { $0 != leader })
        let last = try write(network, 3, at: other)
        for node in 0..<3 where node != leader { #expect(network.read(at: node, atLeast: last) == 200) }
        #expect(network.judge() == nil)
    }

    /// Two of three are beyond the bound: the network refuses to go on with less than it had. Seals tell.
    @Test func twoOfThreeAreDestroyed() throws {
        let network = try #require(NodeSimulation.script(nodes: 3))
        let first = try #require(network.leaderNode)
        _ = try write(network, 5, at: first)
        network.stop([first], takingPower: true)
        network.restart([first])
        network.advance(milliseconds: 5_000)
        let leader = try #require(network.leaderNode)
        _ = try write(network, 5, at: leader)
        network.stop([0, 1, 2], takingPower: true)
        let destroyed = (0..<3).filter { $0 != leader }
        for node in destroyed { network.destroyLedger(of: node) }
        network.restart([0, 1, 2])
        network.advance(milliseconds: 5_000)
        for node in destroyed { #expect(network.refusal(of: node) != nil) }
        #expect(network.write(at: leader, milliseconds: 10_000) == nil)
        #expect(network.judge() == nil)
    }

    /// One of three that lies is beyond the bound of majorities. While whoever knows better is there, it is refused.
    @Test func liarIsRecognisedByItsPeers() throws {
        let network = try #require(NodeSimulation.script(nodes: 3))
        let leader = try #require(network.leaderNode)
        let liar = (leader + 1) % 3
        network.lie(liar)
        let last = try write(network, 5, at: leader)
        network.stop([liar], takingPower: true)
        network.restart([liar])
        network.advance(milliseconds: 3_000)
        #expect(network.refusal(of: liar) != nil)
        #expect(network.read(at: leader, atLeast: last) == 200)
        #expect(network.write(at: leader) != nil)
        #expect(network.judge() == nil)
    }

    /// The same, but who knows better is cut off: the two others go on from a shorter history. Whoever holds the id of a
    /// transaction that was lost is told so, and the node that has it does not follow.
    @Test func lossIsToldToWhoKnows() throws {
        let network = try #require(NodeSimulation.script(nodes: 3))
        let leader = try #require(network.leaderNode)
        let liar = (leader + 1) % 3
        let absent = (leader + 2) % 3
        _ = try write(network, 2, at: leader)
        network.lie(liar)
        network.isolate(absent, true)
        let lost = try write(network, 3, at: leader)
        network.expectLoss()
        network.isolate(absent, false)
        network.isolate(leader, true)
        network.stop([liar], takingPower: true)
        network.restart([liar])
        network.advance(milliseconds: 10_000)
        try #require(network.isActive(liar))
        while let id = network.write(at: absent), id.seqno <= lost.seqno {}
        #expect(network.read(at: absent, atLeast: lost) == 409)
        #expect(network.read(at: liar, atLeast: lost) == 409)
        network.isolate(leader, false)
        network.advance(milliseconds: 10_000)
        let reason = try #require(network.refusal(of: leader))
        #expect(reason.contains("consensus stopped"))
    }

    /// All disks lie and all power fails: no node can know. Clients can.
    @Test func allLie() throws {
        let network = try #require(NodeSimulation.script(nodes: 3))
        let leader = try #require(network.leaderNode)
        _ = try write(network, 2, at: leader)
        for node in 0..<3 { network.lie(node) }
        let lost = try write(network, 3, at: leader)
        network.expectLoss()
        network.stop([0, 1, 2], takingPower: true)
        network.restart([0, 1, 2])
        network.advance(milliseconds: 10_000)
        #expect((0..<3).allSatisfy { network.isActive($0) })
        while let id = network.write(at: leader), id.seqno <= lost.seqno {}
        for node in 0..<3 { #expect(network.read(at: node, atLeast: lost) == 409) }
    }
}
