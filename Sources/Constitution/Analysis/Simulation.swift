internal import Crypto

/// Tries a proposal with given votes on a constitution, without a network and without keys: what would come of it, by the
/// code that decides in earnest.
public struct Simulation: Sendable {
    /// A vote at a time.
    public struct Ballot: Sendable, Hashable {
        /// The member.
        public var member: String
        /// Its vote.
        public var vote: Vote
        /// Milliseconds after the proposal.
        public var after: UInt64

        /// A vote.
        public init(member: String, vote: Vote, after: UInt64 = 0) {
            self.member = member
            self.vote = vote
            self.after = after
        }
    }

    /// One thing that happened.
    public struct Step: Sendable, Hashable {
        /// Milliseconds after the proposal.
        public let after: UInt64
        /// What, in words.
        public let text: String
    }

    /// What happened, in order.
    public let steps: [Step]
    /// How the proposal ended or stands; nil when it was refused.
    public let record: ProposalRecord?
    /// Why it was refused.
    public let refusal: GovernanceError?
    /// The constitution afterwards.
    public let constitution: Constitution
    /// What changed.
    public let difference: ConstitutionDifference

    /// Tries.
    /// - Parameters:
    ///   - proposal: JSON of a ``Proposal``.
    ///   - ballots: votes, in order of time. One that is refused is a step of its own.
    ///   - time: ledger time of the proposal, milliseconds since 1970.
    ///   - end: milliseconds after it at which the trial ends.
    public init(
        of proposal: [UInt8], by proposer: String, votes ballots: [Ballot], on constitution: Constitution,
        at time: UInt64,
        until end: UInt64
    ) {
        var trial = Trial(constitution, start: time)
        let record = trial.propose(proposal, by: proposer)
        if let record {
            for ballot in ballots.sorted(by: { $0.after < $1.after }) where ballot.after <= end {
                trial.vote(ballot, on: record.id)
            }
            trial.pass(until: end)
        }
        self.record = record.flatMap { trial.governance?.record(of: $0.id) }
        refusal = trial.refusal
        steps = trial.steps
        self.constitution = trial.governance?.constitution ?? constitution
        difference = ConstitutionDifference(from: constitution.document, to: self.constitution.document)
    }
}

/// The running trial.
private struct Trial {
    var governance: Governance?
    var steps: [Simulation.Step] = []
    var refusal: GovernanceError?
    private let start: UInt64
    private var count: UInt64 = 0
    private var now: UInt64 = 0

    init(_ constitution: Constitution, start: UInt64) {
        self.start = start
        governance = try? Governance(reading: constitution.writeSet(), constitution: constitution)
    }

    private mutating func context() -> GovernanceContext {
        count += 1
        return GovernanceContext(
            place: LedgerPlace(view: 1, seqno: count, time: start.addingSaturating(now)),
            root: [UInt8](repeating: 0, count: 32))
    }

    private func signed(_ actor: Actor) -> SignedStep {
        // Each step counts as signed a second after the last, so that a vote can follow another.
        let signedAt = start.addingSaturating(now) / 1000 + min(count, 200)
        return SignedStep(
            actor: actor, signedAt: signedAt,
            digest: Array(SHA256.hash(data: Array("\(actor.id) \(count)".utf8))))
    }

    mutating func propose(_ payload: [UInt8], by id: String) -> ProposalRecord? {
        guard let actor = governance?.constitution.actor(id) else {
            refusal = GovernanceError(.notAuthenticated, "there is no actor \(id)")
            note("refused: there is no actor \(id)")
            return nil
        }
        do {
            let context = context()
            let signed = signed(actor)
            let outcome = try governance?.propose(payload, signed, context)
            note(outcome)
            return outcome?.proposal
        } catch {
            refusal = error
            note("refused: \(error)")
            return nil
        }
    }

    mutating func vote(_ ballot: Simulation.Ballot, on id: String) {
        pass(until: ballot.after)
        guard let actor = governance?.constitution.actor(ballot.member) else {
            return note("refused: there is no actor \(ballot.member)")
        }
        do {
            let context = context()
            let signed = signed(actor)
            note(try governance?.vote(ballot.vote, on: id, signed, context))
        } catch { note("vote of \(ballot.member) refused: \(error.reason)") }
    }

    /// Lets time pass, stopping wherever time alone decides something.
    mutating func pass(until end: UInt64) {
        while let due = governance?.due(after: start.addingSaturating(now)), due <= start.addingSaturating(end) {
            now = due - start
            let context = context()
            note(governance?.advance(in: context))
        }
        now = max(now, end)
    }

    private mutating func note(_ outcome: GovernanceOutcome?) {
        for event in outcome?.events ?? [] {
            switch event {
            case .proposed(let record):
                note("\(record.proposer) proposes\(record.title.isEmpty ? "" : ": \(record.title)")")
            case .voted(_, let member, let vote): note("\(member) votes \(vote.rawValue)")
            case .closed(let record):
                note("the proposal is \(record.state.rawValue)\(record.reason.isEmpty ? "" : ": \(record.reason)")")
            case .changed(let version): note("version \(version.number) of the constitution, \(version.digest)")
            }
        }
    }

    private mutating func note(_ text: String) { steps.append(.init(after: now, text: text)) }
}
