/// Why a file is no replay case or state test. Says where in the file, never traps.
public struct CaseFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where: names and indices from the top, such as `transactions[3].raw`.
    public let path: String
    /// What is wrong there.
    public let problem: String

    package init(_ path: String, _ problem: String) {
        self.path = path
        self.problem = problem
    }

    /// The place and the problem.
    public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}
