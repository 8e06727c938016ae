internal import Primitives

/// The state as transactions see it: a cache over a ``StateReader`` with a journal, for one block or many.
///
/// ```swift
/// let state = WorldState(reader: snapshot)
/// for transaction in block {
///     state.beginTransaction(fork)
///     state.warm(address)                          // EIP-2929, 2930, 3651: sender, target, coinbase, access list
///     state.incrementNonce(sender)                 // nonce, fees and intrinsic gas are the caller's business
///     _ = state.subtractBalance(sender, fee)
///     let result = evm.execute(message)
///     state.addBalance(sender, rest)               // refunds, coinbase
///     state.endTransaction()                       // or revertTransaction(), which leaves no trace
/// }
/// let changes = state.takeChanges()                // net changes since the last time, by address
/// ```
///
/// Ending a transaction costs a stamp, not a copy. The overlay answers rightly whether or not the reader follows the
/// changes taken. Not for several threads at once.
public final class WorldState {
    let reader: any StateReader
    let codeCache: CodeCache
    private let hasher = TableHasher()

    var accounts = Pool<AccountRecord>(capacity: 64)
    private var accountTable = IndexTable(capacity: 64)
    var slots = Pool<SlotRecord>(capacity: 256)
    private var slotTable = IndexTable(capacity: 256)

    var journal = Pool<JournalEntry>(capacity: 256)
    var logs: [Log] = []
    /// The refund counter; within a frame it can be below 0 (EIP-2200).
    var refund: Int64 = 0
    var transient: [TransientKey: UInt256] = [:]
    var transientLog: [TransientKey] = []
    var touchedAccounts: [Int] = []
    var destructedAccounts: [Int] = []

    var dirtyAccounts: [Int] = []
    var dirtySlots: [Int] = []
    /// Codes that the reader may not have.
    var newCodes: [Bytes32: Code] = [:]

    /// Number of the transaction that stamps refer to.
    var stamp: UInt32 = 1
    var removesEmptyAccounts = true

    /// An overlay without changes. Give the code cache of the last one to keep codes and their analysis.
    public init(reader: any StateReader, codeCache: CodeCache = CodeCache()) {
        self.reader = reader
        self.codeCache = codeCache
    }

    deinit {
        accounts.destroy()
        accountTable.destroy()
        slots.destroy()
        slotTable.destroy()
        journal.destroy()
    }

    /// Accounts and slots that the overlay holds: what a caller bounds its memory by.
    public var recordCount: Int { accounts.count + slots.count }

    // MARK: Finding records

    /// The index of an account's record, which is made if need be.
    func index(of address: Address) -> Int {
        let word = UInt256(address)
        let hash = hasher.hash(word, 0)
        var cell = hash & accountTable.mask
        while true {
            let entry = accountTable.cells[cell]
            if entry == 0 { break }
            if accounts[Int(entry) &- 1].pointee.address == address { return Int(entry) &- 1 }
            cell = (cell &+ 1) & accountTable.mask
        }
        return loadAccount(address, hash)
    }

    @inline(never)
    private func loadAccount(_ address: Address, _ hash: Int) -> Int {
        let found = reader.account(address)
        let state = found ?? AccountState()
        let index = accounts.append(
            AccountRecord(
                address: address, balance: state.balance, nonce: state.nonce, codeHash: state.codeHash, code: nil,
                exists: found != nil, base: found))
        if accountTable.isFull(accounts.count) {
            accountTable.destroy()
            accountTable = IndexTable(capacity: accounts.count * 2)
            for i in 0..<accounts.count {
                accountTable.enter(i, hash: hasher.hash(UInt256(accounts[i].pointee.address), 0))
            }
        } else {
            accountTable.enter(index, hash: hash)
        }
        return index
    }

    /// The place of a slot's record, made if need be, with ``SlotRecord/original`` right for this transaction.
    @inline(__always)
    func slot(_ account: Int, _ key: UInt256) -> UnsafeMutablePointer<SlotRecord> {
        let hash = hasher.hash(key, account)
        let cells = slotTable.cells
        let mask = slotTable.mask
        var cell = hash & mask
        while true {
            let entry = Int(cells[cell])
            if entry == 0 { return loadSlot(account, key, hash) }
            let record = slots[entry &- 1]
            if record.pointee.key == key, record.pointee.account == account {
                if record.pointee.stamp != stamp {
                    record.pointee.stamp = stamp
                    record.pointee.original = record.pointee.value
                }
                return record
            }
            cell = (cell &+ 1) & mask
        }
    }

    @inline(never)
    private func loadSlot(_ account: Int, _ key: UInt256, _ hash: Int) -> UnsafeMutablePointer<SlotRecord> {
        let owner = accounts[account]
        let value = owner.pointee.storageCleared ? .zero : reader.storage(owner.pointee.address, key)
        let index = slots.append(
            SlotRecord(
                key: key, value: value, original: value, base: value, account: UInt32(account),
                next: owner.pointee.firstSlot, stamp: stamp, warm: 0, isDirty: false))
        owner.pointee.firstSlot = Int32(index)
        if slotTable.isFull(slots.count) {
            slotTable.destroy()
            slotTable = IndexTable(capacity: slots.count * 2)
            for i in 0..<slots.count {
                slotTable.enter(i, hash: hasher.hash(slots[i].pointee.key, Int(slots[i].pointee.account)))
            }
        } else {
            slotTable.enter(index, hash: hash)
        }
        return slots[index]
    }

    /// The code of an account.
    func code(_ index: Int) -> Code {
        let account = accounts[index]
        if let code = account.pointee.code { return code }
        let hash = account.pointee.codeHash
        let code: Code
        if hash == Keccak256.empty {
            code = CodeCache.noCode
        } else if let known = newCodes[hash] ?? codeCache.find(hash) {
            code = known
        } else {
            code = Code.make(reader.code(hash), hash: hash)
            codeCache.keep(code)
        }
        account.pointee.code = code
        return code
    }

    /// Index of the account whose code an account runs instead of its own (EIP-7702); nil if it does not delegate.
    func delegate(of index: Int) -> Int? {
        let code = code(index)
        guard code.count == 23, code.start[0] == 0xef, code.start[1] == 0x01, code.start[2] == 0x00 else { return nil }
        return self.index(of: Address(loading: code.start + 3))
    }
}
