/// Where each account of a load stands: what is signed, what was acknowledged. An account has one transaction under way
/// at most, so its nonces come in order whatever connection they take.
package struct AccountBook: Sendable {
    /// One account.
    package struct Entry: Sendable {
        /// The nonce before the bench's first transfer.
        package let firstNonce: UInt64
        /// Transfers acknowledged since.
        package var acknowledged: UInt64 = 0
        /// Transfers of whose outcome nobody told: 0, or 1, and then the account rests.
        package var unknown: UInt64 = 0
        /// Nonce of the first signed text.
        var signedFrom: UInt64 = 0
        /// Signed transactions from there on; used ones are emptied.
        var signed: [[UInt8]] = []

        package var nextNonce: UInt64 { firstNonce + acknowledged }
    }

    package private(set) var entries: [Entry]
    private let plan: TransferPlan
    private var free: FIFO<Int32>
    /// Transactions signed while the clock ran, because what was signed before ran out.
    package private(set) var signedLate = 0

    package init(plan: TransferPlan, nonces: [UInt64]) {
        self.plan = plan
        entries = nonces.map { Entry(firstNonce: $0) }
        free = FIFO(entries.indices.map { Int32($0) })
    }

    /// Accounts without a transaction under way.
    package var freeCount: Int { free.count }

    /// Next nonce of every account.
    package var nextNonces: [UInt64] { entries.map(\.nextNonce) }

    /// Transfers acknowledged so far.
    package var acknowledged: UInt64 { entries.reduce(0) { $0 + $1.acknowledged } }

    /// Takes over transactions that were signed from ``nextNonces`` on.
    package mutating func supply(_ signed: [[[UInt8]]]) {
        for (index, texts) in signed.enumerated() {
            entries[index].signedFrom = entries[index].nextNonce
            entries[index].signed = texts
        }
        signedLate = 0
    }

    /// The account that was free for longest, with its next transaction's text.
    package mutating func take() -> (account: Int32, text: [UInt8])? {
        guard let account = free.popFirst() else { return nil }
        let index = Int(account)
        let place = Int(entries[index].nextNonce - entries[index].signedFrom)
        if place < entries[index].signed.count { return (account, entries[index].signed[place]) }
        signedLate += 1
        return (account, plan.signedText(of: index, nonce: entries[index].nextNonce))
    }

    /// What became of an account's transaction.
    package enum Outcome: Sendable {
        /// The network acknowledged it.
        case acknowledged
        /// It was not taken; it is offered again later.
        case notTaken
        /// It was refused for good, or nobody knows: the account rests.
        case refused
        case unknown
    }

    /// Notes what became of an account's transaction.
    package mutating func finish(_ account: Int32, _ outcome: Outcome) {
        let index = Int(account)
        switch outcome {
        case .acknowledged:
            let place = Int(entries[index].nextNonce - entries[index].signedFrom)
            if place < entries[index].signed.count { entries[index].signed[place] = [] }
            entries[index].acknowledged += 1
            free.append(account)
        case .notTaken: free.append(account)
        case .refused: break
        case .unknown: entries[index].unknown = 1
        }
    }
}

/// A queue whose ends both take constant time.
package struct FIFO<Element: Sendable>: Sendable {
    private var items: [Element]
    private var head = 0

    package init(_ items: [Element] = []) { self.items = items }

    package var count: Int { items.count - head }
    package var isEmpty: Bool { head == items.count }

    package mutating func append(_ item: Element) { items.append(item) }

    package mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        let item = items[head]
        head += 1
        // Moves the rest down when half is used, so each element is moved once at most on the average.
        if head > 1024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return item
    }
}
