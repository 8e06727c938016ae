import ArgumentParser
import Foundation
import Simulator

/// `entente simulate`.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run whole networks in this process, under faults, by seed; or a scenario file.",
        discussion: """
            A seed determines a run: its network, disks, crashes, partitions, membership changes and rollbacks. After every \
            step the rules of consensus are checked, and when the faults end the network must come to rest. The model \
            consensus has cores of consensus alone; the model nodes has whole nodes with ledger files, snapshots, workers and \
            clients, whose answers are held against the ledger. A run that breaks a rule is shrunk, and its trace is printed \
            with the options that repeat it. Exit code 0 when all rules hold, 1 when one is broken, 2 when a file can't be \
            used.
            """)
    @Option(help: "What is simulated: \(SimulationModel.allCases.map(\.rawValue).joined(separator: " or ")).")
    var model = SimulationModel.consensus.rawValue
    @Option(help: "Run this seed alone, and print its trace hash.")
    var seed: UInt64?
    @Option(help: "How many seeds to run.")
    var seeds: UInt64 = 100
    @Option(help: "Run as many seeds as so many minutes allow, instead of --seeds.")
    var minutes: Double?
    @Option(help: "The first of them.")
    var from: UInt64 = 1
    @Option(help: "Stop each run after so many steps, without asking whether the cluster comes to rest.")
    var steps: Int?
    @Option(help: "How long there are faults, in simulated milliseconds.")
    var faultMilliseconds: UInt64 = 6_000
    @Option(help: "Kinds of trouble to leave out: \(Trouble.names.joined(separator: ", ")).")
    var without: String = ""
    @Flag(help: "With --seed: print the whole trace.")
    var trace = false
    @Option(help: "Lines of the trace to print when a rule is broken.")
    var lines: Int = 200
    @Flag(help: "Don't look for a smaller run that breaks the same rule.")
    var noShrink = false
    @Option(help: ArgumentHelp("Run a scenario file instead; may be repeated.", valueName: "file"))
    var scenario: [String] = []
    @Option(help: ArgumentHelp("Run a file of CCF's Raft driver; may be repeated.", valueName: "file"))
    var fromCcf: [String] = []
    @Flag(help: "With --scenario: write what is printed now into the file.")
    var rewrite = false

    func validate() throws {
        if SimulationModel(rawValue: model) == nil { throw ValidationError("--model: there is no model \(model)") }
        if Trouble(without) == nil { throw ValidationError("--without: unknown kind in \(without)") }
        if seeds == 0 || from.addingReportingOverflow(seeds).overflow { throw ValidationError("--seeds: out of range") }
    }

    func run() throws {
        guard scenario.isEmpty, fromCcf.isEmpty else { return try runFiles() }
        if let seed { return try runOne(plan(seed)) }
        try runMany()
    }

    private var isOfNodes: Bool { model == SimulationModel.nodes.rawValue }

    private func plan(_ seed: UInt64) -> SimulationPlan {
        var plan = SimulationPlan(seed: seed, model: SimulationModel(rawValue: model) ?? .consensus)
        plan.faultMilliseconds = faultMilliseconds
        plan.without = Trouble(without) ?? []
        plan.stepsMax = steps
        return plan
    }

    private func runOne(_ plan: SimulationPlan) throws {
        let report = plan.run(keepsTrace: trace)
        for line in report.trace { print(line) }
        print(
            "seed \(report.seed): \(report.steps) steps, \(Self.seconds(report.microseconds)) simulated s,"
                + " \(report.committed) entries committed, \(report.elections) elections, \(report.crashes) crashes,"
                + " \(report.reconfigurations) reconfigurations, \(report.rollbacksRecognised) rollbacks recognised,"
                + (isOfNodes ? " \(report.acknowledged) acknowledged, \(report.unknown) unknown," : "")
                + " trace hash \(String(report.traceHash, radix: 16))")
        if let rule = report.rule { try fail(plan, rule) }
    }

    private func runMany() throws {
        let start = ContinuousClock.now
        var told = start
        var steps = 0
        var simulated: UInt64 = 0
        func speed() -> String {
            let elapsed = max(1e-9, Self.wall(start))
            return "\(steps) steps, \(Int(Double(steps) / elapsed)) steps/s,"
                + " \(Int(Double(simulated) / 1e6 / elapsed)) simulated s per s"
        }
        var faults: [String: Int] = [:]
        var acknowledged = 0
        var done: UInt64 = 0
        for seed in from..<(minutes == nil ? from + seeds : .max) {
            if let minutes, Self.wall(start) > minutes * 60 { break }
            let report = plan(seed).run()
            done += 1
            acknowledged += report.acknowledged
            for fault in report.faults { faults[fault.name, default: 0] += fault.count }
            steps += report.steps
            simulated += report.microseconds
            if let rule = report.rule { try fail(plan(seed), rule) }
            if told.duration(to: .now) > .seconds(5) {
                told = .now
                note("\(done) \(minutes == nil ? "of \(seeds) " : "")seeds, \(speed())")
            }
        }
        print("\(done) seeds from \(from): no rule broken; \(speed())")
        guard isOfNodes else { return }
        print("acknowledged \(acknowledged), lost 0")
        print(faults.keys.sorted().map { "\(faults[$0] ?? 0) \($0)" }.joined(separator: ", "))
    }

    /// Shrinks the run, prints its trace and ends with exit code 1.
    private func fail(_ plan: SimulationPlan, _ rule: String) throws {
        note("seed \(plan.seed) breaks \(rule)\(noShrink ? "" : "; looking for a smaller run")")
        let smallest = noShrink ? plan : plan.shrunk(breaking: rule)
        let report = smallest.run(keepsTrace: true)
        for line in report.trace.suffix(max(0, lines)) { print(line) }
        print(report.violation ?? rule)
        print("repeat with: entente simulate \(smallest.options) --trace")
        throw ExitCode(1)
    }

    private func text(_ path: String) throws -> String {
        do { return try readText(path) } catch {
            note("Error: \(error)")
            throw ExitCode(2)
        }
    }

    private func runFiles() throws {
        var isGood = true
        for path in fromCcf {
            let outcome = DriverFile.run(try text(path))
            for line in outcome.printed { print(line) }
            let count = "\(outcome.commands) commands, \(outcome.assertions) assertions"
            if let failure = outcome.failure {
                isGood = false
                print("\(path):\(failure.line): \(failure.reason) (after \(count))")
            } else {
                print("\(path): runs through, \(count)")
            }
        }
        for path in scenario {
            let text = try text(path)
            var runner = ScenarioRunner()
            let outcome = runner.run(text)
            if rewrite { try writeFile(path, [UInt8](outcome.rewritten.utf8)) }
            let isBroken = outcome.rewritten.contains("VIOLATION")
            isGood = isGood && !isBroken && (rewrite || outcome.differences.isEmpty)
            for difference in rewrite ? [] : outcome.differences { print("\(path): \(difference)") }
            print("\(path): \(isBroken ? "a rule is broken" : outcome.differences.isEmpty ? "as it says" : "differs")")
        }
        if !isGood { throw ExitCode(1) }
    }

    private static func seconds(_ microseconds: UInt64) -> String {
        String(format: "%.3f", Double(microseconds) / 1e6)
    }

    private static func wall(_ start: ContinuousClock.Instant) -> Double {
        let parts = start.duration(to: .now).components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}
