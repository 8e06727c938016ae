internal import Primitives
internal import Yams

extension YAMLValue {
    /// The value as JSON, for settings that only an adapter reads. Quoted scalars are texts; plain ones are what YAML's
    /// core schema says: null, true, false, numbers, else texts. Hexadecimal numbers (`0x…`) stay texts, as Ethereum
    /// writes them.
    func json() throws(ConfigurationError) -> JSON {
        var budget = 1 << 20
        return try Self.json(node, path, &budget)
    }

    private static func json(
        _ node: Yams.Node, _ path: String, _ budget: inout Int
    ) throws(ConfigurationError) -> JSON {
        budget -= 1
        guard budget > 0 else { throw ConfigurationError("too many values", path: path, line: node.mark?.line) }
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
            return plain(scalar.string)
        case .sequence(let nodes):
            var elements: [JSON] = []
            for node in nodes { elements.append(try json(node, path, &budget)) }
            return .array(elements)
        case .mapping(let pairs):
            var object = JSONObject()
            for (key, value) in pairs {
                guard case .scalar(let name) = key else {
                    throw ConfigurationError("a name is one word", path: path, line: key.mark?.line)
                }
                object.append(name.string, try json(value, "\(path).\(name.string)", &budget))
            }
            return .object(object)
        case .alias:
            throw ConfigurationError("aliases are not supported", path: path, line: node.mark?.line)
        }
    }

    private static func plain(_ text: String) -> JSON {
        switch text {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.utf8.count == 1 || !digits.hasPrefix("0") {
            if let number = Int64(text) { return .integer(number) }
            // Beyond 64 bits: as text, which adapters read as a decimal number.
            return .string(text)
        }
        if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }),
            digits.utf8.first.map({ (0x30...0x39).contains($0) }) == true, let number = Double(text), number.isFinite,
            digits.contains(".") || digits.contains("e") || digits.contains("E")
        {
            return .double(number)
        }
        return .string(text)
    }
}
