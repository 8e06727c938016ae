/// A file of CCF's Raft driver, run as that driver does: line by line, each comment and blank line skipped, an assertion
/// that does not hold ends it, and in the end the nodes must come to agree by themselves.
public struct DriverFile {
    /// What came of a file.
    public struct Outcome: Sendable, Hashable {
        /// Commands that were run.
        public let commands: Int
        /// Assertions among them that held.
        public let assertions: Int
        /// What the file asked to see, in order.
        public let printed: [String]
        /// The line at which it ended before its end, and why.
        public let failure: Failure?
    }

    /// Where and why a file did not run through.
    public struct Failure: Sendable, Hashable {
        /// Counted from 1.
        public let line: Int
        /// What was there instead.
        public let reason: String
    }

    /// Runs a file's text on a network of its own.
    public static func run(_ text: String) -> Outcome {
        var runner = ScenarioRunner()
        var (commands, assertions) = (0, 0)
        var printed: [String] = []
        func outcome(_ line: Int, _ reason: String?) -> Outcome {
            Outcome(
                commands: commands, assertions: assertions, printed: printed,
                failure: reason.map { Failure(line: line, reason: $0) })
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let code = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            if code.isEmpty { continue }
            if code.hasPrefix("====") { break }
            guard ScenarioRunner.driverWords(code) != nil else { return outcome(index + 1, "unknown command \(code)") }
            let output = runner.execute(code)
            commands += 1
            if let broken = output.first(where: { $0.hasPrefix("FAILED") || $0.hasPrefix("VIOLATION") }) {
                return outcome(index + 1, broken)
            }
            if code.hasPrefix("assert_") { assertions += 1 } else { printed += output }
        }
        let end = runner.execute("loop_until_sync")
        return outcome(lines.count, end.first)
    }
}
