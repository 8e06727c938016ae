/// Multiplication of points by integers. Scalars are public: running time depends on them.
extension JacobianPoint {
    /// `scalar` times the point, most significant bit first: for the sparse curve parameters.
    package func multiplied(by scalar: UInt64) -> JacobianPoint {
        if scalar == 0 { return .infinity }
        var result = self
        for bit in stride(from: 62 - scalar.leadingZeroBitCount, through: 0, by: -1) {
            result = result.doubled()
            if (scalar >> UInt64(bit)) & 1 == 1 { result = result.adding(self) }
        }
        return result
    }

    /// `scalar` times the point, by the non-adjacent form of width 5: one addition in six doublings.
    package func multiplied(by scalar: Limbs256) -> JacobianPoint {
        let digits = scalar.nonAdjacentForm(width: 5)
        if digits.isEmpty || isInfinity { return .infinity }
        let double = doubled()
        var odd = [self]
        for index in 1..<8 { odd.append(odd[index - 1].adding(double)) }
        var result = JacobianPoint.infinity
        for digit in digits.reversed() {
            result = result.doubled()
            if digit > 0 {
                result = result.adding(odd[Int(digit) >> 1])
            } else if digit < 0 {
                result = result.adding(-odd[Int(-digit) >> 1])
            }
        }
        return result
    }
}

extension Limbs256 {
    /// Signed digits, least significant first: zero, or odd and below 2^(width - 1) in magnitude, with at least
    /// width - 1 zeros after each non-zero digit. Width must be 2...7.
    func nonAdjacentForm(width: Int) -> [Int8] {
        var digits: [Int8] = []
        digits.reserveCapacity(257)
        var rest = self
        var top: UInt64 = 0  // bit 256: adding back a negative digit may carry out of the limbs
        let mask = (UInt64(1) << UInt64(width)) - 1
        let half = UInt64(1) << UInt64(width - 1)
        while !rest.isZero || top != 0 {
            var digit: Int64 = 0
            if rest.l0 & 1 == 1 {
                let low = rest.l0 & mask
                if low < half {
                    digit = Int64(low)
                    rest.l0 -= low
                } else {
                    digit = Int64(low) - Int64(mask) - 1
                    let (sum, carry) = rest.addingWithCarry(Limbs256(mask + 1 - low, 0, 0, 0))
                    rest = sum
                    top += carry
                }
            }
            digits.append(Int8(digit))
            rest = rest.shiftedRight(1)
            rest.l3 |= top << 63
            top = 0
        }
        return digits
    }
}
