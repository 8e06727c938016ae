/// The running point T of a Miller loop, on the twist, in homogeneous projective coordinates.
///
/// Each step moves T and gives the line through the points met, up to factors in Fp2 (which the final exponentiation
/// removes): Costello, Lange, Naehrig 2010 in the form of Aranha et al., "Faster explicit formulas for computing
/// pairings over ordinary curves", 2011, section 4.
package struct TwistAccumulator<Curve: PairingCurve>: Sendable {
    package typealias Element = Fp2<Curve.Base>

    /// A line: `constant` stands alone, `x` is to be scaled by the G1 point's x and `y` by its y.
    package struct Line: Sendable {
        package var constant: Element
        package var x: Element
        package var y: Element
    }

    private var x: Element
    private var y: Element
    private var z: Element

    /// Starts at a finite point.
    package init(_ point: AffinePoint<Element>) {
        x = point.x
        y = point.y
        z = .one
    }

    /// T = 2T; the tangent at the old T.
    @inline(never)
    package mutating func double() -> Line {
        let a = (x * y).halved()
        let b = y.squared()
        let c = z.squared()
        let e = Curve.multiplyByTwistB(c.doubled() + c)
        let f = e.doubled() + e
        let g = (b + f).halved()
        let h = (y + z).squared() - (b + c)
        let square = x.squared()
        let ee = e.squared()
        x = a * (b - f)
        y = g.squared() - (ee.doubled() + ee)
        z = b * h
        return Line(constant: e - b, x: square.doubled() + square, y: -h)
    }

    /// T = T + Q for a finite Q; the line through the old T and Q.
    @inline(never)
    package mutating func add(_ q: AffinePoint<Element>) -> Line {
        let theta = y - q.y * z
        let lambda = x - q.x * z
        let c = theta.squared()
        let d = lambda.squared()
        let e = lambda * d
        let f = z * c
        let g = x * d
        let h = e + f - g.doubled()
        x = lambda * h
        y = theta * (g - h) - e * y
        z = z * e
        return Line(constant: theta * q.x - lambda * q.y, x: -theta, y: lambda)
    }
}
