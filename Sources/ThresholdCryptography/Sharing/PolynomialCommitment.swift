/// The coefficients of a secret polynomial, each times the generator: anyone can compute a share's public value from it
/// (Feldman). The constant may be the identity, where zero is dealt.
package struct PolynomialCommitment: Hashable, Sendable {
    package let coefficients: [RistrettoElement]

    package init(_ coefficients: [RistrettoElement]) {
        precondition(!coefficients.isEmpty)
        self.coefficients = coefficients
    }

    package var constant: RistrettoElement { coefficients[0] }

    /// The share of `index` times the generator: Σ index^k · A_k.
    package func value(at index: ShareIndex) -> RistrettoElement {
        var value = coefficients[coefficients.count - 1]
        for coefficient in coefficients.dropLast().reversed() { value = index.scalar * value + coefficient }
        return value
    }

    /// The commitment to the sum; both are of the same degree.
    static func + (a: Self, b: Self) -> Self {
        precondition(a.coefficients.count == b.coefficients.count)
        return Self(zip(a.coefficients, b.coefficients).map { $0 + $1 })
    }

    static func * (scalar: RistrettoScalar, commitment: Self) -> Self {
        Self(commitment.coefficients.map { scalar * $0 })
    }
}
