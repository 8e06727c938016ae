public import Attestation
public import Primitives

/// A proposal in the ledger: who made it, how it stands, who voted how.
public struct ProposalRecord: Sendable, Hashable {
    /// How a proposal stands; names are CCF's, and `Expired`.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Votes are taken.
        case open = "Open"
        /// It passed, and its changes are made.
        case accepted = "Accepted"
        /// It can't pass any more.
        case rejected = "Rejected"
        /// Its proposer took it back.
        case withdrawn = "Withdrawn"
        /// Another proposal was accepted that it does not go with.
        case dropped = "Dropped"
        /// It passed, but its changes could no longer be made.
        case failed = "Failed"
        /// Its deadline came before enough were for it.
        case expired = "Expired"
    }

    /// A member's vote.
    public struct Ballot: Sendable, Hashable {
        /// The member.
        public let member: ActorID
        /// What it says.
        public let vote: Vote
        /// Seconds since 1970 at which the member signed it.
        public let signedAt: UInt64

        /// A vote.
        public init(member: ActorID, vote: Vote, signedAt: UInt64) {
            self.member = member
            self.vote = vote
            self.signedAt = signedAt
        }
    }

    /// An entry of the constitution as it was when the proposal was made.
    struct Base: Sendable, Hashable {
        var map: String
        var key: [UInt8]
        /// SHA-256 of the value; nil when there was none.
        var digest: [UInt8]?
    }

    /// 64 lower-case hexadecimal digits.
    public let id: String
    /// Its place in the order of all proposals, from 1.
    public let number: UInt64
    /// Who proposed it.
    public let proposer: ActorID
    /// What it is about.
    public let title: String
    /// Where it was made.
    public let created: LedgerPlace
    /// Ledger time before which votes decide nothing.
    public let opensAt: UInt64
    /// Ledger time at which the votes that are there decide; nil for none.
    public let deadline: UInt64?
    /// Entries that it would change, as they were.
    let bases: [Base]
    /// How it stands.
    public internal(set) var state: State
    /// The votes, sorted by member. Once it is closed only those of members at that time are left.
    public internal(set) var ballots: [Ballot]
    /// Why it was dropped or failed; empty for other states.
    public internal(set) var reason: String
    /// Where it was closed.
    public internal(set) var closed: LedgerPlace?

    init(
        id: String, number: UInt64, proposer: ActorID, title: String, created: LedgerPlace, opensAt: UInt64,
        deadline: UInt64?, bases: [Base]
    ) {
        self.id = id
        self.number = number
        self.proposer = proposer
        self.title = title
        self.created = created
        self.opensAt = opensAt
        self.deadline = deadline
        self.bases = bases
        state = .open
        ballots = []
        reason = ""
        closed = nil
    }

    /// The vote of a member.
    public func vote(of member: ActorID) -> Vote? { ballots.first { $0.member == member }?.vote }

    mutating func set(_ ballot: Ballot) {
        ballots.removeAll { $0.member == ballot.member }
        let place = ballots.firstIndex { ballot.member.utf8.lexicographicallyPrecedes($0.member.utf8) }
        ballots.insert(ballot, at: place ?? ballots.count)
    }

    /// When time alone changes something: the opening of the decision or the deadline, whichever is next.
    func due(after time: UInt64) -> UInt64? {
        guard state == .open else { return nil }
        return [opensAt, deadline].compactMap { $0 }.filter { $0 > time }.min()
    }

    // MARK: Bytes

    var bytes: [UInt8] {
        GovernanceRecord.bytes { writer in
            writer.integer(number)
            writer.text(proposer)
            writer.text(title)
            created.encode(to: &writer)
            writer.integer(opensAt)
            writer.optional(deadline) { $0.integer($1) }
            writer.list(bases) { writer, base in
                writer.text(base.map)
                writer.blob(base.key)
                writer.optional(base.digest) { $0.raw($1) }
            }
            writer.text(state.rawValue)
            writer.list(ballots) { writer, ballot in
                writer.text(ballot.member)
                writer.text(ballot.vote.rawValue)
                writer.integer(ballot.signedAt)
            }
            writer.text(reason)
            writer.optional(closed) { $1.encode(to: &$0) }
        }
    }

    /// Reads a value of ``GovernanceMaps/proposalsInfo``.
    /// - Throws: `ByteReaderError`.
    public init(id: String, record: [UInt8]) throws(ByteReaderError) { try self.init(id: id, bytes: record) }

    init(id: String, bytes: [UInt8]) throws(ByteReaderError) {
        var reader = try GovernanceRecord.reader(bytes)
        self.id = id
        number = try reader.integer()
        proposer = try reader.text(limit: 64)
        title = try reader.text(limit: 1024)
        created = try LedgerPlace(reading: &reader)
        opensAt = try reader.integer()
        deadline = try reader.optional { reader throws(ByteReaderError) in try reader.integer() }
        bases = try reader.list(limit: 1 << 16) { reader throws(ByteReaderError) in
            Base(
                map: try reader.text(limit: 256), key: try reader.blob(limit: 1024),
                digest: try reader.optional { reader throws(ByteReaderError) in try reader.raw(32) })
        }
        state = try Self.word(&reader)
        ballots = try reader.list(limit: Limits.actorsMax) { reader throws(ByteReaderError) in
            Ballot(
                member: try reader.text(limit: 64), vote: try Self.word(&reader), signedAt: try reader.integer())
        }
        reason = try reader.text(limit: 4096)
        closed = try reader.optional { reader throws(ByteReaderError) in try LedgerPlace(reading: &reader) }
        try reader.finish()
    }

    private static func word<T: RawRepresentable<String>>(
        _ reader: inout ByteReader
    ) throws(ByteReaderError) -> T {
        let at = reader.offset
        guard let value = T(rawValue: try reader.text(limit: 32)) else { throw .invalid(at: at) }
        return value
    }

    // MARK: JSON

    /// The form in which CCF's governance interface shows a proposal, and what it does not have besides.
    public var json: JSON {
        let votes = JSON.object(
            JSONObject(ballots.map { .init(name: $0.member, value: .string($0.vote.rawValue)) }))
        var object = JSONObject([
            .init(name: "proposalId", value: .string(id)), .init(name: "proposerId", value: .string(proposer)),
            .init(name: "proposalState", value: .string(state.rawValue)),
            .init(name: "ballotCount", value: .integer(Int64(ballots.count))),
            .init(name: "title", value: .string(title)),
            .init(name: "createdAt", value: .string(created.description)),
            .init(name: "createdTime", value: .integer(Int64(clamping: created.time))),
        ])
        if let deadline { object.append("deadline", .integer(Int64(clamping: deadline))) }
        if opensAt > created.time { object.append("opensAt", .integer(Int64(clamping: opensAt))) }
        object.append("votes", votes)
        if let closed {
            object.append("closedAt", .string(closed.description))
            object.append(
                "finalVotes",
                .object(
                    JSONObject(
                        ballots.filter { $0.vote != .abstain }.map {
                            .init(name: $0.member, value: .bool($0.vote == .yes))
                        })))
        }
        if !reason.isEmpty { object.append("failure", ["reason": .string(reason)]) }
        return .object(object)
    }
}
