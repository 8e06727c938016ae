import EthereumAdapter
import Foundation
import Primitives
import Testing

/// Answers beside those of the public conformance suite (ethereum/execution-apis): the chain is another one, so the
/// names of members and the texts of errors are what can be compared.
@Suite("JSON-RPC: public conformance suite", .enabled(if: SharedData.exists("rpc-compat/tests")))
struct ConformanceTests {
    /// Request and answer of one exchange.
    private func exchange(_ name: String) throws -> (request: JSON, answer: JSON) {
        let file = SharedData.root.appendingPathComponent("rpc-compat/tests/\(name).io")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        func json(_ mark: String) throws -> JSON {
            let line = try #require(lines.last { $0.hasPrefix(mark) })
            return try JSON(parsing: Array(line.dropFirst(3).utf8))
        }
        return (try json(">>"), try json("<<"))
    }

    private func names(_ json: JSON?) -> Set<String> { Set(json?.object?.members.map(\.name) ?? []) }

    @Test("Blocks, transactions, receipts and logs have the same members")
    func members() throws {
        let chain = try TestChain(TestChain.settings(#", "allowUnprotected": true"#))
        let rich = TestChain.rich
        let token = rich.address.created(nonce: 0)
        let legacy = rich.sign(
            Transaction(
                chainID: nil, nonce: 1, gasPrice: .zero, gasLimit: 100_000, to: token,
                input: Token.transfer(to: TestChain.poor.address, amount: 1)))
        let dynamic = rich.send(2, to: TestChain.poor.address)
        try chain.execute([
            rich.send(0, to: nil, input: Token.creation(supply: 9), gas: 1_000_000), legacy, dynamic,
        ])
        func ours(_ method: String, _ parameter: String) throws -> JSON { try chain.result(method, "[\(parameter)]") }
        func same(_ mine: JSON?, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            var theirs = try exchange(name).answer["result"]
            if let first = theirs?.array?.first { theirs = first }
            #expect(names(mine) == names(theirs), "\(name)", sourceLocation: sourceLocation)
        }
        try same(ours("eth_getBlockByNumber", #""latest",true"#), "eth_getBlockByNumber/get-block-cancun-fork")
        try same(
            ours("eth_getTransactionByHash", "\"\(dynamic.hash.hex)\""), "eth_getTransactionByHash/get-dynamic-fee")
        try same(
            ours("eth_getTransactionByHash", "\"\(legacy.hash.hex)\""), "eth_getTransactionByHash/get-legacy-input")
        try same(
            ours("eth_getTransactionReceipt", "\"\(dynamic.hash.hex)\""), "eth_getTransactionReceipt/get-dynamic-fee")
        try same(ours("eth_getLogs", "{}").array?.first, "eth_getLogs/contract-addr")
        try same(ours("eth_feeHistory", #""0x1","latest",[50]"#), "eth_feeHistory/fee-history")
        try same(ours("txpool_status", "").object.map { .object($0) }, "txpool_status/get-status")
        try same(
            ours("eth_getProof", #""\#(token.hex)",["0x1"],"latest""#), "eth_getProof/get-account-proof-latest")
    }

    @Test(
        "Errors have the same code and text",
        arguments: [
            "eth_getStorageAt/get-storage-invalid-key-too-large", "eth_getStorageAt/get-storage-invalid-key",
            "eth_getLogs/filter-error-invalid-blockHash-and-range",
        ])
    func errors(_ name: String) throws {
        let (request, answer) = try exchange(name)
        let mine = try JSON(
            parsing: try TestChain().send(String(decoding: request.serialized(), as: UTF8.self)))
        #expect(mine == answer)
    }
}
