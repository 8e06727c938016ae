public import Attestation
public import Primitives
internal import Store

/// A version of the constitution that a vote made: what it changed, where, and who voted for it. Version 0 is the genesis
/// and has no record.
public struct ConstitutionVersion: Sendable, Hashable {
    /// An entry that the version changed, and what it was before.
    struct Undo: Sendable, Hashable {
        var map: String
        var key: [UInt8]
        var before: [UInt8]?
    }

    /// From 1, without gaps.
    public let number: UInt64
    /// The entry of the ledger from which on it is in force.
    public let place: LedgerPlace
    /// The proposal that made it.
    public let proposalID: String
    /// Who proposed it.
    public let proposer: ActorID
    /// What the proposal was about.
    public let title: String
    /// The votes that decided it, sorted by member; none for an automatic decision.
    public let ballots: [ProposalRecord.Ballot]
    /// ``Constitution/digest`` of the version.
    public let digest: String
    let undo: [Undo]

    init(
        number: UInt64, place: LedgerPlace, proposal: ProposalRecord, digest: String, difference: ConstitutionDifference
    ) {
        self.number = number
        self.place = place
        proposalID = proposal.id
        proposer = proposal.proposer
        title = proposal.title
        ballots = proposal.ballots
        self.digest = digest
        undo = difference.entries.map { Undo(map: $0.map, key: $0.key, before: $0.before) }
    }

    var bytes: [UInt8] {
        GovernanceRecord.bytes { writer in
            place.encode(to: &writer)
            writer.text(proposalID)
            writer.text(proposer)
            writer.text(title)
            writer.list(ballots) { writer, ballot in
                writer.text(ballot.member)
                writer.text(ballot.vote.rawValue)
                writer.integer(ballot.signedAt)
            }
            writer.text(digest)
            writer.list(undo) { writer, undo in
                writer.text(undo.map)
                writer.blob(undo.key)
                writer.optional(undo.before) { $0.blob($1) }
            }
        }
    }

    /// Reads an entry of ``GovernanceMaps/versions``.
    /// - Throws: `ByteReaderError`.
    public init(key: [UInt8], record: [UInt8]) throws(ByteReaderError) {
        guard let number = GovernanceRecord.number(key) else { throw .invalid(at: 0) }
        try self.init(number: number, bytes: record)
    }

    init(number: UInt64, bytes: [UInt8]) throws(ByteReaderError) {
        var reader = try GovernanceRecord.reader(bytes)
        self.number = number
        place = try LedgerPlace(reading: &reader)
        proposalID = try reader.text(limit: 64)
        proposer = try reader.text(limit: 64)
        title = try reader.text(limit: 1024)
        ballots = try reader.list(limit: Limits.actorsMax) { reader throws(ByteReaderError) in
            let member = try reader.text(limit: 64)
            let at = reader.offset
            guard let vote = Vote(rawValue: try reader.text(limit: 32)) else { throw .invalid(at: at) }
            return ProposalRecord.Ballot(member: member, vote: vote, signedAt: try reader.integer())
        }
        digest = try reader.text(limit: 64)
        undo = try reader.list(limit: 1 << 16) { reader throws(ByteReaderError) in
            Undo(
                map: try reader.text(limit: 256), key: try reader.blob(limit: 1024),
                before: try reader.optional { reader throws(ByteReaderError) in try reader.blob() })
        }
        try reader.finish()
    }

    /// For people and tools.
    public var json: JSON {
        [
            "version": .integer(Int64(clamping: number)), "transactionId": .string(place.description),
            "time": .integer(Int64(clamping: place.time)), "digest": .string(digest),
            "proposalId": .string(proposalID), "proposerId": .string(proposer), "title": .string(title),
            "votes": .object(
                JSONObject(ballots.map { .init(name: $0.member, value: .string($0.vote.rawValue)) })),
        ]
    }
}

/// All versions of a constitution, as the administrative maps of today hold them: the constitution in force, and what
/// each version replaced.
public struct ConstitutionHistory: Sendable {
    /// The versions that votes made, oldest first.
    public let versions: [ConstitutionVersion]
    /// The constitution in force.
    public let current: Constitution

    /// Reads the history.
    /// - Throws: ``ConstitutionError`` when a record can't be read or one is missing.
    public init(reading maps: some AdministrativeMaps) throws(ConstitutionError) {
        current = try Constitution(reading: maps)
        var versions: [ConstitutionVersion] = []
        for (key, value) in maps.entries(ofMap: GovernanceMaps.versions) {
            guard let number = GovernanceRecord.number(key) else {
                throw .malformed(GovernanceMaps.versions, "a key is no number")
            }
            do { versions.append(try ConstitutionVersion(number: number, bytes: value)) } catch {
                throw .malformed("\(GovernanceMaps.versions)[\(number)]", "the record can't be read: \(error)")
            }
        }
        versions.sort { $0.number < $1.number }
        for (index, version) in versions.enumerated() where version.number != UInt64(index) + 1 {
            throw .missing("\(GovernanceMaps.versions)[\(index + 1)]", "the version is not there")
        }
        self.versions = versions
    }

    /// The constitution that was in force for the entry at `seqno`, and the version that it is; nil for the genesis. An
    /// entry that changes the constitution is under the version that it makes.
    /// - Throws: ``ConstitutionError`` when the records don't fit together.
    public func constitution(
        at seqno: UInt64
    ) throws(ConstitutionError) -> (constitution: Constitution, version: ConstitutionVersion?) {
        let version = versions.last { $0.place.seqno <= seqno }
        return (try constitution(version: version?.number ?? 0), version)
    }

    /// The constitution of a version; 0 is the genesis.
    /// - Throws: ``ConstitutionError``.
    public func constitution(version number: UInt64) throws(ConstitutionError) -> Constitution {
        guard number <= UInt64(versions.count) else {
            throw .unknown("version", "there are versions 0 to \(versions.count)")
        }
        var writes = current.writeSet()
        for version in versions.reversed() where version.number > number {
            for undo in version.undo {
                if let before = undo.before {
                    writes.put(before, at: undo.key, in: undo.map)
                } else {
                    writes.remove(undo.key, in: undo.map)
                }
            }
        }
        let constitution = try Constitution(reading: writes)
        let expected = number == 0 ? current.networkID : versions[Int(number) - 1].digest
        guard constitution.digest == expected else {
            throw .malformed("version", "what the records give for version \(number) has another digest")
        }
        return constitution
    }
}
