public import EVM
public import Primitives

/// All accounts, codes and storage of the ledger, in memory.
///
/// Reads go to flat tables. The Merkle tries lag behind: a write only marks its record, and ``stateRoot()`` brings the
/// tries up to date, so that a primary pays for a block's distinct keys once and a follower pays when it is asked. Each
/// write is undone by ``rollback(to:)`` until its block is committed.
///
/// A value, but a big one: a copy is cheap until one of the two is written to, which then copies the chunks it touches.
public struct WorldState: Sendable {
    var accounts = AccountTable()
    var slots = SlotTable()
    var tries = TrieArena()
    private var codes: [Bytes32: [UInt8]] = [:]
    private var dirtyStorages: [UInt32] = []
    private var dirtySlotCount = 0
    private var undo: [BlockUndo] = []

    /// What the writes of a block replaced, in the order of the writes.
    private struct BlockUndo: Sendable {
        var number: UInt64
        var entries: [Entry] = []

        enum Entry: Sendable {
            case account(Address, AccountState?)
            case slot(Address, Bytes32, UInt256)
        }
    }

    /// Changes that may wait for ``stateRoot()``; a follower that nobody asks catches up beyond it, so that a
    /// new primary's first root takes milliseconds.
    public static let pendingChangesMax = 32_768

    /// An empty world.
    public init() {}

    // MARK: Reads

    /// An account's fields; nil if it doesn't exist.
    public func account(_ address: Address) -> AccountState? {
        guard let place = accounts.find(address), accounts[place].exists else { return nil }
        return state(place)
    }

    private func state(_ place: Int) -> AccountState {
        let record = accounts[place]
        return AccountState(
            nonce: record.nonce, balance: record.balance, codeHash: accounts.codeHashes[Int(record.code)])
    }

    /// The value of a slot; zero if it has none.
    public func storage(_ address: Address, _ slot: Bytes32) -> UInt256 {
        guard let owner = accounts.find(address), accounts[owner].storage != 0 else { return .zero }
        return slots.find(owner, slot).map { slots[$0].value } ?? .zero
    }

    /// The code with this hash; nil if the world has none such.
    public func code(_ hash: Bytes32) -> [UInt8]? {
        hash == Keccak256.empty ? [] : codes[hash]
    }

    /// Whether any slot of the account has a value.
    public func hasStorage(_ address: Address) -> Bool {
        guard let place = accounts.find(address) else { return false }
        return accounts.storages[Int(accounts[place].storage)].liveSlots > 0
    }

    /// Accounts that exist.
    public var accountCount: Int { accounts.liveCount }

    /// The slots of an account that have a value, in no order that means anything.
    public func slots(of address: Address) -> [(slot: Bytes32, value: UInt256)] {
        guard let place = accounts.find(address), accounts[place].storage != 0 else { return [] }
        let storage = accounts.storages[Int(accounts[place].storage)]
        var found: [(slot: Bytes32, value: UInt256)] = []
        func add(_ place: Int) {
            if slots[place].value != .zero { found.append((slots[place].slot, slots[place].value)) }
        }
        tries.forEachLeaf(storage.trie) { if !slots[$0].isDirty { add($0) } }
        for place in storage.dirty { add(Int(place)) }
        return found
    }

    // MARK: Writes

    /// Opens the undo record of a block; the writes that follow belong to it. Blocks come in order.
    public mutating func begin(block number: UInt64) {
        if let last = undo.last { precondition(number > last.number, "block \(number) after block \(last.number)") }
        undo.append(BlockUndo(number: number))
    }

    /// Applies what changed, as part of the block that was opened last. Without an open block the writes are final.
    public mutating func apply(_ diff: StateDiff) {
        codes.merge(diff.codes) { old, _ in old }
        for (address, account) in diff.accounts { set(address, account) }
        for (key, value) in diff.storage { set(key.address, key.slot, value) }
        if pendingChanges > WorldState.pendingChangesMax { _ = stateRoot() }
    }

    /// Applies a block's diff: ``begin(block:)`` and ``apply(_:)``.
    public mutating func apply(_ diff: StateDiff, block number: UInt64) {
        begin(block: number)
        apply(diff)
    }

    /// Undoes every block above `number`. Committed blocks can't be undone.
    public mutating func rollback(to number: UInt64) {
        while let last = undo.last, last.number > number {
            undo.removeLast()
            for entry in last.entries.reversed() {
                switch entry {
                case .account(let address, let account): write(address, account)
                case .slot(let address, let slot, let value): write(address, slot, value)
                }
            }
        }
    }

    /// Makes every block up to `number` final.
    public mutating func commit(to number: UInt64) {
        undo.removeAll { $0.number <= number }
    }

    /// Blocks that can be undone.
    public var undoableBlocks: Int { undo.count }

    private mutating func set(_ address: Address, _ account: AccountState?) {
        let old = self.account(address)
        if old == account { return }
        if !undo.isEmpty { undo[undo.count - 1].entries.append(.account(address, old)) }
        write(address, account)
    }

    private mutating func set(_ address: Address, _ slot: Bytes32, _ value: UInt256) {
        let old = storage(address, slot)
        if old == value { return }
        if !undo.isEmpty { undo[undo.count - 1].entries.append(.slot(address, slot, old)) }
        write(address, slot, value)
    }

    private mutating func write(_ address: Address, _ account: AccountState?) {
        if let account {
            _ = accounts.set(
                address, balance: account.balance, nonce: account.nonce, codeHash: account.codeHash)
        } else if let place = accounts.find(address) {
            accounts.delete(place)
        }
    }

    private mutating func write(_ address: Address, _ slot: Bytes32, _ value: UInt256) {
        // A slot needs its account's record, also for the moment between the two writes of one diff.
        let owner: Int
        if let found = accounts.find(address) {
            owner = found
        } else if value == .zero {
            return
        } else {
            owner = accounts.set(address, balance: .zero, nonce: 0, codeHash: Keccak256.empty)
            accounts.delete(owner)
        }
        let storage = accounts.storage(of: owner)
        let place: Int
        if let found = slots.find(owner, slot) {
            place = found
        } else if value == .zero {
            return
        } else {
            place = slots.append(owner, slot, value: .zero)
        }
        let old = slots[place].value
        accounts.storages[storage].liveSlots += (value == .zero ? 0 : 1) - (old == .zero ? 0 : 1)
        slots[place].value = value
        if slots[place].isDirty { return }
        slots[place].isDirty = true
        if accounts.storages[storage].dirty.isEmpty { dirtyStorages.append(UInt32(owner)) }
        accounts.storages[storage].dirty.append(UInt32(place))
        dirtySlotCount += 1
        accounts.markDirty(owner)
    }

    // MARK: Roots

    /// Records whose change the tries don't know yet.
    public var pendingChanges: Int { accounts.dirty.count + dirtySlotCount }

    /// The root of the account trie: the `stateRoot` of a header.
    public mutating func stateRoot() -> Bytes32 {
        settleStorages()
        let dirty = accounts.dirty
        accounts.dirty = []
        for place in dirty {
            let place = Int(place)
            accounts[place].isDirty = false
            let key = accounts.trieKey(place)
            if accounts[place].exists {
                tries.insert(place, key: key, root: &accountTrie, &accounts)
            } else {
                tries.remove(place, key: key, root: &accountTrie, &accounts)
            }
        }
        // Only now: until its leaf is gone, a dead record still has to tell its key.
        for place in dirty where !accounts[Int(place)].exists {
            // Executions clear the storage of what they delete. A write set from elsewhere may not: then the slots stay
            // as they are, on every node alike, with the record that they hang on.
            if accounts.storages[Int(accounts[Int(place)].storage)].liveSlots > 0 { continue }
            accounts.releaseStorage(of: Int(place))
            accounts.release(Int(place))
        }
        return tries.root(accountTrie, &accounts)
    }

    private var accountTrie = TrieLink.empty

    private mutating func settleStorages() {
        let owners = dirtyStorages
        dirtyStorages = []
        dirtySlotCount = 0
        for owner in owners {
            let storage = accounts.storage(of: Int(owner))
            let dirty = accounts.storages[storage].dirty
            accounts.storages[storage].dirty = []
            var trie = accounts.storages[storage].trie
            for place in dirty {
                let place = Int(place)
                slots[place].isDirty = false
                let key = slots.trieKey(place)
                if slots[place].value == .zero {
                    tries.remove(place, key: key, root: &trie, &slots)
                } else {
                    tries.insert(place, key: key, root: &trie, &slots)
                }
            }
            for place in dirty where slots[Int(place)].value == .zero { slots.release(Int(place)) }
            accounts.storages[storage].trie = trie
            accounts.storages[storage].root = tries.root(trie, &slots)
            // The leaf holds the storage root, and the owner was marked along with its slots.
            accounts.markDirty(Int(owner))
            if trie.isEmpty { accounts.releaseStorage(of: Int(owner)) }
        }
    }

    // MARK: Proofs

    /// The storage root of an account, the empty root if it has none; computes what is pending.
    public mutating func storageRoot(_ address: Address) -> Bytes32 {
        _ = stateRoot()
        guard let place = accounts.find(address) else { return OrderedTrie.emptyRoot }
        return accounts.storages[Int(accounts[place].storage)].root
    }

    /// The nodes from the state root to an account, or to the proof of its absence.
    public mutating func accountProof(_ address: Address) -> [[UInt8]] {
        _ = stateRoot()
        return tries.proof(Keccak256.hash(address), root: accountTrie, &accounts)
    }

    /// The nodes from an account's storage root to a slot, or to the proof of its absence.
    public mutating func storageProof(_ address: Address, _ slot: Bytes32) -> [[UInt8]] {
        _ = stateRoot()
        guard let place = accounts.find(address) else { return [] }
        let trie = accounts.storages[Int(accounts[place].storage)].trie
        return tries.proof(Keccak256.hash(slot), root: trie, &slots)
    }
}
