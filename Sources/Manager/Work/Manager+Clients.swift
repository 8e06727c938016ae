import AdapterKit
import Consensus
import Constitution
import Ledger
import Primitives

/// A client's request that has no answer yet.
struct ClientWait: Sendable {
    /// What it waits for.
    enum Stage: Sendable {
        /// The node has to commit up to the seqno first.
        case commit(UInt64)
        /// The worker looks at it.
        case worker
        /// Its submissions are on their way.
        case submitted(work: UInt64)
        /// Services outside are being asked.
        case outside
        /// Entries are read back from the ledger.
        case ledger
    }

    let request: ClientRequest
    let endpoint: String
    var stage: Stage
    /// What was asked for is decided; the worker only makes the words of the answer.
    var isDecided = false
    /// The transaction that the answer will at least reflect.
    var reflects: TransactionID?
    let deadline: UInt64
    /// What services outside have said to it, in order.
    var answers: [OutsideAnswer] = []
}

extension Manager {
    /// A request of a client, already bounded and authenticated.
    mutating func receive(_ request: ClientRequest) {
        switch request.listener {
        case .administration:
            administrate(request)
        case .application:
            if request.path.hasPrefix("/app/") || request.path.hasPrefix("/node/") {
                administrate(request)
            } else {
                receiveForAdapter(request)
            }
        case .node:
            refuse(request.token, .notFound, "no such resource")
        }
    }

    private mutating func receiveForAdapter(_ request: ClientRequest) {
        guard let endpoint = endpoint(of: request.path) else {
            return refuse(request.token, .notFound, "no adapter answers at \(request.path)")
        }
        guard request.method == "POST" else {
            return refuse(request.token, .methodNotAllowed, "an adapter takes POST only")
        }
        guard phase == .active else {
            return refuse(request.token, .notReady, "the node is \(phase.word)", retryAfter: 1)
        }
        guard clients.count < settings.requestsWaitingMax else {
            return refuse(request.token, .busy, "too many requests wait at this node", retryAfter: 1)
        }
        var wait = ClientWait(
            request: request, endpoint: endpoint, stage: .worker, reflects: nil,
            deadline: clock.monotonic + settings.requestTimeoutMicroseconds)
        if let atLeast = request.atLeast, atLeast.seqno > appliedSeqno {
            // It may be long before this node comes so far; others are there already.
            guard fitness.storage.isGood else {
                return refuse(request.token, .noStorage, storageRefusal, retryAfter: 1)
            }
            guard atLeast.seqno <= lastSeqno + settings.aheadMax else {
                return refuse(request.token, .badRequest, "transaction \(atLeast) is far beyond this ledger")
            }
            wait.stage = .commit(atLeast.seqno)
            clients[request.token] = wait
            waitingForCommit.append((atLeast.seqno, request.token))
            return
        }
        guard holds(request.atLeast) else { return refuseOtherHistory(request.token, request.atLeast) }
        clients[request.token] = wait
        ask(request.token)
    }

    /// The adapter that a path names: `/` is the first of the constitution's list, `/NAME` that of the name.
    private func endpoint(of path: String) -> String? {
        let name = path.drop { $0 == "/" }
        if name.isEmpty { return constitution.adapters.first?.endpoint }
        return constitution.adapters.first { $0.endpoint == name }?.endpoint
    }

    /// Gives a request to the worker.
    mutating func ask(_ token: RequestToken) {
        guard let wait = clients[token] else { return }
        guard worker.isReady else {
            return refuse(token, .notReady, "the worker is starting", retryAfter: 1)
        }
        let committed = commitID
        clients[token]?.stage = .worker
        clients[token]?.reflects = committed
        let context = QueryContext(
            committed: committed, time: max(ledgerTime, clock.wall), peers: UInt32(clamping: channels.count))
        send(
            .query(
                endpoint: wait.endpoint,
                Query(actor: wait.request.actor, body: wait.request.body, context: context)),
            for: .client(token))
    }

    /// The worker's word on a client's request.
    mutating func advance(_ token: RequestToken, _ reply: QueryReply) {
        guard let wait = clients[token] else {
            // The client is gone; which adapter it was is known only while it waits, so the first one forgets it. Others
            // drop what they hold when it is too old.
            switch reply {
            case .done: break
            case .submit(_, let query), .history(_, let query), .call(_, let query):
                if let first = constitution.adapters.first {
                    send(.discard(endpoint: first.endpoint, token: query), for: .nothing)
                }
            }
            return
        }
        switch reply {
        case .done(let body, let readers):
            clients[token] = nil
            guard readers.admits(wait.request.actor) else {
                return refuse(token, .forbidden, "the answer is not for this actor")
            }
            respond(token, ClientResponse(reflects: wait.reflects, body: body))
        case .submit(let requests, let query):
            if refuseTransaction(token, wait, query) { return }
            var submissions: [Submission] = []
            submissions.reserveCapacity(requests.count)
            for (index, request) in requests.enumerated() {
                guard let answers = answers(request.answers, of: wait) else {
                    refuse(token, .internalError, "the adapter could not answer this request")
                    return rejectWorker("a submission with answers that nobody gave")
                }
                submissions.append(
                    Submission(
                        requestID: identify(wait.request, request, index, of: requests.count),
                        actor: wait.request.actor, body: request.body, answers: answers))
            }
            guard fitness.storage.isGood else {
                send(.discard(endpoint: wait.endpoint, token: query), for: .nothing)
                return refuse(token, .noStorage, storageRefusal, retryAfter: 1)
            }
            clients[token]?.stage = .submitted(work: nextWork)
            begin(.client(token, query), endpoint: wait.endpoint, submissions)
        case .call(let calls, let query):
            ask(outside: calls, for: token, query)
        case .history(let range, let query):
            clients[token]?.stage = .ledger
            readHistory(token, query, range)
        }
    }

    /// Refuses a query that would have an effect if its actor may not, or nobody may now; true if it did.
    mutating func refuseTransaction(_ token: RequestToken, _ wait: ClientWait, _ query: QueryToken) -> Bool {
        let refusal: (kind: Refusal, message: String)
        if !constitution.mayTransact(wait.request.actor) {
            refusal = (.forbidden, "this actor may not transact")
        } else if !constitution.isOpen {
            refusal = (.notReady, "the network is closed to transactions by its members")
        } else {
            return false
        }
        send(.discard(endpoint: wait.endpoint, token: query), for: .nothing)
        refuse(token, refusal.kind, refusal.message)
        return true
    }

    /// The id under which a write is remembered: the client's, told apart within one body; else the protocol's; else
    /// one of ours, so that a change of primary can't make it happen twice.
    private mutating func identify(
        _ request: ClientRequest, _ submission: SubmissionRequest, _ index: Int, of count: Int
    ) -> RequestID {
        if let id = request.requestID {
            return count == 1 ? id : id + withUnsafeBytes(of: UInt32(index).bigEndian) { Array($0) }
        }
        return submission.requestID ?? random.next(16)
    }

    /// Requests whose "at least" is reached go to the worker now.
    mutating func releaseCommitWaits() {
        guard !waitingForCommit.isEmpty else { return }
        let ready = waitingForCommit.filter { $0.seqno <= appliedSeqno }
        guard !ready.isEmpty else { return }
        waitingForCommit.removeAll { $0.seqno <= appliedSeqno }
        for (_, token) in ready {
            let atLeast = clients[token]?.request.atLeast
            if holds(atLeast) { ask(token) } else { refuseOtherHistory(token, atLeast) }
        }
    }

    /// Whether a transaction that a client knows of, not after what is committed here, is in this ledger. Ids that clients
    /// are told are those of committed entries, so one that is not here is proof of a history that was lost, by more disks
    /// than the quorums can do without.
    private func holds(_ id: TransactionID?) -> Bool {
        guard let id else { return true }
        return transactionID(at: id.seqno) == id
    }

    private mutating func refuseOtherHistory(_ token: RequestToken, _ id: TransactionID?) {
        let known = id.map { "\($0)" } ?? ""
        log(.error, "a client knows a transaction that this ledger does not have", [("transaction", known)])
        refuse(
            token, .otherHistory,
            "transaction \(known) is not in this ledger; whoever was told that it is committed has proof that this network "
                + "lost a part of its history")
    }

    /// Sends a response and forgets the request.
    mutating func respond(_ token: RequestToken, _ response: ClientResponse) {
        clients[token] = nil
        effects.append(.respond(token, response))
    }

    /// Answers with an error object.
    mutating func refuse(_ token: RequestToken, _ kind: Refusal, _ message: String, retryAfter: Int? = nil) {
        clients[token] = nil
        outside.forget(token)
        effects.append(.respond(token, kind.response(message, retryAfter: retryAfter)))
    }
}
