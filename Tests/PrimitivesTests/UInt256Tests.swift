import Primitives
import Testing

@Suite struct UInt256Tests {
    static let samples: [UInt256] = [
        0, 1, 2, 3, 10, 0xff, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff, 0x1_0000_0000_0000_0000,
        0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff, 0x1_0000_0000_0000_0000_0000_0000_0000_0000,
        0x8000000000000000000000000000000000000000000000000000000000000000,
        0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff,
        0x123456789abcdef0fedcba98765432100f1e2d3c4b5a69788796a5b4c3d2e1f0,
    ]

    @Test func textForms() {
        let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        #expect(UInt256.max.description == most)
        #expect(UInt256(decimal: most) == .max)
        #expect(UInt256(decimal: most.dropLast() + "6") == nil)
        #expect(UInt256(hex: "0x0")?.hex == "0x0")
        #expect(UInt256(hex: "0x0f00")?.hex == "0xf00")
        #expect(UInt256(hex: "0x") == nil)
        for value in Self.samples {
            #expect(UInt256(decimal: value.description) == value)
            #expect(UInt256(hex: value.hex) == value)
            #expect(UInt256(bigEndian: value.bytes) == value)
            #expect(UInt256(bigEndian: value.minimalBytes) == value)
            #expect(UInt256(Bytes32(value)) == value)
            #expect(UInt256(Address(truncating: value)) == value & (UInt256.max >> 96))
        }
    }

    @Test func ringLaws() {
        for a in Self.samples {
            for b in Self.samples {
                #expect(a &+ b &- b == a)
                #expect(a &* b == a.multipliedFullWidth(by: b).low)
                #expect((a &+ .one) &* b == a &* b &+ b)
                #expect((a < b) == (a.bytes.lexicographicallyPrecedes(b.bytes)))
            }
        }
    }

    @Test func divisionMultipliesBack() {
        var random = SplitMix(state: 7)
        for i in 0..<40_000 {
            // Shifted and saturated limbs hit the rare corrections of algorithm D.
            let a = random.word()
            let b = random.word() >> (i % 256)
            let (q, r) = a.dividedOrZero(by: b)
            if b.isZero {
                #expect(q.isZero && r.isZero)
                continue
            }
            let (product, high) = q.multipliedFullWidth(by: b)
            #expect(high.isZero && r < b && product &+ r == a, "\(a) / \(b)")
            let c = random.word()
            let (low, top) = a.multipliedFullWidth(by: c)
            // a * c mod b by Horner's rule over the bits of c is the slow truth.
            if i % 64 == 0 {
                var slow = UInt256.zero
                for bit in stride(from: 255, through: 0, by: -1) {
                    slow = slow.addedModulo(slow, b)
                    if (c >> bit).w0 & 1 == 1 { slow = slow.addedModulo(a, b) }
                }
                #expect(a.multipliedModulo(c, b) == slow, "\(low) \(top) mod \(b)")
            }
        }
    }

    @Test func signedOperations() {
        let minusOne = UInt256.max
        let minimum: UInt256 = 0x8000000000000000000000000000000000000000000000000000000000000000
        #expect(minimum.signedDividedOrZero(by: minusOne) == minimum)
        #expect(UInt256(7).negated.signedDividedOrZero(by: 2) == UInt256(3).negated)
        #expect(UInt256(7).negated.signedRemainderOrZero(by: 2) == minusOne)
        #expect(UInt256(7).signedRemainderOrZero(by: UInt256(2).negated) == 1)
        #expect(minusOne.isSignedLess(than: 0) && !UInt256(0).isSignedLess(than: minusOne))
        #expect(UInt256(0xff).signExtended(fromByte: 0) == minusOne)
        #expect(UInt256(0x17f).signExtended(fromByte: 0) == 0x7f)
        #expect(minimum.arithmeticShiftRight(255) == minusOne && minimum.arithmeticShiftRight(256) == minusOne)
        #expect(UInt256(3).raised(to: 5) == 243 && UInt256(2).raised(to: 256).isZero && UInt256(0).raised(to: 0) == 1)
    }

    @Test func shiftsAgreeWithDoubling() {
        for value in Self.samples {
            var left = value
            for count in 0..<300 {
                #expect(value << count == left)
                left = left &+ left
                if count < 256 { #expect(value >> count == value.dividedOrZero(by: UInt256.one << count).quotient) }
            }
        }
    }
}

/// A small seeded generator, so that failures repeat.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A word with limbs that are often all zeros or all ones.
    mutating func word() -> UInt256 {
        func limb(_ random: inout SplitMix) -> UInt64 {
            switch random.next() % 4 {
            case 0: 0
            case 1: .max
            default: random.next()
            }
        }
        return UInt256(limb(&self), limb(&self), limb(&self), limb(&self))
    }
}
