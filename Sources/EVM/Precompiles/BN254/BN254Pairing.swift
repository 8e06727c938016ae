/// The optimal ate pairing on BN254 (Vercauteren, "Optimal pairings", 2010).
package enum BN254Pairing {
    /// Digits of 6x + 2 in non-adjacent form, least significant first: the length of the Miller loop.
    private static let loopDigits: [Int8] = {
        let (high, low) = BN254Curve.parameter.multipliedFullWidth(by: 6)
        let (sum, overflow) = low.addingReportingOverflow(2)
        return Limbs256(sum, high + (overflow ? 1 : 0), 0, 0).nonAdjacentForm(width: 2)
    }()

    /// ψ = twist⁻¹ ∘ Frobenius ∘ twist, an endomorphism of the twist: (conj(x) · γ(1, 2), conj(y) · γ(1, 3)).
    package static func psi(_ q: BN254G2) -> BN254G2 {
        if q.isInfinity { return q }
        let gamma = BN254Curve.frobenius.power1
        return BN254G2(x: q.x.conjugate * gamma[2], y: q.y.conjugate * gamma[3])
    }

    /// Whether a point on the twist has order r (or 1).
    ///
    /// Tests [x + 1]Q + ψ([x]Q) + ψ²([x]Q) = ψ³([2x]Q) (El Housni, Guillevic, Piellard, eprint 2022/348). It holds on
    /// G2, where ψ acts as p and (x + 1) + x·p + x·p² - 2x·p³ ≡ 0 (mod r). It holds nowhere else: with f the
    /// polynomial of the test, f(ψ)Q = 0 implies [N]Q = 0 for N the resultant of f and ψ's characteristic polynomial
    /// X² - tX + p, and gcd(N, #E'(Fp2)) = r.
    package static func isInSubgroup(_ q: BN254G2) -> Bool {
        if q.isInfinity { return true }
        let xQ = JacobianPoint(q).multiplied(by: BN254Curve.parameter)
        let psiXQ = psi(xQ)
        let psi2XQ = psi(psiXQ)
        let left = xQ.adding(q).adding(psiXQ).adding(psi2XQ)
        return left.represents(psi(psi2XQ).doubled())
    }

    private static func psi(_ q: JacobianPoint<BN254Fp2>) -> JacobianPoint<BN254Fp2> {
        // Frobenius on Z and the factors of x and y: (X/Z²)^p γ2 = (X^p γ2)/(Z^p)².
        let gamma = BN254Curve.frobenius.power1
        return JacobianPoint(x: q.x.conjugate * gamma[2], y: q.y.conjugate * gamma[3], z: q.z.conjugate)
    }

    /// The product of the Miller functions of the pairs. Points must be on their curves and Q in the subgroup;
    /// pairs with a neutral element contribute 1.
    package static func millerLoop(_ pairs: [(p: BN254G1, q: BN254G2)]) -> BN254Fp12 {
        let pairs = pairs.filter { !$0.p.isInfinity && !$0.q.isInfinity }
        if pairs.isEmpty { return .one }
        var accumulators = pairs.map { TwistAccumulator<BN254Curve>($0.q) }
        let negatives = pairs.map { -$0.q }
        var f = BN254Fp12.one
        for index in stride(from: loopDigits.count - 2, through: 0, by: -1) {
            if index != loopDigits.count - 2 { f = f.squared() }
            for pair in pairs.indices {
                multiply(&f, accumulators[pair].double(), pairs[pair].p)
            }
            if loopDigits[index] == 0 { continue }
            for pair in pairs.indices {
                let q = loopDigits[index] > 0 ? pairs[pair].q : negatives[pair]
                multiply(&f, accumulators[pair].add(q), pairs[pair].p)
            }
        }
        // The two last lines, through ψ(Q) and -ψ²(Q).
        for pair in pairs.indices {
            let q1 = psi(pairs[pair].q)
            multiply(&f, accumulators[pair].add(q1), pairs[pair].p)
            multiply(&f, accumulators[pair].add(-psi(q1)), pairs[pair].p)
        }
        return f
    }

    private static func multiply(_ f: inout BN254Fp12, _ line: TwistAccumulator<BN254Curve>.Line, _ p: BN254G1) {
        // On a D-type twist y stands at 1, x at w and the constant at v · w.
        f = f.multipliedBySparse034(line.y.scaled(by: p.y), line.x.scaled(by: p.x), line.constant)
    }

    /// f to a fixed multiple, coprime to r, of (p¹² - 1)/r.
    ///
    /// The hard part follows Fuentes-Castañeda, Knapp, Rodríguez-Henríquez, "Faster hashing to G2", 2011; with
    /// d = (p⁴ - p² + 1)/r its exponent is a multiple m · d, gcd(m, r) = 1. So the result is 1 iff f^((p¹² - 1)/r) is.
    package static func finalExponentiation(_ f: BN254Fp12) -> BN254Fp12 {
        if f.isZero { return f }
        let t = f.easyExponentiation()
        let y0 = powerOfMinusX(t)
        let y1 = y0.cyclotomicSquared()
        let y3 = y1.cyclotomicSquared() * y1
        let y4 = powerOfMinusX(y3)
        let y6 = powerOfMinusX(y4.cyclotomicSquared()).conjugate
        let y8 = y6 * y4 * y3.conjugate
        let y9 = y8 * y1
        let y11 = y8 * y4 * t
        let y13 = y9.frobenius1() * y11
        let y14 = y8.frobenius2() * y13
        return (t.conjugate * y9).frobenius3() * y14
    }

    /// f^(-x) in the cyclotomic subgroup.
    private static func powerOfMinusX(_ f: BN254Fp12) -> BN254Fp12 {
        f.cyclotomicPower(BN254Curve.parameter).conjugate
    }

    /// The pairing of P and Q (raised to the fixed power of `finalExponentiation`).
    package static func pairing(_ p: BN254G1, _ q: BN254G2) -> BN254Fp12 {
        finalExponentiation(millerLoop([(p, q)]))
    }

    /// Whether the product of the pairings is 1.
    package static func productIsOne(_ pairs: [(p: BN254G1, q: BN254G2)]) -> Bool {
        let f = millerLoop(pairs)
        return f == .one || finalExponentiation(f) == .one
    }
}
