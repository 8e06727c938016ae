import Consensus
import FoundationEssentials
import Simulator
import Testing

/// Traces for the specification: `scripts/spec.sh` lets TLC judge them.
@Suite struct TraceTests {
    /// Two seconds of faults are enough to get lost in.
    static func plan(_ seed: UInt64) -> SimulationPlan {
        var plan = SimulationPlan(seed: seed)
        plan.faultMilliseconds = 2_000
        return plan
    }

    /// Bugs that the specification can tell from the protocol by what nodes did.
    static let mutants: [(name: String, fault: RaftFault)] = [
        ("commits-on-nack", .commitsOnNack), ("acknowledges-before-sync", .acknowledgesBeforeSync),
        ("votes-twice", .votesTwice), ("union-tally", .unionTally), ("commits-previous-views", .commitsPreviousViews),
        ("truncates-early", .truncatesEarly), ("acknowledges-log-end", .acknowledgesLogEnd),
        ("sends-before-seal", .sendsBeforeSeal), ("votes-for-any-log", .votesForAnyLog),
        ("skips-joint-phase", .skipsJointPhase), ("keeps-unsigned-tail", .keepsUnsignedTail),
        ("commits-unsigned", .commitsUnsigned), ("trusts-old-sync", .trustsOldSync), ("retires-early", .retiresEarly),
        ("elects-with-too-few", .electsWithTooFew),
    ]

    static func trace(_ seed: UInt64, linesMax: Int, faults: RaftFault = []) -> (lines: [String], violation: String?) {
        let simulation = ClusterSimulation(plan(seed), faults: faults)
        simulation.recorder = TraceRecorder(linesMax: linesMax)
        let report = simulation.run()
        return (simulation.recorder?.lines ?? [], report.violation)
    }

    static func canBeJudged(_ seed: UInt64) -> Bool {
        !ClusterSimulation(plan(seed)).rollsBack
    }

    @Test func recordingChangesNothing() {
        for seed in 1...5 as ClosedRange<UInt64> {
            let plain = ClusterSimulation(Self.plan(seed))
            let recorded = ClusterSimulation(Self.plan(seed))
            recorded.recorder = TraceRecorder(linesMax: .max)
            let report = plain.run()
            #expect(recorded.run().traceHash == report.traceHash)
            // Every step has a line, and each line names its event.
            let lines = recorded.recorder?.lines ?? []
            #expect(lines.count >= report.steps)
            #expect(lines.allSatisfy { $0.hasPrefix("{\"event\":\"") && $0.hasSuffix("}") })
            #expect(Self.trace(seed, linesMax: .max).lines == lines)
        }
    }

    /// Writes traces into the folder `ENTENTE_TRACES`: `ENTENTE_TRACE_SEEDS` runs of the protocol, and of each of the first
    /// `ENTENTE_TRACE_MUTANTS` mutants the shortest of some runs in which the simulator's oracle sees it break a rule.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ENTENTE_TRACES"] != nil)) func write() throws {
        let environment = ProcessInfo.processInfo.environment
        let folder = URL(filePath: environment["ENTENTE_TRACES"] ?? ".")
        let count = environment["ENTENTE_TRACE_SEEDS"].flatMap { Int($0) } ?? 8
        let mutants = environment["ENTENTE_TRACE_MUTANTS"].flatMap { Int($0) } ?? Self.mutants.count
        func write(_ name: String, _ lines: [String]) throws {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: folder.appending(path: name + ".jsonl"))
        }
        for seed in (1...10_000 as ClosedRange<UInt64>).lazy.filter(Self.canBeJudged).prefix(count) {
            let trace = Self.trace(seed, linesMax: 1500)
            #expect(trace.violation == nil)
            try write("seed-\(seed)", trace.lines)
        }
        for mutant in Self.mutants.prefix(mutants) {
            var shortest: (seed: UInt64, lines: [String])?
            var found = 0
            for seed in (1...3000 as ClosedRange<UInt64>).lazy.filter(Self.canBeJudged) where found < 5 {
                let trace = Self.trace(seed, linesMax: 6000, faults: mutant.fault)
                guard trace.violation != nil, trace.lines.count < 6000 else { continue }
                found += 1
                if trace.lines.count < shortest?.lines.count ?? .max { shortest = (seed, trace.lines) }
            }
            let chosen = try #require(shortest, "\(mutant.name) breaks no rule")
            try write("mutant-\(mutant.name)-\(chosen.seed)", chosen.lines)
        }
    }
}
