import AdapterKit
import EthereumAdapter
import Ledger
import Primitives
import Store
import Testing

@Suite("Ethereum chain: execution")
struct ExecutionTests {
    private let rich = TestChain.rich
    private let poor = TestChain.poor

    @Test("A batch becomes one block, with an answer, claims and writes for each transaction")
    func oneBlock() throws {
        let chain = try TestChain()
        let transactions = [rich.send(0, to: poor.address, value: 5), rich.send(1, to: poor.address, value: 6)]
        let result = try chain.execute(transactions)
        #expect(result.outcomes == [.executed(index: 0), .executed(index: 1)])
        #expect(result.included.count == 2)
        #expect(result.included[0].claims.first == transactions[0].hash)
        #expect(result.included[0].claims.count == 2)
        #expect(result.included[1].response == Array("\"\(transactions[1].hash.hex)\"".utf8))
        #expect(result.included[0].requestID == [1] && result.included[0].actor == "bank-a")
        #expect(result.compartments.map(\.readers) == [.network])
        #expect(result.compartments[0].writes.maps.map(\.name) == ["eth.accounts", "eth.blocks"])
        #expect(try chain.result("eth_blockNumber") == "0x1")
        #expect(try chain.result("eth_getBalance", #"["\#(poor.address.hex)","latest"]"#) == "0xb")
    }

    @Test("Invalid transactions are refused with go-ethereum's texts, the rest is executed")
    func refusals() throws {
        let chain = try TestChain()
        let good = rich.send(0, to: poor.address, value: 1)
        var broken = good.encoded
        broken.removeLast()
        let bodies: [[UInt8]] = [
            [1, 0] + broken, [1, 0] + rich.send(0, to: poor.address, value: 1, chainID: 5).encoded,
            [1, 0] + poor.send(0, to: rich.address, value: .max).encoded, [1, 0] + good.encoded,
            [1, 0] + rich.send(0, to: poor.address, value: 2).encoded,
            [1, 0] + rich.send(1, to: poor.address, gas: 20_999).encoded, [2, 0] + good.encoded, [1, 9], [],
            [1, 2, 0, 0, 0, 0],
            [1, 0] + rich.send(1, to: poor.address, gas: 1 << 40).encoded,
        ]
        let result = try chain.execute(bodies)
        let texts = result.outcomes.map { outcome -> String in
            switch outcome {
            case .invalid(let rejection): rejection.message
            case .executed: "executed"
            default: "other"
            }
        }
        let beginnings = [
            "rlp:", "invalid chain id for signer", "insufficient funds for gas * price + value", "executed",
            "nonce too low", "intrinsic gas too low", "malformed submission", "malformed submission",
            "malformed submission", "replay is not allowed here", "exceeds block gas limit",
        ]
        for (text, beginning) in zip(texts, beginnings) { #expect(text.hasPrefix(beginning), "\(text)") }
        #expect(result.included.count == 1)
    }

    @Test("A batch of nothing valid makes no block")
    func emptyBatch() throws {
        let chain = try TestChain()
        let result = try chain.execute([poor.send(0, to: rich.address, value: 1)])
        #expect(result.included.isEmpty && result.compartments.isEmpty)
        #expect(try chain.result("eth_blockNumber") == "0x0")
        #expect(try chain.execute([]).outcomes.isEmpty)
    }

    @Test("A blob transaction is refused with a clear error")
    func blobs() throws {
        let chain = try TestChain()
        let blob = Transaction(
            kind: .blob, chainID: TestChain.chainID, nonce: 0, maxPriorityFeePerGas: .zero, maxFeePerGas: .zero,
            gasLimit: 21_000, to: poor.address, maxFeePerBlobGas: .one,
            blobVersionedHashes: [Bytes32(UInt256(1 as UInt64) << 248)])
        let answer = try chain.submit(rich.sign(blob))
        #expect(
            answer["error"]?["message"] == "blob transactions are not accepted: no node of this network carries blobs")
    }

    @Test("A transaction that any chain could repeat is refused")
    func unprotected() throws {
        let transaction = Transaction(
            chainID: nil, nonce: 0, gasPrice: .zero, gasLimit: 21_000, to: poor.address)
        #expect(
            try TestChain().submit(rich.sign(transaction))["error"]?["message"]
                == "only replay-protected (EIP-155) transactions allowed over RPC")
    }

    @Test("A transaction sent again gets the first answer")
    func repetition() throws {
        let chain = try TestChain()
        chain.commitsAtOnce = false
        let transaction = rich.send(0, to: poor.address, value: 1)
        let twice = try chain.execute([transaction, transaction])
        #expect(twice.outcomes == [.executed(index: 0), .executed(index: 0)])
        #expect(twice.included.count == 1)
        let later = try chain.execute([transaction])
        #expect(
            later.outcomes == [
                .repeated(
                    id: TransactionID(view: 1, seqno: 1), index: 0, response: twice.included[0].response,
                    readers: .network)
            ])
        #expect(later.included.isEmpty)
        try chain.commit()
        #expect(try chain.submit(transaction)["result"] == .string(transaction.hash.hex))
    }

    @Test("A transaction with a nonce gap waits, is answered at once, and joins when the gap is filled")
    func nonceGap() throws {
        let chain = try TestChain()
        let late = [2, 3].map { rich.send($0, to: poor.address, value: 1) }
        for transaction in late {
            #expect(try chain.submit(transaction)["result"] == .string(transaction.hash.hex))
        }
        #expect(try chain.result("eth_blockNumber") == "0x0")
        #expect(try chain.result("txpool_status") == ["pending": "0x0", "queued": "0x2"])
        #expect(try chain.result("eth_getTransactionByHash", #"["\#(late[0].hash.hex)"]"#)["blockHash"] == .null)
        #expect(try chain.result("eth_getTransactionReceipt", #"["\#(late[0].hash.hex)"]"#) == .null)
        let result = try chain.execute([rich.send(0, to: poor.address), rich.send(1, to: poor.address)])
        #expect(result.included.count == 4)
        #expect(result.outcomes == [.executed(index: 0), .executed(index: 1)])
        #expect(try chain.result("txpool_status") == ["pending": "0x0", "queued": "0x0"])
        #expect(try chain.result("eth_getTransactionCount", #"["\#(rich.address.hex)","latest"]"#) == "0x4")
        #expect(
            try chain.result("eth_getTransactionReceipt", #"["\#(late[1].hash.hex)"]"#)["transactionIndex"] == "0x3")
    }

    @Test("Transactions of one batch may come in any order")
    func disorder() throws {
        let chain = try TestChain()
        let result = try chain.execute([2, 1, 4, 0].map { rich.send($0, to: poor.address, value: 1) })
        #expect(
            result.outcomes == [
                .executed(index: 2), .executed(index: 1),
                .deferred(response: Array("\"\(rich.send(4, to: poor.address, value: 1).hash.hex)\"".utf8)),
                .executed(index: 0),
            ])
        #expect(result.included.count == 3)
    }

    @Test("A waiting transaction is replaced only at a better price, and expires")
    func replacement() throws {
        let chain = try TestChain(TestChain.settings(#", "pool": {"expirySeconds": 60, "perSenderMax": 2}"#))
        func send(_ nonce: UInt64, price: UInt64) throws -> JSON {
            try chain.submit(rich.send(nonce, to: poor.address, price: price))
        }
        #expect(try send(5, price: 100)["result"] != nil)
        #expect(try send(5, price: 109)["error"]?["message"] == "replacement transaction underpriced")
        #expect(try send(5, price: 110)["result"] != nil)
        #expect(try send(6, price: 1)["result"] != nil)
        #expect(try send(7, price: 1)["error"]?["message"] == "account limit exceeded")
        #expect(try chain.result("txpool_status")["queued"] == "0x2")
        let content = try chain.result("txpool_content")
        #expect(content["queued"]?[rich.address.hex]?.object?.members.map(\.name) == ["5", "6"])
        chain.time += 60_000
        try chain.execute([])
        #expect(try chain.result("txpool_status")["queued"] == "0x0")
    }

    @Test("The pending nonce counts what is executed and what waits behind it")
    func pendingNonce() throws {
        let chain = try TestChain()
        chain.commitsAtOnce = false
        try chain.execute([rich.send(0, to: poor.address), rich.send(2, to: poor.address)])
        let address = rich.address.hex
        #expect(try chain.result("eth_getTransactionCount", #"["\#(address)","latest"]"#) == "0x0")
        #expect(try chain.result("eth_getTransactionCount", #"["\#(address)","pending"]"#) == "0x1")
        try chain.execute([rich.send(1, to: poor.address)])
        #expect(try chain.result("eth_getTransactionCount", #"["\#(address)","pending"]"#) == "0x3")
    }

    @Test("Block times are ledger time and never go back")
    func timestamps() throws {
        let chain = try TestChain()
        func blockTime() throws -> UInt64? {
            try chain.result("eth_getBlockByNumber", #"["latest",false]"#)["timestamp"]?.string.flatMap {
                UInt256(hex: $0)?.asUInt64
            }
        }
        try chain.execute([rich.send(0, to: poor.address)])
        #expect(try blockTime() == 1_700_000_000)
        chain.time = 5_000
        try chain.execute([rich.send(1, to: poor.address)])
        #expect(try blockTime() == 1_700_000_000)
        chain.time = 1_700_000_001_999
        try chain.execute([rich.send(2, to: poor.address)])
        #expect(try blockTime() == 1_700_000_001)
    }

    @Test("Entries must come in order")
    func order() throws {
        let chain = try TestChain()
        try chain.execute([rich.send(0, to: poor.address)])
        let batch = Batch(id: TransactionID(view: 1, seqno: 1), time: 0, randomness: .zero, submissions: [])
        #expect(throws: AdapterError.wrongOrder("")) { try chain.adapter.execute(batch) }
    }
}
