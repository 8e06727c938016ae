public import Attestation
public import Store

/// What one step of governance brings about: the writes of one entry, and what the node does once that is committed.
public struct GovernanceOutcome: Sendable {
    /// Something that members are told.
    public enum Event: Sendable, Hashable {
        /// A proposal was made.
        case proposed(ProposalRecord)
        /// A member voted.
        case voted(proposalID: String, member: ActorID, vote: Vote)
        /// A proposal was closed.
        case closed(ProposalRecord)
        /// The constitution has a new version.
        case changed(ConstitutionVersion)
    }

    /// Writes to the administrative maps, all of them private.
    public internal(set) var writes = WriteSet()
    /// What happened, in order.
    public internal(set) var events: [Event] = []
    /// The proposal that the message was about, as it stands now; nil for a step of time alone.
    public internal(set) var proposal: ProposalRecord?
    /// The constitution from the entry on; nil when it stays as it is. Sessions of removed actors and nodes are closed
    /// when the entry is committed, not before.
    public internal(set) var constitution: Constitution?
    /// Certificates that are to be made anew.
    public internal(set) var renewals: [CertificateRenewal] = []

    /// Whether nothing happened.
    public var isEmpty: Bool { writes.isEmpty }
}

/// What the primary knows when it takes a step of governance.
public struct GovernanceContext: Sendable {
    /// The entry that the writes will be in, and its ledger time.
    public var place: LedgerPlace
    /// Root of the ledger's Merkle tree before that entry, 32 bytes: makes ids of proposals unique among all networks.
    public var root: [UInt8]
    /// Nodes that take part now, this one among them; nil when that is not known.
    public var live: [LiveNode]?
    /// Judges the evidence that proposals bring.
    public var judge: EvidenceJudge

    /// A context.
    public init(place: LedgerPlace, root: [UInt8], live: [LiveNode]? = nil, judge: EvidenceJudge = .builtIn) {
        self.place = place
        self.root = root
        self.live = live
        self.judge = judge
    }
}
