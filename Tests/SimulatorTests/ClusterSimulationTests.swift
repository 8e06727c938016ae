import Consensus
import FoundationEssentials
import Simulator
import Testing

/// Whole clusters under random faults; a failure names its seed, which alone reproduces it.
@Suite struct ClusterSimulationTests {
    /// Seeds of a run: `ENTENTE_SEEDS`, or what takes well under a minute.
    static let seeds: UInt64 = {
        if let text = ProcessInfo.processInfo.environment["ENTENTE_SEEDS"], let count = UInt64(text) { return count }
        #if DEBUG
            return 40
        #else
            return 500
        #endif
    }()

    @Test(arguments: 0..<4) func rulesHold(_ part: UInt64) {
        var committed = 0
        var elections = 0
        for seed in 1...Self.seeds where seed % 4 == part {
            let report = ClusterSimulation(seed: seed).run()
            committed += report.committed
            elections += report.elections
            if let violation = report.violation {
                let trace = ClusterSimulation(seed: seed, keepsTrace: true).run().trace.suffix(200)
                Issue.record("seed \(seed): \(violation)\n\(trace.joined(separator: "\n"))")
                return
            }
        }
        #expect(committed > 0)
        #expect(elections > 0)
    }

    @Test func sameSeedSameTrace() {
        for seed in 1...5 as ClosedRange<UInt64> {
            let first = ClusterSimulation(seed: seed).run()
            let second = ClusterSimulation(seed: seed, keepsTrace: true).run()
            #expect(first.traceHash == second.traceHash)
            #expect(first.steps == second.steps)
        }
    }

    /// Runs are lively: over some seeds each kind of trouble occurs.
    @Test func troubleOccurs() {
        let reports = (1...30 as ClosedRange<UInt64>).map { ClusterSimulation(seed: $0).run() }
        #expect(reports.contains { $0.crashes > 3 })
        #expect(reports.contains { $0.elections > 3 })
        #expect(reports.contains { $0.reconfigurations > 3 })
        #expect(reports.contains { $0.reads > 10 })
        #expect(reports.allSatisfy { $0.committed > 0 })
    }
}
