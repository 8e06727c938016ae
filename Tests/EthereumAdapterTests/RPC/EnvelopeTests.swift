import AdapterKit
import EthereumAdapter
import Primitives
import Testing

@Suite("JSON-RPC: requests and answers")
struct EnvelopeTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(
        "Broken requests get the codes of JSON-RPC 2.0 and go-ethereum's texts",
        arguments: [
            ("{", "null", -32700, "parse error"), ("", "null", -32700, "parse error"),
            ("[]", "null", -32600, "empty batch"), ("1", "null", -32600, "invalid request"),
            (#"{"jsonrpc":"1.0","id":7,"method":"eth_chainId"}"#, "7", -32600, "invalid request"),
            (#"{"jsonrpc":"2.0","id":7}"#, "7", -32600, "invalid request"),
            (#"{"jsonrpc":"2.0","id":[1],"method":"eth_chainId"}"#, "null", -32600, "invalid request"),
            (
                #"{"jsonrpc":"2.0","id":"a","method":"eth_nothing"}"#, "\"a\"", -32601,
                "the method eth_nothing does not exist/is not available"
            ),
            (#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}"#, "1", -32602, "non-array args"),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}"#, "1", -32602,
                "too many arguments, want at most 0"
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[]}"#, "1", -32602,
                "missing value for required argument 0"
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x12"]}"#, "1", -32602,
                "invalid argument 0: not a 20-byte hex address"
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x01"]}"#, "1", -32602,
                "invalid argument 0: not a block number, tag or hash"
            ),
        ])
    func refusals(_ body: String, _ id: String, _ code: Int64, _ message: String) throws {
        let answer = try JSON(parsing: try TestChain().send(body))
        #expect(answer["id"] == (try JSON(parsing: Array(id.utf8))))
        #expect(answer["error"]?["code"] == .integer(code))
        #expect(answer["error"]?["message"] == .string(message))
        #expect(answer["result"] == nil)
    }

    @Test("Ids come back as they were")
    func ids() throws {
        let chain = try TestChain()
        for id in ["1", "-5", "\"x\\\"y\"", "1.5", "null", "9007199254740993"] {
            let answer = text(try chain.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"net_listening"}"#))
            #expect(answer == #"{"jsonrpc":"2.0","id":\#(id),"result":true}"#)
        }
    }

    @Test("A batch is answered in order, notifications not at all")
    func batch() throws {
        let chain = try TestChain()
        let transaction = TestChain.rich.send(0, to: TestChain.poor.address, value: 3)
        let second = TestChain.rich.send(1, to: TestChain.poor.address, value: 3)
        let body = """
            [{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},
             {"jsonrpc":"2.0","method":"eth_chainId"},
             {"jsonrpc":"2.0","id":2,"method":"eth_sendRawTransaction","params":["\(Hex.encodePrefixed(transaction.encoded))"]},
             7,
             {"jsonrpc":"2.0","id":3,"method":"eth_sendRawTransaction","params":["0x00"]},
             {"jsonrpc":"2.0","method":"eth_sendRawTransaction","params":["\(Hex.encodePrefixed(second.encoded))"]},
             {"jsonrpc":"2.0","id":4,"method":"eth_nothing"}]
            """
        let answers = try JSON(parsing: try chain.send(body)).array ?? []
        #expect(answers.map { $0["id"] } == [1, 2, nil as JSON?, 3, 4].map { $0 ?? .null })
        #expect(answers[0]["result"] == "0x539")
        #expect(answers[1]["result"] == .string(transaction.hash.hex))
        #expect(answers[2]["error"]?["code"] == -32600)
        #expect(answers[3]["error"]?["code"] == -32000)
        #expect(answers[4]["error"]?["code"] == -32601)
        // The notification was executed all the same.
        #expect(try chain.result("eth_getBalance", #"["\#(TestChain.poor.address.hex)"]"#) == "0x6")
        #expect(try chain.send(#"[{"jsonrpc":"2.0","method":"eth_chainId"}]"#).isEmpty)
        #expect(try chain.send(#"{"jsonrpc":"2.0","method":"eth_nothing"}"#).isEmpty)
    }

    @Test("A batch over the limit is refused whole")
    func batchLimit() throws {
        let chain = try TestChain(TestChain.settings(#", "batchMax": 3"#))
        let call = #"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#
        #expect(try JSON(parsing: try chain.send("[\(call),\(call),\(call)]")).array?.count == 3)
        let refused = try JSON(parsing: try chain.send("[\(call),\(call),\(call),\(call)]"))
        #expect(refused["error"]?["message"] == "batch too large")
    }

    @Test("Answers that are too long together are cut off with an error")
    func responseLimit() throws {
        let chain = try TestChain(TestChain.settings(#", "responseBytesMax": 2048"#))
        let call = #"{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",true]}"#
        let answers = try JSON(parsing: try chain.send("[\(call),\(call),\(call),\(call)]")).array ?? []
        #expect(answers.count == 4)
        #expect(answers.first?["result"] != nil)
        #expect(answers.last?["error"]?["code"] == -32003)
    }

    @Test("Outcomes become answers: committed, invalid, deferred, unknown")
    func outcomes() throws {
        let chain = try TestChain()
        let hash = TestChain.rich.send(0, to: nil).hash.hex
        func finish(_ outcome: SubmissionOutcome) throws -> JSON {
            let raw = Hex.encodePrefixed(TestChain.rich.send(0, to: nil, input: [0], gas: 100_000).encoded)
            let body = #"{"jsonrpc":"2.0","id":9,"method":"eth_sendRawTransaction","params":["\#(raw)"]}"#
            let context = QueryContext(committed: chain.committed, time: 0)
            guard
                case .submit(let bodies, let token) = chain.adapter.query(
                    Query(actor: "a", body: Array(body.utf8), context: context)), bodies.count == 1
            else { return .null }
            guard case .done(let answer, _) = try chain.adapter.finish(token, outcomes: [outcome]) else {
                return .null
            }
            #expect(throws: AdapterError.unknownToken(0)) { try chain.adapter.finish(token, outcomes: [outcome]) }
            return try JSON(parsing: answer)
        }
        let response = Array("\"\(hash)\"".utf8)
        #expect(try finish(.committed(id: chain.committed, index: 0, response: response))["result"] == .string(hash))
        #expect(try finish(.deferred(response: response))["result"] == .string(hash))
        #expect(
            try finish(.invalid(.init(code: -32005, message: "busy")))["error"] == ["code": -32005, "message": "busy"])
        let unknown = try finish(.unknown)["error"]?["message"]?.string ?? ""
        #expect(unknown.hasPrefix("outcome unknown, ask for the receipt of 0x"))
    }

    @Test("Bodies that wait together are answered like one by one", arguments: [false, true])
    func together(parallel: Bool) throws {
        let chain = try TestChain(executor: parallel ? BackwardExecutor() : SerialExecutor())
        let bodies =
            (0..<5).map { number in
                let raw = Hex.encodePrefixed(
                    TestChain.rich.send(UInt64(number), to: TestChain.poor.address, value: 1).encoded)
                return #"{"jsonrpc":"2.0","id":\#(number),"method":"eth_sendRawTransaction","params":["\#(raw)"]}"#
            } + ["{", #"{"jsonrpc":"2.0","id":5,"method":"eth_chainId"}"#]
        let context = QueryContext(committed: chain.committed, time: 0)
        let replies = chain.adapter.query(
            bodies.map { Query(actor: "a", body: Array($0.utf8), context: context) })
        #expect(replies.count == 7)
        var submissions: [[UInt8]] = []
        for case .submit(let requests, _) in replies { submissions += requests.map(\.body) }
        #expect(submissions.count == 5)
        #expect(try chain.execute(submissions).included.count == 5)
        guard case .done(let broken, _) = replies[5], case .done(let id, _) = replies[6] else {
            return #expect(Bool(false))
        }
        #expect(text(broken).contains("-32700"))
        #expect(text(id) == #"{"jsonrpc":"2.0","id":5,"result":"0x539"}"#)
    }

    @Test("Mutated requests never trap")
    func mutation() throws {
        let chain = try TestChain()
        try chain.execute([TestChain.rich.send(0, to: nil, input: Token.creation(supply: 5), gas: 1_000_000)])
        let contract = TestChain.rich.address.created(nonce: 0).hex
        let bases = [
            #"{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"\#(contract)","input":"0x18160ddd"},"latest",{}]}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x0","toBlock":"latest","address":["\#(contract)"],"topics":[null,["\#(Token.transferTopic)"]]}]}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"eth_feeHistory","params":["0x5","latest",[1,50.5,99]]}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"eth_getStorageAt","params":["\#(contract)","0x1","0x0"]}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"eth_getProof","params":["\#(contract)",["0x1"],"latest"]}"#,
            #"[{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0",true]}]"#,
            #"{"jsonrpc":"2.0","id":1,"method":"eth_estimateGas","params":[{"from":"\#(contract)","value":"0x1"}]}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"eth_getFilterChanges","params":["\#(Token.transferTopic)"]}"#,
        ]
        var generator = SeededGenerator(seed: 0x525043)
        for round in 0..<4000 {
            var bytes = Array(bases[round % bases.count].utf8)
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 32...126, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 48...57, using: &generator), at: place)
                }
            }
            let context = QueryContext(committed: chain.committed, time: chain.time)
            guard case .done(let answer, _) = chain.adapter.query(Query(actor: "a", body: bytes, context: context))
            else { continue }
            if !answer.isEmpty { #expect((try? JSON(parsing: answer)) != nil) }
        }
    }
}

/// Runs items on the calling thread, last first: any order must do.
private struct BackwardExecutor: ParallelExecutor {
    func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
        for index in (0..<count).reversed() { body(index) }
    }
}
