public import EVM

/// Which chain this is and when its rules change: the "config" of a go-ethereum genesis.
public struct ChainConfiguration: Hashable, Sendable {
    /// A change of rules that comes with a block number.
    public enum BlockFork: String, Hashable, Sendable, CaseIterable {
        /// EIP-2, 7.
        case homestead = "homesteadBlock"
        /// EIP-150.
        case tangerineWhistle = "eip150Block"
        /// EIP-155, 160, 161, 170. (go-ethereum's `eip155Block` must be the same.)
        case spuriousDragon = "eip158Block"
        /// EIP-100, 140, 196-198, 211, 214, 649, 658.
        case byzantium = "byzantiumBlock"
        /// EIP-145, 1014, 1052, 1234, 1283.
        case constantinople = "constantinopleBlock"
        /// Takes EIP-1283 back.
        case petersburg = "petersburgBlock"
        /// EIP-152, 1108, 1344, 1884, 2028, 2200.
        case istanbul = "istanbulBlock"
        /// EIP-2565, 2718, 2929, 2930.
        case berlin = "berlinBlock"
        /// EIP-1559, 3198, 3529, 3541.
        case london = "londonBlock"

        var fork: Fork {
            switch self {
            case .homestead: .homestead
            case .tangerineWhistle: .tangerineWhistle
            case .spuriousDragon: .spuriousDragon
            case .byzantium: .byzantium
            case .constantinople: .constantinople
            case .petersburg: .petersburg
            case .istanbul: .istanbul
            case .berlin: .berlin
            case .london: .london
            }
        }
    }

    /// A change of rules that comes with a timestamp.
    public enum TimeFork: String, Hashable, Sendable, CaseIterable {
        /// EIP-3651, 3855, 3860, 4895.
        case shanghai = "shanghaiTime"
        /// EIP-1153, 4788, 4844, 5656, 6780, 7516.
        case cancun = "cancunTime"
        /// EIP-2537, 2935, 7623, 7702 and others.
        case prague = "pragueTime"
        /// EIP-7823, 7825, 7883, 7939, 7951 and others.
        case osaka = "osakaTime"

        var fork: Fork {
            switch self {
            case .shanghai: .shanghai
            case .cancun: .cancun
            case .prague: .prague
            case .osaka: .osaka
            }
        }
    }

    /// The chain id (EIP-155).
    public var chainID: UInt64
    /// First block of each fork; a fork that isn't listed never comes.
    public var blocks: [BlockFork: UInt64]
    /// First block under proof of stake, or, on a ledger with its own consensus, under Paris's rules.
    public var parisBlock: UInt64?
    /// First second of each fork; it must also be Paris.
    public var times: [TimeFork: UInt64]

    /// A chain.
    public init(
        chainID: UInt64, blocks: [BlockFork: UInt64] = [:], parisBlock: UInt64? = nil, times: [TimeFork: UInt64] = [:]
    ) {
        self.chainID = chainID
        self.blocks = blocks
        self.parisBlock = parisBlock
        self.times = times
    }

    /// A chain with the rules of one fork from its first block on.
    public init(chainID: UInt64, fork: Fork) {
        self.init(chainID: chainID)
        for change in BlockFork.allCases where change.fork <= fork { blocks[change] = 0 }
        if fork >= .paris { parisBlock = 0 }
        for change in TimeFork.allCases where change.fork <= fork { times[change] = 0 }
    }

    /// Ethereum's main network.
    public static let mainnet = ChainConfiguration(
        chainID: 1,
        blocks: [
            .homestead: 1_150_000, .tangerineWhistle: 2_463_000, .spuriousDragon: 2_675_000, .byzantium: 4_370_000,
            .constantinople: 7_280_000, .petersburg: 7_280_000, .istanbul: 9_069_000, .berlin: 12_244_000,
            .london: 12_965_000,
        ],
        parisBlock: 15_537_394,
        times: [
            .shanghai: 1_681_338_455, .cancun: 1_710_338_135, .prague: 1_746_612_311, .osaka: 1_764_798_551,
        ])

    /// The rules of a block.
    public func fork(number: UInt64, time: UInt64) -> Fork {
        var fork = Fork.frontier
        for (change, first) in blocks where number >= first { fork = max(fork, change.fork) }
        guard let parisBlock, number >= parisBlock else { return fork }
        fork = max(fork, .paris)
        for (change, first) in times where time >= first { fork = max(fork, change.fork) }
        return fork
    }
}
