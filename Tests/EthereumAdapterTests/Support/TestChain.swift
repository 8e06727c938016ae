import AdapterKit
import EthereumAdapter
import Ledger
import Primitives
import Store
import Testing

/// An Ethereum adapter with what stands around it in a node of one: a sequence number, a clock, a commit after each
/// entry unless told otherwise.
final class TestChain {
    static let chainID: UInt64 = 1337
    static let rich = Wallet(1)
    static let poor = Wallet(2)

    let adapter: EthereumAdapter
    private(set) var seqno: UInt64 = 0
    /// Ledger time in milliseconds.
    var time: UInt64 = 1_700_000_000_000
    var commitsAtOnce = true
    private(set) var committed = TransactionID(view: 1, seqno: 0)
    /// What services outside say.
    var outside: (OutsideCall) -> OutsideAnswer.Result = { _ in .failed("nobody is there") }
    /// Write sets of all entries, for followers.
    private(set) var entries: [(id: TransactionID, writes: WriteSet)] = []

    init(_ settings: String? = nil, replay: Bool = false, executor: any ParallelExecutor = SerialExecutor()) throws {
        adapter = try EthereumAdapter(
            TestChain.configuration(settings ?? TestChain.settings(), replay: replay), executor: executor)
    }

    static func configuration(_ settings: String, replay: Bool = false) -> AdapterConfiguration {
        AdapterConfiguration(
            endpoint: "eth", kind: "ethereum", settings: Array(settings.utf8), flags: .init(replay: replay))
    }

    /// Settings with one rich account, and more members if given.
    static func settings(_ more: String = "", config: String = "", alloc: String = "") -> String {
        """
        {"genesis": {"config": {"chainId": \(chainID)\(config)}, "gasLimit": "0x1c9c380", "timestamp": "0x65",
          "baseFeePerGas": "0x0",
          "alloc": {"\(rich.address.hex)": {"balance": "0xde0b6b3a7640000"}\(alloc)}}\(more)}
        """
    }

    // MARK: Entries

    /// Executes bodies as one batch.
    @discardableResult
    func execute(_ bodies: [[UInt8]], actor: ActorID = "bank-a") throws -> BatchResult {
        try execute(bodies.map { Submission(requestID: [1], actor: actor, body: $0) })
    }

    private func execute(_ submissions: [Submission]) throws -> BatchResult {
        let id = TransactionID(view: 1, seqno: seqno + 1)
        let batch = Batch(
            id: id, time: time, randomness: Bytes32(UInt256(seqno + 7)),
            submissions: submissions)
        let result = try adapter.execute(batch)
        guard !result.included.isEmpty else { return result }
        seqno += 1
        entries.append((id, result.compartments.reduce(into: WriteSet()) { $0.merge($1.writes) }))
        if commitsAtOnce { try commit() }
        return result
    }

    /// Executes transactions as one batch.
    @discardableResult
    func execute(_ transactions: [SignedTransaction]) throws -> BatchResult {
        try execute(transactions.map { [1, 0] + $0.encoded })
    }

    func commit() throws {
        committed = TransactionID(view: 1, seqno: seqno)
        try adapter.commit(committed)
    }

    func rollback(to seqno: UInt64) throws {
        try adapter.rollback(TransactionID(view: 1, seqno: seqno))
        self.seqno = seqno
        entries.removeAll { $0.id.seqno > seqno }
    }

    // MARK: Requests

    private func context() -> QueryContext { QueryContext(committed: committed, time: time, peers: 2) }

    /// Sends a body, executes what it submits, and gives the answer.
    func send(_ body: String, actor: ActorID = "bank-a") throws -> [UInt8] {
        var reply = adapter.query(Query(actor: actor, body: Array(body.utf8), context: context()))
        var answers: [OutsideAnswer] = []
        while case .call(let calls, let token) = reply {
            let said = calls.map { OutsideAnswer(call: $0, time: time, result: outside($0)) }
            answers += said
            reply = try adapter.called(token, answers: said)
        }
        switch reply {
        case .call: throw AdapterError.wrongOrder("asked again")
        case .done(let body, _): return body
        case .history: throw AdapterError.wrongOrder("no history is asked for here")
        case .submit(let requests, let token):
            let result = try execute(
                requests.map { request in
                    Submission(
                        requestID: [1], actor: actor, body: request.body,
                        answers: request.answers.map { answers[Int($0)] })
                })
            let id = TransactionID(view: 1, seqno: seqno)
            let outcomes = result.outcomes.map { outcome -> SubmissionOutcome in
                switch outcome {
                case .executed(let index):
                    .committed(id: id, index: index, response: result.included[Int(index)].response)
                case .repeated(let id, let index, let response, _):
                    .committed(id: id, index: index, response: response)
                case .invalid(let rejection): .invalid(rejection)
                case .deferred(let response): .deferred(response: response)
                }
            }
            guard case .done(let body, _) = try adapter.finish(token, outcomes: outcomes) else {
                throw AdapterError.wrongOrder("not finished")
            }
            return body
        }
    }

    /// The whole answer to one call; `parameters` is JSON text.
    func answer(_ method: String, _ parameters: String = "[]", actor: ActorID = "bank-a") throws -> JSON {
        let body = try send(
            #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(parameters)}"#, actor: actor)
        let answer = try JSON(parsing: body)
        #expect(answer["jsonrpc"] == "2.0" && answer["id"] == 1)
        return answer
    }

    /// The result of one call.
    func result(
        _ method: String, _ parameters: String = "[]", actor: ActorID = "bank-a",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSON {
        let answer = try answer(method, parameters, actor: actor)
        if let error = answer["error"] {
            Issue.record(
                "\(method): \(String(decoding: error.serialized(), as: UTF8.self))", sourceLocation: sourceLocation)
        }
        return answer["result"] ?? .null
    }

    /// The error of one call.
    func error(
        _ method: String, _ parameters: String = "[]", actor: ActorID = "bank-a",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSON {
        let answer = try answer(method, parameters, actor: actor)
        if answer["error"] == nil { Issue.record("\(method): no error", sourceLocation: sourceLocation) }
        return answer["error"] ?? .null
    }

    /// Sends a signed transaction and gives the answer.
    func submit(_ transaction: SignedTransaction) throws -> JSON {
        try answer("eth_sendRawTransaction", #"["\#(Hex.encodePrefixed(transaction.encoded))"]"#)
    }
}

/// The ERC-20 contract of the tests, compiled by vyper 0.4.3: transfer, balanceOf, totalSupply.
enum Token {
    /// Creation code; the supply follows as 32 bytes.
    static func creation(supply: UInt64) -> [UInt8] { (Hex.decode(code) ?? []) + UInt256(supply).bytes }

    static func transfer(to: Address, amount: UInt64) -> [UInt8] {
        [0xA9, 0x05, 0x9C, 0xBB] + Bytes32(UInt256(to)).bytes + UInt256(amount).bytes
    }

    static func balanceOf(_ owner: Address) -> [UInt8] { [0x70, 0xA0, 0x82, 0x31] + Bytes32(UInt256(owner)).bytes }

    /// Topic 0 of the event Transfer.
    static let transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

    private static let code = """
        346100375760206101915f395f5160015560206101915f395f515f336020525f5260405f205561012061003b61000039610120610000f35b\
        5f80fd5f3560e01c60026003821660011b61011801601e395f51565b63a9059cbb811861011057604436103417610114576004358060a01c\
        610114576040525f336020525f5260405f20805460243580820382811161011457905090508155505f6040516020525f5260405f20805460\
        24358082018281106101145790509050815550604051337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef\
        60243560605260206060a3600160605260206060f35b6370a0823181186100f457602436103417610114576004358060a01c610114576040\
        525f6040516020525f5260405f205460605260206060f35b6318160ddd811861011057346101145760015460405260206040f35b5f5ffd5b\
        5f80fd011000ba01100018855820c7e1834a03f738c0cd676a0baac277003b78a57b96cbcfd4568a5f329d8c3819190120810800a1657679\
        706572830004030036
        """
}
