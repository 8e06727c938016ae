import Primitives
import Testing
import ThresholdCryptography

/// Shamir's sharing, with the vectors of RFC 9591 (E.3, ristretto255-SHA512).
@Suite struct SharingTests {
    private let secret = "1b25a55e463cfd15cf14a5d3acc3d15053f08da49c8afcf3ab265f2ebc4f970b"
    private let coefficient = "410f8b744b19325891d73736923525a4f596c805d060dfb9c98009d34e3fec02"
    private let publicKey = "e2a62f39eede11269e3bd5a7d97554f5ca384f9f6d3dd9c3c0d05083c7254f57"
    private let shares = [
        "5c3430d391552f6e60ecdc093ff9f6f4488756aa6cebdbad75a768010b8f830e",
        "b06fc5eac20b4f6e1b271d9df2343d843e1e1fb03c4cbb673f2872d459ce6f01",
        "f17e505f0e2581c6acfe54d3846a622834b5e7b50cad9a2109a97ba7a80d5c04",
    ]

    private var polynomial: SecretPolynomial {
        SecretPolynomial(coefficients: [SecretScalar(bytes: hex(secret)), SecretScalar(bytes: hex(coefficient))])
    }

    @Test func evaluatesAsTheRFC() {
        for (place, share) in shares.enumerated() {
            let value = polynomial.value(at: index(place + 1))
            #expect(Hex.encode(value.encoding.array) == share)
            #expect(polynomial.commitment.value(at: index(place + 1)) == value.timesGenerator)
        }
        #expect(polynomial.constant.timesGenerator.description == publicKey)
        #expect(polynomial.commitment.constant.description == publicKey)
    }

    @Test func interpolatesAsTheRFC() throws {
        for pair in [[1, 2], [1, 3], [2, 3], [3, 1], [1, 2, 3]] {
            let coefficients = try Lagrange.coefficients(pair.map(index))
            var sum = RistrettoScalar.zero
            for (number, coefficient) in zip(pair, coefficients) {
                sum = sum + coefficient * (try RistrettoScalar(decoding: hex(shares[number - 1])))
            }
            #expect(Hex.encode(sum.encoding.bytes) == secret)
        }
    }

    @Test func refusesIndexesThatAreNotDistinct() {
        #expect(throws: ThresholdError.malformed("")) { try Lagrange.coefficients([]) }
        #expect(throws: ThresholdError.malformed("")) { try Lagrange.coefficients([index(1), index(2), index(1)]) }
        #expect(ShareIndex(0) == nil)
    }

    @Test func theTestOfSharesFindsWhatIsNotOfOnePolynomial() throws {
        let (_, keys, _) = try sharedKey(5, threshold: 3)
        #expect(try PublicKeySet(decoding: keys.encoded) == keys)
        // A foreign share key, two that changed places, another public key.
        let other = RistrettoScalar(9).timesGenerator
        #expect(throws: ThresholdError.malformed("")) {
            try PublicKeySet(
                decoding: Tree.replacing(keys.encoded, at: [8, 2], with: .bytes(other.encoding.bytes)))
        }
        #expect(throws: ThresholdError.malformed("")) {
            try PublicKeySet(decoding: Tree.replacing(keys.encoded, at: [7], with: .bytes(other.encoding.bytes)))
        }
        var swapped = try Tree.replacing(
            keys.encoded, at: [8, 0], with: .bytes(keys.shareKeys[1].encoding.bytes))
        swapped = try Tree.replacing(swapped, at: [8, 1], with: .bytes(keys.shareKeys[0].encoding.bytes))
        #expect(throws: ThresholdError.malformed("")) { try PublicKeySet(decoding: swapped) }
    }

    /// M - 1 shares fit each secret equally well: for any other there is a polynomial through them.
    @Test func fewerSharesFitEverySecret() throws {
        var random = SeededBytes(6)
        let polynomial = SecretPolynomial(coefficients: (0..<3).map { _ in random.scalar() })
        let known = [index(2), index(5)]
        for _ in 0..<8 {
            let guess = random.scalar().timesGenerator
            // λ over {0, 2, 5} at index 9 makes a value that, with the two, interpolates to the guess.
            let all = try Lagrange.coefficients(known + [index(9)])
            var rest = guess
            for (place, coefficient) in zip(known, all) {
                rest = rest - coefficient * polynomial.commitment.value(at: place)
            }
            let third = try #require(all[2].inverse) * rest
            var sum = all[2] * third
            for (place, coefficient) in zip(known, all) {
                sum = sum + coefficient * polynomial.commitment.value(at: place)
            }
            #expect(sum == guess)
        }
    }

    /// Shares of one secret under many polynomials look like coin tosses.
    @Test func sharesOfOneSecretAreSpreadEvenly() {
        var random = SeededBytes(7)
        let secret = random.scalar()
        var ones = [Int](repeating: 0, count: 248)
        let count = 2000
        for _ in 0..<count {
            let share = SecretPolynomial(coefficients: [secret, random.scalar()]).value(at: index(3)).encoding.array
            for bit in ones.indices where share[bit / 8] >> (bit % 8) & 1 == 1 { ones[bit] += 1 }
        }
        // Six standard deviations of a fair coin; the seed is fixed.
        for bit in ones { #expect(abs(bit - count / 2) < 135) }
    }
}
