import Consensus
import FoundationEssentials
import Simulator
import Testing

/// Known bugs, each of which the simulator must find: a bug that survives means that the simulator is too weak.
@Suite struct MutantTests {
    struct Mutant: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: RaftFault
        /// Seeds within which it must be found; 0 if it takes more than chance.
        let budget: UInt64
        /// Or the scenario that finds it.
        var scenario: String?
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
        Mutant(name: "pre-vote keeps its leader", fault: .preVoteKeepsLeader, budget: 2000),
        Mutant(name: "snapshot forgets configurations", fault: .snapshotForgetsConfiguration, budget: 2000),
        Mutant(name: "claim moves", fault: .claimMoves, budget: 200),
        Mutant(name: "objections go stale", fault: .objectionsGoStale, budget: 1000),
        Mutant(name: "remembers restarting nodes", fault: .remembersRestarting, budget: 200),
        Mutant(name: "forgets its claim", fault: .forgetsClaim, budget: 200),
        Mutant(name: "keeps acknowledgements to itself", fault: .keepsAcknowledgements, budget: 200),
        Mutant(
            name: "forgets what is committed", fault: .forgetsWhatIsCommitted, budget: 0,
            scenario: "rollback_of_committed"),
        Mutant(
            name: "counts later commits", fault: .countsLaterCommits, budget: 0, scenario: "restart_cut_then_committed"),
        Mutant(
            name: "remembers what was cut", fault: .remembersWhatWasCut, budget: 0, scenario: "restart_after_cut"),
    ]

    private func isKilled(_ fault: RaftFault, by scenario: String) throws -> Bool {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "ConsensusTests/Scenarios/\(scenario).txt")
        var runner = ScenarioRunner(faults: fault)
        return !runner.run(String(decoding: try Data(contentsOf: file), as: UTF8.self)).differences.isEmpty
    }

    /// Prints a line of the table of mutants: name, budget, what killed it, which rule it broke.
    @Test(arguments: mutants) func isKilled(_ mutant: Mutant) throws {
        if let scenario = mutant.scenario {
            #expect(try isKilled(mutant.fault, by: scenario), "\(mutant.name) survives \(scenario)")
            print("| \(mutant.name) | scenario | \(scenario) | what it prints |")
            return
        }
        var killer: SimulationReport?
        for seed in 1...mutant.budget where killer == nil {
            let report = ClusterSimulation(seed: seed, faults: mutant.fault).run()
            if report.violation != nil { killer = report }
        }
        guard let killer, let rule = killer.rule else {
            Issue.record("\(mutant.name) survives \(mutant.budget) seeds")
            return
        }
        print("| \(mutant.name) | \(mutant.budget) seeds | seed \(killer.seed) | \(rule) |")
    }

    /// What is left of a failing run still fails in the same way, and the trace is the same each time.
    @Test func failuresShrink() throws {
        let plan = SimulationPlan(seed: 1)
        let first = try #require(
            (1...50 as ClosedRange<UInt64>).map { SimulationPlan(seed: $0) }.first {
                ClusterSimulation($0, faults: .votesTwice).run().violation != nil
            })
        let rule = try #require(ClusterSimulation(first, faults: .votesTwice).run().rule)
        let small = first.shrunk(breaking: rule, faults: .votesTwice)
        let report = ClusterSimulation(small, faults: .votesTwice).run()
        #expect(report.rule == rule)
        #expect(small.faultMilliseconds < plan.faultMilliseconds || !small.without.isEmpty)
        #expect(report.traceHash == ClusterSimulation(small, keepsTrace: true, faults: .votesTwice).run().traceHash)
        #expect(ClusterSimulation(small).run().violation == nil)
    }
}
