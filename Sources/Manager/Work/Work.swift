import AdapterKit
import Consensus
import Ledger
import Primitives
import Store

/// Submissions that belong together, from a client's request at this node or forwarded by another, on their way to
/// being decided. Kept until each has an outcome.
struct Work: Sendable {
    /// Who waits for the outcomes.
    enum Origin: Sendable {
        /// A client of this node: its request, and the adapter's token to finish the answer with.
        case client(RequestToken, QueryToken)
        /// Another node, under its own number.
        case peer(PeerID, number: UInt64)
    }

    /// Where the submissions are now.
    enum Place: Sendable, Equatable {
        /// Waiting for a primary to be known.
        case waiting
        /// At this node, which leads (or led) in the view.
        case here
        /// Forwarded to the primary.
        case forwarded(to: PeerID)
        /// Decided; waits until this node has committed up to the seqno.
        case decided(atLeast: UInt64)
    }

    let number: UInt64
    let origin: Origin
    let endpoint: String
    let submissions: [Submission]
    /// Under what each submission is remembered.
    let keys: [RequestKey]
    private(set) var outcomes: [SubmissionOutcome?]
    var place: Place
    /// Indices of the submissions that were forwarded last.
    var forwarded: [Int] = []
    /// Monotonic microseconds after which the outcome counts as unknown.
    let deadline: UInt64
    /// Submissions without an outcome.
    private(set) var openCount: Int

    init(number: UInt64, origin: Origin, endpoint: String, submissions: [Submission], deadline: UInt64) {
        self.number = number
        self.origin = origin
        self.endpoint = endpoint
        self.submissions = submissions
        self.deadline = deadline
        keys = submissions.map {
            RequestKey(actor: $0.actor, endpoint: endpoint, requestID: $0.requestID ?? [])
        }
        outcomes = Array(repeating: nil, count: submissions.count)
        openCount = submissions.count
        place = .waiting
    }

    var isDecided: Bool { openCount == 0 }

    /// Records an outcome, unless there is one; true if it was the last that was missing.
    mutating func decide(_ index: Int, _ outcome: SubmissionOutcome) -> Bool {
        guard outcomes.indices.contains(index), outcomes[index] == nil else { return false }
        outcomes[index] = outcome
        openCount -= 1
        return openCount == 0
    }

    /// The latest transaction among the outcomes.
    var reflects: TransactionID? {
        outcomes.compactMap { outcome -> TransactionID? in
            if case .committed(let id, _, _) = outcome { return id }
            return nil
        }.max { $0.seqno < $1.seqno }
    }
}

/// One submission's place within its work, and under what it is remembered, which outlives the work.
struct WorkItem: Sendable, Hashable {
    let work: UInt64
    let index: Int
    let key: RequestKey
}

/// A batch that the worker has, or that waits for its signature to commit.
struct BatchInFlight: Sendable {
    let id: TransactionID
    let endpoint: String
    /// The submissions' places, in the batch's order.
    let items: [WorkItem]
    let time: UInt64
    let randomness: Bytes32
    /// What services outside said to the submissions, for the entry.
    let answers: WriteSet?
}
