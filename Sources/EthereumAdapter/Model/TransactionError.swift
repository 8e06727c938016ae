/// Why a transaction's bytes, signature or terms are refused. Two errors are equal if their codes are.
///
/// The texts of ``Code`` are those of go-ethereum where it has one, since wallets and libraries match on them.
/// ``detail`` names fields and numbers for the sender; it may hold private data, so logs take the code alone.
public struct TransactionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of refusal.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The bytes are not the canonical encoding of a transaction.
        case malformed = "rlp: malformed transaction"
        /// The type byte is unknown, or the fork in force doesn't know the type yet.
        case unsupportedType = "transaction type not supported"
        /// r, s or v is out of range, or no key gives this signature.
        case invalidSignature = "invalid transaction v, r, s values"
        /// Signed for another chain, or the protection is unknown to the fork in force.
        case invalidChainID = "invalid chain id for signer"
        /// A legacy signature without chain id where the node demands one.
        case unprotected = "only replay-protected (EIP-155) transactions allowed over RPC"
        /// The nonce was used.
        case nonceTooLow = "nonce too low"
        /// The nonce is ahead of the sender's.
        case nonceTooHigh = "nonce too high"
        /// The nonce is 2^64 - 1, which EIP-2681 forbids.
        case nonceMax = "nonce has max value"
        /// The gas limit exceeds what is left in the block.
        case gasLimitReached = "gas limit reached"
        /// The balance doesn't cover the most that the transaction can cost.
        case insufficientFunds = "insufficient funds for gas * price + value"
        /// Gas limit times price doesn't fit 256 bits.
        case feeOverflow = "gas limit and fee exceed 256 bits"
        /// The gas limit is below the intrinsic gas.
        case intrinsicGas = "intrinsic gas too low"
        /// Init code over the limit of EIP-3860.
        case initCodeTooLarge = "max initcode size exceeded"
        /// The sender has code (EIP-3607).
        case senderNotEOA = "sender not an eoa"
        /// Priority fee over fee cap.
        case tipAboveFeeCap = "max priority fee per gas higher than max fee per gas"
        /// Fee cap under the block's base fee.
        case feeCapTooLow = "max fee per gas less than block base fee"
        /// Blob fee cap under the block's blob base fee.
        case blobFeeCapTooLow = "max fee per blob gas less than block blob gas fee"
        /// A blob transaction without blobs.
        case noBlobs = "blob transaction missing blob hashes"
        /// More blobs than a block may hold.
        case tooManyBlobs = "blob transaction has too many blobs"
        /// A blob hash without the version byte 0x01.
        case invalidBlobHash = "blob transaction has invalid blob hash version"
        /// A blob transaction that creates a contract.
        case blobCreate = "blob transaction of type create"
        /// The gas limit is below what the data alone must pay (EIP-7623).
        case floorGas = "insufficient gas for floor data gas cost"
        /// The gas limit is over what one transaction may have (EIP-7825).
        case gasLimitTooHigh = "transaction gas limit too high"
        /// A set-code transaction without authorisation (EIP-7702).
        case noAuthorizations = "EIP-7702 transaction with empty auth list"
        /// A set-code transaction that creates a contract (EIP-7702).
        case setCodeCreate = "EIP-7702 transaction cannot be used to create contract"
    }

    /// The kind of refusal.
    public let code: Code
    /// What exactly is wrong: field names and numbers; empty if the code says it all.
    public let detail: String

    /// A refusal.
    public init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }

    /// The text for the sender: the code's, then the detail.
    public var description: String { detail.isEmpty ? code.rawValue : "\(code.rawValue): \(detail)" }

    /// Same kind of refusal.
    public static func == (lhs: TransactionError, rhs: TransactionError) -> Bool { lhs.code == rhs.code }

    /// Hashes the kind of refusal.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
