import AdapterKit
import EthereumAdapter
import Ledger
import Primitives
import Store
import Testing

@Suite("Ethereum chain: replication")
struct ReplicationTests {
    private let rich = TestChain.rich
    private let poor = TestChain.poor

    /// A chain with transfers, a contract, calls to it, and its blocks' hashes.
    private func busyChain() throws -> (TestChain, contract: Address) {
        let chain = try TestChain()
        let contract = rich.address.created(nonce: 0)
        try chain.execute([rich.send(0, to: nil, input: Token.creation(supply: 1000), gas: 1_000_000)])
        try chain.execute([
            rich.send(1, to: contract, input: Token.transfer(to: poor.address, amount: 10)),
            rich.send(2, to: poor.address, value: 7),
        ])
        try chain.execute([poor.send(0, to: contract, input: Token.transfer(to: rich.address, amount: 3))])
        return (chain, contract)
    }

    private func summary(_ adapter: EthereumAdapter, _ contract: Address) throws -> [JSON] {
        let calls = [
            #"{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x1",true]}"#,
            #"{"jsonrpc":"2.0","id":2,"method":"eth_getBlockByNumber","params":["0x2",true]}"#,
            #"{"jsonrpc":"2.0","id":3,"method":"eth_getBlockByNumber","params":["latest",true]}"#,
            #"{"jsonrpc":"2.0","id":4,"method":"eth_getBlockReceipts","params":["0x2"]}"#,
            #"{"jsonrpc":"2.0","id":5,"method":"eth_getLogs","params":[{"fromBlock":"0x0"}]}"#,
            #"{"jsonrpc":"2.0","id":6,"method":"eth_getStorageAt","params":["\#(contract.hex)","0x1"]}"#,
            #"{"jsonrpc":"2.0","id":7,"method":"eth_getProof","params":["\#(contract.hex)",["0x1"],"latest"]}"#,
            #"{"jsonrpc":"2.0","id":8,"method":"eth_getCode","params":["\#(contract.hex)"]}"#,
            #"{"jsonrpc":"2.0","id":9,"method":"eth_getBalance","params":["\#(poor.address.hex)"]}"#,
        ]
        let body = Array("[\(calls.joined(separator: ","))]".utf8)
        let context = QueryContext(committed: TransactionID(view: 1, seqno: 3), time: 0)
        guard case .done(let answer, _) = adapter.query(Query(actor: "b", body: body, context: context)) else {
            return []
        }
        return try JSON(parsing: answer).array ?? []
    }

    @Test("A follower that applies the write sets answers like the primary")
    func follower() throws {
        let (chain, contract) = try busyChain()
        let follower = try EthereumAdapter(TestChain.configuration(TestChain.settings()))
        for (id, writes) in chain.entries {
            // As it comes from the ledger.
            try follower.apply(try WriteSet.decode(writes.encoded()), id: id)
        }
        #expect(try summary(follower, contract).first?["result"] == .null, "not committed yet")
        try follower.commit(TransactionID(view: 1, seqno: 3))
        let primary = try summary(chain.adapter, contract)
        #expect(primary.count == 9)
        #expect(primary.allSatisfy { $0["error"] == nil && $0["result"] != .null })
        #expect(try summary(follower, contract) == primary)
    }

    @Test("A follower becomes primary and goes on")
    func promotion() throws {
        let (chain, contract) = try busyChain()
        let follower = try EthereumAdapter(TestChain.configuration(TestChain.settings()))
        for (id, writes) in chain.entries { try follower.apply(writes, id: id) }
        let transaction = rich.send(3, to: contract, input: Token.transfer(to: poor.address, amount: 1))
        func next(_ adapter: EthereumAdapter) throws -> BatchResult {
            try adapter.execute(
                Batch(
                    id: TransactionID(view: 2, seqno: 9), time: 1_700_000_009_000, randomness: .zero,
                    submissions: [.init(actor: "a", body: [1, 0] + transaction.encoded)]))
        }
        let mine = try next(follower)
        let theirs = try next(chain.adapter)
        #expect(mine.included.count == 1)
        #expect(mine.compartments.map { $0.writes.encoded() } == theirs.compartments.map { $0.writes.encoded() })
    }

    @Test("A snapshot restores state and blocks")
    func snapshot() throws {
        let (chain, contract) = try busyChain()
        let merged = chain.entries.reduce(into: WriteSet()) { $0.merge($1.writes) }
        let restored = try EthereumAdapter(TestChain.configuration(TestChain.settings()))
        restored.beginRestore()
        for map in merged.maps {
            // In parts, as a big snapshot comes.
            for write in map.writes {
                try restored.restore(
                    SnapshotPart(map: map.name, records: [.init(key: write.key, value: write.value)]))
            }
        }
        try restored.endRestore(TransactionID(view: 1, seqno: 3))
        #expect(try summary(restored, contract) == summary(chain.adapter, contract))
    }

    @Test("A snapshot that lost something is refused")
    func brokenSnapshot() throws {
        let (chain, _) = try busyChain()
        let merged = chain.entries.reduce(into: WriteSet()) { $0.merge($1.writes) }
        let restored = try EthereumAdapter(TestChain.configuration(TestChain.settings()))
        restored.beginRestore()
        for map in merged.maps where map.name != "eth.storage" {
            try restored.restore(
                SnapshotPart(map: map.name, records: map.writes.map { .init(key: $0.key, value: $0.value) }))
        }
        #expect(throws: AdapterError.badState("")) { try restored.endRestore(TransactionID(view: 1, seqno: 3)) }
    }

    @Test("Rolled back entries leave no trace, and their transactions can come again")
    func rollback() throws {
        let chain = try TestChain()
        let first = rich.send(0, to: poor.address, value: 1)
        try chain.execute([first])
        let before = try chain.result("eth_getBlockByNumber", #"["latest",true]"#)
        chain.commitsAtOnce = false
        let second = rich.send(1, to: poor.address, value: 2)
        try chain.execute([second])
        try chain.execute([rich.send(2, to: poor.address, value: 3)])
        try chain.rollback(to: 1)
        #expect(try chain.result("eth_getBlockByNumber", #"["latest",true]"#) == before)
        #expect(try chain.result("eth_getTransactionCount", #"["\#(rich.address.hex)","pending"]"#) == "0x1")
        let again = try chain.execute([second])
        #expect(again.outcomes == [.executed(index: 0)])
        try chain.commit()
        #expect(try chain.result("eth_getBalance", #"["\#(poor.address.hex)"]"#) == "0x3")
        #expect(throws: AdapterError.unknownTransaction("")) {
            try chain.adapter.rollback(TransactionID(view: 1, seqno: 1))
        }
    }

    @Test("Reads see what is committed while later blocks wait")
    func committedReads() throws {
        let chain = try TestChain()
        try chain.execute([rich.send(0, to: poor.address, value: 1)])
        chain.commitsAtOnce = false
        let pending = rich.send(1, to: poor.address, value: 2)
        try chain.execute([pending])
        #expect(try chain.result("eth_blockNumber") == "0x1")
        #expect(try chain.result("eth_getBalance", #"["\#(poor.address.hex)","latest"]"#) == "0x1")
        #expect(try chain.result("eth_getTransactionByHash", #"["\#(pending.hash.hex)"]"#) == .null)
        #expect(try chain.result("eth_getBlockByNumber", #"["0x2",false]"#) == .null)
        let proof = try chain.result("eth_getProof", #"["\#(poor.address.hex)",[],"latest"]"#)
        #expect(proof["balance"] == "0x1")
        let root = try chain.result("eth_getBlockByNumber", #"["latest",false]"#)["stateRoot"]
        let top = proof["accountProof"]?.array?.first?.string.flatMap { Hex.decode($0) }
        #expect(top.map { JSON.string(Keccak256.hash($0).hex) } == root)
        try chain.commit()
        #expect(try chain.result("eth_getBalance", #"["\#(poor.address.hex)","latest"]"#) == "0x3")
    }

    @Test("Write sets that aren't a block are refused")
    func brokenWrites() throws {
        let (chain, _) = try busyChain()
        let follower = try EthereumAdapter(TestChain.configuration(TestChain.settings()))
        let (id, writes) = chain.entries[0]
        #expect(throws: AdapterError.malformed("")) { try follower.apply(WriteSet(), id: id) }
        #expect(throws: AdapterError.malformed("")) {
            try follower.apply(writes, id: TransactionID(view: 1, seqno: 2))
        }
        #expect(throws: AdapterError.badState("")) {
            let (second, later) = chain.entries[1]
            try follower.apply(later, id: second)
        }
        var foreign = writes
        foreign.put([1], at: [2], in: "other.accounts")
        #expect(throws: AdapterError.malformed("")) { try follower.apply(foreign, id: id) }
        // Every byte of the block's record, changed.
        guard let block = writes["eth.blocks"]?.writes.first else { return #expect(Bool(false)) }
        for place in block.value.indices {
            var value = block.value
            value[place] ^= 0x41
            var broken = writes
            broken.put(value, at: block.key, in: "eth.blocks")
            let fresh = try EthereumAdapter(TestChain.configuration(TestChain.settings()))
            _ = try? fresh.apply(broken, id: id)
        }
    }
}
