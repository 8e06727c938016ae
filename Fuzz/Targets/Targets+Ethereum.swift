import AdapterKit
import Conformance
import EVM
import EthereumAdapter
import Ledger
import Primitives
import Store

extension FuzzTarget {
    static let ethereum: [FuzzTarget] = [
        transaction, header, blockRecord, jsonRPC, submission, blockWrites, ethereumSettings, replayCase, conformance,
    ]

    /// One unsigned transaction of each type: the signature's numbers are made up, as a fuzzer's are.
    private static func transactions() -> [(name: String, bytes: [UInt8])] {
        let to = Address(tailOf: Keccak256.hash([1]))
        let slots = [Transaction.AccessListEntry(address: to, slots: [.zero])]
        let authorization = Authorization(
            chainID: UInt256(1337), address: to, nonce: 1, yParity: 1, r: UInt256(5), s: UInt256(6))
        return Transaction.Kind.allCases.map { kind in
            let transaction = Transaction(
                kind: kind, chainID: 1337, nonce: 0, maxPriorityFeePerGas: UInt256(1), maxFeePerGas: UInt256(1),
                gasLimit: 100_000, to: to, value: UInt256(7), input: [1, 2, 3],
                accessList: kind == .legacy ? [] : slots, maxFeePerBlobGas: UInt256(kind == .blob ? 9 : 0),
                blobVersionedHashes: kind == .blob ? [.zero] : [],
                authorizations: kind == .setCode ? [authorization] : [])
            let signature = Signature(r: UInt256(7), s: UInt256(8), yParity: false)
            return ("type-\(kind.rawValue)", SignedTransaction(transaction, signature: signature).encoded)
        }
    }

    static let transaction = FuzzTarget("transaction", seeds: { transactions() }) { bytes in
        let signed = try SignedTransaction(decoding: bytes)
        try FuzzFinding.unless(signed.encoded, is: bytes, "transaction")
        for fork in [Fork.frontier, .berlin, .osaka] {
            _ = try? signed.transaction.validate(fork)
            _ = signed.transaction.intrinsicGas(fork)
            _ = try? signed.sender(chainID: 1337, fork: fork)
        }
        for authorization in signed.transaction.authorizations.prefix(4) { _ = authorization.authority }
    }

    private static let sampleHeader = Header(
        number: 7, gasLimit: 30_000_000, timestamp: 9, baseFeePerGas: .zero, withdrawalsRoot: .zero, blobGasUsed: 0,
        excessBlobGas: 0, parentBeaconBlockRoot: .zero, requestsHash: .zero)

    static let header = FuzzTarget("header", byteCountMax: 2048) {
        [("osaka", sampleHeader.encoded), ("plain", Header(number: 7, timestamp: 9).encoded)]
    } check: { bytes in
        try FuzzFinding.unless(Header(decoding: bytes).encoded, is: bytes, "header")
    }

    static let blockRecord = FuzzTarget("block-record") {
        let transaction = try SignedTransaction(decoding: transactions()[2].bytes)
        let log = Log(address: .zero, topics: [.zero], data: [1])
        let receipt = Receipt(
            kind: .dynamicFee, outcome: .status(true), cumulativeGasUsed: 21_000, logs: [log], gasUsed: 21_000,
            effectiveGasPrice: UInt256(1))
        let record = BlockRecord(
            id: TransactionID(view: 2, seqno: 3), header: sampleHeader,
            entries: [.init(transaction: transaction, sender: .zero, receipt: receipt)])
        return [("one", record.encoded())]
    } check: { bytes in
        let record = try BlockRecord(decoding: bytes)
        try FuzzFinding.unlessStable(record.encoded(), "block record") { try BlockRecord(decoding: $0).encoded() }
    }

    private static let settings = Array(
        #"""
        {"genesis":{"config":{"chainId":1337},"gasLimit":"0x1c9c380","timestamp":"0x65","baseFeePerGas":"0x0",
        "alloc":{"7e5f4552091a69125d5dfcb7b8c2659029395bdf":{"balance":"0xde0b6b3a7640000","nonce":"0x0",
        "code":"0x6000356000f3","storage":{"0x01":"0x02"}}}},"callGasCap":200000,"logs":{"blockRangeMax":100}}
        """#.utf8)

    private static func adapter() throws -> EthereumAdapter {
        try EthereumAdapter(
            AdapterConfiguration(endpoint: "eth", kind: "ethereum", settings: settings, flags: .init(replay: true)))
    }

    static let jsonRPC = FuzzTarget("json-rpc") {
        let address = #""0x7e5f4552091a69125d5dfcb7b8c2659029395bdf""#
        let calls = [
            ("eth_getBalance", "[\(address),\"latest\"]"), ("eth_chainId", "[]"), ("eth_blockNumber", "[]"),
            ("eth_call", #"[{"to":\#(address),"data":"0x01","gas":"0x5208","value":"0x0"},"latest"]"#),
            ("eth_estimateGas", #"[{"to":\#(address),"from":\#(address),"input":"0x"}]"#),
            ("eth_getStorageAt", "[\(address),\"0x1\",\"0x0\"]"), ("eth_getCode", "[\(address),\"earliest\"]"),
            (
                "eth_getLogs",
                #"[{"fromBlock":"0x0","toBlock":"latest","address":[\#(address)],"topics":[null,["0x00"]]}]"#
            ),
            ("eth_newFilter", #"[{"fromBlock":"0x0"}]"#), ("eth_getFilterChanges", "[\"0x1\"]"),
            ("eth_getBlockByNumber", "[\"0x0\",true]"), ("eth_feeHistory", "[\"0x4\",\"latest\",[10,50]]"),
            ("eth_getProof", "[\(address),[\"0x1\"],\"latest\"]"), ("eth_createAccessList", "[{\"to\":\(address)}]"),
            ("eth_sendRawTransaction", "[\"\(Hex.encodePrefixed(transactions()[2].bytes))\"]"),
            ("web3_sha3", "[\"0x68\"]"), ("eth_getTransactionByHash", "[\"0x00\"]"),
        ]
        var seeds = calls.map { name, parameters in
            (name, Array(#"{"jsonrpc":"2.0","id":1,"method":"\#(name)","params":\#(parameters)}"#.utf8))
        }
        seeds.append(("batch", [0x5B] + seeds[0].1 + [0x2C] + seeds[1].1 + [0x5D]))
        return seeds.map { (name: $0.0, bytes: $0.1) }
    } check: { bytes in
        let adapter = try adapter()
        let context = QueryContext(committed: TransactionID(view: 1, seqno: 0), time: 1_700_000_000_000, peers: 2)
        switch adapter.query(Query(actor: "bank-a", body: bytes, context: context)) {
        case .done(let body, _):
            if !body.isEmpty, (try? JSON(parsing: body)) == nil { throw FuzzFinding("the answer is no JSON") }
        case .submit(_, let token), .call(_, let token): adapter.discard(token)
        case .history: break
        }
    }

    /// A batch of one submission on a fresh chain: decoded, checked, executed.
    static let submission = FuzzTarget("submission") {
        transactions().map { ($0.name, [1, 0] + $0.bytes) } + [("replay-block", [1, 2, 1, 0, 0, 0, 2, 0, 0, 0, 5, 6])]
    } check: { bytes in
        let adapter = try adapter()
        let batch = Batch(
            id: TransactionID(view: 1, seqno: 1), time: 1_700_000_000_000, randomness: .zero,
            submissions: [Submission(actor: "bank-a", body: bytes)])
        let result = try adapter.execute(batch)
        guard !result.included.isEmpty else { return }
        // A follower takes over what the primary executed.
        let writes = result.compartments.reduce(into: WriteSet()) { $0.merge($1.writes) }
        let follower = try FuzzTarget.adapter()
        do { try follower.apply(writes, id: batch.id) } catch {
            throw FuzzFinding("a follower refuses what a primary executed: \(error)")
        }
        try adapter.commit(batch.id)
    }

    /// Write sets and snapshot parts as they come from another node.
    static let blockWrites = FuzzTarget("block-writes") {
        let record = BlockRecord(id: TransactionID(view: 1, seqno: 1), header: sampleHeader, entries: [])
        let writes = WriteSet([
            MapWrites(name: "eth.blocks", writes: [.init(key: [0, 0, 0, 0, 0, 0, 0, 7], value: record.encoded())])
        ])
        return [("block", writes.encoded())]
    } check: { bytes in
        let writes = try WriteSet.decode(bytes)
        let id = TransactionID(view: 1, seqno: 1)
        let follower = try adapter()
        try? follower.apply(writes, id: id)
        try? follower.commit(id)
        let joiner = try adapter()
        joiner.beginRestore()
        for map in writes.maps {
            try? joiner.restore(
                SnapshotPart(map: map.name, records: map.writes.map { .init(key: $0.key, value: $0.value) }))
        }
        try joiner.endRestore(id)
    }

    static let ethereumSettings = FuzzTarget("ethereum-settings") {
        [("settings", settings)]
    } check: { bytes in
        let adapter = try EthereumAdapter(AdapterConfiguration(endpoint: "eth", kind: "ethereum", settings: bytes))
        // A chain of these settings works: it refuses or executes, and answers.
        _ = try adapter.execute(
            Batch(
                id: TransactionID(view: 1, seqno: 1), time: 1_700_000_000_000, randomness: .zero,
                submissions: [Submission(actor: "bank-a", body: [1, 0] + transactions()[2].bytes)]))
        let body = Array(#"{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",true]}"#.utf8)
        let context = QueryContext(committed: TransactionID(view: 1, seqno: 0), time: 1_700_000_000_000)
        _ = adapter.query(Query(actor: "bank-a", body: body, context: context))
    }

    static let replayCase = FuzzTarget("replay-case") {
        []
    } check: { bytes in
        _ = try ReplayCase(file: bytes)
    }

    static let conformance = FuzzTarget("conformance") {
        let raw = Hex.encodePrefixed(transactions()[0].bytes)
        return [
            (
                "rlp",
                Array(##"{"list":{"in":["dog",["god",1024],"#15"],"out":"0xcc83646f67c683676f6482040000"}}"##.utf8)
            ),
            (
                "trie",
                Array(#"{"one":{"in":{"A":"aaaa","0x01":null},"root":"0x\#(String(repeating: "0", count: 64))"}}"#.utf8)
            ),
            ("transaction", Array(#"{"t":{"txbytes":"\#(raw)","result":{"Berlin":{"exception":"X"}}}}"#.utf8)),
            ("precompile", Array(#"[{"Input":"00ff","Expected":"","Name":"n","Gas":9}]"#.utf8)),
        ]
    } check: { bytes in
        let file = try TestFile(bytes, name: "blake2F.json")
        guard file.kind == .rlp || file.kind == .trie || file.kind == .transaction else { return }
        try file.run { _ in }
    }
}
