public import EVM
public import Primitives

/// A block of a public chain with the part of the world that it touches and with what it is known to do, as read from
/// a file of the replay format (one JSON object, gzip-packed or plain).
public struct ReplayCase: Sendable {
    /// A signed transaction and what the file says of it.
    public struct TransactionEntry: Sendable {
        /// The signed bytes.
        public var raw: [UInt8]
        /// Expected hash.
        public var hash: Bytes32
        /// Expected sender.
        public var sender: Address
        /// Expected type.
        public var kind: UInt64
    }

    /// What a transaction is known to do.
    public struct ExpectedReceipt: Sendable {
        /// Gas used after refunds.
        public var gasUsed: UInt64
        /// Success; nil before Byzantium.
        public var status: Bool?
        /// What it logged.
        public var logs: [Log]
    }

    /// What is new of an account; nil fields did not change.
    public struct ExpectedChange: Sendable {
        /// New balance.
        public var balance: UInt256?
        /// New nonce.
        public var nonce: UInt64?
        /// New code.
        public var code: [UInt8]?
        /// New values of slots.
        public var storage: [Bytes32: UInt256]
    }

    /// The rules in force.
    public let fork: Fork
    /// The chain id.
    public let chainID: UInt64
    /// Expected block hash.
    public let hash: Bytes32
    /// The header as the chain encoded it.
    public let headerRLP: [UInt8]
    /// The header's fields.
    public let header: Header
    /// The transactions in the block's order.
    public let transactions: [TransactionEntry]
    /// The withdrawals; nil before Shanghai.
    public let withdrawals: [Withdrawal]?
    /// Hashes that BLOCKHASH reads.
    public let blockHashes: [UInt64: Bytes32]
    /// The world before, as far as the block touches it.
    public let preState: StateDiff
    /// Gas used by the block.
    public let gasUsed: UInt64
    /// Receipt by receipt.
    public let receipts: [ExpectedReceipt]
    /// Whether the header's receipts root can be reached.
    public let receiptsRootChecked: Bool
    /// Root of the partial world before.
    public let preStateRoot: Bytes32
    /// Root of the partial world after.
    public let postStateRoot: Bytes32
    /// What the transactions changed; nil for an account that they deleted.
    public let changes: [Address: ExpectedChange?]

    /// The largest file taken, unpacked.
    public static let bytesMax = 256 << 20

    /// Reads a file.
    /// - Throws: ``CaseFileError``.
    public init(file: [UInt8]) throws(CaseFileError) {
        let text: [UInt8]
        if Gzip.isCompressed(file) {
            do { text = try Gzip.inflate(file, limit: ReplayCase.bytesMax) } catch {
                throw CaseFileError("", "gzip: \(error)")
            }
        } else {
            text = file
        }
        let json: JSON
        do {
            json = try JSON(
                parsing: text, limits: .init(bytesMax: ReplayCase.bytesMax, depthMax: 16, valuesMax: 8 << 20))
        } catch { throw CaseFileError("", "\(error)") }
        try self.init(CaseFields(json, ""))
    }

    private init(_ file: CaseFields) throws(CaseFileError) {
        guard let fork = Fork(caseName: try file.string("fork")) else { throw file.error("fork", "unknown fork") }
        self.fork = fork
        guard case .integer(let chain) = try file.json("chainId"), let chainID = UInt64(exactly: chain) else {
            throw file.error("chainId", "not a number")
        }
        self.chainID = chainID
        hash = try file.hash("hash")
        headerRLP = try file.bytes("headerRLP")
        header = try Header(file.fields("header"))
        var transactions: [TransactionEntry] = []
        for entry in try file.list("transactions") {
            guard case .integer(let type) = try entry.json("type"), let kind = UInt64(exactly: type) else {
                throw entry.error("type", "not a number")
            }
            transactions.append(
                TransactionEntry(
                    raw: try entry.bytes("raw"), hash: try entry.hash("hash"), sender: try entry.address("from"),
                    kind: kind))
        }
        self.transactions = transactions
        var withdrawals: [Withdrawal] = []
        if file.has("withdrawals") {
            for entry in try file.list("withdrawals") {
                withdrawals.append(
                    Withdrawal(
                        index: try entry.integer("index"), validatorIndex: try entry.integer("validatorIndex"),
                        address: try entry.address("address"), amount: try entry.integer("amount")))
            }
        }
        self.withdrawals = file.has("withdrawals") ? withdrawals : nil
        var blockHashes: [UInt64: Bytes32] = [:]
        let hashes = try file.fields("blockHashes")
        for member in hashes.object.members {
            guard let number = UInt64(member.name) else { throw hashes.error(member.name, "not a block number") }
            blockHashes[number] = try hashes.hash(member.name)
        }
        self.blockHashes = blockHashes
        preState = try ReplayCase.readWorld(file.fields("preState"), codes: file.fields("codes"))

        let expected = try file.fields("expected")
        gasUsed = try expected.integer("gasUsed")
        var receipts: [ExpectedReceipt] = []
        for entry in try expected.list("receipts") { receipts.append(try ExpectedReceipt(entry)) }
        self.receipts = receipts
        guard let checked = try expected.json("receiptsRootChecked").bool else {
            throw expected.error("receiptsRootChecked", "not a truth value")
        }
        receiptsRootChecked = checked
        preStateRoot = try expected.hash("partialPreStateRoot")
        postStateRoot = try expected.hash("partialPostStateRoot")
        var changes: [Address: ExpectedChange?] = [:]
        let diff = try expected.fields("postStateDiff")
        for member in diff.object.members {
            guard let address = CaseFields.bytes(member.name).flatMap({ Address($0) }) else {
                throw diff.error(member.name, "not an address")
            }
            changes[address] = member.value.isNull ? .some(nil) : try ExpectedChange(diff.fields(member.name))
        }
        self.changes = changes
    }

    private static func readWorld(
        _ accounts: CaseFields, codes: CaseFields
    ) throws(CaseFileError) -> StateDiff {
        var world = StateDiff()
        for member in codes.object.members {
            let code = try codes.bytes(member.name)
            guard CaseFields.bytes(member.name) == Keccak256.hash(code).bytes else {
                throw codes.error(member.name, "the code has another hash")
            }
            world.codes[Keccak256.hash(code)] = code
        }
        for member in accounts.object.members {
            guard let address = CaseFields.bytes(member.name).flatMap({ Address($0) }) else {
                throw accounts.error(member.name, "not an address")
            }
            let fields = try accounts.fields(member.name)
            var account = AccountState(nonce: try fields.integer("nonce"), balance: try fields.quantity("balance"))
            if fields.has("codeHash") {
                account.codeHash = try fields.hash("codeHash")
                if account.codeHash != Keccak256.empty, world.codes[account.codeHash] == nil {
                    throw fields.error("codeHash", "no such code in the file")
                }
            }
            world.accounts[address] = account
            if !fields.has("storage") { continue }
            for (slot, value) in try fields.fields("storage").slots() where value != .zero {
                world.storage[StorageKey(address, slot)] = value
            }
        }
        return world
    }
}

extension CaseFields {
    /// The object as a map from slots to values.
    package func slots() throws(CaseFileError) -> [Bytes32: UInt256] {
        var slots: [Bytes32: UInt256] = [:]
        for member in object.members {
            guard let slot = CaseFields.quantity(member.name) else { throw error(member.name, "not a slot") }
            slots[Bytes32(slot)] = try quantity(member.name)
        }
        return slots
    }
}

extension ReplayCase.ExpectedReceipt {
    init(_ fields: CaseFields) throws(CaseFileError) {
        gasUsed = try fields.integer("gasUsed")
        status = nil
        if fields.has("status") {
            switch try fields.json("status") {
            case .integer(0): status = false
            case .integer(1): status = true
            default: throw fields.error("status", "neither 0 nor 1")
            }
        }
        logs = []
        for entry in try fields.list("logs") {
            logs.append(
                Log(
                    address: try entry.address("address"), topics: try entry.hashes("topics"),
                    data: try entry.bytes("data")))
        }
    }
}

extension ReplayCase.ExpectedChange {
    init(_ fields: CaseFields) throws(CaseFileError) {
        balance = fields.has("balance") ? try fields.quantity("balance") : nil
        nonce = fields.has("nonce") ? try fields.integer("nonce") : nil
        code = fields.has("code") ? try fields.bytes("code") : nil
        storage = fields.has("storage") ? try fields.fields("storage").slots() : [:]
    }
}

extension Header {
    /// From JSON-RPC's names.
    init(_ fields: CaseFields) throws(CaseFileError) {
        guard let bloom = Bloom(try fields.bytes("logsBloom")) else { throw fields.error("logsBloom", "not 256 bytes") }
        self.init(
            parentHash: try fields.hash("parentHash"), ommersHash: try fields.hash("sha3Uncles"),
            beneficiary: try fields.address("miner"), stateRoot: try fields.hash("stateRoot"),
            transactionsRoot: try fields.hash("transactionsRoot"), receiptsRoot: try fields.hash("receiptsRoot"),
            logsBloom: bloom, difficulty: try fields.quantity("difficulty"), number: try fields.integer("number"),
            gasLimit: try fields.integer("gasLimit"), gasUsed: try fields.integer("gasUsed"),
            timestamp: try fields.integer("timestamp"), extraData: try fields.bytes("extraData"),
            mixHash: try fields.hash("mixHash"), nonce: try fields.integer("nonce"))
        if fields.has("baseFeePerGas") { baseFeePerGas = try fields.quantity("baseFeePerGas") }
        if fields.has("withdrawalsRoot") { withdrawalsRoot = try fields.hash("withdrawalsRoot") }
        if fields.has("blobGasUsed") { blobGasUsed = try fields.integer("blobGasUsed") }
        if fields.has("excessBlobGas") { excessBlobGas = try fields.integer("excessBlobGas") }
        if fields.has("parentBeaconBlockRoot") { parentBeaconBlockRoot = try fields.hash("parentBeaconBlockRoot") }
        if fields.has("requestsHash") { requestsHash = try fields.hash("requestsHash") }
    }
}
