import EVM
import Testing

@Suite("Curve modexp")
struct CurveModexpTests {
    /// Lengths and operands in the precompile's layout.
    private func call(_ base: [UInt8], _ exponent: [UInt8], _ modulus: [UInt8]) -> [UInt8] {
        [base, exponent, modulus].flatMap { curveWord(UInt64($0.count)) } + base + exponent + modulus
    }

    private func head(_ base: UInt64, _ exponent: UInt64, _ modulus: UInt64) -> [UInt8] {
        curveWord(base) + curveWord(exponent) + curveWord(modulus)
    }

    @Test(
        "Vectors of EIP-198, EIP-2565 and EIP-7883", .enabled(if: CurveVectors.available, "no shared data"),
        arguments: [("modexp", ModexpRules.eip198), ("modexp_eip2565", .eip2565), ("modexp_eip7883", .eip7883)])
    func vectors(file: String, rules: ModexpRules) throws {
        try CurveVectors.check(file) { ModexpPrecompile.run($0, rules: rules) }
        for vector in try CurveVectors.load(file) {
            #expect(ModexpPrecompile.gas(vector.input, rules: rules) == vector.gas, "\(file): \(vector.name)")
        }
    }

    @Test("Known answers")
    func knownAnswers() {
        // Fermat: 3^(p - 1) mod p, EIP-198's first example.
        let p = curveBytes("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
        var exponent = p
        exponent[31] = 0x2e
        #expect(ModexpPrecompile.run(call([3], exponent, p)) == curveWord(1))
        #expect(ModexpPrecompile.gas(call([3], exponent, p), eip2565: false) == 13056)
        #expect(ModexpPrecompile.gas(call([3], exponent, p), eip2565: true) == 1360)
        // Even moduli; computed with Python's pow.
        let nine: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(ModexpPrecompile.run(call([7], [1, 0x86, 0xa0], nine)) == curveBytes("00556b3d475c673701"))
        #expect(
            ModexpPrecompile.run(
                call(
                    curveBytes("7fffffffffffffffffffffffffffffff"), curveBytes("01ffffffffffffffffffffff"),
                    curveBytes("10000000000000000000000006"))) == curveBytes("05208a8c482ad9fff3b82e0441"))
    }

    @Test("Empty operands, modulus 0 and 1")
    func edges() {
        #expect(ModexpPrecompile.run([]) == [])
        #expect(ModexpPrecompile.run(call([], [], [])) == [])
        #expect(ModexpPrecompile.run(call([5], [2], [])) == [])
        #expect(ModexpPrecompile.run(call([5], [2], [0, 0])) == [0, 0])
        #expect(ModexpPrecompile.run(call([5], [2], [0, 1])) == [0, 0])
        #expect(ModexpPrecompile.run(call([5], [0], [1])) == [0])
        #expect(ModexpPrecompile.run(call([], [], [7])) == [1])
        #expect(ModexpPrecompile.run(call([0], [0], [7])) == [1])
        #expect(ModexpPrecompile.run(call([], [3], [7])) == [0])
        #expect(ModexpPrecompile.run(call([0, 0, 5], [0, 2], [0, 0, 7])) == [0, 0, 4])
        // Excess is ignored, missing bytes are zero: modulus [2] of two bytes is 0x0200.
        #expect(ModexpPrecompile.run(call([3], [5], [100]) + [9, 9]) == [43])
        #expect(ModexpPrecompile.run(head(1, 1, 2) + [3, 6, 2]) == [0x00, 0xd9])
        #expect(ModexpPrecompile.run(head(1, 1, 1)) == [0])
    }

    @Test("Agrees with repeated multiplication", arguments: [UInt64(21), 22, 23])
    func reference(seed: UInt64) {
        var random = CurveRandom(seed: seed)
        for _ in 0..<12 {
            let base = random.bytes(Int(random.next() % 20))
            let exponent = random.bytes(Int(random.next() % 3))
            let modulus = random.bytes(1 + Int(random.next() % 16))
            let m = CurveReference(bigEndian: modulus)
            if m == CurveReference(bigEndian: []) { continue }
            var expected = CurveReference(bigEndian: [1]) % m
            for byte in exponent {
                for bit in stride(from: 7, through: 0, by: -1) {
                    expected = (expected * expected) % m
                    if (byte >> UInt8(bit)) & 1 == 1 { expected = (expected * CurveReference(bigEndian: base)) % m }
                }
            }
            let result = ModexpPrecompile.run(call(base, exponent, modulus))
            #expect(result?.count == modulus.count)
            #expect(result.map(CurveReference.init(bigEndian:)) == expected)
        }
    }

    @Test("Where the input ends before the modulus the result is zero, whatever the lengths")
    func missingModulus() {
        #expect(ModexpPrecompile.run(head(1, 1 << 20, 3) + [2, 1]) == [0, 0, 0])
        #expect(ModexpPrecompile.run(head(1, .max, 3) + [2, 1]) == [0, 0, 0])
        #expect(ModexpPrecompile.run(head(.max, .max, 1) + [2, 1]) == [0])
        #expect(ModexpPrecompile.run(head(1, 1, 3) + [2, 1]) == [0, 0, 0])
    }

    @Test("Huge lengths saturate the price and do not run")
    func hugeLengths() {
        let huge = [UInt8](repeating: 255, count: 32)
        let half = [UInt8](repeating: 0, count: 16) + [UInt8](repeating: 255, count: 16)
        for rules in ModexpRules.allCases {
            for word in [huge, half] {
                #expect(ModexpPrecompile.gas(word + curveWord(1) + curveWord(1), rules: rules) == .max)
                #expect(ModexpPrecompile.gas(curveWord(1) + word + curveWord(1), rules: rules) == .max)
                #expect(ModexpPrecompile.gas(curveWord(1) + curveWord(1) + word, rules: rules) == .max)
                #expect(ModexpPrecompile.gas(word + word + word + [1, 2, 3], rules: rules) == .max)
                let zero: [UInt8]? = rules == .eip7883 ? nil : [0]
                #expect(ModexpPrecompile.run(word + curveWord(1) + curveWord(1), rules: rules) == zero)
                #expect(ModexpPrecompile.run(curveWord(1) + word + curveWord(1), rules: rules) == zero)
                #expect(ModexpPrecompile.run(curveWord(1) + curveWord(1) + word, rules: rules) == nil)
            }
        }
        // Nothing to multiply costs nothing, however long the exponent.
        #expect(ModexpPrecompile.gas(curveWord(0) + huge + curveWord(0), rules: .eip198) == 0)
        #expect(ModexpPrecompile.gas(curveWord(0) + huge + curveWord(0), rules: .eip2565) == 200)
        #expect(ModexpPrecompile.run(curveWord(0) + huge + curveWord(0)) == [])
        #expect(ModexpPrecompile.gas([], rules: .eip198) == 0)
        #expect(ModexpPrecompile.gas([], rules: .eip2565) == 200)
        #expect(ModexpPrecompile.gas([], rules: .eip7883) == 500)
        // 2^64 exponent bytes on one-byte operands: 8 · (2^64 - 32) / 20 still fits.
        let exponent = [UInt8](repeating: 0, count: 23) + [1] + [UInt8](repeating: 0, count: 8)
        #expect(
            ModexpPrecompile.gas(curveWord(1) + exponent + curveWord(1), rules: .eip198) == 7_378_697_629_483_820_633)
        // What the limit refuses is beyond any block.
        let limit = UInt64(ModexpPrecompile.modulusLengthMax)
        for rules in ModexpRules.allCases {
            #expect(ModexpPrecompile.gas(head(0, 0, limit), rules: rules) > 100_000_000_000)
        }
        #expect(ModexpPrecompile.run(head(1, 1, limit + 1)) == nil)
    }

    @Test("EIP-7823 limits each length to 1024 bytes")
    func osakaLimits() {
        for lengths in [[1025, 1, 1], [1, 1025, 1], [1, 1, 1025], [1025, 0, 0]] as [[UInt64]] {
            #expect(ModexpPrecompile.run(head(lengths[0], lengths[1], lengths[2]), rules: .eip7883) == nil)
            #expect(ModexpPrecompile.run(head(lengths[0], lengths[1], lengths[2]), rules: .eip2565) != nil)
        }
        let most = ModexpPrecompile.run(head(1024, 1024, 1024), rules: .eip7883)
        #expect(most == [UInt8](repeating: 0, count: 1024))
    }

    @Test("Input of any length and content does not trap")
    func fuzz() {
        var random = CurveRandom(seed: 24)
        for length in 0...300 {
            let noise = random.bytes(length)
            let small = head(random.next() % 40, random.next() % 40, random.next() % 40)
            for input in [noise, Array((small + noise).prefix(length))] {
                for rules in ModexpRules.allCases {
                    _ = ModexpPrecompile.gas(input, rules: rules)
                    _ = ModexpPrecompile.run(input, rules: rules)
                }
            }
        }
    }
}
