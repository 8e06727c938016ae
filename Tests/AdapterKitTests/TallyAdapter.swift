import AdapterKit
import Ledger
import Primitives
import Store

/// The smallest useful adapter: a sum to which actors add one byte at a time. Zero is refused, 255 waits for the next
/// batch.
final class TallyAdapter: Adapter {
    let version = "tally/1"
    private var sums: [(id: TransactionID, sum: UInt64)] = [(TransactionID(view: 0, seqno: 0), 0)]
    private var committed = TransactionID(view: 0, seqno: 0)
    private var waiting: [Submission] = []
    private var nextToken: QueryToken = 1
    private(set) var tokens: Set<QueryToken> = []
    private(set) var queryRuns: [Int] = []

    static let kind = AdapterKind(name: "tally") { configuration, _ in
        guard configuration.settings != [0] else { throw AdapterError.invalidSettings("zero") }
        return TallyAdapter()
    }

    private var latest: UInt64 { sums.last?.sum ?? 0 }

    func execute(_ batch: Batch) throws -> BatchResult {
        var result = BatchResult(outcomes: [], included: [], compartments: [])
        var sum = latest
        for submission in waiting { include(submission, &sum, &result) }
        waiting = []
        for submission in batch.submissions {
            switch submission.body.first {
            case nil, 0: result.outcomes.append(.invalid(.init(code: 1, message: "zero")))
            case 255:
                waiting.append(submission)
                result.outcomes.append(.deferred(response: [255]))
            default:
                result.outcomes.append(.executed(index: UInt32(result.included.count)))
                include(submission, &sum, &result)
            }
        }
        if result.included.isEmpty { return result }
        let write = MapWrites(name: "tally.sums", writes: [.init(key: [0], value: bytes(sum))])
        result.compartments = [.init(readers: .network, writes: WriteSet([write]))]
        sums.append((batch.id, sum))
        return result
    }

    private func include(_ submission: Submission, _ sum: inout UInt64, _ result: inout BatchResult) {
        sum += UInt64(submission.body.first ?? 0)
        result.included.append(
            .init(
                actor: submission.actor, requestID: submission.requestID, input: submission.body, claims: [],
                response: bytes(sum), readers: .network))
    }

    func apply(_ writes: WriteSet, id: TransactionID) throws {
        guard let value = writes["tally.sums"]?[[0]] else { throw AdapterError.malformed("tally write") }
        sums.append((id, value.reduce(0) { $0 << 8 | UInt64($1) }))
    }

    func commit(_ id: TransactionID) throws {
        committed = id
        while sums.count > 1, sums[1].id <= id { sums.removeFirst() }
    }

    func rollback(_ id: TransactionID) throws {
        while sums.count > 1, let last = sums.last, id < last.id { sums.removeLast() }
    }

    func query(_ query: Query) -> QueryReply {
        guard let first = query.body.first else { return .done(body: bytes(sums[0].sum), readers: .network) }
        if first == 0xFF { return .history(.init(first: 1, last: 2), token: token()) }
        return .submit(query.body.map { .init(body: [$0]) }, token: token())
    }

    func query(_ queries: [Query]) -> [QueryReply] {
        queryRuns.append(queries.count)
        return queries.map { query($0) }
    }

    func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws -> QueryReply {
        guard tokens.remove(token) != nil else { throw AdapterError.unknownToken(token) }
        return .done(body: [UInt8(truncatingIfNeeded: outcomes.count)], readers: .public)
    }

    func discard(_ token: QueryToken) { tokens.remove(token) }

    func beginRestore() { sums = [(TransactionID(view: 0, seqno: 0), 0)] }

    func restore(_ part: SnapshotPart) throws {
        for record in part.records { sums[0].sum = record.value.reduce(0) { $0 << 8 | UInt64($1) } }
    }

    func endRestore(_ id: TransactionID) throws {
        sums[0].id = id
        committed = id
    }

    private func token() -> QueryToken {
        defer { nextToken += 1 }
        tokens.insert(nextToken)
        return nextToken
    }

    private func bytes(_ value: UInt64) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
