import EVM
import Testing

@Suite("Curve BN254")
struct CurveBN254Tests {
    private static let g1 = BN254G1(x: BN254Fp(1), y: BN254Fp(2))
    /// EIP-197's generator of G2.
    private static let g2Bytes = curveBytes(
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
            + "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
            + "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
            + "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa")
    private static let truth = curveWord(1)
    private static let falsehood = curveWord(0)

    private func fp(_ offset: Int) throws -> BN254Fp {
        try #require(BN254Fp(canonical: Limbs256(bigEndian: Self.g2Bytes, at: offset)))
    }

    private func g2() throws -> BN254G2 {
        try BN254G2(x: Fp2(fp(32), fp(0)), y: Fp2(fp(96), fp(64)))
    }

    @Test("EIP-196 and EIP-197 vectors", .enabled(if: CurveVectors.available, "no shared data"))
    func vectors() throws {
        try CurveVectors.check("bn256Add", BN254Precompiles.add)
        try CurveVectors.check("bn256ScalarMul", BN254Precompiles.mul)
        try CurveVectors.check("bn256Pairing", BN254Precompiles.pairing)
    }

    @Test("Known multiples of the generator, zero padding and truncation")
    func knownAnswers() {
        let generator = curveWord(1) + curveWord(2)
        let twice = curveBytes(
            "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"
                + "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4")
        #expect(BN254Precompiles.add(generator + generator) == twice)
        #expect(BN254Precompiles.mul(generator + curveWord(2)) == twice)
        // Excess bytes are ignored, missing ones are zero.
        #expect(BN254Precompiles.add(generator + generator + [1, 2, 3]) == twice)
        #expect(BN254Precompiles.mul(generator + curveWord(2) + [255]) == twice)
        #expect(BN254Precompiles.add(generator) == generator)
        #expect(BN254Precompiles.add([]) == [UInt8](repeating: 0, count: 64))
        #expect(BN254Precompiles.mul([]) == [UInt8](repeating: 0, count: 64))
        #expect(BN254Precompiles.mul(generator) == [UInt8](repeating: 0, count: 64))
        #expect(BN254Precompiles.mul(Array((generator + curveWord(2)).dropLast())) == BN254Precompiles.mul(generator))
        // r · G = 0, and scalars above r wrap.
        let order = BN254ScalarModulus.modulus
        #expect(BN254Precompiles.mul(generator + order.bigEndianBytes) == [UInt8](repeating: 0, count: 64))
        let orderAndTwo = order.addingWithCarry(Limbs256(2, 0, 0, 0)).sum
        #expect(BN254Precompiles.mul(generator + orderAndTwo.bigEndianBytes) == twice)
        #expect(BN254Precompiles.mul(generator + [UInt8](repeating: 255, count: 32)) != nil)
    }

    @Test("Coordinates out of range and points off the curve fail")
    func rejects() {
        let p = BN254BaseModulus.modulus
        let onePlusP = p.addingWithCarry(.one).sum.bigEndianBytes
        #expect(BN254Precompiles.add(onePlusP + curveWord(2)) == nil)
        #expect(BN254Precompiles.add(curveWord(1) + curveWord(3)) == nil)
        #expect(BN254Precompiles.add(curveWord(1) + curveWord(2) + curveWord(1) + curveWord(1)) == nil)
        #expect(BN254Precompiles.mul(p.bigEndianBytes + p.bigEndianBytes) == nil)
        #expect(BN254Precompiles.mul(curveWord(1)) == nil)
        #expect(BN254Precompiles.pairing([UInt8](repeating: 0, count: 191)) == nil)
        #expect(BN254Precompiles.pairing([UInt8](repeating: 0, count: 193)) == nil)
        #expect(BN254Precompiles.pairing([UInt8](repeating: 0, count: 192)) == Self.truth)
        #expect(BN254Precompiles.pairing([]) == Self.truth)
        #expect(BN254Precompiles.pairing(curveWord(1) + curveWord(2) + Self.g2Bytes) == Self.falsehood)
        // A point of G2 off the curve, also beside the neutral element of G1.
        var broken = Self.g2Bytes
        broken[127] ^= 1
        #expect(BN254Precompiles.pairing([UInt8](repeating: 0, count: 64) + broken) == nil)
    }

    @Test("The subgroup check agrees with multiplication by the order", .curveOptimisedOnly)
    func subgroup() throws {
        let order = BN254ScalarModulus.modulus
        var random = CurveRandom(seed: 11)
        let member = try JacobianPoint(g2()).multiplied(by: Limbs256(random.next(), random.next(), 0, 0)).affine
        #expect(BN254Pairing.isInSubgroup(member))
        #expect(BN254Pairing.isInSubgroup(.infinity))
        #expect(JacobianPoint(member).multiplied(by: order).isInfinity)
        // Points on the twist at small x: none is in the subgroup.
        var found = 0
        for small in UInt64(0)..<40 {
            let x = Fp2(BN254Fp(small), BN254Fp(1))
            guard let y = (x.squared() * x + BN254Curve.twistB).squareRoot() else { continue }
            found += 1
            let point = BN254G2(x: x, y: y)
            #expect(point.isOnCurve(b: BN254Curve.twistB))
            #expect(!JacobianPoint(point).multiplied(by: order).isInfinity)
            #expect(!BN254Pairing.isInSubgroup(point))
            let bytes =
                x.c1.canonical.bigEndianBytes + x.c0.canonical.bigEndianBytes + y.c1.canonical.bigEndianBytes
                + y.c0.canonical.bigEndianBytes
            #expect(BN254Precompiles.pairing([UInt8](repeating: 0, count: 64) + bytes) == nil)
        }
        #expect(found > 10)
    }

    @Test("Group law", .curveOptimisedOnly)
    func groupLaw() throws {
        try checkGroupLaw(Self.g1, order: BN254ScalarModulus.modulus, seed: 12)
        try checkGroupLaw(g2(), order: BN254ScalarModulus.modulus, seed: 13)
    }

    @Test("The pairing is bilinear, of order r and not trivial", .curveOptimisedOnly)
    func bilinearity() throws {
        let q = try g2()
        let e = BN254Pairing.pairing(Self.g1, q)
        #expect(e != .one)
        #expect(e.power(BN254ScalarModulus.modulus) == .one)
        var random = CurveRandom(seed: 14)
        let a = Limbs256(random.next(), random.next(), random.next(), 0)
        let b = Limbs256(random.next(), random.next(), 0, 0)
        let aP = JacobianPoint(Self.g1).multiplied(by: a).affine
        let bQ = JacobianPoint(q).multiplied(by: b).affine
        #expect(BN254Pairing.pairing(aP, q) == e.power(a))
        #expect(BN254Pairing.pairing(Self.g1, bQ) == e.power(b))
        #expect(BN254Pairing.pairing(aP, bQ) == e.power(a).power(b))
        #expect(BN254Pairing.pairing(.infinity, q) == .one)
        #expect(BN254Pairing.pairing(Self.g1, .infinity) == .one)
        let bP = JacobianPoint(Self.g1).multiplied(by: b).affine
        #expect(BN254Pairing.productIsOne([(bP, q), (-Self.g1, bQ)]))
        #expect(!BN254Pairing.productIsOne([(bP, q), (Self.g1, bQ)]))
    }

    @Test("Input of any length and content does not trap", .curveOptimisedOnly)
    func fuzz() {
        var random = CurveRandom(seed: 15)
        let good = curveWord(1) + curveWord(2) + Self.g2Bytes
        for length in 0...400 {
            for filler in 0..<3 {
                var input: [UInt8] =
                    filler == 0 ? random.bytes(length) : Array((good + good + good).prefix(length))
                if filler == 2 && length > 0 {
                    input[Int(random.next() % UInt64(length))] ^= 1 << UInt8(random.next() & 7)
                }
                if let sum = BN254Precompiles.add(input) { #expect(sum.count == 64) }
                if let product = BN254Precompiles.mul(input) { #expect(product.count == 64) }
                if let result = BN254Precompiles.pairing(input) {
                    #expect(length.isMultiple(of: 192))
                    #expect(result == Self.truth || result == Self.falsehood)
                }
            }
        }
    }
}

/// Addition in its three forms, doubling and scalar multiplication against each other.
func checkGroupLaw<F: FieldElement>(_ generator: AffinePoint<F>, order: Limbs256, seed: UInt64) throws {
    var random = CurveRandom(seed: seed)
    let g = JacobianPoint(generator)
    func scalar() -> Limbs256 { Limbs256(random.next(), random.next(), random.next(), random.next() >> 8) }
    let (m, n) = (scalar(), scalar())
    let p = g.multiplied(by: m)
    let q = g.multiplied(by: n)
    let sum = g.multiplied(by: m.addingWithCarry(n).sum)
    #expect(p.adding(q).represents(sum))
    #expect(q.adding(p).represents(sum))
    #expect(p.adding(q.affine).represents(sum))
    #expect(p.affine.adding(q.affine) == sum.affine)
    #expect(p.adding(p).represents(p.doubled()))
    #expect(p.adding(p.affine).represents(p.doubled()))
    #expect(p.affine.adding(p.affine) == p.doubled().affine)
    #expect(p.adding(-p).isInfinity)
    #expect(p.adding(-p.affine).isInfinity)
    #expect(p.affine.adding(-p.affine) == .infinity)
    #expect(p.adding(JacobianPoint<F>.infinity).represents(p))
    #expect(p.adding(AffinePoint<F>.infinity).represents(p))
    #expect(JacobianPoint.infinity.adding(p).represents(p))
    #expect(JacobianPoint<F>.infinity.adding(p.affine).represents(p))
    #expect(JacobianPoint<F>.infinity.doubled().isInfinity)
    #expect(JacobianPoint(p.affine).represents(p))
    #expect(!p.represents(q))
    #expect(g.multiplied(by: order).isInfinity)
    #expect(g.multiplied(by: Limbs256.zero).isInfinity)
    var walk = JacobianPoint<F>.infinity
    for small in UInt64(0)..<70 {
        #expect(g.multiplied(by: small).represents(walk))
        #expect(g.multiplied(by: Limbs256(small, 0, 0, 0)).represents(walk))
        #expect(g.multiplied(by: order.addingWithCarry(Limbs256(small, 0, 0, 0)).sum).represents(walk))
        walk = walk.adding(generator)
    }
    // The largest scalar: its signed digits carry out of 256 bits.
    let all = Limbs256(.max, .max, .max, .max)
    #expect(g.multiplied(by: all).adding(generator).represents(g.multiplied(by: Limbs256(0, 0, 0, 1 << 63)).doubled()))
}
