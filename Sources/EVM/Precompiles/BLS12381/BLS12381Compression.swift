/// The compressed point format of BLS12-381 (draft-irtf-cfrg-pairing-friendly-curves, appendix C; used by EIP-4844):
/// x big-endian, its three spare bits being "compressed", "infinity" and "y is the greater root".
package enum BLS12381Compression {
    /// Bytes of a compressed G1 point.
    package static let g1Length = 48
    /// Bytes of a compressed G2 point, the coefficient of u first.
    package static let g2Length = 96

    /// The point in `bytes`, checked to be canonical, on the curve and in G1; nil otherwise.
    package static func decodeG1(_ bytes: [UInt8]) -> BLS12381G1? {
        guard bytes.count == g1Length, let flags = Flags(bytes) else { return nil }
        let cleared = flags.cleared(bytes)
        if flags.isInfinity { return flags.isGreater || cleared.contains { $0 != 0 } ? nil : .infinity }
        guard let x = BLS12381Fp(canonical: Limbs384(bigEndian: cleared)),
            let y = (x.squared() * x + BLS12381Curve.b).squareRoot()
        else { return nil }
        let point = BLS12381G1(x: x, y: isGreater(y) == flags.isGreater ? y : -y)
        return BLS12381Subgroups.contains(point) ? point : nil
    }

    /// The point in `bytes`, checked to be canonical, on the twist and in G2; nil otherwise.
    package static func decodeG2(_ bytes: [UInt8]) -> BLS12381G2? {
        guard bytes.count == g2Length, let flags = Flags(bytes) else { return nil }
        let cleared = flags.cleared(bytes)
        if flags.isInfinity { return flags.isGreater || cleared.contains { $0 != 0 } ? nil : .infinity }
        guard let x1 = BLS12381Fp(canonical: Limbs384(bigEndian: cleared)),
            let x0 = BLS12381Fp(canonical: Limbs384(bigEndian: cleared, at: 48))
        else { return nil }
        let x = Fp2(x0, x1)
        guard let y = (x.squared() * x + BLS12381Curve.twistB).squareRoot() else { return nil }
        let point = BLS12381G2(x: x, y: isGreater(y) == flags.isGreater ? y : -y)
        return BLS12381Subgroups.contains(point) ? point : nil
    }

    /// The compressed form of a point of G1.
    package static func encode(_ point: BLS12381G1) -> [UInt8] {
        if point.isInfinity { return [0xc0] + [UInt8](repeating: 0, count: g1Length - 1) }
        var bytes = point.x.canonical.bigEndianBytes
        bytes[0] |= isGreater(point.y) ? 0xa0 : 0x80
        return bytes
    }

    /// The compressed form of a point of G2.
    package static func encode(_ point: BLS12381G2) -> [UInt8] {
        if point.isInfinity { return [0xc0] + [UInt8](repeating: 0, count: g2Length - 1) }
        var bytes = point.x.c1.canonical.bigEndianBytes + point.x.c0.canonical.bigEndianBytes
        bytes[0] |= isGreater(point.y) ? 0xa0 : 0x80
        return bytes
    }

    /// Whether y > -y as integers; false for zero.
    private static func isGreater(_ y: BLS12381Fp) -> Bool {
        (-y).canonical.isLess(than: y.canonical)
    }

    /// Whether y > -y, comparing the coefficient of u first.
    private static func isGreater(_ y: BLS12381Fp2) -> Bool {
        y.c1.isZero ? isGreater(y.c0) : isGreater(y.c1)
    }

    /// The three spare bits; nil if the form is not the compressed one.
    private struct Flags {
        var isInfinity: Bool
        var isGreater: Bool

        init?(_ bytes: [UInt8]) {
            guard let first = bytes.first, first & 0x80 != 0 else { return nil }
            isInfinity = first & 0x40 != 0
            isGreater = first & 0x20 != 0
        }

        func cleared(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            bytes[0] &= 0x1f
            return bytes
        }
    }
}
