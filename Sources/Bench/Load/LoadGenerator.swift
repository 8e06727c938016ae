internal import Host
internal import NIOCore
internal import Primitives
internal import Synchronization
internal import Transport

/// Sends an account book's transactions to a network for a while and notes what came of each request.
///
/// Closed loop: a number of clients, each with one request under way. Open loop: requests when they are due, whatever
/// the network does.
final class LoadGenerator: Sendable {
    /// What drives the load.
    enum Loop: Sendable {
        case closed(clients: Int)
        case open(ArrivalSchedule)
    }

    /// How the load is made.
    struct Shape: Sendable {
        var loop: Loop
        /// Transactions of one request; over 1 they go as a JSON-RPC batch.
        var batch: Int
        /// Where requests go, in turn.
        var targets: [HTTPEndpoint]
        /// All nodes: the next one takes the place of a target that can't be reached.
        var nodes: [HTTPEndpoint]
        /// The window, in microseconds of the monotonic clock.
        var start: UInt64
        var end: UInt64
    }

    /// A request of which at least one transaction was acknowledged.
    struct Record: Sendable {
        /// When it was sent or, in an open loop, was due.
        var due: UInt64
        /// When its answer was here.
        var answered: UInt64
        /// The entry that holds its last transaction; 0 if the node did not say.
        var seqno: UInt64
        /// Transactions acknowledged.
        var count: UInt32
    }

    /// What came of a load.
    struct Result: Sendable {
        var records: [Record] = []
        /// Transactions answered with "busy".
        var busy = 0
        /// Transactions that could not be sent, since their node was not there.
        var unreachable = 0
        /// Transactions refused for another reason.
        var refused = 0
        /// Transactions of whose outcome nobody told.
        var unknown = 0
        /// Transactions that were due and not sent before the window ended, since no account was free.
        var notSent = 0
        /// The reasons of the network in its words, with how often they came.
        var reasons: [String: Int] = [:]
    }

    private struct Flight: Sendable {
        let due: UInt64
        let accounts: [Int32]
        let request: HTTPClientRequest
        let target: HTTPEndpoint
    }

    private struct State {
        var book: AccountBook
        var targets: [HTTPEndpoint]
        var result = Result()
        var schedule: ArrivalSchedule?
        var backlog = FIFO<UInt64>()
        var inFlight = 0
        var turn = 0
        var isStopped = false
        var finished: CheckedContinuation<Void, Never>?
    }

    private let shape: Shape
    private let session: NodeSession
    private let eventLoop: any EventLoop
    private let state: Mutex<State>

    /// Clients wait so long after "busy", as a polite client does; the node's own Retry-After is in whole seconds.
    private static let busyPauseMicroseconds: Int64 = 10_000
    private static let reasonsMax = 20

    init(_ shape: Shape, book: AccountBook, session: NodeSession, eventLoop: any EventLoop) {
        self.shape = shape
        self.session = session
        self.eventLoop = eventLoop
        state = Mutex(State(book: book, targets: shape.targets))
    }

    /// Runs the load and waits for the last answers.
    func run() async -> (result: Result, book: AccountBook) {
        await withCheckedContinuation { continuation in
            state.withLock { $0.finished = continuation }
            eventLoop.execute { self.begin() }
        }
        return state.withLock { ($0.result, $0.book) }
    }

    private func begin() {
        let now = HostClock.monotonicMicroseconds()
        eventLoop.scheduleTask(in: .microseconds(Int64(shape.end - min(now, shape.end)))) { self.stop() }
        switch shape.loop {
        case .closed(let clients):
            for _ in 0..<clients { sendNext(due: nil) }
        case .open(let schedule):
            state.withLock { $0.schedule = schedule }
            tick()
        }
    }

    // MARK: Sending

    /// Sends what is due by the schedule and comes again when more is.
    private func tick() {
        let now = HostClock.monotonicMicroseconds()
        var flights: [Flight] = []
        let next: UInt64? = state.withLock { state in
            guard !state.isStopped else { return nil }
            while let due = state.schedule?.take(at: now) {
                if state.backlog.isEmpty, let flight = prepare(due: due, &state) {
                    flights.append(flight)
                } else {
                    state.backlog.append(due)
                }
            }
            return state.schedule?.next
        }
        for flight in flights { send(flight) }
        guard let next else { return }
        let wait = max(200, Int64(next - min(now, next)))
        eventLoop.scheduleTask(in: .microseconds(wait)) { self.tick() }
    }

    /// Sends a request, if there is a free account.
    private func sendNext(due: UInt64?) {
        let flight = state.withLock { state -> Flight? in
            guard !state.isStopped else { return nil }
            return prepare(due: due ?? HostClock.monotonicMicroseconds(), &state)
        }
        if let flight { send(flight) }
    }

    private func prepare(due: UInt64, _ state: inout State) -> Flight? {
        guard state.book.freeCount >= shape.batch else { return nil }
        var accounts: [Int32] = []
        var calls: [[UInt8]] = []
        for index in 0..<shape.batch {
            guard let (account, text) = state.book.take() else { break }
            accounts.append(account)
            calls.append(RPCText.submit(hex: text, id: index))
        }
        state.inFlight += 1
        state.turn += 1
        return Flight(
            due: due, accounts: accounts,
            request: HTTPClientRequest(
                headers: RPCText.headers, body: shape.batch == 1 ? calls[0] : RPCText.batch(calls)),
            target: state.targets[state.turn % state.targets.count])
    }

    /// The node after one that can't be reached takes its place.
    private func leave(_ target: HTTPEndpoint, _ state: inout State) {
        guard let place = state.targets.firstIndex(of: target), let index = shape.nodes.firstIndex(of: target) else {
            return
        }
        state.targets[place] = shape.nodes[(index + 1) % shape.nodes.count]
    }

    private func send(_ flight: Flight) {
        session.client.send(flight.request, to: flight.target) { self.complete(flight, $0) }
    }

    // MARK: Answers

    private func complete(_ flight: Flight, _ outcome: HTTPClient.Outcome) {
        let answered = HostClock.monotonicMicroseconds()
        let verdicts = LoadAnswer.verdicts(outcome, count: flight.accounts.count)
        var seqno: UInt64 = 0
        if case .success(let response) = outcome {
            seqno = NodeSession.seqno(response.header(NodeSession.transactionHeader))
        }
        var wasBusy = false
        var backlogged: Flight?
        let finished: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.inFlight -= 1
            var acknowledged: UInt32 = 0
            for (account, verdict) in zip(flight.accounts, verdicts) {
                switch verdict {
                case .acknowledged: acknowledged += 1
                case .busy:
                    state.result.busy += 1
                    wasBusy = true
                case .unreachable:
                    state.result.unreachable += 1
                    wasBusy = true
                    leave(flight.target, &state)
                case .refused: state.result.refused += 1
                case .unknown: state.result.unknown += 1
                }
                if let reason = verdict.reason { Self.note(reason, &state.result.reasons) }
                state.book.finish(account, verdict.outcome)
            }
            if acknowledged > 0 {
                state.result.records.append(
                    Record(due: flight.due, answered: answered, seqno: seqno, count: acknowledged))
            }
            if !state.isStopped, !state.backlog.isEmpty, state.book.freeCount >= shape.batch,
                let due = state.backlog.popFirst()
            {
                backlogged = prepare(due: due, &state)
            }
            return takeFinished(&state)
        }
        if let finished { return finished.resume() }
        if let backlogged { send(backlogged) }
        guard case .closed = shape.loop else { return }
        if wasBusy {
            eventLoop.scheduleTask(in: .microseconds(Self.busyPauseMicroseconds)) { self.sendNext(due: nil) }
        } else {
            sendNext(due: nil)
        }
    }

    private static func note(_ reason: String, _ reasons: inout [String: Int]) {
        if reasons[reason] != nil || reasons.count < reasonsMax { reasons[reason, default: 0] += 1 }
    }

    private func stop() {
        let finished = state.withLock { state in
            state.isStopped = true
            state.result.notSent = state.backlog.count * shape.batch
            return takeFinished(&state)
        }
        finished?.resume()
    }

    private func takeFinished(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        guard state.isStopped, state.inFlight == 0 else { return nil }
        defer { state.finished = nil }
        return state.finished
    }
}
