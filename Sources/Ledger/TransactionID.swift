/// Name of an entry: the view in which it was proposed and its place in the ledger. Prints and parses as `view.seqno`.
public struct TransactionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// View (Raft's term); below 2^31, as CCF's entry header has no room for more.
    public var view: UInt64
    /// Place in the ledger, from 1.
    public var seqno: UInt64

    /// The entry at `seqno` of `view`.
    public init(view: UInt64, seqno: UInt64) {
        self.view = view
        self.seqno = seqno
    }

    /// Parses `view.seqno`: two decimal numbers without sign or leading zeros.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let view = Self.number(parts[0]), let seqno = Self.number(parts[1]) else { return nil }
        self.init(view: view, seqno: seqno)
    }

    /// By seqno, then by view.
    public static func < (left: Self, right: Self) -> Bool {
        (left.seqno, left.view) < (right.seqno, right.view)
    }

    /// `view.seqno`.
    public var description: String { "\(view).\(seqno)" }

    static func number(_ text: some StringProtocol) -> UInt64? {
        guard let value = UInt64(text), "\(value)" == text else { return nil }
        return value
    }
}

/// Name of one transaction of a batch. Prints and parses as `view.seqno.index`.
public struct BatchTransactionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The batch's entry.
    public var entry: TransactionID
    /// Place in the batch, from 0.
    public var index: UInt32

    /// The transaction at `index` of `entry`.
    public init(entry: TransactionID, index: UInt32) {
        self.entry = entry
        self.index = index
    }

    /// Parses `view.seqno.index`.
    public init?(_ text: some StringProtocol) {
        guard let dot = text.lastIndex(of: "."), let entry = TransactionID(text[..<dot]),
            let number = TransactionID.number(text[text.index(after: dot)...]), let index = UInt32(exactly: number)
        else { return nil }
        self.init(entry: entry, index: index)
    }

    /// By entry, then by index.
    public static func < (left: Self, right: Self) -> Bool {
        (left.entry, left.index) < (right.entry, right.index)
    }

    /// `view.seqno.index`.
    public var description: String { "\(entry).\(index)" }
}
