import EVM
import Testing

@Suite("Curve KZG")
struct CurveKZGTests {
    /// [τ]G1 of the ceremony, the second point of the setup's monomial form in G1.
    private static let tauG1 = curveBytes(
        "ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81")
    private static let answer =
        curveWord(4096)
        + curveBytes("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001")
    /// go-ethereum's pointEvaluation1.
    private static let sample = curveBytes(
        "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b564c0a11a0f704f4fc3e8acfe0f8245f"
            + "0ad1347b378fbf96e206da11a5d3630624d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1"
            + "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7"
            + "873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a")

    /// A call with the versioned hash that belongs to the commitment.
    private func call(_ commitment: [UInt8], z: BLS12381Fr, y: BLS12381Fr, proof: [UInt8]) -> [UInt8] {
        KZGPointEvaluation.versionedHash(commitment) + z.canonical.bigEndianBytes + y.canonical.bigEndianBytes
            + commitment + proof
    }

    @Test("go-ethereum's vectors", .enabled(if: CurveVectors.available, "no shared data"))
    func vectors() throws {
        try CurveVectors.check("pointEvaluation", KZGPointEvaluation.run)
    }

    @Test("A known proof holds, and no changed one does", .curveOptimisedOnly)
    func sample() {
        #expect(KZGPointEvaluation.run(Self.sample) == Self.answer)
        for index in Self.sample.indices {
            for mask: UInt8 in [1, 0x80] {
                var broken = Self.sample
                broken[index] ^= mask
                #expect(KZGPointEvaluation.run(broken) == nil)
            }
        }
        #expect(KZGPointEvaluation.run(Self.sample + [0]) == nil)
        #expect(KZGPointEvaluation.run(Array(Self.sample.dropLast())) == nil)
    }

    @Test("Proofs of constant and linear polynomials", .curveOptimisedOnly)
    func polynomials() throws {
        let tau = try #require(BLS12381Compression.decodeG1(Self.tauG1))
        let g1 = BLS12381Curve.g1Generator
        var random = CurveRandom(seed: 41)
        for round in 0..<6 {
            let a = BLS12381Fr(random.next()).squared()
            let b = round < 2 ? BLS12381Fr.zero : BLS12381Fr(random.next()).inverted()
            let z = round == 3 ? BLS12381Fr.zero : BLS12381Fr(random.next()).squared()
            // f(X) = a + bX; (f(X) - f(z)) / (X - z) = b.
            let commitment = BLS12381Compression.encode(
                JacobianPoint.sum(of: [(g1, a.canonical), (tau, b.canonical)]).affine)
            let proof = BLS12381Compression.encode(JacobianPoint(g1).multiplied(by: b.canonical).affine)
            #expect(KZGPointEvaluation.run(call(commitment, z: z, y: a + b * z, proof: proof)) == Self.answer)
            #expect(KZGPointEvaluation.run(call(commitment, z: z, y: a + b * z + .one, proof: proof)) == nil)
            if !b.isZero {
                #expect(KZGPointEvaluation.run(call(commitment, z: z + .one, y: a + b * z, proof: proof)) == nil)
            }
        }
        // The zero polynomial: commitment and proof at infinity.
        let infinity = BLS12381Compression.encode(BLS12381G1.infinity)
        #expect(KZGPointEvaluation.run(call(infinity, z: BLS12381Fr(5), y: .zero, proof: infinity)) == Self.answer)
        #expect(KZGPointEvaluation.run(call(infinity, z: BLS12381Fr(5), y: .one, proof: infinity)) == nil)
    }

    @Test("z and y must be below the group order")
    func ranges() {
        let infinity = BLS12381Compression.encode(BLS12381G1.infinity)
        let order = BLS12381ScalarModulus.modulus.bigEndianBytes
        let hash = KZGPointEvaluation.versionedHash(infinity)
        #expect(KZGPointEvaluation.run(hash + curveWord(0) + curveWord(0) + infinity + infinity) == Self.answer)
        #expect(KZGPointEvaluation.run(hash + order + curveWord(0) + infinity + infinity) == nil)
        #expect(KZGPointEvaluation.run(hash + curveWord(0) + order + infinity + infinity) == nil)
    }

    @Test("Input of any length and content does not trap", .curveOptimisedOnly)
    func fuzz() {
        var random = CurveRandom(seed: 42)
        for length in 0...250 { #expect(KZGPointEvaluation.run(random.bytes(length)) == nil) }
    }
}
