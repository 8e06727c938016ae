import Consensus

/// Whether this node and its peers could lead: their workers serve and their disks take writes.
struct Fitness: Sendable {
    /// The state of this node's disk.
    var storage = StorageState.good
    /// Since when it is that, in monotonic microseconds.
    var storageSince: UInt64 = 0
    /// How often the disk stopped taking writes.
    var storageFailures: UInt64 = 0
    /// Bytes of entries that came from a leader since then: they wait in memory.
    var heldByteCount = 0
    /// Since when the worker has not served, in monotonic microseconds; nil while it does.
    var workerMissingSince: UInt64?
    /// The worker died, so the next one is built from the ledger.
    var workerDied = false
    /// Peers that say that they could lead.
    var peers: Set<PeerID> = []
    /// What peers were told of this node.
    var told = false
    /// How often this node handed its leadership over because it was not fit.
    var handOvers: UInt64 = 0

    /// Entries of a leader that are kept in memory while the disk takes none, in bytes.
    static let heldByteCountMax = 64 << 20
    /// Time after which those who wait for the disk are told, in microseconds: long enough to hand over.
    static let patienceMicroseconds: UInt64 = 2_000_000
}
