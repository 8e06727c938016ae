/// What a member says to a proposal.
public enum Vote: String, Sendable, Hashable, CaseIterable {
    /// It shall be done.
    case yes = "for"
    /// It shall not.
    case no = "against"
    /// The member voted, but says neither.
    case abstain
}

/// The votes on one proposal as they stand.
public struct Tally: Sendable, Hashable {
    /// The members, sorted; each has one vote.
    public let members: [String]
    /// Votes of members by id; only looked up, never iterated.
    private let votes: [String: Vote]
    /// Whether the time for votes is over: who has not voted by then stays silent.
    public let isFinal: Bool

    let yes: Int
    let no: Int
    let abstained: Int

    /// A tally. Votes of others than the members don't count.
    public init(members: [String], votes: [String: Vote], isFinal: Bool = false) {
        self.members = members
        self.votes = votes
        self.isFinal = isFinal
        var counts = (yes: 0, no: 0, abstained: 0)
        for member in members {
            switch votes[member] {
            case .yes: counts.yes += 1
            case .no: counts.no += 1
            case .abstain: counts.abstained += 1
            case nil: break
            }
        }
        (yes, no, abstained) = counts
    }

    /// Members who may still vote.
    var outstanding: Int { isFinal ? 0 : members.count - yes - no - abstained }

    /// The vote of a member; nil for one who has not voted, and for others.
    func vote(of member: String) -> Vote? { votes[member] }
}

/// What can be said of a rule before all have voted: what it gives if each outstanding vote is the worst for it, and if
/// each is the best. Equal when nothing that comes can change it.
public struct Verdict: Sendable, Hashable {
    /// Whether it passes whatever the outstanding votes are.
    public var passes: Bool
    /// Whether it still can pass.
    public var canPass: Bool

    /// A verdict that no vote changes.
    static func certain(_ value: Bool) -> Verdict { Verdict(passes: value, canPass: value) }
}
