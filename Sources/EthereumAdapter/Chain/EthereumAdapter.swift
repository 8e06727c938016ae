public import AdapterKit
import EVM
public import Ledger
import Primitives
public import Store

/// Ethereum on the ledger: a batch becomes one block, a block one entry; JSON-RPC in front.
///
/// Reads see the committed blocks; execution goes on from the latest. Beside the chain, in the primary's memory only,
/// are transactions that wait for an earlier nonce.
public final class EthereumAdapter: Adapter {
    /// What `web3_clientVersion` says.
    static let clientVersion = "Entente/v0.1.0/linux/swift"

    /// The kind `ethereum`; its settings are ``EthereumSettings``.
    public static let kind = AdapterKind(name: "ethereum") { configuration, executor in
        try EthereumAdapter(configuration, executor: executor)
    }

    let chain: EthereumChain
    let executor: any ParallelExecutor
    private let server: RPCServer

    /// A chain at its genesis.
    /// - Throws: ``AdapterError/invalidSettings(_:)``.
    public init(
        _ configuration: AdapterConfiguration, executor: any ParallelExecutor = SerialExecutor()
    ) throws(AdapterError) {
        chain = EthereumChain(
            settings: try EthereumSettings(configuration.settings), endpoint: configuration.endpoint,
            allowsReplay: configuration.flags.replay)
        server = RPCServer(chain: chain)
        self.executor = executor
    }

    /// Tells signers and roots apart from the rest.
    public func report(to meter: StageMeter) { chain.meter = meter }

    /// Name and version.
    public var version: String { Self.clientVersion }

    // MARK: Entries

    /// Executes a batch as one block.
    public func execute(_ batch: Batch) throws -> BatchResult {
        guard batch.id.seqno > chain.blocks.latest.id.seqno else {
            throw AdapterError.wrongOrder("entry \(batch.id) after entry \(chain.blocks.latest.id)")
        }
        var builder = BlockBuilder(chain: chain, batch: batch)
        return try builder.run(executor: executor)
    }

    /// Takes over a block that another node executed.
    public func apply(_ writes: WriteSet, id: TransactionID) throws {
        guard let map = writes[chain.maps.blocks], map.writes.count == 1, let write = map.writes.first else {
            throw AdapterError.malformed("write set: it has not one block")
        }
        let record = try BlockRecord(decoding: write.value)
        guard record.id == id, write.key == StateMaps.blockKey(record.header.number) else {
            throw AdapterError.malformed("write set: the block is not that of entry \(id)")
        }
        let diff = try chain.maps.diff(writes)
        try chain.append(record, bytes: write.value, diff: diff)
        if chain.replay != nil {
            let environment = try writes[chain.maps.replay].map { try replayEnvironment($0.writes.first?.value ?? []) }
            chain.replay?.note(diff, block: record.header.number, environment: environment)
        }
    }

    /// Makes entries final.
    public func commit(_ id: TransactionID) throws { chain.commit(id) }

    /// Takes entries back.
    public func rollback(_ id: TransactionID) throws { try chain.rollback(id) }

    // MARK: Requests

    /// Serves a JSON-RPC body.
    public func query(_ query: Query) -> QueryReply {
        let parsed = try? JSON(parsing: query.body, limits: Self.requestLimits)
        if let parsed, case .array = parsed { recover(RawTransactions.find(in: [parsed])) }
        return server.query(query, parsed: parsed)
    }

    /// Serves bodies that wait together: parses them, decodes their transactions and recovers the senders in parallel,
    /// then serves them in order.
    public func query(_ queries: [Query]) -> [QueryReply] {
        let bodies = queries.map(\.body)
        let parsed = ParallelResults<JSON?>(count: bodies.count, executor: executor) { index in
            try? JSON(parsing: bodies[index], limits: Self.requestLimits)
        }.values.map { $0 ?? nil }
        recover(RawTransactions.find(in: parsed.compactMap { $0 }))
        return zip(queries, parsed).map { server.query($0, parsed: $1) }
    }

    /// Answers a body whose submissions are decided.
    public func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws -> QueryReply {
        try server.finish(token, outcomes: outcomes)
    }

    /// Goes on with a body whose questions to services outside have been put.
    public func called(_ token: QueryToken, answers: [OutsideAnswer]) throws -> QueryReply {
        try server.called(token, answers: answers)
    }

    /// Forgets a body whose client is gone.
    public func discard(_ token: QueryToken) { server.discard(token) }

    private static let requestLimits = JSONLimits(bytesMax: 64 << 20, depthMax: 32, valuesMax: 4 << 20)

    /// Decodes transactions and recovers their senders in parallel; execution and the calls themselves find them later.
    private func recover(_ raws: [[UInt8]]) {
        guard raws.count > 1 else { return }
        chain.prepare(raws, executor: executor)
    }

    // MARK: Snapshots

    /// Drops everything but the genesis.
    public func beginRestore() { chain.reset() }

    /// Takes over a part of a snapshot.
    public func restore(_ part: SnapshotPart) throws {
        switch part.map {
        case chain.maps.blocks:
            for entry in part.records {
                try chain.append(try BlockRecord(decoding: entry.value), bytes: entry.value)
            }
        case chain.maps.replay:
            for entry in part.records {
                chain.replay?.restore(StateDiff(), environment: try replayEnvironment(entry.value))
            }
        default:
            let diff = try chain.maps.diff(part)
            chain.restore(diff)
            chain.replay?.restore(diff, environment: nil)
        }
    }

    /// The snapshot is complete.
    public func endRestore(_ id: TransactionID) throws {
        guard chain.blocks.latest.id.seqno <= id.seqno else {
            throw AdapterError.badState("the snapshot at \(id) has a block of entry \(chain.blocks.latest.id)")
        }
        try chain.finishRestore()
    }

    private func replayEnvironment(_ bytes: [UInt8]) throws(AdapterError) -> ReplayEnvironment {
        var reader = ByteReader(bytes)
        do {
            let environment = try ReplayEnvironment(from: &reader)
            try reader.finish()
            return environment
        } catch {
            throw .malformed("replay environment")
        }
    }
}
