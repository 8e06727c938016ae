public import Attestation
public import Primitives

/// How one kind of action is decided: who may propose it, who must agree, and in what time.
public struct VotingPolicy: Sendable, Hashable {
    /// Who may propose.
    public enum Proposers: Sendable, Hashable {
        /// Members.
        case members
        /// Members and participants.
        case actors
        /// These.
        case listed([ActorID])
    }

    /// Who must agree.
    public var rule: VotingRule
    /// Who may propose.
    public var proposers: Proposers
    /// Milliseconds of ledger time for which votes are taken before anything is decided; 0 decides as soon as possible. A
    /// proposal that passes without a vote does not wait.
    public var openMilliseconds: UInt64
    /// Milliseconds of ledger time after which the votes that are there decide; nil for none.
    public var deadlineMilliseconds: UInt64?

    /// A policy.
    public init(
        rule: VotingRule, proposers: Proposers = .members, openMilliseconds: UInt64 = 0,
        deadlineMilliseconds: UInt64? = nil
    ) {
        self.rule = rule
        self.proposers = proposers
        self.openMilliseconds = openMilliseconds
        self.deadlineMilliseconds = deadlineMilliseconds
    }

    /// Bytes of a policy's text at most.
    public static let byteCountMax = 1 << 16

    /// Reads a policy: a rule alone, or an object `rule: …, propose: members | actors | [ids], open: "1 day",
    /// deadline: "7 days"` of which only the rule must be there.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    public init(json: JSON, path: String) throws(ConstitutionError) {
        guard json["rule"] != nil else {
            self.init(rule: try VotingRule(json: json, path: path))
            return
        }
        let object = try PolicyReader.object(json, path, names: ["rule", "propose", "open", "deadline"])
        self.init(rule: try VotingRule(json: object["rule"] ?? .null, path: "\(path).rule"))
        if let json = object["propose"] {
            switch json.string {
            case "members": proposers = .members
            case "actors": proposers = .actors
            case nil: proposers = .listed(try PolicyReader.actors(json, "\(path).propose"))
            default: throw .malformed("\(path).propose", "it is members, actors or a list of ids")
            }
        }
        if let json = object["open"] { openMilliseconds = try Self.duration(json, "\(path).open") }
        if let json = object["deadline"] { deadlineMilliseconds = try Self.duration(json, "\(path).deadline") }
        if let deadlineMilliseconds, deadlineMilliseconds < max(1, openMilliseconds) {
            throw .outOfRange("\(path).deadline", "it is over before anything may be decided")
        }
    }

    private static func duration(_ json: JSON, _ path: String) throws(ConstitutionError) -> UInt64 {
        guard let text = json.string, let value = DurationText.milliseconds(text) else {
            throw .malformed(path, "it is a time such as `12 hours` or `7 days`, ten years at most")
        }
        return value
    }

    /// Reads the text that ``text`` gives.
    /// - Throws: ``ConstitutionError``.
    package init(text: String, path: String) throws(ConstitutionError) {
        guard text.utf8.first == UInt8(ascii: "{") else {
            self.init(rule: try VotingRule(text, path: path))
            return
        }
        let json: JSON
        do {
            json = try JSON(
                parsing: Array(text.utf8),
                limits: JSONLimits(bytesMax: Self.byteCountMax, depthMax: 64, valuesMax: 1 << 14))
        } catch { throw .malformed(path, "\(error)") }
        try self.init(json: json, path: path)
    }

    /// The form that ``init(json:path:)`` reads.
    public var json: JSON {
        guard proposers != .members || openMilliseconds != 0 || deadlineMilliseconds != nil else { return rule.json }
        var object = JSONObject([.init(name: "rule", value: rule.json)])
        switch proposers {
        case .members: break
        case .actors: object.append("propose", "actors")
        case .listed(let ids): object.append("propose", .array(ids.map { .string($0) }))
        }
        if openMilliseconds > 0 { object.append("open", .string(DurationText.text(openMilliseconds))) }
        if let deadlineMilliseconds { object.append("deadline", .string(DurationText.text(deadlineMilliseconds))) }
        return .object(object)
    }

    /// One text for one policy: the short rule, or compact JSON.
    package var text: String { json.string ?? String(decoding: json.serialized(), as: UTF8.self) }

    /// Whether an actor may propose.
    public func mayPropose(_ actor: Actor) -> Bool {
        switch proposers {
        case .members: actor.isMember
        case .actors: true
        case .listed(let ids): ids.contains(actor.id)
        }
    }
}
