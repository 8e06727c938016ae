internal import Glibc

/// When the requests of an open loop are due, whatever the network does: a request that can't be sent in time is late,
/// and its latency counts from when it was due. Otherwise a slow network would slow its own measurement down.
public struct ArrivalSchedule: Sendable {
    /// How arrivals are spaced.
    public enum Spacing: String, Sendable, CaseIterable {
        /// All gaps alike.
        case even
        /// Gaps of a Poisson process: independent clients.
        case poisson
    }

    /// Requests a second.
    public let rate: Double
    /// How they are spaced.
    public let spacing: Spacing
    private let start: UInt64
    private let end: UInt64
    private var offset: Double = 0
    private var index: Double = 0
    private var random: SplitMix

    /// A schedule.
    /// - Parameters:
    ///   - rate: requests a second, above 0.
    ///   - start: first moment, in microseconds.
    ///   - end: the moment from which on nothing is due any more.
    ///   - seed: of the Poisson process.
    public init(rate: Double, spacing: Spacing, start: UInt64, end: UInt64, seed: UInt64) {
        precondition(rate > 0 && rate.isFinite, "rate \(rate)")
        self.rate = rate
        self.spacing = spacing
        self.start = start
        self.end = end
        random = SplitMix(seed)
        advance()
    }

    /// When the next request is due, in microseconds; nil when all are.
    public var next: UInt64? {
        guard offset < Double(end - min(start, end)) else { return nil }
        return start + UInt64(offset)
    }

    /// The time of the next request if it is due by now, which is taken off the schedule.
    public mutating func take(at now: UInt64) -> UInt64? {
        guard let due = next, due <= now else { return nil }
        advance()
        return due
    }

    private mutating func advance() {
        switch spacing {
        case .even:
            // From the index, so that rounding does not add up.
            offset = index * 1_000_000 / rate
            index += 1
        case .poisson:
            offset += logarithmicGap() * 1_000_000 / rate
        }
    }

    private mutating func logarithmicGap() -> Double {
        // Uniform in (0, 1], so that the logarithm is finite.
        let uniform = Double(random.next() >> 11 &+ 1) / Double(1 << 53 as UInt64)
        return -log(uniform)
    }
}

/// A small generator whose whole state is its seed (Steele, Lea and Flood, 2014): runs can be repeated.
struct SplitMix: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A well mixed number for each number.
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
