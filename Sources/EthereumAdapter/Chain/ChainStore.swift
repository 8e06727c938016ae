import AdapterKit
import EVM
import Ledger
import Primitives

/// The blocks of the chain, each as its record's bytes with the header at hand, and the indexes by hash. Blocks above
/// the committed one may be taken back.
struct ChainStore {
    /// A block in memory.
    struct Block {
        var id: TransactionID
        var header: Header
        var hash: Bytes32
        /// ``BlockRecord``'s byte form; empty for the genesis block.
        var record: [UInt8]
        var transactionCount: Int
    }

    /// Where a transaction is.
    struct Place: Hashable {
        /// Height of the block.
        var block: UInt64
        /// Place in the block.
        var index: UInt32
    }

    /// From the genesis block on, without gaps.
    private var blocks: [Block]
    private var numbers: [Bytes32: UInt64] = [:]
    private var places: [Bytes32: Place] = [:]
    /// The last blocks whole, since most questions are about them.
    private var recent: [UInt64: BlockRecord] = [:]
    /// Height of the last committed block.
    private(set) var committed: UInt64
    /// Height of the genesis block.
    let first: UInt64

    /// A chain of just the genesis block.
    init(genesis: Header) {
        first = genesis.number
        committed = first
        let hash = genesis.hash
        blocks = [
            Block(
                id: TransactionID(view: 0, seqno: 0), header: genesis, hash: hash, record: [], transactionCount: 0)
        ]
        numbers[hash] = first
    }

    /// Blocks kept whole.
    private static let recentMax: UInt64 = 64

    // MARK: Reading

    /// The last block, committed or not.
    var latest: Block { blocks[blocks.count - 1] }

    /// The last committed block.
    var latestCommitted: Block { blocks[Int(committed - first)] }

    /// The block at a height, committed or not.
    func block(_ number: UInt64) -> Block? {
        guard number >= first, number - first < UInt64(blocks.count) else { return nil }
        return blocks[Int(number - first)]
    }

    /// The height of the block with a hash, committed or not.
    func number(of hash: Bytes32) -> UInt64? { numbers[hash] }

    /// Where the transaction with a hash is, committed or not.
    func place(of hash: Bytes32) -> Place? { places[hash] }

    /// The whole block at a height. Records were checked when they came in.
    func record(_ number: UInt64) -> BlockRecord? {
        guard let block = block(number) else { return nil }
        if let record = recent[number] { return record }
        if block.record.isEmpty { return BlockRecord(id: block.id, header: block.header, entries: []) }
        return try? BlockRecord(decoding: block.record)
    }

    // MARK: Writing

    /// Adds the next block.
    /// - Throws: ``AdapterError/badState(_:)`` if it doesn't follow the last one.
    mutating func append(_ record: BlockRecord, bytes: [UInt8]) throws(AdapterError) {
        let last = latest
        guard record.header.number == last.header.number + 1, record.header.parentHash == last.hash else {
            throw .badState("block \(record.header.number) doesn't follow block \(last.header.number)")
        }
        let hash = record.header.hash
        let number = record.header.number
        blocks.append(
            Block(
                id: record.id, header: record.header, hash: hash, record: bytes, transactionCount: record.entries.count
            ))
        numbers[hash] = number
        recent[number] = record
        if number > Self.recentMax { recent[number - Self.recentMax] = nil }
        for (index, entry) in record.entries.enumerated() {
            places[entry.transaction.hash] = Place(block: number, index: UInt32(index))
        }
    }

    /// Takes back every block above `number`, which must be committed or later.
    mutating func rollback(to number: UInt64) {
        precondition(number >= committed, "block \(number) is below the committed block \(committed)")
        while latest.header.number > number {
            if let record = record(latest.header.number) {
                for entry in record.entries { places[entry.transaction.hash] = nil }
            }
            numbers[latest.hash] = nil
            recent[latest.header.number] = nil
            blocks.removeLast()
        }
    }

    /// Makes every block up to `number` final.
    mutating func commit(to number: UInt64) {
        precondition(number <= latest.header.number, "block \(number) is not there yet")
        committed = max(committed, number)
    }

    /// The height of the last block of an entry up to `id`.
    func height(at id: TransactionID) -> UInt64 {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].id.seqno <= id.seqno { low = middle + 1 } else { high = middle }
        }
        // The genesis block has sequence number 0.
        return first + UInt64(max(0, low - 1))
    }

    /// Drops all but the genesis block.
    mutating func reset() {
        self = ChainStore(genesis: blocks[0].header)
    }
}
