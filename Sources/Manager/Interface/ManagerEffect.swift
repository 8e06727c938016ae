public import AdapterKit
public import Consensus
public import Ledger

/// The two clocks, read by the runtime for each input.
public struct ClockReading: Sendable, Hashable {
    /// Microseconds of a clock that never jumps; its start means nothing.
    public var monotonic: UInt64
    /// Milliseconds since 1970, as the host says. Used only as the proposal for ledger time and for certificates.
    public var wall: UInt64

    /// A reading.
    public init(monotonic: UInt64, wall: UInt64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// What the manager wants done. The runtime carries effects out in order.
public enum ManagerEffect: Sendable {
    /// Answers a client.
    case respond(RequestToken, ClientResponse)
    /// Sends a node message on the channel to a peer; lost if there is none.
    case send(PeerID, [UInt8])
    /// Opens a channel to the node at this address, unless there is one.
    case dial(address: String)
    /// Closes the channel to a peer.
    case disconnect(PeerID, reason: String)
    /// Asks the worker.
    case worker(WorkerFrame<WorkerRequest>)
    /// Asks a service outside, once, within its limits; ``ManagerInput/heard(_:_:)`` follows in any case.
    case ask(OutsideRequest)
    /// Ends this worker and starts a new one; ``ManagerInput/workerReady`` follows.
    case restartWorker(reason: String)
    /// Writes entries at the end of the ledger; ``ManagerInput/logPersisted(ticket:)`` follows when they are durable.
    case append([LogEntry], ticket: UInt64)
    /// Cuts the ledger so that this is its last entry; reported like `append`.
    case truncate(to: UInt64, ticket: UInt64)
    /// Sets the ledger's files aside and goes on with an empty one after this entry; reported like `append`.
    case resetLog(to: UInt64, ticket: UInt64)
    /// Asks what the ledger's files hold; ``ManagerInput/ledgerFound(_:)`` follows.
    case surveyLedger
    /// Work on the snapshot folder; ``ManagerInput/snapshot(_:)`` follows.
    case snapshot(SnapshotJob)
    /// Reads entries back, at most about `bytesMax` of them but at least one; ``ManagerInput/entries(_:for:)`` follows.
    case read(first: UInt64, last: UInt64, bytesMax: Int, for: ReadPurpose)
    /// The chunk with this entry does not verify: sets it aside; ``ManagerInput/ledgerDamaged(_:)`` follows.
    case setAsideChunk(seqno: UInt64)
    /// Writes verified entries in the place of a chunk that is missing; ``ManagerInput/chunkRestored(_:)`` follows.
    case restoreChunk(Range<UInt64>, [[UInt8]])
    /// Seals these bytes to the platform; ``ManagerInput/sealed(ticket:)`` follows when they are durable.
    case seal([UInt8], ticket: UInt64)
    /// Everything up to here is committed: chunks may be closed and named so.
    case committed(seqno: UInt64)
    /// Client listeners open, or go on, with this certificate of the node; the network's is published (both PEM).
    case serve(certificate: String, networkCertificate: String)
    /// Client sessions whose certificates stand for another actor now, or for none, are ended.
    case checkSessions
    /// The constitution that this node's owner has to approve, as a genesis file has it, is published for it.
    case offerConstitution([UInt8])
    /// A line for the log; never holds a payload, a key or a plaintext.
    case log(LogLine)
    /// The node can't go on.
    case halt(reason: String)
}

/// A log line: a fixed message and what varies apart.
public struct LogLine: Sendable, Hashable {
    /// How urgent.
    public enum Level: UInt8, Sendable, Hashable {
        /// For developers.
        case debug
        /// Normal course of things.
        case info
        /// Something an operator may want to look at.
        case warning
        /// Something an operator must look at.
        case error
    }

    /// How urgent.
    public var level: Level
    /// The fixed message.
    public var message: String
    /// What varies.
    public var fields: [(name: String, value: String)]

    /// A line.
    public init(_ level: Level, _ message: String, _ fields: [(name: String, value: String)] = []) {
        self.level = level
        self.message = message
        self.fields = fields
    }

    /// Equal in all parts.
    public static func == (left: LogLine, right: LogLine) -> Bool {
        left.level == right.level && left.message == right.message
            && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    /// Feeds all parts.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(level)
        hasher.combine(message)
        for field in fields {
            hasher.combine(field.name)
            hasher.combine(field.value)
        }
    }
}

/// What entries that were read back are for.
public enum ReadPurpose: Sendable, Hashable {
    /// Building the manager's state at start.
    case recovery
    /// Building a new worker's state, from this entry on.
    case worker(first: UInt64)
    /// A peer that lags behind what consensus keeps in memory needs entries from this one on.
    case catchUp(peer: PeerID, first: UInt64)
    /// The evidence of a snapshot that this node starts from.
    case snapshotEvidence(SnapshotName)
    /// The evidence of a snapshot, and what follows, for its receipt.
    case snapshotReceipt(SnapshotName)
    /// A receipt for a client.
    case receipt(RequestToken)
    /// A peer lost entries from this one on.
    case repair(peer: PeerID, first: UInt64)
    /// Entries for a client, as they are.
    case entries(RequestToken)
    /// Old entries that an adapter's query needs.
    case history(RequestToken)
}
