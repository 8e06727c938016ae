import Bench
import Primitives
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("Report")
struct ReportTests {
    @Test("numbers for people")
    func numbers() {
        #expect(Format.integer(0) == "0")
        #expect(Format.integer(1_234_567) == "1,234,567")
        #expect(Format.integer(-1000) == "-1,000")
        #expect(Format.decimal(1234.56) == "1,234.6")
        #expect(Format.decimal(0.05) == "0.1")
        #expect(Format.decimal(2.005, 2) == "2.01")
        #expect(Format.decimal(-0.04) == "0.0")
        #expect(Format.decimal(.nan) == "-")
        #expect(Format.decimal(99.96, 0) == "100")
        #expect(Format.milliseconds(1234) == "1.23")
        #expect(Format.milliseconds(123_456) == "123.5")
    }

    @Test("columns are as wide as what is in them")
    func table() {
        var table = TextTable([.text("name"), .number("n")])
        table.add(["a", "1"])
        table.add(["longer", "1,000"])
        table.add(["short"])
        #expect(table.description == "name        n\na           1\nlonger  1,000\nshort\n")
    }

    @Test("the bar fills")
    func bar() {
        let bar = ProgressBar(total: 4, width: 8)
        #expect(bar.line(0, "x") == "[........] 0/4 x")
        #expect(bar.line(3, "x") == "[######..] 3/4 x")
        #expect(bar.line(9, "x") == "[########] 4/4 x")
    }

    @Test("stages are read from the counters, other lines are left out")
    func counters() {
        let counters = NodeCounters(
            """
            # HELP entente_entries_committed_total Entries.
            entente_entries_committed_total 12
            entente_stage_cpu_nanoseconds_total{stage="execute",process="worker"} 1500
            entente_stage_cpu_nanoseconds_total{process="manager",stage="execute"} 500
            entente_stage_cpu_nanoseconds_total{stage="seal"} 7
            nonsense
            """)
        #expect(counters["entente_entries_committed_total"] == 12)
        #expect(counters["missing"] == 0)
        #expect(counters.stages == ["execute": 2000, "seal": 7])
    }

    @Test("processor time is read behind any process name")
    func processStat() {
        let line = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 1 1 1"
        #expect(ProcessClock.parseStat(line) == 300)
        #expect(ProcessClock.parseStat("42 (x) S 1") == nil)
        #expect(ProcessClock.parseStat("") == nil)
    }

    @Test("processor time of this process is known, of none it isn't")
    func processClock() {
        #expect((ProcessClock.nanoseconds(of: getpid()) ?? 0) > 0)
        #expect(ProcessClock.nanoseconds(of: Int32.max) == nil)
    }

    @Test("a report is proved only by proofs that hold")
    func proved() {
        var report = BenchReport(settings: [("nodes", "none")])
        #expect(!report.isProved)
        report.proofs = [NodeProof(name: "n", acknowledged: 5, unknown: 1, committed: 6, subject: "transfers")]
        #expect(report.isProved)
        report.proofs[0].committed = 7
        #expect(!report.isProved)
        report.proofs[0].committed = 4
        #expect(!report.isProved)
        #expect(report.text.contains("NOT PROVED"))
        report.proofs[0].committed = 5
        report.proofs[0].ledger = LedgerProof(verifiedSeqno: 9, neededSeqno: 10, entries: 9, digest: [])
        #expect(!report.isProved)
        report.proofs[0].ledger?.verifiedSeqno = 10
        #expect(report.isProved)
        #expect(report.json["proved"]?.bool == true)
        report.proofs[0].problems = ["an account differs"]
        #expect(!report.isProved)
        #expect(report.text.contains("an account differs"))
    }

    @Test("a phase's numbers are in table and JSON")
    func phase() {
        var latency = LatencyHistogram()
        latency.record(12_000, times: 100)
        var phase = PhaseReport(
            workload: .transfers, loop: "closed, 8 clients", seconds: 2, acknowledged: 110, acknowledgedInTime: 100,
            answer: Quantiles(latency), allNodes: Quantiles(latency), resolution: Quantiles(latency))
        phase.busy = 3
        phase.processors = [
            .init(
                node: "node1", process: "entente-worker", nanoseconds: 11_000_000, watchingNanosecondsPerSecond: 1000),
            .init(node: "bench", process: "client", nanoseconds: 5_000_000, watchingNanosecondsPerSecond: nil),
        ]
        phase.stages = ["execute": 5_500_000]
        #expect(phase.throughput == 50)
        #expect(phase.networkMicrosecondsPerTransaction == 100)
        var report = BenchReport(settings: [])
        report.phases = [phase]
        #expect(report.text.contains("node1 entente-worker"))
        #expect(report.text.contains("3 transactions were answered with busy"))
        #expect(report.text.contains("CPU by stage"))
        let json = report.json["phases"]?.array?.first
        #expect(json?["transactionsPerSecond"] == .double(50))
        #expect(json?["answerMilliseconds"]?["p50"] == .double(12))
        #expect(json?["stageMicrosecondsPerTransaction"]?["execute"] == .double(50))
    }
}
