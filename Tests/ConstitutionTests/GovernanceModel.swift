import Constitution

/// A small model of governance, written apart from the product: members are numbers, the constitution a handful of
/// dictionaries, a rule's verdict what trying every outstanding vote shows.
struct GovernanceModel: Sendable {
    enum Rule: Hashable, Sendable {
        case noVote, never, unanimous, majority
        case atLeast(Int)
        /// At least, or more than, `part` of `whole`, of the members.
        case share(Int, Int, more: Bool)
        case ofVotes(Int, Int)
        case turnout(Int, Int)
        case count(Int, [Int])
        case weight(Int, [Int: Int])
        case veto(Int, [Int]?)
        indirect case all([Rule])
        indirect case any([Rule])
        indirect case when(Test, Rule, Rule)
    }
    enum Test: Hashable, Sendable {
        case open
        case proposerIsOwner
        case membersAtLeast(Int)
        /// The paper's: own node, at most so many, with evidence.
        case ownNodes(Int)
        case delayAtMost(Int)
        case alone
    }
    struct Policy: Hashable, Sendable {
        var rule: Rule
        var proposers: [Int]?
        var open: UInt64 = 0
        var deadline: UInt64?
    }
    enum Action: Hashable {
        case set(parameter: Int, to: Int)
        case open(Bool)
        case addMember(Int)
        case removeMember(Int)
        case addKey(Int)
        case addNode(Int, of: Int, evidence: Bool)
        case removeNode(Int)
        case policy(Kind?, Int)
        case dropPolicy(Kind)
    }
    enum Kind: Int, CaseIterable {
        case setParameters, setOpen, setMember, removeMember, setSoftwareKey, setNode, removeNode, setVotingPolicy
        case removeVotingPolicy
    }
    enum Ballot: Int, CaseIterable { case yes, no, abstain }

    /// What is decided about. Equal states have equal entries.
    struct State: Hashable {
        var members: Set<Int>
        var keys: Set<Int>
        /// Owner by node.
        var nodes: [Int: Int]
        var parameters: [Int]
        var isOpen = true
        var standard: Int
        var policies: [Kind: Int] = [:]

        /// Every entry by a name, for what a proposal touches.
        var entries: [String: Int] {
            var entries: [String: Int] = ["standard": standard]
            for member in members { entries["member/\(member)"] = 1 }
            for key in keys { entries["key/\(key)"] = 1 }
            for (node, owner) in nodes { entries["node/\(node)"] = owner }
            for (index, value) in parameters.enumerated() { entries["parameter/\(index)"] = value }
            if !isOpen { entries["closed"] = 1 }
            for (kind, policy) in policies { entries["policy/\(kind)"] = policy }
            return entries
        }
    }

    struct Proposal {
        let proposer: Int
        let actions: [Action]
        let openAt: UInt64
        let deadline: UInt64?
        /// Touched entries as they were.
        let bases: [String: Int?]
        var ballots: [Int: Ballot] = [:]
        var signedAt: [Int: UInt64] = [:]
        var state = "Open"
    }

    let policies: [Policy]
    var state: State
    var proposals: [Proposal] = []
    var recent: [(signedAt: UInt64, digest: [UInt8], proposer: Int)] = []
    var versions = 0
    /// Verdicts that were found, by what they depend on.
    private var memory: [String: (Bool, Bool)] = [:]

    init(policies: [Policy], state: State) {
        self.policies = policies
        self.state = state
    }

    func policy(_ kind: Kind, in state: State) -> Policy { policies[state.policies[kind] ?? state.standard] }

    static func kind(_ action: Action) -> Kind {
        switch action {
        case .set: .setParameters
        case .open: .setOpen
        case .addMember: .setMember
        case .removeMember: .removeMember
        case .addKey: .setSoftwareKey
        case .addNode: .setNode
        case .removeNode: .removeNode
        case .policy: .setVotingPolicy
        case .dropPolicy: .removeVotingPolicy
        }
    }

    // MARK: Rules

    /// Whether a rule without outstanding votes passes.
    private func passes(_ rule: Rule, _ votes: [Int: Ballot], _ members: Set<Int>) -> Bool {
        let n = members.count
        func count(_ ballot: Ballot, _ some: [Int]? = nil) -> Int {
            members.filter { votes[$0] == ballot && (some?.contains($0) ?? true) }.count
        }
        switch rule {
        case .noVote: return true
        case .never: return false
        case .unanimous: return n > 0 && count(.yes) == n
        case .majority: return 2 * count(.yes) > n
        case .atLeast(let k): return count(.yes) >= k
        case .share(let part, let whole, let more):
            return more ? count(.yes) * whole > part * n : count(.yes) * whole >= part * n
        case .ofVotes(let part, let whole):
            return count(.yes) > 0 && count(.yes) * whole >= part * (count(.yes) + count(.no))
        case .turnout(let part, let whole):
            return (count(.yes) + count(.no) + count(.abstain)) * whole >= part * n
        case .count(let k, let some): return count(.yes, some) >= k
        case .weight(let least, let weights):
            return members.filter { votes[$0] == .yes }.reduce(0) { $0 + (weights[$1] ?? 0) } >= least
        case .veto(let k, let some): return !members.isDisjoint(with: some ?? members.sorted()) && count(.no, some) < k
        case .all, .any, .when: return false
        }
    }

    /// Passes for sure, can pass: by trying every way in which outstanding members vote or stay silent.
    private mutating func leaf(_ rule: Rule, _ votes: [Int: Ballot], _ final: Bool) -> (Bool, Bool) {
        let members = state.members.sorted()
        let key = "\(rule) \(final) " + members.map { "\($0)\(votes[$0].map { "\($0.rawValue)" } ?? "-")" }.joined()
        if let known = memory[key] { return known }
        let waiting = final ? [] : members.filter { votes[$0] == nil }
        var results: Set<Bool> = []
        func each(_ index: Int, _ votes: [Int: Ballot]) {
            guard results.count < 2 else { return }
            guard index < waiting.count else {
                results.insert(passes(rule, votes, state.members))
                return
            }
            each(index + 1, votes)
            for ballot in Ballot.allCases {
                var votes = votes
                votes[waiting[index]] = ballot
                each(index + 1, votes)
            }
        }
        each(0, votes)
        let result = (!results.contains(false), results.contains(true))
        memory[key] = result
        return result
    }

    private mutating func verdict(
        _ rule: Rule, _ votes: [Int: Ballot], final: Bool, _ test: (Test) -> Bool?
    ) -> (Bool, Bool) {
        switch rule {
        case .all(let rules):
            let parts = rules.map { verdict($0, votes, final: final, test) }
            return (parts.allSatisfy(\.0), parts.allSatisfy(\.1))
        case .any(let rules):
            let parts = rules.map { verdict($0, votes, final: final, test) }
            return (parts.contains(where: \.0), parts.contains(where: \.1))
        case .when(let question, let then, let otherwise):
            switch test(question) {
            case true?: return verdict(then, votes, final: final, test)
            case false?: return verdict(otherwise, votes, final: final, test)
            case nil:
                let (a, b) = (
                    verdict(then, votes, final: final, test), verdict(otherwise, votes, final: final, test)
                )
                return (a.0 && b.0, a.1 || b.1)
            }
        default: return leaf(rule, votes, final)
        }
    }

    private func holds(_ test: Test, _ action: Action, _ proposal: Proposal, after: State) -> Bool {
        let owner: Int? =
            switch action {
            case .addMember(let one), .removeMember(let one), .addKey(let one), .addNode(_, let one, _): one
            case .removeNode(let node): state.nodes[node]
            default: nil
            }
        switch test {
        case .open: return state.isOpen
        case .proposerIsOwner: return owner == proposal.proposer
        case .membersAtLeast(let count): return state.members.count >= count
        case .ownNodes(let most):
            guard case .addNode(_, let owner, let evidence) = action else { return false }
            return owner == proposal.proposer && after.nodes.values.filter { $0 == owner }.count <= most && evidence
        case .delayAtMost(let most):
            guard case .set(let parameter, _) = action else { return false }
            return parameter == 0 && after.parameters[0] <= most
        case .alone: return proposal.actions.count == 1
        }
    }

    // MARK: Changes

    /// The state with all actions done; nil when that is not allowed.
    mutating func applied(_ actions: [Action], live: Set<Int>?) -> State? {
        var next = state
        for action in actions {
            switch action {
            case .set(let parameter, let value): next.parameters[parameter] = value
            case .open(let isOpen):
                guard next.isOpen != isOpen else { return nil }
                next.isOpen = isOpen
            case .addMember(let one): next.members.insert(one)
            case .removeMember(let one):
                guard next.members.remove(one) != nil else { return nil }
                next.keys.remove(one)
            case .addKey(let one): guard next.keys.insert(one).inserted else { return nil }
            case .addNode(let node, let owner, _):
                guard next.nodes[node] == nil else { return nil }
                next.nodes[node] = owner
            case .removeNode(let node): guard next.nodes.removeValue(forKey: node) != nil else { return nil }
            case .policy(nil, let policy): next.standard = policy
            case .policy(let kind?, let policy): next.policies[kind] = policy
            case .dropPolicy(let kind): guard next.policies.removeValue(forKey: kind) != nil else { return nil }
            }
        }
        // Evidence of a node that an earlier action brought counts even if a later one takes the node away.
        for case .addNode(_, let owner, true) in actions where !next.keys.contains(owner) { return nil }
        guard next != state, !next.members.isEmpty, !next.nodes.isEmpty else { return nil }
        guard next.nodes.values.allSatisfy({ next.members.contains($0) && next.keys.contains($0) }),
            next.keys.isSubset(of: next.members)
        else { return nil }
        let now = state
        state = next
        defer { state = now }
        for index in Set(next.policies.values).union([next.standard]) {
            guard verdict(policies[index].rule, [:], final: false, { _ in nil }).1 else { return nil }
            if let proposers = policies[index].proposers, next.members.isDisjoint(with: proposers) { return nil }
        }
        if let live {
            let kept = Set(now.nodes.keys).intersection(next.nodes.keys)
            guard live.intersection(kept).count >= max(1, kept.count) / 2 + 1 else { return nil }
        }
        return next
    }

    // MARK: Steps

    /// Settles what is due; returns the names of errors of ``GovernanceError/Code`` or nil.
    mutating func propose(
        _ actions: [Action], by one: Int, ballot: Ballot?, signedAt: UInt64, digest: [UInt8], now: UInt64,
        live: Set<Int>?
    ) -> GovernanceError.Code? {
        step { model in
            model.settle(now, live)
            if let error = Self.time(signedAt, now) { return error }
            if model.recent.contains(where: { $0.digest == digest }) { return .replay }
            guard model.state.members.contains(one) else { return .notAuthorised }
            let mine = actions.map { model.policy(Self.kind($0), in: model.state) }
            guard mine.allSatisfy({ $0.proposers?.contains(one) ?? true }) else { return .notAuthorised }
            let oldest = (now - 7 * 86_400_000) / 1000
            guard model.proposals.filter({ $0.state == "Open" && $0.proposer == one }).count < 16,
                model.recent.filter({ $0.proposer == one && $0.signedAt >= oldest }).count < 256
            else { return .tooMany }
            guard let after = model.applied(actions, live: live) else { return .invalidProposal }
            let (old, new) = (model.state.entries, after.entries)
            var bases: [String: Int?] = [:]
            for name in Set(old.keys).union(new.keys) where old[name] != new[name] { bases[name] = .some(old[name]) }
            var proposal = Proposal(
                proposer: one, actions: actions, openAt: now + (mine.map(\.open).max() ?? 0),
                deadline: mine.compactMap(\.deadline).min().map { now + $0 }, bases: bases)
            proposal.ballots[one] = ballot
            proposal.signedAt[one] = ballot == nil ? nil : signedAt
            model.proposals.append(proposal)
            model.recent.append((signedAt, digest, one))
            model.settle(now, live)
            return nil
        }
    }

    mutating func vote(
        _ ballot: Ballot, on index: Int, by one: Int, signedAt: UInt64, now: UInt64, live: Set<Int>?
    ) -> GovernanceError.Code? {
        step { model in
            model.settle(now, live)
            if let error = Self.time(signedAt, now) { return error }
            guard model.proposals[index].state == "Open" else { return .notOpen }
            guard model.state.members.contains(one) else { return .notAuthorised }
            if let old = model.proposals[index].signedAt[one], old >= signedAt { return .voteSuperseded }
            model.proposals[index].ballots[one] = ballot
            model.proposals[index].signedAt[one] = signedAt
            model.settle(now, live)
            return nil
        }
    }

    mutating func withdraw(
        _ index: Int, by one: Int, signedAt: UInt64, now: UInt64, live: Set<Int>?
    ) -> GovernanceError.Code? {
        step { model in
            model.settle(now, live)
            if let error = Self.time(signedAt, now) { return error }
            guard model.proposals[index].state == "Open" else { return .notOpen }
            guard model.proposals[index].proposer == one else { return .notAuthorised }
            model.proposals[index].state = "Withdrawn"
            model.settle(now, live)
            return nil
        }
    }

    mutating func pass(now: UInt64, live: Set<Int>?) { settle(now, live) }

    private mutating func step(
        _ body: (inout GovernanceModel) -> GovernanceError.Code?
    ) -> GovernanceError.Code? {
        var copy = self
        let error = body(&copy)
        // What was found about rules stays true.
        if error == nil { self = copy } else { memory = copy.memory }
        return error
    }

    private static func time(_ signedAt: UInt64, _ now: UInt64) -> GovernanceError.Code? {
        if signedAt * 1000 > now + 300_000 { return .invalidTime }
        return signedAt * 1000 < now - 7 * 86_400_000 ? .tooOld : nil
    }

    private mutating func settle(_ now: UInt64, _ live: Set<Int>?) {
        var isChanged = true
        while isChanged {
            isChanged = false
            for index in proposals.indices where proposals[index].state == "Open" {
                guard let next = decide(index, now) else { continue }
                if next == "Accepted" { accept(index, live) } else { proposals[index].state = next }
                isChanged = true
                break
            }
        }
    }

    private mutating func decide(_ index: Int, _ now: UInt64) -> String? {
        let proposal = proposals[index]
        let after = applied(proposal.actions, live: nil)
        func all(_ model: inout GovernanceModel, _ votes: [Int: Ballot], final: Bool) -> (Bool, Bool) {
            var result = (true, true)
            for action in proposal.actions {
                let rule = model.policy(Self.kind(action), in: model.state).rule
                let snapshot = model
                let (a, b) = model.verdict(rule, votes, final: final) { test in
                    after.map { snapshot.holds(test, action, proposal, after: $0) }
                }
                result = (result.0 && a, result.1 && b)
            }
            return result
        }
        if all(&self, [:], final: false).0 { return "Accepted" }
        if let deadline = proposal.deadline, now >= deadline {
            return all(&self, proposal.ballots, final: true).0 ? "Accepted" : "Expired"
        }
        guard now >= proposal.openAt else { return nil }
        let (sure, possible) = all(&self, proposal.ballots, final: false)
        return sure ? "Accepted" : possible ? nil : "Rejected"
    }

    private mutating func accept(_ index: Int, _ live: Set<Int>?) {
        guard let next = applied(proposals[index].actions, live: live) else {
            proposals[index].state = "Failed"
            return
        }
        let before = state
        proposals[index].state = "Accepted"
        state = next
        versions += 1
        let entries = state.entries
        for other in proposals.indices where proposals[other].state == "Open" {
            let proposal = proposals[other]
            let kinds = proposal.actions.map(Self.kind)
            if !state.members.contains(proposal.proposer)
                || kinds.contains(where: { policy($0, in: before) != policy($0, in: state) })
                || kinds.contains(where: { policy($0, in: state).proposers?.contains(proposal.proposer) == false })
                || proposal.bases.contains(where: { entries[$0.key] != $0.value })
                || applied(proposal.actions, live: nil) == nil
            {
                proposals[other].state = "Dropped"
            }
            for one in proposal.ballots.keys where !state.members.contains(one) {
                proposals[other].ballots[one] = nil
                proposals[other].signedAt[one] = nil
            }
        }
    }
}
