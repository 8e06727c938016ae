import AdapterKit
import Ledger
import Store

/// Counts: a body of one byte adds it; an empty query reads the sum. Zero is refused.
final class CounterAdapter: Adapter {
    static let kind = AdapterKind(name: "counter") { _, _ in CounterAdapter() }

    let version = "counter/1"
    private var sums: [(id: TransactionID, sum: UInt64)] = [(TransactionID(view: 0, seqno: 0), 0)]
    private var next: QueryToken = 1

    func execute(_ batch: Batch) throws -> BatchResult {
        var result = BatchResult(outcomes: [], included: [], compartments: [])
        var sum = sums[sums.count - 1].sum
        for submission in batch.submissions {
            guard let value = submission.body.first, value > 0 else {
                result.outcomes.append(.invalid(.init(code: 1, message: "zero")))
                continue
            }
            sum += UInt64(value)
            result.outcomes.append(.executed(index: UInt32(result.included.count)))
            result.included.append(
                .init(
                    actor: submission.actor, requestID: submission.requestID, input: submission.body, claims: [],
                    response: Self.bytes(sum), readers: .network))
        }
        guard !result.included.isEmpty else { return result }
        result.compartments = [.init(readers: .network, writes: Self.writes(sum))]
        sums.append((batch.id, sum))
        return result
    }

    func apply(_ writes: WriteSet, id: TransactionID) throws {
        guard let value = writes["counter.sum"]?[[0]] else { throw AdapterError.malformed("counter write") }
        sums.append((id, Self.number(value)))
    }

    func commit(_ id: TransactionID) throws {
        while sums.count > 1, sums[1].id <= id { sums.removeFirst() }
    }

    func rollback(_ id: TransactionID) throws {
        while sums.count > 1, id < sums[sums.count - 1].id { sums.removeLast() }
    }

    func query(_ query: Query) -> QueryReply {
        guard !query.body.isEmpty else { return .done(body: Self.bytes(sums[0].sum), readers: .network) }
        defer { next += 1 }
        return .submit(query.body.map { .init(body: [$0]) }, token: next)
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
    func beginRestore() { sums = [(TransactionID(view: 0, seqno: 0), 0)] }
    func restore(_ part: SnapshotPart) throws {}
    func endRestore(_ id: TransactionID) throws {}

    static func bytes(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    static func number(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    private static func writes(_ sum: UInt64) -> WriteSet {
        WriteSet([MapWrites(name: "counter.sum", writes: [.init(key: [0], value: bytes(sum))])])
    }
}
