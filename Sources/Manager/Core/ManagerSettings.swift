public import Consensus
public import Constitution
public import Identity

/// Bounds and times of one node. What the whole network must agree on is in the constitution instead.
public struct ManagerSettings: Sendable {
    /// Client requests without an answer.
    public var requestsWaitingMax = 20_000
    /// Time after which a write's outcome counts as unknown, in microseconds.
    public var requestTimeoutMicroseconds: UInt64 = 30_000_000
    /// How long a worker that serves may owe answers and give none before it counts as hung, in microseconds.
    public var workerSilenceMicroseconds: UInt64 = 10_000_000
    /// Questions to services outside that are under way.
    public var outsideCallsMax = 256
    /// How far beyond this node's log an "at least" may point.
    public var aheadMax: UInt64 = 1_000_000
    /// Bytes read back from the ledger at once.
    public var readBytesMax = 4 << 20
    /// Entries of one history request of an adapter.
    public var historyEntriesMax: UInt64 = 1_024
    /// Bytes of the newest entries that are kept in memory for peers.
    public var entryWindowBytes = 16 << 20
    /// Bytes of a snapshot that is taken from a peer.
    public var snapshotBytesMax: UInt64 = 1 << 38
    /// Bytes of a snapshot that are asked for at a time.
    public var snapshotPartBytes = NodeMessage.snapshotPartBytesMax
    /// Time after which a part of a snapshot is asked for again, in microseconds.
    public var snapshotPartTimeoutMicroseconds: UInt64 = 5_000_000
    /// Addresses of nodes to try when there is no other way to know one, `host:port`.
    public var peers: [String] = []
    /// This node's address for other nodes, `host:port`, as its owner signed it.
    public var address = ""
    /// How often the launcher started this node's manager again, for the metrics.
    public var managerRestarts: UInt64 = 0
    /// What this node runs; nil when that is not known, as in tests.
    public var code: NodeCode?
    /// Validity of the certificates that this node issues, in milliseconds.
    public var certificateValidityMilliseconds: UInt64 = 365 * 86_400_000

    /// Deliberate bugs, for tests of the tests.
    package var faults: ManagerFault = []
    /// The same of consensus.
    package var raftFaults: RaftFault = []

    /// The defaults.
    public init() {}
}

/// This node's key and what follows from it.
public struct NodeIdentity: Sendable {
    /// The node key.
    public let key: SigningKey
    /// Lower-case hex SHA-256 of the public key.
    public let id: PeerID

    /// The identity that a key gives.
    public init(key: SigningKey) {
        self.key = key
        id = key.publicKey.id
    }
}

/// How a manager comes to life.
public enum ManagerStart: Sendable {
    /// It founds the network of its genesis constitution.
    case found
    /// It asks to be let into the network.
    case join(SealedState)
    /// It was part of the network before, its seal is intact.
    case restart(SealedState)
}

/// Secret random bytes. An input like the clock, so that simulations repeat.
public protocol RandomBytes {
    /// The next `count` bytes.
    mutating func next(_ count: Int) -> [UInt8]
}
