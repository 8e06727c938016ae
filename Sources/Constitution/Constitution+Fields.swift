public import Attestation

/// Parts of the document under the names by which the manager asks for them.
extension Constitution {
    /// What people call the network.
    public var name: String { document.name }
    /// Members and participants, sorted by id.
    public var actors: [Actor] { document.actors }
    /// Members, sorted by id.
    public var members: [Actor] { document.members }
    /// Participants, sorted by id.
    public var participants: [Actor] { document.participants }
    /// The VN list, sorted by node id.
    public var nodes: [NodeEntry] { document.nodes }
    /// The code manifest.
    public var code: CodeManifest { document.code }
    /// The TEE manifest.
    public var tee: TEEManifest { document.tee }
    /// Who must agree to what.
    public var voting: VotingPolicies { document.voting }
    /// How nodes agree.
    public var consensus: ConsensusSettings { document.consensus }
    /// The numbers.
    public var parameters: Parameters { document.parameters }
    /// The protocols that the network runs, the one of `/` first.
    public var adapters: [Adapter] { document.adapters }
    /// Whether the network takes application transactions now.
    public var isOpen: Bool { document.isOpen }
    /// Whether entries may load foreign state.
    public var replay: Bool { document.replay }
    /// Whether a majority that restarts with intact seals goes on by itself.
    public var restartsSealed: Bool { document.consensus.restart == .sealed }
    /// Transactions of one batch at most.
    public var batchTransactionsMax: Int { Int(clamping: parameters.batchTransactionsMax) }
    /// Microseconds for which a transaction waits for others at most.
    public var batchDelayMicroseconds: UInt64 { parameters.batchDelayMicroseconds }
    /// Entries after which the Merkle root is signed under load.
    public var signatureEntriesMax: Int { Int(clamping: parameters.signatureEntriesMax) }
    /// Microseconds after which it is signed at the latest.
    public var signatureDelayMicroseconds: UInt64 { parameters.signatureDelayMicroseconds }
    /// Milliseconds by which an entry's ledger time may be ahead of a follower's clock.
    public var clockBoundMilliseconds: UInt64 { parameters.clockBoundMilliseconds }
    /// Entries for which the answer to a request id is kept.
    public var requestRetentionEntries: UInt64 { parameters.requestRetentionEntries }
    /// Milliseconds of ledger time for which one session key encrypts.
    public var epochMilliseconds: UInt64 { parameters.epochMilliseconds }
    /// Milliseconds for which managers keep a session key in memory after its epoch.
    public var keyRetentionMilliseconds: UInt64 { parameters.keyRetentionMilliseconds }
    /// Entries between two snapshots.
    public var snapshotIntervalEntries: UInt64 { parameters.snapshotIntervalEntries }
    /// Bytes of entries after which a snapshot is made even before that.
    public var snapshotIntervalBytes: UInt64 { parameters.snapshotIntervalBytes }
    /// Bytes after which a chunk of the ledger is closed.
    public var ledgerChunkBytes: UInt64 { parameters.ledgerChunkBytes }
    /// Milliseconds between a leader's heartbeats.
    public var heartbeatMilliseconds: UInt64 { parameters.heartbeatMilliseconds }
    /// Milliseconds for which a follower waits for its leader at least.
    public var electionTimeoutMilliseconds: UInt64 { parameters.electionTimeoutMilliseconds }
    /// The weakest platform that is welcome, by which the network's security is to be judged; software before hardware.
    public var weakestPlatform: Platform? {
        tee.rules.map(\.platform).max { $0.code < $1.code }
    }
}
