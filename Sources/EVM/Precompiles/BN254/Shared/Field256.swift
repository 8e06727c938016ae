/// A prime field of four limbs, by word-interleaved Montgomery multiplication (CIOS).
///
/// Not constant time: every input of the precompiles is public.
package struct Field256<Modulus: MontgomeryModulus>: PrimeField where Modulus.Limbs == Limbs256 {
    package var montgomery: Limbs256

    @inline(__always)
    package init(montgomery: Limbs256) {
        self.montgomery = montgomery
    }

    @inline(__always)
    package static func * (a: Field256, b: Field256) -> Field256 {
        var t = Limbs256.zero
        addRow(&t, a.montgomery, b.montgomery.l0)
        addRow(&t, a.montgomery, b.montgomery.l1)
        addRow(&t, a.montgomery, b.montgomery.l2)
        addRow(&t, a.montgomery, b.montgomery.l3)
        return Field256(reducing: t)
    }

    @inline(__always)
    package func squared() -> Field256 { self * self }

    /// t = (t + a · b + m · p) / 2^64 with m chosen to make the division exact.
    ///
    /// With t < 2p and a < p the result is below 2p again, so the two carries of the top limb add up without overflow
    /// as 2p fits in the limbs.
    @inline(__always)
    private static func addRow(_ t: inout Limbs256, _ a: Limbs256, _ b: UInt64) {
        let p = Modulus.modulus
        var carry: UInt64 = 0
        var reduction: UInt64 = 0
        let t0 = multiplyAdd(t.l0, a.l0, b, &carry)
        let m = t0 &* Modulus.negativeInverse
        _ = multiplyAdd(t0, m, p.l0, &reduction)
        let t1 = multiplyAdd(t.l1, a.l1, b, &carry)
        t.l0 = multiplyAdd(t1, m, p.l1, &reduction)
        let t2 = multiplyAdd(t.l2, a.l2, b, &carry)
        t.l1 = multiplyAdd(t2, m, p.l2, &reduction)
        let t3 = multiplyAdd(t.l3, a.l3, b, &carry)
        t.l2 = multiplyAdd(t3, m, p.l3, &reduction)
        t.l3 = carry &+ reduction
    }
}

extension Field256: TowerBase where Modulus: RoomyModulus {
    @inline(__always)
    package static func inlineProduct(_ a: Field256, _ b: Field256) -> Field256 { a * b }

    @inline(__always)
    package static func sumOfProducts(_ a: Field256, _ b: Field256, _ c: Field256, _ d: Field256) -> Field256 {
        var t = Limbs256.zero
        addRows(&t, a.montgomery, b.montgomery.l0, c.montgomery, d.montgomery.l0)
        addRows(&t, a.montgomery, b.montgomery.l1, c.montgomery, d.montgomery.l1)
        addRows(&t, a.montgomery, b.montgomery.l2, c.montgomery, d.montgomery.l2)
        addRows(&t, a.montgomery, b.montgomery.l3, c.montgomery, d.montgomery.l3)
        return Field256(reducing: t)
    }

    /// As `addRow` with two products. t stays below 3p < R; at the end t < (2p² + R · p) / R < 2p as p < R/4.
    @inline(__always)
    private static func addRows(_ t: inout Limbs256, _ a: Limbs256, _ b: UInt64, _ c: Limbs256, _ d: UInt64) {
        let p = Modulus.modulus
        var first: UInt64 = 0
        var second: UInt64 = 0
        var reduction: UInt64 = 0
        let t0 = multiplyAdd(multiplyAdd(t.l0, a.l0, b, &first), c.l0, d, &second)
        let m = t0 &* Modulus.negativeInverse
        _ = multiplyAdd(t0, m, p.l0, &reduction)
        let t1 = multiplyAdd(multiplyAdd(t.l1, a.l1, b, &first), c.l1, d, &second)
        t.l0 = multiplyAdd(t1, m, p.l1, &reduction)
        let t2 = multiplyAdd(multiplyAdd(t.l2, a.l2, b, &first), c.l2, d, &second)
        t.l1 = multiplyAdd(t2, m, p.l2, &reduction)
        let t3 = multiplyAdd(multiplyAdd(t.l3, a.l3, b, &first), c.l3, d, &second)
        t.l2 = multiplyAdd(t3, m, p.l3, &reduction)
        t.l3 = first &+ second &+ reduction
    }
}
