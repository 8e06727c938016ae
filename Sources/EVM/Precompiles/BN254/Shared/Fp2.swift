/// Fp2 = Fp[u]/(u² + 1); c0 + c1 · u.
package struct Fp2<Base: TowerBase>: FieldElement {
    package var c0: Base
    package var c1: Base

    @inline(__always)
    package init(_ c0: Base, _ c1: Base) {
        self.c0 = c0
        self.c1 = c1
    }

    @inline(__always)
    package static var zero: Fp2 { Fp2(.zero, .zero) }
    @inline(__always)
    package static var one: Fp2 { Fp2(.one, .zero) }

    // Additions are not inlined either: code size, and with it compile time, would double for a few per cent of speed.
    @inline(never)
    package static func + (a: Fp2, b: Fp2) -> Fp2 { Fp2(a.c0 + b.c0, a.c1 + b.c1) }
    @inline(never)
    package static func - (a: Fp2, b: Fp2) -> Fp2 { Fp2(a.c0 - b.c0, a.c1 - b.c1) }
    @inline(__always)
    package static prefix func - (a: Fp2) -> Fp2 { Fp2(-a.c0, -a.c1) }

    /// Four word products and two reductions: as many word products as Karatsuba's three products and three reductions,
    /// without its additions. Not inlined: the towers would not fit the instruction cache.
    @inline(never)
    package static func * (a: Fp2, b: Fp2) -> Fp2 {
        Fp2(
            Base.sumOfProducts(a.c0, b.c0, a.c1.looseNegation, b.c1),
            Base.sumOfProducts(a.c0, b.c1, a.c1, b.c0))
    }

    /// (c0 + c1)(c0 - c1) + 2 · c0 · c1 · u.
    @inline(never)
    package func squared() -> Fp2 {
        Fp2(Base.inlineProduct(c0 + c1, c0 - c1), Base.inlineProduct(c0.doubled(), c1))
    }

    @inline(never)
    package func doubled() -> Fp2 { Fp2(c0.doubled(), c1.doubled()) }

    @inline(__always)
    package func halved() -> Fp2 { Fp2(c0.halved(), c1.halved()) }

    /// The image under the Frobenius map of Fp2: u^p = -u as p ≡ 3 (mod 4).
    @inline(__always)
    package var conjugate: Fp2 { Fp2(c0, -c1) }

    /// Product with an element of Fp.
    @inline(never)
    package func scaled(by factor: Base) -> Fp2 {
        Fp2(Base.inlineProduct(c0, factor), Base.inlineProduct(c1, factor))
    }

    package func inverted() -> Fp2 {
        let norm = Base.sumOfProducts(c0, c0, c1, c1).inverted()
        return Fp2(c0 * norm, -(c1 * norm))
    }

    /// A square root, or nil if there is none.
    ///
    /// With d = √(norm), the root is x + y · u where x² = (c0 ± d)/2 and y = c1 / 2x; exactly one sign gives a square
    /// in Fp when c1 ≠ 0, as the product of both candidates is -c1²/4 and -1 is no square.
    package func squareRoot() -> Fp2? {
        if c1.isZero {
            if let root = c0.squareRoot() { return Fp2(root, .zero) }
            // -1 is no square, so -c0 is one and (√(-c0) · u)² = c0.
            return (-c0).squareRoot().map { Fp2(.zero, $0) }
        }
        guard let d = Base.sumOfProducts(c0, c0, c1, c1).squareRoot() else { return nil }
        guard let x = (c0 + d).halved().squareRoot() ?? (c0 - d).halved().squareRoot() else { return nil }
        return Fp2(x, c1.halved() * x.inverted())
    }
}
