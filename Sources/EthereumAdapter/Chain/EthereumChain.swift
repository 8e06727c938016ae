import AdapterKit
import EVM
import Ledger
import Primitives
import Store

/// The chain of one Ethereum adapter: blocks, state and pool, with a latest and a committed end.
final class EthereumChain {
    let settings: EthereumSettings
    let configuration: ChainConfiguration
    let maps: StateMaps
    /// Codes that execution and calls prepared.
    let codeCache = CodeCache()
    /// The state after the latest block.
    private(set) var world = WorldState()
    private(set) var blocks: ChainStore
    private(set) var history = StateHistory()
    var pool: TransactionPool
    var senders = SenderCache(capacity: 32_768)
    /// Foreign state and environment that were loaded; nil unless the genesis allows it.
    var replay: ReplayState?
    var meter = StageMeter()

    init(settings: EthereumSettings, endpoint: String, allowsReplay: Bool) {
        self.settings = settings
        configuration = settings.genesis.configuration
        maps = StateMaps(prefix: endpoint + ".", genesis: settings.genesis.state)
        blocks = ChainStore(genesis: settings.genesis.header)
        pool = TransactionPool(
            transactionsMax: settings.poolTransactionsMax, perSenderMax: settings.poolPerSenderMax)
        replay = allowsReplay ? ReplayState(genesis: settings.genesis.state) : nil
        world.apply(settings.genesis.state)
        _ = world.stateRoot()
    }

    /// The rules: those of the chain, or of the public chain whose block is being replayed.
    var rules: ChainConfiguration {
        guard let chainID = replay?.environment?.chainID else { return configuration }
        return chainID == ChainConfiguration.mainnet.chainID ? .mainnet : configuration
    }

    // MARK: Reading

    /// The height of a committed block with this hash.
    func height(hash: Bytes32) -> UInt64? {
        guard let number = blocks.number(of: hash), number <= blocks.committed else { return nil }
        return number
    }

    /// The height of a committed block; nil if it isn't there.
    func knownHeight(of block: BlockReference) -> UInt64? {
        switch block {
        case .latest, .pending: blocks.committed
        case .earliest: blocks.first
        case .number(let number): number >= blocks.first && number <= blocks.committed ? number : nil
        case .hash(let hash): height(hash: hash)
        }
    }

    /// The height of a committed block.
    /// - Throws: go-ethereum's error for a block that isn't there.
    func height(of block: BlockReference) throws(RPCError) -> UInt64 {
        guard let height = knownHeight(of: block) else {
            if case .hash = block { throw .server("header for hash not found") }
            throw .server("header not found")
        }
        return height
    }

    /// The state after a committed block, with its header.
    /// - Throws: ``RPCError`` if the block isn't there or its state is no longer kept.
    func view(at block: BlockReference) throws(RPCError) -> (state: StateView, header: Header) {
        let height = try height(of: block)
        guard let header = blocks.block(height)?.header else { throw .server("header not found") }
        guard history.reaches(height, latest: blocks.latest.header.number) else {
            throw .server(
                "historical state of block \(height) is not available; the last \(settings.stateHistoryBlocks) "
                    + "blocks before \(blocks.committed) are kept")
        }
        return (StateView(self, height: height), header)
    }

    /// Where a committed transaction is.
    func committedPlace(of hash: Bytes32) -> ChainStore.Place? {
        guard let place = blocks.place(of: hash), place.block <= blocks.committed else { return nil }
        return place
    }

    /// Calls `body` with a copy of the committed world, whose tries it may bring up to date.
    func withCommittedWorld<T>(_ body: (inout WorldState) -> T) -> T {
        if blocks.committed == blocks.latest.header.number { return body(&world) }
        var copy = world
        copy.rollback(to: blocks.committed)
        return body(&copy)
    }

    /// The base fee of the block after `parent`; nil before London.
    func baseFee(after parent: Header) -> UInt256? {
        let fork = configuration.fork(number: parent.number + 1, time: parent.timestamp)
        guard fork >= .london else { return nil }
        switch settings.baseFee {
        case .fixed(let fee): return fee
        case .market: return FeeRules.baseFee(after: parent)
        }
    }

    // MARK: Growing and shrinking

    /// Changes the state as block `number` does, and gives the state root; ``append(_:bytes:)`` must follow.
    func change(_ diff: StateDiff, block number: UInt64) -> Bytes32 {
        take(diff, block: number)
        return meter.measure(.stateRoot) { world.stateRoot() }
    }

    private func take(_ diff: StateDiff, block number: UInt64) {
        history.record(diff, block: number, in: world)
        world.apply(diff, block: number)
    }

    /// Puts a block on top whose changes the state has already.
    func append(_ record: BlockRecord, bytes: [UInt8]) throws(AdapterError) {
        try blocks.append(record, bytes: bytes)
    }

    /// Takes a block that was made elsewhere onto the latest end. The state root is not computed, here or until it is
    /// needed: that is the primary's work.
    func append(_ record: BlockRecord, bytes: [UInt8], diff: StateDiff) throws(AdapterError) {
        try blocks.append(record, bytes: bytes)
        take(diff, block: record.header.number)
    }

    /// Makes everything up to an entry final.
    func commit(_ id: TransactionID) {
        let height = blocks.height(at: id)
        guard height > blocks.committed else { return }
        blocks.commit(to: height)
        world.commit(to: height)
        let kept = UInt64(settings.stateHistoryBlocks)
        if height > blocks.first + kept { history.prune(below: height - kept) }
    }

    /// Takes back everything after an entry.
    func rollback(_ id: TransactionID) throws(AdapterError) {
        let height = blocks.height(at: id)
        guard height >= blocks.committed else {
            throw .unknownTransaction("entry \(id) is before the committed block \(blocks.committed)")
        }
        guard height < blocks.latest.header.number else { return }
        blocks.rollback(to: height)
        history.rollback(to: height)
        world.rollback(to: height)
        replay?.rollback(to: height)
    }

    // MARK: Restoring

    /// Back to the genesis.
    func reset() {
        world = WorldState()
        world.apply(settings.genesis.state)
        blocks.reset()
        history.reset()
        pool.removeAll()
        if replay != nil { replay = ReplayState(genesis: settings.genesis.state) }
    }

    /// Takes over a block of a snapshot, whose state comes apart from it.
    func restore(_ record: BlockRecord, bytes: [UInt8]) throws(AdapterError) {
        try blocks.append(record, bytes: bytes)
    }

    /// Takes over state of a snapshot.
    func restore(_ diff: StateDiff) { world.apply(diff) }

    /// The snapshot is complete: all of it is committed, and its state must be the last block's.
    func finishRestore() throws(AdapterError) {
        let header = blocks.latest.header
        blocks.commit(to: header.number)
        guard world.stateRoot() == header.stateRoot else {
            throw .badState("the restored state is not that of block \(header.number)")
        }
    }
}
