import FoundationEssentials
import Simulator
import Testing

/// Whole nodes under random faults; a failure names its seed, which alone reproduces it.
@Suite struct NodeSimulationTests {
    /// Seeds of a run: `ENTENTE_NODE_SEEDS`, or what takes half a minute of processor time.
    static let seeds: UInt64 = {
        if let text = ProcessInfo.processInfo.environment["ENTENTE_NODE_SEEDS"], let count = UInt64(text) {
            return count
        }
        #if DEBUG
            return 4
        #else
            return 80
        #endif
    }()

    static func plan(_ seed: UInt64) -> SimulationPlan { SimulationPlan(seed: seed, model: .nodes) }

    @Test(arguments: 0..<4) func rulesHold(_ part: UInt64) {
        var acknowledged = 0
        for seed in 1...Self.seeds where seed % 4 == part {
            let report = Self.plan(seed).run()
            acknowledged += report.acknowledged
            if let violation = report.violation {
                let trace = Self.plan(seed).run(keepsTrace: true).trace.suffix(200)
                Issue.record("seed \(seed): \(violation)\n\(trace.joined(separator: "\n"))")
                return
            }
        }
        #expect(acknowledged > 0)
    }

    @Test func sameSeedSameTrace() {
        for seed in 1...3 as ClosedRange<UInt64> {
            let first = Self.plan(seed).run()
            let second = Self.plan(seed).run(keepsTrace: true)
            #expect(first.traceHash == second.traceHash)
            #expect(first.steps == second.steps)
            #expect(!second.trace.isEmpty)
        }
    }

    #if !DEBUG
        /// Runs are lively: over some seeds each kind of trouble occurs, and clients get answers nevertheless.
        @Test func troubleOccurs() {
            var counts: [String: Int] = [:]
            let reports = (1...40 as ClosedRange<UInt64>).map { Self.plan($0).run() }
            for report in reports { for fault in report.faults { counts[fault.name, default: 0] += fault.count } }
            for fault in [
                "kills", "power failures", "partitions", "pauses", "worker crashes", "worker hangs", "full disks",
                "clock jumps", "clean stops", "rotten bits", "rollbacks", "lies found out", "snapshots",
            ] {
                #expect(counts[fault, default: 0] > 0, "\(fault) never occurs")
            }
            #expect(reports.allSatisfy { $0.committed > 0 })
            #expect(reports.contains { $0.unknown > 0 })
            #expect(reports.contains { $0.reads > 10 })
        }
    #endif
}
