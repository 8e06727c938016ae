/// A pairing-friendly curve y² = x³ + b over Fp with embedding degree 12 and a sextic twist over Fp2 = Fp[u]/(u² + 1).
///
/// The tower is Fp6 = Fp2[v]/(v³ - ξ), Fp12 = Fp6[w]/(w² - v); a curve differs from another by Fp, ξ, b and the twist.
package protocol PairingCurve: Sendable {
    associatedtype Base: TowerBase
    /// Product with ξ, the cubic and quadratic non-residue of the tower.
    static func multiplyByXi(_ a: Fp2<Base>) -> Fp2<Base>
    /// Product with the twist's b.
    static func multiplyByTwistB(_ a: Fp2<Base>) -> Fp2<Base>
    /// Powers of ξ for the Frobenius map.
    static var frobenius: FrobeniusCoefficients<Base> { get }
}

/// γ(n, i) = ξ^(i · (pⁿ - 1) / 6) for n = 1, 2, 3 and i = 0...5: w^(i · pⁿ) = γ(n, i) · w^i.
///
/// Derived at first use instead of written down: γ(1, i) by exponentiation, and as ξ^p is the conjugate of ξ,
/// γ(n + 1, i) = γ(n, i)^p · γ(1, i) = conjugate(γ(n, i)) · γ(1, i).
package struct FrobeniusCoefficients<Base: TowerBase>: Sendable {
    /// `power1[i]` = γ(1, i), and so on.
    package let power1: [Fp2<Base>]
    package let power2: [Fp2<Base>]
    package let power3: [Fp2<Base>]

    /// Derives all coefficients from ξ.
    package init(xi: Fp2<Base>) {
        // p ≡ 1 (mod 6) on both curves, so (p - 1) / 6 = floor(p / 6).
        let root = xi.power(Base.Modulus.modulus.dividedBy(6).quotient)
        var first: [Fp2<Base>] = [.one]
        for index in 1..<6 { first.append(first[index - 1] * root) }
        let second = first.map { $0.conjugate * $0 }
        power1 = first
        power2 = second
        power3 = zip(second, first).map { $0.conjugate * $1 }
    }
}
