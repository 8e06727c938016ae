import Conformance
import EVM
import EthereumAdapter
import Foundation
import Testing

/// The public suites. A sample in the normal run; everything with ENTENTE_FULL_TESTS=1.
@Suite("Public Ethereum suites")
struct SuiteTests {
    /// Minutes of gas in one file; left out of the sample.
    static let slow = [
        "loopExp", "loopMul", "performanceTester", "CALLBlake2f_MaxRounds", "Call50000", "ackermann", "fibonacci",
        "Return50000", "static_Call50000", "loop-",
    ]
    static let runsAll = ProcessInfo.processInfo.environment["ENTENTE_FULL_TESTS"] == "1"
    static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["ENTENTE_SHARED_DATA"] {
            return URL(filePath: named).appending(path: "evm-tests")
        }
        return URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "../../../shared/data/evm-tests").standardizedFileURL
    }()
    static let isThere = FileManager.default.fileExists(atPath: folder.path)

    /// Archive, and of how many files one is in the sample.
    @Test(
        .enabled(if: isThere),
        arguments: [
            ("ethereum-tests-GeneralStateTests", 41), ("legacy-Cancun-GeneralStateTests", 41),
            ("legacy-Constantinople-GeneralStateTests", 41), ("eest-prague-state_tests", 12),
            ("eest-osaka-devnet5-state_tests", 3), ("legacy-Constantinople-VMTests", 1),
            ("ethereum-tests-BlockchainTests", 4), ("ethereum-tests-TransactionTests", 1),
            ("ethereum-tests-RLPTests", 1), ("ethereum-tests-TrieTests", 1),
        ])
    func archive(name: String, sample: Int) throws {
        let target = FileManager.default.temporaryDirectory.appending(path: "entente-suite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: target) }
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "xf", Self.folder.appending(path: name + ".tar.xz").path, "-C", target.path]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        try run(target, sample: sample)
    }

    @Test(.enabled(if: isThere))
    func precompiles() throws { try run(Self.folder.appending(path: "precompiles"), sample: 1) }

    private func run(_ folder: URL, sample: Int) throws {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        var passed = 0
        var failures: [String] = []
        for (index, name) in names.filter({ $0.hasSuffix(".json") }).sorted().enumerated() {
            // 2^32 rounds of BLAKE2b a case say nothing that a million don't.
            if name.contains("CALLBlake2f_MaxRounds") { continue }
            if !Self.runsAll, index % sample != 0 || Self.slow.contains(where: name.contains) { continue }
            let text = try Array(Data(contentsOf: folder.appending(path: name)))
            try TestFile(text, name: String(name.split(separator: "/").last ?? "")).run { outcome in
                switch outcome.verdict {
                case .passed: passed += 1
                case .notApplicable: break
                case .failed(let problem):
                    failures.append("\(name) \(outcome.name) \(outcome.fork.map { "\($0)" } ?? ""): \(problem)")
                }
            }
        }
        #expect(passed > 0)
        #expect(failures.isEmpty, "\(failures.count) failed, \(passed) passed: \(failures.prefix(10))")
    }
}
