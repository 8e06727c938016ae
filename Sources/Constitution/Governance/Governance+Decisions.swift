internal import Attestation
internal import Crypto
internal import Primitives
internal import Store

/// What votes and time decide, and what an accepted proposal changes.
extension Governance {
    /// Closes every open proposal that is decided, oldest first. An accepted one changes what the others are judged by, so
    /// after it all are looked at again. Each round closes one, so it ends.
    mutating func settle(_ context: GovernanceContext) {
        while let (record, decision) = nextDecision(context) {
            switch decision {
            case .accept: accept(record, context)
            case .close(let state): close(record, state, "", context)
            }
        }
    }

    private enum Decision {
        case accept
        case close(ProposalRecord.State)
    }

    private func nextDecision(_ context: GovernanceContext) -> (ProposalRecord, Decision)? {
        for record in proposals where record.state == .open {
            if let decision = decision(record, context) { return (record, decision) }
        }
        return nil
    }

    private func decision(_ record: ProposalRecord, _ context: GovernanceContext) -> Decision? {
        guard let proposal = open(record.id) else { return .close(.failed) }
        let rules = proposal.actions.map { constitution.voting.policy(for: $0.kind).rule }
        let facts = facts(record, proposal, rules, context)
        let members = constitution.members.map(\.id)
        func verdict(_ votes: [String: Vote], isFinal: Bool) -> Verdict {
            let tally = Tally(members: members, votes: votes, isFinal: isFinal)
            var all = Verdict.certain(true)
            for (index, rule) in rules.enumerated() {
                let next = rule.verdict(tally) { condition in facts?[index].holds(condition) }
                all = Verdict(passes: all.passes && next.passes, canPass: all.canPass && next.canPass)
            }
            return all
        }
        if verdict([:], isFinal: false).passes { return .accept }
        let votes = Dictionary(record.ballots.map { ($0.member, $0.vote) }, uniquingKeysWith: { $1 })
        if let deadline = record.deadline, context.place.time >= deadline {
            return verdict(votes, isFinal: true).passes ? .accept : .close(.expired)
        }
        guard context.place.time >= record.opensAt else { return nil }
        let verdict = verdict(votes, isFinal: false)
        if verdict.passes { return .accept }
        return verdict.canPass ? nil : .close(.rejected)
    }

    /// What conditions can ask; nil when no rule asks, or when the proposal has become impossible, so that no condition
    /// can be relied on.
    private func facts(
        _ record: ProposalRecord, _ proposal: Proposal, _ rules: [VotingRule], _ context: GovernanceContext
    ) -> [ActionFacts]? {
        guard rules.contains(where: \.hasCondition), let proposer = constitution.actor(record.proposer),
            let validation = try? ProposalValidation(
                proposal, constitution, live: nil, time: context.place.time, judge: context.judge)
        else { return nil }
        return proposal.actions.enumerated().map { index, action in
            ActionFacts(
                action: action, code: validation.codes[index], proposer: proposer, proposal: proposal,
                before: constitution.document, after: validation.after, endorsements: endorsements)
        }
    }

    private func open(_ id: String) -> Proposal? { parsed[id] ?? payloads[id].flatMap { try? Proposal(json: $0) } }

    /// Reads what open proposals want, where that was not done before.
    mutating func readPayloads() {
        for record in proposals where record.state == .open && parsed[record.id] == nil {
            parsed[record.id] = open(record.id)
        }
    }

    mutating func close(
        _ record: ProposalRecord, _ state: ProposalRecord.State, _ reason: String, _ context: GovernanceContext
    ) {
        var record = record
        record.state = state
        record.reason = String(reason.prefix(512))
        record.closed = context.place
        record.ballots.removeAll { !constitution.isMember($0.member) }
        payloads[record.id] = nil
        parsed[record.id] = nil
        keep(record)
        outcome.events.append(.closed(record))
    }

    // MARK: Acceptance

    private mutating func accept(_ record: ProposalRecord, _ context: GovernanceContext) {
        guard let proposal = open(record.id) else { return close(record, .failed, "it can't be read", context) }
        let validation: ProposalValidation
        let next: Constitution
        do {
            validation = try ProposalValidation(
                proposal, constitution, live: context.live, time: context.place.time, judge: context.judge)
            next = try Constitution(document: validation.after, networkID: constitution.networkID)
        } catch { return close(record, .failed, error.description, context) }
        let before = constitution
        close(record, .accepted, "", context)
        constitution = next
        outcome.constitution = next
        outcome.writes.merge(validation.difference.writes)
        keepVersion(record.id, validation.difference, context)
        keepEndorsements(record.id, before, next)
        keepRenewals(record.id, proposal, context)
        for other in proposals where other.state == .open { revise(other, after: record.id, before, context) }
    }

    private mutating func keepVersion(
        _ id: String, _ difference: ConstitutionDifference, _ context: GovernanceContext
    ) {
        guard !difference.isEmpty, let record = record(of: id) else { return }
        versionCount += 1
        let version = ConstitutionVersion(
            number: versionCount, place: context.place, proposal: record, digest: constitution.digest,
            difference: difference)
        outcome.put(version.bytes, GovernanceRecord.key(version.number), GovernanceMaps.versions)
        outcome.events.append(.changed(version))
    }

    /// New code is endorsed by those who voted for it; code that was described anew keeps its endorsements.
    private mutating func keepEndorsements(_ id: String, _ before: Constitution, _ after: Constitution) {
        let members = (record(of: id)?.ballots ?? []).filter { $0.vote == .yes }.map(\.member)
        for entry in after.code.entries where !before.code.entries.contains(where: { $0.isSameCode(as: entry) }) {
            let key = ConstitutionDocument.key(entry)
            endorsements.set(members, at: key)
            let bytes = GovernanceRecord.bytes { $0.list(members) { $0.text($1) } }
            outcome.put(bytes, Array(key.utf8), GovernanceMaps.endorsements)
        }
        for entry in before.code.entries where !after.code.entries.contains(where: { $0.isSameCode(as: entry) }) {
            let key = ConstitutionDocument.key(entry)
            guard endorsements.remove(key) else { continue }
            outcome.remove(Array(key.utf8), GovernanceMaps.endorsements)
        }
    }

    private mutating func keepRenewals(_ id: String, _ proposal: Proposal, _ context: GovernanceContext) {
        for case .renewCertificates(let renewal) in proposal.actions {
            outcome.renewals.append(renewal)
            let names = (renewal.nodes ?? constitution.nodes.map(\.nodeID)) + (renewal.network ? ["network"] : [])
            for name in names {
                let bytes = GovernanceRecord.bytes { writer in
                    writer.text(id)
                    writer.integer(renewal.days)
                    context.place.encode(to: &writer)
                }
                outcome.put(bytes, Array(name.utf8), GovernanceMaps.renewals)
            }
        }
    }

    // MARK: Other proposals

    /// What an accepted proposal does to one that is still open: drops it when it no longer fits, takes away votes of those
    /// who are no members any more.
    private mutating func revise(
        _ record: ProposalRecord, after accepted: String, _ before: Constitution, _ context: GovernanceContext
    ) {
        if let reason = misfit(record, before, context) {
            return close(record, .dropped, "proposal \(accepted) was accepted: \(reason)", context)
        }
        let ballots = record.ballots.filter { constitution.isMember($0.member) }
        guard ballots.count < record.ballots.count else { return }
        var record = record
        record.ballots = ballots
        keep(record)
    }

    private func misfit(_ record: ProposalRecord, _ before: Constitution, _ context: GovernanceContext) -> String? {
        guard let proposal = open(record.id) else { return "it can't be read" }
        guard let proposer = constitution.actor(record.proposer) else { return "its proposer is no actor any more" }
        for action in proposal.actions {
            let policy = constitution.voting.policy(for: action.kind)
            // Votes were given under the old policy; they are not counted under another.
            guard policy == before.voting.policy(for: action.kind) else {
                return "the policy of \(action.kind.rawValue) changed"
            }
            guard policy.mayPropose(proposer) else {
                return "its proposer may not propose \(action.kind.rawValue) any more"
            }
        }
        let writes = constitution.writeSet()
        for base in record.bases {
            let value = writes[base.map]?[base.key]
            guard value.map({ Array(SHA256.hash(data: $0)) }) == base.digest else {
                return "\(base.map)[\(String(decoding: base.key, as: UTF8.self))] changed"
            }
        }
        do {
            _ = try ProposalValidation(
                proposal, constitution, live: nil, time: context.place.time, judge: context.judge)
        } catch { return error.description }
        return nil
    }
}

extension VotingRule {
    /// Whether a condition is in it.
    var hasCondition: Bool {
        switch self {
        case .when: true
        case .all(let rules), .any(let rules): rules.contains(where: \.hasCondition)
        default: false
        }
    }
}
