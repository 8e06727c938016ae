internal import Primitives

/// An account in the overlay. What is "stamped" holds only while its stamp is the current transaction's number, so
/// that nothing has to be reset between transactions.
struct AccountRecord {
    let address: Address
    var balance: UInt256
    var nonce: UInt64
    var codeHash: Bytes32
    /// The code, once it was needed.
    var code: Code?
    /// Whether the account is in the state. Before EIP-161 one that is there can be empty.
    var exists: Bool
    /// Whether storage of the reader is no longer this account's.
    var storageCleared = false
    /// Whether storage was cleared since changes were last taken.
    var clearedSinceTaken = false
    /// Whether the record is in the list of those to report.
    var isDirty = false
    /// Stamp: address is warm (EIP-2929).
    var warm: UInt32 = 0
    /// Stamp: contract was created in this transaction.
    var created: UInt32 = 0
    /// Stamp: to be deleted at the end.
    var destructed: UInt32 = 0
    /// Stamp: to be looked at at the end (EIP-161).
    var touched: UInt32 = 0
    /// Head of the list of the account's slots in the overlay; -1 if there are none.
    var firstSlot: Int32 = -1
    /// The account when changes were last taken; nil if it was not there.
    var base: AccountState?

    @inline(__always)
    var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == Keccak256.empty }

    var state: AccountState { AccountState(nonce: nonce, balance: balance, codeHash: codeHash) }
}

/// A storage slot in the overlay.
struct SlotRecord {
    let key: UInt256
    var value: UInt256
    /// The value at the start of transaction ``stamp`` (EIP-2200).
    var original: UInt256
    /// The value when changes were last taken.
    var base: UInt256
    /// Index of the account.
    let account: UInt32
    /// Next slot of the account; -1 at the end.
    var next: Int32
    /// The transaction that ``original`` belongs to.
    var stamp: UInt32
    /// Stamp: slot is warm (EIP-2929).
    var warm: UInt32
    /// Whether the record is in the list of those to report.
    var isDirty: Bool
}

/// How to undo one change.
struct JournalEntry {
    enum Kind: UInt8 {
        case balance, nonce, codeHash, exists, created, destructed, touched, warmAccount, warmSlot, slot, transient
    }

    let kind: Kind
    let index: UInt32
    /// The old value.
    let word: UInt256

    @inline(__always)
    init(_ kind: Kind, _ index: Int, _ word: UInt256 = .zero) {
        self.kind = kind
        self.index = UInt32(truncatingIfNeeded: index)
        self.word = word
    }
}

/// A place in a transaction to come back to.
struct Snapshot {
    let journalCount: Int
    let logCount: Int
    let refund: Int64
}

/// Key of a transient storage slot (EIP-1153).
struct TransientKey: Hashable {
    let account: UInt32
    let key: UInt256
}
