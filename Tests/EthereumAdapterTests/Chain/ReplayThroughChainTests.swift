import AdapterKit
import EthereumAdapter
import Foundation
import Ledger
import Primitives
import Store
import Testing

@Suite("Replay through the chain", .enabled(if: SharedData.exists("mainnet/blocks")))
struct ReplayThroughChainTests {
    /// Small blocks of many forks; all of them with ENTENTE_FULL_TESTS=1.
    static let blocks: [Int] = {
        guard SharedData.runsAll else { return [46_147, 1_150_000, 2_641_321, 4_370_000, 9_069_000, 19_933_122] }
        let folder = SharedData.root.appendingPathComponent("mainnet/blocks")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { Int($0.prefix { $0 != "." }) }.sorted()
    }()

    /// A genesis with accounts that the first load must make disappear.
    private static let settings = TestChain.settings(
        alloc: #", "\#(TestChain.poor.address.hex)": {"balance": "0x1", "storage": {"0x1": "0x2"}}"#)

    private func file(_ block: Int) throws -> [UInt8] {
        try Array(Data(contentsOf: SharedData.root.appendingPathComponent("mainnet/blocks/\(block).json.gz")))
    }

    /// What the case says is before the block, as the parameter of entente_replayLoad.
    private func world(_ file: [UInt8]) throws -> String {
        let json = try JSON(
            parsing: try Gzip.inflate(file, limit: ReplayCase.bytesMax),
            limits: .init(bytesMax: 1 << 30, valuesMax: 8 << 20))
        var part = JSONObject()
        for name in ["chainId", "header", "blockHashes", "codes", "preState"] {
            part.append(name, try #require(json[name]))
        }
        return String(decoding: JSON.object(part).serialized(), as: UTF8.self)
    }

    private func replay(_ block: Int, on chain: TestChain) throws -> (ReplayCase, JSON) {
        let replay = try run(block, on: chain)
        return (replay, try chain.result("entente_replayResult"))
    }

    private func run(_ block: Int, on chain: TestChain) throws -> ReplayCase {
        let file = try file(block)
        let replay = try ReplayCase(file: file)
        _ = try chain.result("entente_replayLoad", "[\(try world(file))]")
        let raws = replay.transactions.map { "\"\(Hex.encodePrefixed($0.raw))\"" }.joined(separator: ",")
        let hashes = try chain.result("entente_replayBlock", "[[\(raws)]]")
        #expect(hashes.array == replay.transactions.map { .string($0.hash.hex) })
        return replay
    }

    @Test("Blocks of one chain after another agree with what mainnet said")
    func agreement() throws {
        let chain = try TestChain(Self.settings, replay: true)
        for block in Self.blocks {
            let (replay, result) = try replay(block, on: chain)
            let differences = replay.compare(try ReplayOutcome(replayResult: result, of: replay))
            #expect(differences.isEmpty, "\(block): \(differences.prefix(5))")
        }
        // Each block makes two entries, and a follower gets to the same end by their writes alone.
        #expect(chain.entries.count == Self.blocks.count * 2)
        let follower = try EthereumAdapter(TestChain.configuration(Self.settings, replay: true))
        for (id, writes) in chain.entries { try follower.apply(writes, id: id) }
        try follower.commit(chain.committed)
        let body = Array(#"{"jsonrpc":"2.0","id":1,"method":"entente_replayResult"}"#.utf8)
        let context = QueryContext(committed: chain.committed, time: 0)
        #expect(
            follower.query(Query(actor: "a", body: body, context: context))
                == chain.adapter.query(Query(actor: "a", body: body, context: context)))
        // The sum of the writes is the state of the last block.
        let merged = chain.entries.reduce(into: WriteSet()) { $0.merge($1.writes) }
        let restored = try EthereumAdapter(TestChain.configuration(Self.settings, replay: true))
        restored.beginRestore()
        for map in merged.maps {
            try restored.restore(
                SnapshotPart(map: map.name, records: map.writes.map { .init(key: $0.key, value: $0.value) }))
        }
        try restored.endRestore(chain.committed)
    }

    @Test("A block can be taken back and run again")
    func rollback() throws {
        let chain = try TestChain(replay: true)
        chain.commitsAtOnce = false
        _ = try run(46_147, on: chain)
        try chain.rollback(to: 0)
        chain.commitsAtOnce = true
        let (again, result) = try replay(46_147, on: chain)
        #expect(again.compare(try ReplayOutcome(replayResult: result, of: again)).isEmpty)
    }

    @Test("Without the genesis' leave it is refused")
    func refusal() throws {
        let chain = try TestChain()
        for (method, parameters) in [
            ("entente_replayLoad", "[{}]"), ("entente_replayBlock", "[[]]"), ("entente_replayResult", "[]"),
        ] {
            let message = try chain.error(method, parameters)["message"]?.string ?? ""
            #expect(message.hasPrefix("replay is not allowed"))
        }
        // Nor by a body that a hostile node forwards.
        let body = try SubmissionForgery.load()
        guard case .invalid = try chain.execute([body]).outcomes[0] else { return #expect(Bool(false)) }
    }

    @Test("Broken loads and blocks are refused")
    func brokenInput() throws {
        let chain = try TestChain(replay: true)
        #expect(try chain.error("entente_replayLoad", "[{}]")["code"] == -32602)
        #expect(try chain.error("entente_replayLoad", #"[{"chainId":1,"blockHashes":{}}]"#)["code"] == -32602)
        #expect(try chain.error("entente_replayBlock", #"[["0x00"]]"#)["message"] == "no state was loaded")
        let file = try file(46_147)
        _ = try chain.result("entente_replayLoad", "[\(try world(file))]")
        #expect(try chain.error("entente_replayBlock", "[[]]")["message"] == "a block needs a transaction")
        let message = try chain.error("entente_replayBlock", #"[["0x00"]]"#)["message"]?.string ?? ""
        #expect(message.hasPrefix("transaction 0: "))
        #expect(chain.entries.count == 1)
    }
}

/// A body that only a replay network takes, made without its adapter.
private enum SubmissionForgery {
    static func load() throws -> [UInt8] {
        var writer = ByteWriter()
        writer.raw([1, 1])
        writer.blob(Header().encoded)
        writer.integer(1 as UInt64)
        writer.integer(0 as UInt32)
        writer.integer(0 as UInt32)
        return writer.bytes
    }
}
