internal import Crypto
internal import Primitives
internal import Store

/// The governance of a network: its constitution, the proposals to change it, and the rules by which messages and time
/// turn the one into another.
///
/// A value without I/O. The primary makes one from the administrative maps (``init(reading:)``), lets it take a step
/// (``take(_:from:in:)`` for a message, ``advance(in:)`` when ``due`` comes), and puts the writes of the outcome into an
/// entry. Followers apply writes and take no steps. A step that throws has changed nothing. When entries are rolled back, a
/// new value is read from the maps.
public struct Governance: Sendable {
    /// The constitution in force.
    public internal(set) var constitution: Constitution
    /// Proposals that are kept, oldest first.
    public internal(set) var proposals: [ProposalRecord]
    /// What open proposals want, by id: the signed JSON. Only looked up, never iterated.
    var payloads: [String: [UInt8]]
    /// The same, read: so that no message makes all of them be read again.
    var parsed: [String: Proposal] = [:]
    /// Messages of proposals not long ago, oldest first.
    var recent: [RecentProposal]
    var endorsements: Endorsements
    var versionCount: UInt64
    /// What the step that is being taken has brought about so far.
    var outcome = GovernanceOutcome()

    struct RecentProposal: Sendable, Hashable {
        var signedAt: UInt64
        var digest: [UInt8]
        var proposer: String
        var key: [UInt8] { GovernanceRecord.key(signedAt) + digest }
    }

    /// Reads the state of governance.
    /// - Throws: ``ConstitutionError`` when a record can't be read.
    public init(reading maps: some AdministrativeMaps) throws(ConstitutionError) {
        try self.init(reading: maps, constitution: Constitution(reading: maps))
    }

    /// As ``init(reading:)``, for who has the constitution of these maps already.
    /// - Throws: ``ConstitutionError``.
    public init(reading maps: some AdministrativeMaps, constitution: Constitution) throws(ConstitutionError) {
        self.constitution = constitution
        proposals = []
        payloads = [:]
        recent = []
        endorsements = try Endorsements(reading: maps)
        versionCount = UInt64(maps.entries(ofMap: GovernanceMaps.versions).count)
        for (key, value) in maps.entries(ofMap: GovernanceMaps.proposalsInfo) {
            let id = String(decoding: key, as: UTF8.self)
            do { proposals.append(try ProposalRecord(id: id, bytes: value)) } catch {
                throw .malformed("\(GovernanceMaps.proposalsInfo)[\(id)]", "the record can't be read: \(error)")
            }
        }
        proposals.sort { $0.number < $1.number }
        for record in proposals where record.state == .open {
            let path = "\(GovernanceMaps.proposals)[\(record.id)]"
            guard let value = maps.value(ofMap: GovernanceMaps.proposals, key: Array(record.id.utf8)) else {
                throw .missing(path, "an open proposal is not there")
            }
            payloads[record.id] = try Self.payload(value, path)
        }
        for (key, value) in maps.entries(ofMap: GovernanceMaps.recentProposals) {
            do {
                var reader = try GovernanceRecord.reader(value)
                let proposer = try reader.text(limit: 64)
                try reader.finish()
                guard key.count == 40, let signedAt = GovernanceRecord.number(Array(key.prefix(8))) else {
                    throw ByteReaderError.invalid(at: 0)
                }
                recent.append(.init(signedAt: signedAt, digest: Array(key.dropFirst(8)), proposer: proposer))
            } catch { throw .malformed(GovernanceMaps.recentProposals, "a record can't be read: \(error)") }
        }
        recent.sort { ByteOrder.precedes($0.key, $1.key) }
    }

    static func payload(_ value: [UInt8], _ path: String) throws(ConstitutionError) -> [UInt8] {
        do {
            var reader = try GovernanceRecord.reader(value)
            let payload = try reader.blob(limit: Proposal.byteCountMax)
            try reader.finish()
            return payload
        } catch { throw .malformed(path, "the record can't be read: \(error)") }
    }

    /// What a proposal that is still kept wants.
    /// - Throws: ``ConstitutionError``; `unknown` when it is not kept.
    public static func proposal(_ id: String, in maps: some AdministrativeMaps) throws(ConstitutionError) -> Proposal {
        let path = "\(GovernanceMaps.proposals)[\(id)]"
        guard let value = maps.value(ofMap: GovernanceMaps.proposals, key: Array(id.utf8)) else {
            throw .unknown(path, "there is no such proposal")
        }
        return try Proposal(json: payload(value, path))
    }

    /// The record of a proposal that is still kept.
    public func record(of id: String) -> ProposalRecord? { proposals.first { $0.id == id } }

    /// The next ledger time at which time alone may decide something; nil when nothing waits for it.
    /// - Parameter time: ledger time of the last step; what has come due since is not passed over.
    public func due(after time: UInt64) -> UInt64? { proposals.compactMap { $0.due(after: time) }.min() }

    /// What became of a message that its signer brought last, when that is this very one: the answer to a message that is
    /// brought again because nobody knows whether it was taken. Nil when it was not, or another came after it.
    public func answer(toRepeated bytes: [UInt8], in maps: some AdministrativeMaps) -> ProposalRecord? {
        guard let message = try? GovernanceMessage(bytes) else { return nil }
        for (key, value) in maps.entries(ofMap: GovernanceMaps.history) {
            guard let recorded = try? RecordedMessage(record: value), recorded.bytes == bytes else { continue }
            if let id = message.proposalID { return record(of: id) }
            let signer = String(decoding: key, as: UTF8.self)
            return proposals.last { $0.proposer == signer }
        }
        return nil
    }

    // MARK: Steps

    /// What a path of the governance interface says of the message that comes by it. A message that says something else
    /// is refused: it was meant for another.
    public struct Route: Sendable, Hashable {
        /// The kind of message; nil for any.
        public var kind: GovernanceMessage.Kind?
        /// The proposal that it must be about.
        public var proposalID: String?
        /// The actor who must have signed it.
        public var actor: String?

        /// A path.
        public init(kind: GovernanceMessage.Kind? = nil, proposalID: String? = nil, actor: String? = nil) {
            self.kind = kind
            self.proposalID = proposalID
            self.actor = actor
        }
    }

    /// Takes a signed message.
    /// - Parameters:
    ///   - bytes: a COSE_Sign1; see ``GovernanceMessage``.
    ///   - session: certificates of the client that brought it, in DER, its own first.
    ///   - route: what the path says.
    /// - Throws: ``GovernanceError``; nothing has changed then.
    public mutating func take(
        _ bytes: [UInt8], from session: [[UInt8]] = [], by route: Route = .init(), in context: GovernanceContext
    ) throws(GovernanceError) -> GovernanceOutcome {
        let message = try GovernanceMessage(bytes)
        guard route.kind == nil || route.kind == message.kind else {
            throw GovernanceError(.malformed, "this path takes no \(message.kind.rawValue)")
        }
        guard route.proposalID == nil || route.proposalID == message.proposalID else {
            throw GovernanceError(.malformed, "the message is about another proposal than the path")
        }
        let (actor, chain) = try message.signer(in: constitution, session: session, at: context.place.time)
        guard route.actor == nil || route.actor == actor.id else {
            throw GovernanceError(.notAuthorised, "the message is signed by another than the path says")
        }
        let signed = SignedStep(
            actor: actor, signedAt: message.signedAt, digest: message.digest,
            recorded: RecordedMessage(bytes: message.bytes, chain: chain))
        switch message.kind {
        case .proposal: return try propose(message.payload, signed, context)
        case .ballot: return try vote(message.vote(), on: message.proposalID ?? "", signed, context)
        case .withdrawal: return try withdraw(message.proposalID ?? "", signed, context)
        }
    }

    /// Lets time pass: what its deadline or the end of a waiting time decides.
    public mutating func advance(in context: GovernanceContext) -> GovernanceOutcome {
        outcome = GovernanceOutcome()
        settle(context)
        return finish(context)
    }

    /// Runs a step on a copy, so that one that throws leaves nothing behind.
    mutating func step(
        _ context: GovernanceContext, _ body: (inout Governance) throws(GovernanceError) -> String
    ) throws(GovernanceError) -> GovernanceOutcome {
        readPayloads()
        var copy = self
        copy.outcome = GovernanceOutcome()
        copy.settle(context)
        let id = try body(&copy)
        copy.settle(context)
        copy.outcome.proposal = copy.record(of: id)
        let outcome = copy.finish(context)
        self = copy
        return outcome
    }

    /// Seconds since 1970 before which a message is too old, whatever it says.
    static func oldest(_ context: GovernanceContext) -> UInt64 {
        context.place.time.subtractingSaturating(GovernanceLimits.messageAgeMilliseconds) / 1000
    }

    /// Forgets what is too old, and hands the outcome out.
    private mutating func finish(_ context: GovernanceContext) -> GovernanceOutcome {
        if !outcome.writes.isEmpty {
            let oldest = Self.oldest(context)
            for each in recent where each.signedAt < oldest { outcome.remove(each.key, GovernanceMaps.recentProposals) }
            recent.removeAll { $0.signedAt < oldest }
            var closed = proposals.filter { $0.state != .open }
            while closed.count > GovernanceLimits.closedMax {
                let record = closed.removeFirst()
                proposals.removeAll { $0.id == record.id }
                outcome.remove(Array(record.id.utf8), GovernanceMaps.proposalsInfo)
                outcome.remove(Array(record.id.utf8), GovernanceMaps.proposals)
            }
        }
        defer { outcome = GovernanceOutcome() }
        return outcome
    }
}

/// A message whose signer was verified.
package struct SignedStep: Sendable {
    /// Who signed it.
    package var actor: Actor
    /// Seconds since 1970.
    package var signedAt: UInt64
    /// Digest of what was signed.
    package var digest: [UInt8]
    /// What goes into the history; nil in trials, which have no message.
    package var recorded: RecordedMessage?

    /// A step.
    package init(actor: Actor, signedAt: UInt64, digest: [UInt8], recorded: RecordedMessage? = nil) {
        self.actor = actor
        self.signedAt = signedAt
        self.digest = digest
        self.recorded = recorded
    }
}

extension GovernanceOutcome {
    mutating func put(_ value: [UInt8], _ key: [UInt8], _ map: String) { writes.put(value, at: key, in: map) }
    mutating func remove(_ key: [UInt8], _ map: String) { writes.remove(key, in: map) }
}

extension UInt64 {
    func subtractingSaturating(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
    func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
