/// Monotone time in microseconds, as the shell passes it in. Only differences have a meaning.
public typealias Microseconds = UInt64

/// A node as consensus knows it: the lower-case hex SHA-256 of its public key. A new instance has a new id.
public typealias PeerID = String

/// The place of an entry in the log and the view in which a leader put it there.
///
/// Two logs that hold the same position hold the same entries up to it (Raft's Log Matching, thesis section 3.5). The
/// order is by view, then seqno: the order in which elections compare logs.
public struct LogPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// View (Raft's term) of the leader that wrote the entry.
    public var view: UInt64
    /// Number of the entry, from 1; 0 stands for "before the first".
    public var seqno: UInt64

    /// A position.
    public init(view: UInt64, seqno: UInt64) {
        self.view = view
        self.seqno = seqno
    }

    /// Before the first entry.
    public static let zero = LogPosition(view: 0, seqno: 0)

    /// Whether a log that ends here can hold the entry at `other`: views never fall along a log.
    func reaches(_ other: LogPosition) -> Bool { seqno >= other.seqno && view >= other.view }

    /// By view, then by seqno.
    public static func < (left: LogPosition, right: LogPosition) -> Bool {
        (left.view, left.seqno) < (right.view, right.seqno)
    }

    /// `view.seqno`.
    public var description: String { "\(view).\(seqno)" }
}

/// One unit of replication. Consensus never looks into `bytes`.
public struct LogEntry: Hashable, Sendable {
    /// What an entry means to consensus.
    public enum Kind: Hashable, Sendable {
        /// Nothing: the bytes are the application's.
        case data
        /// The leader's signature over the Merkle root of the whole log; only such entries are committed, each with
        /// everything before it.
        case signature
        /// A set of nodes that counts from the moment of appending.
        case configuration(Configuration)
    }

    /// View of the leader that wrote it.
    public var view: UInt64
    /// Its number, without gaps from 1.
    public var seqno: UInt64
    /// What it means to consensus.
    public var kind: Kind
    /// The ledger's bytes.
    public var bytes: [UInt8]

    /// An entry.
    public init(view: UInt64, seqno: UInt64, kind: Kind, bytes: [UInt8]) {
        self.view = view
        self.seqno = seqno
        self.kind = kind
        self.bytes = bytes
    }

    /// Its place in the log.
    public var position: LogPosition { LogPosition(view: view, seqno: seqno) }
}
