public import EVM
public import Primitives

/// An account's own fields in the ledger's form. The storage root is not among them: each node computes it.
extension AccountState {
    /// Reads ``encoded`` back; nil if the bytes are anything else.
    public init?(decoding bytes: [UInt8]) {
        guard let fields = try? RLP.decode(bytes, depthMax: 1, itemsMax: 3).items(exactly: 3),
            let nonce = try? fields[0].uint64(), let balance = try? fields[1].uint256(),
            let codeHash = try? fields[2].bytes32()
        else { return nil }
        self.init(nonce: nonce, balance: balance, codeHash: codeHash)
    }

    /// The ledger's form: RLP of nonce, balance, code hash.
    public var encoded: [UInt8] {
        RLPWriter.list {
            $0.integer(nonce)
            $0.integer(balance)
            $0.bytes(codeHash)
        }
    }
}

/// A place in the storage of an account.
public struct StorageKey: Hashable, Comparable, Sendable {
    /// The contract.
    public var address: Address
    /// The slot, not hashed.
    public var slot: Bytes32

    /// A slot of a contract.
    public init(_ address: Address, _ slot: Bytes32) {
        self.address = address
        self.slot = slot
    }

    /// By address, then by slot.
    public static func < (lhs: StorageKey, rhs: StorageKey) -> Bool {
        lhs.address == rhs.address ? lhs.slot < rhs.slot : lhs.address < rhs.address
    }
}

/// What a block, or a transaction, changed: the new value of each thing that changed. Deleting an account does not by
/// itself clear its storage: each slot is listed with the value zero.
public struct StateDiff: Equatable, Sendable {
    /// New fields of accounts; nil where the account was deleted.
    public var accounts: [Address: AccountState?] = [:]
    /// New values of slots; zero clears one.
    public var storage: [StorageKey: UInt256] = [:]
    /// Codes that were deployed, by their hash.
    public var codes: [Bytes32: [UInt8]] = [:]

    /// No change.
    public init() {}

    /// Whether nothing changed.
    public var isEmpty: Bool { accounts.isEmpty && storage.isEmpty && codes.isEmpty }

    /// Adds what happened after; the later value wins.
    public mutating func merge(_ later: StateDiff) {
        accounts.merge(later.accounts) { $1 }
        storage.merge(later.storage) { $1 }
        codes.merge(later.codes) { $1 }
    }
}

/// One write of a diff in the ledger's form: a key of a named map, and its new value or nil to remove it.
public struct StateWrite: Hashable, Sendable {
    /// The map's name, one of those in ``StateWrite/Map``.
    public var map: String
    /// The key.
    public var key: [UInt8]
    /// The new value; nil removes the key.
    public var value: [UInt8]?

    /// A write.
    public init(map: String, key: [UInt8], value: [UInt8]?) {
        self.map = map
        self.key = key
        self.value = value
    }

    /// The maps of the ledger that hold the world state.
    public enum Map {
        /// Address → RLP of nonce, balance, code hash.
        public static let accounts = "ethereum.accounts"
        /// Code hash → code.
        public static let code = "ethereum.code"
        /// Address and slot, 52 bytes → value without leading zeros.
        public static let storage = "ethereum.storage"
    }
}

/// Why writes are no diff of the world state.
public enum StateDiffError: Error, Hashable, Sendable {
    /// A map that isn't the world state's.
    case unknownMap(String)
    /// A key or a value in this map has the wrong form.
    case malformed(map: String)
}

extension StateDiff {
    /// The writes, sorted by map and key.
    public var writes: [StateWrite] {
        var writes: [StateWrite] = []
        writes.reserveCapacity(accounts.count + storage.count + codes.count)
        for (address, account) in accounts.sorted(by: { $0.key < $1.key }) {
            writes.append(
                StateWrite(map: StateWrite.Map.accounts, key: address.bytes, value: account?.encoded))
        }
        for (hash, code) in codes.sorted(by: { $0.key < $1.key }) {
            writes.append(StateWrite(map: StateWrite.Map.code, key: hash.bytes, value: code))
        }
        for (key, value) in storage.sorted(by: { $0.key < $1.key }) {
            let value = value == .zero ? nil : value.minimalBytes
            writes.append(
                StateWrite(map: StateWrite.Map.storage, key: key.address.bytes + key.slot.bytes, value: value))
        }
        return writes
    }

    /// Reads writes back.
    /// - Throws: ``StateDiffError``; a code under another hash than its own is malformed too.
    public init(writes: some Sequence<StateWrite>) throws(StateDiffError) {
        self.init()
        for write in writes { try add(write) }
    }

    private mutating func add(_ write: StateWrite) throws(StateDiffError) {
        let malformed = StateDiffError.malformed(map: write.map)
        switch write.map {
        case StateWrite.Map.accounts:
            guard let address = Address(write.key) else { throw malformed }
            guard let value = write.value else {
                accounts[address] = .some(nil)
                return
            }
            guard let account = AccountState(decoding: value) else { throw malformed }
            accounts[address] = account
        case StateWrite.Map.code:
            guard let hash = Bytes32(write.key), let code = write.value, Keccak256.hash(code) == hash else {
                throw malformed
            }
            codes[hash] = code
        case StateWrite.Map.storage:
            guard write.key.count == 52, let address = Address(write.key[..<20]), let slot = Bytes32(write.key[20...])
            else { throw malformed }
            var value = UInt256.zero
            if let bytes = write.value {
                guard let first = bytes.first, first != 0, let number = UInt256(bigEndian: bytes) else {
                    throw malformed
                }
                value = number
            }
            storage[StorageKey(address, slot)] = value
        default: throw .unknownMap(write.map)
        }
    }
}
