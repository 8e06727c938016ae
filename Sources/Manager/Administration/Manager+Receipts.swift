import AdapterKit
import Consensus
import Ledger
import Primitives

extension Manager {
    /// Starts a receipt: the entry and the signature that covers it are read back from the ledger.
    mutating func startReceipt(_ request: ClientRequest) {
        guard phase == .active else { return refuse(request.token, .notReady, "the node is \(phase.word)") }
        guard let text = request.parameter("transaction_id"), let id = parse(text) else {
            return refuse(request.token, .badRequest, "transaction_id must be view.seqno or view.seqno.index")
        }
        guard id.entry.seqno > 0, id.entry.seqno <= appliedSeqno, transactionID(at: id.entry.seqno) == id.entry else {
            return refuse(request.token, .notCommitted, "transaction \(text) is not committed here")
        }
        clients[request.token] = ClientWait(
            request: request, endpoint: "", stage: .ledger, reflects: commitID,
            deadline: clock.monotonic + settings.requestTimeoutMicroseconds)
        effects.append(
            .read(
                first: id.entry.seqno, last: min(appliedSeqno, id.entry.seqno + 4_096),
                bytesMax: settings.readBytesMax, for: .receipt(request.token)))
    }

    /// The entries from the wanted one on: the first signature among them is the one that covers it.
    mutating func answerReceipt(_ token: RequestToken, _ stored: [StoredEntry]) {
        guard let request = clients[token]?.request, let text = request.parameter("transaction_id"),
            let id = parse(text)
        else { return }
        do {
            respond(token, try makeReceipt(stored, id, asCOSE: request.parameter("format") == "cose"))
        } catch {
            log(.warning, "a receipt can't be made", [("transaction", text), ("error", "\(error)")])
            refuse(token, .notCommitted, "no receipt can be made for \(text) now")
        }
    }

    private func makeReceipt(
        _ stored: [StoredEntry], _ id: (entry: TransactionID, index: UInt32?), asCOSE: Bool
    ) throws -> ClientResponse {
        guard let first = stored.first else { throw ManagerError.ledger("the entry can't be read back") }
        let entry = try LedgerEntry(first.bytes)
        guard entry.id == id.entry else { throw ManagerError.ledger("another entry stands there") }
        if entry.kind == .signature {
            guard id.index == nil, let signature = try RootSignature(tables: entry.tables),
                let receipt = Receipt(signature: signature)
            else { throw ManagerError.ledger("a signature entry has one receipt only") }
            return ClientResponse(body: receipt.json.serialized())
        }
        var proof: BatchProof?
        if let index = id.index {
            guard let made = try ledger.batch(of: entry, keys: sealed.epochKeys)?.tree.proof(index) else {
                throw ManagerError.ledger("the entry has no transaction \(index)")
            }
            proof = made
        }
        guard let components = try ledger.components(of: entry, keys: sealed.epochKeys) else {
            throw ManagerError.ledger("the entry has no leadership")
        }
        // The signature entry carries the tree since the one before: what proves all that it covers first.
        guard let (signature, tree) = try coveringSignature(stored) else {
            throw ManagerError.ledger("no signature covers the entry yet")
        }
        if asCOSE {
            guard
                let receipt = CoseReceipt(
                    tree: tree, seqno: id.entry.seqno, components: components, signature: signature, batch: proof)
            else { throw ManagerError.ledger("the tree in entry \(signature.id) does not prove the entry") }
            return ClientResponse(contentType: "application/cose", body: receipt.encoded())
        }
        guard
            let receipt = Receipt(
                tree: tree, seqno: id.entry.seqno, components: components, signature: signature, batch: proof)
        else { throw ManagerError.ledger("the tree in entry \(signature.id) does not prove the entry") }
        return ClientResponse(body: receipt.json.serialized())
    }

    /// Committed entries, bytes as they stand in the ledger: what is private in them is sealed.
    mutating func startEntries(_ request: ClientRequest) {
        guard phase == .active else { return refuse(request.token, .notReady, "the node is \(phase.word)") }
        guard let first = request.parameter("first").flatMap({ UInt64($0) }), first > 0,
            let last = request.parameter("last").flatMap({ UInt64($0) }), first <= last
        else { return refuse(request.token, .badRequest, "first and last must be seqnos, in order") }
        guard first <= appliedSeqno else {
            return refuse(request.token, .notCommitted, "entry \(first) is not committed here")
        }
        clients[request.token] = ClientWait(
            request: request, endpoint: "", stage: .ledger, reflects: commitID,
            deadline: clock.monotonic + settings.requestTimeoutMicroseconds)
        effects.append(
            .read(
                first: first, last: min(last, appliedSeqno), bytesMax: settings.readBytesMax,
                for: .entries(request.token)))
    }

    mutating func answerEntries(_ token: RequestToken, _ stored: [StoredEntry]) {
        guard clients[token] != nil else { return }
        guard !stored.isEmpty else {
            return refuse(token, .notFound, "the ledger of this node does not hold the entry")
        }
        respond(
            token,
            ClientResponse(contentType: "application/octet-stream", body: Array(stored.map(\.bytes).joined())))
    }

    /// Reads old entries for an adapter's query.
    mutating func readHistory(_ token: RequestToken, _ query: QueryToken, _ range: HistoryRange) {
        let last = min(range.last, appliedSeqno)
        guard range.first > 0, range.first <= last, last - range.first < settings.historyEntriesMax else {
            guard let wait = clients[token] else { return }
            return send(.resume(endpoint: wait.endpoint, token: query, []), for: .client(token))
        }
        historyQueries[token] = query
        effects.append(
            .read(first: range.first, last: last, bytesMax: .max, for: .history(token)))
    }

    /// Old entries, opened for the actor who asks: what it may not read is left out.
    mutating func answerHistory(_ token: RequestToken, _ stored: [StoredEntry]) {
        guard let query = historyQueries.removeValue(forKey: token), let wait = clients[token] else { return }
        var entries: [HistoryEntry] = []
        for each in stored {
            guard
                let writes = try? ledger.visible(
                    each.bytes, to: wait.request.actor, endpoint: wait.endpoint, keys: sealed.epochKeys)
            else { continue }
            entries.append(HistoryEntry(id: writes.id, writes: writes.application))
        }
        guard worker.isReady else { return refuse(token, .notReady, "the worker is starting", retryAfter: 1) }
        clients[token]?.stage = .worker
        send(.resume(endpoint: wait.endpoint, token: query, entries), for: .client(token))
    }
}
