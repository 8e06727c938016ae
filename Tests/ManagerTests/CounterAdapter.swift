import AdapterKit
import Ledger
import Store

/// Counts: a body of one byte adds it; an empty query reads the sum. Zero is refused. Beside the sum it keeps how often
/// each number was added, under keys of their own. A query that begins with `?` asks the services outside that it names,
/// with commas between, and adds the first byte of each answer.
final class CounterAdapter: Adapter {
    static let kind = AdapterKind(name: "counter") { configuration, _ in CounterAdapter(configuration.endpoint) }

    private struct State {
        var id = TransactionID(view: 0, seqno: 0)
        var sum: UInt64 = 0
        var times: [UInt8: UInt64] = [:]
    }

    let version = "counter/1"
    private let endpoint: String
    private var states = [State()]
    private var next: QueryToken = 1
    /// Queries whose questions are under way, with what they say about it.
    private var asking: Set<QueryToken> = []
    private(set) var restoredAt: TransactionID?

    init(_ endpoint: String) { self.endpoint = endpoint }

    func execute(_ batch: Batch) throws -> BatchResult {
        var result = BatchResult(outcomes: [], included: [], compartments: [])
        var state = states[states.count - 1]
        state.id = batch.id
        var times: [UInt8: UInt64] = [:]
        for submission in batch.submissions {
            // What was heard outside counts, not what the query made of it.
            guard submission.answers.allSatisfy({ $0.body?.first == submission.body.first }) else {
                result.outcomes.append(.invalid(.init(code: 2, message: "another answer")))
                continue
            }
            guard let value = submission.body.first, value > 0 else {
                result.outcomes.append(.invalid(.init(code: 1, message: "zero")))
                continue
            }
            state.sum += UInt64(value)
            state.times[value, default: 0] += 1
            times[value] = state.times[value]
            result.outcomes.append(.executed(index: UInt32(result.included.count)))
            result.included.append(
                .init(
                    actor: submission.actor, requestID: submission.requestID, input: submission.body, claims: [],
                    response: Self.bytes(state.sum), readers: .network))
        }
        guard !result.included.isEmpty else { return result }
        result.compartments = [.init(readers: .network, writes: writes(state.sum, times))]
        states.append(state)
        return result
    }

    func apply(_ writes: WriteSet, id: TransactionID) throws {
        guard let value = writes["\(endpoint).sum"]?[[0]] else { throw AdapterError.malformed("counter write") }
        var state = states[states.count - 1]
        state.id = id
        state.sum = Self.number(value)
        for write in writes["\(endpoint).times"]?.writes ?? [] { state.times[write.key[0]] = Self.number(write.value) }
        states.append(state)
    }

    func commit(_ id: TransactionID) throws {
        while states.count > 1, states[1].id <= id { states.removeFirst() }
    }

    func rollback(_ id: TransactionID) throws {
        while states.count > 1, id < states[states.count - 1].id { states.removeLast() }
    }

    func query(_ query: Query) -> QueryReply {
        guard !query.body.isEmpty else { return .done(body: Self.bytes(states[0].sum), readers: .network) }
        defer { next += 1 }
        if query.body.first == UInt8(ascii: "?") {
            asking.insert(next)
            let services = query.body.dropFirst().split(separator: UInt8(ascii: ","))
            return .call(
                services.map { OutsideCall(service: String(decoding: $0, as: UTF8.self), body: [1, 2] + query.body) },
                token: next)
        }
        return .submit(query.body.map { .init(body: [$0]) }, token: next)
    }

    func called(_ token: QueryToken, answers: [OutsideAnswer]) throws -> QueryReply {
        guard asking.remove(token) != nil else { throw AdapterError.unknownToken(token) }
        for answer in answers {
            if case .failed(let reason) = answer.result { return .done(body: Array(reason.utf8), readers: .network) }
        }
        defer { next += 1 }
        return .submit(
            answers.enumerated().map { .init(body: [$1.body?.first ?? 0], answers: [UInt32($0)]) }, token: next)
    }

    func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws -> QueryReply {
        let words = outcomes.map { outcome -> String in
            switch outcome {
            case .committed(_, _, let response): "sum \(Self.number(response))"
            case .invalid(let rejection): "invalid \(rejection.message)"
            case .deferred: "deferred"
            case .unknown: "unknown"
            }
        }
        return .done(body: Array(words.joined(separator: ",").utf8), readers: .network)
    }

    func discard(_ token: QueryToken) {}

    func beginRestore() { states = [State()] }

    func restore(_ part: SnapshotPart) throws {
        for record in part.records {
            switch part.map {
            case "\(endpoint).sum": states[0].sum = Self.number(record.value)
            case "\(endpoint).times": states[0].times[record.key[0]] = Self.number(record.value)
            default: throw AdapterError.malformed("a map of another adapter")
            }
        }
    }

    func endRestore(_ id: TransactionID) throws {
        let sum = states[0].times.reduce(0) { $0 + UInt64($1.key) * $1.value }
        guard sum == states[0].sum else { throw AdapterError.badState("the parts don't add up") }
        states[0].id = id
        restoredAt = id
    }

    static func bytes(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    static func number(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    private func writes(_ sum: UInt64, _ times: [UInt8: UInt64]) -> WriteSet {
        WriteSet([
            MapWrites(name: "\(endpoint).sum", writes: [.init(key: [0], value: Self.bytes(sum))]),
            MapWrites(
                name: "\(endpoint).times", writes: times.map { .init(key: [$0.key], value: Self.bytes($0.value)) }),
        ])
    }
}
