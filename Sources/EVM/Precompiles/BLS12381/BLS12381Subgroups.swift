/// Endomorphisms of BLS12-381: subgroup checks and cofactor clearing that cost a multiplication by x, not by r.
package enum BLS12381Subgroups {
    /// ψ = twist⁻¹ ∘ Frobenius ∘ twist on the twist: (conj(x) / γ(1, 2), conj(y) / γ(1, 3)).
    private static let psiX = BLS12381Curve.frobenius.power1[2].inverted()
    private static let psiY = BLS12381Curve.frobenius.power1[3].inverted()

    /// A primitive cube root of 1 in Fp: φ(x, y) = (βx, y) acts on G1 as -x² (and not as x² - 1; a test pins it).
    private static let beta = BLS12381Curve.frobenius.power2[2].c0

    package static func psi(_ q: JacobianPoint<BLS12381Fp2>) -> JacobianPoint<BLS12381Fp2> {
        JacobianPoint(x: q.x.conjugate * psiX, y: q.y.conjugate * psiY, z: q.z.conjugate)
    }

    /// Whether a point on the curve has order r (or 1): φ(P) = [-x²]P (Scott, eprint 2021/1130).
    ///
    /// φ² + φ + 1 = 0, so (φ + x²)P = 0 implies [N]P = 0 for the resultant N = x⁴ - x² + 1 = r, and on G1 it holds.
    package static func contains(_ p: BLS12381G1) -> Bool {
        if p.isInfinity { return true }
        let x = BLS12381Curve.parameterMagnitude
        let x2P = JacobianPoint(p).multiplied(by: x).multiplied(by: x)
        return (-x2P).represents(JacobianPoint(BLS12381G1(x: p.x * beta, y: p.y)))
    }

    /// Whether a point on the twist has order r (or 1): ψ(Q) = [x]Q (as above).
    ///
    /// On G2 ψ acts as p ≡ x (mod r). Elsewhere, (ψ - x)Q = 0 implies [N]Q = 0 for N the resultant of X - x and ψ's
    /// characteristic polynomial X² - (x + 1)X + p, which is p - x, and gcd(p - x, #E'(Fp2)) = r.
    package static func contains(_ q: BLS12381G2) -> Bool {
        if q.isInfinity { return true }
        let point = JacobianPoint(q)
        return (-point.multiplied(by: BLS12381Curve.parameterMagnitude)).represents(psi(point))
    }

    /// [1 - x]P, which brings a point of the curve into G1 (RFC 9380, section 8.8.1).
    package static func clearCofactor(_ p: BLS12381G1) -> BLS12381G1 {
        JacobianPoint(p).multiplied(by: BLS12381Curve.parameterMagnitude).adding(p).affine
    }

    /// [x² - x - 1]Q + [x - 1]ψ(Q) + ψ²([2]Q), which brings a point of the twist into G2
    /// (Budroni, Pintore, eprint 2017/419; RFC 9380, section 8.8.2 and appendix G.4).
    package static func clearCofactor(_ q: BLS12381G2) -> BLS12381G2 {
        let x = BLS12381Curve.parameterMagnitude
        let point = JacobianPoint(q)
        // With m = |x|, so x = -m: [m² + m - 1]Q - [m + 1]ψ(Q) + ψ²(2Q) = [m](mQ + Q - ψ(Q)) - Q - ψ(Q) + ψ²(2Q).
        let psiQ = psi(point)
        let inner = point.multiplied(by: x).adding(point).adding(-psiQ)
        return inner.multiplied(by: x).adding(-point).adding(-psiQ).adding(psi(psi(point.doubled()))).affine
    }
}
