import AdapterKit
import Ledger

/// The manager's end of the channel to its worker: numbers requests and remembers what each is for.
struct WorkerLink: Sendable {
    /// What a reply is for.
    enum Purpose: Sendable {
        /// The adapters of a new worker.
        case opening
        /// The batch in execution.
        case batch(TransactionID)
        /// A client's request.
        case client(RequestToken)
        /// A change of state that must succeed.
        case state
        /// Nobody waits for it.
        case nothing
    }

    /// How far a worker is.
    enum State: Sendable, Equatable {
        /// Not started, or dead.
        case none
        /// Started; the adapters are being made.
        case opening
        /// Takes the ledger's entries up to where the manager is.
        case filling
        /// Serves.
        case ready
    }

    var state = State.none
    /// Last entry whose writes the worker has in its latest state.
    var seqno: UInt64 = 0
    /// Last entry that it was told is committed.
    var committed: UInt64 = 0
    /// Entries are being read back for it.
    var isReading = false
    /// How long it has owed answers and given none, in microseconds.
    var silence: UInt64 = 0
    private var next: UInt64 = 1
    private(set) var outstanding: [UInt64: Purpose] = [:]

    var isReady: Bool { state == .ready }

    /// Numbers a request.
    mutating func frame(_ request: WorkerRequest, for purpose: Purpose) -> WorkerFrame<WorkerRequest> {
        defer { next += 1 }
        outstanding[next] = purpose
        return WorkerFrame(number: next, request)
    }

    /// What the reply with this number is for; nil if nothing was asked under it.
    mutating func purpose(of number: UInt64) -> Purpose? {
        silence = 0
        return outstanding.removeValue(forKey: number)
    }

    /// The worker is gone: everything that was asked of it is forgotten.
    mutating func reset() -> [Purpose] {
        let lost = outstanding.keys.sorted().compactMap { outstanding[$0] }
        outstanding = [:]
        state = .none
        seqno = 0
        committed = 0
        silence = 0
        isReading = false
        return lost
    }
}
