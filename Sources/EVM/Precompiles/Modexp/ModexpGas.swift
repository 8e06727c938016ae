/// The rule set that prices and limits the modular exponentiation precompile.
public enum ModexpRules: Sendable, CaseIterable {
    /// EIP-198: Byzantium.
    case eip198
    /// EIP-2565: Berlin.
    case eip2565
    /// EIP-7883 pricing with the input limits of EIP-7823: Osaka.
    case eip7883
}

/// The three lengths at the head of the input, in bytes. Lengths that no machine could hold are saturated, which no
/// price tells apart: see `gas`.
struct ModexpLengths {
    /// Longest operand under EIP-7823, in bytes.
    static let operandLengthMax: UInt128 = 1024

    var base: UInt128
    var exponent: UInt128
    var modulus: UInt128

    init(_ input: [UInt8]) {
        base = ModexpLengths.word(input, at: 0)
        exponent = ModexpLengths.word(input, at: 32)
        modulus = ModexpLengths.word(input, at: 64)
    }

    /// The 32-byte integer at `offset`, zeros standing for bytes beyond the end; at most UInt128.max.
    private static func word(_ input: [UInt8], at offset: Int) -> UInt128 {
        var value: UInt128 = 0
        for position in offset..<(offset + 32) {
            let byte = position < input.count ? input[position] : 0
            if value >> 120 != 0 { return .max }
            value = value << 8 | UInt128(byte)
        }
        return value
    }

    /// Whether EIP-7823 refuses the call.
    var exceedOsakaLimits: Bool { max(base, exponent, modulus) > ModexpLengths.operandLengthMax }
}

extension ModexpPrecompile {
    /// The price of a call in gas, saturated at UInt64.max.
    ///
    /// Huge lengths in the head neither trap nor allocate. Under EIP-7823 lengths above 1024 fail whatever the gas:
    /// `run` gives nil, and the price is still that of EIP-7883.
    public static func gas(_ input: [UInt8], rules: ModexpRules) -> UInt64 {
        let lengths = ModexpLengths(input)
        let longest = max(lengths.base, lengths.modulus)
        let complexity = Saturating(complexity(longest, rules))
        let iterations = Saturating(iterationCount(input, lengths, rules))
        switch rules {
        case .eip198:
            return (complexity * iterations).divided(by: 20)
        case .eip2565:
            return max(200, (complexity * iterations).divided(by: 3))
        case .eip7883:
            return max(500, (complexity * iterations).divided(by: 1))
        }
    }

    /// The price under EIP-2565 (Berlin and later) or EIP-198 (before).
    public static func gas(_ input: [UInt8], eip2565: Bool) -> UInt64 {
        gas(input, rules: eip2565 ? .eip2565 : .eip198)
    }

    /// The cost of one multiplication of operands of `length` bytes; nil if beyond 128 bits.
    private static func complexity(_ length: UInt128, _ rules: ModexpRules) -> UInt128? {
        // Below 2^60 no step overflows; above, the price is beyond UInt64 in any case, as it grows with the square.
        guard length < 1 << 60 else { return nil }
        let words = (length + 7) / 8
        switch rules {
        case .eip198:
            if length <= 64 { return length * length }
            if length <= 1024 { return length * length / 4 + 96 * length - 3072 }
            return length * length / 16 + 480 * length - 199_680
        case .eip2565:
            return words * words
        case .eip7883:
            return length <= 32 ? 16 : 2 * words * words
        }
    }

    /// How many multiplications the exponent costs, at least 1; nil if beyond 128 bits.
    private static func iterationCount(_ input: [UInt8], _ lengths: ModexpLengths, _ rules: ModexpRules) -> UInt128? {
        // The first 32 bytes of the exponent, or all if fewer; bytes beyond the input are zero.
        let headLength = Int(min(lengths.exponent, 32))
        var headBits = 0
        if lengths.base < UInt128(input.count) {
            let start = 96 + Int(lengths.base)
            for index in 0..<headLength where headBits == 0 && start + index < input.count {
                let byte = input[start + index]
                if byte != 0 { headBits = 8 * (headLength - index) - byte.leadingZeroBitCount }
            }
        }
        let headCount = UInt128(max(headBits - 1, 0))
        guard lengths.exponent > 32 else { return max(headCount, 1) }
        let perByte: UInt128 = rules == .eip7883 ? 16 : 8
        let (tail, overflow) = (lengths.exponent - 32).multipliedReportingOverflow(by: perByte)
        let (sum, carry) = tail.addingReportingOverflow(headCount)
        return overflow || carry ? nil : max(sum, 1)
    }

    /// A product that remembers having outgrown 128 bits.
    private struct Saturating {
        /// Nil when beyond 128 bits.
        let value: UInt128?

        init(_ value: UInt128?) { self.value = value }

        static func * (a: Saturating, b: Saturating) -> Saturating {
            if a.value == 0 || b.value == 0 { return Saturating(0) }
            guard let x = a.value, let y = b.value else { return Saturating(nil) }
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            return Saturating(overflow ? nil : product)
        }

        func divided(by divisor: UInt128) -> UInt64 {
            guard let value else { return .max }
            return UInt64(clamping: value / divisor)
        }
    }
}
