/// Counts values in buckets whose width grows with the value, so that each is known to within 0.8 % from a microsecond
/// to hours: 128 buckets to every doubling (the idea of HdrHistogram).
public struct LatencyHistogram: Sendable {
    private static let subBits: UInt64 = 7
    private var counts: [UInt64] = []

    /// Values counted.
    public private(set) var count: UInt64 = 0
    /// The largest value; 0 if there is none.
    public private(set) var max: UInt64 = 0
    /// The smallest value; 0 if there is none.
    public private(set) var min: UInt64 = 0
    private var sum: Double = 0

    /// Nothing counted yet.
    public init() {}

    /// The mean; 0 if there is none.
    public var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// Counts a value, `times` times.
    public mutating func record(_ value: UInt64, times: UInt64 = 1) {
        guard times > 0 else { return }
        let bucket = Self.bucket(value)
        if bucket >= counts.count { counts += [UInt64](repeating: 0, count: bucket + 1 - counts.count) }
        counts[bucket] += times
        min = count == 0 ? value : Swift.min(min, value)
        max = Swift.max(max, value)
        count += times
        sum += Double(value) * Double(times)
    }

    /// Adds what another one counted.
    public mutating func merge(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        if other.counts.count > counts.count {
            counts += [UInt64](repeating: 0, count: other.counts.count - counts.count)
        }
        for (bucket, value) in other.counts.enumerated() { counts[bucket] += value }
        min = count == 0 ? other.min : Swift.min(min, other.min)
        max = Swift.max(max, other.max)
        count += other.count
        sum += other.sum
    }

    /// The value that a share of the values does not exceed: the upper end of the bucket that holds it, and never more
    /// than ``max``. 0 if nothing was counted.
    /// - Parameter share: from 0 to 1, such as 0.99.
    public func quantile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = Swift.max(1, UInt64((Swift.min(1, Swift.max(0, share)) * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (bucket, value) in counts.enumerated() {
            seen += value
            if seen >= rank { return Swift.max(min, Swift.min(max, Self.upperEnd(bucket))) }
        }
        return max
    }

    private static func bucket(_ value: UInt64) -> Int {
        if value < 1 << subBits { return Int(value) }
        let shift = UInt64(63 - value.leadingZeroBitCount) - subBits
        return Int((shift + 1) << subBits | (value >> shift & (1 << subBits - 1)))
    }

    private static func upperEnd(_ bucket: Int) -> UInt64 {
        let bucket = UInt64(bucket)
        if bucket < 1 << subBits { return bucket }
        let shift = bucket >> subBits - 1
        let low = (bucket & (1 << subBits - 1) | 1 << subBits) << shift
        return low + (1 << shift - 1)
    }
}
