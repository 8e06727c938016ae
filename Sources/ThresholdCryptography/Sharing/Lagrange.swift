/// Interpolation at 0 of a polynomial known at some indexes (RFC 9591, 4.2).
public enum Lagrange {
    /// λ_i for each index: Σ λ_i · f(i) = f(0) for each polynomial of lower degree than there are indexes.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` when there are none, or one stands twice.
    public static func coefficients(_ indexes: [ShareIndex]) throws(ThresholdError) -> [RistrettoScalar] {
        guard !indexes.isEmpty, Set(indexes).count == indexes.count else {
            throw .malformed("indexes to interpolate from that are none or not distinct")
        }
        return indexes.map { own in
            var numerator = RistrettoScalar.one
            var denominator = RistrettoScalar.one
            for other in indexes where other != own {
                numerator = numerator * other.scalar
                denominator = denominator * (other.scalar - own.scalar)
            }
            // Indexes are distinct and far below the order, so the denominator has an inverse.
            return numerator * (denominator.inverse ?? .zero)
        }
    }

    /// Σ λ_i · elements_i.
    static func combine(_ values: [(index: ShareIndex, element: RistrettoElement)]) throws(ThresholdError)
        -> RistrettoElement
    {
        let coefficients = try coefficients(values.map(\.index))
        var sum = RistrettoElement.identity
        for (value, coefficient) in zip(values, coefficients) { sum = sum + coefficient * value.element }
        return sum
    }
}
