/// The rule sets of the Ethereum main network that change execution, oldest first. Forks that change difficulty only
/// (Muir, Arrow and Gray Glacier) have none; Petersburg is what the tests call ConstantinopleFix.
public enum Fork: UInt8, CaseIterable, Comparable, Hashable, Sendable {
    /// July 2015.
    case frontier
    /// EIP-2, EIP-7.
    case homestead
    /// EIP-150.
    case tangerineWhistle
    /// EIP-155, 160, 161, 170.
    case spuriousDragon
    /// EIP-140, 196, 197, 198, 211, 214, 658.
    case byzantium
    /// EIP-145, 1014, 1052, 1283.
    case constantinople
    /// Without EIP-1283.
    case petersburg
    /// EIP-152, 1108, 1344, 1884, 2028, 2200.
    case istanbul
    /// EIP-2565, 2718, 2929, 2930.
    case berlin
    /// EIP-1559, 3198, 3529, 3541.
    case london
    /// EIP-3675, 4399.
    case paris
    /// EIP-3651, 3855, 3860, 4895.
    case shanghai
    /// EIP-1153, 4788, 4844, 5656, 6780, 7516.
    case cancun
    /// EIP-2537, 2935, 7623, 7702.
    case prague
    /// EIP-7823, 7825, 7883, 7939, 7951.
    case osaka

    /// Age order.
    public static func < (a: Fork, b: Fork) -> Bool { a.rawValue < b.rawValue }

    /// The share of the gas used that refunds can give back, as its divisor (EIP-3529).
    public var refundQuotient: UInt64 { self >= .london ? 5 : 2 }

    /// Bytes of contract code at most (EIP-170); nil before the limit.
    public var codeSizeMax: Int? { self >= .spuriousDragon ? 24_576 : nil }

    /// Bytes of initialisation code at most (EIP-3860); nil before the limit.
    public var initCodeSizeMax: Int? { self >= .shanghai ? 49_152 : nil }

    /// Whether touched accounts without balance, nonce and code are removed (EIP-161).
    public var removesEmptyAccounts: Bool { self >= .spuriousDragon }
}
