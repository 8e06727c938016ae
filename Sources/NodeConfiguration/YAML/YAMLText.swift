public import Primitives

/// Writes JSON values as YAML for people. Reading it back gives the same values.
public enum YAMLText {
    /// The text of a value, with a line end.
    public static func text(_ value: JSON) -> String {
        var text = ""
        switch value {
        case .object(let object) where !object.members.isEmpty: write(object, "", &text)
        case .array(let list) where !list.isEmpty: write(list, "", &text)
        default: text = scalar(value) + "\n"
        }
        return text
    }

    /// The value that a YAML text says, by the rules of settings in configuration files.
    /// - Throws: ``ConfigurationError``.
    package static func json(of text: String) throws(ConfigurationError) -> JSON {
        let problems = ProblemList()
        return try YAMLValue.parse(text, bytesMax: 1 << 20, problems: problems).json()
    }

    private static func write(_ object: JSONObject, _ indent: String, _ text: inout String) {
        for member in object.members {
            text += indent + string(member.name) + ":"
            write(behindName: member.value, indent, &text)
        }
    }

    private static func write(_ list: [JSON], _ indent: String, _ text: inout String) {
        for element in list {
            guard case .object(let object) = element, let first = object.members.first else {
                text += indent + "-"
                write(behindName: element, indent, &text)
                continue
            }
            // The first name stands beside the dash.
            text += "\(indent)- \(string(first.name)):"
            write(behindName: first.value, indent + "  ", &text)
            write(JSONObject(Array(object.members.dropFirst())), indent + "  ", &text)
        }
    }

    private static func write(behindName value: JSON, _ indent: String, _ text: inout String) {
        switch value {
        case .object(let object) where !object.members.isEmpty:
            text += "\n"
            write(object, indent + "  ", &text)
        case .array(let list) where !list.isEmpty:
            text += "\n"
            write(list, indent + "  ", &text)
        case .string(let string) where isBlock(string):
            text += " |\n"
            for line in string.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
                text += "\(indent)  \(line)\n"
            }
        default: text += " \(scalar(value))\n"
        }
    }

    /// A text of several plain lines, such as PEM, that a literal block gives back as it is.
    private static func isBlock(_ text: String) -> Bool {
        text.hasSuffix("\n") && !text.hasSuffix("\n\n") && text.utf8.first != 0x0a && text.utf8.first != 0x20
            && text.utf8.allSatisfy { $0 == 0x0a || (0x20...0x7e).contains($0) } && text.utf8.count > 1
    }

    private static func scalar(_ value: JSON) -> String {
        switch value {
        case .string(let text): string(text)
        case .object: "{}"
        case .array: "[]"
        default: String(decoding: value.serialized(), as: UTF8.self)
        }
    }

    /// A text plain where that can be nothing else, or else in double quotes, which read as in JSON.
    private static func string(_ text: String) -> String {
        let isWord =
            text.utf8.first.map { (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) } == true
            && text.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
                    || $0 == 0x5f || $0 == 0x2e || $0 == 0x2d || $0 == 0x20
            } && text.utf8.last != 0x20
        let isReserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        return isWord && !isReserved ? text : String(decoding: JSON.string(text).serialized(), as: UTF8.self)
    }
}
