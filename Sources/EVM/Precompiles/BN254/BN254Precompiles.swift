/// The precompiled contracts 0x06, 0x07 and 0x08 on the curve alt_bn128 (EIP-196, EIP-197).
///
/// Pure functions from call data to return data; nil is a failure, which consumes all gas of the call. Charging gas is
/// the caller's part. Inputs are public, so nothing is constant time.
public enum BN254Precompiles {
    /// Bytes of one (G1, G2) pair in the input of `pairing`.
    public static let pairLength = 192

    /// How many pairs `pairing` will work on, for the gas formula of EIP-197 and EIP-1108.
    public static func pairCount(_ input: [UInt8]) -> Int { input.count / pairLength }

    /// 0x06: the sum of two G1 points of 64 bytes each. Short input is padded with zeros, excess is ignored.
    ///
    /// Nil unless all coordinates are below p and both points are on the curve.
    public static func add(_ input: [UInt8]) -> [UInt8]? {
        guard let a = readG1(input, at: 0), let b = readG1(input, at: 64) else { return nil }
        return encode(a.adding(b))
    }

    /// 0x07: a G1 point of 64 bytes times a 32-byte scalar (any value). Short input is padded with zeros, excess is
    /// ignored.
    ///
    /// Nil unless the coordinates are below p and the point is on the curve.
    public static func mul(_ input: [UInt8]) -> [UInt8]? {
        guard let point = readG1(input, at: 0) else { return nil }
        let scalar = Limbs256(bigEndian: input, at: 64)
        return encode(JacobianPoint(point).multiplied(by: scalar).affine)
    }

    /// 0x08: 32 bytes with the value 1 if the product of the pairings of all pairs is 1, else 0.
    ///
    /// Nil unless the length is a multiple of 192, coordinates are below p, points are on their curves and the second
    /// of each pair has order r. Empty input gives 1.
    public static func pairing(_ input: [UInt8]) -> [UInt8]? {
        guard input.count.isMultiple(of: pairLength) else { return nil }
        var pairs: [(p: BN254G1, q: BN254G2)] = []
        pairs.reserveCapacity(pairCount(input))
        for offset in stride(from: 0, to: input.count, by: pairLength) {
            guard let p = readG1(input, at: offset), let q = readG2(input, at: offset + 64) else { return nil }
            pairs.append((p, q))
        }
        var result = [UInt8](repeating: 0, count: 32)
        result[31] = BN254Pairing.productIsOne(pairs) ? 1 : 0
        return result
    }

    /// A point of the curve at `offset`, zeros standing for bytes beyond the end; (0, 0) is the neutral element.
    private static func readG1(_ input: [UInt8], at offset: Int) -> BN254G1? {
        guard let x = readFp(input, at: offset), let y = readFp(input, at: offset + 32) else { return nil }
        if x.isZero && y.isZero { return .infinity }
        let point = BN254G1(x: x, y: y)
        return point.isOnCurve(b: BN254Curve.b) ? point : nil
    }

    /// A point of G2 at `offset`. EIP-197 writes an element of Fp2 with the coefficient of u first.
    private static func readG2(_ input: [UInt8], at offset: Int) -> BN254G2? {
        guard let x1 = readFp(input, at: offset), let x0 = readFp(input, at: offset + 32),
            let y1 = readFp(input, at: offset + 64), let y0 = readFp(input, at: offset + 96)
        else { return nil }
        let point = BN254G2(x: Fp2(x0, x1), y: Fp2(y0, y1))
        if point.x.isZero && point.y.isZero { return .infinity }
        guard point.isOnCurve(b: BN254Curve.twistB), BN254Pairing.isInSubgroup(point) else { return nil }
        return point
    }

    private static func readFp(_ input: [UInt8], at offset: Int) -> BN254Fp? {
        BN254Fp(canonical: Limbs256(bigEndian: input, at: offset))
    }

    private static func encode(_ point: BN254G1) -> [UInt8] {
        point.isInfinity
            ? [UInt8](repeating: 0, count: 64)
            : point.x.canonical.bigEndianBytes + point.y.canonical.bigEndianBytes
    }
}
