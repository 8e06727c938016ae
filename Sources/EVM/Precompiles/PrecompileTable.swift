internal import Primitives

/// A contract that is part of the rules: a price and a function of its input.
struct Precompile: Sendable {
    /// Gas for an input; at most `UInt64.max`, which nobody has.
    let gas: @Sendable ([UInt8]) -> UInt64
    /// The output, or nil if the input is refused, which costs all gas.
    let run: @Sendable ([UInt8]) -> [UInt8]?
}

/// The precompiles of one fork by address. A fork's addition is one line in ``init(_:)``.
struct PrecompileTable: Sendable {
    private var entries: [Precompile?]

    private static let tables = Fork.allCases.map { PrecompileTable($0) }

    static func table(for fork: Fork) -> PrecompileTable { tables[Int(fork.rawValue)] }

    /// The precompile at an address.
    func find(_ address: Address) -> Precompile? {
        let word = UInt256(address)
        guard word.fitsUInt64, word.w0 < UInt64(entries.count) else { return nil }
        return entries[Int(word.w0)]
    }

    private init(_ fork: Fork) {
        entries = Array(repeating: nil, count: 0x101)
        func flat(_ price: UInt64) -> @Sendable ([UInt8]) -> UInt64 { { _ in price } }
        func byWord(_ base: UInt64, _ word: UInt64) -> @Sendable ([UInt8]) -> UInt64 {
            { base + word * UInt64(($0.count + 31) / 32) }
        }
        entries[0x01] = Precompile(gas: flat(3000), run: ECRecoverPrecompile.run)
        entries[0x02] = Precompile(gas: byWord(60, 12), run: HashPrecompiles.sha256)
        entries[0x03] = Precompile(gas: byWord(600, 120), run: HashPrecompiles.ripemd160)
        entries[0x04] = Precompile(gas: byWord(15, 3), run: { $0 })
        if fork >= .byzantium {
            let rules: ModexpRules = fork >= .osaka ? .eip7883 : fork >= .berlin ? .eip2565 : .eip198
            entries[0x05] = Precompile(
                gas: { ModexpPrecompile.gas($0, rules: rules) }, run: { ModexpPrecompile.run($0, rules: rules) })
            // EIP-1108 made the curve cheaper.
            let isCheap = fork >= .istanbul
            entries[0x06] = Precompile(gas: flat(isCheap ? 150 : 500), run: BN254Precompiles.add)
            entries[0x07] = Precompile(gas: flat(isCheap ? 6000 : 40_000), run: BN254Precompiles.mul)
            let (base, pair): (UInt64, UInt64) = isCheap ? (45_000, 34_000) : (100_000, 80_000)
            entries[0x08] = Precompile(
                gas: { base + pair * UInt64(BN254Precompiles.pairCount($0)) }, run: BN254Precompiles.pairing)
        }
        if fork >= .istanbul {
            entries[0x09] = Precompile(gas: Blake2Precompile.gas, run: Blake2Precompile.run)
        }
        if fork >= .cancun {
            entries[0x0a] = Precompile(gas: flat(50_000), run: KZGPointEvaluation.run)
        }
        if fork >= .prague {
            entries[0x0b] = Precompile(gas: flat(BLS12381Gas.g1Add), run: BLS12381Precompiles.g1Add)
            entries[0x0c] = Precompile(gas: BLS12381Gas.g1MSM, run: BLS12381Precompiles.g1MSM)
            entries[0x0d] = Precompile(gas: flat(BLS12381Gas.g2Add), run: BLS12381Precompiles.g2Add)
            entries[0x0e] = Precompile(gas: BLS12381Gas.g2MSM, run: BLS12381Precompiles.g2MSM)
            entries[0x0f] = Precompile(gas: BLS12381Gas.pairing, run: BLS12381Precompiles.pairing)
            entries[0x10] = Precompile(gas: flat(BLS12381Gas.mapToG1), run: BLS12381Precompiles.mapFpToG1)
            entries[0x11] = Precompile(gas: flat(BLS12381Gas.mapToG2), run: BLS12381Precompiles.mapFp2ToG2)
        }
        if fork >= .osaka {
            entries[0x100] = Precompile(gas: flat(P256VerifyPrecompile.price), run: P256VerifyPrecompile.run)
        }
    }
}
