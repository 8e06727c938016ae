import AdapterKit
import EthereumAdapter
import Primitives
import Testing

@Suite("JSON-RPC: services outside")
struct OutsideTests {
    private static let oracle = TestChain.rich.address.created(nonce: 0)

    /// A contract that keeps a hash of the whole call if the system's address calls, and reverts for others; its code by
    /// hand: `require(caller == 0xff…fe); calldatacopy; sstore(0, keccak); sstore(1, sload(1) + 1)`.
    private static let code: [UInt8] = {
        let system = [UInt8](repeating: 0xFF, count: 19) + [0xFE]
        let runtime: [UInt8] =
            [0x33, 0x73] + system + [0x14, 0x60, 0x1D, 0x57, 0x5F, 0x5F, 0xFD]  // revert unless the system calls
            + [0x5B, 0x36, 0x5F, 0x5F, 0x37, 0x36, 0x5F, 0x20, 0x5F, 0x55]  // slot 0 = keccak of the call's data
            + [0x60, 0x01, 0x80, 0x54, 0x01, 0x60, 0x01, 0x55, 0x00]  // slot 1 += 1
        return [0x60, UInt8(runtime.count), 0x80, 0x60, 0x09, 0x3D, 0x39, 0x3D, 0xF3] + runtime
    }()

    private func chain(oracle: Bool = true) throws -> TestChain {
        let chain = try TestChain(TestChain.settings(oracle ? #", "oracle": "\#(Self.oracle.hex)""# : ""))
        _ = try chain.submit(TestChain.rich.send(0, to: nil, input: Self.code, gas: 1_000_000))
        return chain
    }

    private func call(_ service: String, _ question: String, _ transaction: SignedTransaction) -> String {
        #"["\#(service)", "\#(question)", "\#(Hex.encodePrefixed(transaction.encoded))"]"#
    }

    private func slot(_ chain: TestChain, _ index: Int) throws -> JSON {
        try chain.result("eth_getStorageAt", #"["\#(Self.oracle.hex)", "0x\#(index)", "latest"]"#)
    }

    private func word(_ value: UInt64) -> [UInt8] { UInt256(value).bytes }
    private func padded(_ bytes: [UInt8]) -> [UInt8] {
        word(UInt64(bytes.count)) + bytes + [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32)
    }

    @Test("the oracle contract hears the answer before the transaction, as the ABI says")
    func delivered() throws {
        let chain = try chain()
        chain.outside = { call in
            #expect(call == OutsideCall(service: "rates", body: [0xAB, 0xCD]))
            return .body(Array("1.0843 and some more so that it takes two words".utf8))
        }
        let transfer = TestChain.rich.send(1, to: TestChain.poor.address, value: 5)
        #expect(
            try chain.result("entente_ask", call("rates", "0xabcd", transfer)) == .string(transfer.hash.hex))
        let service = padded(Array("rates".utf8))
        let request = padded([0xAB, 0xCD])
        let response = padded(Array("1.0843 and some more so that it takes two words".utf8))
        let selector = Array(Keccak256.hash(Array("answered(string,bytes,bytes,uint256)".utf8)).bytes.prefix(4))
        let places = [128, 128 + service.count, 128 + service.count + request.count].flatMap { word(UInt64($0)) }
        let data = selector + places + word(chain.time) + service + request + response
        #expect(try slot(chain, 0) == .string(Keccak256.hash(data).hex))
        #expect(try slot(chain, 1) == .string(Bytes32(UInt256(1 as UInt64)).hex))
        let receipt = try chain.result("eth_getTransactionReceipt", #"["\#(transfer.hash.hex)"]"#)
        #expect(receipt["status"] == "0x1")
        // Nobody paid for the telling.
        #expect(receipt["cumulativeGasUsed"] == "0x5208")
    }

    @Test("no answer, no transaction; the nonce is still free")
    func failed() throws {
        let chain = try chain()
        chain.outside = { _ in .failed("it answered with status 404") }
        let transfer = TestChain.rich.send(1, to: TestChain.poor.address, value: 5)
        let error = try chain.error("entente_ask", call("rates", "0x", transfer))
        #expect(error["message"] == "the service rates gave no answer: it answered with status 404")
        #expect(try chain.result("eth_getTransactionReceipt", #"["\#(transfer.hash.hex)"]"#) == .null)
        chain.outside = { _ in .body([]) }
        #expect(try chain.result("entente_ask", call("rates", "0x", transfer)) == .string(transfer.hash.hex))
        #expect(try slot(chain, 1) == .string(Bytes32(UInt256(1 as UInt64)).hex))
    }

    @Test("what can be refused is refused before anyone is asked")
    func refusedFirst() throws {
        let chain = try chain()
        chain.outside = { _ in
            Issue.record("somebody was asked")
            return .failed("")
        }
        let transfer = TestChain.rich.send(1, to: TestChain.poor.address, value: 5)
        for (parameters, text) in [
            (call("rates", "0x", TestChain.rich.send(0, to: TestChain.poor.address)), "nonce too low"),
            (call("rates", "nothing", transfer), "invalid argument 1"),
            (call(String(repeating: "s", count: 300), "0x", transfer), "invalid argument 0"),
            (#"[7, "0x", "0x"]"#, "invalid argument 0"), (#"["rates", "0x", "0x"]"#, ""),
            (#"["rates", "0x"]"#, "missing value for required argument 2"),
        ] {
            let message = try chain.error("entente_ask", parameters)["message"]?.string ?? ""
            #expect(message.contains(text), "\(message)")
        }
        let bare = try self.chain(oracle: false)
        let message = try bare.error("entente_ask", call("rates", "0x", transfer))["message"]?.string ?? ""
        #expect(message.contains("no oracle contract"))
    }

    @Test("a transaction that would have to wait is refused, since its answer can't")
    func gap() throws {
        let chain = try chain()
        chain.outside = { _ in .body([1]) }
        let later = TestChain.rich.send(7, to: TestChain.poor.address)
        let error = try chain.error("entente_ask", call("rates", "0x", later))
        #expect(error["message"]?.string?.contains("nonce too high") == true)
        #expect(try slot(chain, 1) == .string(Bytes32.zero.hex))
    }

    @Test("a batch of questions, transactions and reads is answered in its order")
    func batch() throws {
        let chain = try chain()
        chain.outside = { $0.service == "bad" ? .failed("it is gone") : .body([9]) }
        let sends = (1...3).map { TestChain.rich.send(UInt64($0), to: TestChain.poor.address, value: 1) }
        func one(_ id: Int, _ method: String, _ parameters: String) -> String {
            #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(parameters)}"#
        }
        let calls = [
            one(1, "entente_ask", call("bad", "0x", sends[2])), one(2, "eth_chainId", "[]"),
            one(3, "eth_sendRawTransaction", #"["\#(Hex.encodePrefixed(sends[0].encoded))"]"#),
            one(4, "entente_ask", call("rates", "0x", sends[1])),
        ]
        let answers = try #require(JSON(parsing: chain.send("[" + calls.joined(separator: ",") + "]")).array)
        #expect(answers.map { $0["id"] } == [1, 2, 3, 4])
        #expect(answers[0]["error"]?["message"]?.string?.contains("it is gone") == true)
        #expect(answers[1]["result"] == "0x539")
        #expect(answers[2]["result"] == .string(sends[0].hash.hex))
        #expect(answers[3]["result"] == .string(sends[1].hash.hex))
    }

    @Test("the oracle's slots are the same on a follower")
    func follower() throws {
        let chain = try chain()
        chain.outside = { _ in .body([1, 2, 3]) }
        _ = try chain.result("entente_ask", call("rates", "0x01", TestChain.rich.send(1, to: TestChain.poor.address)))
        let follower = try TestChain(TestChain.settings(#", "oracle": "\#(Self.oracle.hex)""#))
        for entry in chain.entries {
            try follower.adapter.apply(entry.writes, id: entry.id)
            try follower.adapter.commit(entry.id)
        }
        for index in 0...1 { #expect(try slot(follower, index) == slot(chain, index)) }
        #expect(try slot(chain, 1) == .string(Bytes32(UInt256(1 as UInt64)).hex))
    }
}
