import AdapterKit
import EVM
import Primitives

/// Transactions that came before the sender's transactions that must precede them. They are kept in the primary's
/// memory, not in the ledger: a change of primary drops them.
struct TransactionPool {
    /// A waiting transaction with what its entry will need.
    struct Waiting {
        var transaction: SignedTransaction
        var sender: Address
        var submission: Submission
        /// Ledger time in milliseconds at which it is dropped.
        var expiry: UInt64
    }

    /// What became of a transaction that was offered.
    enum Outcome: Hashable {
        case added
        case replaced(Bytes32)
        case known
        case underpriced
        case senderFull
        case full
    }

    private let transactionsMax: Int
    private let perSenderMax: Int
    private var queues: [Address: [UInt64: Waiting]] = [:]
    private var hashes: [Bytes32: (sender: Address, nonce: UInt64)] = [:]

    /// A new transaction takes the place of one with the same nonce if both its prices are higher by this many percent,
    /// as in go-ethereum.
    static let priceBumpPercent: UInt64 = 10

    init(transactionsMax: Int, perSenderMax: Int) {
        self.transactionsMax = transactionsMax
        self.perSenderMax = perSenderMax
    }

    /// Transactions that wait.
    var count: Int { hashes.count }

    func contains(_ hash: Bytes32) -> Bool { hashes[hash] != nil }

    /// The waiting transaction with a hash.
    subscript(hash: Bytes32) -> Waiting? {
        guard let place = hashes[hash] else { return nil }
        return queues[place.sender]?[place.nonce]
    }

    /// Offers a transaction.
    mutating func add(_ waiting: Waiting) -> Outcome {
        let transaction = waiting.transaction
        let nonce = transaction.transaction.nonce
        if contains(transaction.hash) { return .known }
        if let old = queues[waiting.sender]?[nonce] {
            guard TransactionPool.outbids(transaction.transaction, old.transaction.transaction) else {
                return .underpriced
            }
            remove(old.transaction.hash)
            insert(waiting)
            return .replaced(old.transaction.hash)
        }
        guard queues[waiting.sender]?.count ?? 0 < perSenderMax else { return .senderFull }
        guard count < transactionsMax else { return .full }
        insert(waiting)
        return .added
    }

    /// Takes out the transaction of a sender with a nonce.
    mutating func take(_ sender: Address, nonce: UInt64) -> Waiting? {
        guard let waiting = queues[sender]?[nonce] else { return nil }
        remove(waiting.transaction.hash)
        return waiting
    }

    /// Drops a sender's transactions below its nonce: others took their places.
    mutating func drop(_ sender: Address, below nonce: UInt64) {
        guard let queue = queues[sender] else { return }
        for (waitingNonce, waiting) in queue where waitingNonce < nonce { remove(waiting.transaction.hash) }
    }

    /// Drops what has waited for too long.
    mutating func expire(now: UInt64) {
        let old = queues.values.flatMap { queue in queue.values.filter { $0.expiry <= now }.map(\.transaction.hash) }
        for hash in old { remove(hash) }
    }

    /// The nonce after a sender's transactions that follow `nonce` without a gap.
    func nextNonce(_ sender: Address, after nonce: UInt64) -> UInt64 {
        guard let queue = queues[sender] else { return nonce }
        var next = nonce
        while queue[next] != nil { next += 1 }
        return next
    }

    /// All waiting transactions by sender and nonce, in order.
    var sorted: [(sender: Address, transactions: [Waiting])] {
        queues.sorted { $0.key < $1.key }.map { sender, queue in
            (sender, queue.sorted { $0.key < $1.key }.map(\.value))
        }
    }

    /// Drops everything.
    mutating func removeAll() {
        queues = [:]
        hashes = [:]
    }

    private mutating func insert(_ waiting: Waiting) {
        let nonce = waiting.transaction.transaction.nonce
        queues[waiting.sender, default: [:]][nonce] = waiting
        hashes[waiting.transaction.hash] = (waiting.sender, nonce)
    }

    private mutating func remove(_ hash: Bytes32) {
        guard let place = hashes.removeValue(forKey: hash) else { return }
        queues[place.sender]?[place.nonce] = nil
        if queues[place.sender]?.isEmpty == true { queues[place.sender] = nil }
    }

    private static func outbids(_ new: Transaction, _ old: Transaction) -> Bool {
        func bumped(_ new: UInt256, _ old: UInt256) -> Bool {
            let hundred = UInt256(100 as UInt64)
            let (offered, tooLarge) = new.multipliedReportingOverflow(by: hundred)
            let (wanted, wantedTooLarge) = old.multipliedReportingOverflow(by: UInt256(100 + priceBumpPercent))
            if wantedTooLarge { return false }
            return new > old && (tooLarge || offered >= wanted)
        }
        return bumped(new.maxFeePerGas, old.maxFeePerGas) && bumped(new.maxPriorityFeePerGas, old.maxPriorityFeePerGas)
    }
}
