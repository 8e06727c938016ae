import AdapterKit
import EthereumAdapter
import Primitives
import Testing

@Suite("JSON-RPC: contracts, calls and logs")
struct ContractTests {
    private let rich = TestChain.rich
    private let poor = TestChain.poor

    /// A chain with the token at the returned address.
    private func deployed(_ settings: String? = nil) throws -> (TestChain, token: Address) {
        let chain = try TestChain(settings)
        let creation = rich.send(0, to: nil, input: Token.creation(supply: 1_000_000), gas: 1_000_000)
        #expect(try chain.submit(creation)["result"] == .string(creation.hash.hex))
        let receipt = try chain.result("eth_getTransactionReceipt", #"["\#(creation.hash.hex)"]"#)
        let token = rich.address.created(nonce: 0)
        #expect(receipt["status"] == "0x1")
        #expect(receipt["contractAddress"] == .string(token.hex))
        #expect(receipt["to"] == .null)
        return (chain, token)
    }

    private func balance(_ chain: TestChain, _ token: Address, _ owner: Address, at block: String = "latest") throws
        -> JSON
    {
        let input = Hex.encodePrefixed(Token.balanceOf(owner))
        return try chain.result("eth_call", #"[{"to":"\#(token.hex)","data":"\#(input)"},"\#(block)"]"#)
    }

    private func word(_ value: UInt64) -> JSON { .string(Bytes32(UInt256(value)).hex) }

    @Test("Deploy, transfer, read, find the logs")
    func tokenLife() throws {
        let (chain, token) = try deployed()
        #expect(try balance(chain, token, rich.address) == word(1_000_000))
        let transfer = rich.send(1, to: token, input: Token.transfer(to: poor.address, amount: 42))
        _ = try chain.submit(transfer)
        #expect(try balance(chain, token, poor.address) == word(42))
        #expect(try balance(chain, token, poor.address, at: "0x1") == word(0))
        let code = try chain.result("eth_getCode", #"["\#(token.hex)","latest"]"#).string ?? ""
        #expect(code.utf8.count == 2 + 2 * 288)

        let receipt = try chain.result("eth_getTransactionReceipt", #"["\#(transfer.hash.hex)"]"#)
        #expect(receipt["gasUsed"] == "0xc6ae")
        #expect(receipt["type"] == "0x2")
        let log = try #require(receipt["logs"]?.array?.first)
        #expect(log["address"] == .string(token.hex))
        #expect(log["topics"]?.array?.first == .string(Token.transferTopic))
        #expect(log["data"] == word(42))
        #expect(log["logIndex"] == "0x0" && log["removed"] == false)

        // By everything that a filter can say.
        let padded = Bytes32(UInt256(poor.address)).hex
        for filter in [
            #"{"fromBlock":"0x0","toBlock":"latest"}"#, #"{"fromBlock":"earliest","address":"\#(token.hex)"}"#,
            #"{"fromBlock":"0x2","toBlock":"0x2","topics":["\#(Token.transferTopic)"]}"#,
            #"{"topics":[null,null,["\#(padded)","\#(Token.transferTopic)"]]}"#,
            #"{"blockHash":\#(String(decoding: receipt["blockHash"]!.serialized(), as: UTF8.self))}"#,
        ] { #expect(try chain.result("eth_getLogs", "[\(filter)]") == [log], "\(filter)") }
        for filter in [
            #"{"fromBlock":"0x0","toBlock":"0x1"}"#, #"{"address":"\#(poor.address.hex)"}"#,
            #"{"topics":[null,["\#(padded)"]]}"#, #"{"topics":[null,null,null,null]}"#, #"{"fromBlock":"0x9"}"#,
        ] { #expect(try chain.result("eth_getLogs", "[\(filter)]") == [], "\(filter)") }
    }

    @Test("Log queries have limits and clear errors")
    func logLimits() throws {
        let (chain, token) = try deployed(TestChain.settings(#", "logs": {"blockRangeMax": 3, "resultsMax": 2}"#))
        for nonce in 1...4 as ClosedRange<UInt64> {
            _ = try chain.submit(rich.send(nonce, to: token, input: Token.transfer(to: poor.address, amount: nonce)))
        }
        func message(_ filter: String) throws -> String {
            try chain.error("eth_getLogs", "[\(filter)]")["message"]?.string ?? ""
        }
        #expect(try message(#"{"fromBlock":"0x0"}"#) == "block range over the limit of 3 blocks")
        #expect(try message(#"{"fromBlock":"0x3"}"#) == "query returned more than 2 results")
        #expect(try message(#"{"fromBlock":"0x3","toBlock":"0x2"}"#) == "invalid block range params")
        #expect(try message(#"{"blockHash":"\#(Token.transferTopic)"}"#) == "unknown block")
        let both = try message(#"{"blockHash":"\#(Token.transferTopic)","fromBlock":"0x0"}"#)
        #expect(both.hasSuffix("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"))
        #expect(try message(#"{"topics":[null,null,null,null,null]}"#) == "exceed max topics")
    }

    @Test("Filters report what is new, per actor, and expire")
    func filters() throws {
        let (chain, token) = try deployed(
            TestChain.settings(#", "filters": {"perActorMax": 3, "expirySeconds": 60}"#))
        func id(_ json: JSON) -> String { "[\(String(decoding: json.serialized(), as: UTF8.self))]" }
        let logs = id(try chain.result("eth_newFilter", #"[{"address":"\#(token.hex)"}]"#))
        let blocks = id(try chain.result("eth_newBlockFilter"))
        let pending = id(try chain.result("eth_newPendingTransactionFilter"))
        #expect(try chain.error("eth_newBlockFilter")["code"] == -32000)
        #expect(try chain.result("eth_getFilterChanges", logs) == [])
        let transfer = rich.send(1, to: token, input: Token.transfer(to: poor.address, amount: 1))
        _ = try chain.submit(transfer)
        #expect(try chain.result("eth_getFilterChanges", logs).array?.count == 1)
        #expect(try chain.result("eth_getFilterChanges", logs) == [])
        #expect(try chain.result("eth_getFilterLogs", logs).array?.count == 1)
        #expect(try chain.result("eth_getFilterChanges", pending) == [.string(transfer.hash.hex)])
        let hash = try chain.result("eth_getBlockByNumber", #"["latest",false]"#)["hash"]
        #expect(try chain.result("eth_getFilterChanges", blocks).array == [hash ?? .null])
        #expect(try chain.error("eth_getFilterChanges", blocks, actor: "bank-b")["message"] == "filter not found")
        #expect(try chain.result("eth_uninstallFilter", blocks) == true)
        #expect(try chain.result("eth_uninstallFilter", blocks) == false)
        #expect(try chain.error("eth_getFilterChanges", blocks)["message"] == "filter not found")
        chain.time += 60_000
        #expect(try chain.error("eth_getFilterChanges", logs)["message"] == "filter not found")
    }

    @Test("A revert has code 3, its data and Solidity's reason")
    func reverts() throws {
        let (chain, token) = try deployed()
        // Too much for the balance: the token reverts without data.
        let input = Hex.encodePrefixed(Token.transfer(to: rich.address, amount: 1))
        let call = #"{"from":"\#(poor.address.hex)","to":"\#(token.hex)","input":"\#(input)"}"#
        let error = try chain.error("eth_call", "[\(call)]")
        #expect(error == ["code": 3, "message": "execution reverted", "data": "0x"])
        #expect(try chain.error("eth_estimateGas", "[\(call)]")["code"] == 3)
        // Error("user error") and Panic(0x11), returned by init code.
        func reverting(_ data: [UInt8]) throws -> JSON {
            let code: [UInt8] = [
                0x60, UInt8(data.count), 0x60, 12, 0x60, 0, 0x39, 0x60, UInt8(data.count), 0x60, 0, 0xFD,
            ]
            return try chain.error("eth_call", #"[{"input":"\#(Hex.encodePrefixed(code + data))"}]"#)
        }
        var text = [UInt8]("user error".utf8)
        text += [UInt8](repeating: 0, count: 32 - text.count)
        let word = { (value: UInt64) in UInt256(value).bytes }
        let reason = try reverting([0x08, 0xC3, 0x79, 0xA0] + word(32) + word(10) + text)
        #expect(reason["message"] == "execution reverted: user error")
        let panic = try reverting([0x4E, 0x48, 0x7B, 0x71] + word(0x11))
        #expect(panic["message"] == "execution reverted: arithmetic underflow or overflow")
        #expect(panic["data"] == .string(Hex.encodePrefixed([0x4E, 0x48, 0x7B, 0x71] + word(0x11))))
        // Data that lie about their length are just data.
        #expect(try reverting([0x08, 0xC3, 0x79, 0xA0] + word(32) + word(.max))["message"] == "execution reverted")
        // Other ends of a call.
        #expect(try chain.error("eth_call", #"[{"input":"0xfe"}]"#)["message"] == "invalid opcode")
        #expect(try chain.error("eth_call", #"[{"input":"0x5b600056"}]"#)["message"] == "out of gas")
    }

    @Test("Estimates are enough, and little more than what is used")
    func estimates() throws {
        let (chain, token) = try deployed()
        let plain = #"[{"from":"\#(rich.address.hex)","to":"\#(poor.address.hex)","value":"0x1"}]"#
        #expect(try chain.result("eth_estimateGas", plain) == "0x5208")
        let input = Token.transfer(to: poor.address, amount: 5)
        let call = #"{"from":"\#(rich.address.hex)","to":"\#(token.hex)","input":"\#(Hex.encodePrefixed(input))"}"#
        let estimate = try #require(
            try chain.result("eth_estimateGas", "[\(call)]").string.flatMap { UInt256(hex: $0)?.asUInt64 })
        #expect(estimate >= 50_862 && estimate <= 50_862 * 102 / 100)
        let transaction = rich.send(1, to: token, input: input, gas: estimate)
        _ = try chain.submit(transaction)
        #expect(try chain.result("eth_getTransactionReceipt", #"["\#(transaction.hash.hex)"]"#)["status"] == "0x1")
        // What can't be paid or run.
        let dear = #"[{"from":"\#(poor.address.hex)","to":"\#(rich.address.hex)","value":"0x1"}]"#
        let message = try chain.error("eth_estimateGas", dear)["message"]?.string ?? ""
        #expect(message.hasPrefix("insufficient funds for gas * price + value"))
        let loop = #"[{"input":"0x5b600056","gas":"0x10000"}]"#
        #expect(try chain.error("eth_estimateGas", loop)["message"] == "gas required exceeds allowance (65536)")
    }

    @Test("Calls take a price, overrides and earlier blocks")
    func callOptions() throws {
        let (chain, token) = try deployed()
        func call(_ object: String, _ rest: String = "") throws -> JSON {
            try chain.answer("eth_call", "[\(object)\(rest)]")
        }
        // Init code that returns ORIGIN's balance.
        let balanceCode = #""input":"0x323160005260206000f3""#
        let priced = try call(#"{"from":"\#(rich.address.hex)","gas":"0x186a0","gasPrice":"0x2",\#(balanceCode)}"#)
        #expect(priced["result"] == .string(Bytes32(UInt256(1_000_000_000_000_000_000 - 200_000 as UInt64)).hex))
        let unfunded = try call(#"{"from":"\#(poor.address.hex)","gasPrice":"0x1",\#(balanceCode)}"#)
        #expect(unfunded["error"]?["code"] == -32000)
        let overridden = try call(
            #"{"from":"\#(poor.address.hex)",\#(balanceCode)}"#,
            #","latest",{"\#(poor.address.hex)":{"balance":"0x7b"}}"#)
        #expect(overridden["result"] == word(123))
        let supply = #"{"to":"\#(token.hex)","input":"0x18160ddd"}"#
        let slot = #","latest",{"\#(token.hex)":{"stateDiff":{"0x1":"0x9"}}}"#
        #expect(try call(supply, slot)["result"] == word(9))
        #expect(try call(supply)["result"] == word(1_000_000))
        #expect(try call(supply, #","0x0""#)["result"] == "0x")
        #expect(try call(supply, #","0x5""#)["error"]?["message"] == "header not found")
        let both = try call(#"{"to":"\#(token.hex)","input":"0x01","data":"0x02"}"#)
        #expect(both["error"]?["message"]?.string?.hasPrefix(#"both "data" and "input" are set"#) == true)
    }

    @Test("An access list has what a call touches")
    func accessList() throws {
        let (chain, token) = try deployed()
        let input = Hex.encodePrefixed(Token.transfer(to: poor.address, amount: 5))
        let answer = try chain.result(
            "eth_createAccessList",
            #"[{"from":"\#(rich.address.hex)","to":"\#(token.hex)","input":"\#(input)"}]"#)
        let list = try #require(answer["accessList"]?.array)
        #expect(list.count == 1)
        #expect(list.first?["address"] == .string(token.hex))
        #expect(list.first?["storageKeys"]?.array?.count == 2)
        #expect(answer["gasUsed"] != nil && answer["error"] == nil)
    }

    @Test("State is kept for as many blocks as the settings say, and refused beyond")
    func history() throws {
        let (chain, token) = try deployed(TestChain.settings(#", "stateHistoryBlocks": 4"#))
        for nonce in 1...20 as ClosedRange<UInt64> {
            _ = try chain.submit(rich.send(nonce, to: token, input: Token.transfer(to: poor.address, amount: 1)))
        }
        for block in 17...21 as ClosedRange<UInt64> {
            #expect(try balance(chain, token, poor.address, at: "0x" + String(block, radix: 16)) == word(block - 1))
        }
        let error = try chain.error("eth_getBalance", #"["\#(token.hex)","0x1"]"#)
        #expect(error["message"]?.string?.hasPrefix("historical state of block 1 is not available") == true)
        // Blocks and logs stay.
        #expect(try chain.result("eth_getBlockByNumber", #"["0x1",true]"#) != .null)
    }
}
