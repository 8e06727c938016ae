internal import Crypto
internal import Primitives

/// What actors do: propose, vote, withdraw.
extension Governance {
    package mutating func propose(
        _ payload: [UInt8], _ signed: SignedStep, _ context: GovernanceContext
    ) throws(GovernanceError) -> GovernanceOutcome {
        try step(context) { (state) throws(GovernanceError) in
            try state.check(signed, context)
            guard !state.recent.contains(where: { $0.digest == signed.digest }) else {
                throw GovernanceError(.replay, "this proposal came before")
            }
            let actor = try state.current(signed.actor)
            let proposal: Proposal
            let validation: ProposalValidation
            do {
                proposal = try Proposal(json: payload)
                try state.checkProposer(actor, of: proposal)
                try state.checkNumber(of: actor, context)
                validation = try ProposalValidation(
                    proposal, state.constitution, live: context.live, time: context.place.time, judge: context.judge)
            } catch let error as GovernanceError { throw error } catch let error as ConstitutionError {
                throw GovernanceError(.invalidProposal, error.description)
            } catch { throw GovernanceError(.invalidProposal, "\(error)") }
            if proposal.ballot != nil, !actor.isMember {
                throw GovernanceError(.notAuthorised, "\(actor.id) is no member and has no vote")
            }
            let id = Self.id(signed.digest, context.root)
            guard state.record(of: id) == nil else { throw GovernanceError(.replay, "this proposal came before") }
            state.open(proposal, payload, validation, id, signed, context)
            return id
        }
    }

    package mutating func vote(
        _ vote: Vote, on id: String, _ signed: SignedStep, _ context: GovernanceContext
    ) throws(GovernanceError) -> GovernanceOutcome {
        try step(context) { (state) throws(GovernanceError) in
            try state.check(signed, context)
            var record = try state.openRecord(id)
            let actor = try state.current(signed.actor)
            guard actor.isMember else {
                throw GovernanceError(.notAuthorised, "\(actor.id) is no member and has no vote")
            }
            if let old = record.ballots.first(where: { $0.member == actor.id }), old.signedAt >= signed.signedAt {
                throw GovernanceError(
                    .voteSuperseded, "\(actor.id) has voted with a message signed at \(old.signedAt); sign a later one")
            }
            record.set(.init(member: actor.id, vote: vote, signedAt: signed.signedAt))
            state.keep(record)
            state.keep(signed)
            state.outcome.events.append(.voted(proposalID: id, member: actor.id, vote: vote))
            return id
        }
    }

    package mutating func withdraw(
        _ id: String, _ signed: SignedStep, _ context: GovernanceContext
    ) throws(GovernanceError) -> GovernanceOutcome {
        try step(context) { (state) throws(GovernanceError) in
            try state.check(signed, context)
            let record = try state.openRecord(id)
            guard record.proposer == signed.actor.id else {
                throw GovernanceError(.notAuthorised, "only \(record.proposer), who proposed it, can withdraw it")
            }
            state.close(record, .withdrawn, "", context)
            state.keep(signed)
            return id
        }
    }

    // MARK: Checks

    private func check(_ signed: SignedStep, _ context: GovernanceContext) throws(GovernanceError) {
        let signedAt = signed.signedAt.multipliedReportingOverflow(by: 1000).partialValue
        let now = context.place.time
        guard signedAt <= now.addingSaturating(GovernanceLimits.messageAheadMilliseconds) else {
            throw GovernanceError(.invalidTime, "the message says that it was signed in the future")
        }
        guard signedAt >= now.subtractingSaturating(GovernanceLimits.messageAgeMilliseconds) else {
            throw GovernanceError(.tooOld, "the message was signed over seven days ago")
        }
    }

    /// The signer as the constitution knows it now: the step of time before may have removed it.
    private func current(_ actor: Actor) throws(GovernanceError) -> Actor {
        guard let actor = constitution.actor(actor.id) else {
            throw GovernanceError(.notAuthorised, "\(actor.id) is no actor any more")
        }
        return actor
    }

    private func checkProposer(_ actor: Actor, of proposal: Proposal) throws(GovernanceError) {
        for action in proposal.actions where !constitution.voting.policy(for: action.kind).mayPropose(actor) {
            throw GovernanceError(.notAuthorised, "\(actor.id) may not propose \(action.kind.rawValue)")
        }
    }

    private func checkNumber(of actor: Actor, _ context: GovernanceContext) throws(GovernanceError) {
        let open = proposals.filter { $0.state == .open }
        guard open.count(where: { $0.proposer == actor.id }) < GovernanceLimits.openMax else {
            throw GovernanceError(.tooMany, "\(actor.id) has \(GovernanceLimits.openMax) open proposals; withdraw one")
        }
        let oldest = Self.oldest(context)
        guard recent.count(where: { $0.proposer == actor.id && $0.signedAt >= oldest }) < GovernanceLimits.recentMax
        else {
            throw GovernanceError(
                .tooMany, "\(actor.id) made \(GovernanceLimits.recentMax) proposals within seven days")
        }
        guard !actor.isMember else { return }
        let byParticipants = open.count { !constitution.isMember($0.proposer) }
        guard byParticipants < GovernanceLimits.openByParticipantsMax else {
            throw GovernanceError(.tooMany, "participants have \(byParticipants) open proposals")
        }
    }

    private func openRecord(_ id: String) throws(GovernanceError) -> ProposalRecord {
        guard let record = record(of: id) else { throw GovernanceError(.notFound, "there is no proposal of this id") }
        guard record.state == .open else {
            throw GovernanceError(.notOpen, "the proposal is closed: \(record.state.rawValue)")
        }
        return record
    }

    // MARK: Records

    private mutating func open(
        _ proposal: Proposal, _ payload: [UInt8], _ validation: ProposalValidation, _ id: String, _ signed: SignedStep,
        _ context: GovernanceContext
    ) {
        let policies = proposal.actions.map { constitution.voting.policy(for: $0.kind) }
        let now = context.place.time
        var record = ProposalRecord(
            id: id, number: (proposals.last?.number ?? 0) + 1, proposer: signed.actor.id, title: proposal.title,
            created: context.place, opensAt: now.addingSaturating(policies.map(\.openMilliseconds).max() ?? 0),
            deadline: policies.compactMap(\.deadlineMilliseconds).min().map { now.addingSaturating($0) },
            bases: validation.difference.entries.map {
                .init(map: $0.map, key: $0.key, digest: $0.before.map { Array(SHA256.hash(data: $0)) })
            })
        if let vote = proposal.ballot {
            record.set(.init(member: signed.actor.id, vote: vote, signedAt: signed.signedAt))
        }
        payloads[id] = payload
        outcome.put(GovernanceRecord.bytes { $0.blob(payload) }, Array(id.utf8), GovernanceMaps.proposals)
        let recent = RecentProposal(signedAt: signed.signedAt, digest: signed.digest, proposer: signed.actor.id)
        self.recent.append(recent)
        outcome.put(
            GovernanceRecord.bytes { $0.text(recent.proposer) }, recent.key, GovernanceMaps.recentProposals)
        proposals.append(record)
        keep(record)
        keep(signed)
        outcome.events.append(.proposed(record))
    }

    mutating func keep(_ record: ProposalRecord) {
        if let place = proposals.firstIndex(where: { $0.id == record.id }) { proposals[place] = record }
        outcome.put(record.bytes, Array(record.id.utf8), GovernanceMaps.proposalsInfo)
    }

    private mutating func keep(_ signed: SignedStep) {
        guard let recorded = signed.recorded else { return }
        outcome.put(recorded.record, Array(signed.actor.id.utf8), GovernanceMaps.history)
    }

    /// CCF's form: SHA-256 of the request's digest and of the ledger's root.
    static func id(_ digest: [UInt8], _ root: [UInt8]) -> String {
        var hasher = SHA256()
        hasher.update(data: digest)
        hasher.update(data: root)
        return Hex.encode(Array(hasher.finalize()))
    }
}
