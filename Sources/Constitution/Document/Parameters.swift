/// Numbers that the whole network agrees on. ``Parameters/table`` is the one place that gives each its name, bounds and
/// meaning.
public struct Parameters: Sendable, Hashable {
    /// Milliseconds of ledger time for which one session key encrypts.
    public var epochMilliseconds: UInt64 = 86_400_000
    /// Milliseconds for which managers keep a session key in memory after its epoch.
    public var keyRetentionMilliseconds: UInt64 = 7 * 86_400_000
    /// Transactions of one batch at most.
    public var batchTransactionsMax: UInt64 = 100
    /// Microseconds for which a transaction waits for others at most.
    public var batchDelayMicroseconds: UInt64 = 5_000
    /// Entries after which the Merkle root is signed under load.
    public var signatureEntriesMax: UInt64 = 16
    /// Microseconds after which it is signed at the latest.
    public var signatureDelayMicroseconds: UInt64 = 5_000
    /// Entries between two snapshots.
    public var snapshotIntervalEntries: UInt64 = 10_000
    /// Bytes of entries after which a snapshot is made even before that.
    public var snapshotIntervalBytes: UInt64 = 256 << 20
    /// Bytes after which a chunk of the ledger is closed.
    public var ledgerChunkBytes: UInt64 = 64 << 20
    /// Milliseconds by which an entry's ledger time may be ahead of a follower's clock.
    public var clockBoundMilliseconds: UInt64 = 10_000
    /// Entries for which the answer to a request id is kept.
    public var requestRetentionEntries: UInt64 = 100_000
    /// Milliseconds between a leader's heartbeats.
    public var heartbeatMilliseconds: UInt64 = 50
    /// Milliseconds for which a follower waits for its leader at least; at most it is twice that.
    public var electionTimeoutMilliseconds: UInt64 = 500
    /// Version of the formats that new entries are written in.
    public var formatVersion: UInt64 = 1

    /// The defaults.
    public init() {}

    /// One parameter.
    public struct Row: Sendable {
        /// Its name in documents and in the ledger; the part before the dot is its group.
        public let name: String
        /// Where it is.
        public let path: any WritableKeyPath<Parameters, UInt64> & Sendable
        /// What it may be.
        public let range: ClosedRange<UInt64>
        /// What it means.
        public let summary: String
    }

    /// All parameters, sorted by name.
    public static let table: [Row] = [
        Row(
            name: "batch.delayMicroseconds", path: \.batchDelayMicroseconds, range: 0...10_000_000,
            summary:
                "how long a transaction waits for others before its batch is cut; none waits when none is in flight"),
        Row(
            name: "batch.transactionsMax", path: \.batchTransactionsMax, range: 1...65_536,
            summary: "transactions of one batch at most"),
        Row(
            name: "consensus.electionTimeoutMilliseconds", path: \.electionTimeoutMilliseconds, range: 10...600_000,
            summary: "how long a follower waits for its leader at least; at most it is twice that"),
        Row(
            name: "consensus.heartbeatMilliseconds", path: \.heartbeatMilliseconds, range: 1...60_000,
            summary: "time between a leader's heartbeats"),
        Row(
            name: "format.version", path: \.formatVersion, range: 1...1,
            summary: "version of the formats that new entries are written in"),
        Row(
            name: "keys.epochMilliseconds", path: \.epochMilliseconds, range: 1_000...(10 * 366 * 86_400_000),
            summary: "ledger time for which one session key encrypts (no effect in this version: one key encrypts all)"),
        Row(
            name: "keys.retentionMilliseconds", path: \.keyRetentionMilliseconds, range: 0...(100 * 366 * 86_400_000),
            summary: "how long managers keep a session key after its epoch (no effect in this version)"),
        Row(
            name: "ledger.chunkBytes", path: \.ledgerChunkBytes, range: 65_536...(2 << 30),
            summary: "size after which a chunk of the ledger is closed"),
        Row(
            name: "ledger.snapshotIntervalBytes", path: \.snapshotIntervalBytes, range: 65_536...(1 << 40),
            summary: "bytes of entries after which a snapshot is made even before the entries are enough"),
        Row(
            name: "ledger.snapshotIntervalEntries", path: \.snapshotIntervalEntries, range: 10...1_000_000_000,
            summary: "entries between two snapshots"),
        Row(
            name: "requests.retentionEntries", path: \.requestRetentionEntries, range: 1...1_000_000_000,
            summary: "entries for which the answer to a request id is kept"),
        Row(
            name: "signature.delayMicroseconds", path: \.signatureDelayMicroseconds, range: 0...10_000_000,
            summary: "time after which the Merkle root is signed at the latest"),
        Row(
            name: "signature.entriesMax", path: \.signatureEntriesMax, range: 1...65_536,
            summary: "entries after which the Merkle root is signed under load"),
        Row(
            name: "time.clockBoundMilliseconds", path: \.clockBoundMilliseconds, range: 10...3_600_000,
            summary: "how far an entry's ledger time may be ahead of a follower's clock"),
    ]
}
