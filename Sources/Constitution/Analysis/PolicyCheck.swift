internal import Attestation

/// What can be said of voting policies before anybody votes.
public struct PolicyCheck: Sendable {
    /// Something that is wrong with a policy, or that members should know of it.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// How bad it is.
        public enum Severity: String, Sendable, Hashable {
            /// A network with this is refused.
            case error
            /// It works, but not as it looks.
            case warning
        }

        /// How bad it is.
        public let severity: Severity
        /// Where, such as `voting.actions.set_node`.
        public let path: String
        /// What, in words.
        public let reason: String

        /// A line for people.
        public var description: String { "\(severity.rawValue): \(path): \(reason)" }
    }

    private let document: ConstitutionDocument
    private let members: [String]

    /// A check of a document's policies.
    public init(_ document: ConstitutionDocument) {
        self.document = document
        members = document.members.map(\.id).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private var policies: [(path: String, policy: VotingPolicy)] {
        [("voting.standard", document.voting.standard)]
            + document.voting.exceptions.map { ("voting.actions.\($0.action.rawValue)", $0.policy) }
    }

    // MARK: What is refused

    /// What no network may have: a policy that nobody can meet or that has no byte form.
    func refusals() -> [ConstitutionError] {
        var problems: [ConstitutionError] = []
        for (path, policy) in policies {
            if case .atLeast(0) = policy.rule {
                problems.append(.unsafe(path, "0 members decide nothing; `no vote` needs none"))
            } else if (try? VotingPolicy(text: policy.text, path: path)) != policy {
                problems.append(.malformed(path, "the policy has no byte form: a count of 0, or too large or deep"))
            } else if !members.isEmpty, !policy.rule.canPass(members: members) {
                problems.append(.unsafe(path, "nobody can meet it: \(policy.rule.words), of \(members.count) members"))
            }
            if !document.actors.isEmpty, !document.actors.contains(where: policy.mayPropose) {
                problems.append(.unsafe(path, "nobody may propose it"))
            }
        }
        return problems
    }

    // MARK: What members should know

    /// Everything: refusals as errors; as warnings, policies that others make void, parts that never count, names of
    /// nobody.
    public func findings() -> [Finding] {
        var findings = refusals().map { Finding(severity: .error, path: $0.path, reason: $0.reason) }
        guard findings.isEmpty, !members.isEmpty else { return findings }
        for (path, policy) in policies {
            findings += strangers(policy, path)
            findings += silence(policy, path)
            findings += redundancies(policy.rule, path)
        }
        return findings + bypasses()
    }

    private func warning(_ path: String, _ reason: String) -> Finding {
        Finding(severity: .warning, path: path, reason: reason)
    }

    /// Ids in rules that are no member's: a typing mistake, or someone who left.
    private func strangers(_ policy: VotingPolicy, _ path: String) -> [Finding] {
        var named = policy.rule.namedVoters
        if case .listed(let ids) = policy.proposers {
            for id in ids where !document.actors.contains(where: { $0.id == id }) {
                named.append(id)
            }
        }
        var seen: Set<String> = []
        return named.filter { !members.contains($0) && seen.insert($0).inserted }
            .map { id in
                let isActor = document.actors.contains { $0.id == id }
                return warning(path, "\(id) is \(isActor ? "no member and has no vote" : "no actor")")
            }
    }

    /// A rule that waits for someone to say no waits for ever when there is no deadline.
    private func silence(_ policy: VotingPolicy, _ path: String) -> [Finding] {
        guard policy.deadlineMilliseconds == nil else { return [] }
        let everyone = Dictionary(members.map { ($0, Vote.yes) }, uniquingKeysWith: { $1 })
        for member in members {
            var votes = everyone
            votes[member] = nil
            let verdict = policy.rule.verdict(Tally(members: members, votes: votes)) { _ in nil }
            let final = policy.rule.verdict(Tally(members: members, votes: votes, isFinal: true)) { _ in nil }
            if final.passes, !verdict.passes {
                return [
                    warning(
                        path,
                        "a member that stays silent, such as \(member), holds a proposal up for ever, as there is no deadline"
                    )
                ]
            }
        }
        return []
    }

    /// Parts of `all` and `any` that never change the result.
    private func redundancies(_ rule: VotingRule, _ path: String) -> [Finding] {
        var findings: [Finding] = []
        switch rule {
        case .all(let rules), .any(let rules):
            let isAll = if case .all = rule { true } else { false }
            for (index, part) in rules.enumerated() {
                findings += redundancies(part, path)
                for (other, rival) in rules.enumerated() where other != index {
                    // Of two equal parts the later one is the one too many.
                    let implied = RuleComparison(members: members).implies(isAll ? rival : part, isAll ? part : rival)
                    guard implied == true else { continue }
                    let isEqual = RuleComparison(members: members).implies(isAll ? part : rival, isAll ? rival : part)
                    if isEqual == true, other > index { continue }
                    findings.append(warning(path, "`\(part.words)` is dominated by `\(rival.words)` and never counts"))
                    break
                }
            }
        case .when(_, let then, let otherwise):
            findings += redundancies(then, path) + redundancies(otherwise, path)
            if RuleComparison(members: members).areEqual(then, otherwise) {
                findings.append(warning(path, "both cases of `if` come to the same"))
            }
        default: break
        }
        return findings
    }

    /// Policies that those who can change the voting policy, or add members, can get around.
    private func bypasses() -> [Finding] {
        let key = document.voting.policy(for: .setVotingPolicy)
        let keyPath = path(of: .setVotingPolicy)
        var findings: [Finding] = []
        var seen: Set<String> = []
        for action in GovernanceAction.allCases where action != .setVotingPolicy && action != .removeVotingPolicy {
            let policy = document.voting.policy(for: action)
            guard policy.rule != key.rule, seen.insert(path(of: action)).inserted else { continue }
            if RuleComparison(members: members).implies(key.rule, policy.rule) == false {
                findings.append(
                    warning(
                        path(of: action),
                        "dominated by \(keyPath): whoever can change the voting policy (\(key.rule.words)) need not meet "
                            + "it (\(policy.rule.words))"))
            }
        }
        let remove = document.voting.policy(for: .removeVotingPolicy)
        if remove.rule != key.rule, RuleComparison(members: members).implies(remove.rule, key.rule) == false {
            findings.append(
                warning(
                    keyPath,
                    "dominated by \(path(of: .removeVotingPolicy)): \(remove.rule.words) is enough to take a policy away"
                ))
        }
        let admit = document.voting.policy(for: .setMember)
        if admit.rule != key.rule, RuleComparison(members: members).implies(admit.rule, key.rule) == false {
            findings.append(
                warning(
                    keyPath,
                    "dominated by \(path(of: .setMember)): those who can add members (\(admit.rule.words)) can make "
                        + "themselves the most, and members can be known to one another"))
        }
        return findings
    }

    private func path(of action: GovernanceAction) -> String {
        document.voting.exceptions.contains { $0.action == action }
            ? "voting.actions.\(action.rawValue)" : "voting.standard"
    }
}

extension VotingRule {
    /// Ids that the rule names as voters, in its order.
    var namedVoters: [String] {
        switch self {
        case .count(_, let members): members
        case .weight(_, let weights): weights.map(\.member)
        case .veto(_, let members): members ?? []
        case .all(let rules), .any(let rules): rules.flatMap(\.namedVoters)
        case .when(_, let then, let otherwise): then.namedVoters + otherwise.namedVoters
        default: []
        }
    }
}
