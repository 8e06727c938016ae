import AdapterKit
import Ledger
import Primitives
import Store

/// The protocol of simulated clients: numbers under one-byte keys. A body is an operation, its key or keys, a value of
/// eight bytes, and the number of the operation in the history, which makes it unlike all others.
enum KeyValueOperation: Sendable, Hashable {
    /// Adds; answers with the sum.
    case add(key: UInt8, UInt64)
    /// Replaces; answers with what was there.
    case put(key: UInt8, UInt64)
    /// Takes from one and gives to another; answers with what is left. Refused where there is not enough.
    case move(from: UInt8, to: UInt8, UInt64)

    func body(number: Int) -> [UInt8] {
        let head: [UInt8] =
            switch self {
            case .add(let key, let value): [1, key, 0] + Self.bytes(value)
            case .put(let key, let value): [2, key, 0] + Self.bytes(value)
            case .move(let from, let to, let value): [3, from, to] + Self.bytes(value)
            }
        return head + Self.bytes(UInt64(number))
    }

    init?(_ body: [UInt8]) {
        guard body.count == 19 else { return nil }
        let value = Self.number(body[3..<11])
        switch body[0] {
        case 1: self = .add(key: body[1], value)
        case 2: self = .put(key: body[1], value)
        case 3: self = .move(from: body[1], to: body[2], value)
        default: return nil
        }
    }

    /// The number of the operation that a body is of.
    static func number(ofBody body: [UInt8]) -> Int { Int(clamping: number(body.suffix(8))) }

    /// Does it; nil if it is refused.
    func perform(on values: inout [UInt8: UInt64]) -> UInt64? {
        switch self {
        case .add(let key, let value):
            values[key, default: 0] &+= value
            return values[key]
        case .put(let key, let value):
            return values.updateValue(value, forKey: key) ?? 0
        case .move(let from, let to, let value):
            guard let left = values[from], left >= value, from != to else { return nil }
            values[from] = left - value
            values[to, default: 0] &+= value
            return left - value
        }
    }

    var keys: [UInt8] {
        switch self {
        case .add(let key, _), .put(let key, _): [key]
        case .move(let from, let to, _): [from, to]
        }
    }

    static func bytes(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    static func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

/// What a worker's answer to a write says.
enum KeyValueAnswer: Sendable, Hashable {
    case committed(TransactionID, index: UInt32, UInt64)
    case invalid
    case unknown

    var body: [UInt8] {
        switch self {
        case .committed(let id, let index, let value):
            [0] + KeyValueOperation.bytes(id.view) + KeyValueOperation.bytes(id.seqno)
                + KeyValueOperation.bytes(UInt64(index)) + KeyValueOperation.bytes(value)
        case .invalid: [1]
        case .unknown: [3]
        }
    }

    init?(_ body: [UInt8]) {
        switch (body.first, body.count) {
        case (0, 33):
            let numbers = (0..<4).map { KeyValueOperation.number(body[(1 + 8 * $0)..<(9 + 8 * $0)]) }
            self = .committed(
                TransactionID(view: numbers[0], seqno: numbers[1]), index: UInt32(clamping: numbers[2]), numbers[3])
        case (1, 1): self = .invalid
        case (3, 1): self = .unknown
        default: return nil
        }
    }
}

/// Sees the committed states that workers go through. One thread only, as the whole simulation.
final class StateWatch: @unchecked Sendable {
    /// The entry that wrote the state, and the state's digest.
    var seen: [(seqno: UInt64, digest: UInt64)] = []
}

/// The adapter of simulated nodes. It refuses whatever does not follow its state, so that a manager that leaves an entry
/// out, or takes one twice, is found out at once.
final class KeyValueAdapter: Adapter {
    static let endpoint = "kv"
    private static let valuesMap = "kv.values"
    private static let metaMap = "kv.meta"

    private struct State {
        /// The last entry that was taken.
        var id = TransactionID(view: 0, seqno: 0)
        /// The last entry that wrote something, and how many transactions there were.
        var writer: UInt64 = 0
        var count: UInt64 = 0
        var time: UInt64 = 0
        var values: [UInt8: UInt64] = [:]

        var digest: UInt64 {
            var hash = Fingerprint()
            hash.take(count)
            for key in values.keys.sorted() { hash.take(UInt64(key) << 56 ^ (values[key] ?? 0)) }
            return hash.value
        }
    }

    let version = "kv/1"
    private let watch: StateWatch
    private var states = [State()]
    private var nextToken: QueryToken = 1

    init(watch: StateWatch) { self.watch = watch }

    static func host(watch: StateWatch) -> AdapterHost {
        AdapterHost(kinds: [AdapterKind(name: "kv") { _, _ in KeyValueAdapter(watch: watch) }])
    }

    private var latest: State { states[states.count - 1] }

    func execute(_ batch: Batch) throws -> BatchResult {
        var state = latest
        guard batch.id.seqno > state.id.seqno, batch.time >= state.time else {
            throw AdapterError.wrongOrder("a batch at \(batch.id) after \(state.id)")
        }
        let before = state.count
        var result = BatchResult(outcomes: [], included: [], compartments: [])
        var touched: Set<UInt8> = []
        for submission in batch.submissions {
            guard let operation = KeyValueOperation(submission.body),
                let answer = operation.perform(on: &state.values)
            else {
                result.outcomes.append(.invalid(.init(code: 1, message: "not enough")))
                continue
            }
            touched.formUnion(operation.keys)
            result.outcomes.append(.executed(index: UInt32(result.included.count)))
            result.included.append(
                .init(
                    actor: submission.actor, requestID: submission.requestID, input: submission.body, claims: [],
                    response: KeyValueOperation.bytes(answer), readers: .network))
        }
        guard !result.included.isEmpty else { return result }
        state.id = batch.id
        state.writer = batch.id.seqno
        state.time = batch.time
        state.count += UInt64(result.included.count)
        let values = touched.sorted().map {
            MapWrites.Write(key: [$0], value: KeyValueOperation.bytes(state.values[$0] ?? 0))
        }
        let meta = [before, state.count, state.writer, state.time].flatMap { KeyValueOperation.bytes($0) }
        result.compartments = [
            .init(
                readers: .network,
                writes: WriteSet([
                    MapWrites(name: Self.valuesMap, writes: values),
                    MapWrites(name: Self.metaMap, writes: [.init(key: [0], value: meta)]),
                ]))
        ]
        states.append(state)
        return result
    }

    func apply(_ writes: WriteSet, id: TransactionID) throws {
        var state = latest
        guard id.seqno > state.id.seqno, let meta = writes[Self.metaMap]?[[0]], meta.count == 32 else {
            throw AdapterError.badState("entry \(id) after \(state.id)")
        }
        guard KeyValueOperation.number(meta[..<8]) == state.count else {
            throw AdapterError.badState(
                "entry \(id) follows \(KeyValueOperation.number(meta[..<8])) transactions, here are \(state.count)")
        }
        state.id = id
        take(meta, into: &state)
        for write in writes[Self.valuesMap]?.writes ?? [] {
            state.values[write.key[0]] = KeyValueOperation.number(write.value)
        }
        states.append(state)
    }

    private func take(_ meta: [UInt8], into state: inout State) {
        state.count = KeyValueOperation.number(meta[8..<16])
        state.writer = KeyValueOperation.number(meta[16..<24])
        state.time = KeyValueOperation.number(meta[24..<32])
    }

    func commit(_ id: TransactionID) throws {
        let before = states[0].writer
        while states.count > 1, states[1].id <= id { states.removeFirst() }
        if states[0].writer != before { watch.seen.append((states[0].writer, states[0].digest)) }
    }

    func rollback(_ id: TransactionID) throws {
        while states.count > 1, id < latest.id { states.removeLast() }
        guard latest.id <= id else {
            throw AdapterError.badState("a rollback to \(id), with \(latest.id) committed")
        }
    }

    func query(_ query: Query) -> QueryReply {
        if query.body.count == 2, query.body[0] == 0 {
            let value = KeyValueOperation.bytes(states[0].values[query.body[1]] ?? 0)
            return .done(body: KeyValueOperation.bytes(states[0].writer) + value, readers: .network)
        }
        defer { nextToken += 1 }
        return .submit([.init(body: query.body)], token: nextToken)
    }

    func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws -> QueryReply {
        guard outcomes.count == 1 else { throw AdapterError.unknownToken(token) }
        let answer: KeyValueAnswer =
            switch outcomes[0] {
            case .committed(let id, let index, let response):
                .committed(id, index: index, KeyValueOperation.number(response))
            case .invalid: .invalid
            case .deferred, .unknown: .unknown
            }
        return .done(body: answer.body, readers: .network)
    }

    func discard(_ token: QueryToken) {}

    func beginRestore() { states = [State()] }

    func restore(_ part: SnapshotPart) throws {
        for record in part.records {
            switch part.map {
            case Self.valuesMap: states[0].values[record.key[0]] = KeyValueOperation.number(record.value)
            case Self.metaMap: take(record.value, into: &states[0])
            default: throw AdapterError.malformed("a map of another adapter")
            }
        }
    }

    func endRestore(_ id: TransactionID) throws {
        states[0].id = id
        if states[0].writer > 0 { watch.seen.append((states[0].writer, states[0].digest)) }
    }
}

/// FNV-1a over numbers and bytes.
struct Fingerprint: Sendable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func take(_ number: UInt64) { value = (value ^ number) &* 0x100_0000_01b3 }

    mutating func take(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var print = Fingerprint()
        print.take(bytes)
        return print.value
    }
}
