import Consensus
import Ledger

/// What of this node's ledger is missing on its disk, and what is being fetched from other nodes.
struct RepairState: Sendable {
    /// A range on its way.
    struct Fetch: Sendable {
        let range: Range<UInt64>
        var verifier: ChunkVerifier
        var entries: [[UInt8]] = []
        var byteCount = 0
        var peer: PeerID
        /// When another peer is asked, in monotonic microseconds.
        var deadline: UInt64
    }

    /// Ranges of committed chunks that are not there.
    var missing: [Range<UInt64>] = []
    var fetch: Fetch?
    /// Everything behind the last entry was cut off as damaged; what peers know as committed has to come back.
    var isTailMissing = false
    /// All else is read, so that the end is due.
    var isTailDue = false
    /// The end is being fetched: from whom, and when another is asked.
    var tail: (peer: PeerID, deadline: UInt64)?
    /// Writes of the end of the ledger: asked for, and durable.
    var tailTicket: UInt64 = 0
    var tailPersisted: UInt64 = 0
    /// Nothing more comes.
    var isTailComplete = false
    /// Entries at which a chunk was set aside because they did not verify.
    var rejected: Set<UInt64> = []
    /// Turns among the peers.
    var turn = 0
    /// Peers for which entries are being read.
    var serving: Set<PeerID> = []
    /// Chunks and ends that were put in place again.
    var repairedCount: UInt64 = 0

    /// Time after which another peer is asked, in microseconds.
    static let timeoutMicroseconds: UInt64 = 5_000_000
    /// Bytes of one range at most: it is in memory until it is verified.
    static let rangeByteCountMax = 256 << 20

    /// The missing range that holds an entry.
    func missing(_ seqno: UInt64) -> Range<UInt64>? { missing.first { $0.contains(seqno) } }
}
