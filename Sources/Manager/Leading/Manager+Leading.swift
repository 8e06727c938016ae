import AdapterKit
import Consensus
import Constitution
import Identity
import Ledger
import Primitives
import Store

extension Manager {
    /// This node leads: announces its leadership in the ledger, signs, and brings the worker to the end of the log.
    mutating func lead(_ view: UInt64) {
        log(.info, "this node leads", [("view", String(view))])
        isPrimary = true
        primary = node.id
        uncommittedBatches = 0
        unsigned.reset()
        governance.endLeadership()
        membershipIsUnchecked = true
        do {
            try ledger.startLeading(
                view: view, node: node.id, bootNonce: random.next(16), keys: sealed.epochKeys)
        } catch {
            return stop("this node can't lead: \(error)")
        }
        proposeFirstEntry()
        sign()
        do {
            // What earlier leaders left uncommitted may have closed the network or removed an actor already.
            governance.latest = try Governance(reading: store.latest)
            governance.lastEntry = lastSeqno
        } catch {
            return stop("governance in the ledger can't be read: \(error)")
        }
        catchUpWorkerForLeading()
        rerouteWork(forwardedTo: nil)
        rerouteGovernance()
    }

    /// Another node leads, or none does.
    mutating func follow(_ leader: PeerID?, view: UInt64) {
        let wasPrimary = isPrimary
        let changed = primary != leader || wasPrimary
        isPrimary = false
        primary = leader
        if wasPrimary { stopLeading() }
        guard changed else { return }
        log(.info, "following", [("view", String(view)), ("leader", leader ?? "none")])
        if leader != nil {
            rerouteWork(forwardedTo: nil)
            rerouteGovernance()
        }
    }

    private mutating func stopLeading() {
        membershipChanges = []
        pendingJoins = [:]
        governance.endLeadership()
        var lost = queues.drain()
        if let batch = executing {
            executing = nil
            if let id = transactionID(at: lastSeqno) { send(.rollback(id), for: .state) }
            lost += batch.items
        }
        sendAgain(lost)
    }

    /// A batch can only execute on top of everything in the log, committed or not.
    mutating func catchUpWorkerForLeading() {
        guard isPrimary, worker.isReady else { return }
        if settings.faults.contains(.leadsFromCommitted) { worker.seqno = lastSeqno }
        while worker.seqno < lastSeqno {
            guard let opened = ledger.recent[worker.seqno + 1] else {
                worker.state = .filling
                return fillWorker()
            }
            applyToWorker(opened)
        }
    }

    /// Gives the worker the next batch, if it is free and one is due.
    mutating func cutBatch() {
        guard mayPropose, phase == .active, fitness.storage.isGood, executing == nil, worker.isReady else { return }
        catchUpWorkerForLeading()
        guard worker.isReady, worker.seqno == lastSeqno,
            let (endpoint, items) = queues.cut(idle: uncommittedBatches == 0, now: clock.monotonic)
        else { return }
        var present: [WorkItem] = []
        var submissions: [Submission] = []
        present.reserveCapacity(items.count)
        submissions.reserveCapacity(items.count)
        let rules = latestConstitution
        for item in items {
            guard let submission = submission(of: item) else {
                // Its time is over; who asked for the same again goes on.
                sendAgain(leave(item))
                continue
            }
            guard rules.isOpen else {
                settle(item, .invalid(.closed))
                continue
            }
            guard rules.mayTransact(submission.actor) else {
                settle(item, .invalid(.mayNotTransact))
                continue
            }
            present.append(item)
            submissions.append(submission)
        }
        guard !present.isEmpty, let view = raft?.view else { return }
        let id = TransactionID(view: view, seqno: lastSeqno + 1)
        let time = max(clock.wall, ledgerTime)
        let batch = Batch(
            id: id, time: time, randomness: Bytes32(random.next(32)) ?? .zero, submissions: submissions)
        executing = BatchInFlight(
            id: id, endpoint: endpoint, items: present, time: time, randomness: batch.randomness,
            answers: AnswerRecord.writes(submissions))
        send(.execute(endpoint: endpoint, batch), for: .batch(id))
    }

    /// The worker executed a batch: its transactions become an entry, the others are decided.
    mutating func executed(_ result: BatchResult, id: TransactionID) {
        guard let batch = executing, batch.id == id else { return }
        executing = nil
        guard result.outcomes.count == batch.items.count,
            result.outcomes.allSatisfy({ outcome in
                if case .executed(let index) = outcome { Int(index) < result.included.count } else { true }
            })
        else {
            sendAgain(batch.items)
            return rejectWorker("a batch result that does not fit the batch")
        }
        if !result.included.isEmpty, raft?.isTransferring == true {
            // Nothing is taken while leadership is handed over. The worker is not to blame; the batch waits, here or for the
            // next leader.
            if let id = transactionID(at: lastSeqno) { send(.rollback(id), for: .state) }
            return sendAgain(batch.items)
        }
        if !result.included.isEmpty {
            do {
                try propose(batch, result)
            } catch {
                sendAgain(batch.items)
                return rejectWorker("\(error)")
            }
        }
        for (item, outcome) in zip(batch.items, result.outcomes) {
            conclude(item, outcome, batch.id, result.included)
        }
        takeGovernance()
        proposeMembershipChange()
        proposeSnapshotEvidence()
        signIfDue()
    }

    private mutating func conclude(
        _ item: WorkItem, _ outcome: ExecutionOutcome, _ id: TransactionID, _ included: [IncludedTransaction]
    ) {
        switch outcome {
        case .executed(let index):
            let response = included[Int(index)].response
            if settings.faults.contains(.answersAtExecution) {
                return settle(item, .committed(id: id, index: index, response: response))
            }
            outcomesAtCommit[id.seqno, default: []].append((item, .committed(id: id, index: index, response: response)))
        case .repeated(let first, let index, let response, let readers):
            guard let submission = submission(of: item), readers.admits(submission.actor) else {
                return settle(item, .invalid(.notYours))
            }
            let outcome = SubmissionOutcome.committed(id: first, index: index, response: response)
            if first.seqno <= appliedSeqno {
                settle(item, outcome)
            } else {
                wait(item, outcome, committedAt: first.seqno)
            }
        case .invalid(let rejection):
            settle(item, .invalid(rejection))
        case .deferred(let response):
            settle(item, .deferred(response: response))
        }
    }

    /// The worker could not execute a batch at all: what was in it is refused, the worker rebuilt.
    mutating func failBatch(_ reason: String) {
        guard let batch = executing else { return rejectWorker(reason) }
        executing = nil
        for item in batch.items { settle(item, .invalid(.failed)) }
        rejectWorker(reason)
    }

    private mutating func propose(_ batch: BatchInFlight, _ result: BatchResult) throws {
        for compartment in result.compartments { try checkMaps(of: compartment, endpoint: batch.endpoint) }
        let before = meter.enter(.seal)
        defer { meter.enter(before) }
        let record = EntryRecord(
            time: batch.time, randomness: batch.randomness, endpoint: batch.endpoint,
            transactionCount: UInt32(result.included.count))
        let entry = try ledger.makeBatch(
            batch.id, record: record, compartments: result.compartments,
            administrative: requestWrites(batch, result.included) ?? WriteSet(), transactions: result.included,
            answers: batch.answers ?? WriteSet())
        step(.propose([entry]))
        guard lastSeqno == batch.id.seqno else {
            throw ManagerError.ledger("the batch could not become entry \(batch.id)")
        }
        worker.seqno = batch.id.seqno
        uncommittedBatches += 1
        unsigned.entryAppended(now: clock.monotonic)
    }

    /// An adapter may write its own maps only, whose names begin with its endpoint, and nothing public without saying so.
    private func checkMaps(of compartment: AdapterKit.Compartment, endpoint: String) throws {
        for map in compartment.writes.maps {
            guard OpenedEntry.isMap(map.name, of: endpoint) else {
                throw ManagerError.worker("writes to \(map.name), which is not an adapter's")
            }
            guard map.isPublic == (compartment.readers == .public) else {
                throw ManagerError.worker("puts \(map.name) where its readers don't fit")
            }
        }
    }

    /// Signs the log when that is due. While a batch executes, the next seqno is promised to it, so a signature waits.
    mutating func signIfDue() {
        guard mayPropose, executing == nil, unsigned.isDue(now: clock.monotonic) else { return }
        sign()
    }

    /// Appends a signature over everything so far.
    mutating func sign() {
        guard isPrimary, let view = raft?.view else { return }
        let before = meter.enter(.seal)
        defer { meter.enter(before) }
        do {
            let signer = try rootSigner()
            let entry = try ledger.makeSignature(
                TransactionID(view: view, seqno: lastSeqno + 1), node: node, nodeCertificate: signer.nodeCertificate,
                networkKey: signer.networkKey,
                claims: .init(
                    issuer: constitution.name, subject: constitution.networkID, issuedAt: ledgerTime / 1_000),
                isSnapshotPoint: isSnapshotDue)
            unsigned.signed()
            step(.propose([entry]))
        } catch {
            stop("the ledger can't be signed: \(error)")
        }
    }

    /// Certificate and key that roots are signed with, read when they change: reading them takes longer than signing. The
    /// certificate is the one that the ledger holds at its end, committed or not, as a verifier reads it.
    private mutating func rootSigner() throws -> RootSigner {
        let certificate = nodeCertificate(of: node.id) ?? sealed.nodeCertificate
        if let signer, signer.isOf(certificate, sealed.networkKey) { return signer }
        let made = try RootSigner(certificate, sealed.networkKey)
        signer = made
        return made
    }
}

/// What a node signs roots with, beside its own key.
struct RootSigner: Sendable {
    let nodeCertificate: X509Certificate
    let networkKey: SigningKey
    private let certificateText: String
    private let keyBytes: [UInt8]

    init(_ certificate: String, _ key: [UInt8]) throws {
        certificateText = certificate
        keyBytes = key
        nodeCertificate = try X509Certificate(pem: certificateText)
        networkKey = try SigningKey(rawRepresentation: keyBytes)
    }

    /// Whether it was read from these.
    func isOf(_ certificate: String, _ networkKey: [UInt8]) -> Bool {
        certificateText == certificate && keyBytes == networkKey
    }
}

extension Rejection {
    /// The first answer to this request id belongs to somebody else.
    static let notYours = Rejection(code: -32003, message: "the first answer to this request is not for this actor")
    /// The members have closed the network to transactions.
    static let closed = Rejection(code: -32002, message: "the network is closed to transactions by its members")
    /// Who asked is no member and no participant when it comes to the ledger.
    static let mayNotTransact = Rejection(code: -32003, message: "this actor may not transact")
    /// The members removed the adapter while the transaction waited.
    static let noAdapter = Rejection(code: -32002, message: "the network does not run this adapter any more")
    /// The adapter failed; nothing happened.
    static let failed = Rejection(code: -32603, message: "the adapter could not execute this batch")
}
