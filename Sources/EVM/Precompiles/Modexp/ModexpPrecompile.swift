/// The precompiled contract 0x05: base^exponent mod modulus on integers of any length (EIP-198), with GMP.
///
/// Pure functions; the caller charges `gas` first, which is what bounds the work of `run`.
public enum ModexpPrecompile {
    /// Longest modulus that `run` accepts, in bytes: the result is as long, and the input may leave it out. A modulus
    /// of 16 MiB costs more than 10^11 gas under every price, so no call that a block could pay for is refused.
    public static let modulusLengthMax = 1 << 24

    /// The result, as long as the modulus; modulus 0 gives 0, and an empty modulus an empty result.
    ///
    /// Input is three 32-byte lengths and the operands base, exponent, modulus; missing bytes are zero, excess is
    /// ignored. Nil if the modulus is longer than `modulusLengthMax`, or under `.eip7883` if a length exceeds the 1024
    /// bytes of EIP-7823. Memory used is bounded by the lengths of input and modulus.
    public static func run(_ input: [UInt8], rules: ModexpRules = .eip2565) -> [UInt8]? {
        let lengths = ModexpLengths(input)
        if rules == .eip7883 && lengths.exceedOsakaLimits { return nil }
        if lengths.modulus == 0 { return [] }
        guard lengths.modulus <= UInt128(modulusLengthMax) else { return nil }
        var result = [UInt8](repeating: 0, count: Int(lengths.modulus))
        // The modulus comes last: where none of its bytes is in the input it is 0, and so is the result.
        let available = UInt128(input.count)
        guard lengths.base < available, lengths.exponent < available,
            96 + lengths.base + lengths.exponent < available
        else { return result }
        let exponentStart = 96 + Int(lengths.base)
        let modulusStart = exponentStart + Int(lengths.exponent)
        let modulusEnd = min(modulusStart + result.count, input.count)
        let modulus = GMPInteger(
            input[modulusStart..<modulusEnd], zeroBytes: result.count - (modulusEnd - modulusStart))
        // GMP divides by the modulus, so 0 must not reach it; 0 and 1 give 0.
        if !modulus.isAboveOne { return result }
        let value = GMPInteger(input[96..<exponentStart], zeroBytes: 0)
        value.raise(to: GMPInteger(input[exponentStart..<modulusStart], zeroBytes: 0), modulo: modulus)
        value.write(into: &result)
        return result
    }
}
