/// A secret polynomial over the scalars, constant term first (Shamir). Its values are shares of the constant.
package struct SecretPolynomial: Sendable {
    private let coefficients: [SecretScalar]

    /// At least one coefficient.
    package init(coefficients: [SecretScalar]) {
        precondition(!coefficients.isEmpty)
        self.coefficients = coefficients
    }

    package var constant: SecretScalar { coefficients[0] }

    /// The share of an index.
    package func value(at index: ShareIndex) -> SecretScalar {
        var value = coefficients[coefficients.count - 1]
        for coefficient in coefficients.dropLast().reversed() { value = value * index.scalar + coefficient }
        return value
    }

    /// Each coefficient times the generator (Feldman).
    package var commitment: PolynomialCommitment { commitment(on: .generator) }

    func commitment(on base: RistrettoElement) -> PolynomialCommitment {
        PolynomialCommitment(coefficients.map { $0.timesElement(base) })
    }
}
