/// Compares rules by trying all ways in which the members can vote. Members whom both rules treat alike are counted, not
/// tried one by one, so that networks of usual size are compared exactly; where there would be too many ways, nothing is
/// said.
struct RuleComparison {
    let members: [String]
    /// Ways of voting that are tried at most.
    static let waysMax = 200_000
    /// Conditions that are tried both ways at most.
    static let conditionsMax = 6

    /// Whether `first` never passes without `second`; nil when there are too many ways to try.
    func implies(_ first: VotingRule, _ second: VotingRule) -> Bool? {
        let conditions = Self.distinct(first.conditions + second.conditions)
        guard conditions.count <= Self.conditionsMax else { return nil }
        let classes = classes(first, second)
        var ways = 1 << conditions.count
        for some in classes {
            // Ways to give n members one of four votes: (n + 3 choose 3).
            let n = some.count
            ways = ways.multipliedReportingOverflow(by: (n + 3) * (n + 2) * (n + 1) / 6).partialValue
            guard ways <= Self.waysMax, ways > 0 else { return nil }
        }
        var votes: [String: Vote] = [:]
        return everyWay(classes[...], &votes) { votes in
            let tally = Tally(members: members, votes: votes, isFinal: true)
            for bits in 0..<(1 << conditions.count) {
                let holds: (Condition) -> Bool? = { condition in
                    conditions.firstIndex(of: condition).map { bits >> $0 & 1 == 1 }
                }
                if first.verdict(tally, holds).passes, !second.verdict(tally, holds).passes { return false }
            }
            return true
        }
    }

    /// Whether both pass in the same cases; false also when there are too many to try.
    func areEqual(_ first: VotingRule, _ second: VotingRule) -> Bool {
        first == second || implies(first, second) == true && implies(second, first) == true
    }

    /// Tries all votes of the classes; false as soon as `body` is.
    private func everyWay(
        _ classes: ArraySlice<[String]>, _ votes: inout [String: Vote], _ body: ([String: Vote]) -> Bool
    ) -> Bool {
        guard let some = classes.first else { return body(votes) }
        for yes in 0...some.count {
            for no in 0...(some.count - yes) {
                for abstained in 0...(some.count - yes - no) {
                    for (index, member) in some.enumerated() {
                        votes[member] =
                            index < yes ? .yes : index < yes + no ? .no : index < yes + no + abstained ? .abstain : nil
                    }
                    guard everyWay(classes.dropFirst(), &votes, body) else { return false }
                }
            }
        }
        return true
    }

    /// Members in groups that both rules treat alike, in the order of their first.
    private func classes(_ first: VotingRule, _ second: VotingRule) -> [[String]] {
        var groups: [(signature: [UInt64], members: [String])] = []
        for member in members {
            let signature = first.signature(of: member) + second.signature(of: member)
            if let index = groups.firstIndex(where: { $0.signature == signature }) {
                groups[index].members.append(member)
            } else {
                groups.append((signature, [member]))
            }
        }
        return groups.map(\.members)
    }

    private static func distinct(_ conditions: [Condition]) -> [Condition] {
        var distinct: [Condition] = []
        for condition in conditions where !distinct.contains(condition) { distinct.append(condition) }
        return distinct
    }
}

extension VotingRule {
    fileprivate var conditions: [Condition] {
        switch self {
        case .all(let rules), .any(let rules): rules.flatMap(\.conditions)
        case .when(let condition, let then, let otherwise): [condition] + then.conditions + otherwise.conditions
        default: []
        }
    }

    /// What the rule knows of a member: one number a list that names members.
    fileprivate func signature(of member: String) -> [UInt64] {
        switch self {
        case .count(_, let members): [members.contains(member) ? 1 : 0]
        case .veto(_, let members?): [members.contains(member) ? 1 : 0]
        case .weight(_, let weights): [weights.first { $0.member == member }.map { UInt64($0.weight) + 1 } ?? 0]
        case .all(let rules), .any(let rules): rules.flatMap { $0.signature(of: member) }
        case .when(_, let then, let otherwise): then.signature(of: member) + otherwise.signature(of: member)
        default: []
        }
    }
}
