/// Judging a rule. Votes decide as soon as no outstanding vote can change the result; each part of a rule is judged by
/// itself, at its own worst and best. A part that more votes for can only help (all but vetoes, shares of votes and
/// turnout are such) is thus decided exactly when enough are for it; a veto is off the table when those who have it have
/// voted, or at the deadline.
extension VotingRule {
    /// Judges the rule.
    /// - Parameter conditions: says whether a condition holds; nil when that is not known, which makes both cases
    ///   possible.
    public func verdict(_ tally: Tally, _ conditions: (Condition) -> Bool?) -> Verdict {
        let members = tally.members.count
        let yes = tally.yes
        let outstanding = tally.outstanding
        switch self {
        case .noVote: return .certain(true)
        case .never: return .certain(false)
        case .unanimous: return Self.verdict(yes, outstanding) { $0 >= members && members > 0 }
        case .majority: return Self.verdict(yes, outstanding) { $0 > members / 2 }
        case .atLeast(let count): return Self.verdict(yes, outstanding) { $0 >= max(1, Int(count)) }
        case .share(let share): return Self.verdict(yes, outstanding) { share.isReached($0, of: members) }
        case .shareOfVotes(let share):
            let cast = yes + tally.no
            return Verdict(
                passes: yes > 0 && share.isReached(yes, of: cast + outstanding),
                canPass: yes + outstanding > 0 && share.isReached(yes + outstanding, of: cast + outstanding))
        case .turnout(let share):
            return Self.verdict(yes + tally.no + tally.abstained, outstanding) { share.isReached($0, of: members) }
        case .count(let count, let some):
            let votes = Self.count(some, tally)
            return Self.verdict(votes.yes, votes.outstanding) { $0 >= max(1, Int(count)) }
        case .weight(let least, let weights):
            let weight = Self.weigh(weights, tally)
            return Verdict(passes: weight.yes >= max(1, least), canPass: weight.best >= max(1, least))
        case .veto(let count, let some):
            // A veto of nobody is no agreement: who removes the last that has one must change the rule as well.
            guard (some ?? tally.members).contains(where: tally.isMember) else { return .certain(false) }
            let votes = Self.count(some ?? tally.members, tally)
            return Verdict(
                passes: votes.no + votes.outstanding < max(1, Int(count)), canPass: votes.no < max(1, Int(count)))
        case .all(let rules):
            return rules.reduce(.certain(true)) {
                let next = $1.verdict(tally, conditions)
                return Verdict(passes: $0.passes && next.passes, canPass: $0.canPass && next.canPass)
            }
        case .any(let rules):
            return rules.reduce(.certain(false)) {
                let next = $1.verdict(tally, conditions)
                return Verdict(passes: $0.passes || next.passes, canPass: $0.canPass || next.canPass)
            }
        case .when(let condition, let then, let otherwise):
            switch conditions(condition) {
            case true?: return then.verdict(tally, conditions)
            case false?: return otherwise.verdict(tally, conditions)
            case nil:
                let one = then.verdict(tally, conditions)
                let other = otherwise.verdict(tally, conditions)
                return Verdict(passes: one.passes && other.passes, canPass: one.canPass || other.canPass)
            }
        }
    }

    private static func verdict(_ sure: Int, _ outstanding: Int, _ isEnough: (Int) -> Bool) -> Verdict {
        Verdict(passes: isEnough(sure), canPass: isEnough(sure + outstanding))
    }

    /// Votes of some members; who is no member (any more) has none.
    private static func count(_ some: [String], _ tally: Tally) -> (yes: Int, no: Int, outstanding: Int) {
        var counts = (yes: 0, no: 0, outstanding: 0)
        for member in some where tally.isMember(member) {
            switch tally.vote(of: member) {
            case .yes: counts.yes += 1
            case .no: counts.no += 1
            case .abstain: break
            case nil: if !tally.isFinal { counts.outstanding += 1 }
            }
        }
        return counts
    }

    private static func weigh(_ weights: [Weight], _ tally: Tally) -> (yes: UInt64, best: UInt64) {
        var sums: (yes: UInt64, best: UInt64) = (0, 0)
        for each in weights where tally.isMember(each.member) {
            // At most 1024 weights of 32 bits: no overflow.
            switch tally.vote(of: each.member) {
            case .yes:
                sums.yes += UInt64(each.weight)
                sums.best += UInt64(each.weight)
            case .no, .abstain: break
            case nil: if !tally.isFinal { sums.best += UInt64(each.weight) }
            }
        }
        return sums
    }

    /// Whether the rule passes under some conditions when all members are for it.
    package func canPass(members: [String]) -> Bool {
        verdict(Tally(members: members, votes: [:])) { _ in nil }.canPass
    }

    /// Whether the rule passes with just these votes, as at the deadline.
    package func passes(_ votes: [String: Vote], members: [String], _ conditions: (Condition) -> Bool? = { _ in nil })
        -> Bool
    {
        verdict(Tally(members: members, votes: votes, isFinal: true), conditions).passes
    }
}

extension Tally {
    /// Whether an id is a member's. Members are sorted.
    func isMember(_ id: String) -> Bool {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle] == id { return true }
            if members[middle].utf8.lexicographicallyPrecedes(id.utf8) { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
