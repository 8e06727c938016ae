public import AdapterKit
public import Consensus
public import Constitution
public import Ledger

/// What happens to a manager.
public enum ManagerInput: Sendable {
    /// First of all, once.
    case begin
    /// Nothing but time went by.
    case tick
    /// A client's request.
    case request(ClientRequest)
    /// An attested channel to a peer is open.
    case peerConnected(VerifiedNode)
    /// It is gone.
    case peerDisconnected(PeerID)
    /// A handshake with another node ended in a refusal, by this end or by the other.
    case peerRefused(reason: String, isByPeer: Bool)
    /// What this node's owner signed to let it take part: a `NodeApproval`.
    case approval([UInt8])
    /// A peer's message.
    case message([UInt8], from: PeerID)
    /// A fresh worker process is there.
    case workerReady
    /// It died.
    case workerDied(reason: String)
    /// It answered.
    case workerReply(WorkerFrame<WorkerReply>)
    /// All log operations up to this ticket are on disk.
    case logPersisted(ticket: UInt64)
    /// The seal of this ticket is on disk.
    case sealed(ticket: UInt64)
    /// Entries that were read back, in order; empty if there are none.
    case entries([StoredEntry], for: ReadPurpose)
    /// The seqnos of the entries in the ledger's files; an empty range begins with the one that is due.
    case ledgerFound(Range<UInt64>)
    /// The snapshot folder has done something.
    case snapshot(SnapshotReport)
    /// What came of a question to a service outside; the reason of a failure holds nothing that the service sent.
    case heard(UInt64, OutsideAnswer.Result)
    /// Entries can't be read from the ledger's files; at a start this comes before ``ledgerFound(_:)``.
    case ledgerDamaged(LedgerDamage)
    /// The entries of ``ManagerEffect/restoreChunk(_:_:)`` are in the files.
    case chunkRestored(Range<UInt64>)
    /// The disk stopped taking writes, or takes them again.
    case storage(StorageState)
    /// Stop cleanly.
    case shutdown
}

/// A node whose attestation was verified on its channel.
public struct VerifiedNode: Sendable, Hashable {
    /// Its id: the digest of its key.
    public var id: PeerID
    /// The actor who owns it.
    public var owner: ActorID
    /// Digest of what it runs, hex.
    public var measurement: String
    /// What it runs; nil when that is not known.
    public var code: NodeCode?
    /// It was held against no constitution, as this node knows none yet: it may tell which one is in force, no more.
    public var isClaimed: Bool

    /// A verified node.
    public init(
        id: PeerID, owner: ActorID, measurement: String, code: NodeCode? = nil, isClaimed: Bool = false
    ) {
        self.id = id
        self.owner = owner
        self.measurement = measurement
        self.code = code
        self.isClaimed = isClaimed
    }
}

/// An entry's bytes as they stand in the ledger.
public struct StoredEntry: Sendable, Hashable {
    /// Its number.
    public var seqno: UInt64
    /// Its bytes.
    public var bytes: [UInt8]

    /// An entry's bytes.
    public init(seqno: UInt64, bytes: [UInt8]) {
        self.seqno = seqno
        self.bytes = bytes
    }
}
