import Primitives

/// Every storage slot with a value, flat, over all contracts: 104 bytes a slot and 7 for the index; the record is also
/// the leaf of its contract's storage trie.
struct SlotTable: TrieLeaves, Sendable {
    struct Record: Sendable {
        var slot: Bytes32
        var value: UInt256
        var reference: Bytes32 = .zero
        /// The account's record.
        var owner: UInt32
        var referenceLength: UInt8 = 0
        /// Whether the record waits in its storage's `dirty`.
        var isDirty = false
    }

    private(set) var records = ChunkedArray<Record>()
    private var index = IndexTable()
    private var freeRecords: [UInt32] = []

    private static func hash(_ owner: Int, _ slot: Bytes32) -> Int {
        var hasher = Hasher()
        hasher.combine(UInt32(truncatingIfNeeded: owner))
        hasher.combine(slot)
        return hasher.finalize()
    }

    @inline(__always)
    func find(_ owner: Int, _ slot: Bytes32) -> Int? {
        index.find(hash: Self.hash(owner, slot)) { records[$0].slot == slot && records[$0].owner == owner }
    }

    subscript(index: Int) -> Record {
        @inline(__always) get { records[index] }
        @inline(__always) _modify { yield &records[index] }
    }

    mutating func append(_ owner: Int, _ slot: Bytes32, value: UInt256) -> Int {
        let record = Record(slot: slot, value: value, owner: UInt32(owner))
        let place: Int
        if let free = freeRecords.popLast() {
            place = Int(free)
            records[place] = record
        } else {
            place = records.count
            records.append(record)
        }
        let table = records
        index.insert(hash: Self.hash(owner, slot), record: place) {
            Self.hash(Int(table[$0].owner), table[$0].slot)
        }
        return place
    }

    /// Frees a record, once the trie has let go of it.
    mutating func release(_ place: Int) {
        index.remove(hash: Self.hash(Int(records[place].owner), records[place].slot), record: place)
        freeRecords.append(UInt32(place))
    }

    // MARK: Leaves of the storage tries

    func trieKey(_ leaf: Int) -> Bytes32 { Keccak256.hash(records[leaf].slot) }

    func appendTrieValue(_ leaf: Int, to output: inout [UInt8]) {
        var writer = RLPWriter(capacity: 33)
        writer.integer(records[leaf].value)
        output += writer.bytes
    }

    subscript(reference leaf: Int) -> TrieReference {
        get { TrieReference(bytes: records[leaf].reference, length: records[leaf].referenceLength) }
        set {
            records[leaf].reference = newValue.bytes
            records[leaf].referenceLength = newValue.length
        }
    }
}
