internal import Attestation

/// Says policies in English, so that a member can read what it is asked to agree to.
extension VotingRule {
    /// The rule as a phrase: what must be so for an action to pass.
    public var words: String {
        switch self {
        case .noVote: "no vote is needed"
        case .never: "it is never allowed"
        case .unanimous: "all members agree"
        case .majority: "more than half of the members agree"
        case .atLeast(1): "one member agrees"
        case .atLeast(let count): "at least \(count) members agree"
        case .share(let share): "\(Self.words(share)) of the members agree"
        case .shareOfVotes(let share): "\(Self.words(share)) of the votes for and against are for it"
        case .turnout(let share): "\(Self.words(share)) of the members have voted"
        case .count(let count, let members):
            count >= members.count
                ? "\(Phrase.list(members, "and")) agree\(members.count == 1 ? "s" : "")"
                : "at least \(count) of \(Phrase.list(members, "and")) agree"
        case .weight(let weight, let weights):
            "members weighing at least \(weight) agree ("
                + weights.map { "\($0.member) weighs \($0.weight)" }.joined(separator: ", ") + ")"
        case .veto(1, nil): "no member votes against it"
        case .veto(let count, nil): "fewer than \(count) members vote against it"
        case .veto(1, let members?): "\(Phrase.none(members)) against it"
        case .veto(let count, let members?):
            "fewer than \(count) of \(Phrase.list(members, "and")) vote against it"
        case .all(let rules): Phrase.join(rules.map(\.words), "and")
        case .any(let rules): Phrase.join(rules.map(\.words), "or")
        case .when(let condition, let then, let otherwise):
            "if \(condition.words): \(then.words); otherwise: \(otherwise.words)"
        }
    }

    private static func words(_ share: Share) -> String {
        share.isMoreThan ? share.description : "at least \(share)"
    }
}

extension Condition {
    /// The condition as a phrase that is true or false.
    public var words: String {
        switch self {
        case .all(let conditions): Phrase.join(conditions.map(\.words), "and")
        case .any(let conditions): Phrase.join(conditions.map(\.words), "or")
        case .not(let condition): "not (\(condition.words))"
        case .proposer(let parties): "the proposer is \(parties.words)"
        case .proposerIsOwner: "the proposer owns what it is about"
        case .owner(let parties): "the actor that it is about is \(parties.words)"
        case .ownerNodes(let bound): "the owner then has \(bound.words) VNs"
        case .codeEndorsed(.majority): "the VN runs code that a majority endorsed"
        case .codeEndorsed(let rule): "the VN runs listed code to which applies: \(rule.words)"
        case .keeps(let traits): "the VN keeps the \(Phrase.list(traits.map(\.rawValue), "and")) of the one it replaces"
        case .platform(let platforms): "the platform is \(Phrase.list(platforms.map(\.rawValue), "or"))"
        case .parameters(let bounds): "it sets only \(Phrase.list(bounds.map(\.words), "and"))"
        case .actions(let bound): "the proposal has \(bound.words) actions"
        case .onlyWith(let kinds): "the proposal has only \(Phrase.list(kinds.map(\.rawValue), "and"))"
        case .members(let bound): "there are \(bound.words) members"
        case .participants(let bound): "there are \(bound.words) participants"
        case .nodes(let bound): "there are \(bound.words) VNs"
        case .open(true): "the network is open to transactions"
        case .open(false): "the network is closed to transactions"
        }
    }
}

extension Condition.Parties {
    fileprivate var words: String {
        switch self {
        case .member: "a member"
        case .participant: "a participant"
        case .actor: "any actor"
        case .listed(let ids): Phrase.list(ids, "or")
        }
    }
}

extension Condition.Bound {
    fileprivate var words: String {
        switch (atLeast, atMost) {
        case (let least?, let most?): least == most ? "exactly \(least)" : "\(least) to \(most)"
        case (let least?, nil): "at least \(least)"
        case (nil, let most?): "at most \(most)"
        case (nil, nil): "any number of"
        }
    }
}

extension Condition.ParameterBound {
    fileprivate var words: String {
        switch (atLeast, atMost) {
        case (let least?, let most?): "\(name) from \(least) to \(most)"
        case (let least?, nil): "\(name) to at least \(least)"
        case (nil, let most?): "\(name) to at most \(most)"
        case (nil, nil): name
        }
    }
}

extension VotingPolicy {
    /// The whole policy as one sentence.
    public var words: String {
        let who =
            switch proposers {
            case .members: "A member proposes"
            case .actors: "Any actor proposes"
            case .listed(let ids): "\(Phrase.list(ids, "or")) proposes"
            }
        var text = "\(who); it passes when \(rule.words)"
        if case .when = rule { text = "\(who); \(rule.words)" }
        if openMilliseconds > 0 { text += "; nothing is decided before \(DurationText.text(openMilliseconds))" }
        if let deadlineMilliseconds {
            text += "; after \(DurationText.text(deadlineMilliseconds)) the votes that are there decide"
        }
        return text + "."
    }
}

private enum Phrase {
    static func list(_ words: [String], _ last: String) -> String {
        guard words.count > 1, let end = words.last else { return words.first ?? "nobody" }
        return words.dropLast().joined(separator: ", ") + " \(last) \(end)"
    }

    static func none(_ members: [String]) -> String {
        switch members.count {
        case 1: "\(members[0]) does not vote"
        default: "none of \(list(members, "and")) votes"
        }
    }

    /// Joins phrases; brackets keep apart what has parts of its own.
    static func join(_ phrases: [String], _ word: String) -> String {
        guard phrases.count > 1 else { return phrases.first ?? "" }
        let isPlain = phrases.allSatisfy { !$0.contains(" and ") && !$0.contains(" or ") && !$0.hasPrefix("if ") }
        return (isPlain ? phrases : phrases.map { "(\($0))" }).joined(separator: " \(word) ")
    }
}
