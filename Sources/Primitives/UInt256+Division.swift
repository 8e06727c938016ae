// Division: one-limb and two-limb cases by the machine's 128/64 division, the rest by Knuth's algorithm D (The Art of
// Computer Programming 4.3.1). A hand-made reciprocal was measured and is slower than the division instruction.

extension UInt256 {
    /// Quotient and remainder. A divisor of 0 gives (0, 0), as DIV and MOD of the EVM define.
    @inlinable
    public func dividedOrZero(by divisor: UInt256) -> (quotient: UInt256, remainder: UInt256) {
        if divisor.fitsUInt64 {
            guard divisor.w0 != 0 else { return (.zero, .zero) }
            if fitsUInt64 {
                let (q, r) = w0.quotientAndRemainder(dividingBy: divisor.w0)
                return (UInt256(q), UInt256(r))
            }
            return divided(byLimb: divisor.w0)
        }
        if self < divisor { return (.zero, self) }
        return dividedLong(by: divisor)
    }

    /// Quotient and remainder by one limb that is not 0.
    @inlinable
    func divided(byLimb d: UInt64) -> (quotient: UInt256, remainder: UInt256) {
        var q = UInt256.zero
        var r: UInt64 = 0
        (q.w3, r) = w3.quotientAndRemainder(dividingBy: d)
        (q.w2, r) = d.dividingFullWidth((r, w2))
        (q.w1, r) = d.dividingFullWidth((r, w1))
        (q.w0, r) = d.dividingFullWidth((r, w0))
        return (q, UInt256(r))
    }

    @usableFromInline
    func dividedLong(by divisor: UInt256) -> (quotient: UInt256, remainder: UInt256) {
        if divisor.w3 | divisor.w2 == 0 { return divided(byLimbs: divisor.w1, divisor.w0) }
        var u: InlineArray<9, UInt64> = [w0, w1, w2, w3, 0, 0, 0, 0, 0]
        var q: InlineArray<8, UInt64> = .init(repeating: 0)
        let r = UInt256.knuth(&u, count: 4, by: divisor, quotient: &q)
        return (UInt256(q[0], q[1], q[2], q[3]), r)
    }

    /// Algorithm D for two limbs, the case with most steps, on locals.
    private func divided(byLimbs high: UInt64, _ low: UInt64) -> (quotient: UInt256, remainder: UInt256) {
        let shift = high.leadingZeroBitCount
        let v = UInt256(low, high, 0, 0) << shift
        let u = self << shift
        let v1 = v.w1
        let v0 = v.w0
        var r1 = shift == 0 ? 0 : w3 &>> UInt64(64 &- shift)
        var r0 = u.w3
        // Divides (r1, r0, next), whose top two limbs are below v, by v. The corrected estimate is exact for two limbs.
        @inline(__always)
        func step(_ next: UInt64) -> UInt64 {
            var q: UInt64 = .max
            var rest: UInt64
            var isExact: Bool
            if r1 >= v1 {
                (rest, isExact) = r0.addingReportingOverflow(v1)
            } else {
                (q, rest) = v1.dividingFullWidth((r1, r0))
                isExact = false
            }
            var product = UInt128(q) &* UInt128(v0)
            while !isExact, product > UInt128(rest) &<< 64 | UInt128(next) {
                q &-= 1
                product &-= UInt128(v0)
                (rest, isExact) = rest.addingReportingOverflow(v1)
            }
            // Below 2^128, so it does not matter that `rest` may have wrapped.
            let remainder = (UInt128(rest) &<< 64 | UInt128(next)) &- product
            r1 = UInt64(truncatingIfNeeded: remainder &>> 64)
            r0 = UInt64(truncatingIfNeeded: remainder)
            return q
        }
        let q2 = step(u.w2)
        let q1 = step(u.w1)
        let q0 = step(u.w0)
        return (UInt256(q0, q1, q2, 0), UInt256(r0, r1, 0, 0) >> shift)
    }

    /// Divides the lowest `count` limbs of `u` (its limb above them is scratch) by a divisor of two limbs or more.
    static func knuth(
        _ u: inout InlineArray<9, UInt64>, count: Int, by divisor: UInt256, quotient: inout InlineArray<8, UInt64>
    ) -> UInt256 {
        let n = divisor.w3 != 0 ? 4 : divisor.w2 != 0 ? 3 : 2
        var m = count
        while m > 0, u[unchecked: m - 1] == 0 { m -= 1 }
        // D1: scale so that the top bit of the divisor is set.
        let shift = divisor.leadingZeroBitCount & 63
        let scaled = divisor << shift
        let v: InlineArray<4, UInt64> = [scaled.w0, scaled.w1, scaled.w2, scaled.w3]
        u[unchecked: m] = 0
        if shift > 0 {
            u[unchecked: m] = m > 0 ? u[unchecked: m - 1] >> UInt64(64 - shift) : 0
            var i = m - 1
            while i > 0 {
                u[unchecked: i] = u[unchecked: i] << UInt64(shift) | u[unchecked: i - 1] >> UInt64(64 - shift)
                i -= 1
            }
            u[unchecked: 0] = u[unchecked: 0] << UInt64(shift)
        }
        let top = v[unchecked: n - 1]
        let next = v[unchecked: n - 2]
        var j = m - n
        while j >= 0 {
            // D3: estimate one limb of the quotient from the top two limbs, correct it by the third.
            let high = u[unchecked: j + n]
            let middle = u[unchecked: j + n - 1]
            let low = u[unchecked: j + n - 2]
            var estimate: UInt64
            var rest: UInt64
            var restOverflows = false
            if high >= top {
                estimate = .max
                (rest, restOverflows) = middle.addingReportingOverflow(top)
            } else {
                (estimate, rest) = top.dividingFullWidth((high, middle))
            }
            while !restOverflows, UInt128(estimate) &* UInt128(next) > UInt128(rest) << 64 | UInt128(low) {
                estimate &-= 1
                (rest, restOverflows) = rest.addingReportingOverflow(top)
            }
            // D4: multiply and subtract.
            var borrow: UInt64 = 0
            var carry: UInt64 = 0
            var i = 0
            while i < n {
                let product = UInt128(estimate) &* UInt128(v[unchecked: i]) &+ UInt128(carry)
                carry = UInt64(truncatingIfNeeded: product >> 64)
                let difference =
                    UInt128(u[unchecked: i + j]) &- UInt128(UInt64(truncatingIfNeeded: product)) &- UInt128(borrow)
                u[unchecked: i + j] = UInt64(truncatingIfNeeded: difference)
                borrow = UInt64(truncatingIfNeeded: difference >> 64) & 1
                i += 1
            }
            let last = UInt128(high) &- UInt128(carry) &- UInt128(borrow)
            u[unchecked: j + n] = UInt64(truncatingIfNeeded: last)
            // D6: the estimate was one too many (rare): add the divisor back.
            if last >> 64 != 0 {
                estimate &-= 1
                var sum: UInt128 = 0
                i = 0
                while i < n {
                    sum = UInt128(u[unchecked: i + j]) &+ UInt128(v[unchecked: i]) &+ (sum >> 64)
                    u[unchecked: i + j] = UInt64(truncatingIfNeeded: sum)
                    i += 1
                }
                u[unchecked: j + n] = u[unchecked: j + n] &+ UInt64(truncatingIfNeeded: sum >> 64)
            }
            quotient[unchecked: j] = estimate
            j -= 1
        }
        var r: InlineArray<4, UInt64> = [0, 0, 0, 0]
        var i = 0
        while i < n {
            r[unchecked: i] = u[unchecked: i]
            i += 1
        }
        return UInt256(r[0], r[1], r[2], r[3]) >> shift
    }

    /// Signed quotient, truncated toward 0; 0 for a divisor of 0 (SDIV).
    @inlinable
    public func signedDividedOrZero(by divisor: UInt256) -> UInt256 {
        let a = isNegative ? negated : self
        let b = divisor.isNegative ? divisor.negated : divisor
        let q = a.dividedOrZero(by: b).quotient
        return isNegative != divisor.isNegative ? q.negated : q
    }

    /// Signed remainder with the sign of the dividend; 0 for a divisor of 0 (SMOD).
    @inlinable
    public func signedRemainderOrZero(by divisor: UInt256) -> UInt256 {
        let a = isNegative ? negated : self
        let b = divisor.isNegative ? divisor.negated : divisor
        let r = a.dividedOrZero(by: b).remainder
        return isNegative ? r.negated : r
    }

    /// Order as two's complement numbers (SLT).
    @inlinable @inline(__always)
    public func isSignedLess(than other: UInt256) -> Bool {
        isNegative == other.isNegative ? self < other : isNegative
    }

    /// (a + b) mod m over unbounded integers; 0 for a modulus of 0 (ADDMOD).
    @inlinable
    public func addedModulo(_ other: UInt256, _ modulus: UInt256) -> UInt256 {
        let (sum, overflow) = addingReportingOverflow(other)
        guard overflow else { return sum.dividedOrZero(by: modulus).remainder }
        return UInt256.remainder(low: sum, high: .one, by: modulus)
    }

    /// (a * b) mod m over unbounded integers; 0 for a modulus of 0 (MULMOD).
    @inlinable
    public func multipliedModulo(_ other: UInt256, _ modulus: UInt256) -> UInt256 {
        let (low, high) = multipliedFullWidth(by: other)
        guard !high.isZero else { return low.dividedOrZero(by: modulus).remainder }
        return UInt256.remainder(low: low, high: high, by: modulus)
    }

    /// The remainder of a 512-bit number; 0 for a modulus of 0.
    @usableFromInline
    static func remainder(low: UInt256, high: UInt256, by modulus: UInt256) -> UInt256 {
        if modulus.fitsUInt64 {
            guard modulus.w0 != 0 else { return .zero }
            let d = modulus.w0
            let folded = high.divided(byLimb: d).remainder
            // The remainder of the high half is below d, so the low half goes on from it.
            var r = folded.w0
            r = d.dividingFullWidth((r, low.w3)).remainder
            r = d.dividingFullWidth((r, low.w2)).remainder
            r = d.dividingFullWidth((r, low.w1)).remainder
            r = d.dividingFullWidth((r, low.w0)).remainder
            return UInt256(r)
        }
        var u: InlineArray<9, UInt64> = [
            low.w0, low.w1, low.w2, low.w3, high.w0, high.w1, high.w2, high.w3, 0,
        ]
        var q: InlineArray<8, UInt64> = .init(repeating: 0)
        return knuth(&u, count: 8, by: modulus, quotient: &q)
    }

    /// The power modulo 2^256 (EXP), by squaring.
    public func raised(to exponent: UInt256) -> UInt256 {
        var result = UInt256.one
        var bit = exponent.bitLength - 1
        while bit >= 0 {
            result = result &* result
            if (exponent >> bit).w0 & 1 == 1 { result = result &* self }
            bit -= 1
        }
        return result
    }

    /// Copies bit 7 of byte `index` (0 = lowest) into all bits above it (SIGNEXTEND); 31 or more changes nothing.
    @inlinable
    public func signExtended(fromByte index: UInt256) -> UInt256 {
        guard index.fitsUInt64, index.w0 < 31 else { return self }
        let bit = Int(index.w0) * 8 + 7
        let mask = UInt256.max << bit
        return (self >> bit).w0 & 1 == 1 ? self | mask : self & ~mask
    }
}
