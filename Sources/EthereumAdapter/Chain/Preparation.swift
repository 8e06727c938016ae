import AdapterKit
import EVM
import Primitives
import Synchronization

/// Results of work items that may run in parallel, by place.
struct ParallelResults<Value: Sendable> {
    let values: [Value?]

    /// Calls `body` for 0 ..< `count`.
    init(count: Int, executor: any ParallelExecutor, _ body: @escaping @Sendable (Int) -> Value) {
        guard count > 1 else {
            values = (0..<count).map(body)
            return
        }
        let results = Mutex<[Value?]>(Array(repeating: nil, count: count))
        executor.run(count) { index in
            let value = body(index)
            results.withLock { $0[index] = value }
        }
        values = results.withLock { $0 }
    }
}

extension EthereumChain {
    /// A transaction that was decoded, with its sender or what is wrong.
    typealias Prepared = Result<SenderCache.Entry, TransactionError>

    /// Decodes a transaction and recovers its sender, or finds it among those known.
    func prepare(_ raw: [UInt8]) -> Prepared {
        let hash = Keccak256.hash(raw)
        if let known = senders[hash] { return .success(known) }
        let before = meter.enter(.recover)
        defer { meter.enter(before) }
        let prepared = Self.decode(raw, hash: hash, chainID: rules.chainID, fork: nextFork)
        if case .success(let entry) = prepared { senders.insert(entry) }
        return prepared
    }

    /// The same for several, in parallel; results in their order.
    @discardableResult
    func prepare(_ raws: [[UInt8]], executor: any ParallelExecutor) -> [Prepared] {
        let before = meter.enter(.recover)
        defer { meter.enter(before) }
        var prepared: [Prepared?] = []
        prepared.reserveCapacity(raws.count)
        var unknown: [(place: Int, raw: [UInt8], hash: Bytes32)] = []
        for (place, raw) in raws.enumerated() {
            let hash = Keccak256.hash(raw)
            let known = senders[hash]
            prepared.append(known.map { .success($0) })
            if known == nil { unknown.append((place, raw, hash)) }
        }
        let chainID = rules.chainID
        let fork = nextFork
        let jobs = unknown
        let results = ParallelResults<Prepared>(count: jobs.count, executor: executor) { index in
            Self.decode(jobs[index].raw, hash: jobs[index].hash, chainID: chainID, fork: fork)
        }
        for (job, result) in zip(jobs, results.values) {
            if case .success(let entry)? = result { senders.insert(entry) }
            prepared[job.place] = result
        }
        return prepared.map { $0 ?? .failure(TransactionError(.malformed, "not decoded")) }
    }

    private static func decode(_ raw: [UInt8], hash: Bytes32, chainID: UInt64, fork: Fork) -> Prepared {
        do throws(TransactionError) {
            let transaction = try SignedTransaction(decoding: raw, hash: hash)
            return .success(
                .init(transaction: transaction, sender: try transaction.sender(chainID: chainID, fork: fork)))
        } catch {
            return .failure(error)
        }
    }

    /// The rules of the next block, as far as they can be known before its time is.
    private var nextFork: Fork {
        if let header = replay?.environment?.header { return rules.fork(number: header.number, time: header.timestamp) }
        let last = blocks.latest.header
        return configuration.fork(number: last.number + 1, time: last.timestamp)
    }
}

/// Finds the transactions of `eth_sendRawTransaction` calls.
enum RawTransactions {
    static func find(in bodies: [JSON]) -> [[UInt8]] {
        var raws: [[UInt8]] = []
        for body in bodies {
            if case .array(let calls) = body {
                for call in calls { add(call, &raws) }
            } else {
                add(body, &raws)
            }
        }
        return raws
    }

    private static func add(_ call: JSON, _ raws: inout [[UInt8]]) {
        guard call["method"] == .string("eth_sendRawTransaction"), let raw = call["params"]?.array?.first?.dataBytes
        else { return }
        raws.append(raw)
    }
}
