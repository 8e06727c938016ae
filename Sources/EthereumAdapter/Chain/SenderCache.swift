import EVM
import Primitives

/// Transactions that were decoded and whose senders were recovered when they came in, for execution to find by the
/// signed bytes' hash. Bounded; the oldest go first.
struct SenderCache {
    /// A decoded transaction with its sender.
    struct Entry {
        var transaction: SignedTransaction
        var sender: Address
    }

    private let capacity: Int
    private var young: [Bytes32: Entry] = [:]
    private var old: [Bytes32: Entry] = [:]

    init(capacity: Int) { self.capacity = capacity }

    subscript(hash: Bytes32) -> Entry? { young[hash] ?? old[hash] }

    /// Adds an entry. When the young half is full it becomes the old half, and the old one is dropped.
    mutating func insert(_ entry: Entry) {
        if young.count >= capacity / 2 {
            old = young
            young = [:]
        }
        young[entry.transaction.hash] = entry
    }
}
