internal import Yams

/// Collects problems, so that a person sees all of them at once.
final class ProblemList {
    private(set) var problems: [ConfigurationProblem] = []
    /// More than these help nobody.
    private static let countMax = 100

    func add(_ path: String, _ line: Int?, _ reason: String) {
        guard problems.count < Self.countMax else { return }
        problems.append(ConfigurationProblem(path: path, line: line, reason: reason))
    }

    /// Throws what was collected, if anything.
    func check() throws(ConfigurationError) {
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }
}

/// A value in a YAML file, with its place for error messages.
struct YAMLValue {
    let node: Yams.Node
    let path: String
    let problems: ProblemList

    var line: Int? { node.mark?.line }

    func fail(_ reason: String) { problems.add(path, line, reason) }

    /// The text of a scalar; nil and a problem for anything else.
    var text: String? {
        guard case .scalar(let scalar) = node else {
            fail("it is one value, not a list or a section")
            return nil
        }
        return scalar.string
    }

    /// Whether it is one value.
    var isScalar: Bool {
        if case .scalar = node { true } else { false }
    }

    /// Whether nothing is written where a value could be.
    var isEmpty: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    /// A decimal number in a range.
    func integer(in range: ClosedRange<UInt64>) -> UInt64? {
        guard let text else { return nil }
        guard !text.isEmpty, text.utf8.count <= 20, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(text), range.contains(value)
        else {
            fail("it is a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// `true` or `false`.
    var bool: Bool? {
        switch text {
        case nil: return nil
        case "true": return true
        case "false": return false
        default:
            fail("it is true or false")
            return nil
        }
    }

    /// One of a few words.
    func choice<T: RawRepresentable<String> & CaseIterable>(_ type: T.Type) -> T? {
        guard let text else { return nil }
        guard let value = T(rawValue: text) else {
            fail("it is one of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return value
    }

    /// The elements of a list; one value stands for a list of one.
    var list: [YAMLValue] {
        switch node {
        case .sequence(let nodes):
            return nodes.enumerated().map { YAMLValue(node: $1, path: "\(path)[\($0)]", problems: problems) }
        case .scalar where !isEmpty, .mapping:
            return [YAMLValue(node: node, path: "\(path)[0]", problems: problems)]
        default: return []
        }
    }

    /// The section that the value is; nil and a problem for anything else.
    var section: YAMLSection? {
        guard case .mapping(let mapping) = node else {
            if !isEmpty { fail("it is a section of `name: value` lines") }
            return nil
        }
        return YAMLSection(mapping, path: path, line: line, problems: problems)
    }

    /// The value of a whole file.
    /// - Throws: ``ConfigurationError`` when the text is no YAML, or uses anchors, which could make it grow without end.
    static func parse(
        _ text: String, bytesMax: Int, problems: ProblemList
    ) throws(ConfigurationError) -> YAMLValue {
        guard text.utf8.count <= bytesMax else { throw ConfigurationError("the file is over \(bytesMax) bytes") }
        if let line = YAMLAnchors.firstLine(in: text) { throw Self.unsupported(line) }
        let parser: Yams.Parser
        let root: Yams.Node?
        do {
            parser = try Yams.Parser(yaml: text, encoding: .utf8)
            root = try parser.singleRoot()
        } catch { throw describe(error) }
        guard let root, root.null == nil else { throw ConfigurationError("the file is empty") }
        // The parser holds the anchors' names; nodes point to them weakly.
        let line = withExtendedLifetime(parser) { firstAnchor(root, depth: 0) }
        if let line { throw Self.unsupported(line) }
        return YAMLValue(node: root, path: "", problems: problems)
    }

    private static func unsupported(_ line: Int) -> ConfigurationError {
        ConfigurationError("anchors (&name), aliases and nesting beyond 64 levels are not supported", line: line)
    }

    /// The line of the first anchor. Parents come before children, so a document that refers to itself again and again
    /// is left at its first anchor and never walked through.
    private static func firstAnchor(_ node: Yams.Node, depth: Int) -> Int? {
        if node.anchor != nil || depth > 64 { return node.mark?.line ?? 1 }
        switch node {
        case .scalar: return nil
        case .alias: return node.mark?.line ?? 1
        case .sequence(let nodes):
            for node in nodes { if let line = firstAnchor(node, depth: depth + 1) { return line } }
        case .mapping(let pairs):
            for (key, value) in pairs {
                if let line = firstAnchor(key, depth: depth + 1) ?? firstAnchor(value, depth: depth + 1) { return line }
            }
        }
        return nil
    }

    private static func describe(_ error: any Error) -> ConfigurationError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return ConfigurationError("this is no YAML: \(problem)", line: mark.line)
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.sorted().joined(separator: ", ")
            return ConfigurationError("twice in one section: \(names)", line: context.mark.line)
        default:
            return ConfigurationError("this is no YAML")
        }
    }
}
