public import EVM
public import Primitives

/// How a block's fees follow from its parent's.
public enum FeeRules {
    /// The base fee of the first block of London (EIP-1559), in wei.
    public static let initialBaseFee = UInt256(1_000_000_000 as UInt64)
    /// Gas target: the limit divided by this (EIP-1559, ELASTICITY_MULTIPLIER).
    static let elasticity: UInt64 = 2
    /// The base fee moves by an eighth at most (EIP-1559, BASE_FEE_MAX_CHANGE_DENOMINATOR).
    static let baseFeeChangeDenominator = UInt256(8 as UInt64)
    /// Wei per blob gas at least (EIP-4844, MIN_BASE_FEE_PER_BLOB_GAS).
    static let blobBaseFeeMin = UInt256.one

    /// The base fee of the block after `parent` (EIP-1559); the initial one if the parent had none.
    public static func baseFee(after parent: Header) -> UInt256 {
        guard let base = parent.baseFeePerGas else { return initialBaseFee }
        let target = parent.gasLimit / elasticity
        guard target > 0, parent.gasUsed != target else { return base }
        // Base fees are bounded by the ether that exists, so the products below fit 256 bits by far.
        if parent.gasUsed > target {
            let excess = UInt256(parent.gasUsed - target)
            let delta = (base &* excess).dividedOrZero(by: UInt256(target)).quotient
                .dividedOrZero(by: baseFeeChangeDenominator).quotient
            return base &+ max(delta, .one)
        }
        let shortfall = UInt256(target - parent.gasUsed)
        let delta = (base &* shortfall).dividedOrZero(by: UInt256(target)).quotient
            .dividedOrZero(by: baseFeeChangeDenominator).quotient
        return base > delta ? base &- delta : .zero
    }

    /// Blobs that a block aims at and may hold at most, and how fast their fee moves.
    public struct BlobSchedule: Hashable, Sendable {
        /// Blobs aimed at.
        public var target: UInt64
        /// Blobs at most.
        public var max: UInt64
        /// The divisor of the fee's exponent.
        public var updateFraction: UInt64

        /// Cancun's (EIP-4844).
        public static let cancun = BlobSchedule(target: 3, max: 6, updateFraction: 3_338_477)
        /// Prague's (EIP-7691).
        public static let prague = BlobSchedule(target: 6, max: 9, updateFraction: 5_007_716)

        /// The one in force.
        public static func schedule(_ fork: Fork) -> BlobSchedule { fork >= .prague ? .prague : .cancun }
    }

    /// Blobs that one transaction may have (EIP-7594 from Osaka on; before, as many as a block).
    public static func blobsPerTransactionMax(_ fork: Fork) -> Int {
        fork >= .osaka ? 6 : Int(BlobSchedule.schedule(fork).max)
    }

    /// The excess blob gas of the block after one with these (EIP-4844, calc_excess_blob_gas).
    public static func excessBlobGas(parentExcess: UInt64, parentUsed: UInt64, _ schedule: BlobSchedule) -> UInt64 {
        let target = schedule.target * Transaction.gasPerBlob
        let (sum, overflow) = parentExcess.addingReportingOverflow(parentUsed)
        if overflow { return UInt64.max - target }
        return sum < target ? 0 : sum - target
    }

    /// Wei per blob gas at an excess (EIP-4844, get_base_fee_per_blob_gas): e to the power of excess by fraction, by its
    /// series in integers. Saturates at 2^256 - 1, which no excess that blocks can reach gives.
    public static func blobBaseFee(excess: UInt64, _ schedule: BlobSchedule) -> UInt256 {
        let numerator = UInt256(excess)
        let denominator = UInt256(schedule.updateFraction)
        var sum = UInt256.zero
        var term = blobBaseFeeMin &* denominator
        var index: UInt64 = 1
        while term != .zero {
            let (next, overflow) = sum.addingReportingOverflow(term)
            let (product, tooLarge) = term.multipliedReportingOverflow(by: numerator)
            if overflow || tooLarge { return .max }
            sum = next
            term = product.dividedOrZero(by: denominator &* UInt256(index)).quotient
            index += 1
        }
        return sum.dividedOrZero(by: denominator).quotient
    }
}
