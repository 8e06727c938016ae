import Primitives
import Testing

@Suite struct Keccak256Tests {
    @Test func knownDigests() {
        #expect(
            Keccak256.empty.description == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        #expect(
            Keccak256.hash(Array("abc".utf8)).description
                == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")
    }

    @Test func permutationAgreesWithTheSpecification() {
        var random = SplitMix(state: 3)
        for _ in 0..<50 {
            var fast = (0..<25).map { _ in random.next() }
            let slow = Self.permuteBySpecification(fast)
            fast.withUnsafeMutableBufferPointer { words in
                if let base = words.baseAddress { Keccak256.permute(base) }
            }
            #expect(fast == slow)
        }
    }

    @Test func piecesGiveTheSameDigestAsTheWhole() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for length in [0, 1, 135, 136, 137, 271, 272, 273, 1000] {
            for step in [1, 7, 136, 200] {
                var hasher = Keccak256()
                var place = 0
                while place < length {
                    hasher.update(Array(bytes[place..<min(length, place + step)]))
                    place += step
                }
                #expect(hasher.finalize() == Keccak256.hash(bytes[..<length]))
            }
        }
    }

    /// Keccak-f[1600] as FIPS 202 writes it down: the oracle of the unrolled one.
    static func permuteBySpecification(_ words: [UInt64]) -> [UInt64] {
        func rotate(_ x: UInt64, _ n: Int) -> UInt64 { x << UInt64(n % 64) | x >> UInt64(64 - n % 64) }
        var a = words
        var lfsr: UInt16 = 1
        for _ in 0..<24 {
            let c = (0..<5).map { x in (0..<5).reduce(0) { $0 ^ a[x + 5 * $1] } }
            for x in 0..<5 {
                for y in 0..<5 { a[x + 5 * y] ^= c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1) }
            }
            var (x, y) = (1, 0)
            var b = a
            for t in 0..<24 {
                let target = (y, (2 * x + 3 * y) % 5)
                b[target.0 + 5 * target.1] = rotate(a[x + 5 * y], (t + 1) * (t + 2) / 2)
                (x, y) = target
            }
            for y in 0..<5 {
                for x in 0..<5 { a[x + 5 * y] = b[x + 5 * y] ^ (~b[(x + 1) % 5 + 5 * y] & b[(x + 2) % 5 + 5 * y]) }
            }
            for j in 0..<7 {
                if lfsr & 1 == 1 { a[0] ^= 1 << UInt64((1 << j) - 1) }
                lfsr <<= 1
                if lfsr & 0x100 != 0 { lfsr ^= 0x171 }
            }
        }
        return a
    }
}
