import AdapterKit
import Consensus
import Constitution
import Ledger
import Store

extension Manager {
    /// Asks the worker.
    mutating func send(_ request: WorkerRequest, for purpose: WorkerLink.Purpose) {
        effects.append(.worker(worker.frame(request, for: purpose)))
    }

    /// A new worker process is there: makes its adapters, then brings it to where the ledger is.
    mutating func workerStarted() {
        _ = worker.reset()
        worker.state = .opening
        openWorkerIfPossible()
    }

    /// The adapters come from the constitution, so a worker waits until the node knows it.
    mutating func openWorkerIfPossible() {
        guard worker.state == .opening, phase == .active, worker.outstanding.isEmpty else { return }
        let adapters = constitution.adapters.map { adapter in
            AdapterConfiguration(
                endpoint: adapter.endpoint, kind: adapter.kind, settings: adapter.settings,
                flags: GenesisFlags(replay: constitution.replay))
        }
        send(.open(adapters), for: .opening)
    }

    /// What a client asked for is decided, but there is no worker to say it: no refusal, for it may have happened.
    private mutating func refuseDecided(_ token: RequestToken) {
        refuse(
            token, .timedOut, "the outcome is in the ledger, but the worker could not tell it; ask by transaction id",
            retryAfter: 1)
    }

    /// The worker died. Requests that it had are refused (they changed nothing) unless they were decided already, its batch
    /// goes back in the queue, and a new one is built from the ledger.
    mutating func workerDied(reason: String) {
        counters.workerRestarts += 1
        fitness.workerDied = true
        log(.error, "the worker is gone and is being rebuilt", [("reason", reason)])
        for purpose in worker.reset() {
            switch purpose {
            case .client(let token) where clients[token] != nil:
                if clients[token]?.isDecided == true, !settings.faults.contains(.refusesDecided) {
                    refuseDecided(token)
                } else {
                    refuse(token, .notReady, "the worker is being restarted", retryAfter: 1)
                }
            case .times(let token): answerMetrics(token, workerTimes: [])
            default: break
            }
        }
        if let batch = executing {
            executing = nil
            sendAgain(batch.items)
        }
        for token in outside.waits.keys.sorted() {
            refuse(token, .notReady, "the worker is being restarted", retryAfter: 1)
        }
        for number in works.keys.sorted() {
            if case .client(let token, _)? = works[number]?.origin, clients[token] != nil {
                refuse(
                    token, .timedOut, "the worker was restarted; the outcome is unknown, ask by transaction id")
            }
        }
        watchFitness()
    }

    /// A reply of the worker. What is malformed or not asked for ends it.
    mutating func receive(_ frame: WorkerFrame<WorkerReply>) {
        // What a worker said before it was given up has no meaning any more.
        guard worker.state != .none else { return }
        guard let purpose = worker.purpose(of: frame.number) else {
            return rejectWorker("an answer to nothing")
        }
        switch (purpose, frame.message) {
        case (.opening, .opened(let versions)):
            log(.info, "adapters are open", [("versions", versions.joined(separator: ", "))])
            startRestore()
        case (.restoring(let isLast), .done):
            if isLast { restoreNextFrame() }
        case (.restoring, .failed(let reason)):
            if let name = worker.restore?.snapshot.name { restoreFailed(name, reason) } else { rejectWorker(reason) }
        case (.batch(let id), .executed(let result)):
            executed(result, id: id)
        case (.batch(let id), .failed(let reason)):
            if executing?.id == id { failBatch(reason) } else { rejectWorker(reason) }
        case (.client(let token), .answer(let reply)):
            advance(token, reply)
        case (.client(let token), .failed(let reason)):
            log(.warning, "the worker could not answer", [("reason", reason)])
            if clients[token]?.isDecided == true { return refuseDecided(token) }
            refuse(token, .internalError, "the adapter could not answer this request")
        case (.state, .done), (.nothing, _):
            break
        case (.times(let token), .measured(let nanoseconds)):
            answerMetrics(token, workerTimes: nanoseconds)
        case (.opening, .failed(let reason)):
            effects.append(.halt(reason: "the adapters of the constitution can't be opened: \(reason)"))
        case (.state, .failed(let reason)):
            rejectWorker(reason)
        default:
            rejectWorker("an answer of the wrong kind")
        }
    }

    /// Ends a worker that broke the protocol or whose state is in doubt.
    mutating func rejectWorker(_ reason: String) {
        effects.append(.restartWorker(reason: reason))
        workerDied(reason: reason)
    }

    /// Ends a worker that hangs: a leader whose worker gives no answers would keep the whole network waiting.
    ///
    /// Looks are counted, not time, so that a manager that stood still itself does not blame its worker. A worker that
    /// is being made or filled may take as long as it needs.
    mutating func watchWorker() {
        guard worker.isReady, !worker.outstanding.isEmpty else {
            worker.silence = 0
            return
        }
        worker.silence += Self.watchMicroseconds
        guard worker.silence > settings.workerSilenceMicroseconds else { return }
        rejectWorker("it has given no answer for \(settings.workerSilenceMicroseconds / 1_000_000) s")
    }

    /// Where the worker has to be: at the end of the log if this node leads, else where commit is.
    private var workerTarget: UInt64 { isPrimary ? lastSeqno : appliedSeqno }

    /// Gives the worker the next entries that it lacks: from memory where they are, else read back from the ledger.
    mutating func fillWorker() {
        guard worker.state == .filling, worker.reading == nil else { return }
        while worker.seqno < workerTarget, let opened = ledger.recent[worker.seqno + 1] { applyToWorker(opened) }
        tellWorkerCommitted(upTo: min(worker.seqno, appliedSeqno))
        guard worker.seqno >= workerTarget else {
            let first = worker.seqno + 1
            worker.reading = first
            effects.append(
                .read(first: first, last: workerTarget, bytesMax: settings.readBytesMax, for: .worker(first: first)))
            return
        }
        worker.state = .ready
        log(.info, "the worker is ready", [("seqno", String(worker.seqno))])
        cutBatch()
    }

    /// Entries for a worker that is being filled.
    mutating func fillWorker(with stored: [StoredEntry], from first: UInt64) {
        guard worker.state == .filling, worker.reading == first else { return }
        worker.reading = nil
        // What is damaged comes from another node; then this goes on.
        if stored.isEmpty, repair.missing(first) != nil { return }
        guard !stored.isEmpty else {
            return stop("entry \(first) is not in the ledger, but the worker needs it")
        }
        for each in stored where each.seqno == worker.seqno + 1 {
            do {
                applyToWorker(try ledger.open(each.bytes, keys: sealed.epochKeys))
            } catch {
                return stop("entry \(each.seqno) of the ledger can't be read back: \(error)")
            }
        }
        fillWorker()
    }

    /// Hands the application writes of an entry over; entries must come in order.
    mutating func applyToWorker(_ entry: OpenedEntry) {
        if let endpoint = entry.endpoint, !entry.application.isEmpty {
            send(.apply(endpoint: endpoint, id: entry.id, entry.application), for: .state)
        }
        worker.seqno = entry.id.seqno
    }

    /// Tells the worker what is committed.
    mutating func tellWorkerCommitted(upTo seqno: UInt64) {
        guard seqno > worker.committed, let id = transactionID(at: seqno) else { return }
        worker.committed = seqno
        send(.commit(id), for: .state)
    }
}
