internal import Yams

/// A section of a YAML file. Names that nobody asked for are reported by ``finish()``: a misspelt limit must not pass for
/// a default.
final class YAMLSection {
    let path: String
    let line: Int?
    let problems: ProblemList
    private var values: [(name: String, line: Int?, value: YAMLValue)] = []
    private var known: [String] = []

    init(_ mapping: Yams.Node.Mapping, path: String, line: Int?, problems: ProblemList) {
        self.path = path
        self.line = line
        self.problems = problems
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                problems.add(path, key.mark?.line, "a name is one word")
                continue
            }
            let place = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
            let wrapped = YAMLValue(node: value, path: place, problems: problems)
            values.append((scalar.string, key.mark?.line, wrapped))
        }
    }

    /// The value of a name; nil when it is not there or has no value.
    subscript(name: String) -> YAMLValue? {
        if !known.contains(name) { known.append(name) }
        return values.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    /// All names with their values, for sections whose names are data.
    var all: [(name: String, value: YAMLValue)] {
        for each in values where !known.contains(each.name) { known.append(each.name) }
        return values.map { ($0.name, $0.value) }
    }

    /// The value of a name that must be there.
    func required(_ name: String) -> YAMLValue? {
        if let value = self[name] { return value }
        problems.add(path.isEmpty ? name : "\(path).\(name)", line, "it is missing")
        return nil
    }

    /// Sets `target` to a text if it is there.
    func read(_ name: String, _ target: inout String) { if let text = self[name]?.text { target = text } }

    /// Sets `target` to a truth value if it is there.
    func read(_ name: String, _ target: inout Bool) { if let value = self[name]?.bool { target = value } }

    /// Sets `target` to a number if it is there.
    func read(_ name: String, in range: ClosedRange<UInt64>, _ target: inout UInt64) {
        if let value = self[name]?.integer(in: range) { target = value }
    }

    /// Sets `target` to a small number if it is there.
    func read(_ name: String, in range: ClosedRange<UInt64>, _ target: inout UInt32) {
        if let value = self[name]?.integer(in: range) { target = UInt32(clamping: value) }
    }

    /// Sets `target` to one of a few words if it is there.
    func read<T: RawRepresentable<String> & CaseIterable>(_ name: String, _ target: inout T) {
        if let value = self[name]?.choice(T.self) { target = value }
    }

    /// Reports every name that was not asked for.
    func finish() {
        for each in values where !known.contains(each.name) {
            problems.add(
                each.value.path, each.line,
                "there is no such setting; here are known: \(known.sorted().joined(separator: ", "))")
        }
    }
}
