public import Ledger

/// A request of a client as it came from the wire, for an adapter to answer or to turn into submissions.
public struct Query: Hashable, Sendable {
    /// Who asks.
    public var actor: ActorID
    /// The protocol's request, such as a JSON-RPC body.
    public var body: [UInt8]
    /// What the adapter can't know by itself.
    public var context: QueryContext

    /// A request of `actor`.
    public init(actor: ActorID, body: [UInt8], context: QueryContext) {
        self.actor = actor
        self.body = body
        self.context = context
    }
}

/// The circumstances of a query.
public struct QueryContext: Hashable, Sendable {
    /// The last committed entry that this worker was told of.
    public var committed: TransactionID
    /// The manager's estimate of ledger time, in milliseconds since 1970.
    public var time: UInt64
    /// Other nodes that this node is connected to.
    public var peers: UInt32

    /// Circumstances of a query.
    public init(committed: TransactionID, time: UInt64, peers: UInt32 = 0) {
        self.committed = committed
        self.time = time
        self.peers = peers
    }
}

/// A body that a query wants to have executed.
public struct SubmissionRequest: Hashable, Sendable {
    /// An id that the protocol itself gives the write, used if the client's request named none.
    public var requestID: RequestID?
    /// What ``Submission/body`` will be.
    public var body: [UInt8]
    /// Which of the answers that the query got from outside go with it, counted from its first question. The manager adds
    /// them from its own record.
    public var answers: [UInt32]

    /// A body to submit.
    public init(requestID: RequestID? = nil, body: [UInt8], answers: [UInt32] = []) {
        self.requestID = requestID
        self.body = body
        self.answers = answers
    }
}

/// Committed entries that an adapter wants to see again, by sequence number, both ends included.
public struct HistoryRange: Hashable, Sendable {
    /// First entry wanted.
    public var first: UInt64
    /// Last entry wanted.
    public var last: UInt64

    /// The entries from `first` to `last`.
    public init(first: UInt64, last: UInt64) {
        self.first = first
        self.last = last
    }
}

/// How a query goes on.
public enum QueryReply: Hashable, Sendable {
    /// It is answered. An empty body is an answer too (JSON-RPC notifications have one).
    case done(body: [UInt8], readers: ReaderSet)
    /// These bodies are to be submitted; then ``Adapter/finish(_:outcomes:)`` makes the answer.
    case submit([SubmissionRequest], token: QueryToken)
    /// Services outside the network are to be asked; then ``Adapter/called(_:answers:)`` goes on.
    case call([OutsideCall], token: QueryToken)
    /// Old entries are needed; then ``Adapter/resume(_:history:)`` goes on.
    case history(HistoryRange, token: QueryToken)
}

/// What became of one submission of a query, in the words of rule 4: committed, invalid (safe to repeat) or unknown.
public enum SubmissionOutcome: Hashable, Sendable {
    /// It is committed as transaction `id`.`index`, and this is the adapter's response from the primary.
    case committed(id: TransactionID, index: UInt32, response: [UInt8])
    /// It had no effect, so said the adapter on the primary or the manager (busy, not permitted).
    case invalid(Rejection)
    /// It waits in the primary's memory; the response was made at once.
    case deferred(response: [UInt8])
    /// Nobody can tell yet; the client may ask again by id.
    case unknown
}
