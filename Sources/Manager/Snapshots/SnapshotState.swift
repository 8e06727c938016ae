import Consensus
import Ledger
import Primitives
import Store

/// What the manager knows of this node's snapshots: of those that are there, of the one in the making, and of one that
/// comes from a peer.
struct SnapshotState: Sendable {
    /// A snapshot that was made here and is not committed yet.
    struct Made: Sendable {
        let seqno: UInt64
        let digest: Bytes32
    }

    /// The evidence for a snapshot in the ledger.
    struct Evidence: Sendable {
        let entry: UInt64
        let seqno: UInt64
        let digest: Bytes32
    }

    /// Changes are handed to the disk once they have about this many bytes.
    static let changeByteCountMax = 4 << 20

    /// Changes that were not handed over yet.
    private var changes: [WriteSet] = []
    private var changeByteCount = 0
    /// Last entry whose changes were collected.
    private(set) var collected: UInt64 = 0
    /// The epoch of the last sealed entry among those.
    private(set) var epoch: UInt64 = 0

    /// The folder has told what it has.
    var isListed = false
    /// Committed snapshots of this node, oldest first.
    var listings: [SnapshotListing] = []
    /// Those whose frames can be read.
    var open: Set<SnapshotName> = []
    /// Those that could not be restored from.
    var unusable: Set<SnapshotName> = []

    /// Where the snapshot stands that is being made.
    var making: UInt64?
    var made: Made?
    /// The evidence of a snapshot that this node is still making.
    var evidence: Evidence?
    /// Nothing is made until the next start.
    var isStopped = false

    /// At a start: one that is verified, and may be started from.
    var candidate: OpenedSnapshot?
    /// One that is verified and takes the place of the ledger if consensus wants it.
    var installing: (snapshot: OpenedSnapshot, ledger: LedgerState, store: Store, time: UInt64)?
    var transfer: SnapshotTransfer?
    /// The last one that came and was refused, and until when it is not asked for again.
    var refused: (name: SnapshotName, until: UInt64)?
    /// When a peer last pulled a part of each.
    private var pulled: [SnapshotName: UInt64] = [:]
    /// Peers for which a part is being read.
    var serving: Set<PeerID> = []

    /// Whether nothing is made or waits for its evidence.
    var isIdle: Bool { !isStopped && making == nil && made == nil }

    /// The newest committed snapshot.
    var newest: SnapshotListing? { listings.last }

    /// Takes an entry's changes; entries come in order, some perhaps twice.
    /// - Returns: changes that are due to be handed over.
    mutating func collect(_ entry: OpenedEntry) -> [WriteSet] {
        guard entry.id.seqno == collected + 1 else { return [] }
        collected = entry.id.seqno
        epoch = entry.epoch ?? epoch
        changes += entry.snapshotChanges
        changeByteCount += entry.byteCount
        return changeByteCount >= Self.changeByteCountMax ? takeChanges() : []
    }

    /// The changes that were not handed over yet.
    mutating func takeChanges() -> [WriteSet] {
        defer {
            changes = []
            changeByteCount = 0
        }
        return changes
    }

    /// A peer pulls.
    mutating func notePull(_ name: SnapshotName, at time: UInt64) { pulled[name] = time }

    /// The snapshots that a peer is taking, which stay until it has them.
    mutating func beingTaken(at time: UInt64) -> Set<SnapshotName> {
        pulled = pulled.filter { time < $0.value + 60_000_000 }
        return Set(pulled.keys)
    }

    /// Changes follow this snapshot from now on.
    mutating func rebase(on snapshot: OpenedSnapshot) {
        _ = takeChanges()
        collected = snapshot.id.seqno
        epoch = snapshot.epoch
        making = nil
        made = nil
        evidence = nil
    }
}

/// A snapshot on its way from a peer.
struct SnapshotTransfer: Sendable {
    let name: SnapshotName
    /// Bytes of the whole file, as the peer said.
    let byteCount: UInt64
    /// From whom it comes; any peer that has it can go on.
    var peer: PeerID
    /// The next byte that is wanted.
    var next: UInt64 = 0
    /// What the transfer waits for.
    var stage = Stage.part
    /// When it is asked for again, in monotonic microseconds.
    var deadline: UInt64 = 0

    enum Stage: Sendable, Equatable {
        /// The next part, from the peer.
        case part
        /// The disk.
        case disk
    }
}
