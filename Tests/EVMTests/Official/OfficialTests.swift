import EVM
import Glibc
import Primitives
import Testing

/// The official suites. By default a sample by file name that takes seconds; with `ENTENTE_EVM_TESTS=all` all of them,
/// which is for a release build.
@Suite struct OfficialTests {
    private static let runsAll = getenv("ENTENTE_EVM_TESTS").map { String(cString: $0) == "all" } ?? false

    /// Four thousand million rounds of BLAKE2b for each fork: half an hour that says nothing more than a million do.
    private static let endless = "CALLBlake2f_MaxRounds"

    /// Programs of up to hundreds of millions of operations; left to the full run.
    private static let slow = [
        "loopExp", "loopMul", "performanceTester", "Call50000_sha256", "Call50000",
        "Call50000bytesContract", "ackermann", "fibonacci", "Return50000", "static_Call50000", "loop-",
    ]

    private static func run(
        _ archive: String, sample: Int, _ body: @escaping @Sendable (String, JSON) -> StateTestFile.Outcome
    ) async {
        guard let folder = Archives.folder(archive) else { return }
        defer { Archives.remove(folder) }
        var files = Archives.files(folder).filter { !$0.contains(endless) }
        if !runsAll {
            files = files.enumerated().filter { $0.offset % sample == 0 }.map(\.element)
                .filter { path in !slow.contains { path.contains($0) } }
        }
        let all = files
        var cases = 0
        var failures: [String] = []
        await withTaskGroup(of: StateTestFile.Outcome.self) { group in
            for lane in 0..<2 {
                group.addTask {
                    var sum = StateTestFile.Outcome()
                    for i in stride(from: lane, to: all.count, by: 2) {
                        let name = String(all[i].dropFirst(folder.count + 1))
                        let outcome: StateTestFile.Outcome
                        let start = ContinuousClock.now
                        defer {
                            let time = ContinuousClock.now - start
                            if time > .seconds(5) { print(name, time) }
                        }
                        do {
                            outcome = body(name, try Archives.read(all[i]))
                        } catch {
                            outcome = StateTestFile.Outcome(cases: 0, failures: ["\(name): \(error)"])
                        }
                        sum.cases += outcome.cases
                        sum.failures += outcome.failures
                    }
                    return sum
                }
            }
            for await outcome in group {
                cases += outcome.cases
                failures += outcome.failures
            }
        }
        print("\(archive): \(cases) cases of \(files.count) files, \(failures.count) failed")
        #expect(cases > 0)
        for failure in failures.sorted().prefix(40) { Issue.record("\(failure)") }
    }

    @Test(arguments: [
        ("ethereum-tests-GeneralStateTests", 12), ("legacy-Cancun-GeneralStateTests", 16),
        ("legacy-Constantinople-GeneralStateTests", 12), ("eest-prague-state_tests", 6),
        ("eest-osaka-devnet5-state_tests", 3),
    ])
    func stateTests(archive: String, sample: Int) async {
        await Self.run(archive, sample: sample) { StateTestFile(name: $0, json: $1).run() }
    }
}
