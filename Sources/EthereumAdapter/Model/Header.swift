public import Primitives

/// A block's header (yellow paper, section 4.3; the optional fields in the order in which forks added them).
public struct Header: Hashable, Sendable {
    /// Hash of the block before.
    public var parentHash: Bytes32
    /// Hash of the list of ommers; of the empty list on a ledger of ours.
    public var ommersHash: Bytes32
    /// Who gets the priority fees.
    public var beneficiary: Address
    /// Root of the account trie after the block.
    public var stateRoot: Bytes32
    /// Root of the trie of transactions.
    public var transactionsRoot: Bytes32
    /// Root of the trie of receipts.
    public var receiptsRoot: Bytes32
    /// Union of the receipts' filters.
    public var logsBloom: Bloom
    /// Proof-of-work difficulty; zero from Paris on.
    public var difficulty: UInt256
    /// Height.
    public var number: UInt64
    /// Gas that the block may use.
    public var gasLimit: UInt64
    /// Gas that it used.
    public var gasUsed: UInt64
    /// Seconds since 1970.
    public var timestamp: UInt64
    /// Up to 32 bytes of the maker's choice.
    public var extraData: [UInt8]
    /// PREVRANDAO from Paris on (EIP-4399); the ethash mix before.
    public var mixHash: Bytes32
    /// The ethash nonce, 8 bytes big-endian; zero from Paris on.
    public var nonce: UInt64
    /// Wei per gas that are burnt (London, EIP-1559).
    public var baseFeePerGas: UInt256?
    /// Root of the trie of withdrawals (Shanghai, EIP-4895).
    public var withdrawalsRoot: Bytes32?
    /// Blob gas used (Cancun, EIP-4844).
    public var blobGasUsed: UInt64?
    /// Running excess of blob gas (Cancun, EIP-4844).
    public var excessBlobGas: UInt64?
    /// Root of the parent beacon block (Cancun, EIP-4788).
    public var parentBeaconBlockRoot: Bytes32?
    /// Hash of the execution requests (Prague, EIP-7685).
    public var requestsHash: Bytes32?

    /// Keccak-256 of the RLP of an empty list.
    public static let emptyOmmersHash = Keccak256.hash([0xc0])

    /// A header; fields left out are those of an empty block without work.
    public init(
        parentHash: Bytes32 = .zero, ommersHash: Bytes32 = Header.emptyOmmersHash, beneficiary: Address = .zero,
        stateRoot: Bytes32 = OrderedTrie.emptyRoot, transactionsRoot: Bytes32 = OrderedTrie.emptyRoot,
        receiptsRoot: Bytes32 = OrderedTrie.emptyRoot, logsBloom: Bloom = Bloom(), difficulty: UInt256 = .zero,
        number: UInt64 = 0, gasLimit: UInt64 = 0, gasUsed: UInt64 = 0, timestamp: UInt64 = 0,
        extraData: [UInt8] = [], mixHash: Bytes32 = .zero, nonce: UInt64 = 0, baseFeePerGas: UInt256? = nil,
        withdrawalsRoot: Bytes32? = nil, blobGasUsed: UInt64? = nil, excessBlobGas: UInt64? = nil,
        parentBeaconBlockRoot: Bytes32? = nil, requestsHash: Bytes32? = nil
    ) {
        self.parentHash = parentHash
        self.ommersHash = ommersHash
        self.beneficiary = beneficiary
        self.stateRoot = stateRoot
        self.transactionsRoot = transactionsRoot
        self.receiptsRoot = receiptsRoot
        self.logsBloom = logsBloom
        self.difficulty = difficulty
        self.number = number
        self.gasLimit = gasLimit
        self.gasUsed = gasUsed
        self.timestamp = timestamp
        self.extraData = extraData
        self.mixHash = mixHash
        self.nonce = nonce
        self.baseFeePerGas = baseFeePerGas
        self.withdrawalsRoot = withdrawalsRoot
        self.blobGasUsed = blobGasUsed
        self.excessBlobGas = excessBlobGas
        self.parentBeaconBlockRoot = parentBeaconBlockRoot
        self.requestsHash = requestsHash
    }

    /// The hash that names the block: Keccak-256 of ``encoded``.
    public var hash: Bytes32 { Keccak256.hash(encoded) }

    /// The RLP. An optional field is written only if every one before it is there, as no fork left one out.
    public var encoded: [UInt8] {
        RLPWriter.list { header in
            header.bytes(parentHash)
            header.bytes(ommersHash)
            header.bytes(beneficiary)
            header.bytes(stateRoot)
            header.bytes(transactionsRoot)
            header.bytes(receiptsRoot)
            header.bytes(logsBloom.bytes)
            header.integer(difficulty)
            header.integer(number)
            header.integer(gasLimit)
            header.integer(gasUsed)
            header.integer(timestamp)
            header.bytes(extraData)
            header.bytes(mixHash)
            header.bytes(nonce.bigEndianBytes)
            guard let baseFeePerGas else { return }
            header.integer(baseFeePerGas)
            guard let withdrawalsRoot else { return }
            header.bytes(withdrawalsRoot)
            guard let blobGasUsed else { return }
            header.integer(blobGasUsed)
            guard let excessBlobGas else { return }
            header.integer(excessBlobGas)
            guard let parentBeaconBlockRoot else { return }
            header.bytes(parentBeaconBlockRoot)
            guard let requestsHash else { return }
            header.bytes(requestsHash)
        }
    }

    /// Reads a header.
    /// - Throws: `RLPError` for bytes that are not the RLP of 15 to 21 fields.
    public init(decoding bytes: [UInt8]) throws(RLPError) {
        let item = try RLP.decode(bytes, depthMax: 1, itemsMax: 64)
        let fields = try item.items()
        guard (15...21).contains(fields.count), let bloom = Bloom(try fields[6].bytes()),
            fields[14].count == 8, let nonce = UInt256(bigEndian: try fields[14].slice())?.asUInt64
        else { throw .wrongSize(at: 0) }
        self.init(
            parentHash: try fields[0].bytes32(), ommersHash: try fields[1].bytes32(),
            beneficiary: try fields[2].address(), stateRoot: try fields[3].bytes32(),
            transactionsRoot: try fields[4].bytes32(), receiptsRoot: try fields[5].bytes32(), logsBloom: bloom,
            difficulty: try fields[7].uint256(), number: try fields[8].uint64(), gasLimit: try fields[9].uint64(),
            gasUsed: try fields[10].uint64(), timestamp: try fields[11].uint64(), extraData: try fields[12].bytes(),
            mixHash: try fields[13].bytes32(), nonce: nonce)
        if fields.count > 15 { baseFeePerGas = try fields[15].uint256() }
        if fields.count > 16 { withdrawalsRoot = try fields[16].bytes32() }
        if fields.count > 17 { blobGasUsed = try fields[17].uint64() }
        if fields.count > 18 { excessBlobGas = try fields[18].uint64() }
        if fields.count > 19 { parentBeaconBlockRoot = try fields[19].bytes32() }
        if fields.count > 20 { requestsHash = try fields[20].bytes32() }
    }
}

/// A validator's withdrawal (EIP-4895), as mainnet's blocks carry them; only replay meets them.
public struct Withdrawal: Hashable, Sendable {
    /// Running number.
    public var index: UInt64
    /// The validator.
    public var validatorIndex: UInt64
    /// Who is paid.
    public var address: Address
    /// Gwei.
    public var amount: UInt64

    /// A withdrawal.
    public init(index: UInt64, validatorIndex: UInt64, address: Address, amount: UInt64) {
        self.index = index
        self.validatorIndex = validatorIndex
        self.address = address
        self.amount = amount
    }

    /// The RLP, a leaf of the withdrawals trie.
    public var encoded: [UInt8] {
        RLPWriter.list {
            $0.integer(index)
            $0.integer(validatorIndex)
            $0.bytes(address)
            $0.integer(amount)
        }
    }
}

extension UInt64 {
    /// The eight bytes, most significant first.
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
