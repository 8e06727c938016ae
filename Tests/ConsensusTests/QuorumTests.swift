import Consensus
import Testing

@Suite struct QuorumTests {
    /// For every n up to 7 and every pair: accepted exactly if all election quorums meet each other and every
    /// replication quorum, by trying all sets of nodes.
    @Test(arguments: 1...7) func flexiblePairsAreSafe(_ n: Int) {
        for replication in -1...n + 1 {
            for election in -1...n + 1 {
                let accepted =
                    QuorumSizes(.flexible(replication: replication, election: election), voters: n) != nil
                #expect(accepted == isSafe(n, replication, election), "n \(n), (\(replication), \(election))")
            }
        }
    }

    private func isSafe(_ n: Int, _ replication: Int, _ election: Int) -> Bool {
        guard (1...n).contains(replication), (1...n).contains(election) else { return false }
        let sets = 0..<(1 << n)
        let elections = sets.filter { $0.nonzeroBitCount == election }
        let replications = sets.filter { $0.nonzeroBitCount == replication }
        return elections.allSatisfy { left in
            elections.allSatisfy { left & $0 != 0 } && replications.allSatisfy { left & $0 != 0 }
        }
    }

    /// The election size that goes with a replication size is the smallest safe one.
    @Test(arguments: 1...7) func electionIsSmallest(_ n: Int) {
        for replication in 1...n {
            let sizes = QuorumSizes(.replication(replication), voters: n)
            let smallest = (1...n).first { isSafe(n, replication, $0) }
            #expect(sizes?.election == smallest)
            #expect(sizes?.replication == replication)
        }
        #expect(QuorumSizes(.replication(0), voters: n) == nil)
        #expect(QuorumSizes(.replication(n + 1), voters: n) == nil)
    }

    @Test func majorities() {
        for n in 1...9 { #expect(QuorumSizes(.majority, voters: n)?.replication == n / 2 + 1) }
        #expect(QuorumSizes(.majority, voters: 0) == nil)
    }

    @Test func badConfigurations() {
        #expect(throws: ConsensusError.configuration("")) { try Configuration(voters: []) }
        #expect(throws: ConsensusError.configuration("")) { try Configuration(voters: ["a", "a"]) }
        #expect(throws: ConsensusError.configuration("")) { try Configuration(voters: ["a"], learners: ["a"]) }
        #expect(throws: ConsensusError.configuration("")) { try Configuration(voters: [""]) }
        #expect(throws: ConsensusError.configuration("")) {
            try Configuration(
                voters: ["a", "b", "c", "d", "e"], policy: .flexible(replication: 4, election: 2))
        }
    }
}
