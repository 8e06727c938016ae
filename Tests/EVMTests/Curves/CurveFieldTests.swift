import EVM
import Testing

@Suite("Curve fields", .curveOptimisedOnly)
struct CurveFieldTests {
    /// Compares every operation of a prime field with plain big integers, at random and at the edges.
    private func checkPrimeField<F: PrimeField>(_ field: F.Type, seed: UInt64) throws {
        let p = CurveReference(bigEndian: F.Modulus.modulus.bigEndianBytes)
        let width = 8 * F.Modulus.Limbs.limbCount
        var random = CurveRandom(seed: seed)
        func reference(_ a: F) -> CurveReference { CurveReference(bigEndian: a.canonical.bigEndianBytes) }
        var elements: [F] = [.zero, .one, -F.one, F(2), F(2).inverted(), -F(2)]
        while elements.count < 24 {
            if let element = F(canonical: F.Modulus.Limbs(bigEndian: random.bytes(width))) { elements.append(element) }
        }
        let half = F(2).inverted()
        for a in elements {
            #expect(reference(a) < p)
            #expect(F(canonical: a.canonical) == a)
            #expect(reference(-a) == p.minus(reference(a)) % p)
            #expect(a.squared() == a * a)
            #expect(a.doubled() == a + a)
            #expect(a.halved() == a * half)
            #expect(a * a.inverted() == (a.isZero ? .zero : .one))
            for b in elements {
                #expect(reference(a + b) == (reference(a) + reference(b)) % p)
                #expect(reference(a - b) == (reference(a) + p.minus(reference(b))) % p)
                #expect(reference(a * b) == (reference(a) * reference(b)) % p)
            }
        }
        #expect(F(canonical: F.Modulus.modulus) == nil)
        let below = try #require(F(canonical: F.Modulus.modulus.subtractingWithBorrow(.one).difference))
        #expect(below + .one == .zero)
        // Fermat's little theorem: the modulus is what it should be, and powers work.
        #expect(F(7).power(F.Modulus.modulus) == F(7))
        // The constants against their definitions.
        let inverse = F.Modulus.negativeInverse &* F.Modulus.modulus.limb(0)
        #expect(inverse == UInt64.max)
        var r = F(1)
        for _ in 0..<(8 * width) { r = r.doubled() }
        #expect(r.canonical == F.Modulus.montgomeryOne)
        #expect((r * r).canonical == F.Modulus.montgomerySquare)
        #expect(F(0).inverted() == .zero)
    }

    /// Inversion has an odd number of doublings to undo in each case: try many, powers of two included.
    private func checkInversion<F: PrimeField>(_ field: F.Type, seed: UInt64) {
        var random = CurveRandom(seed: seed)
        var power = F.one
        for _ in 0..<800 {
            #expect(power * power.inverted() == .one)
            power = power.doubled()
            let a = F(random.next())
            if !a.isZero { #expect(a * a.inverted() == .one) }
        }
    }

    private func checkTowerBase<F: TowerBase>(_ field: F.Type, seed: UInt64) throws {
        var random = CurveRandom(seed: seed)
        func element() -> F { F(random.next()) * F(random.next()) * F(random.next()) * F(random.next()) }
        var squares = 0
        let edges: [F] = [.zero, .one, -F.one]
        for round in 0..<60 {
            let a = round < 3 ? edges[round] : element()
            let (b, c, d) = (element(), element(), round < 6 ? -F.one : element())
            #expect(F.sumOfProducts(a, b, c, d) == a * b + c * d)
            #expect(F.sumOfProducts(a, b, c.looseNegation, d) == a * b - c * d)
            #expect(F.sumOfProducts(a, b, F.zero.looseNegation, d) == a * b)
            #expect(a.squared().squareRoot() == a || a.squared().squareRoot() == -a)
            if let root = b.squareRoot() {
                squares += 1
                #expect(root.squared() == b)
            } else {
                #expect((-b).squareRoot() != nil)
            }
        }
        #expect(squares > 10 && squares < 50)
    }

    /// Field axioms, squaring, inversion and Frobenius maps of the towers.
    private func checkTower<Curve: PairingCurve>(_ curve: Curve.Type, seed: UInt64) throws {
        typealias E2 = Fp2<Curve.Base>
        typealias E6 = Fp6<Curve>
        typealias E12 = Fp12<Curve>
        var random = CurveRandom(seed: seed)
        func e2() -> E2 { E2(Curve.Base(random.next()).squared(), Curve.Base(random.next()).inverted()) }
        func e6() -> E6 { E6(e2(), e2(), e2()) }
        func e12() -> E12 { E12(e6(), e6()) }
        func axioms<F: FieldElement>(_ a: F, _ b: F, _ c: F) {
            #expect(a * b == b * a)
            #expect((a * b) * c == a * (b * c))
            #expect(a * (b + c) == a * b + a * c)
            #expect(a - b == -(b - a))
            #expect(a.squared() == a * a)
            #expect(a.doubled() == a + a)
            #expect(a * a.inverted() == .one)
            #expect(F.zero.inverted() == .zero)
            #expect(a * .one == a)
        }
        for _ in 0..<3 {
            axioms(e2(), e2(), e2())
            axioms(e6(), e6(), e6())
            axioms(e12(), e12(), e12())
        }
        let xi = Curve.multiplyByXi(.one)
        #expect(Curve.multiplyByXi(e2()).inverted() != .zero)
        let probe = e2()
        #expect(Curve.multiplyByXi(probe) == probe * xi)
        #expect(Curve.multiplyByTwistB(probe) == probe * Curve.multiplyByTwistB(.one))
        // v³ = ξ and w² = v.
        let v = E6(.zero, .one, .zero)
        #expect(v * v * v == E6(xi, .zero, .zero))
        #expect(e6Product(v, seed: seed, Curve.self))
        let w = E12(.zero, .one)
        #expect(w.squared() == E12(v, .zero))
        // u² = -1, conjugation is Frobenius, roots come back.
        let u = E2(.zero, .one)
        #expect(u.squared() == -E2.one)
        #expect(probe.power(Curve.Base.Modulus.modulus) == probe.conjugate)
        for value in [probe.squared(), E2(Curve.Base(5), .zero), E2(-Curve.Base(5), .zero), -E2.one, .zero] {
            let root = try #require(value.squareRoot())
            #expect(root.squared() == value)
        }
        #expect((xi * probe.squared()).squareRoot() == nil)
        // Frobenius maps are powers of p and compose.
        let f = e12()
        #expect(f.frobenius1() == f.power(Curve.Base.Modulus.modulus))
        #expect(f.frobenius1().frobenius1() == f.frobenius2())
        #expect(f.frobenius2().frobenius1() == f.frobenius3())
        #expect(f.frobenius3().frobenius3() == f.conjugate)
        // Cyclotomic squaring agrees with squaring where it may be used.
        let t = f.easyExponentiation()
        #expect(t.cyclotomicSquared() == t.squared())
        #expect(t.conjugate == t.inverted())
        #expect(t.cyclotomicPower(0) == .one)
        #expect(t.cyclotomicPower(0xd201) == t.power(Limbs256(0xd201, 0, 0, 0)))
        // Sparse products.
        let (a, b, c) = (e2(), e2(), e2())
        #expect(f.multipliedBySparse014(a, b, c) == f * E12(E6(a, b, .zero), E6(.zero, c, .zero)))
        #expect(f.multipliedBySparse034(a, b, c) == f * E12(E6(a, .zero, .zero), E6(b, c, .zero)))
    }

    private func e6Product<Curve: PairingCurve>(_ v: Fp6<Curve>, seed: UInt64, _ curve: Curve.Type) -> Bool {
        var random = CurveRandom(seed: seed)
        let parts = (0..<3).map { _ in Fp2(Curve.Base(random.next()), Curve.Base(random.next())) }
        let a = Fp6<Curve>(parts[0], parts[1], parts[2])
        return a.multipliedByV() == a * v && a.multiplied(b1: .one) == a * v
    }

    @Test("BN254 base field agrees with big integers")
    func bn254Base() throws {
        try checkPrimeField(BN254Fp.self, seed: 1)
        checkInversion(BN254Fp.self, seed: 2)
        try checkTowerBase(BN254Fp.self, seed: 3)
    }

    @Test("BN254 scalar field agrees with big integers")
    func bn254Scalar() throws {
        try checkPrimeField(BN254Fr.self, seed: 4)
        checkInversion(BN254Fr.self, seed: 5)
    }

    @Test("BN254 tower is a field")
    func bn254Tower() throws {
        try checkTower(BN254Curve.self, seed: 6)
    }

    @Test("BLS12-381 base field agrees with big integers")
    func bls12381Base() throws {
        try checkPrimeField(BLS12381Fp.self, seed: 7)
        checkInversion(BLS12381Fp.self, seed: 8)
        try checkTowerBase(BLS12381Fp.self, seed: 9)
    }

    @Test("BLS12-381 scalar field agrees with big integers")
    func bls12381Scalar() throws {
        try checkPrimeField(BLS12381Fr.self, seed: 10)
        checkInversion(BLS12381Fr.self, seed: 11)
    }

    @Test("BLS12-381 tower is a field")
    func bls12381Tower() throws {
        try checkTower(BLS12381Curve.self, seed: 12)
    }
}
