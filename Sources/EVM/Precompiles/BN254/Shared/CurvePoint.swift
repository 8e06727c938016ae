/// A point of y² = x³ + b in affine coordinates. Whether it lies on the curve is for the maker of the point to check.
package struct AffinePoint<Field: FieldElement>: Equatable, Sendable {
    package var x: Field
    package var y: Field
    /// The neutral element; x and y are then zero.
    package var isInfinity: Bool

    /// A finite point.
    package init(x: Field, y: Field) {
        self.x = x
        self.y = y
        isInfinity = false
    }

    private init() {
        x = .zero
        y = .zero
        isInfinity = true
    }

    package static var infinity: AffinePoint { AffinePoint() }

    package static prefix func - (a: AffinePoint) -> AffinePoint {
        a.isInfinity ? a : AffinePoint(x: a.x, y: -a.y)
    }

    /// Whether the point satisfies y² = x³ + b.
    package func isOnCurve(b: Field) -> Bool {
        isInfinity || y.squared() == x.squared() * x + b
    }

    /// The sum, in affine coordinates (one inversion).
    package func adding(_ other: AffinePoint) -> AffinePoint {
        if isInfinity { return other }
        if other.isInfinity { return self }
        let slope: Field
        if x == other.x {
            guard y == other.y, !y.isZero else { return .infinity }
            let square = x.squared()
            slope = (square.doubled() + square) * y.doubled().inverted()
        } else {
            slope = (other.y - y) * (other.x - x).inverted()
        }
        let sumX = slope.squared() - x - other.x
        return AffinePoint(x: sumX, y: slope * (x - sumX) - y)
    }
}

/// A point of y² = x³ + b in Jacobian coordinates: (X/Z², Y/Z³), or the neutral element if Z = 0.
///
/// The formulas do not use b. Names of formulas are those of the Explicit-Formulas Database (a = 0).
package struct JacobianPoint<Field: FieldElement>: Sendable {
    package var x: Field
    package var y: Field
    package var z: Field

    @inline(__always)
    package init(x: Field, y: Field, z: Field) {
        self.x = x
        self.y = y
        self.z = z
    }

    package init(_ affine: AffinePoint<Field>) {
        self.init(x: affine.x, y: affine.y, z: affine.isInfinity ? .zero : .one)
        if affine.isInfinity { y = .one }
    }

    package static var infinity: JacobianPoint { JacobianPoint(x: .zero, y: .one, z: .zero) }

    package var isInfinity: Bool { z.isZero }

    package static prefix func - (a: JacobianPoint) -> JacobianPoint { JacobianPoint(x: a.x, y: -a.y, z: a.z) }

    /// The affine form (one inversion).
    package var affine: AffinePoint<Field> {
        if isInfinity { return .infinity }
        let inverse = z.inverted()
        let square = inverse.squared()
        return AffinePoint(x: x * square, y: y * square * inverse)
    }

    /// Whether both are the same point.
    package func represents(_ other: JacobianPoint) -> Bool {
        if isInfinity || other.isInfinity { return isInfinity && other.isInfinity }
        let z1 = z.squared()
        let z2 = other.z.squared()
        return x * z2 == other.x * z1 && y * z2 * other.z == other.y * z1 * z
    }

    /// dbl-2009-l. Right for the neutral element; no point here has order 2 (and if one had, Z becomes 0 as it should).
    @inline(never)
    package func doubled() -> JacobianPoint {
        let a = x.squared()
        let b = y.squared()
        let c = b.squared()
        let d = ((x + b).squared() - a - c).doubled()
        let e = a.doubled() + a
        let x3 = e.squared() - d.doubled()
        return JacobianPoint(x: x3, y: e * (d - x3) - c.doubled().doubled().doubled(), z: (y * z).doubled())
    }

    /// add-2007-bl.
    @inline(never)
    package func adding(_ other: JacobianPoint) -> JacobianPoint {
        if isInfinity { return other }
        if other.isInfinity { return self }
        let z1z1 = z.squared()
        let z2z2 = other.z.squared()
        let u1 = x * z2z2
        let u2 = other.x * z1z1
        let s1 = y * other.z * z2z2
        let s2 = other.y * z * z1z1
        let h = u2 - u1
        let difference = s2 - s1
        if h.isZero { return difference.isZero ? doubled() : .infinity }
        let i = h.doubled().squared()
        let j = h * i
        let r = difference.doubled()
        let v = u1 * i
        let x3 = r.squared() - j - v.doubled()
        return JacobianPoint(
            x: x3, y: r * (v - x3) - (s1 * j).doubled(), z: ((z + other.z).squared() - z1z1 - z2z2) * h)
    }

    /// madd-2007-bl.
    @inline(never)
    package func adding(_ other: AffinePoint<Field>) -> JacobianPoint {
        if other.isInfinity { return self }
        if isInfinity { return JacobianPoint(other) }
        let z1z1 = z.squared()
        let h = other.x * z1z1 - x
        let difference = other.y * z * z1z1 - y
        if h.isZero { return difference.isZero ? doubled() : .infinity }
        let hh = h.squared()
        let i = hh.doubled().doubled()
        let j = h * i
        let r = difference.doubled()
        let v = x * i
        let x3 = r.squared() - j - v.doubled()
        return JacobianPoint(x: x3, y: r * (v - x3) - (y * j).doubled(), z: (z + h).squared() - z1z1 - hh)
    }
}
