/// The optimal ate pairing on BLS12-381.
package enum BLS12381Pairing {
    /// The product of the Miller functions of the pairs. Points must be on their curves and in the subgroups;
    /// pairs with a neutral element contribute 1.
    package static func millerLoop(_ pairs: [(p: BLS12381G1, q: BLS12381G2)]) -> BLS12381Fp12 {
        let pairs = pairs.filter { !$0.p.isInfinity && !$0.q.isInfinity }
        if pairs.isEmpty { return .one }
        var accumulators = pairs.map { TwistAccumulator<BLS12381Curve>($0.q) }
        var f = BLS12381Fp12.one
        for bit in stride(from: 62, through: 0, by: -1) {
            if bit != 62 { f = f.squared() }
            for pair in pairs.indices {
                multiply(&f, accumulators[pair].double(), pairs[pair].p)
            }
            if (BLS12381Curve.parameterMagnitude >> UInt64(bit)) & 1 == 0 { continue }
            for pair in pairs.indices {
                multiply(&f, accumulators[pair].add(pairs[pair].q), pairs[pair].p)
            }
        }
        // x is negative: the inverse, which up to factors that the final exponentiation removes is the conjugate.
        return f.conjugate
    }

    private static func multiply(
        _ f: inout BLS12381Fp12, _ line: TwistAccumulator<BLS12381Curve>.Line, _ p: BLS12381G1
    ) {
        // On an M-type twist the constant stands at 1, x at v and y at v · w.
        f = f.multipliedBySparse014(line.constant, line.x.scaled(by: p.x), line.y.scaled(by: p.y))
    }

    /// f^(3 · (p¹² - 1)/r); 3 is coprime to r.
    ///
    /// The hard part: 3(p⁴ - p² + 1)/r = (x - 1)²(x + p)(x² + p² - 1) + 3 (Hayashida, Hayasaka, Teruya,
    /// eprint 2020/875).
    package static func finalExponentiation(_ f: BLS12381Fp12) -> BLS12381Fp12 {
        if f.isZero { return f }
        let t = f.easyExponentiation()
        let a = powerOfX(t) * t.conjugate
        let b = powerOfX(a) * a.conjugate
        let c = powerOfX(b) * b.frobenius1()
        let d = powerOfX(powerOfX(c)) * c.frobenius2() * c.conjugate
        return d * t.cyclotomicSquared() * t
    }

    /// f^x in the cyclotomic subgroup.
    private static func powerOfX(_ f: BLS12381Fp12) -> BLS12381Fp12 {
        f.cyclotomicPower(BLS12381Curve.parameterMagnitude).conjugate
    }

    /// The pairing of P and Q (its third power, by `finalExponentiation`).
    package static func pairing(_ p: BLS12381G1, _ q: BLS12381G2) -> BLS12381Fp12 {
        finalExponentiation(millerLoop([(p, q)]))
    }

    /// Whether the product of the pairings is 1.
    package static func productIsOne(_ pairs: [(p: BLS12381G1, q: BLS12381G2)]) -> Bool {
        let f = millerLoop(pairs)
        return f == .one || finalExponentiation(f) == .one
    }
}
