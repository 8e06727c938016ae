internal import Primitives

/// Reads the JSON of policies, rules and conditions within limits of depth and size, and refuses names that nobody asked
/// for: a misspelt condition must not pass for none.
struct PolicyReader {
    /// Parts of one policy, rules and conditions together.
    static let partsMax = 256
    /// How deep parts may nest.
    static let depthMax = 16
    /// Elements of one list.
    static let listMax = 1024

    private var parts = 0

    /// Counts one more part at a depth.
    mutating func enter(_ path: String, _ depth: Int) throws(ConstitutionError) {
        parts += 1
        guard parts <= Self.partsMax else { throw .outOfRange(path, "a policy of over \(Self.partsMax) parts") }
        guard depth <= Self.depthMax else { throw .outOfRange(path, "parts nested over \(Self.depthMax) deep") }
    }

    static func object(
        _ json: JSON, _ path: String, names: [String]
    ) throws(ConstitutionError) -> JSONObject {
        guard let object = json.object else { throw .malformed(path, "it is a section of names and values") }
        var seen: Set<String> = []
        for member in object.members {
            guard names.contains(member.name) else {
                throw .malformed(
                    path, "there is no `\(member.name.prefix(40))` here; known are \(names.joined(separator: ", "))")
            }
            guard seen.insert(member.name).inserted else {
                throw .duplicate("\(path).\(member.name)", "it is there twice")
            }
        }
        return object
    }

    static func list(_ json: JSON, _ path: String) throws(ConstitutionError) -> [JSON] {
        guard let list = json.array, !list.isEmpty else { throw .malformed(path, "it is a list of at least one") }
        guard list.count <= Self.listMax else { throw .outOfRange(path, "a list of over \(Self.listMax)") }
        return list
    }

    static func number(_ json: JSON, _ path: String, max: UInt64 = UInt64(UInt32.max)) throws(ConstitutionError)
        -> UInt64
    {
        guard let value = json.integer, let number = UInt64(exactly: value), number <= max else {
            throw .malformed(path, "it is a whole number up to \(max)")
        }
        return number
    }

    static func text(_ json: JSON, _ path: String) throws(ConstitutionError) -> String {
        guard let text = json.string else { throw .malformed(path, "it is a text") }
        return text
    }

    static func word<T: RawRepresentable<String> & CaseIterable>(
        _ json: JSON, _ path: String
    ) throws(ConstitutionError) -> T {
        guard let text = json.string, let value = T(rawValue: text) else {
            throw .malformed(path, "it is one of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }

    static func words<T: RawRepresentable<String> & CaseIterable & Hashable>(
        _ json: JSON, _ path: String
    ) throws(ConstitutionError) -> [T] {
        var values: [T] = []
        for (index, each) in try list(json, path).enumerated() {
            let value: T = try word(each, "\(path)[\(index)]")
            guard !values.contains(value) else { throw .duplicate("\(path)[\(index)]", "it is there twice") }
            values.append(value)
        }
        return values
    }

    /// Ids of actors, each once.
    static func actors(_ json: JSON, _ path: String) throws(ConstitutionError) -> [String] {
        var ids: [String] = []
        var seen: Set<String> = []
        for (index, each) in try list(json, path).enumerated() {
            guard let id = each.string, Names.isActorID(id) else {
                throw .malformed("\(path)[\(index)]", "it is the id of an actor")
            }
            guard seen.insert(id).inserted else { throw .duplicate("\(path)[\(index)]", "\(id) is there twice") }
            ids.append(id)
        }
        return ids
    }
}
