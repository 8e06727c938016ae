public import Primitives

extension WorldState {
    /// Starts a transaction: nothing is warm, no refunds, logs or transient storage.
    public func beginTransaction(_ fork: Fork) {
        removesEmptyAccounts = fork.removesEmptyAccounts
        clearTransaction()
    }

    /// Ends a transaction: contracts that destructed themselves go and, from Spurious Dragon, touched empty accounts.
    public func endTransaction() {
        for index in destructedAccounts { delete(index) }
        if removesEmptyAccounts {
            for index in touchedAccounts {
                let account = accounts[index].pointee
                if account.touched == stamp, account.exists, account.isEmpty { delete(index) }
            }
        }
        clearTransaction()
    }

    /// Undoes all since ``beginTransaction(_:)``, as for a transaction that turns out to be invalid.
    public func revertTransaction() {
        revert(to: Snapshot(journalCount: 0, logCount: 0, refund: 0))
        clearTransaction()
    }

    private func clearTransaction() {
        stamp += 1
        journal.truncate(to: 0)
        logs.removeAll(keepingCapacity: true)
        refund = 0
        if !transient.isEmpty { transient.removeAll(keepingCapacity: true) }
        transientLog.removeAll(keepingCapacity: true)
        touchedAccounts.removeAll(keepingCapacity: true)
        destructedAccounts.removeAll(keepingCapacity: true)
    }

    private func delete(_ index: Int) {
        let account = accounts[index]
        account.pointee.balance = .zero
        account.pointee.nonce = 0
        account.pointee.codeHash = Keccak256.empty
        account.pointee.code = nil
        account.pointee.exists = false
        account.pointee.storageCleared = true
        account.pointee.clearedSinceTaken = true
        markDirty(index)
        var slot = Int(account.pointee.firstSlot)
        while slot >= 0 {
            slots[slot].pointee.value = .zero
            // Whoever applies the change drops the old storage first.
            slots[slot].pointee.base = .zero
            slot = Int(slots[slot].pointee.next)
        }
    }

    // MARK: Reading and writing around execution

    /// The account as it is now; nil if there is none.
    public func account(_ address: Address) -> AccountState? {
        let index = index(of: address)
        let account = accounts[index].pointee
        return account.exists ? account.state : nil
    }

    /// The account's balance in wei.
    public func balance(_ address: Address) -> UInt256 {
        let index = index(of: address)
        return accounts[index].pointee.balance
    }

    /// The account's nonce.
    public func nonce(_ address: Address) -> UInt64 {
        let index = index(of: address)
        return accounts[index].pointee.nonce
    }

    /// The account's code.
    public func code(_ address: Address) -> [UInt8] { code(index(of: address)).bytes }

    /// A storage slot's value.
    public func storage(_ address: Address, _ key: UInt256) -> UInt256 {
        slot(index(of: address), key).pointee.value
    }

    /// Adds wei; even none touches the account. The sum of all wei is far below 2^256.
    public func addBalance(_ address: Address, _ amount: UInt256) {
        addBalance(index(of: address), amount)
    }

    /// Takes wei; false, and nothing changed, if there are not as many.
    public func subtractBalance(_ address: Address, _ amount: UInt256) -> Bool {
        let index = index(of: address)
        let (rest, isShort) = accounts[index].pointee.balance.subtractingReportingOverflow(amount)
        guard !isShort else { return false }
        touch(index)
        if !amount.isZero { setBalance(index, rest) }
        return true
    }

    /// Counts one more transaction sent. At 2^64 - 1 the transaction is invalid (EIP-2681), which the caller checks.
    public func incrementNonce(_ address: Address) {
        let index = index(of: address)
        ensureExists(index)
        setNonce(index, accounts[index].pointee.nonce &+ 1)
    }

    /// Sets a nonce, as genesis and tests do.
    public func setNonce(_ address: Address, _ nonce: UInt64) {
        let index = index(of: address)
        ensureExists(index)
        setNonce(index, nonce)
    }

    /// Sets code, as genesis and tests do.
    public func setCode(_ address: Address, _ code: [UInt8]) {
        let index = index(of: address)
        ensureExists(index)
        setCode(index, code.isEmpty ? CodeCache.noCode : Code.make(code, hash: Keccak256.hash(code)))
    }

    /// Sets a storage slot, as genesis, system contracts and tests do.
    public func setStorage(_ address: Address, _ key: UInt256, _ value: UInt256) {
        let index = index(of: address)
        ensureExists(index)
        setSlot(slot(index, key), value)
    }

    /// Makes an address warm for this transaction (EIP-2929). Precompiles always are.
    public func warm(_ address: Address) { _ = warmAccount(index(of: address)) }

    /// Makes a storage slot warm for this transaction (EIP-2930).
    public func warm(_ address: Address, _ key: UInt256) { _ = warmSlot(slot(index(of: address), key)) }

    /// Raises the refund counter from outside, as authorisations of EIP-7702 do before execution.
    public func addRefund(_ gas: UInt64) { refund += Int64(clamping: gas) }

    /// The account whose code runs for `address` (EIP-7702); nil if it does not delegate.
    public func delegate(of address: Address) -> Address? {
        delegate(of: index(of: address)).map { accounts[$0].pointee.address }
    }

    // MARK: Taking changes

    /// The net changes of all transactions ended since the last call, sorted by address. Accounts and slots that are
    /// as before are not in it. Not within a transaction.
    public func takeChanges() -> [AccountChange] {
        var slotsOf: [Int: [AccountChange.Slot]] = [:]
        for index in dirtySlots {
            let slot = slots[index]
            slot.pointee.isDirty = false
            if slot.pointee.value != slot.pointee.base {
                slotsOf[Int(slot.pointee.account), default: []].append(
                    AccountChange.Slot(key: slot.pointee.key, value: slot.pointee.value))
                slot.pointee.base = slot.pointee.value
            }
        }
        dirtySlots.removeAll(keepingCapacity: true)
        var changes: [AccountChange] = []
        for index in dirtyAccounts {
            let account = accounts[index]
            let state: AccountState? = account.pointee.exists ? account.pointee.state : nil
            let base = account.pointee.base
            let isCleared = account.pointee.clearedSinceTaken && base != nil
            account.pointee.isDirty = false
            account.pointee.clearedSinceTaken = false
            account.pointee.base = state
            let written = (slotsOf[index] ?? []).sorted { $0.key < $1.key }
            guard state != base || isCleared || !written.isEmpty else { continue }
            var newCode: [UInt8]?
            if let state, state.codeHash != (base?.codeHash ?? Keccak256.empty), state.codeHash != Keccak256.empty {
                newCode = code(index).bytes
            }
            changes.append(
                AccountChange(
                    address: account.pointee.address, account: state, code: newCode, storageCleared: isCleared,
                    storage: state == nil ? [] : written))
        }
        dirtyAccounts.removeAll(keepingCapacity: true)
        return changes.sorted { $0.address < $1.address }
    }
}
