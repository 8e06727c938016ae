import AdapterKit
import EthereumAdapter
import Primitives
import Testing

@Suite("JSON-RPC: blocks, state, fees, node")
struct ReadingTests {
    private let rich = TestChain.rich
    private let poor = TestChain.poor

    @Test("Shapes have the members that clients read")
    func shapes() throws {
        let chain = try TestChain()
        let legacy = rich.sign(
            Transaction(
                chainID: TestChain.chainID, nonce: 0, gasPrice: UInt256(7 as UInt64), gasLimit: 21_000,
                to: poor.address, value: UInt256(5 as UInt64)))
        let listed = rich.sign(
            Transaction(
                chainID: TestChain.chainID, nonce: 1, gasPrice: UInt256(3 as UInt64), gasLimit: 60_000,
                to: poor.address, accessList: [.init(address: poor.address, slots: [.zero])]))
        let dynamic = rich.send(2, to: poor.address, price: 9)
        try chain.execute([legacy, listed, dynamic])
        let block = try chain.result("eth_getBlockByNumber", #"["0x1",true]"#)
        for name in [
            "hash", "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom",
            "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "size", "transactions",
            "uncles", "difficulty", "baseFeePerGas", "withdrawalsRoot", "withdrawals", "blobGasUsed",
            "excessBlobGas", "parentBeaconBlockRoot",
        ] { #expect(block[name] != nil, "\(name)") }
        let genesis = try chain.result("eth_getBlockByNumber", #"["earliest",false]"#)
        #expect(block["parentHash"] == genesis["hash"])
        #expect(block["nonce"] == "0x0000000000000000")
        let transactions = try #require(block["transactions"]?.array)
        #expect(transactions.map { $0["type"] } == ["0x0", "0x1", "0x2"])
        #expect(transactions.map { $0["gasPrice"] } == ["0x7", "0x3", "0x9"])
        #expect(transactions[0]["yParity"] == nil && transactions[1]["yParity"] != nil)
        #expect(transactions[1]["accessList"]?.array?.count == 1)
        #expect(transactions[2]["maxFeePerGas"] == "0x9")
        for transaction in transactions {
            for name in [
                "blockHash", "blockNumber", "from", "gas", "hash", "input", "nonce", "to", "transactionIndex",
                "value", "v", "r", "s", "chainId",
            ] { #expect(transaction[name] != nil, "\(name)") }
            #expect(transaction["from"] == .string(rich.address.hex))
        }
        // The same by every other way.
        let hash = String(decoding: block["hash"]!.serialized(), as: UTF8.self)
        #expect(try chain.result("eth_getBlockByHash", "[\(hash),true]") == block)
        let short = try chain.result("eth_getBlockByHash", "[\(hash),false]")
        #expect(short["transactions"]?.array == [legacy, listed, dynamic].map { .string($0.hash.hex) })
        for (index, signed) in [legacy, listed, dynamic].enumerated() {
            let place = "\"0x\(index)\""
            #expect(try chain.result("eth_getTransactionByHash", #"["\#(signed.hash.hex)"]"#) == transactions[index])
            #expect(
                try chain.result("eth_getTransactionByBlockHashAndIndex", "[\(hash),\(place)]") == transactions[index])
            #expect(
                try chain.result("eth_getTransactionByBlockNumberAndIndex", #"["0x1",\#(place)]"#)
                    == transactions[index])
            #expect(
                try chain.result("eth_getRawTransactionByHash", #"["\#(signed.hash.hex)"]"#)
                    == .string(Hex.encodePrefixed(signed.encoded)))
        }
        let receipts = try #require(try chain.result("eth_getBlockReceipts", #"["latest"]"#).array)
        #expect(receipts.map { $0["cumulativeGasUsed"] } == ["0x5208", "0xb4dc", "0x106e4"])
        #expect(
            try chain.result("eth_getTransactionReceipt", #"["\#(dynamic.hash.hex)"]"#) == receipts[2])
        let ids = try [legacy, dynamic].map { try chain.result("entente_transactionID", #"["\#($0.hash.hex)"]"#) }
        #expect(ids == [.string("\(chain.committed).0"), .string("\(chain.committed).2")])
        #expect(try chain.result("entente_transactionID", #"["\#(Bytes32.zero.hex)"]"#) == .null)
        #expect(try chain.result("eth_getBlockTransactionCountByNumber", #"["latest"]"#) == "0x3")
        #expect(try chain.result("eth_getBlockTransactionCountByHash", "[\(hash)]") == "0x3")
        #expect(try chain.result("eth_getUncleCountByBlockNumber", #"["latest"]"#) == "0x0")
        #expect(try chain.result("eth_getUncleCountByBlockHash", "[\(hash)]") == "0x0")
        #expect(try chain.result("eth_getUncleByBlockHashAndIndex", #"[\#(hash),"0x0"]"#) == .null)
    }

    @Test("What isn't there is null, or an error where state is asked for")
    func absence() throws {
        let chain = try TestChain()
        let nothing = "\"\(Token.transferTopic)\""
        for (method, parameters) in [
            ("eth_getBlockByHash", "[\(nothing),false]"), ("eth_getBlockByNumber", #"["0x9",false]"#),
            ("eth_getBlockReceipts", #"["0x9"]"#), ("eth_getTransactionByHash", "[\(nothing)]"),
            ("eth_getTransactionReceipt", "[\(nothing)]"), ("eth_getBlockTransactionCountByHash", "[\(nothing)]"),
            ("eth_getTransactionByBlockNumberAndIndex", #"["0x0","0x0"]"#),
            ("eth_getTransactionByBlockNumberAndIndex", #"["latest","0xffffffffffffffff"]"#),
            ("eth_getUncleCountByBlockNumber", #"["0x9"]"#),
        ] { #expect(try chain.result(method, parameters) == .null, "\(method)") }
        let address = rich.address.hex
        #expect(try chain.error("eth_getBalance", #"["\#(address)","0x9"]"#)["message"] == "header not found")
        #expect(
            try chain.error("eth_getBalance", #"["\#(address)",{"blockHash":\#(nothing)}]"#)["message"]
                == "header for hash not found")
        #expect(try chain.result("eth_getBalance", #"["\#(address)",{"blockNumber":"0x0"}]"#) == "0xde0b6b3a7640000")
        #expect(try chain.result("eth_getStorageAt", #"["\#(address)","0x0","latest"]"#) == .string(Bytes32.zero.hex))
        #expect(try chain.result("eth_getCode", #"["\#(address)","latest"]"#) == "0x")
    }

    @Test("Node and network")
    func node() throws {
        let chain = try TestChain()
        #expect(try chain.result("eth_chainId") == "0x539")
        #expect(try chain.result("net_version") == "1337")
        #expect(try chain.result("net_listening") == true)
        #expect(try chain.result("net_peerCount") == "0x2")
        #expect(try chain.result("eth_syncing") == false)
        #expect(try chain.result("eth_accounts") == [])
        #expect(try chain.result("web3_clientVersion").string?.hasPrefix("Entente/") == true)
        #expect(
            try chain.result("web3_sha3", #"["0x68656c6c6f20776f726c64"]"#)
                == "0x47173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad")
        #expect(try chain.result("rpc_modules")["eth"] == "1.0")
    }

    @Test("Fees: free by default, a fixed price, or the market's")
    func fees() throws {
        let free = try TestChain()
        #expect(try free.result("eth_gasPrice") == "0x0")
        #expect(try free.result("eth_maxPriorityFeePerGas") == "0x0")
        let priced = try TestChain(
            TestChain.settings(#", "minimumGasPrice": 1000, "baseFee": {"mode": "fixed", "value": "0x64"}"#))
        #expect(try priced.result("eth_gasPrice") == "0x3e8")
        #expect(try priced.result("eth_maxPriorityFeePerGas") == "0x384")
        let message = try priced.submit(rich.send(0, to: poor.address, price: 999))["error"]?["message"]?.string ?? ""
        #expect(message.hasPrefix("transaction underpriced"))
        #expect(try priced.submit(rich.send(0, to: poor.address, price: 1000))["result"] != nil)
        let market = try TestChain(
            TestChain.settings(#", "baseFee": {"mode": "eip1559"}"#).replacing(
                #""baseFeePerGas": "0x0""#, with: #""baseFeePerGas": "0x3b9aca00""#))
        #expect(try market.result("eth_gasPrice") == "0x342770c0")
        #expect(
            try market.submit(rich.send(0, to: poor.address))["error"]?["message"]?.string?.hasPrefix(
                "max fee per gas less than block base fee") == true)
        #expect(try market.submit(rich.send(0, to: poor.address, price: 875_000_000))["result"] != nil)
    }

    @Test("Fee history")
    func feeHistory() throws {
        let chain = try TestChain()
        for nonce in 0..<4 as Range<UInt64> {
            try chain.execute([rich.send(nonce, to: poor.address, price: nonce)])
        }
        let history = try chain.result("eth_feeHistory", #"["0x3","latest",[0,50,100]]"#)
        #expect(history["oldestBlock"] == "0x2")
        #expect(history["baseFeePerGas"]?.array == ["0x0", "0x0", "0x0", "0x0"])
        #expect(history["gasUsedRatio"]?.array?.count == 3)
        #expect(history["reward"]?.array == [["0x1", "0x1", "0x1"], ["0x2", "0x2", "0x2"], ["0x3", "0x3", "0x3"]])
        #expect(try chain.result("eth_feeHistory", #"[1000,"0x2"]"#)["gasUsedRatio"]?.array?.count == 3)
        #expect(try chain.result("eth_feeHistory", #"["0x0","latest"]"#)["oldestBlock"] == "0x0")
        #expect(try chain.error("eth_feeHistory", #"["0x1","latest",[50,20]]"#)["code"] == -32000)
        #expect(try chain.error("eth_feeHistory", #"["0x1","latest",[101]]"#)["code"] == -32000)
    }

    @Test("Proofs lead from the state root")
    func proof() throws {
        let chain = try TestChain()
        try chain.execute([rich.send(0, to: nil, input: Token.creation(supply: 77), gas: 1_000_000)])
        let token = rich.address.created(nonce: 0).hex
        let proof = try chain.result("eth_getProof", #"["\#(token)",["0x1","0x7"],"latest"]"#)
        let root = try chain.result("eth_getBlockByNumber", #"["latest",false]"#)["stateRoot"]
        func hash(_ node: JSON?) -> JSON? {
            node?.string.flatMap { Hex.decode($0) }.map { .string(Keccak256.hash($0).hex) }
        }
        #expect(hash(proof["accountProof"]?.array?.first) == root)
        let slots = try #require(proof["storageProof"]?.array)
        #expect(slots.map { $0["value"] } == ["0x4d", "0x0"])
        #expect(hash(slots[0]["proof"]?.array?.first) == proof["storageHash"])
        #expect(try chain.error("eth_getProof", #"["\#(token)",[],"0x0"]"#)["code"] == -32000)
    }

    @Test(
        "Broken settings are refused with the member's name",
        arguments: [
            ("", "settings"), ("[]", "settings"), ("{}", "genesis"), (#"{"genesis":{}}"#, "genesis.config"),
            (#"{"genesis":{"config":{}}}"#, "chainId"), (#"{"genesis":{"config":{"chainId":0}}}"#, "chainId"),
            (#"{"genesis":{"config":{"chainId":1},"alloc":{"0x12":{}}}}"#, "alloc"),
            (#"{"genesis":{"config":{"chainId":1},"gasLimit":"x"}}"#, "gasLimit"),
            (#"{"genesis":{"config":{"chainId":1}},"batchmax":1}"#, "batchmax"),
            (#"{"genesis":{"config":{"chainId":1}},"batchMax":0}"#, "batchMax"),
            (#"{"genesis":{"config":{"chainId":1}},"baseFee":{"mode":"none"}}"#, "baseFee.mode"),
            (#"{"genesis":{"config":{"chainId":1}},"coinbase":"0x12"}"#, "coinbase"),
        ])
    func settings(_ text: String, _ member: String) {
        do {
            _ = try TestChain(text)
            Issue.record("\(text) was taken")
        } catch let error as AdapterError {
            #expect(error == .invalidSettings(""))
            if member != "settings" { #expect(error.description.contains(member), "\(error)") }
        } catch {
            Issue.record("\(error)")
        }
    }
}
