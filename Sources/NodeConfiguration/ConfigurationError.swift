/// One thing wrong with a file that a person wrote.
public struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    /// Where in the document, such as `listeners.node.address`; empty for the document as a whole.
    public var path: String
    /// Line in the file, from 1, where it is known.
    public var line: Int?
    /// What is wrong and what would be right.
    public var reason: String

    /// A problem.
    public init(path: String, line: Int? = nil, reason: String) {
        self.path = path
        self.line = line
        self.reason = reason
    }

    /// `line 3: path: reason`.
    public var description: String {
        let place = path.isEmpty ? "" : "\(path): "
        return (line.map { "line \($0): " } ?? "") + place + reason
    }
}

/// Everything wrong with a file that a person wrote; at least one problem.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problems in the order of the file.
    public let problems: [ConfigurationProblem]

    /// An error of these problems.
    public init(_ problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// An error of one problem.
    public init(_ reason: String, path: String = "", line: Int? = nil) {
        problems = [ConfigurationProblem(path: path, line: line, reason: reason)]
    }

    /// A line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
