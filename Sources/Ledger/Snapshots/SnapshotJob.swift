public import Identity
public import Primitives
public import Store

/// What a snapshot is made of, beside the private state that was collected.
public struct SnapshotPoint: Sendable {
    /// The committed signature entry after which the state is taken.
    public var id: TransactionID
    /// That entry's leaf.
    public var leaf: Bytes32
    /// The first seqno of each view from 1 on.
    public var viewHistory: [UInt64]
    /// The network's own public maps.
    public var publicState: WriteSet
    /// The session key that seals the private state.
    public var session: SessionKey
    /// The network.
    public var networkID: [UInt8]

    /// A point as given.
    public init(
        id: TransactionID, leaf: Bytes32, viewHistory: [UInt64], publicState: WriteSet, session: SessionKey,
        networkID: [UInt8]
    ) {
        self.id = id
        self.leaf = leaf
        self.viewHistory = viewHistory
        self.publicState = publicState
        self.session = session
        self.networkID = networkID
    }
}

/// What it takes to believe a snapshot and to open it.
public struct SnapshotAccess: Sendable {
    /// The network.
    public var networkID: [UInt8]
    /// Session keys by epoch.
    public var sessions: [SessionKey]
    /// The network's certificate: its key must have signed the receipt, or endorsed who did.
    public var service: X509Certificate
    /// Start of the names of private maps that ``OpenedSnapshot/ownMaps`` is to hold.
    public var ownPrefix: String

    /// Access as given.
    public init(networkID: [UInt8], sessions: [SessionKey], service: X509Certificate, ownPrefix: String) {
        self.networkID = networkID
        self.sessions = sessions
        self.service = service
        self.ownPrefix = ownPrefix
    }
}

/// A snapshot that was verified: its receipt, its digest, its key, and the frames that hold the network's own maps.
public struct OpenedSnapshot: Sendable {
    /// Its file.
    public let name: SnapshotName
    /// Bytes of the file, receipt included.
    public let byteCount: UInt64
    /// Where it stands.
    public let id: TransactionID
    /// Leaf of the entry there.
    public let leaf: Bytes32
    /// The first seqno of each view from 1 on.
    public let viewHistory: [UInt64]
    /// The public maps.
    public let publicState: WriteSet
    /// The private maps of the network itself.
    public let ownMaps: WriteSet
    /// What its evidence claims.
    public let digest: Bytes32
    /// The epoch whose session key seals its private state.
    public let epoch: UInt64
    /// Number of frames of the private state.
    public let frameCount: Int
}

/// A snapshot that this node has, as it is offered to others.
public struct SnapshotListing: Sendable, Hashable {
    /// So many committed snapshots are kept.
    public static let keptCount = 2

    /// Its file.
    public var name: SnapshotName
    /// Bytes of the file, receipt included.
    public var byteCount: UInt64

    /// A listing.
    public init(name: SnapshotName, byteCount: UInt64) {
        self.name = name
        self.byteCount = byteCount
    }
}

/// Work on the snapshot folder. Jobs are done in order, each one's report follows; the making of a snapshot goes on in
/// between, slice by slice.
public enum SnapshotJob: Sendable {
    /// Remove what an earlier process left unfinished, and tell what there is.
    case list
    /// Verify and open a committed snapshot.
    case open(SnapshotName, SnapshotAccess)
    /// A committed snapshot can't be used: its file becomes `.ignored`.
    case setAside(SnapshotName)
    /// Changes from here on follow this snapshot, which was opened.
    case rebase(SnapshotName)
    /// Changes of committed entries, in their order.
    case collect([WriteSet])
    /// Make the snapshot after these last changes.
    case make(SnapshotPoint, changes: [WriteSet])
    /// The evidence of a snapshot that was made is committed: the file gets its receipt and its name. The oldest go,
    /// but for those that a peer is taking.
    case commit(SnapshotName, receipt: [UInt8], keeping: Set<SnapshotName>)
    /// A snapshot that was made has no evidence, or another's.
    case discard(seqno: UInt64)
    /// Open one frame of the private state of a snapshot that was opened or made here.
    case frame(SnapshotName, index: Int)
    /// Read a part of a committed file, for a peer.
    case read(SnapshotName, offset: UInt64, byteCount: Int, peer: String)
    /// Write a part of a file that comes from a peer; a part at 0 begins it anew.
    case receive(SnapshotName, offset: UInt64, [UInt8])
    /// All of the file that came from a peer is there: verify it and keep it.
    case accept(SnapshotName, byteCount: UInt64, SnapshotAccess)
}

/// What came of a ``SnapshotJob``.
public enum SnapshotReport: Sendable {
    /// Committed snapshots, oldest first.
    case listed([SnapshotListing])
    /// A snapshot is verified and open.
    case opened(OpenedSnapshot)
    /// A snapshot can't be used.
    case refused(SnapshotName, reason: String)
    /// One frame of the private state, of so many.
    case frame(SnapshotName, index: Int, count: Int, WriteSet)
    /// A frame can't be opened.
    case frameFailed(SnapshotName, index: Int, reason: String)
    /// A snapshot is made; its digest is to be recorded.
    case made(seqno: UInt64, digest: Bytes32, byteCount: UInt64)
    /// A snapshot is committed.
    case committed(SnapshotListing)
    /// Nothing more is collected or made until the next start.
    case stopped(reason: String)
    /// A part of a file, for a peer.
    case chunk(SnapshotName, offset: UInt64, [UInt8], peer: String)
    /// There is no such file or part, for a peer.
    case gone(SnapshotName, peer: String)
    /// The parts so far are written; the next one begins at the offset.
    case received(SnapshotName, next: UInt64)
    /// A part can't be written.
    case receiveFailed(SnapshotName, reason: String)
}
