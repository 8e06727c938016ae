public import Attestation
internal import Primitives

/// Who must agree to something: a finite expression over the members' votes, without loops, names or time, so that
/// judging it always ends, takes time in proportion to its size, and gives every node the same answer.
///
/// Short rules are a text (``init(_:path:)``), longer ones JSON or YAML (``init(json:path:)``); ``words`` says a rule in
/// English. See docs/governance.md.
public indirect enum VotingRule: Sendable, Hashable {
    /// Passes without any vote: for automatic decisions, under a condition.
    case noVote
    /// Never passes: for what a condition rules out.
    case never
    /// All members are for it.
    case unanimous
    /// More than half of the members are for it.
    case majority
    /// At least so many members are for it ("M of N", "one of N").
    case atLeast(UInt32)
    /// At least this share of the members is for it.
    case share(Share)
    /// Of the members that vote for or against, at least this share is for it, and at least one is.
    case shareOfVotes(Share)
    /// At least this share of the members voted; abstentions count.
    case turnout(Share)
    /// At least so many of these members are for it.
    case count(UInt32, of: [ActorID])
    /// Members who are for it weigh at least so much together; a member that is not listed weighs nothing.
    case weight(UInt64, of: [Weight])
    /// Fewer than so many of these members (of all, when nil) are against it; never when none of them is a member.
    case veto(UInt32, by: [ActorID]?)
    /// Each of these passes.
    case all([VotingRule])
    /// At least one of these passes.
    case any([VotingRule])
    /// One rule under a condition, another without it.
    case when(Condition, then: VotingRule, otherwise: VotingRule)

    /// What a member's vote weighs.
    public struct Weight: Sendable, Hashable {
        /// The member.
        public var member: ActorID
        /// Its weight.
        public var weight: UInt32

        /// A weight.
        public init(member: ActorID, weight: UInt32) {
            self.member = member
            self.weight = weight
        }
    }

    /// Parses a short rule, in lower or upper case: `unanimous`, `majority`, `M of N` with M a number and N the letter,
    /// `one of N`, `S of members` and `S of votes` with S a ``Share``, `turnout S`, `no vote`, `never`.
    /// - Throws: ``ConstitutionError/malformed(_:_:)`` at `path`.
    public init(_ text: String, path: String) throws(ConstitutionError) {
        let text = text.lowercased()
        if let rule = Self.simple.first(where: { $0.text == text })?.rule {
            self = rule
        } else if text == "one of n" {
            self = .atLeast(1)
        } else if text.hasSuffix(" of n"), let count = Share.number(text.dropLast(5)) {
            self = .atLeast(count)
        } else if text.hasSuffix(" of members"), let share = Share(text.dropLast(11)) {
            self = .share(share)
        } else if text.hasSuffix(" of votes"), let share = Share(text.dropLast(9)) {
            self = .shareOfVotes(share)
        } else if text.hasPrefix("turnout "), let share = Share(text.dropFirst(8)) {
            self = .turnout(share)
        } else {
            throw .malformed(
                path,
                "a short rule is `unanimous`, `majority`, `M of N` (such as `2 of N`), `60% of members`, `2/3 of votes`, "
                    + "`more than 1/2 of members`, `turnout 50%`, `no vote` or `never`")
        }
    }

    private static let simple: [(text: String, rule: VotingRule)] = [
        ("unanimous", .unanimous), ("majority", .majority), ("no vote", .noVote), ("never", .never),
    ]

    /// The text of a short rule; nil for one that takes JSON.
    public var text: String? {
        switch self {
        case .noVote: "no vote"
        case .never: "never"
        case .unanimous: "unanimous"
        case .majority: "majority"
        case .atLeast(let count): "\(count) of N"
        case .share(let share): "\(share) of members"
        case .shareOfVotes(let share): "\(share) of votes"
        case .turnout(let share): "turnout \(share)"
        case .count, .weight, .veto, .all, .any, .when: nil
        }
    }
}

extension VotingRule: CustomStringConvertible {
    /// The short text, or compact JSON.
    public var description: String { text ?? String(decoding: json.serialized(), as: UTF8.self) }
}
