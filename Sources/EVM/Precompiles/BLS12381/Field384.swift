/// A prime field of six limbs, by word-interleaved Montgomery multiplication (CIOS): `Field256` with two limbs more.
///
/// Not constant time: every input of the precompiles is public.
package struct Field384<Modulus: RoomyModulus>: TowerBase where Modulus.Limbs == Limbs384 {
    package var montgomery: Limbs384

    @inline(__always)
    package init(montgomery: Limbs384) {
        self.montgomery = montgomery
    }

    /// Not inlined, as at some 430 instructions it would crowd out the callers.
    @inline(never)
    package static func * (a: Field384, b: Field384) -> Field384 { inlineProduct(a, b) }

    @inline(__always)
    package static func inlineProduct(_ a: Field384, _ b: Field384) -> Field384 {
        var t = Limbs384.zero
        addRow(&t, a.montgomery, b.montgomery.l0)
        addRow(&t, a.montgomery, b.montgomery.l1)
        addRow(&t, a.montgomery, b.montgomery.l2)
        addRow(&t, a.montgomery, b.montgomery.l3)
        addRow(&t, a.montgomery, b.montgomery.l4)
        addRow(&t, a.montgomery, b.montgomery.l5)
        return Field384(reducing: t)
    }

    @inline(__always)
    package func squared() -> Field384 { self * self }

    /// t = (t + a · b + m · p) / 2^64 with m chosen to make the division exact; t stays below 2p.
    @inline(__always)
    private static func addRow(_ t: inout Limbs384, _ a: Limbs384, _ b: UInt64) {
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
        let t4 = multiplyAdd(t.l4, a.l4, b, &carry)
        t.l3 = multiplyAdd(t4, m, p.l4, &reduction)
        let t5 = multiplyAdd(t.l5, a.l5, b, &carry)
        t.l4 = multiplyAdd(t5, m, p.l5, &reduction)
        t.l5 = carry &+ reduction
    }

    @inline(__always)
    package static func sumOfProducts(_ a: Field384, _ b: Field384, _ c: Field384, _ d: Field384) -> Field384 {
        var t = Limbs384.zero
        addRows(&t, a.montgomery, b.montgomery.l0, c.montgomery, d.montgomery.l0)
        addRows(&t, a.montgomery, b.montgomery.l1, c.montgomery, d.montgomery.l1)
        addRows(&t, a.montgomery, b.montgomery.l2, c.montgomery, d.montgomery.l2)
        addRows(&t, a.montgomery, b.montgomery.l3, c.montgomery, d.montgomery.l3)
        addRows(&t, a.montgomery, b.montgomery.l4, c.montgomery, d.montgomery.l4)
        addRows(&t, a.montgomery, b.montgomery.l5, c.montgomery, d.montgomery.l5)
        return Field384(reducing: t)
    }

    /// As `addRow` with two products; t stays below 3p < R, and ends below 2p as p < R/4.
    @inline(__always)
    private static func addRows(_ t: inout Limbs384, _ a: Limbs384, _ b: UInt64, _ c: Limbs384, _ d: UInt64) {
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
        let t4 = multiplyAdd(multiplyAdd(t.l4, a.l4, b, &first), c.l4, d, &second)
        t.l3 = multiplyAdd(t4, m, p.l4, &reduction)
        let t5 = multiplyAdd(multiplyAdd(t.l5, a.l5, b, &first), c.l5, d, &second)
        t.l4 = multiplyAdd(t5, m, p.l5, &reduction)
        t.l5 = first &+ second &+ reduction
    }
}
