public import Primitives

/// The usual quantiles of a number of durations, in microseconds.
public struct Quantiles: Sendable, Equatable {
    /// Durations.
    public var count: UInt64
    /// Half of them do not exceed this.
    public var p50: UInt64
    /// Nine of ten.
    public var p90: UInt64
    /// 99 of a hundred.
    public var p99: UInt64
    /// All of them.
    public var max: UInt64
    /// Their mean.
    public var mean: Double

    /// The quantiles of a histogram of microseconds.
    public init(_ histogram: LatencyHistogram) {
        count = histogram.count
        p50 = histogram.quantile(0.5)
        p90 = histogram.quantile(0.9)
        p99 = histogram.quantile(0.99)
        max = histogram.max
        mean = histogram.mean
    }

    /// For programs; in milliseconds.
    public var json: JSON {
        [
            "count": .integer(Int64(clamping: count)), "p50": .double(Double(p50) / 1000),
            "p90": .double(Double(p90) / 1000), "p99": .double(Double(p99) / 1000),
            "max": .double(Double(max) / 1000), "mean": .double(mean / 1000),
        ]
    }
}
