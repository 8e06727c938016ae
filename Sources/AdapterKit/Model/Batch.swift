public import Ledger
public import Primitives
public import Store

/// One write that an actor asked for, as the adapter's query side made it.
public struct Submission: Hashable, Sendable {
    /// The client's id for the request, if it gave one.
    public var requestID: RequestID?
    /// Who asks.
    public var actor: ActorID
    /// The adapter's own body; the manager passes it on without parsing.
    public var body: [UInt8]
    /// What services outside said, as the manager of the node that was asked heard it.
    public var answers: [OutsideAnswer]

    /// A submission of `body` by `actor`.
    public init(requestID: RequestID? = nil, actor: ActorID, body: [UInt8], answers: [OutsideAnswer] = []) {
        self.requestID = requestID
        self.actor = actor
        self.body = body
        self.answers = answers
    }
}

/// What the primary executes as one entry: submissions in order, and every input that is not in the state already.
public struct Batch: Hashable, Sendable {
    /// The id that the entry will have.
    public var id: TransactionID
    /// Ledger time in milliseconds since 1970; not before that of any earlier entry.
    public var time: UInt64
    /// 32 random bytes of the manager, recorded with the entry.
    public var randomness: Bytes32
    /// What is asked for, in order.
    public var submissions: [Submission]

    /// A batch to become the entry `id`.
    public init(id: TransactionID, time: UInt64, randomness: Bytes32, submissions: [Submission]) {
        self.id = id
        self.time = time
        self.randomness = randomness
        self.submissions = submissions
    }
}

/// Why something was refused without effect: it is safe to repeat.
public struct Rejection: Error, Hashable, Sendable {
    /// The protocol's error code; a JSON-RPC code for Ethereum.
    public var code: Int32
    /// A text for people.
    public var message: String
    /// More for programs, in the protocol's own form (revert data for Ethereum).
    public var data: [UInt8]?

    /// A refusal.
    public init(code: Int32, message: String, data: [UInt8]? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }
}

/// What ``Adapter/execute(_:)`` made of one submission.
public enum ExecutionOutcome: Hashable, Sendable {
    /// It became the transaction at this place of ``BatchResult/included``; the answer stands there.
    case executed(index: UInt32)
    /// It had become the transaction `id`.`index` before; the first answer is repeated once that entry is committed.
    case repeated(id: TransactionID, index: UInt32, response: [UInt8], readers: ReaderSet)
    /// It is not in the ledger and has no effect.
    case invalid(Rejection)
    /// It waits in the adapter's memory until it becomes runnable, and is answered at once. It may be dropped later
    /// (expiry, replacement, change of primary) and then never appears.
    case deferred(response: [UInt8])
}

/// One transaction of the entry, in its place.
public struct IncludedTransaction: Hashable, Sendable {
    /// Who asked for it.
    public var actor: ActorID
    /// The client's id for it, if any; the manager keeps it with `response` to answer duplicates.
    public var requestID: RequestID?
    /// The submission's body, kept private in the entry for audit.
    public var input: [UInt8]
    /// What the network's receipt for this transaction vouches for.
    public var claims: [Bytes32]
    /// The adapter's answer, given to ``Adapter/finish(_:outcomes:)`` on the node that asked.
    public var response: [UInt8]
    /// Who may see `response`.
    public var readers: ReaderSet

    /// A transaction of the entry.
    public init(
        actor: ActorID, requestID: RequestID?, input: [UInt8], claims: [Bytes32], response: [UInt8], readers: ReaderSet
    ) {
        self.actor = actor
        self.requestID = requestID
        self.input = input
        self.claims = claims
        self.response = response
        self.readers = readers
    }
}

/// A part of an entry's data that one set of readers may open.
public struct Compartment: Sendable {
    /// Who may open it.
    public var readers: ReaderSet
    /// Its writes.
    public var writes: WriteSet

    /// A compartment.
    public init(readers: ReaderSet, writes: WriteSet) {
        self.readers = readers
        self.writes = writes
    }
}

/// What executing a batch gave.
public struct BatchResult: Sendable {
    /// One per submission, in their order.
    public var outcomes: [ExecutionOutcome]
    /// The entry's transactions in order. May hold transactions deferred earlier. Empty: there is no entry, the
    /// adapter's state is that before the batch, and the id is free for the next one.
    public var included: [IncludedTransaction]
    /// The entry's writes by readers, sorted by reader set, each reader set once; empty if `included` is.
    public var compartments: [Compartment]

    /// A result.
    public init(outcomes: [ExecutionOutcome], included: [IncludedTransaction], compartments: [Compartment]) {
        self.outcomes = outcomes
        self.included = included
        self.compartments = compartments
    }
}
