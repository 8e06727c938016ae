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
        /// Entries are read back from the ledger.
        case ledger
    }

    let request: ClientRequest
    let endpoint: String
    var stage: Stage
    /// The transaction that the answer will at least reflect.
    var reflects: TransactionID?
    let deadline: UInt64
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
            case .submit(_, let query), .history(_, let query):
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
            guard constitution.mayTransact(wait.request.actor) else {
                clients[token] = nil
                send(.discard(endpoint: wait.endpoint, token: query), for: .nothing)
                return refuse(token, .forbidden, "this actor may not transact")
            }
            guard fitness.storage.isGood else {
                send(.discard(endpoint: wait.endpoint, token: query), for: .nothing)
                return refuse(token, .noStorage, storageRefusal, retryAfter: 1)
            }
            clients[token]?.stage = .submitted(work: nextWork)
            let submissions = requests.enumerated().map { index, request in
                Submission(
                    requestID: identify(wait.request, request, index, of: requests.count), actor: wait.request.actor,
                    body: request.body)
            }
            begin(.client(token, query), endpoint: wait.endpoint, submissions)
        case .history(let range, let query):
            clients[token]?.stage = .ledger
            readHistory(token, query, range)
        }
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
        for (_, token) in ready { ask(token) }
    }

    /// Sends a response and forgets the request.
    mutating func respond(_ token: RequestToken, _ response: ClientResponse) {
        clients[token] = nil
        effects.append(.respond(token, response))
    }

    /// Answers with an error object.
    mutating func refuse(_ token: RequestToken, _ kind: Refusal, _ message: String, retryAfter: Int? = nil) {
        clients[token] = nil
        effects.append(.respond(token, kind.response(message, retryAfter: retryAfter)))
    }
}
