import EVM
import EthereumAdapter
import Foundation
import Testing

/// The public state tests: each fork up to Osaka. A sample in the normal run; everything with ENTENTE_FULL_TESTS=1.
@Suite("Public state tests")
struct StateTestSuites {
    static let archives = [
        "ethereum-tests-GeneralStateTests", "legacy-Cancun-GeneralStateTests",
        "legacy-Constantinople-GeneralStateTests", "eest-prague-state_tests", "eest-osaka-devnet5-state_tests",
    ]
    /// One file in so many is in the sample.
    static let sampleStride = 41
    /// Left out of the sample: minutes of gas in one file.
    static let slow = ["loopExp", "loopMul", "performanceTester", "CALLBlake2f_MaxRounds", "Call50000_sha256"]

    @Test(.enabled(if: SharedData.exists("evm-tests")), arguments: archives)
    func passes(archive: String) throws {
        var cases = 0
        var failures: [String] = []
        let codeCache = CodeCache()
        for (index, file) in try SharedData.archive(archive).enumerated() {
            let name = file.lastPathComponent
            if !SharedData.runsAll, index % Self.sampleStride != 0 || Self.slow.contains(where: name.contains) {
                continue
            }
            // 2^32 rounds for each of six forks; the other archive has the same test for one.
            if archive.hasPrefix("legacy"), name.hasPrefix("CALLBlake2f_MaxRounds") { continue }
            for test in try StateTest.read(Array(Data(contentsOf: file))) {
                for variant in test.variants {
                    cases += 1
                    if let problem = try test.run(variant, codeCache: codeCache) {
                        failures.append(
                            "\(name) \(test.name) \(variant.fork) d\(variant.data) g\(variant.gas) v\(variant.value): "
                                + problem)
                    }
                }
            }
        }
        #expect(cases > (SharedData.runsAll ? 400 : 10))
        #expect(failures.isEmpty, "\(failures.count) of \(cases): \(failures.prefix(10).joined(separator: "\n"))")
    }
}
