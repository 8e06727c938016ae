/// What the towers and the curve arithmetic need of a field, prime or extension.
package protocol FieldElement: Equatable, Sendable {
    static var zero: Self { get }
    static var one: Self { get }
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static prefix func - (a: Self) -> Self
    func squared() -> Self
    func doubled() -> Self
    /// The multiplicative inverse; zero for zero.
    func inverted() -> Self
}

extension FieldElement {
    @inline(__always)
    package var isZero: Bool { self == .zero }

    /// `self` to the power `exponent`, four bits at a time.
    package func power<E: LimbVector>(_ exponent: E) -> Self {
        let width = exponent.bitWidth
        if width == 0 { return .one }
        var table = [Self.one, self]
        for index in 2..<16 { table.append(table[index - 1] * self) }
        var result = Self.one
        for digit in stride(from: (width - 1) / 4, through: 0, by: -1) {
            result = result.squared().squared().squared().squared()
            let bits = Int((exponent.limb(digit / 16) >> UInt64(4 * (digit % 16))) & 15)
            if bits != 0 { result = result * table[bits] }
        }
        return result
    }
}

/// An odd prime modulus p and what Montgomery arithmetic with R = 2^(64 · limbs) needs of it.
package protocol MontgomeryModulus: Sendable {
    associatedtype Limbs: LimbVector
    /// The prime p; 2p must fit in the limbs.
    static var modulus: Limbs { get }
    /// R mod p, which is 1 in Montgomery form.
    static var montgomeryOne: Limbs { get }
    /// R² mod p, which converts into Montgomery form.
    static var montgomerySquare: Limbs { get }
    /// -1/p modulo 2^64.
    static var negativeInverse: UInt64 { get }
}

/// Marks a modulus below R/4, so that a sum of two products can be reduced at once without a carry out of the limbs.
package protocol RoomyModulus: MontgomeryModulus {}

/// A prime field in Montgomery form: an element a is stored as a · R mod p, always fully reduced.
package protocol PrimeField: FieldElement {
    associatedtype Modulus: MontgomeryModulus
    typealias Limbs = Modulus.Limbs
    /// The stored form, a · R mod p.
    var montgomery: Limbs { get }
    /// Takes the stored form, which must be below p.
    init(montgomery: Limbs)
    /// Half of the element: cheaper than multiplying by 1/2.
    func halved() -> Self
}

/// A prime field that can carry an extension tower.
package protocol TowerBase: PrimeField where Modulus: RoomyModulus {
    /// `a · b + c · d` with one Montgomery reduction; an operand may equal p.
    static func sumOfProducts(_ a: Self, _ b: Self, _ c: Self, _ d: Self) -> Self
    /// `a · b` for use inside the arithmetic of Fp2, which is itself not inlined.
    static func inlineProduct(_ a: Self, _ b: Self) -> Self
    /// `p - a`, which equals p for zero: only for `sumOfProducts`.
    var looseNegation: Self { get }
}

extension PrimeField {
    @inline(__always)
    package static var zero: Self { Self(montgomery: .zero) }
    @inline(__always)
    package static var one: Self { Self(montgomery: Modulus.montgomeryOne) }

    /// Takes an ordinary integer; nil unless it is below p.
    package init?(canonical: Limbs) {
        guard canonical.isLess(than: Modulus.modulus) else { return nil }
        self = Self(montgomery: canonical) * Self(montgomery: Modulus.montgomerySquare)
    }

    /// A small integer.
    package init(_ small: UInt64) {
        var limbs = Limbs.zero
        limbs.setLimb(0, small)
        self = Self(montgomery: limbs) * Self(montgomery: Modulus.montgomerySquare)
    }

    /// The element as an ordinary integer in 0..<p.
    package var canonical: Limbs { (self * Self(montgomery: .one)).montgomery }

    @inline(__always)
    package static func + (a: Self, b: Self) -> Self {
        // Both are below p and 2p fits in the limbs, so there is no carry.
        Self(reducing: a.montgomery.addingWithCarry(b.montgomery).sum)
    }

    @inline(__always)
    package static func - (a: Self, b: Self) -> Self {
        let (difference, borrow) = a.montgomery.subtractingWithBorrow(b.montgomery)
        let correction = Modulus.modulus.selected(0 &- borrow, else: .zero)
        return Self(montgomery: difference.addingWithCarry(correction).sum)
    }

    @inline(__always)
    package static prefix func - (a: Self) -> Self { zero - a }

    @inline(__always)
    package func doubled() -> Self { self + self }

    @inline(__always)
    package var looseNegation: Self {
        Self(montgomery: Modulus.modulus.subtractingWithBorrow(montgomery).difference)
    }

    /// Takes a value below 2p and brings it below p.
    @inline(__always)
    package init(reducing value: Limbs) {
        let (difference, borrow) = value.subtractingWithBorrow(Modulus.modulus)
        self.init(montgomery: value.selected(0 &- borrow, else: difference))
    }

    @inline(__always)
    package func halved() -> Self {
        // a/2 if a is even, else (a + p)/2: p is odd, and a + p < 2p has no carry.
        let odd = 0 &- (montgomery.limb(0) & 1)
        let even = montgomery.addingWithCarry(Modulus.modulus.selected(odd, else: .zero)).sum
        return Self(montgomery: even.shiftedRight(1))
    }

    /// The inverse by Kaliski's almost-inverse (1995), taking out all trailing zeros at once.
    ///
    /// Invariants with a = the stored form: a · r ≡ -u · 2^k, a · s ≡ v · 2^k (mod p), and r, s ≤ 2p. At the end
    /// u = v = 1 (p is prime), so -r · 2^-k is 1/a.
    package func inverted() -> Self {
        if isZero { return .zero }
        var u = Modulus.modulus
        var v = montgomery
        var r = Limbs.zero
        var s = Limbs.one
        var k = 0
        Self.stripZeros(&v, &r, &k)
        while u != v {
            let (difference, borrow) = u.subtractingWithBorrow(v)
            if borrow == 0 {
                u = difference
                r = r.addingWithCarry(s).sum
                Self.stripZeros(&u, &s, &k)
            } else {
                v = Limbs.zero.subtractingWithBorrow(difference).difference
                s = s.addingWithCarry(r).sum
                Self.stripZeros(&v, &r, &k)
            }
        }
        // Now a · r ≡ -2^k. The stored form of the answer is R²/a = -r · R² · 2^-k. Multiplying by R² (twice, each
        // product divides by R) gives -r · R²; what is left is a division by 2^k, done as one or two products with
        // 2^(n - k), n = 64 · limbCount. Bit lengths give k in (n - 64) ..< 2n.
        let square = Self(montgomery: Modulus.montgomerySquare)
        var result = -(Self(reducing: r) * square * square)
        let n = 64 * Limbs.limbCount
        if k > n {
            result = result * Self(montgomery: .one)
            k -= n
        }
        var power = Limbs.zero
        let shift = n - k
        power.setLimb(shift >> 6, 1 << UInt64(shift & 63))
        // The right operand may exceed p (it is below R): the product is still below 2p before its last reduction.
        return result * Self(montgomery: power)
    }

    @inline(__always)
    private static func stripZeros(_ value: inout Limbs, _ partner: inout Limbs, _ k: inout Int) {
        while value.limb(0) & 1 == 0 {
            let zeros = min(value.limb(0).trailingZeroBitCount, 63)
            value = value.shiftedRight(zeros)
            partner = partner.shiftedLeft(zeros)
            k &+= zeros
        }
    }

    /// A square root, or nil if there is none. Needs p ≡ 3 (mod 4), which both base fields satisfy.
    package func squareRoot() -> Self? {
        // (p + 1) / 4 = floor(p / 4) + 1.
        let exponent = Modulus.modulus.shiftedRight(2).addingWithCarry(.one).sum
        let root = power(exponent)
        return root.squared() == self ? root : nil
    }
}
