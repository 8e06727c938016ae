/// Steele, Lea and Flood's SplitMix64 (2014): small, fast, the same on every machine. For timeouts and simulations,
/// never for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that this seed alone determines.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    @inlinable
    public mutating func next() -> UInt64 { advance() }

    @usableFromInline
    mutating func advance() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0. The bias of at most `bound / 2^64` does not matter here.
    public mutating func below(_ bound: UInt64) -> UInt64 { advance().multipliedFullWidth(by: bound).high }
}
