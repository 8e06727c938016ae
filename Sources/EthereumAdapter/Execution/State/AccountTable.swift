import Primitives

/// Every account, flat: the address leads to the record by ``IndexTable``, and the same record is the leaf of the
/// account trie. 104 bytes an account, 7 for the index and about 37 for its share of the trie's branches.
struct AccountTable: TrieLeaves, Sendable {
    struct Record: Sendable {
        var balance: UInt256
        var reference: Bytes32 = .zero
        var nonce: UInt64
        /// Place in `codeHashes`.
        var code: UInt32
        /// Place in `storages`; 0 for none.
        var storage: UInt32 = 0
        var address: Address
        var referenceLength: UInt8 = 0
        /// False from the deletion on: the record stays until the trie has let go of its leaf.
        var exists = true
        /// Whether the record waits in `dirty`.
        var isDirty = false
    }

    /// A contract's storage trie.
    struct Storage: Sendable {
        var trie = TrieLink.empty
        var root: Bytes32 = OrderedTrie.emptyRoot
        /// Slot records whose values the trie doesn't know yet.
        var dirty: [UInt32] = []
        /// Slots with a value other than zero.
        var liveSlots = 0
    }

    private(set) var records = ChunkedArray<Record>()
    private var index = IndexTable()
    private var freeRecords: [UInt32] = []
    /// Place 0 stands for "no storage".
    var storages = ChunkedArray<Storage>()
    private var freeStorages: [UInt32] = []
    /// Records that the account trie must look at.
    var dirty: [UInt32] = []
    /// Accounts that exist.
    private(set) var liveCount = 0
    /// Code hashes by the number that records hold; 0 is the hash of no code.
    private(set) var codeHashes: [Bytes32] = [Keccak256.empty]
    private var codeNumbers: [Bytes32: UInt32] = [Keccak256.empty: 0]

    init() { storages.append(Storage()) }

    // MARK: Records

    private static func hash(_ address: Address) -> Int {
        var hasher = Hasher()
        hasher.combine(address)
        return hasher.finalize()
    }

    /// The record of an address, also if the account was deleted and the trie has yet to learn of it.
    @inline(__always)
    func find(_ address: Address) -> Int? {
        index.find(hash: Self.hash(address)) { records[$0].address == address }
    }

    subscript(index: Int) -> Record {
        @inline(__always) get { records[index] }
        @inline(__always) _modify { yield &records[index] }
    }

    /// Sets the fields of an account, making it if need be.
    mutating func set(_ address: Address, balance: UInt256, nonce: UInt64, codeHash: Bytes32) -> Int {
        let code = number(codeHash)
        if let found = find(address) {
            if !records[found].exists { liveCount += 1 }
            records[found].balance = balance
            records[found].nonce = nonce
            records[found].code = code
            records[found].exists = true
            markDirty(found)
            return found
        }
        liveCount += 1
        let record = Record(balance: balance, nonce: nonce, code: code, address: address)
        let place: Int
        if let free = freeRecords.popLast() {
            place = Int(free)
            records[place] = record
        } else {
            place = records.count
            records.append(record)
        }
        let table = records
        index.insert(hash: Self.hash(address), record: place) { Self.hash(table[$0].address) }
        markDirty(place)
        return place
    }

    /// Marks an account as gone. Its slots must be zeroed by the caller.
    mutating func delete(_ place: Int) {
        guard records[place].exists else { return }
        liveCount -= 1
        records[place].exists = false
        markDirty(place)
    }

    /// Frees the record of a deleted account, once the trie has let go of it.
    mutating func release(_ place: Int) {
        precondition(!records[place].exists && records[place].storage == 0, "a live record can't be released")
        index.remove(hash: Self.hash(records[place].address), record: place)
        freeRecords.append(UInt32(place))
    }

    mutating func markDirty(_ place: Int) {
        if records[place].isDirty { return }
        records[place].isDirty = true
        dirty.append(UInt32(place))
    }

    // MARK: Storage tries and codes

    /// The storage of an account, made if need be.
    mutating func storage(of place: Int) -> Int {
        if records[place].storage != 0 { return Int(records[place].storage) }
        if let free = freeStorages.popLast() {
            storages[Int(free)] = Storage()
            records[place].storage = free
        } else {
            records[place].storage = UInt32(storages.count)
            storages.append(Storage())
        }
        return Int(records[place].storage)
    }

    /// Gives up the storage of an account that has no slot left.
    mutating func releaseStorage(of place: Int) {
        let storage = records[place].storage
        guard storage != 0 else { return }
        precondition(storages[Int(storage)].trie.isEmpty && storages[Int(storage)].dirty.isEmpty, "storage in use")
        records[place].storage = 0
        freeStorages.append(storage)
    }

    private mutating func number(_ codeHash: Bytes32) -> UInt32 {
        if let number = codeNumbers[codeHash] { return number }
        let number = UInt32(codeHashes.count)
        codeHashes.append(codeHash)
        codeNumbers[codeHash] = number
        return number
    }

    // MARK: Leaves of the account trie

    func trieKey(_ leaf: Int) -> Bytes32 { Keccak256.hash(records[leaf].address) }

    func appendTrieValue(_ leaf: Int, to output: inout [UInt8]) {
        let record = records[leaf]
        output += RLPWriter.list {
            $0.integer(record.nonce)
            $0.integer(record.balance)
            $0.bytes(storages[Int(record.storage)].root)
            $0.bytes(codeHashes[Int(record.code)])
        }
    }

    subscript(reference leaf: Int) -> TrieReference {
        get { TrieReference(bytes: records[leaf].reference, length: records[leaf].referenceLength) }
        set {
            records[leaf].reference = newValue.bytes
            records[leaf].referenceLength = newValue.length
        }
    }
}
