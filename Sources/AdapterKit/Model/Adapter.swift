public import Ledger
public import Store

/// What integrates a blockchain protocol: a deterministic state machine with a protocol's own requests in front.
///
/// An adapter is used by one thread at a time, does no I/O and reads no clock. It holds two views of one chain of
/// entries: the *latest* one, on which ``execute(_:)`` and ``apply(_:id:)`` build, and the *committed* one, which
/// queries see. ``commit(_:)`` moves the second forward, ``rollback(_:)`` moves the first back; neither ever passes
/// the other. Entries of other adapters and of the manager leave gaps in the sequence numbers.
///
/// - On the primary an entry comes by `execute`, then `commit`.
/// - On followers it comes by `apply`, then `commit`, when it is committed. A new primary also gets `apply` for the
///   entries that it inherits and that are not committed yet.
/// - After lost leadership, `rollback` names the last entry that stands.
public protocol Adapter: AnyObject {
    /// Name and version, for logs and status pages.
    var version: String { get }

    /// Executes submissions on the latest state, as the entry `batch.id`.
    /// - Throws: only if the batch can't be one (order, time); a submission's failure is its outcome.
    func execute(_ batch: Batch) throws -> BatchResult

    /// Takes the writes of an entry that was executed elsewhere onto the latest state. `writes` has all compartments
    /// merged.
    /// - Throws: ``AdapterError``; the worker is then rebuilt.
    func apply(_ writes: WriteSet, id: TransactionID) throws

    /// Everything up to and with `id` is committed.
    func commit(_ id: TransactionID) throws

    /// Everything after `id` never happened.
    func rollback(_ id: TransactionID) throws

    /// Answers a request, or says what it needs first. Errors of the protocol are answers.
    func query(_ query: Query) -> QueryReply

    /// Answers several requests that wait together; may decode and check them in parallel. Same as one by one.
    func query(_ queries: [Query]) -> [QueryReply]

    /// Makes the answer of a query whose submissions are decided; `outcomes` in the order of its bodies.
    func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws -> QueryReply

    /// Goes on with a query that had questions for services outside; `answers` in the order of the questions.
    func called(_ token: QueryToken, answers: [OutsideAnswer]) throws -> QueryReply

    /// Goes on with a query that asked for history: write sets by id, in order, as many as its readers may see.
    func resume(_ token: QueryToken, history: [HistoryEntry]) throws -> QueryReply

    /// Forgets a query whose client is gone.
    func discard(_ token: QueryToken)

    /// Drops all state but the settings, to be filled by ``restore(_:)``.
    func beginRestore()

    /// Takes the next pairs of one map; maps come in order of name, pairs in order of key.
    func restore(_ part: SnapshotPart) throws

    /// The snapshot was complete and reflects entry `id`, which is committed.
    func endRestore(_ id: TransactionID) throws

    /// Takes the meter that shall know which stage the adapter is in. The host's own are ``Stage/decode`` for queries,
    /// ``Stage/execute`` and ``Stage/apply``; an adapter may tell them apart further.
    func report(to meter: StageMeter)
}

extension Adapter {
    /// Answers one by one.
    public func query(_ queries: [Query]) -> [QueryReply] {
        queries.map { query($0) }
    }

    /// One that tells nothing.
    public func report(to meter: StageMeter) {}

    /// Adapters that never ask outside know no such token.
    public func called(_ token: QueryToken, answers: [OutsideAnswer]) throws -> QueryReply {
        throw AdapterError.unknownToken(token)
    }

    /// Adapters that never ask for history know no such token.
    public func resume(_ token: QueryToken, history: [HistoryEntry]) throws -> QueryReply {
        throw AdapterError.unknownToken(token)
    }
}

/// A run of pairs of one map of a snapshot.
public struct SnapshotPart: Hashable, Sendable {
    /// One key with its value.
    public struct Record: Hashable, Sendable {
        /// The key.
        public var key: [UInt8]
        /// Its value.
        public var value: [UInt8]

        /// A pair.
        public init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    /// The map's name.
    public var map: String
    /// Pairs in order of key.
    public var records: [Record]

    /// A run of pairs.
    public init(map: String, records: [Record]) {
        self.map = map
        self.records = records
    }
}

/// An old entry, opened for an adapter.
public struct HistoryEntry: Sendable {
    /// Its id.
    public var id: TransactionID
    /// Its writes in the adapter's maps.
    public var writes: WriteSet

    /// An old entry.
    public init(id: TransactionID, writes: WriteSet) {
        self.id = id
        self.writes = writes
    }
}

/// A built-in kind of adapter and how to make one.
public struct AdapterKind: Sendable {
    /// The name that the constitution uses, such as `ethereum`.
    public let name: String
    /// Makes an adapter at its genesis; throws ``AdapterError`` for unusable settings.
    public let make: @Sendable (AdapterConfiguration, any ParallelExecutor) throws -> any Adapter

    /// A kind of adapter.
    public init(
        name: String, make: @escaping @Sendable (AdapterConfiguration, any ParallelExecutor) throws -> any Adapter
    ) {
        self.name = name
        self.make = make
    }
}
