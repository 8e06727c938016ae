/// Fp12 = Fp6[w]/(w² - v); c0 + c1 · w. The target group of the pairings lies in it.
package struct Fp12<Curve: PairingCurve>: FieldElement {
    package typealias Element = Fp2<Curve.Base>

    package var c0: Fp6<Curve>
    package var c1: Fp6<Curve>

    package init(_ c0: Fp6<Curve>, _ c1: Fp6<Curve>) {
        self.c0 = c0
        self.c1 = c1
    }

    package static var zero: Fp12 { Fp12(.zero, .zero) }
    package static var one: Fp12 { Fp12(.one, .zero) }

    package static func + (a: Fp12, b: Fp12) -> Fp12 { Fp12(a.c0 + b.c0, a.c1 + b.c1) }
    package static func - (a: Fp12, b: Fp12) -> Fp12 { Fp12(a.c0 - b.c0, a.c1 - b.c1) }
    package static prefix func - (a: Fp12) -> Fp12 { Fp12(-a.c0, -a.c1) }
    package func doubled() -> Fp12 { Fp12(c0.doubled(), c1.doubled()) }

    @inline(never)
    package static func * (a: Fp12, b: Fp12) -> Fp12 {
        let t0 = a.c0 * b.c0
        let t1 = a.c1 * b.c1
        return Fp12(t0 + t1.multipliedByV(), (a.c0 + a.c1) * (b.c0 + b.c1) - t0 - t1)
    }

    /// Complex squaring: two products in Fp6.
    @inline(never)
    package func squared() -> Fp12 {
        let t = c0 * c1
        let s = (c0 + c1) * (c0 + c1.multipliedByV())
        return Fp12(s - t - t.multipliedByV(), t.doubled())
    }

    package func inverted() -> Fp12 {
        let norm = (c0.squared() - c1.squared().multipliedByV()).inverted()
        return Fp12(c0 * norm, -(c1 * norm))
    }

    /// The image under the p⁶ Frobenius map; the inverse for elements of the cyclotomic subgroup.
    package var conjugate: Fp12 { Fp12(c0, -c1) }

    /// Squaring in the cyclotomic subgroup (order p⁴ - p² + 1): nine squarings in Fp2
    /// (Granger and Scott, "Faster squaring in the cyclotomic subgroup of sixth degree extensions", 2010).
    @inline(never)
    package func cyclotomicSquared() -> Fp12 {
        let (a0, a1) = Fp12.squareFp4(c0.c0, c1.c1)
        let (b0, b1) = Fp12.squareFp4(c1.c0, c0.c2)
        let (d0, d1) = Fp12.squareFp4(c0.c1, c1.c2)
        let e = Curve.multiplyByXi(d1)
        return Fp12(
            Fp6((a0 - c0.c0).doubled() + a0, (b0 - c0.c1).doubled() + b0, (d0 - c0.c2).doubled() + d0),
            Fp6((e + c1.c0).doubled() + e, (a1 + c1.c1).doubled() + a1, (b1 + c1.c2).doubled() + b1))
    }

    /// (a + b · y)² in Fp4 = Fp2[y]/(y² - ξ).
    @inline(__always)
    private static func squareFp4(_ a: Element, _ b: Element) -> (Element, Element) {
        let t0 = a.squared()
        let t1 = b.squared()
        return (Curve.multiplyByXi(t1) + t0, (a + b).squared() - t0 - t1)
    }

    /// Power by a 64-bit exponent in the cyclotomic subgroup, most significant bit first.
    package func cyclotomicPower(_ exponent: UInt64) -> Fp12 {
        if exponent == 0 { return .one }
        var result = self
        for bit in stride(from: 62 - exponent.leadingZeroBitCount, through: 0, by: -1) {
            result = result.cyclotomicSquared()
            if (exponent >> UInt64(bit)) & 1 == 1 { result = result * self }
        }
        return result
    }

    /// The p-power Frobenius map: conjugates each coefficient of w^i and multiplies it with γ(1, i).
    package func frobenius1() -> Fp12 {
        let gamma = Curve.frobenius.power1
        return Fp12(
            Fp6(c0.c0.conjugate, c0.c1.conjugate * gamma[2], c0.c2.conjugate * gamma[4]),
            Fp6(c1.c0.conjugate * gamma[1], c1.c1.conjugate * gamma[3], c1.c2.conjugate * gamma[5]))
    }

    /// The p²-power Frobenius map, γ(2, i) being in Fp.
    package func frobenius2() -> Fp12 {
        let gamma = Curve.frobenius.power2
        return Fp12(
            Fp6(c0.c0, c0.c1.scaled(by: gamma[2].c0), c0.c2.scaled(by: gamma[4].c0)),
            Fp6(c1.c0.scaled(by: gamma[1].c0), c1.c1.scaled(by: gamma[3].c0), c1.c2.scaled(by: gamma[5].c0)))
    }

    /// The p³-power Frobenius map.
    package func frobenius3() -> Fp12 {
        let gamma = Curve.frobenius.power3
        return Fp12(
            Fp6(c0.c0.conjugate, c0.c1.conjugate * gamma[2], c0.c2.conjugate * gamma[4]),
            Fp6(c1.c0.conjugate * gamma[1], c1.c1.conjugate * gamma[3], c1.c2.conjugate * gamma[5]))
    }

    /// The easy part of the final exponentiation, f^((p⁶ - 1)(p² + 1)), into the cyclotomic subgroup; f must not be 0.
    package func easyExponentiation() -> Fp12 {
        let t = conjugate * inverted()
        return t.frobenius2() * t
    }

    /// Product with the line a + b · v + c · v · w of an M-type twist (places 0, 1 and 4).
    @inline(never)
    package func multipliedBySparse014(_ a: Element, _ b: Element, _ c: Element) -> Fp12 {
        let t0 = c0.multiplied(b0: a, b1: b)
        let t1 = c1.multiplied(b1: c)
        return Fp12(t0 + t1.multipliedByV(), (c0 + c1).multiplied(b0: a, b1: b + c) - t0 - t1)
    }

    /// Product with the line a + b · w + c · v · w of a D-type twist (places 0, 3 and 4).
    @inline(never)
    package func multipliedBySparse034(_ a: Element, _ b: Element, _ c: Element) -> Fp12 {
        let t0 = c0.scaled(by: a)
        let t1 = c1.multiplied(b0: b, b1: c)
        return Fp12(t0 + t1.multipliedByV(), (c0 + c1).multiplied(b0: a + b, b1: c) - t0 - t1)
    }
}
