public import Primitives

/// What the opcodes of a block can see of it.
public struct BlockEnvironment: Hashable, Sendable {
    /// NUMBER.
    public var number: UInt64
    /// TIMESTAMP, in seconds.
    public var timestamp: UInt64
    /// COINBASE.
    public var coinbase: Address
    /// GASLIMIT.
    public var gasLimit: UInt64
    /// BASEFEE (London), in wei.
    public var baseFee: UInt256
    /// DIFFICULTY, before Paris.
    public var difficulty: UInt256
    /// PREVRANDAO, from Paris.
    public var prevRandao: Bytes32
    /// CHAINID (Istanbul).
    public var chainID: UInt256
    /// BLOBBASEFEE (Cancun), in wei.
    public var blobBaseFee: UInt256

    /// A block's view.
    public init(
        number: UInt64 = 0, timestamp: UInt64 = 0, coinbase: Address = .zero, gasLimit: UInt64 = 30_000_000,
        baseFee: UInt256 = .zero, difficulty: UInt256 = .zero, prevRandao: Bytes32 = .zero, chainID: UInt256 = .one,
        blobBaseFee: UInt256 = .one
    ) {
        self.number = number
        self.timestamp = timestamp
        self.coinbase = coinbase
        self.gasLimit = gasLimit
        self.baseFee = baseFee
        self.difficulty = difficulty
        self.prevRandao = prevRandao
        self.chainID = chainID
        self.blobBaseFee = blobBaseFee
    }
}
