import Consensus
import Simulator
import Testing

/// Known bugs, each of which the simulator must find: a bug that survives means that the simulator is too weak.
@Suite struct MutantTests {
    struct Mutant: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: RaftFault
        /// Seeds within which it must be found.
        let budget: UInt64
        var testDescription: String { name }
    }

    static let mutants = [
        Mutant(name: "union tally", fault: .unionTally, budget: 2000),
        Mutant(name: "commits previous views", fault: .commitsPreviousViews, budget: 2000),
        Mutant(name: "commits on nack", fault: .commitsOnNack, budget: 2000),
        Mutant(name: "truncates early", fault: .truncatesEarly, budget: 2000),
        Mutant(name: "acknowledges log end", fault: .acknowledgesLogEnd, budget: 2000),
        Mutant(name: "acknowledges before sync", fault: .acknowledgesBeforeSync, budget: 2000),
        Mutant(name: "sends before seal", fault: .sendsBeforeSeal, budget: 2000),
        Mutant(name: "votes for any log", fault: .votesForAnyLog, budget: 2000),
        Mutant(name: "votes twice", fault: .votesTwice, budget: 2000),
        Mutant(name: "skips joint phase", fault: .skipsJointPhase, budget: 2000),
        Mutant(name: "skips restart rule", fault: .skipsRestartRule, budget: 2000),
        Mutant(name: "reads without quorum", fault: .readsWithoutQuorum, budget: 2000),
        Mutant(name: "keeps unsigned tail", fault: .keepsUnsignedTail, budget: 2000),
        Mutant(name: "commits unsigned", fault: .commitsUnsigned, budget: 2000),
        Mutant(name: "trusts old sync", fault: .trustsOldSync, budget: 2000),
        Mutant(name: "retires early", fault: .retiresEarly, budget: 2000),
        Mutant(name: "elects with too few", fault: .electsWithTooFew, budget: 2000),
    ]

    @Test(arguments: mutants) func isKilled(_ mutant: Mutant) {
        let killer = (1...mutant.budget).first { seed in
            ClusterSimulation(seed: seed, faults: mutant.fault).run().violation != nil
        }
        #expect(killer != nil, "\(mutant.name) survives \(mutant.budget) seeds")
    }
}
