/// An unsigned 256-bit integer of four 64-bit limbs, least significant first: the word of the EVM.
///
/// Arithmetic is either wrapping (`&+`, `&-`, `&*`) or reports its overflow, so that no value from outside can trap.
/// Division and the signed operations of the EVM are in `UInt256+Division.swift`. The limbs are native integers and
/// the operators are inlined everywhere, which is worth a fifth of the interpreter's speed.
@frozen
public struct UInt256: Hashable, Sendable, BitwiseCopyable {
    /// Bits 0 to 63.
    public var w0: UInt64
    /// Bits 64 to 127.
    public var w1: UInt64
    /// Bits 128 to 191.
    public var w2: UInt64
    /// Bits 192 to 255.
    public var w3: UInt64

    /// The number of the limbs given, least significant first.
    @inlinable @inline(__always)
    public init(_ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64) {
        self.w0 = w0
        self.w1 = w1
        self.w2 = w2
        self.w3 = w3
    }

    /// A small number.
    @inlinable @inline(__always)
    public init(_ value: UInt64) {
        self.init(value, 0, 0, 0)
    }

    /// A size or count; a negative one is a programmer's error.
    @inlinable @inline(__always)
    public init(_ value: Int) {
        self.init(UInt64(value), 0, 0, 0)
    }

    /// 0.
    @inlinable @inline(__always)
    public static var zero: UInt256 { UInt256(0, 0, 0, 0) }

    /// 1.
    @inlinable @inline(__always)
    public static var one: UInt256 { UInt256(1, 0, 0, 0) }

    /// 2^256 - 1.
    @inlinable @inline(__always)
    public static var max: UInt256 { UInt256(.max, .max, .max, .max) }

    /// Whether this is 0.
    @inlinable @inline(__always)
    public var isZero: Bool { (w0 | w1 | w2 | w3) == 0 }

    /// Whether the number is below 2^64.
    @inlinable @inline(__always)
    public var fitsUInt64: Bool { (w1 | w2 | w3) == 0 }

    /// The number if it is below 2^64.
    @inlinable @inline(__always)
    public var asUInt64: UInt64? { fitsUInt64 ? w0 : nil }

    /// The number, or `UInt64.max` if it does not fit.
    @inlinable @inline(__always)
    public var clampedToUInt64: UInt64 { fitsUInt64 ? w0 : .max }

    /// Bit 255: the sign when the word is read as two's complement.
    @inlinable @inline(__always)
    public var isNegative: Bool { w3 >> 63 == 1 }

    /// Zero bits above the highest set bit; 256 for 0.
    @inlinable
    public var leadingZeroBitCount: Int {
        if w3 != 0 { return w3.leadingZeroBitCount }
        if w2 != 0 { return 64 + w2.leadingZeroBitCount }
        if w1 != 0 { return 128 + w1.leadingZeroBitCount }
        return 192 + w0.leadingZeroBitCount
    }

    /// Bits needed to write the number; 0 for 0.
    @inlinable
    public var bitLength: Int { 256 - leadingZeroBitCount }

    /// Bytes needed to write the number; 0 for 0.
    @inlinable
    public var byteLength: Int { (bitLength + 7) / 8 }

    /// Equality without a branch a limb.
    @inlinable @inline(__always)
    public static func == (a: UInt256, b: UInt256) -> Bool {
        ((a.w0 ^ b.w0) | (a.w1 ^ b.w1) | (a.w2 ^ b.w2) | (a.w3 ^ b.w3)) == 0
    }
}

extension UInt256: Comparable {
    /// Unsigned order.
    @inlinable @inline(__always)
    public static func < (a: UInt256, b: UInt256) -> Bool {
        a.subtractingReportingOverflow(b).overflow
    }
}

extension UInt256: ExpressibleByIntegerLiteral {
    /// A literal; a negative one or one of over 256 bits is a programmer's error.
    @inlinable
    public init(integerLiteral value: StaticBigInt) {
        precondition(value.signum() >= 0 && value.bitWidth <= 257, "the literal is outside of 0..<2^256")
        self.init(UInt64(value[0]), UInt64(value[1]), UInt64(value[2]), UInt64(value[3]))
    }
}

// MARK: - Addition, subtraction, multiplication

extension UInt256 {
    /// The sum modulo 2^256 and whether it wrapped.
    @inlinable @inline(__always)
    public func addingReportingOverflow(_ other: UInt256) -> (partialValue: UInt256, overflow: Bool) {
        let s0 = UInt128(w0) &+ UInt128(other.w0)
        let s1 = UInt128(w1) &+ UInt128(other.w1) &+ (s0 &>> 64)
        let s2 = UInt128(w2) &+ UInt128(other.w2) &+ (s1 &>> 64)
        let s3 = UInt128(w3) &+ UInt128(other.w3) &+ (s2 &>> 64)
        return (
            UInt256(
                UInt64(truncatingIfNeeded: s0), UInt64(truncatingIfNeeded: s1), UInt64(truncatingIfNeeded: s2),
                UInt64(truncatingIfNeeded: s3)), s3 &>> 64 != 0
        )
    }

    /// The difference modulo 2^256 and whether it wrapped.
    @inlinable @inline(__always)
    public func subtractingReportingOverflow(_ other: UInt256) -> (partialValue: UInt256, overflow: Bool) {
        let d0 = UInt128(w0) &- UInt128(other.w0)
        let d1 = UInt128(w1) &- UInt128(other.w1) &- ((d0 &>> 64) & 1)
        let d2 = UInt128(w2) &- UInt128(other.w2) &- ((d1 &>> 64) & 1)
        let d3 = UInt128(w3) &- UInt128(other.w3) &- ((d2 &>> 64) & 1)
        return (
            UInt256(
                UInt64(truncatingIfNeeded: d0), UInt64(truncatingIfNeeded: d1), UInt64(truncatingIfNeeded: d2),
                UInt64(truncatingIfNeeded: d3)), (d3 &>> 64) & 1 != 0
        )
    }

    /// The product modulo 2^256 and whether it wrapped.
    @inlinable
    public func multipliedReportingOverflow(by other: UInt256) -> (partialValue: UInt256, overflow: Bool) {
        let (low, high) = multipliedFullWidth(by: other)
        return (low, !high.isZero)
    }

    /// The 512-bit product in two halves.
    @inlinable
    public func multipliedFullWidth(by other: UInt256) -> (low: UInt256, high: UInt256) {
        // Schoolbook by rows; each step is a * b + previous + carry, which fits 128 bits.
        @inline(__always)
        func step(_ a: UInt64, _ b: UInt64, _ previous: UInt64, _ carry: inout UInt64) -> UInt64 {
            let t = UInt128(a) &* UInt128(b) &+ UInt128(previous) &+ UInt128(carry)
            carry = UInt64(truncatingIfNeeded: t &>> 64)
            return UInt64(truncatingIfNeeded: t)
        }
        var c: UInt64 = 0
        let r0 = step(w0, other.w0, 0, &c)
        var r1 = step(w0, other.w1, 0, &c)
        var r2 = step(w0, other.w2, 0, &c)
        var r3 = step(w0, other.w3, 0, &c)
        var r4 = c
        c = 0
        r1 = step(w1, other.w0, r1, &c)
        r2 = step(w1, other.w1, r2, &c)
        r3 = step(w1, other.w2, r3, &c)
        r4 = step(w1, other.w3, r4, &c)
        var r5 = c
        c = 0
        r2 = step(w2, other.w0, r2, &c)
        r3 = step(w2, other.w1, r3, &c)
        r4 = step(w2, other.w2, r4, &c)
        r5 = step(w2, other.w3, r5, &c)
        var r6 = c
        c = 0
        r3 = step(w3, other.w0, r3, &c)
        r4 = step(w3, other.w1, r4, &c)
        r5 = step(w3, other.w2, r5, &c)
        r6 = step(w3, other.w3, r6, &c)
        return (UInt256(r0, r1, r2, r3), UInt256(r4, r5, r6, c))
    }

    /// The sum modulo 2^256.
    @inlinable @inline(__always)
    public static func &+ (a: UInt256, b: UInt256) -> UInt256 { a.addingReportingOverflow(b).partialValue }

    /// The difference modulo 2^256.
    @inlinable @inline(__always)
    public static func &- (a: UInt256, b: UInt256) -> UInt256 { a.subtractingReportingOverflow(b).partialValue }

    /// The product modulo 2^256.
    @inlinable @inline(__always)
    public static func &* (a: UInt256, b: UInt256) -> UInt256 {
        let p00 = UInt128(a.w0) &* UInt128(b.w0)
        let p01 = UInt128(a.w0) &* UInt128(b.w1)
        let p10 = UInt128(a.w1) &* UInt128(b.w0)
        let p02 = UInt128(a.w0) &* UInt128(b.w2)
        let p11 = UInt128(a.w1) &* UInt128(b.w1)
        let p20 = UInt128(a.w2) &* UInt128(b.w0)
        let c1 =
            (p00 &>> 64) &+ UInt128(UInt64(truncatingIfNeeded: p01)) &+ UInt128(UInt64(truncatingIfNeeded: p10))
        let high = p02 &+ p11 &+ p20 &+ (c1 &>> 64) &+ (p01 &>> 64) &+ (p10 &>> 64)
        let top =
            a.w0 &* b.w3 &+ a.w1 &* b.w2 &+ a.w2 &* b.w1 &+ a.w3 &* b.w0 &+ UInt64(truncatingIfNeeded: high &>> 64)
        return UInt256(
            UInt64(truncatingIfNeeded: p00), UInt64(truncatingIfNeeded: c1), UInt64(truncatingIfNeeded: high), top)
    }

    /// Two's complement negation.
    @inlinable @inline(__always)
    public var negated: UInt256 { UInt256.zero &- self }
}

// MARK: - Bits

extension UInt256 {
    /// Bitwise and.
    @inlinable @inline(__always)
    public static func & (a: UInt256, b: UInt256) -> UInt256 {
        UInt256(a.w0 & b.w0, a.w1 & b.w1, a.w2 & b.w2, a.w3 & b.w3)
    }

    /// Bitwise or.
    @inlinable @inline(__always)
    public static func | (a: UInt256, b: UInt256) -> UInt256 {
        UInt256(a.w0 | b.w0, a.w1 | b.w1, a.w2 | b.w2, a.w3 | b.w3)
    }

    /// Bitwise exclusive or.
    @inlinable @inline(__always)
    public static func ^ (a: UInt256, b: UInt256) -> UInt256 {
        UInt256(a.w0 ^ b.w0, a.w1 ^ b.w1, a.w2 ^ b.w2, a.w3 ^ b.w3)
    }

    /// Bitwise complement.
    @inlinable @inline(__always)
    public static prefix func ~ (a: UInt256) -> UInt256 { UInt256(~a.w0, ~a.w1, ~a.w2, ~a.w3) }

    /// Left shift; 256 or more gives 0, a negative count is taken as 0.
    @inlinable
    public static func << (a: UInt256, count: Int) -> UInt256 {
        guard count > 0 else { return a }
        guard count < 256 else { return .zero }
        let bits = UInt64(count & 63)
        // Two shifts instead of one by 64 - bits, which would be undefined for 0.
        @inline(__always) func join(_ high: UInt64, _ low: UInt64) -> UInt64 {
            high &<< bits | (low &>> 1) &>> (63 &- bits)
        }
        switch count >> 6 {
        case 0: return UInt256(a.w0 &<< bits, join(a.w1, a.w0), join(a.w2, a.w1), join(a.w3, a.w2))
        case 1: return UInt256(0, a.w0 &<< bits, join(a.w1, a.w0), join(a.w2, a.w1))
        case 2: return UInt256(0, 0, a.w0 &<< bits, join(a.w1, a.w0))
        default: return UInt256(0, 0, 0, a.w0 &<< bits)
        }
    }

    /// Logical right shift; 256 or more gives 0, a negative count is taken as 0.
    @inlinable
    public static func >> (a: UInt256, count: Int) -> UInt256 {
        guard count > 0 else { return a }
        guard count < 256 else { return .zero }
        let bits = UInt64(count & 63)
        @inline(__always) func join(_ high: UInt64, _ low: UInt64) -> UInt64 {
            low &>> bits | (high &<< 1) &<< (63 &- bits)
        }
        switch count >> 6 {
        case 0: return UInt256(join(a.w1, a.w0), join(a.w2, a.w1), join(a.w3, a.w2), a.w3 &>> bits)
        case 1: return UInt256(join(a.w2, a.w1), join(a.w3, a.w2), a.w3 &>> bits, 0)
        case 2: return UInt256(join(a.w3, a.w2), a.w3 &>> bits, 0, 0)
        default: return UInt256(a.w3 &>> bits, 0, 0, 0)
        }
    }

    /// Right shift that copies the sign bit; 256 or more gives 0 or -1.
    @inlinable
    public func arithmeticShiftRight(_ count: Int) -> UInt256 {
        guard isNegative else { return self >> count }
        guard count < 256 else { return .max }
        return count <= 0 ? self : self >> count | UInt256.max << (256 - count)
    }
}
