/// The precompiled contracts 0x0b to 0x11 on the curve BLS12-381 (EIP-2537).
///
/// Pure functions from call data to return data; nil is a failure, which consumes all gas of the call. Charging gas is
/// the caller's part. Inputs are public, so nothing is constant time.
public enum BLS12381Precompiles {
    /// Bytes of an encoded G1 point: two field elements of 64 bytes, the first 16 of each zero.
    public static let g1Length = 128
    /// Bytes of an encoded G2 point: four field elements.
    public static let g2Length = 256
    /// Bytes of an encoded field element.
    public static let fieldLength = 64
    /// Bytes of a (G1, scalar) pair.
    public static let g1MultiplicationLength = 160
    /// Bytes of a (G2, scalar) pair.
    public static let g2MultiplicationLength = 288
    /// Bytes of a (G1, G2) pair.
    public static let pairLength = 384

    /// 0x0b: the sum of two points of the curve, which need not be in G1.
    public static func g1Add(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == 2 * g1Length, let a = readG1(input, at: 0), let b = readG1(input, at: g1Length)
        else { return nil }
        return encode(a.adding(b))
    }

    /// 0x0c: the sum of scalar multiples of points of G1; at least one pair. Scalars may exceed the order.
    public static func g1MSM(_ input: [UInt8]) -> [UInt8]? {
        guard let sum = multiplyAndAdd(input, pointLength: g1Length, read: readG1, BLS12381Subgroups.contains)
        else { return nil }
        return encode(sum)
    }

    /// 0x0d: the sum of two points of the twist, which need not be in G2.
    public static func g2Add(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == 2 * g2Length, let a = readG2(input, at: 0), let b = readG2(input, at: g2Length)
        else { return nil }
        return encode(a.adding(b))
    }

    /// 0x0e: the sum of scalar multiples of points of G2; at least one pair. Scalars may exceed the order.
    public static func g2MSM(_ input: [UInt8]) -> [UInt8]? {
        guard let sum = multiplyAndAdd(input, pointLength: g2Length, read: readG2, BLS12381Subgroups.contains)
        else { return nil }
        return encode(sum)
    }

    /// 0x0f: 32 bytes with the value 1 if the product of the pairings is 1, else 0; at least one pair, points in
    /// their subgroups.
    public static func pairing(_ input: [UInt8]) -> [UInt8]? {
        guard !input.isEmpty, input.count.isMultiple(of: pairLength) else { return nil }
        var pairs: [(p: BLS12381G1, q: BLS12381G2)] = []
        pairs.reserveCapacity(input.count / pairLength)
        for offset in stride(from: 0, to: input.count, by: pairLength) {
            guard let p = readG1(input, at: offset), BLS12381Subgroups.contains(p),
                let q = readG2(input, at: offset + g1Length), BLS12381Subgroups.contains(q)
            else { return nil }
            pairs.append((p, q))
        }
        var result = [UInt8](repeating: 0, count: 32)
        result[31] = BLS12381Pairing.productIsOne(pairs) ? 1 : 0
        return result
    }

    /// 0x10: a field element mapped to G1.
    public static func mapFpToG1(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == fieldLength, let u = readFp(input, at: 0) else { return nil }
        return encode(BLS12381MapToCurve.mapToG1(u))
    }

    /// 0x11: an element of Fp2 mapped to G2.
    public static func mapFp2ToG2(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == 2 * fieldLength, let u = readFp2(input, at: 0) else { return nil }
        return encode(BLS12381MapToCurve.mapToG2(u))
    }

    private static func multiplyAndAdd<F: FieldElement>(
        _ input: [UInt8], pointLength: Int, read: ([UInt8], Int) -> AffinePoint<F>?,
        _ isInSubgroup: (AffinePoint<F>) -> Bool
    ) -> AffinePoint<F>? {
        let termLength = pointLength + 32
        guard !input.isEmpty, input.count.isMultiple(of: termLength) else { return nil }
        var terms: [(point: AffinePoint<F>, scalar: Limbs256)] = []
        terms.reserveCapacity(input.count / termLength)
        for offset in stride(from: 0, to: input.count, by: termLength) {
            guard let point = read(input, offset), isInSubgroup(point) else { return nil }
            terms.append((point, Limbs256(bigEndian: input, at: offset + pointLength)))
        }
        return JacobianPoint.sum(of: terms).affine
    }

    private static func readFp(_ input: [UInt8], at offset: Int) -> BLS12381Fp? {
        guard offset + fieldLength <= input.count, input[offset..<(offset + 16)].allSatisfy({ $0 == 0 })
        else { return nil }
        return BLS12381Fp(canonical: Limbs384(bigEndian: input, at: offset + 16))
    }

    /// EIP-2537 writes an element of Fp2 with the constant coefficient first.
    private static func readFp2(_ input: [UInt8], at offset: Int) -> BLS12381Fp2? {
        guard let c0 = readFp(input, at: offset), let c1 = readFp(input, at: offset + fieldLength)
        else { return nil }
        return Fp2(c0, c1)
    }

    /// A point of the curve; all zeros is the neutral element.
    private static func readG1(_ input: [UInt8], at offset: Int) -> BLS12381G1? {
        guard let x = readFp(input, at: offset), let y = readFp(input, at: offset + fieldLength) else { return nil }
        if x.isZero && y.isZero { return .infinity }
        let point = BLS12381G1(x: x, y: y)
        return point.isOnCurve(b: BLS12381Curve.b) ? point : nil
    }

    /// A point of the twist; all zeros is the neutral element.
    private static func readG2(_ input: [UInt8], at offset: Int) -> BLS12381G2? {
        guard let x = readFp2(input, at: offset), let y = readFp2(input, at: offset + 2 * fieldLength)
        else { return nil }
        if x.isZero && y.isZero { return .infinity }
        let point = BLS12381G2(x: x, y: y)
        return point.isOnCurve(b: BLS12381Curve.twistB) ? point : nil
    }

    private static func encode(_ element: BLS12381Fp) -> [UInt8] {
        [UInt8](repeating: 0, count: 16) + element.canonical.bigEndianBytes
    }

    private static func encode(_ point: BLS12381G1) -> [UInt8] {
        point.isInfinity ? [UInt8](repeating: 0, count: g1Length) : encode(point.x) + encode(point.y)
    }

    private static func encode(_ point: BLS12381G2) -> [UInt8] {
        point.isInfinity
            ? [UInt8](repeating: 0, count: g2Length)
            : encode(point.x.c0) + encode(point.x.c1) + encode(point.y.c0) + encode(point.y.c1)
    }
}
