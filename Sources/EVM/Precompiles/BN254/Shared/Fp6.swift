/// Fp6 = Fp2[v]/(v³ - ξ); c0 + c1 · v + c2 · v².
package struct Fp6<Curve: PairingCurve>: FieldElement {
    package typealias Element = Fp2<Curve.Base>

    package var c0: Element
    package var c1: Element
    package var c2: Element

    @inline(__always)
    package init(_ c0: Element, _ c1: Element, _ c2: Element) {
        self.c0 = c0
        self.c1 = c1
        self.c2 = c2
    }

    package static var zero: Fp6 { Fp6(.zero, .zero, .zero) }
    package static var one: Fp6 { Fp6(.one, .zero, .zero) }

    @inline(__always)
    package static func + (a: Fp6, b: Fp6) -> Fp6 { Fp6(a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2) }
    @inline(__always)
    package static func - (a: Fp6, b: Fp6) -> Fp6 { Fp6(a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2) }
    @inline(__always)
    package static prefix func - (a: Fp6) -> Fp6 { Fp6(-a.c0, -a.c1, -a.c2) }
    @inline(__always)
    package func doubled() -> Fp6 { Fp6(c0.doubled(), c1.doubled(), c2.doubled()) }

    /// Karatsuba: six products in Fp2 (Devegili, Ó hÉigeartaigh, Scott, Dahab 2006, section 4).
    @inline(never)
    package static func * (a: Fp6, b: Fp6) -> Fp6 {
        let t0 = a.c0 * b.c0
        let t1 = a.c1 * b.c1
        let t2 = a.c2 * b.c2
        let r0 = (a.c1 + a.c2) * (b.c1 + b.c2) - t1 - t2
        let r1 = (a.c0 + a.c1) * (b.c0 + b.c1) - t0 - t1
        let r2 = (a.c0 + a.c2) * (b.c0 + b.c2) - t0 - t2
        return Fp6(Curve.multiplyByXi(r0) + t0, r1 + Curve.multiplyByXi(t2), r2 + t1)
    }

    /// Chung and Hasan's squaring SQR2: two products and three squarings in Fp2.
    @inline(never)
    package func squared() -> Fp6 {
        let s0 = c0.squared()
        let s1 = (c0 * c1).doubled()
        let s2 = (c0 - c1 + c2).squared()
        let s3 = (c1 * c2).doubled()
        let s4 = c2.squared()
        return Fp6(Curve.multiplyByXi(s3) + s0, Curve.multiplyByXi(s4) + s1, s1 + s2 + s3 - s0 - s4)
    }

    /// Product with v.
    @inline(__always)
    package func multipliedByV() -> Fp6 { Fp6(Curve.multiplyByXi(c2), c0, c1) }

    /// Product with an element of Fp2.
    @inline(never)
    package func scaled(by factor: Element) -> Fp6 { Fp6(c0 * factor, c1 * factor, c2 * factor) }

    /// Product with b0 + b1 · v: five products in Fp2.
    @inline(never)
    package func multiplied(b0: Element, b1: Element) -> Fp6 {
        let t0 = c0 * b0
        let t1 = c1 * b1
        let r0 = (c1 + c2) * b1 - t1
        let r1 = (c0 + c1) * (b0 + b1) - t0 - t1
        let r2 = (c0 + c2) * b0 - t0 + t1
        return Fp6(Curve.multiplyByXi(r0) + t0, r1, r2)
    }

    /// Product with b1 · v.
    @inline(never)
    package func multiplied(b1: Element) -> Fp6 {
        Fp6(Curve.multiplyByXi(c2 * b1), c0 * b1, c1 * b1)
    }

    package func inverted() -> Fp6 {
        let t0 = c0.squared() - Curve.multiplyByXi(c1 * c2)
        let t1 = Curve.multiplyByXi(c2.squared()) - c0 * c1
        let t2 = c1.squared() - c0 * c2
        let norm = c0 * t0 + Curve.multiplyByXi(c2 * t1 + c1 * t2)
        return Fp6(t0, t1, t2).scaled(by: norm.inverted())
    }
}
