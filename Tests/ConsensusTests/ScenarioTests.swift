import Consensus
import FoundationEssentials
import Simulator
import Testing

/// Runs `Scenarios/*.txt`; each names the situation that it guards. `ENTENTE_REWRITE=1` writes what is printed now into
/// the files: then the diff is the review.
@Suite struct ScenarioTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scenarios")

    static var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test func thereAreScenarios() { #expect(Self.files.count >= 40) }

    @Test(arguments: files) func scenario(_ name: String) throws {
        let file = Self.folder.appending(path: name)
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        var runner = ScenarioRunner()
        let outcome = runner.run(text)
        if ProcessInfo.processInfo.environment["ENTENTE_REWRITE"] != nil {
            try Data(outcome.rewritten.utf8).write(to: file)
        } else {
            #expect(outcome.differences.isEmpty, "\(name)")
        }
        #expect(!outcome.rewritten.contains("VIOLATION"))
    }
}
