import COpenSSL

/// The precompiled contract 0x0a: verifies that a polynomial with a given KZG commitment has value y at z (EIP-4844).
///
/// A pure function of public input; the caller charges the flat price of 50000 gas.
public enum KZGPointEvaluation {
    /// Bytes of the input: versioned hash, z, y (32 each), commitment, proof (48 each).
    public static let inputLength = 192

    /// VERSIONED_HASH_VERSION_KZG.
    private static let hashVersion: UInt8 = 0x01

    /// FIELD_ELEMENTS_PER_BLOB.
    private static let fieldElementsPerBlob = 4096

    /// [τ]G2 of the KZG ceremony of Ethereum, the second point of the setup's monomial form in G2.
    private static let tauG2Compressed: [UInt8] = [
        0xb5, 0xbf, 0xd7, 0xdd, 0x8c, 0xde, 0xb1, 0x28, 0x84, 0x3b, 0xc2, 0x87, 0x23, 0x0a, 0xf3, 0x89,
        0x26, 0x18, 0x70, 0x75, 0xcb, 0xfb, 0xef, 0xa8, 0x10, 0x09, 0xa2, 0xce, 0x61, 0x5a, 0xc5, 0x3d,
        0x29, 0x14, 0xe5, 0x87, 0x0c, 0xb4, 0x52, 0xd2, 0xaf, 0xaa, 0xab, 0x24, 0xf3, 0x49, 0x9f, 0x72,
        0x18, 0x5c, 0xbf, 0xee, 0x53, 0x49, 0x27, 0x14, 0x73, 0x44, 0x29, 0xb7, 0xb3, 0x86, 0x08, 0xe2,
        0x39, 0x26, 0xc9, 0x11, 0xcc, 0xec, 0xea, 0xc9, 0xa3, 0x68, 0x51, 0x47, 0x7b, 0xa4, 0xc6, 0x0b,
        0x08, 0x70, 0x41, 0xde, 0x62, 0x10, 0x00, 0xed, 0xc9, 0x8e, 0xda, 0xda, 0x20, 0xc1, 0xde, 0xf2,
    ]

    private static let tauG2: BLS12381G2 = {
        guard let point = BLS12381Compression.decodeG2(tauG2Compressed) else {
            preconditionFailure("the ceremony's point is not in G2")
        }
        return point
    }()

    /// FIELD_ELEMENTS_PER_BLOB and BLS_MODULUS, 32 bytes each, if the proof holds.
    ///
    /// Nil if the length is not 192, the versioned hash is not the commitment's, z or y is not below the group order,
    /// a point is not a valid compressed point of G1, or the proof does not hold.
    public static func run(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == inputLength else { return nil }
        let commitmentBytes = Array(input[96..<144])
        guard versionedHash(commitmentBytes) == Array(input[0..<32]) else { return nil }
        let z = Limbs256(bigEndian: input, at: 32)
        let y = Limbs256(bigEndian: input, at: 64)
        guard z.isLess(than: BLS12381ScalarModulus.modulus), y.isLess(than: BLS12381ScalarModulus.modulus),
            let commitment = BLS12381Compression.decodeG1(commitmentBytes),
            let proof = BLS12381Compression.decodeG1(Array(input[144..<192]))
        else { return nil }
        guard verify(commitment: commitment, z: z, y: y, proof: proof) else { return nil }
        var result = [UInt8](repeating: 0, count: 32)
        result[30] = UInt8(fieldElementsPerBlob >> 8)
        result[31] = UInt8(fieldElementsPerBlob & 0xff)
        return result + BLS12381ScalarModulus.modulus.bigEndianBytes
    }

    /// Whether e(C - [y]G1, G2) = e(π, [τ - z]G2).
    ///
    /// Written as e(C - [y]G1 + [z]π, -G2) · e(π, [τ]G2) = 1, so that both points of G2 are constants.
    private static func verify(commitment: BLS12381G1, z: Limbs256, y: Limbs256, proof: BLS12381G1) -> Bool {
        let left = JacobianPoint.sum(of: [(-BLS12381Curve.g1Generator, y), (proof, z)]).adding(commitment)
        return BLS12381Pairing.productIsOne([(left.affine, -BLS12381Curve.g2Generator), (proof, tauG2)])
    }

    /// The version byte and the last 31 bytes of SHA-256 of the commitment.
    package static func versionedHash(_ commitment: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        _ = SHA256(commitment, commitment.count, &digest)
        digest[0] = hashVersion
        return digest
    }
}
