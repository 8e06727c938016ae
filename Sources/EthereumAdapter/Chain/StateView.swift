import EVM
import Primitives

/// The state after some block, as execution and queries read it: the latest state, seen through what later blocks
/// replaced. Refers to the chain and copies nothing; it must not be used after the chain changed.
struct StateView: StateReader {
    private let chain: EthereumChain
    /// The first reversal to look at; those after it follow, nearest block first.
    private let firstReversal: Int
    /// Height of the block that this is the state after.
    let height: UInt64

    /// The latest state.
    init(latest chain: EthereumChain) {
        self.chain = chain
        firstReversal = chain.history.reversals.endIndex
        height = chain.blocks.latest.header.number
    }

    /// The state after block `height`, which the chain's history must reach.
    init(_ chain: EthereumChain, height: UInt64) {
        self.chain = chain
        self.height = height
        let reversals = chain.history.reversals
        var start = reversals.endIndex
        while start > reversals.startIndex, reversals[start - 1].number > height { start -= 1 }
        firstReversal = start
    }

    func account(_ address: Address) -> AccountState? {
        for index in firstReversal..<chain.history.reversals.count {
            if let before = chain.history.reversals[index].accounts[address] { return before }
        }
        return chain.world.account(address)
    }

    func storage(_ address: Address, _ slot: Bytes32) -> UInt256 {
        let count = chain.history.reversals.count
        if firstReversal < count {
            let key = StorageKey(address, slot)
            for index in firstReversal..<count {
                if let before = chain.history.reversals[index].storage[key] { return before }
            }
        }
        return chain.world.storage(address, slot)
    }

    func storage(_ address: Address, _ key: UInt256) -> UInt256 { storage(address, Bytes32(key)) }

    /// Codes are never dropped, so the latest world has those of old.
    func code(_ hash: Bytes32) -> [UInt8] { chain.world.code(hash) ?? [] }

    func hasStorage(_ address: Address) -> Bool {
        for index in firstReversal..<chain.history.reversals.count {
            if let before = chain.history.reversals[index].hadStorage[address] { return before }
        }
        return chain.world.hasStorage(address)
    }

    func blockHash(_ number: UInt64) -> Bytes32 {
        if let hash = chain.replay?.environment?.blockHashes[number] { return hash }
        guard number <= height else { return .zero }
        return chain.blocks.block(number)?.hash ?? .zero
    }
}
