import AdapterKit
public import Constitution
import Ledger
import Primitives
import Store

/// A question for a service outside the network, for the runtime to put: one exchange over TLS, no repetition.
public struct OutsideRequest: Sendable, Hashable {
    /// Ties the answer to it.
    public let number: UInt64
    /// Whom to ask, as the constitution says.
    public let service: OutsideService
    /// What to send.
    public let body: [UInt8]
    /// The same for the same question of a client's same request (header `idempotency-key`), so that a service can tell a
    /// repetition; nil if the client gave its request no id.
    public let idempotencyKey: String?
}

/// A client's query that waits for services outside.
struct OutsideWait: Sendable {
    let token: RequestToken
    /// The adapter's token to go on with.
    let query: QueryToken
    var calls: [OutsideCall]
    var answers: [OutsideAnswer?]
    /// The questions' numbers at the runtime, in order; nil for those that were never put.
    var numbers: [UInt64?]
}

/// The questions that are under way.
struct OutsideState: Sendable {
    /// By the client's request.
    var waits: [RequestToken: OutsideWait] = [:]
    /// Which request a question is of, and its place there.
    var places: [UInt64: (token: RequestToken, place: Int)] = [:]
    var next: UInt64 = 1

    /// Gives up what a request waits for; answers that still come are passed over.
    mutating func forget(_ token: RequestToken) {
        for number in waits.removeValue(forKey: token)?.numbers ?? [] {
            if let number { places[number] = nil }
        }
    }
}

extension Manager {
    /// An adapter's query has questions for services outside.
    mutating func ask(outside calls: [OutsideCall], for token: RequestToken, _ query: QueryToken) {
        guard let wait = clients[token] else { return }
        func giveUp(_ kind: Refusal, _ message: String, retryAfter: Int? = nil) {
            send(.discard(endpoint: wait.endpoint, token: query), for: .nothing)
            refuse(token, kind, message, retryAfter: retryAfter)
        }
        if refuseTransaction(token, wait, query) { return }
        guard !calls.isEmpty, wait.answers.count + calls.count <= AdapterLimits.outsideCallsMax else {
            log(.warning, "an adapter asks too much outside", [("endpoint", wait.endpoint)])
            return giveUp(.internalError, "the adapter asks too much outside")
        }
        guard outside.places.count + calls.count <= settings.outsideCallsMax else {
            return giveUp(.busy, "too many questions to services outside are under way", retryAfter: 1)
        }
        clients[token]?.stage = .outside
        var each = OutsideWait(
            token: token, query: query, calls: calls, answers: Array(repeating: nil, count: calls.count),
            numbers: Array(repeating: nil, count: calls.count))
        let services = constitution.adapters.first { $0.endpoint == wait.endpoint }?.outside ?? []
        var requests: [OutsideRequest] = []
        for (place, call) in calls.enumerated() {
            guard let service = services.first(where: { $0.name == call.service }) else {
                each.answers[place] = answer(call, .failed("the constitution names no such service"))
                continue
            }
            guard call.body.count <= AdapterLimits.outsideBodyBytesMax else {
                each.answers[place] = answer(call, .failed("the question is too large"))
                continue
            }
            let number = outside.next
            outside.next += 1
            each.numbers[place] = number
            outside.places[number] = (token, place)
            let key = wait.request.requestID.map { requestID in
                let request = RequestKey(actor: wait.request.actor, endpoint: wait.endpoint, requestID: requestID)
                return "\(Digests.sha256(request.bytes).hex)-\(wait.answers.count + place)"
            }
            requests.append(
                OutsideRequest(number: number, service: service, body: call.body, idempotencyKey: key))
        }
        outside.waits[token] = each
        counters.outsideCalls += UInt64(requests.count)
        for request in requests { effects.append(.ask(request)) }
        if requests.isEmpty { continueQuery(token) }
    }

    /// What came of a question.
    mutating func heard(_ number: UInt64, _ result: OutsideAnswer.Result) {
        guard let (token, place) = outside.places.removeValue(forKey: number), let wait = outside.waits[token] else {
            return
        }
        var result = result
        if case .body(let bytes) = result, bytes.count > AdapterLimits.outsideBodyBytesMax {
            result = .failed("the answer is too large")
        }
        if case .failed(let reason) = result {
            counters.outsideFailures += 1
            log(
                .warning, "a service outside gave no answer",
                [("service", wait.calls[place].service), ("reason", reason)])
        }
        let heard = answer(wait.calls[place], result)
        outside.waits[token]?.answers[place] = heard
        continueQuery(token)
    }

    /// Once all answers are there the adapter goes on with them.
    private mutating func continueQuery(_ token: RequestToken) {
        guard let wait = outside.waits[token], wait.answers.allSatisfy({ $0 != nil }) else { return }
        outside.forget(token)
        guard let client = clients[token] else { return }
        guard worker.isReady else { return refuse(token, .notReady, "the worker is starting", retryAfter: 1) }
        let answers = wait.answers.compactMap(\.self)
        clients[token]?.answers += answers
        clients[token]?.stage = .worker
        send(.called(endpoint: client.endpoint, token: wait.query, answers), for: .client(token))
    }

    private func answer(_ call: OutsideCall, _ result: OutsideAnswer.Result) -> OutsideAnswer {
        OutsideAnswer(call: call, time: clock.wall, result: result)
    }

    /// The answers that a submission goes with, from the record of what was heard; nil if it names others.
    func answers(_ indices: [UInt32], of wait: ClientWait) -> [OutsideAnswer]? {
        guard indices.count <= wait.answers.count, indices.allSatisfy({ $0 < wait.answers.count }) else { return nil }
        return indices.map { wait.answers[Int($0)] }
    }
}

/// What services outside said to one submission: kept private with its batch, for audit.
struct AnswerRecord: Sendable, Hashable {
    let actor: ActorID
    let requestID: RequestID?
    let answers: [OutsideAnswer]

    init(_ submission: Submission) {
        actor = submission.actor
        requestID = submission.requestID
        answers = submission.answers
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.integer(1 as UInt8)
        writer.text(actor)
        writer.optional(requestID) { $0.blob($1) }
        writer.values(answers)
        return writer.bytes
    }

    /// The records of a batch, for its entry: inputs that nothing else there tells. Nil if there are none.
    static func writes(_ submissions: [Submission]) -> WriteSet? {
        var writes: [MapWrites.Write] = []
        for (place, submission) in submissions.enumerated() where !submission.answers.isEmpty {
            writes.append(.init(key: ManagerMaps.key(UInt32(place)), value: AnswerRecord(submission).encoded()))
        }
        return writes.isEmpty ? nil : WriteSet([MapWrites(name: ManagerMaps.answers, writes: writes)])
    }
}
