/// Collects submissions at the primary and says when the next batch is to be cut: at once when nothing is in flight,
/// else when it is full or its oldest member has waited long enough. It is bounded; what does not fit is refused.
package struct Batcher<Item: Sendable>: Sendable {
    /// When to cut, and how much may wait. The first two come from the constitution.
    package struct Limits: Sendable, Equatable {
        /// Transactions in one batch at most.
        package var transactionsMax = 100
        /// Longest wait of a transaction for its batch while others are in flight, in microseconds.
        package var delayMaxMicroseconds: UInt64 = 5_000
        /// Bytes of the bodies in one batch at most; a larger single body goes alone.
        package var batchBytesMax = 4 << 20
        /// Transactions that may wait.
        package var queuedMax = 20_000
        /// Bytes of the bodies that may wait.
        package var queuedBytesMax = 64 << 20

        /// The defaults.
        package init() {}
    }

    private struct Waiting: Sendable {
        let item: Item
        let bytes: Int
        let since: UInt64
    }

    /// The limits in force; the constitution may change them between batches.
    package var limits: Limits
    private var queue: [Waiting] = []
    private var head = 0
    private var bytes = 0

    /// An empty queue.
    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Transactions that wait.
    package var count: Int { queue.count - head }

    /// Puts an item of `bytes` bytes at the end of the queue.
    /// - Returns: false, and nothing is queued, when the queue is full.
    package mutating func enqueue(_ item: Item, bytes: Int, now: UInt64) -> Bool {
        guard count < limits.queuedMax, self.bytes + bytes <= limits.queuedBytesMax else { return false }
        queue.append(Waiting(item: item, bytes: bytes, since: now))
        self.bytes += bytes
        return true
    }

    /// When the oldest waiting transaction is due, in microseconds; nil when none waits.
    package var deadline: UInt64? {
        head < queue.count ? queue[head].since + limits.delayMaxMicroseconds : nil
    }

    /// Takes the next batch if it is time for one.
    /// - Parameter idle: nothing is in flight, so that waiting would gain nothing.
    package mutating func cut(idle: Bool, now: UInt64) -> [Item]? {
        guard let deadline, idle || count >= limits.transactionsMax || now >= deadline else { return nil }
        var batch: [Item] = []
        var taken = 0
        while head < queue.count, batch.count < limits.transactionsMax {
            let next = queue[head]
            guard batch.isEmpty || taken + next.bytes <= limits.batchBytesMax else { break }
            batch.append(next.item)
            taken += next.bytes
            head += 1
        }
        bytes -= taken
        if head == queue.count {
            queue.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 4_096, head > queue.count / 2 {
            queue.removeFirst(head)
            head = 0
        }
        return batch
    }

    /// Empties the queue, as when leadership is lost.
    package mutating func drain() -> [Item] {
        defer {
            queue.removeAll()
            head = 0
            bytes = 0
        }
        return queue[head...].map(\.item)
    }
}
