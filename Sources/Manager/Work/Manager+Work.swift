import AdapterKit
import Consensus
import Ledger
import Primitives

extension Manager {
    /// Takes submissions in hand. Their origin hears of the outcomes once all are known.
    mutating func begin(_ origin: Work.Origin, endpoint: String, _ submissions: [Submission]) {
        let number = nextWork
        nextWork += 1
        var submissions = submissions
        for index in submissions.indices where submissions[index].requestID == nil {
            submissions[index].requestID = random.next(16)
        }
        works[number] = Work(
            number: number, origin: origin, endpoint: endpoint, submissions: submissions,
            deadline: clock.monotonic + settings.requestTimeoutMicroseconds)
        guard !submissions.isEmpty else { return conclude(number) }
        route(number)
    }

    /// Sends work to where it can be decided: into the batcher here, or to the primary.
    mutating func route(_ number: UInt64) {
        guard let work = works[number] else { return }
        if isPrimary {
            enqueue(work)
        } else if case .peer(let peer, let remote) = work.origin {
            works[number] = nil
            send(.declined(number: remote, .notPrimary), to: peer)
        } else if let primary, channels[primary] != nil {
            works[number]?.place = .forwarded(to: primary)
            let open = work.outcomes.indices.filter { work.outcomes[$0] == nil }
            works[number]?.forwarded = open
            send(
                .forward(number: number, endpoint: work.endpoint, open.map { work.submissions[$0] }), to: primary)
        } else {
            works[number]?.place = .waiting
        }
    }

    private mutating func enqueue(_ work: Work) {
        works[work.number]?.place = .here
        for (index, submission) in work.submissions.enumerated() where work.outcomes[index] == nil {
            let key = work.keys[index]
            let item = WorkItem(work: work.number, index: index, key: key)
            if let first = firstAnswer(to: key) {
                wait(item, first.outcome, committedAt: first.seqno)
            } else if inFlightRequests[key] != nil, !settings.faults.contains(.executesRepetitions) {
                inFlightRequests[key]?.append(item)
            } else if queues.enqueue(
                item, endpoint: work.endpoint, bytes: submission.byteCount, now: clock.monotonic)
            {
                inFlightRequests[key] = []
            } else {
                decide(work.number, index, .invalid(.busy))
            }
        }
    }

    /// Records an outcome that counts once the entry at `committedAt` is committed here.
    mutating func wait(_ item: WorkItem, _ outcome: SubmissionOutcome, committedAt seqno: UInt64) {
        if seqno <= appliedSeqno {
            decide(item.work, item.index, outcome)
        } else {
            outcomesAtCommit[seqno, default: []].append((item, outcome))
        }
    }

    /// Records an outcome; the last one of a work concludes it.
    mutating func decide(_ number: UInt64, _ index: Int, _ outcome: SubmissionOutcome) {
        if works[number]?.decide(index, outcome) == true { conclude(number) }
    }

    /// The same for a submission on its way here and all that repeated its request meanwhile.
    mutating func settle(_ item: WorkItem, _ outcome: SubmissionOutcome) {
        let repeats = leave(item)
        decide(item.work, item.index, outcome)
        for each in repeats { decide(each.work, each.index, outcome) }
    }

    /// A submission is not on its way here any more. Gives those that repeated its request.
    mutating func leave(_ item: WorkItem) -> [WorkItem] {
        inFlightRequests.removeValue(forKey: item.key) ?? []
    }

    /// Submissions whose place here is lost go on their way again, and those that repeated them.
    mutating func sendAgain(_ items: [WorkItem]) {
        var numbers: Set<UInt64> = []
        for item in items {
            numbers.insert(item.work)
            for each in leave(item) { numbers.insert(each.work) }
        }
        for number in numbers.sorted() {
            works[number]?.place = .waiting
            route(number)
        }
    }

    /// All outcomes are known: tells the origin.
    private mutating func conclude(_ number: UInt64) {
        guard let work = works[number] else { return }
        let outcomes = work.outcomes.map { $0 ?? .unknown }
        switch work.origin {
        case .peer(let peer, let remote):
            works[number] = nil
            send(.decided(number: remote, outcomes), to: peer)
        case .client(let token, let query):
            if let reflects = work.reflects, reflects.seqno > appliedSeqno {
                works[number]?.place = .decided(atLeast: reflects.seqno)
                waitingForApply.append((reflects.seqno, number))
                return
            }
            works[number] = nil
            // A writer is told its own transaction, which all that it read before precedes.
            if let reflects = work.reflects { clients[token]?.reflects = reflects }
            guard worker.isReady else {
                // Not a refusal: it happened, only the words for it are missing.
                return refuse(
                    token, .timedOut, "the outcome is in the ledger, but the worker is starting; ask by transaction id",
                    retryAfter: 1)
            }
            clients[token]?.stage = .worker
            clients[token]?.isDecided = true
            send(.finish(endpoint: work.endpoint, token: query, outcomes), for: .client(token))
        }
    }

    /// Works whose outcome this node has now applied get their answers made.
    mutating func releaseApplyWaits() {
        guard !waitingForApply.isEmpty else { return }
        let ready = waitingForApply.filter { $0.seqno <= appliedSeqno }
        guard !ready.isEmpty else { return }
        waitingForApply.removeAll { $0.seqno <= appliedSeqno }
        for (_, number) in ready { conclude(number) }
    }

    /// Outcomes that waited for entries up to `seqno` count now.
    mutating func releaseOutcomes(upTo seqno: UInt64) {
        while let first = outcomesAtCommit.keys.min(), first <= seqno {
            for (item, outcome) in outcomesAtCommit.removeValue(forKey: first) ?? [] {
                settle(item, outcome)
            }
        }
    }

    func submission(of item: WorkItem) -> Submission? {
        guard let submissions = works[item.work]?.submissions, submissions.indices.contains(item.index) else {
            return nil
        }
        return submissions[item.index]
    }

    /// A peer's answer to forwarded work.
    mutating func decided(_ number: UInt64, _ outcomes: [SubmissionOutcome], by peer: PeerID) {
        guard let work = works[number], work.place == .forwarded(to: peer) else { return }
        guard work.forwarded.count == outcomes.count else {
            return log(.warning, "a peer's outcomes don't fit the work", [("peer", peer)])
        }
        for (index, outcome) in zip(work.forwarded, outcomes) {
            decide(number, index, outcome)
        }
    }

    /// A peer would not take forwarded work: it waits for the next primary, or is refused as busy.
    mutating func declined(_ number: UInt64, _ why: NodeMessage.Decline, by peer: PeerID) {
        guard let work = works[number], work.place == .forwarded(to: peer) else { return }
        switch why {
        case .notPrimary:
            works[number]?.place = .waiting
            if primary != peer { route(number) }
        case .busy:
            for index in work.outcomes.indices { decide(number, index, .invalid(.busy)) }
        }
    }

    /// Work forwarded to a peer that is gone, or that no longer leads, is sent again: request ids make it happen once.
    mutating func rerouteWork(forwardedTo peer: PeerID?) {
        for number in works.keys.sorted() {
            guard let work = works[number] else { continue }
            switch work.place {
            // A leader that is heard again has it still.
            case .forwarded(let to) where to == peer || (peer == nil && to != primary):
                works[number]?.place = .waiting
                route(number)
            case .waiting:
                route(number)
            default:
                break
            }
        }
    }

    /// What is overdue counts as unknown: the client asks again by id.
    mutating func expireWork() {
        for number in works.keys.sorted() {
            guard let work = works[number], work.deadline <= clock.monotonic else { continue }
            if case .decided = work.place { continue }
            for index in work.outcomes.indices where work.outcomes[index] == nil {
                decide(number, index, .unknown)
            }
        }
        for token in clients.keys.sorted() {
            guard let wait = clients[token], wait.deadline + settings.requestTimeoutMicroseconds <= clock.monotonic
            else { continue }
            waitingForCommit.removeAll { $0.token == token }
            refuse(token, .timedOut, "no answer in time; the outcome is unknown, ask by transaction id")
        }
    }
}

extension Rejection {
    /// The network takes no more at the moment. The code is the one that JSON-RPC services use for limits.
    static let busy = Rejection(code: -32005, message: "the network is busy; send it again later")
}

extension Submission {
    /// About what it takes in memory and in an entry.
    fileprivate var byteCount: Int {
        answers.reduce(body.count + 64) { $0 + $1.call.body.count + ($1.body?.count ?? 0) + 64 }
    }
}
