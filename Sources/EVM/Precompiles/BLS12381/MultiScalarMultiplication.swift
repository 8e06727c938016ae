extension JacobianPoint {
    /// How many points share one run of doublings; bounds the memory for their tables.
    private static var groupSize: Int { 256 }

    /// The sum of scalar · point over all terms, by Straus' interleaving of signed digits.
    ///
    /// One run of 256 doublings serves up to 256 points, each of which costs about 51 additions; buckets (Pippenger)
    /// would begin to win only at several hundred points.
    package static func sum(of terms: [(point: AffinePoint<Field>, scalar: Limbs256)]) -> JacobianPoint {
        var total = JacobianPoint.infinity
        for start in stride(from: 0, to: terms.count, by: groupSize) {
            total = total.adding(interleaved(terms[start..<min(start + groupSize, terms.count)]))
        }
        return total
    }

    private static func interleaved(
        _ terms: ArraySlice<(point: AffinePoint<Field>, scalar: Limbs256)>
    ) -> JacobianPoint {
        var digits: [[Int8]] = []
        // The odd multiples 1, 3, ... 15 of each point, one table after the other.
        var odd: [JacobianPoint] = []
        odd.reserveCapacity(8 * terms.count)
        for term in terms where !term.point.isInfinity && !term.scalar.isZero {
            digits.append(term.scalar.nonAdjacentForm(width: 5))
            let double = JacobianPoint(term.point).doubled()
            var multiple = JacobianPoint(term.point)
            for _ in 0..<8 {
                odd.append(multiple)
                multiple = multiple.adding(double)
            }
        }
        var result = JacobianPoint.infinity
        let length = digits.map(\.count).max() ?? 0
        for position in stride(from: length - 1, through: 0, by: -1) {
            result = result.doubled()
            for index in digits.indices where position < digits[index].count {
                let digit = Int(digits[index][position])
                if digit > 0 {
                    result = result.adding(odd[8 * index + digit >> 1])
                } else if digit < 0 {
                    result = result.adding(-odd[8 * index + (-digit) >> 1])
                }
            }
        }
        return result
    }
}
