import AdapterKit
import Constitution
import Ledger
import Primitives
import Store

/// What names a write for the purpose of doing it once: the actor, the adapter and the request id.
struct RequestKey: Hashable, Sendable {
    let bytes: [UInt8]

    init(actor: ActorID, endpoint: String, requestID: RequestID) {
        var writer = ByteWriter(capacity: 96)
        writer.text(actor)
        writer.text(endpoint)
        writer.raw(requestID)
        bytes = writer.bytes
    }
}

/// The replicated map of first answers, `entente.requests`: request key → transaction, response.
///
/// It is bounded by age: an answer older than the constitution's retention, counted in entries, is removed by the batch
/// that passes the bound. A second map, `entente.requests.age`, lists the keys by the entry that wrote them.
enum RequestMap {
    static let answers = "entente.requests"
    static let ages = "entente.requests.age"

    /// Answers are looked up by key only; ages are walked in order.
    static let schema = Store.Schema([answers: .hashed, ages: .ordered])

    /// A first answer.
    struct Answer: Sendable, Hashable {
        let id: TransactionID
        let index: UInt32
        let response: [UInt8]

        func encoded() -> [UInt8] {
            var writer = ByteWriter(capacity: 64 + response.count)
            writer.integer(1 as UInt8)
            writer.integer(id.view)
            writer.integer(id.seqno)
            writer.integer(index)
            writer.blob(response)
            return writer.bytes
        }

        init(id: TransactionID, index: UInt32, response: [UInt8]) {
            self.id = id
            self.index = index
            self.response = response
        }

        init(decoding bytes: [UInt8]) throws(ByteReaderError) {
            var reader = ByteReader(bytes)
            guard try reader.integer(UInt8.self) == 1 else { throw .invalid(at: 0) }
            let view = try reader.integer(UInt64.self)
            id = TransactionID(view: view, seqno: try reader.integer())
            index = try reader.integer()
            response = try reader.blob()
            try reader.finish()
        }
    }

    /// Key of the age list of one entry: its seqno, so that the oldest comes first.
    static func ageKey(_ seqno: UInt64) -> [UInt8] {
        withUnsafeBytes(of: seqno.bigEndian) { Array($0) }
    }

    static func encodeKeys(_ keys: [RequestKey]) -> [UInt8] {
        var writer = ByteWriter(capacity: keys.count * 64)
        writer.list(keys) { $0.blob($1.bytes) }
        return writer.bytes
    }

    static func decodeKeys(_ bytes: [UInt8]) throws(ByteReaderError) -> [[UInt8]] {
        var reader = ByteReader(bytes)
        let keys = try reader.list { reader throws(ByteReaderError) in try reader.blob() }
        try reader.finish()
        return keys
    }
}

extension Manager {
    /// The first answer to a request that the ledger holds already.
    func firstAnswer(to key: RequestKey) -> (outcome: SubmissionOutcome, seqno: UInt64)? {
        guard !settings.faults.contains(.forgetsAnswers),
            let bytes = store.latest.get(RequestMap.answers, key.bytes),
            let answer = try? RequestMap.Answer(decoding: bytes)
        else { return nil }
        return (.committed(id: answer.id, index: answer.index, response: answer.response), answer.id.seqno)
    }

    /// What a batch adds to, and removes from, the map of first answers.
    func requestWrites(_ batch: BatchInFlight, _ included: [IncludedTransaction]) -> WriteSet? {
        var writes: [MapWrites.Write] = []
        var keys: [RequestKey] = []
        for (index, transaction) in included.enumerated() {
            guard let id = transaction.requestID else { continue }
            let key = RequestKey(actor: transaction.actor, endpoint: batch.endpoint, requestID: id)
            let answer = RequestMap.Answer(id: batch.id, index: UInt32(index), response: transaction.response)
            writes.append(.init(key: key.bytes, value: answer.encoded()))
            keys.append(key)
        }
        var removed: [[UInt8]] = []
        var removedAges: [[UInt8]] = []
        let retention = constitution.requestRetentionEntries
        if batch.id.seqno > retention {
            let end = RequestMap.ageKey(batch.id.seqno - retention)
            store.latest.scan(RequestMap.ages, to: end) { age, list in
                removedAges.append(age)
                removed += (try? RequestMap.decodeKeys(list)) ?? []
                return removedAges.count < 4
            }
        }
        guard !keys.isEmpty || !removed.isEmpty else { return nil }
        var ages: [MapWrites.Write] = []
        if !keys.isEmpty {
            ages = [.init(key: RequestMap.ageKey(batch.id.seqno), value: RequestMap.encodeKeys(keys))]
        }
        return WriteSet([
            MapWrites(name: RequestMap.answers, writes: writes, removes: removed),
            MapWrites(name: RequestMap.ages, writes: ages, removes: removedAges),
        ])
    }
}
