import AdapterKit
import Ledger
import Primitives
import Store

extension FuzzTarget {
    static let workers: [FuzzTarget] = [workerRequest, workerReply]

    private static let id = TransactionID(view: 3, seqno: 41)
    private static let writes = WriteSet([
        MapWrites(name: "public:x", writes: [.init(key: [1], value: [])], removes: [[2, 3]]),
        MapWrites(name: "tally.sums", writes: [.init(key: [9], value: [8, 7])]),
    ])
    private static let rejection = Rejection(code: -32_000, message: "nonce too low", data: [1, 2])

    static let workerRequest = FuzzTarget("worker-request") {
        let submission = Submission(requestID: [7, 7], actor: "bank-a", body: [1, 2, 3])
        let context = QueryContext(committed: id, time: 1_700_000_000_123, peers: 2)
        let requests: [(String, WorkerRequest)] = [
            ("open", .open([.init(endpoint: "e", kind: "ethereum", settings: [1], flags: .init(replay: true))])),
            (
                "execute",
                .execute(endpoint: "e", Batch(id: id, time: 1, randomness: .zero, submissions: [submission]))
            ),
            ("apply", .apply(endpoint: "e", id: id, writes)), ("commit", .commit(id)), ("rollback", .rollback(id)),
            ("query", .query(endpoint: "e", Query(actor: "a", body: [1], context: context))),
            (
                "finish",
                .finish(
                    endpoint: "e", token: 9,
                    [.committed(id: id, index: 0, response: [1]), .invalid(rejection), .deferred(response: [3])])
            ),
            ("resume", .resume(endpoint: "e", token: 5, [.init(id: id, writes: writes)])),
            ("discard", .discard(endpoint: "e", token: 6)), ("begin-restore", .beginRestore(endpoint: "e")),
            ("restore", .restore(endpoint: "e", .init(map: "m", records: [.init(key: [1], value: [2])]))),
            ("end-restore", .endRestore(endpoint: "e", id)), ("measure", .measure),
        ]
        return requests.map { ($0.0, WorkerFrame(number: 7, $0.1).encoded()) }
    } check: { bytes in
        let frame = try WorkerFrame<WorkerRequest>(decoding: bytes)
        try FuzzFinding.unless(frame.encoded(), is: bytes, "worker request")
    }

    static let workerReply = FuzzTarget("worker-reply") {
        let included = IncludedTransaction(
            actor: "bank-a", requestID: [7], input: [1, 2], claims: [.zero], response: [5],
            readers: .only(["bank-b", "bank-a"]))
        let result = BatchResult(
            outcomes: [
                .executed(index: 0), .invalid(rejection), .deferred(response: [4]),
                .repeated(id: id, index: 2, response: [1], readers: .public),
            ], included: [included],
            compartments: [.init(readers: .network, writes: writes), .init(readers: .only(["a"]), writes: .init())])
        let replies: [(String, WorkerReply)] = [
            ("opened", .opened(versions: ["tally/1"])), ("executed", .executed(result)), ("done", .done),
            ("failed", .failed("no such thing")), ("answer", .answer(.done(body: [1], readers: .only(["a"])))),
            ("submit", .answer(.submit([.init(requestID: [1], body: [2])], token: 8))),
            ("history", .answer(.history(.init(first: 4, last: 9), token: 10))), ("measured", .measured([1, 2])),
        ]
        return replies.map { ($0.0, WorkerFrame(number: 7, $0.1).encoded()) }
    } check: { bytes in
        let frame = try WorkerFrame<WorkerReply>(decoding: bytes)
        try FuzzFinding.unless(frame.encoded(), is: bytes, "worker reply")
    }
}
