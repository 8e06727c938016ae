public import EVM

extension Transaction {
    /// Init code of more bytes is refused from Shanghai on (EIP-3860).
    public static let initCodeLengthMax = 49_152

    /// Gas that the transaction costs before its first instruction runs: the base, each byte, creation, access list,
    /// authorisations (yellow paper, section 6.2; EIP-2, EIP-2028, EIP-2930, EIP-3860, EIP-7702). Saturates instead of overflowing.
    public func intrinsicGas(_ fork: Fork) -> UInt64 {
        var gas: UInt64 = 21_000
        if isCreate, fork >= .homestead { gas += 32_000 }
        var zeros: UInt64 = 0
        for byte in input where byte == 0 { zeros += 1 }
        let others = UInt64(input.count) - zeros
        // Counts of bytes in memory are far below the 2^64 / 68 that would overflow.
        gas += zeros * 4 + others * (fork >= .istanbul ? 16 : 68)
        if isCreate, fork >= .shanghai { gas += (UInt64(input.count) + 31) / 32 * 2 }
        for entry in accessList { gas += 2_400 + UInt64(entry.slots.count) * 1_900 }
        return gas + UInt64(authorizations.count) * Authorization.gasCost
    }

    /// The least gas that is paid for the data, whatever is executed (EIP-7623); 0 before Prague.
    public func floorGas(_ fork: Fork) -> UInt64 {
        guard fork >= .prague else { return 0 }
        var tokens: UInt64 = 0
        for byte in input { tokens += byte == 0 ? 1 : 4 }
        return 21_000 + 10 * tokens
    }

    /// The most gas that one transaction may have (EIP-7825); nil before Osaka.
    public static func gasLimitMax(_ fork: Fork) -> UInt64? { fork >= .osaka ? 1 << 24 : nil }
}
