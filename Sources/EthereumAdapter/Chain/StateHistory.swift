import EVM
import Primitives

/// What blocks replaced in the state, block by block: lets the state of recent blocks be read beside the latest one.
struct StateHistory {
    /// What one block replaced: the value before of everything that it changed.
    struct Reversal {
        var number: UInt64
        var accounts: [Address: AccountState?] = [:]
        var storage: [StorageKey: UInt256] = [:]
        /// Whether accounts whose storage the block changed had any before.
        var hadStorage: [Address: Bool] = [:]
    }

    /// In order of height; each follows the one before, but for a gap that ``reset()`` leaves at the start.
    private(set) var reversals: [Reversal] = []

    /// Notes what a block is about to replace.
    mutating func record(_ diff: StateDiff, block number: UInt64, in world: WorldState) {
        var reversal = Reversal(number: number)
        reversal.accounts.reserveCapacity(diff.accounts.count)
        reversal.storage.reserveCapacity(diff.storage.count)
        for address in diff.accounts.keys { reversal.accounts.updateValue(world.account(address), forKey: address) }
        for key in diff.storage.keys {
            reversal.storage[key] = world.storage(key.address, key.slot)
            if reversal.hadStorage[key.address] == nil {
                reversal.hadStorage[key.address] = world.hasStorage(key.address)
            }
        }
        reversals.append(reversal)
    }

    /// Forgets blocks above `number`, which are taken back.
    mutating func rollback(to number: UInt64) {
        while let last = reversals.last, last.number > number { reversals.removeLast() }
    }

    /// Forgets what only states below block `number` need.
    mutating func prune(below number: UInt64) {
        guard let first = reversals.first, first.number <= number else { return }
        let count = min(reversals.count, Int(clamping: number - first.number) + 1)
        // Moving the rest is dear, so wait until it pays.
        if count * 4 >= reversals.count || count >= 64 { reversals.removeFirst(count) }
    }

    /// Whether the state after block `number` can be read, given that `latest` is the last block.
    func reaches(_ number: UInt64, latest: UInt64) -> Bool {
        if number == latest { return true }
        guard number < latest, let first = reversals.first else { return false }
        return number + 1 >= first.number
    }

    /// Forgets everything.
    mutating func reset() { reversals = [] }
}
