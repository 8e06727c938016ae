internal import Primitives

// Every change of state goes through one of these, which write the journal first.

extension WorldState {
    @inline(__always)
    func markDirty(_ account: Int) {
        if !accounts[account].pointee.isDirty {
            accounts[account].pointee.isDirty = true
            dirtyAccounts.append(account)
        }
    }

    func setBalance(_ account: Int, _ balance: UInt256) {
        _ = journal.append(JournalEntry(.balance, account, accounts[account].pointee.balance))
        accounts[account].pointee.balance = balance
        markDirty(account)
    }

    func setNonce(_ account: Int, _ nonce: UInt64) {
        _ = journal.append(JournalEntry(.nonce, account, UInt256(accounts[account].pointee.nonce)))
        accounts[account].pointee.nonce = nonce
        markDirty(account)
    }

    func setCode(_ account: Int, _ code: Code) {
        _ = journal.append(JournalEntry(.codeHash, account, UInt256(accounts[account].pointee.codeHash)))
        accounts[account].pointee.codeHash = code.hash
        accounts[account].pointee.code = code
        newCodes[code.hash] = code
        markDirty(account)
    }

    func ensureExists(_ account: Int) {
        guard !accounts[account].pointee.exists else { return }
        _ = journal.append(JournalEntry(.exists, account))
        accounts[account].pointee.exists = true
        markDirty(account)
    }

    /// Notes that the account took part in a transfer. Before EIP-161 that alone makes an account; after it an account
    /// that is still empty at the end goes.
    func touch(_ account: Int) {
        guard removesEmptyAccounts else { return ensureExists(account) }
        guard accounts[account].pointee.touched != stamp else { return }
        _ = journal.append(JournalEntry(.touched, account, UInt256(UInt64(accounts[account].pointee.touched))))
        accounts[account].pointee.touched = stamp
        touchedAccounts.append(account)
    }

    func addBalance(_ account: Int, _ amount: UInt256) {
        touch(account)
        guard !amount.isZero else { return }
        ensureExists(account)
        setBalance(account, accounts[account].pointee.balance &+ amount)
    }

    /// Moves wei that the payer is known to have.
    func transfer(from payer: Int, to payee: Int, _ amount: UInt256) {
        if !amount.isZero {
            touch(payer)
            setBalance(payer, accounts[payer].pointee.balance &- amount)
        }
        addBalance(payee, amount)
    }

    /// Makes an address warm; true if it was cold.
    @inline(__always)
    func warmAccount(_ account: Int) -> Bool {
        guard accounts[account].pointee.warm != stamp else { return false }
        _ = journal.append(JournalEntry(.warmAccount, account))
        accounts[account].pointee.warm = stamp
        return true
    }

    /// Makes a slot warm; true if it was cold.
    @inline(__always)
    func warmSlot(_ slot: UnsafeMutablePointer<SlotRecord>) -> Bool {
        guard slot.pointee.warm != stamp else { return false }
        _ = journal.append(JournalEntry(.warmSlot, slot - slots.base))
        slot.pointee.warm = stamp
        return true
    }

    @inline(__always)
    func setSlot(_ slot: UnsafeMutablePointer<SlotRecord>, _ value: UInt256) {
        let index = slot - slots.base
        _ = journal.append(JournalEntry(.slot, index, slot.pointee.value))
        slot.pointee.value = value
        if !slot.pointee.isDirty { markSlotDirty(index) }
    }

    @inline(never)
    private func markSlotDirty(_ index: Int) {
        slots[index].pointee.isDirty = true
        dirtySlots.append(index)
        markDirty(Int(slots[index].pointee.account))
    }

    func transientValue(_ account: Int, _ key: UInt256) -> UInt256 {
        transient[TransientKey(account: UInt32(account), key: key)] ?? .zero
    }

    func setTransient(_ account: Int, _ key: UInt256, _ value: UInt256) {
        let place = TransientKey(account: UInt32(account), key: key)
        _ = journal.append(JournalEntry(.transient, transientLog.count, transient[place] ?? .zero))
        transientLog.append(place)
        transient[place] = value
    }

    /// Makes a fresh contract of an account, with the nonce that the fork gives it.
    func create(_ account: Int, nonce: UInt64) {
        ensureExists(account)
        touch(account)
        _ = journal.append(JournalEntry(.created, account))
        accounts[account].pointee.created = stamp
        if nonce != accounts[account].pointee.nonce { setNonce(account, nonce) }
    }

    /// Marks an account for deletion; false if it was marked already.
    func destruct(_ account: Int) -> Bool {
        guard accounts[account].pointee.destructed != stamp else { return false }
        _ = journal.append(JournalEntry(.destructed, account))
        accounts[account].pointee.destructed = stamp
        destructedAccounts.append(account)
        return true
    }

    /// Whether a contract can't be made at an address (EIP-684, EIP-7610).
    func isTaken(_ index: Int) -> Bool {
        let account = accounts[index].pointee
        return account.nonce != 0 || account.codeHash != Keccak256.empty
            || !account.storageCleared && account.base != nil && reader.hasStorage(account.address)
    }

    // MARK: Undoing

    func snapshot() -> Snapshot {
        Snapshot(journalCount: journal.count, logCount: logs.count, refund: refund)
    }

    func revert(to snapshot: Snapshot) {
        var i = journal.count
        while i > snapshot.journalCount {
            i -= 1
            undo(journal[i].pointee)
        }
        journal.truncate(to: snapshot.journalCount)
        if logs.count > snapshot.logCount { logs.removeLast(logs.count - snapshot.logCount) }
        refund = snapshot.refund
    }

    private func undo(_ entry: JournalEntry) {
        let index = Int(entry.index)
        switch entry.kind {
        case .balance: accounts[index].pointee.balance = entry.word
        case .nonce: accounts[index].pointee.nonce = entry.word.w0
        case .codeHash:
            accounts[index].pointee.codeHash = Bytes32(entry.word)
            accounts[index].pointee.code = nil
        case .exists: accounts[index].pointee.exists = false
        case .created: accounts[index].pointee.created = 0
        case .destructed:
            accounts[index].pointee.destructed = 0
            destructedAccounts.removeLast()
        case .touched:
            // The one exception of the main network's history: the touch of RIPEMD-160's address outlives a revert
            // (EIP-161's note on block 2,675,119).
            if accounts[index].pointee.address != Address(number: 3) {
                accounts[index].pointee.touched = UInt32(truncatingIfNeeded: entry.word.w0)
            }
        case .warmAccount: accounts[index].pointee.warm = 0
        case .warmSlot: slots[index].pointee.warm = 0
        case .slot: slots[index].pointee.value = entry.word
        case .transient: transient[transientLog[index]] = entry.word
        }
    }
}
