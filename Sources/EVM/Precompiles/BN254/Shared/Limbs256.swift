/// Fixed-width unsigned integers of 64-bit limbs, least significant first: the storage of field elements and scalars.
///
/// Everything under the curve precompiles works on public inputs, so nothing here is constant time.
package protocol LimbVector: Equatable, Sendable {
    static var zero: Self { get }
    static var one: Self { get }
    /// Number of 64-bit limbs.
    static var limbCount: Int { get }
    /// Limb `index`, 0 being the least significant; 0 beyond the end.
    func limb(_ index: Int) -> UInt64
    /// Replaces limb `index`; ignored beyond the end.
    mutating func setLimb(_ index: Int, _ value: UInt64)
    /// Sum modulo 2^(64 · limbCount), and the carry (0 or 1).
    func addingWithCarry(_ other: Self) -> (sum: Self, carry: UInt64)
    /// Difference modulo 2^(64 · limbCount), and the borrow (0 or 1).
    func subtractingWithBorrow(_ other: Self) -> (difference: Self, borrow: UInt64)
    /// Logical shift right by 1...63 bits.
    func shiftedRight(_ bits: Int) -> Self
    /// Shift left by 1...63 bits, dropping what leaves the top.
    func shiftedLeft(_ bits: Int) -> Self
    /// `self` where `mask` is all ones, `other` where it is zero.
    func selected(_ mask: UInt64, else other: Self) -> Self
}

extension LimbVector {
    @inline(__always)
    package var isZero: Bool { self == .zero }

    @inline(__always)
    package func isLess(than other: Self) -> Bool { subtractingWithBorrow(other).borrow == 1 }

    /// Bit `index`, 0 being the least significant; false beyond the end.
    @inline(__always)
    package func bit(_ index: Int) -> Bool { (limb(index >> 6) >> UInt64(index & 63)) & 1 == 1 }

    /// Position of the highest set bit plus one; 0 for zero.
    package var bitWidth: Int {
        for index in stride(from: Self.limbCount - 1, through: 0, by: -1) where limb(index) != 0 {
            return 64 * index + 64 - limb(index).leadingZeroBitCount
        }
        return 0
    }

    /// The big-endian integer in `bytes[offset ..< offset + 8 · limbCount]`; bytes beyond the array's end count as zero.
    package init(bigEndian bytes: [UInt8], at offset: Int = 0) {
        self = .zero
        let width = 8 * Self.limbCount
        for index in 0..<Self.limbCount {
            var value: UInt64 = 0
            let start = offset + width - 8 * (index + 1)
            for position in start..<(start + 8) {
                value = value << 8 | UInt64(position < bytes.count ? bytes[position] : 0)
            }
            setLimb(index, value)
        }
    }

    /// The integer as 8 · limbCount big-endian bytes.
    package var bigEndianBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 * Self.limbCount)
        for index in stride(from: Self.limbCount - 1, through: 0, by: -1) {
            let value = limb(index)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
            }
        }
        return bytes
    }

    /// Quotient and remainder by a small divisor, used only to derive exponents such as (p - 1) / 6.
    package func dividedBy(_ divisor: UInt64) -> (quotient: Self, remainder: UInt64) {
        var quotient = Self.zero
        var remainder: UInt64 = 0
        for index in stride(from: Self.limbCount - 1, through: 0, by: -1) {
            let step = divisor.dividingFullWidth((remainder, limb(index)))
            quotient.setLimb(index, step.quotient)
            remainder = step.remainder
        }
        return (quotient, remainder)
    }
}

/// `t + a · b + carry` (never more than 128 bits); the low half is returned, the high half becomes `carry`.
@inline(__always)
func multiplyAdd(_ t: UInt64, _ a: UInt64, _ b: UInt64, _ carry: inout UInt64) -> UInt64 {
    let sum =
        UInt128(truncatingIfNeeded: a) &* UInt128(truncatingIfNeeded: b) &+ UInt128(truncatingIfNeeded: t)
        &+ UInt128(truncatingIfNeeded: carry)
    carry = UInt64(truncatingIfNeeded: sum >> 64)
    return UInt64(truncatingIfNeeded: sum)
}

/// `a + b + carry`; `carry` is 0 or 1 before and after.
@inline(__always)
func addWithCarry(_ a: UInt64, _ b: UInt64, _ carry: inout UInt64) -> UInt64 {
    let sum =
        UInt128(truncatingIfNeeded: a) &+ UInt128(truncatingIfNeeded: b) &+ UInt128(truncatingIfNeeded: carry)
    carry = UInt64(truncatingIfNeeded: sum >> 64)
    return UInt64(truncatingIfNeeded: sum)
}

/// `a - b - borrow`; `borrow` is 0 or 1 before and after.
@inline(__always)
func subtractWithBorrow(_ a: UInt64, _ b: UInt64, _ borrow: inout UInt64) -> UInt64 {
    let difference =
        UInt128(truncatingIfNeeded: a) &- UInt128(truncatingIfNeeded: b) &- UInt128(truncatingIfNeeded: borrow)
    borrow = UInt64(truncatingIfNeeded: difference >> 64) & 1
    return UInt64(truncatingIfNeeded: difference)
}

/// Four limbs: BN254 field elements and the scalars of both curves.
package struct Limbs256: LimbVector {
    package var l0: UInt64
    package var l1: UInt64
    package var l2: UInt64
    package var l3: UInt64

    /// From limbs, least significant first.
    @inline(__always)
    package init(_ l0: UInt64, _ l1: UInt64, _ l2: UInt64, _ l3: UInt64) {
        self.l0 = l0
        self.l1 = l1
        self.l2 = l2
        self.l3 = l3
    }

    @inline(__always)
    package static var zero: Limbs256 { Limbs256(0, 0, 0, 0) }
    @inline(__always)
    package static var one: Limbs256 { Limbs256(1, 0, 0, 0) }
    @inline(__always)
    package static var limbCount: Int { 4 }

    @inline(__always)
    package func limb(_ index: Int) -> UInt64 {
        switch index {
        case 0: l0
        case 1: l1
        case 2: l2
        case 3: l3
        default: 0
        }
    }

    @inline(__always)
    package mutating func setLimb(_ index: Int, _ value: UInt64) {
        switch index {
        case 0: l0 = value
        case 1: l1 = value
        case 2: l2 = value
        case 3: l3 = value
        default: break
        }
    }

    @inline(__always)
    package func addingWithCarry(_ other: Limbs256) -> (sum: Limbs256, carry: UInt64) {
        var carry: UInt64 = 0
        let r0 = addWithCarry(l0, other.l0, &carry)
        let r1 = addWithCarry(l1, other.l1, &carry)
        let r2 = addWithCarry(l2, other.l2, &carry)
        let r3 = addWithCarry(l3, other.l3, &carry)
        return (Limbs256(r0, r1, r2, r3), carry)
    }

    @inline(__always)
    package func subtractingWithBorrow(_ other: Limbs256) -> (difference: Limbs256, borrow: UInt64) {
        var borrow: UInt64 = 0
        let r0 = subtractWithBorrow(l0, other.l0, &borrow)
        let r1 = subtractWithBorrow(l1, other.l1, &borrow)
        let r2 = subtractWithBorrow(l2, other.l2, &borrow)
        let r3 = subtractWithBorrow(l3, other.l3, &borrow)
        return (Limbs256(r0, r1, r2, r3), borrow)
    }

    @inline(__always)
    package func shiftedRight(_ bits: Int) -> Limbs256 {
        let s = UInt64(bits)
        let c = 64 &- s
        return Limbs256(l0 &>> s | l1 &<< c, l1 &>> s | l2 &<< c, l2 &>> s | l3 &<< c, l3 &>> s)
    }

    @inline(__always)
    package func shiftedLeft(_ bits: Int) -> Limbs256 {
        let s = UInt64(bits)
        let c = 64 &- s
        return Limbs256(l0 &<< s, l1 &<< s | l0 &>> c, l2 &<< s | l1 &>> c, l3 &<< s | l2 &>> c)
    }

    @inline(__always)
    package func selected(_ mask: UInt64, else other: Limbs256) -> Limbs256 {
        Limbs256(
            l0 & mask | other.l0 & ~mask, l1 & mask | other.l1 & ~mask, l2 & mask | other.l2 & ~mask,
            l3 & mask | other.l3 & ~mask)
    }
}
