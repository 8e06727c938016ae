import EVM
import Testing

@Suite("Curve BLS12-381")
struct CurveBLS12381Tests {
    private static let g1 = BLS12381Curve.g1Generator
    private static let g2 = BLS12381Curve.g2Generator
    private static let order = BLS12381ScalarModulus.modulus
    private static let pad = [UInt8](repeating: 0, count: 16)

    private static func encode(_ point: BLS12381G1) -> [UInt8] {
        point.isInfinity
            ? [UInt8](repeating: 0, count: 128)
            : pad + point.x.canonical.bigEndianBytes + pad + point.y.canonical.bigEndianBytes
    }

    private static func encode(_ point: BLS12381G2) -> [UInt8] {
        point.isInfinity
            ? [UInt8](repeating: 0, count: 256)
            : [point.x.c0, point.x.c1, point.y.c0, point.y.c1].flatMap { pad + $0.canonical.bigEndianBytes }
    }

    /// Points of the curve outside G1.
    private static func strangers(_ count: Int) -> [BLS12381G1] {
        var points: [BLS12381G1] = []
        var x = BLS12381Fp(1)
        while points.count < count {
            if let y = (x.squared() * x + BLS12381Curve.b).squareRoot() { points.append(BLS12381G1(x: x, y: y)) }
            x = x + .one
        }
        return points
    }

    /// Points of the twist outside G2.
    private static func twistStrangers(_ count: Int) -> [BLS12381G2] {
        var points: [BLS12381G2] = []
        var x = BLS12381Fp2(.zero, .one)
        while points.count < count {
            if let y = (x.squared() * x + BLS12381Curve.twistB).squareRoot() { points.append(BLS12381G2(x: x, y: y)) }
            x = x + .one
        }
        return points
    }

    @Test(
        "EIP-2537 vectors of points and maps", .enabled(if: CurveVectors.available, "no shared data"),
        arguments: ["", "fail-"])
    func pointVectors(prefix: String) throws {
        try CurveVectors.check(prefix + "blsG1Add", BLS12381Precompiles.g1Add)
        try CurveVectors.check(prefix + "blsG2Add", BLS12381Precompiles.g2Add)
        try CurveVectors.check(prefix + "blsG1Mul", BLS12381Precompiles.g1MSM)
        try CurveVectors.check(prefix + "blsG2Mul", BLS12381Precompiles.g2MSM)
        try CurveVectors.check(prefix + "blsMapG1", BLS12381Precompiles.mapFpToG1)
        try CurveVectors.check(prefix + "blsMapG2", BLS12381Precompiles.mapFp2ToG2)
    }

    @Test(
        "EIP-2537 vectors of sums of multiples", .enabled(if: CurveVectors.available, "no shared data"),
        arguments: ["", "fail-"])
    func multiplicationVectors(prefix: String) throws {
        try CurveVectors.check(prefix + "blsG1MultiExp", BLS12381Precompiles.g1MSM)
        try CurveVectors.check(prefix + "blsG2MultiExp", BLS12381Precompiles.g2MSM)
    }

    @Test(
        "EIP-2537 vectors of the pairing", .enabled(if: CurveVectors.available, "no shared data"),
        arguments: ["", "fail-"])
    func pairingVectors(prefix: String) throws {
        try CurveVectors.check(prefix + "blsPairing", BLS12381Precompiles.pairing)
    }

    @Test("Group law", .curveOptimisedOnly)
    func groupLaw() throws {
        #expect(Self.g1.isOnCurve(b: BLS12381Curve.b))
        #expect(Self.g2.isOnCurve(b: BLS12381Curve.twistB))
        try checkGroupLaw(Self.g1, order: Self.order, seed: 31)
        try checkGroupLaw(Self.g2, order: Self.order, seed: 32)
    }

    @Test("The pairing is bilinear, of order r and not trivial", .curveOptimisedOnly)
    func bilinearity() {
        let e = BLS12381Pairing.pairing(Self.g1, Self.g2)
        #expect(e != .one)
        #expect(e.power(Self.order) == .one)
        var random = CurveRandom(seed: 33)
        let a = Limbs256(random.next(), random.next(), random.next(), 0)
        let b = Limbs256(random.next(), random.next(), 0, 0)
        let aP = JacobianPoint(Self.g1).multiplied(by: a).affine
        let bP = JacobianPoint(Self.g1).multiplied(by: b).affine
        let bQ = JacobianPoint(Self.g2).multiplied(by: b).affine
        #expect(BLS12381Pairing.pairing(aP, Self.g2) == e.power(a))
        #expect(BLS12381Pairing.pairing(Self.g1, bQ) == e.power(b))
        #expect(BLS12381Pairing.pairing(aP, bQ) == e.power(a).power(b))
        #expect(BLS12381Pairing.pairing(.infinity, Self.g2) == .one)
        #expect(BLS12381Pairing.pairing(Self.g1, .infinity) == .one)
        #expect(BLS12381Pairing.productIsOne([(bP, Self.g2), (-Self.g1, bQ)]))
        #expect(!BLS12381Pairing.productIsOne([(bP, Self.g2), (Self.g1, bQ)]))
        #expect(BLS12381Pairing.productIsOne([]))
    }

    @Test(
        "Subgroup checks agree with multiplication by the order; cofactor clearing lands in the subgroup",
        .curveOptimisedOnly)
    func subgroups() {
        var random = CurveRandom(seed: 34)
        let scalar = Limbs256(random.next(), random.next(), random.next(), 0)
        #expect(BLS12381Subgroups.contains(JacobianPoint(Self.g1).multiplied(by: scalar).affine))
        #expect(BLS12381Subgroups.contains(JacobianPoint(Self.g2).multiplied(by: scalar).affine))
        #expect(BLS12381Subgroups.contains(BLS12381G1.infinity))
        #expect(BLS12381Subgroups.contains(BLS12381G2.infinity))
        for point in Self.strangers(12) {
            let inSubgroup = JacobianPoint(point).multiplied(by: Self.order).isInfinity
            #expect(BLS12381Subgroups.contains(point) == inSubgroup)
            let cleared = BLS12381Subgroups.clearCofactor(point)
            #expect(cleared.isOnCurve(b: BLS12381Curve.b))
            #expect(JacobianPoint(cleared).multiplied(by: Self.order).isInfinity)
        }
        for point in Self.twistStrangers(12) {
            #expect(!JacobianPoint(point).multiplied(by: Self.order).isInfinity)
            #expect(!BLS12381Subgroups.contains(point))
            let cleared = BLS12381Subgroups.clearCofactor(point)
            #expect(!cleared.isInfinity && cleared.isOnCurve(b: BLS12381Curve.twistB))
            #expect(JacobianPoint(cleared).multiplied(by: Self.order).isInfinity)
        }
        // A point of small order, 3: (0, 2).
        let three = BLS12381G1(x: .zero, y: BLS12381Fp(2))
        #expect(three.isOnCurve(b: BLS12381Curve.b))
        #expect(JacobianPoint(three).multiplied(by: UInt64(3)).isInfinity)
        #expect(!BLS12381Subgroups.contains(three))
    }

    @Test(
        "Sums of multiples agree with multiplying and adding", .curveOptimisedOnly,
        arguments: [1, 2, 3, 17, 256, 257, 600])
    func multiScalar(count: Int) {
        var random = CurveRandom(seed: 35)
        var terms: [(point: BLS12381G1, scalar: Limbs256)] = []
        var point = JacobianPoint(Self.g1)
        var expected = JacobianPoint<BLS12381Fp>.infinity
        for index in 0..<count {
            let scalar = index % 7 == 3 ? Limbs256.zero : Limbs256(random.next(), random.next(), random.next(), .max)
            let affine = index % 11 == 5 ? BLS12381G1.infinity : point.affine
            terms.append((affine, scalar))
            expected = expected.adding(JacobianPoint(affine).multiplied(by: scalar))
            point = point.doubled().adding(Self.g1)
        }
        #expect(JacobianPoint.sum(of: terms).represents(expected))
    }

    @Test("Known answers and rejected input of the precompiles", .curveOptimisedOnly)
    func precompiles() {
        let twice = JacobianPoint(Self.g1).doubled().affine
        let g1 = Self.encode(Self.g1)
        let g2 = Self.encode(Self.g2)
        let zero1 = Self.encode(BLS12381G1.infinity)
        #expect(BLS12381Precompiles.g1Add(g1 + g1) == Self.encode(twice))
        let twiceX = curveBytes(
            "0572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e")
        #expect(Array(Self.encode(twice)[16..<64]) == twiceX)
        #expect(BLS12381Precompiles.g1Add(g1 + Self.encode(-Self.g1)) == zero1)
        #expect(BLS12381Precompiles.g1MSM(g1 + curveWord(2)) == Self.encode(twice))
        #expect(BLS12381Precompiles.g1MSM(g1 + Self.order.bigEndianBytes) == zero1)
        #expect(BLS12381Precompiles.g2MSM(g2 + curveWord(2)) == BLS12381Precompiles.g2Add(g2 + g2))
        #expect(BLS12381Precompiles.pairing(g1 + g2) == curveWord(0))
        #expect(BLS12381Precompiles.pairing(g1 + g2 + Self.encode(-Self.g1) + g2) == curveWord(1))
        #expect(BLS12381Precompiles.pairing(zero1 + g2) == curveWord(1))
        // Outside the subgroup: addition works, the others fail.
        for stranger in Self.strangers(4) where !BLS12381Subgroups.contains(stranger) {
            #expect(BLS12381Precompiles.g1Add(Self.encode(stranger) + g1) != nil)
            #expect(BLS12381Precompiles.g1MSM(Self.encode(stranger) + curveWord(1)) == nil)
            #expect(BLS12381Precompiles.pairing(Self.encode(stranger) + g2) == nil)
        }
        for stranger in Self.twistStrangers(4) {
            #expect(BLS12381Precompiles.g2Add(Self.encode(stranger) + g2) != nil)
            #expect(BLS12381Precompiles.g2MSM(Self.encode(stranger) + curveWord(1)) == nil)
            #expect(BLS12381Precompiles.pairing(g1 + Self.encode(stranger)) == nil)
        }
        // A coordinate of p is not canonical, and the sixteen top bytes must be zero.
        let p = Self.pad + BLS12381BaseModulus.modulus.bigEndianBytes
        #expect(BLS12381Precompiles.g1Add(p + p + g1) == nil)
        #expect(BLS12381Precompiles.mapFpToG1(p) == nil)
        for index in 0..<16 {
            var broken = g1
            broken[index] = 1
            #expect(BLS12381Precompiles.g1Add(broken + g1) == nil)
        }
    }

    @Test("Maps give points of the subgroups, also for the exceptional inputs", .curveOptimisedOnly)
    func maps() {
        var random = CurveRandom(seed: 36)
        for value in [BLS12381Fp.zero, .one, -BLS12381Fp.one] + (0..<8).map({ _ in BLS12381Fp(random.next()) }) {
            let point = BLS12381MapToCurve.mapToG1(value)
            #expect(point.isOnCurve(b: BLS12381Curve.b) && BLS12381Subgroups.contains(point))
            for second in [BLS12381Fp.zero, value] {
                let point = BLS12381MapToCurve.mapToG2(Fp2(second, value))
                #expect(point.isOnCurve(b: BLS12381Curve.twistB) && BLS12381Subgroups.contains(point))
            }
        }
    }

    @Test("Compressed points come back, and malformed ones are refused", .curveOptimisedOnly)
    func compression() {
        #expect(
            BLS12381Compression.encode(Self.g1)
                == curveBytes(
                    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"))
        var random = CurveRandom(seed: 37)
        for _ in 0..<8 {
            let scalar = Limbs256(random.next(), random.next(), 0, 0)
            let p = JacobianPoint(Self.g1).multiplied(by: scalar).affine
            let q = JacobianPoint(Self.g2).multiplied(by: scalar).affine
            #expect(BLS12381Compression.decodeG1(BLS12381Compression.encode(p)) == p)
            #expect(BLS12381Compression.decodeG1(BLS12381Compression.encode(-p)) == -p)
            #expect(BLS12381Compression.decodeG2(BLS12381Compression.encode(q)) == q)
            #expect(BLS12381Compression.decodeG2(BLS12381Compression.encode(-q)) == -q)
        }
        let infinity1 = BLS12381Compression.encode(BLS12381G1.infinity)
        #expect(BLS12381Compression.decodeG1(infinity1) == .infinity)
        #expect(BLS12381Compression.decodeG2(BLS12381Compression.encode(BLS12381G2.infinity)) == .infinity)
        let good = BLS12381Compression.encode(Self.g1)
        for (index, mask) in [(0, 0x80), (0, 0x40)] as [(Int, UInt8)] {
            var broken = good
            broken[index] ^= mask
            #expect(BLS12381Compression.decodeG1(broken) == nil)
        }
        for (index, mask) in [(0, 0x80), (0, 0x20), (0, 1), (47, 1)] as [(Int, UInt8)] {
            var broken = infinity1
            broken[index] ^= mask
            #expect(BLS12381Compression.decodeG1(broken) == nil)
        }
        // x = p, and points outside the subgroup.
        var modulus = BLS12381BaseModulus.modulus.bigEndianBytes
        modulus[0] |= 0x80
        #expect(BLS12381Compression.decodeG1(modulus) == nil)
        for stranger in Self.strangers(6) where !BLS12381Subgroups.contains(stranger) {
            #expect(BLS12381Compression.decodeG1(BLS12381Compression.encode(stranger)) == nil)
        }
        for stranger in Self.twistStrangers(4) {
            #expect(BLS12381Compression.decodeG2(BLS12381Compression.encode(stranger)) == nil)
        }
        for length in 0...100 {
            _ = BLS12381Compression.decodeG1(random.bytes(length))
            _ = BLS12381Compression.decodeG2(random.bytes(length))
        }
    }

    @Test("Input of any length and content does not trap", .curveOptimisedOnly)
    func fuzz() {
        var random = CurveRandom(seed: 38)
        let good = Self.encode(Self.g1) + Self.encode(Self.g2) + curveWord(3)
        let calls = [
            BLS12381Precompiles.g1Add, BLS12381Precompiles.g1MSM, BLS12381Precompiles.g2Add,
            BLS12381Precompiles.g2MSM, BLS12381Precompiles.pairing, BLS12381Precompiles.mapFpToG1,
            BLS12381Precompiles.mapFp2ToG2,
        ]
        for length in 0...800 {
            var input = Array((good + good + random.bytes(200)).prefix(length))
            for round in 0..<2 {
                if round == 1 && length > 0 { input[Int(random.next() % UInt64(length))] ^= 1 }
                for call in calls { _ = call(input) }
            }
        }
        #expect(calls.allSatisfy { $0([]) == nil })
    }
}
