public import Primitives

/// One call from outside: what is left of a transaction once its rules (nonce, fees, intrinsic gas) are dealt with.
public struct Message: Hashable, Sendable {
    /// Where it goes.
    public enum Target: Hashable, Sendable {
        /// To an account.
        case call(Address)
        /// To a new contract, named by the caller and the nonce that the transaction was sent with.
        case create(nonce: UInt64)
    }

    /// CALLER and, unless ``origin`` says otherwise, ORIGIN.
    public var caller: Address
    /// Where it goes.
    public var target: Target
    /// Wei that go with it; the caller must have them.
    public var value: UInt256
    /// Call data, or initialisation code.
    public var input: [UInt8]
    /// Gas for execution, intrinsic gas taken off. What is over `Int64.max` is not seen.
    public var gas: UInt64
    /// GASPRICE: what the sender pays for a unit, in wei.
    public var gasPrice: UInt256
    /// ORIGIN.
    public var origin: Address
    /// BLOBHASH (Cancun).
    public var blobHashes: [Bytes32]
    /// Whether changes of state are refused, as in STATICCALL.
    public var isStatic: Bool

    /// A message; the origin is the caller unless given.
    public init(
        caller: Address, target: Target, value: UInt256 = .zero, input: [UInt8] = [], gas: UInt64,
        gasPrice: UInt256 = .zero, origin: Address? = nil, blobHashes: [Bytes32] = [], isStatic: Bool = false
    ) {
        self.caller = caller
        self.target = target
        self.value = value
        self.input = input
        self.gas = gas
        self.gasPrice = gasPrice
        self.origin = origin ?? caller
        self.blobHashes = blobHashes
        self.isStatic = isStatic
    }
}
