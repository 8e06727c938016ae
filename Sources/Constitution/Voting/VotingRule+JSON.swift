public import Primitives

extension VotingRule {
    /// Reads a rule: a short text, or an object with exactly one of
    /// `all: [rules]`, `any: [rules]`, `if: condition, then: rule, else: rule`, `count: M, of: [ids]`,
    /// `weight: W, of: {id: weight}`, `veto: [ids] or "members", count: M`.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    public init(json: JSON, path: String) throws(ConstitutionError) {
        var reader = PolicyReader()
        self = try reader.rule(json, path, depth: 0)
    }

    /// The form that ``init(json:path:)`` reads.
    public var json: JSON {
        switch self {
        case .count(let count, let members):
            ["count": .integer(Int64(count)), "of": .array(members.map { .string($0) })]
        case .weight(let weight, let weights):
            [
                "weight": .integer(Int64(clamping: weight)),
                "of": .object(
                    JSONObject(weights.map { .init(name: $0.member, value: .integer(Int64($0.weight))) })),
            ]
        case .veto(let count, let members):
            [
                "veto": members.map { .array($0.map { .string($0) }) } ?? "members", "count": .integer(Int64(count)),
            ]
        case .all(let rules): ["all": .array(rules.map(\.json))]
        case .any(let rules): ["any": .array(rules.map(\.json))]
        case .when(let condition, let then, let otherwise):
            ["if": condition.json, "then": then.json, "else": otherwise.json]
        default: .string(text ?? "never")
        }
    }
}

extension PolicyReader {
    mutating func rule(_ json: JSON, _ path: String, depth: Int) throws(ConstitutionError) -> VotingRule {
        try enter(path, depth)
        if let text = json.string {
            let rule = try VotingRule(text, path: path)
            if case .atLeast(0) = rule {
                throw .malformed(path, "at least one member must agree; `no vote` needs none")
            }
            return rule
        }
        guard let first = json.object?.members.first?.name else {
            throw .malformed(path, "a rule is a short text, or a section with all, any, if, count, weight or veto")
        }
        switch first {
        case "all", "any":
            let object = try Self.object(json, path, names: [first])
            let rules = try rules(object[first] ?? .null, "\(path).\(first)", depth)
            return first == "all" ? .all(rules) : .any(rules)
        case "if", "then", "else":
            let object = try Self.object(json, path, names: ["if", "then", "else"])
            guard let test = object["if"], let then = object["then"], let otherwise = object["else"] else {
                throw .missing(path, "`if` takes `then` and `else`")
            }
            return .when(
                try condition(test, "\(path).if", depth: depth + 1),
                then: try rule(then, "\(path).then", depth: depth + 1),
                otherwise: try rule(otherwise, "\(path).else", depth: depth + 1))
        case "veto": return try veto(json, path)
        case "weight": return try weight(json, path)
        case "count", "of":
            // `of` may come first; what else is there says which rule it is.
            if json["weight"] != nil { return try weight(json, path) }
            if json["veto"] != nil { return try veto(json, path) }
            let object = try Self.object(json, path, names: ["count", "of"])
            let members = try Self.actors(object["of"] ?? .null, "\(path).of")
            let count = try Self.number(object["count"] ?? .null, "\(path).count")
            guard count >= 1 else { throw .malformed("\(path).count", "at least one member must agree") }
            return .count(UInt32(clamping: count), of: members)
        default:
            throw .malformed(
                path, "there is no rule `\(first.prefix(40))`; known are all, any, if, count, weight, veto")
        }
    }

    private mutating func rules(_ json: JSON, _ path: String, _ depth: Int) throws(ConstitutionError) -> [VotingRule] {
        var rules: [VotingRule] = []
        for (index, each) in try Self.list(json, path).enumerated() {
            rules.append(try rule(each, "\(path)[\(index)]", depth: depth + 1))
        }
        return rules
    }

    private func veto(_ json: JSON, _ path: String) throws(ConstitutionError) -> VotingRule {
        let object = try Self.object(json, path, names: ["veto", "count"])
        let members: [String]? =
            object["veto"]?.string == "members" ? nil : try Self.actors(object["veto"] ?? .null, "\(path).veto")
        let count = try object["count"].map { (json) throws(ConstitutionError) in
            try Self.number(json, "\(path).count")
        }
        guard (count ?? 1) >= 1 else { throw .malformed("\(path).count", "it takes at least one vote against") }
        return .veto(UInt32(clamping: count ?? 1), by: members)
    }

    private func weight(_ json: JSON, _ path: String) throws(ConstitutionError) -> VotingRule {
        let object = try Self.object(json, path, names: ["weight", "of"])
        let weight = try Self.number(object["weight"] ?? .null, "\(path).weight", max: UInt64(Int64.max))
        guard weight >= 1 else { throw .malformed("\(path).weight", "a weight of at least 1 must agree") }
        guard let members = object["of"]?.object?.members, !members.isEmpty else {
            throw .malformed("\(path).of", "it is a section of members and their weights")
        }
        guard members.count <= Self.listMax else { throw .outOfRange("\(path).of", "over \(Self.listMax) members") }
        var weights: [VotingRule.Weight] = []
        var seen: Set<String> = []
        for member in members {
            guard Names.isActorID(member.name) else { throw .malformed("\(path).of", "a name is the id of an actor") }
            guard seen.insert(member.name).inserted else {
                throw .duplicate("\(path).of.\(member.name)", "it is there twice")
            }
            let weight = try Self.number(member.value, "\(path).of.\(member.name)")
            weights.append(.init(member: member.name, weight: UInt32(clamping: weight)))
        }
        return .weight(weight, of: weights)
    }
}
