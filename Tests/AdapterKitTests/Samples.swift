import AdapterKit
import Ledger
import Primitives
import Store

/// Messages of every kind, with every branch of their parts.
enum Samples {
    static let id = TransactionID(view: 3, seqno: 41)
    static let digest = Bytes32((0..<32).map { UInt8($0) }) ?? .zero
    static let writes = WriteSet([
        MapWrites(name: "public:x", writes: [.init(key: [1], value: [])], removes: [[2, 3]]),
        MapWrites(name: "tally.sums", writes: [.init(key: [9], value: [8, 7])]),
    ])
    static let rejection = Rejection(code: -32000, message: "nonce too low", data: [1, 2])
    static let submissions = [
        Submission(requestID: [7, 7], actor: "bank-a", body: [1, 2, 3], answers: answers),
        Submission(actor: "bank-b", body: []),
    ]
    static let answers = [
        OutsideAnswer(call: .init(service: "rates", body: [1]), time: 1_700_000_000_000, result: .body([2, 3])),
        OutsideAnswer(call: .init(service: "", body: []), time: 0, result: .failed("it is gone")),
    ]
    static let included = [
        IncludedTransaction(
            actor: "bank-a", requestID: [7], input: [1, 2], claims: [digest, .zero], response: [5],
            readers: .only(["bank-b", "bank-a"])),
        IncludedTransaction(
            actor: "bank-b", requestID: nil, input: [], claims: [], response: [], readers: .network),
    ]
    static let result = BatchResult(
        outcomes: [
            .executed(index: 1), .invalid(rejection), .deferred(response: [4]),
            .repeated(id: id, index: 2, response: [1], readers: .public),
            .invalid(.init(code: 1, message: "")),
        ],
        included: included,
        compartments: [.init(readers: .network, writes: writes), .init(readers: .only(["a"]), writes: .init())])
    static let context = QueryContext(committed: id, time: 1_700_000_000_123, peers: 2)

    static let requests: [WorkerRequest] = [
        .open([
            .init(endpoint: "ethereum", kind: "ethereum", settings: Array("{}".utf8), flags: .init(replay: true)),
            .init(endpoint: "tally", kind: "tally", settings: []),
        ]),
        .execute(
            endpoint: "ethereum", Batch(id: id, time: 1, randomness: digest, submissions: submissions)),
        .apply(endpoint: "tally", id: id, writes), .commit(id), .rollback(id),
        .query(endpoint: "tally", Query(actor: "bank-a", body: [0x7B, 0x7D], context: context)),
        .finish(
            endpoint: "tally", token: 99,
            [
                .committed(id: id, index: 0, response: [1]), .invalid(rejection), .deferred(response: [3]), .unknown,
            ]),
        .resume(endpoint: "tally", token: 5, [.init(id: id, writes: writes)]), .discard(endpoint: "tally", token: 6),
        .called(endpoint: "tally", token: 7, answers), .beginRestore(endpoint: "tally"),
        .restore(
            endpoint: "tally",
            .init(map: "tally.sums", records: [.init(key: [1], value: [2]), .init(key: [], value: [])])),
        .endRestore(endpoint: "tally", id),
        .measure,
    ]

    static let replies: [WorkerReply] = [
        .opened(versions: ["tally/1", "x"]), .executed(result), .done, .failed("no such thing"),
        .answer(.done(body: [1, 2], readers: .only(["bank-a"]))),
        .answer(.submit([.init(requestID: [1], body: [2], answers: [0, 1]), .init(body: [3])], token: 8)),
        .answer(.call([.init(service: "rates", body: [1]), .init(service: "x", body: [])], token: 11)),
        .answer(.history(.init(first: 4, last: 9), token: 10)),
        .measured([1, 2, 3]),
    ]
}

/// SplitMix64, so that a failure can be repeated from its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
