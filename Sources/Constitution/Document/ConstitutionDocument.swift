public import Attestation

/// The content of a constitution, "the complete expression of network policies" (white paper), not validated.
/// ``Constitution`` is what it becomes.
public struct ConstitutionDocument: Sendable, Hashable {
    /// Something in the ledger's administrative maps that this build does not know: kept, and written back as it is.
    public struct UnknownEntry: Sendable, Hashable {
        /// The map.
        public var map: String
        /// The key.
        public var key: [UInt8]
        /// The value.
        public var value: [UInt8]

        /// An entry.
        public init(map: String, key: [UInt8], value: [UInt8]) {
            self.map = map
            self.key = key
            self.value = value
        }
    }

    /// What people call the network.
    public var name: String
    /// Members and participants, sorted by id.
    public var actors: [Actor]
    /// The VN list, sorted by node id.
    public var nodes: [NodeEntry]
    /// The code that may run.
    public var code: CodeManifest
    /// The platforms that are welcome.
    public var tee: TEEManifest
    /// Who must agree to what.
    public var voting: VotingPolicies
    /// How nodes agree.
    public var consensus: ConsensusSettings
    /// Numbers.
    public var parameters: Parameters
    /// The protocols that the network runs. Their order counts: the first answers at `/`.
    public var adapters: [Adapter]
    /// Allows entries that load foreign state, for the replay of recorded chains. Only a genesis can set it.
    public var replay: Bool
    /// Whether the network takes application transactions; members can close it for a while.
    public var isOpen: Bool
    /// What this build does not know.
    public var unknown: [UnknownEntry]

    /// A document; everything but the name may be set later.
    public init(
        name: String, actors: [Actor] = [], nodes: [NodeEntry] = [], code: CodeManifest = .init(),
        tee: TEEManifest = .init(), voting: VotingPolicies = .init(), consensus: ConsensusSettings = .init(),
        parameters: Parameters = .init(), adapters: [Adapter] = [], replay: Bool = false,
        isOpen: Bool = true, unknown: [UnknownEntry] = []
    ) {
        self.name = name
        self.actors = actors
        self.nodes = nodes
        self.code = code
        self.tee = tee
        self.voting = voting
        self.consensus = consensus
        self.parameters = parameters
        self.adapters = adapters
        self.replay = replay
        self.isOpen = isOpen
        self.unknown = unknown
    }

    /// The members, sorted by id.
    public var members: [Actor] { actors.filter(\.isMember) }
    /// The participants, sorted by id.
    public var participants: [Actor] { actors.filter { !$0.isMember } }
}
