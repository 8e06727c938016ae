internal import Attestation
public import Primitives

extension Condition {
    /// Reads a condition: an object; several names in one object mean all of them.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    public init(json: JSON, path: String) throws(ConstitutionError) {
        var reader = PolicyReader()
        self = try reader.condition(json, path, depth: 0)
    }

    /// The form that ``init(json:path:)`` reads.
    public var json: JSON {
        switch self {
        case .all(let conditions): ["all": .array(conditions.map(\.json))]
        case .any(let conditions): ["any": .array(conditions.map(\.json))]
        case .not(let condition): ["not": condition.json]
        case .proposer(let parties): ["proposer": parties.json]
        case .proposerIsOwner: ["proposer": "owner"]
        case .owner(let parties): ["owner": parties.json]
        case .ownerNodes(let bound): ["ownerNodes": bound.json]
        case .codeEndorsed(let rule): ["codeEndorsed": rule.json]
        case .keeps(let traits): ["keeps": .array(traits.map { .string($0.rawValue) })]
        case .platform(let platforms): ["platform": .array(platforms.map { .string($0.rawValue) })]
        case .parameters(let bounds):
            [
                "parameters": .array(
                    bounds.map { bound in
                        var object = JSONObject([.init(name: "name", value: .string(bound.name))])
                        if let value = bound.atLeast { object.append("atLeast", .integer(Int64(clamping: value))) }
                        if let value = bound.atMost { object.append("atMost", .integer(Int64(clamping: value))) }
                        return .object(object)
                    })
            ]
        case .actions(let bound): ["actions": bound.json]
        case .onlyWith(let kinds): ["onlyWith": .array(kinds.map { .string($0.rawValue) })]
        case .members(let bound): ["members": bound.json]
        case .participants(let bound): ["participants": bound.json]
        case .nodes(let bound): ["nodes": bound.json]
        case .open(let isOpen): ["open": .bool(isOpen)]
        }
    }
}

extension Condition.Parties {
    fileprivate var json: JSON {
        switch self {
        case .member: "member"
        case .participant: "participant"
        case .actor: "actor"
        case .listed(let ids): .array(ids.map { .string($0) })
        }
    }
}

extension Condition.Bound {
    fileprivate var json: JSON {
        var object = JSONObject()
        if let atLeast { object.append("atLeast", .integer(Int64(atLeast))) }
        if let atMost { object.append("atMost", .integer(Int64(atMost))) }
        return .object(object)
    }
}

extension PolicyReader {
    private static let names = [
        "all", "any", "not", "proposer", "owner", "ownerNodes", "codeEndorsed", "keeps", "platform", "parameters",
        "actions", "onlyWith", "members", "participants", "nodes", "open",
    ]

    mutating func condition(_ json: JSON, _ path: String, depth: Int) throws(ConstitutionError) -> Condition {
        try enter(path, depth)
        let object = try Self.object(json, path, names: Self.names)
        var conditions: [Condition] = []
        for member in object.members {
            conditions.append(try condition(member.name, member.value, "\(path).\(member.name)", depth))
        }
        guard let first = conditions.first else { throw .missing(path, "a condition says at least one thing") }
        return conditions.count == 1 ? first : .all(conditions)
    }

    private mutating func condition(
        _ name: String, _ json: JSON, _ path: String, _ depth: Int
    ) throws(ConstitutionError) -> Condition {
        switch name {
        case "all", "any":
            var conditions: [Condition] = []
            for (index, each) in try Self.list(json, path).enumerated() {
                conditions.append(try condition(each, "\(path)[\(index)]", depth: depth + 1))
            }
            return name == "all" ? .all(conditions) : .any(conditions)
        case "not": return .not(try condition(json, path, depth: depth + 1))
        case "proposer":
            return json.string == "owner" ? .proposerIsOwner : .proposer(try Self.parties(json, path))
        case "owner": return .owner(try Self.parties(json, path))
        case "ownerNodes": return .ownerNodes(try Self.bound(json, path))
        case "codeEndorsed": return .codeEndorsed(by: try rule(json, path, depth: depth + 1))
        case "keeps": return .keeps(try Self.words(json, path))
        case "platform": return .platform(try Self.words(json, path))
        case "parameters": return .parameters(try Self.parameterBounds(json, path))
        case "actions": return .actions(try Self.bound(json, path))
        case "onlyWith": return .onlyWith(try Self.words(json, path))
        case "members": return .members(try Self.bound(json, path))
        case "participants": return .participants(try Self.bound(json, path))
        case "nodes": return .nodes(try Self.bound(json, path))
        default:
            guard let isOpen = json.bool else { throw .malformed(path, "it is true or false") }
            return .open(isOpen)
        }
    }

    private static func parties(_ json: JSON, _ path: String) throws(ConstitutionError) -> Condition.Parties {
        switch json.string {
        case "member": return .member
        case "participant": return .participant
        case "actor": return .actor
        case nil: return .listed(try actors(json, path))
        default: throw .malformed(path, "it is member, participant, actor or a list of ids")
        }
    }

    private static func bound(_ json: JSON, _ path: String) throws(ConstitutionError) -> Condition.Bound {
        let object = try object(json, path, names: ["atLeast", "atMost"])
        var bound = Condition.Bound()
        if let value = object["atLeast"] { bound.atLeast = UInt32(clamping: try number(value, "\(path).atLeast")) }
        if let value = object["atMost"] { bound.atMost = UInt32(clamping: try number(value, "\(path).atMost")) }
        guard bound != .init() else { throw .missing(path, "it takes atLeast, atMost or both") }
        return bound
    }

    private static func parameterBounds(
        _ json: JSON, _ path: String
    ) throws(ConstitutionError) -> [Condition.ParameterBound] {
        var bounds: [Condition.ParameterBound] = []
        for (index, each) in try list(json, path).enumerated() {
            let path = "\(path)[\(index)]"
            let object = try object(each, path, names: ["name", "atLeast", "atMost"])
            var bound = Condition.ParameterBound(name: try text(object["name"] ?? .null, "\(path).name"))
            guard Setting(name: bound.name) != nil else {
                throw .unknown("\(path).name", "there is no parameter \(bound.name.prefix(60))")
            }
            let max = UInt64(Int64.max)
            if let value = object["atLeast"] { bound.atLeast = try number(value, "\(path).atLeast", max: max) }
            if let value = object["atMost"] { bound.atMost = try number(value, "\(path).atMost", max: max) }
            guard !bounds.contains(where: { $0.name == bound.name }) else {
                throw .duplicate("\(path).name", "\(bound.name) is there twice")
            }
            bounds.append(bound)
        }
        return bounds
    }
}
