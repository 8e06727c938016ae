public import EVM
public import Primitives

/// The part of a block that says whether a transaction may be in it.
public struct BlockTerms: Hashable, Sendable {
    /// The rules in force.
    public var fork: Fork
    /// Wei per gas burnt; zero before London.
    public var baseFee: UInt256
    /// Wei per blob gas; meaningful from Cancun on.
    public var blobBaseFee: UInt256
    /// Gas that the block has left.
    public var gasLeft: UInt64
    /// Blob gas that the block has left.
    public var blobGasLeft: UInt64

    /// Terms of a block.
    public init(
        fork: Fork, baseFee: UInt256 = .zero, blobBaseFee: UInt256 = .one, gasLeft: UInt64, blobGasLeft: UInt64 = 0
    ) {
        self.fork = fork
        self.baseFee = baseFee
        self.blobBaseFee = blobBaseFee
        self.gasLeft = gasLeft
        self.blobGasLeft = blobGasLeft
    }
}

extension Transaction {
    /// Checks what needs no state and no block: the type, the nonce's limit, fees in themselves, init code, blobs,
    /// intrinsic gas.
    /// - Throws: ``TransactionError``.
    public func validate(_ fork: Fork) throws(TransactionError) {
        guard fork >= kind.since else { throw TransactionError(.unsupportedType, "type \(kind.rawValue)") }
        guard nonce < .max else { throw TransactionError(.nonceMax) }
        guard maxPriorityFeePerGas <= maxFeePerGas else {
            throw TransactionError(
                .tipAboveFeeCap, "maxPriorityFeePerGas: \(maxPriorityFeePerGas), maxFeePerGas: \(maxFeePerGas)")
        }
        if UInt256(gasLimit).multipliedReportingOverflow(by: maxFeePerGas).overflow {
            throw TransactionError(.feeOverflow)
        }
        if isCreate, fork >= .shanghai, input.count > Transaction.initCodeLengthMax {
            throw TransactionError(.initCodeTooLarge, "size \(input.count), limit \(Transaction.initCodeLengthMax)")
        }
        if kind == .blob {
            guard !isCreate else { throw TransactionError(.blobCreate) }
            guard !blobVersionedHashes.isEmpty else { throw TransactionError(.noBlobs) }
            let blobsMax = FeeRules.blobsPerTransactionMax(fork)
            guard blobVersionedHashes.count <= blobsMax else {
                throw TransactionError(.tooManyBlobs, "have \(blobVersionedHashes.count), permitted \(blobsMax)")
            }
            guard blobVersionedHashes.allSatisfy({ $0.withUnsafeBytes { $0[0] } == 1 }) else {
                throw TransactionError(.invalidBlobHash)
            }
        }
        if kind == .setCode {
            guard !isCreate else { throw TransactionError(.setCodeCreate) }
            guard !authorizations.isEmpty else { throw TransactionError(.noAuthorizations) }
        }
        if let gasLimitMax = Transaction.gasLimitMax(fork), gasLimit > gasLimitMax {
            throw TransactionError(.gasLimitTooHigh, "cap: \(gasLimitMax), tx: \(gasLimit)")
        }
        let intrinsic = intrinsicGas(fork)
        guard gasLimit >= intrinsic else {
            throw TransactionError(.intrinsicGas, "have \(gasLimit), want \(intrinsic)")
        }
        let floor = floorGas(fork)
        guard gasLimit >= floor else { throw TransactionError(.floorGas, "have \(gasLimit), want \(floor)") }
    }

    /// Checks everything: ``validate(_:)``, then the sender's nonce, code and balance and the block's fees and gas.
    /// - Parameters:
    ///   - account: The sender as it stands; nil if it doesn't exist.
    ///   - delegates: Whether the sender's code is only a reference to another's (EIP-7702), which does not make it a
    ///     contract.
    ///   - terms: The block's.
    /// - Throws: ``TransactionError``.
    public func validate(
        sender account: AccountState?, delegates: Bool = false, in terms: BlockTerms
    ) throws(TransactionError) {
        try validate(terms.fork)
        let account = account ?? AccountState()
        guard nonce >= account.nonce else {
            throw TransactionError(.nonceTooLow, "tx: \(nonce) state: \(account.nonce)")
        }
        guard nonce == account.nonce else {
            throw TransactionError(.nonceTooHigh, "tx: \(nonce) state: \(account.nonce)")
        }
        guard delegates || account.codeHash == Keccak256.empty else { throw TransactionError(.senderNotEOA) }
        if terms.fork >= .london, maxFeePerGas < terms.baseFee {
            throw TransactionError(.feeCapTooLow, "maxFeePerGas: \(maxFeePerGas), baseFee: \(terms.baseFee)")
        }
        guard gasLimit <= terms.gasLeft else {
            throw TransactionError(.gasLimitReached, "have \(terms.gasLeft), want \(gasLimit)")
        }
        if kind == .blob {
            guard maxFeePerBlobGas >= terms.blobBaseFee else {
                throw TransactionError(
                    .blobFeeCapTooLow, "maxFeePerBlobGas: \(maxFeePerBlobGas), blobBaseFee: \(terms.blobBaseFee)")
            }
            guard blobGas <= terms.blobGasLeft else {
                throw TransactionError(.tooManyBlobs, "have \(terms.blobGasLeft) blob gas, want \(blobGas)")
            }
        }
        guard let cost = maximumCost, cost <= account.balance else {
            throw TransactionError(
                .insufficientFunds, "have \(account.balance) want \(maximumCost.map(\.description) ?? "over 2^256")")
        }
    }

    /// The most that the sender can be charged: gas at the fee cap, blob gas at its cap, and the value. Nil if that is
    /// over 256 bits, which no balance is.
    public var maximumCost: UInt256? {
        let gas = UInt256(gasLimit).multipliedReportingOverflow(by: maxFeePerGas)
        let blobs = UInt256(blobGas).multipliedReportingOverflow(by: maxFeePerBlobGas)
        let fees = gas.partialValue.addingReportingOverflow(blobs.partialValue)
        let sum = fees.partialValue.addingReportingOverflow(value)
        return gas.overflow || blobs.overflow || fees.overflow || sum.overflow ? nil : sum.partialValue
    }
}
