/// Field elements to points of G1 and G2: the simplified Shallue-van de Woestijne-Ulas map to an isogenous curve, the
/// isogeny and the clearing of the cofactor (RFC 9380, sections 6.6.2, 6.6.3 and 8.8; EIP-2537).
package enum BLS12381MapToCurve {
    /// What the map needs of one of the two groups.
    struct Parameters<Field: FieldElement>: Sendable {
        /// The isogenous curve y² = x³ + ax + b.
        let a: Field
        let b: Field
        /// The non-square of the map.
        let z: Field
        /// The isogeny's polynomials, lowest degree first.
        let xNumerator: [Field]
        let xDenominator: [Field]
        let yNumerator: [Field]
        let yDenominator: [Field]
        let squareRoot: @Sendable (Field) -> Field?
        /// The "sign" of an element: the lowest bit of its first non-zero coefficient.
        let sign: @Sendable (Field) -> Bool
    }

    private static let g1Parameters: Parameters<BLS12381Fp> = {
        typealias Constants = BLS12381IsogenyConstants
        return Parameters(
            a: BLS12381Curve.fp(Constants.g1A), b: BLS12381Curve.fp(Constants.g1B), z: BLS12381Fp(11),
            xNumerator: Constants.g1XNumerator.map(BLS12381Curve.fp),
            xDenominator: Constants.g1XDenominator.map(BLS12381Curve.fp),
            yNumerator: Constants.g1YNumerator.map(BLS12381Curve.fp),
            yDenominator: Constants.g1YDenominator.map(BLS12381Curve.fp),
            squareRoot: { $0.squareRoot() }, sign: sign)
    }()

    private static let g2Parameters: Parameters<BLS12381Fp2> = {
        typealias Constants = BLS12381IsogenyConstants
        func fp2(_ value: (StaticString, StaticString)) -> BLS12381Fp2 {
            Fp2(BLS12381Curve.fp(value.0), BLS12381Curve.fp(value.1))
        }
        // A' = 240u, B' = 1012(1 + u), Z = -(2 + u): RFC 9380, section 8.8.2.
        return Parameters(
            a: Fp2(.zero, BLS12381Fp(240)), b: Fp2(BLS12381Fp(1012), BLS12381Fp(1012)),
            z: -Fp2(BLS12381Fp(2), BLS12381Fp(1)),
            xNumerator: Constants.g2XNumerator.map(fp2), xDenominator: Constants.g2XDenominator.map(fp2),
            yNumerator: Constants.g2YNumerator.map(fp2), yDenominator: Constants.g2YDenominator.map(fp2),
            squareRoot: { $0.squareRoot() }, sign: { $0.c0.isZero ? sign($0.c1) : sign($0.c0) })
    }()

    private static func sign(_ a: BLS12381Fp) -> Bool { a.canonical.bit(0) }

    /// The point of G1 that `u` maps to.
    package static func mapToG1(_ u: BLS12381Fp) -> BLS12381G1 {
        BLS12381Subgroups.clearCofactor(isogeny(simplifiedSWU(u, g1Parameters), g1Parameters))
    }

    /// The point of G2 that `u` maps to.
    package static func mapToG2(_ u: BLS12381Fp2) -> BLS12381G2 {
        BLS12381Subgroups.clearCofactor(isogeny(simplifiedSWU(u, g2Parameters), g2Parameters))
    }

    /// RFC 9380, section 6.6.2: a point of the isogenous curve.
    private static func simplifiedSWU<F: FieldElement>(_ u: F, _ curve: Parameters<F>) -> AffinePoint<F> {
        let zu2 = curve.z * u.squared()
        let denominator = zu2.squared() + zu2
        // x1 = (-B/A)(1 + 1/(Z²u⁴ + Zu²)), or B/(ZA) where that does not exist.
        let x1 =
            denominator.isZero
            ? curve.b * (curve.z * curve.a).inverted()
            : -(curve.b * (denominator + .one)) * (curve.a * denominator).inverted()
        func g(_ x: F) -> F { (x.squared() + curve.a) * x + curve.b }
        let x: F
        let root: F
        if let y1 = curve.squareRoot(g(x1)) {
            (x, root) = (x1, y1)
        } else {
            // g(x1) is no square, so g(Zu² · x1) = Z³u⁶ · g(x1) is one.
            let x2 = zu2 * x1
            guard let y2 = curve.squareRoot(g(x2)) else { preconditionFailure("neither g(x1) nor g(x2) is a square") }
            (x, root) = (x2, y2)
        }
        return AffinePoint(x: x, y: curve.sign(u) == curve.sign(root) ? root : -root)
    }

    /// The isogeny; poles go to the neutral element (RFC 9380, section 6.6.3).
    private static func isogeny<F: FieldElement>(_ p: AffinePoint<F>, _ curve: Parameters<F>) -> AffinePoint<F> {
        func evaluate(_ polynomial: [F]) -> F { polynomial.reversed().reduce(.zero) { $0 * p.x + $1 } }
        let xDenominator = evaluate(curve.xDenominator)
        let yDenominator = evaluate(curve.yDenominator)
        let inverse = (xDenominator * yDenominator).inverted()
        if inverse.isZero { return .infinity }
        return AffinePoint(
            x: evaluate(curve.xNumerator) * yDenominator * inverse,
            y: p.y * evaluate(curve.yNumerator) * xDenominator * inverse)
    }
}
