public import Primitives

/// What a key generation is about: fixed by the entry that opens it, and bound into every message, proof and key of it by
/// ``digest``.
public struct GenerationContext: Hashable, Sendable {
    /// Why shares are dealt.
    public enum Purpose: Hashable, Sendable {
        /// A new key, at the start or after a removal for cause: nothing of an older one goes in.
        case fresh
        /// The same key for another roster or threshold (Desmedt-Jajodia): dealers are the old shares' holders.
        case reshare(PublicKeySet)
        /// The same key, roster and threshold, with new shares: what was stolen before is worth nothing after.
        case refresh(PublicKeySet)
    }

    /// The last ledger positions at which messages of each round count.
    public struct Schedule: Hashable, Sendable {
        /// End of the commitments.
        public let commitUntil: UInt64
        /// End of the dealings.
        public let dealUntil: UInt64
        /// End of the complaints.
        public let complainUntil: UInt64
        /// By then enough actors must have proved that they hold their share.
        public let readyUntil: UInt64

        /// Four positions, each after the one before.
        public init(commitUntil: UInt64, dealUntil: UInt64, complainUntil: UInt64, readyUntil: UInt64) {
            self.commitUntil = commitUntil
            self.dealUntil = dealUntil
            self.complainUntil = complainUntil
            self.readyUntil = readyUntil
        }
    }

    /// The network.
    public let networkID: String
    /// The generation's id, given once in a network.
    public let id: UInt64
    /// Ledger position of the entry that opened it. An id that is used again still gives another digest.
    public let openedAt: UInt64
    /// Why shares are dealt.
    public let purpose: Purpose
    /// Who gets shares.
    public let roster: Roster
    /// So many dealings must stand. With at most M - 1 dishonest actors, M make sure of one honest dealer.
    public let dealerCountMin: Int
    /// When each round ends.
    public let schedule: Schedule
    /// SHA-512-based digest of all of it.
    public let digest: Bytes32

    /// A generation. Without `dealerCountMin` it is max(M, N - M + 1) for a fresh key and for a refresh, the old M for a
    /// resharing.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` when parts don't go together.
    public init(
        networkID: String, id: UInt64, openedAt: UInt64, purpose: Purpose, roster: Roster, dealerCountMin: Int? = nil,
        schedule: Schedule
    ) throws(ThresholdError) {
        guard FieldReader.isPlain(networkID) else { throw .malformed("a network id that is no printable ASCII") }
        guard openedAt < schedule.commitUntil, schedule.commitUntil < schedule.dealUntil,
            schedule.dealUntil < schedule.complainUntil, schedule.complainUntil < schedule.readyUntil
        else { throw .malformed("a schedule whose rounds don't follow one another") }
        self.networkID = networkID
        self.id = id
        self.openedAt = openedAt
        self.purpose = purpose
        self.roster = roster
        self.schedule = schedule
        let dealers: Roster
        switch purpose {
        case .fresh: dealers = roster
        case .reshare(let old):
            dealers = old.roster
            guard old.networkID == networkID else { throw .stale("a key of another network to reshare") }
            guard Self.indexesAgree(old.roster, roster) else {
                throw .malformed("an actor that changes its index, or an index that changes its actor")
            }
        case .refresh(let old):
            dealers = old.roster
            guard old.networkID == networkID else { throw .stale("a key of another network to refresh") }
            guard old.roster == roster else { throw .malformed("a refresh that changes the roster") }
            guard roster.threshold > 1 else { throw .malformed("a refresh of a key that each actor holds alone") }
        }
        let least = dealers.threshold
        var usual = least
        if case .reshare = purpose {} else { usual = max(least, dealers.members.count - least + 1) }
        self.dealerCountMin = dealerCountMin ?? usual
        guard (least...dealers.members.count).contains(self.dealerCountMin) else {
            throw .malformed("\(self.dealerCountMin) dealers, where \(least) to \(dealers.members.count) are possible")
        }
        digest = Self.digest(
            [
                .text(networkID), .unsigned(id), .unsigned(openedAt), Self.cbor(purpose), roster.cbor,
                .unsigned(UInt64(self.dealerCountMin)), .unsigned(schedule.commitUntil),
                .unsigned(schedule.dealUntil), .unsigned(schedule.complainUntil), .unsigned(schedule.readyUntil),
            ])
    }

    /// Who deals: holders of the old key, or the roster.
    public var dealers: Roster {
        switch purpose {
        case .fresh: roster
        case .reshare(let old), .refresh(let old): old.roster
        }
    }

    // A share is worth something at its index alone, and an index is bound to one actor for good.
    private static func indexesAgree(_ old: Roster, _ new: Roster) -> Bool {
        new.members.allSatisfy { member in
            (old[member.index]?.actor ?? member.actor) == member.actor
                && (old[actor: member.actor]?.index ?? member.index) == member.index
        }
    }

    private static func cbor(_ purpose: Purpose) -> CBOR {
        switch purpose {
        case .fresh: .array([.unsigned(0)])
        case .reshare(let old): .array([.unsigned(1), .digest(old.digest)])
        case .refresh(let old): .array([.unsigned(2), .digest(old.digest)])
        }
    }

    private static func digest(_ fields: [CBOR]) -> Bytes32 {
        var transcript = Transcript("generation")
        transcript.append(FieldWriter.message("dkg.context", fields))
        return transcript.digest()
    }
}
