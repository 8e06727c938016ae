public import Primitives

/// What a sender asks for, without the signature: a legacy transaction or one of the typed forms up to set-code
/// (EIP-2718 types 0 to 4). Fields that a type doesn't carry hold their neutral value.
public struct Transaction: Hashable, Sendable {
    /// The EIP-2718 type.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable, Comparable {
        /// The form before EIP-2718, with or without the chain id of EIP-155.
        case legacy = 0
        /// EIP-2930: a legacy transaction with an access list.
        case accessList = 1
        /// EIP-1559: priority fee and fee cap.
        case dynamicFee = 2
        /// EIP-4844: a dynamic fee transaction that pays for blobs.
        case blob = 3
        /// EIP-7702: a dynamic fee transaction that lets accounts run the code of others.
        case setCode = 4

        /// Whether the price is a fee cap and a priority fee (EIP-1559).
        var hasFeeCap: Bool { self >= .dynamicFee }

        /// By the type's number, which is the order of the forks that brought them.
        public static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// An address and the storage slots of it that are warm from the start (EIP-2930).
    public struct AccessListEntry: Hashable, Sendable {
        /// The warm account.
        public var address: Address
        /// Its warm slots, in the order signed; duplicates are legal and are paid for.
        public var slots: [Bytes32]

        /// An entry of an access list.
        public init(address: Address, slots: [Bytes32] = []) {
            self.address = address
            self.slots = slots
        }
    }

    /// The type.
    public var kind: Kind
    /// The chain signed for; nil only in a legacy transaction without replay protection (before EIP-155).
    public var chainID: UInt64?
    /// Count of the sender's earlier transactions.
    public var nonce: UInt64
    /// Wei per gas offered to the block's beneficiary at most. In the types before EIP-1559 this is the gas price too.
    public var maxPriorityFeePerGas: UInt256
    /// Wei per gas that the sender pays at most, base fee included. In the types before EIP-1559, the gas price.
    public var maxFeePerGas: UInt256
    /// Gas that the transaction may use.
    public var gasLimit: UInt64
    /// Whom it calls; nil creates a contract.
    public var to: Address?
    /// Wei sent along.
    public var value: UInt256
    /// Call data, or the init code of a contract.
    public var input: [UInt8]
    /// What is warm from the start.
    public var accessList: [AccessListEntry]
    /// Wei per blob gas that the sender pays at most (EIP-4844).
    public var maxFeePerBlobGas: UInt256
    /// Versioned hashes of the blobs (EIP-4844).
    public var blobVersionedHashes: [Bytes32]
    /// Who lets whose code run (EIP-7702).
    public var authorizations: [Authorization]

    /// A transaction with a gas price: legacy (with the chain id of EIP-155, or nil for none) or, if an access list
    /// is given, of type 1.
    public init(
        chainID: UInt64?, nonce: UInt64, gasPrice: UInt256, gasLimit: UInt64, to: Address?, value: UInt256 = .zero,
        input: [UInt8] = [], accessList: [AccessListEntry]? = nil
    ) {
        self.init(
            kind: accessList == nil ? .legacy : .accessList, chainID: chainID, nonce: nonce,
            maxPriorityFeePerGas: gasPrice, maxFeePerGas: gasPrice, gasLimit: gasLimit, to: to, value: value,
            input: input, accessList: accessList ?? [])
    }

    /// A transaction of any type; fields that the type doesn't carry must be left at their defaults.
    public init(
        kind: Kind, chainID: UInt64?, nonce: UInt64, maxPriorityFeePerGas: UInt256, maxFeePerGas: UInt256,
        gasLimit: UInt64, to: Address?, value: UInt256 = .zero, input: [UInt8] = [],
        accessList: [AccessListEntry] = [], maxFeePerBlobGas: UInt256 = .zero, blobVersionedHashes: [Bytes32] = [],
        authorizations: [Authorization] = []
    ) {
        self.kind = kind
        self.chainID = chainID
        self.nonce = nonce
        self.maxPriorityFeePerGas = maxPriorityFeePerGas
        self.maxFeePerGas = maxFeePerGas
        self.gasLimit = gasLimit
        self.to = to
        self.value = value
        self.input = input
        self.accessList = accessList
        self.maxFeePerBlobGas = maxFeePerBlobGas
        self.blobVersionedHashes = blobVersionedHashes
        self.authorizations = authorizations
    }

    /// Whether it creates a contract.
    public var isCreate: Bool { to == nil }

    /// Blob gas that the transaction uses: 131,072 a blob (EIP-4844).
    public var blobGas: UInt64 { UInt64(blobVersionedHashes.count) &* Transaction.gasPerBlob }

    /// Blob gas of one blob (EIP-4844, GAS_PER_BLOB).
    public static let gasPerBlob: UInt64 = 131_072

    /// Wei per gas paid under `baseFee` (zero before London): the gas price, or base fee plus as much of the priority
    /// fee as the cap leaves (EIP-1559). Meaningful only if the cap is at least the base fee.
    public func effectiveGasPrice(baseFee: UInt256) -> UInt256 {
        guard kind.hasFeeCap else { return maxFeePerGas }
        let room = maxFeePerGas >= baseFee ? maxFeePerGas &- baseFee : .zero
        return baseFee &+ min(room, maxPriorityFeePerGas)
    }
}
