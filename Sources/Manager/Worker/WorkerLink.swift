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
        /// Times for this request for metrics.
        case times(RequestToken)
        /// A change of state that must succeed.
        case state
        /// A part of the snapshot that it is restored from; the next frame follows the last part of one.
        case restoring(isLast: Bool)
        /// Nobody waits for it.
        case nothing
    }

    /// How far a worker is.
    enum State: Sendable, Equatable {
        /// Not started, or dead.
        case none
        /// Started; the adapters are being made.
        case opening
        /// Takes the state of a snapshot.
        case restoring
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
    /// The first of the entries that are being read back for it.
    var reading: UInt64?
    /// The snapshot that it is restored from, and the next frame.
    var restore: (snapshot: SnapshotListing, frame: Int, count: Int)?
    /// How long it has owed answers and given none, in microseconds.
    var silence: UInt64 = 0
    private var next: UInt64 = 1
    private(set) var outstanding: [UInt64: Purpose] = [:]

    var isReady: Bool { state == .ready }

    /// Whether its adapters are made.
    var isOpen: Bool { state == .restoring || state == .filling || state == .ready }

    /// Its state counts no more; it begins anew with the adapters that it has.
    mutating func clear() {
        seqno = 0
        committed = 0
        reading = nil
        restore = nil
    }

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
        silence = 0
        clear()
        return lost
    }
}
