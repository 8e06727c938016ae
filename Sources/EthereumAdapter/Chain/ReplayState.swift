import EVM
import Primitives

/// The surroundings of a block of a public chain, as a replay network executes it: its header, the chain's id, the hashes
/// that BLOCKHASH reads.
struct ReplayEnvironment: Sendable {
    /// The block's own header: number, time, beneficiary, difficulty or randomness, fees and limits.
    var header: Header
    /// The chain whose rules hold.
    var chainID: UInt64
    /// Hashes of earlier blocks by number.
    var blockHashes: [UInt64: Bytes32]

    /// Block hashes at most: as many as BLOCKHASH can ask for.
    static let blockHashesMax = 257

    func encode(to writer: inout ByteWriter) {
        writer.blob(header.encoded)
        writer.integer(chainID)
        writer.list(blockHashes.sorted { $0.key < $1.key }) { writer, entry in
            writer.integer(entry.key)
            entry.value.withUnsafeBytes { writer.raw($0) }
        }
    }

    init(header: Header, chainID: UInt64, blockHashes: [UInt64: Bytes32]) {
        self.header = header
        self.chainID = chainID
        self.blockHashes = blockHashes
    }

    init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        do {
            header = try Header(decoding: reader.blob(limit: 4096))
        } catch {
            throw .invalid(at: at)
        }
        chainID = try reader.integer()
        let hashes = try reader.list(limit: Self.blockHashesMax) { reader throws(ByteReaderError) in
            let number = try reader.integer(UInt64.self)
            let at = reader.offset
            guard let hash = Bytes32(try reader.raw(32)) else { throw .invalid(at: at) }
            return (number: number, hash: hash)
        }
        blockHashes = [:]
        for (number, hash) in hashes { blockHashes[number] = hash }
    }
}

/// A foreign state with the surroundings of the block that is to run on it.
struct ReplayLoad: Sendable {
    var environment: ReplayEnvironment
    /// The whole state, as writes into an empty world.
    var state: StateDiff

    /// Accounts, slots or codes at most.
    private static let entriesMax = 4 << 20

    func encode(to writer: inout ByteWriter) {
        environment.encode(to: &writer)
        writer.list(state.writes) { writer, write in
            writer.text(write.map)
            writer.blob(write.key)
            writer.blob(write.value ?? [])
        }
    }

    init(environment: ReplayEnvironment, state: StateDiff) {
        self.environment = environment
        self.state = state
    }

    init(from reader: inout ByteReader) throws(ByteReaderError) {
        environment = try ReplayEnvironment(from: &reader)
        let at = reader.offset
        let writes = try reader.list(limit: Self.entriesMax) { reader throws(ByteReaderError) in
            StateWrite(map: try reader.text(limit: 64), key: try reader.blob(limit: 64), value: try reader.blob())
        }
        do {
            state = try StateDiff(writes: writes)
        } catch {
            throw .invalid(at: at)
        }
    }
}

/// What a replay network remembers beside the chain: the surroundings in force and what must go at the next load.
struct ReplayState {
    /// The surroundings of the next block, and of calls.
    private(set) var environment: ReplayEnvironment?
    /// Everything that may be in the state: what was loaded and what blocks wrote since.
    private var accounts: Set<Address> = []
    private var storage: Set<StorageKey> = []
    /// The same before each block that may be taken back.
    private var earlier: [Earlier] = []

    private struct Earlier {
        var block: UInt64
        var environment: ReplayEnvironment?
        var accounts: Set<Address>
        var storage: Set<StorageKey>
    }

    /// States kept for going back: a primary has few uncommitted entries.
    private static let earlierMax = 64

    /// Nothing is loaded; what the genesis has must go at the first load.
    init(genesis: StateDiff) {
        accounts = Set(genesis.accounts.keys)
        storage = Set(genesis.storage.keys)
    }

    /// What replaces the state by the loaded one.
    func replacement(_ load: ReplayLoad) -> StateDiff {
        var diff = load.state
        for address in accounts where diff.accounts[address] == nil { diff.accounts.updateValue(nil, forKey: address) }
        for key in storage where diff.storage[key] == nil { diff.storage[key] = .zero }
        return diff
    }

    /// Notes a load or, without an environment, a block's changes.
    mutating func note(_ diff: StateDiff, block: UInt64, environment loaded: ReplayEnvironment?) {
        earlier.append(.init(block: block, environment: environment, accounts: accounts, storage: storage))
        if earlier.count > Self.earlierMax { earlier.removeFirst() }
        if let loaded {
            environment = loaded
            accounts = []
            storage = []
        }
        for (address, account) in diff.accounts where account != nil { accounts.insert(address) }
        for (key, value) in diff.storage where !value.isZero { storage.insert(key) }
    }

    /// Takes back what was noted for blocks above `block`.
    mutating func rollback(to block: UInt64) {
        while let last = earlier.last, last.block > block {
            environment = last.environment
            accounts = last.accounts
            storage = last.storage
            earlier.removeLast()
        }
    }

    /// Takes over part of a snapshot.
    mutating func restore(_ diff: StateDiff, environment restored: ReplayEnvironment?) {
        if let restored { environment = restored }
        for (address, account) in diff.accounts where account != nil { accounts.insert(address) }
        for (key, value) in diff.storage where !value.isZero { storage.insert(key) }
    }
}
