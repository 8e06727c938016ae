/// The test of SCRAPE (Cascudo, David 2017): whether committed values at distinct places are those of one polynomial of
/// bounded degree. A vector of the dual code, drawn by hashing what is tested, is orthogonal to all such values, and to
/// others only with the probability of guessing a scalar.
enum DualCode {
    /// `elements[i]` is f(indexes[i]) times some base, nil standing for the place 0; `degree` bounds f.
    static func isOrthogonal(
        indexes: [ShareIndex?], elements: [RistrettoElement], degree: Int, seed: Transcript
    ) -> Bool {
        precondition(indexes.count == elements.count && degree >= 0)
        let places = indexes.map { $0?.scalar ?? .zero }
        // The dual code has as many dimensions as there are values beyond what fixes the polynomial.
        let dimension = places.count - degree - 1
        guard dimension > 0 else { return true }
        let random = (0..<dimension).map { number in
            var transcript = seed
            transcript.append("dual code")
            transcript.append(UInt64(number))
            return transcript.scalar()
        }
        var sum = RistrettoElement.identity
        for (own, place) in places.enumerated() {
            var value = random[dimension - 1]
            for coefficient in random.dropLast().reversed() { value = value * place + coefficient }
            var denominator = RistrettoScalar.one
            for (other, otherPlace) in places.enumerated() where other != own {
                denominator = denominator * (place - otherPlace)
            }
            guard let inverse = denominator.inverse else { return false }
            sum = sum + (value * inverse) * elements[own]
        }
        return sum.isIdentity
    }
}
