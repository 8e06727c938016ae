import Consensus
import Manager
import Simulator
import Testing

/// Known bugs of whole nodes, each of which the simulation must find.
@Suite struct NodeMutantTests {
    struct Mutant: Sendable, CustomTestStringConvertible {
        let name: String
        var fault: ManagerFault = []
        var raft: RaftFault = []
        /// Seeds within which it must be found.
        let budget: UInt64
        var testDescription: String { name }
    }

    static let mutants = [
        Mutant(name: "forgets first answers", fault: .forgetsAnswers, budget: 100),
        Mutant(name: "executes repetitions", fault: .executesRepetitions, budget: 200),
        Mutant(name: "answers at execution", fault: .answersAtExecution, budget: 200),
        Mutant(name: "keeps outcomes of what was cut", fault: .keepsCutOutcomes, budget: 200),
        Mutant(name: "leaves the worker ahead", fault: .leavesWorkerAhead, budget: 200),
        Mutant(name: "leads from committed state", fault: .leadsFromCommitted, budget: 200),
        Mutant(name: "snapshot forgets first answers", fault: .snapshotForgetsAnswers, budget: 200),
        Mutant(name: "forgets its seal", fault: .forgetsSeal, budget: 200),
        Mutant(name: "skips an entry after a restore", fault: .skipsEntryAfterRestore, budget: 200),
        Mutant(name: "calls a decided write refused", fault: .refusesDecided, budget: 200),
        Mutant(name: "acknowledges before sync", raft: .acknowledgesBeforeSync, budget: 100),
        Mutant(name: "sends before seal", raft: .sendsBeforeSeal, budget: 200),
        Mutant(name: "keeps unsigned tail", raft: .keepsUnsignedTail, budget: 100),
    ]

    /// Prints a line of the table of mutants: name, budget, what killed it, which rule it broke.
    @Test(arguments: mutants) func isKilled(_ mutant: Mutant) throws {
        var killer: SimulationReport?
        for seed in 1...mutant.budget where killer == nil {
            let plan = SimulationPlan(seed: seed, model: .nodes)
            let report = NodeSimulation(plan, faults: mutant.fault, raftFaults: mutant.raft).run()
            if report.violation != nil { killer = report }
        }
        let found = try #require(killer, "\(mutant.name) survives \(mutant.budget) seeds")
        print("| \(mutant.name) | \(mutant.budget) seeds | seed \(found.seed) | \(found.rule ?? "") |")
    }
}
