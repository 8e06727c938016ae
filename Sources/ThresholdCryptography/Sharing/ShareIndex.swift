/// The place at which an actor's shares are points of the secret polynomial: 1 to 65535, an actor's for good, and never
/// given to another. 0 is where the secret itself stands.
public struct ShareIndex: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number.
    public let value: UInt16

    /// An index; nil for 0.
    public init?(_ value: UInt16) {
        guard value != 0 else { return nil }
        self.value = value
    }

    var scalar: RistrettoScalar { RistrettoScalar(UInt64(value)) }

    /// Order of the numbers.
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }

    /// The number in decimal.
    public var description: String { String(value) }
}
