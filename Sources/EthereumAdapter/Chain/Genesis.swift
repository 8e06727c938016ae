public import AdapterKit
internal import EVM
public import Primitives

/// A chain's rules, first block and first state, from the shape of go-ethereum's genesis file.
public struct Genesis: Sendable {
    /// The rules. Without any fork named in `config` they are Cancun's from the start.
    public var configuration: ChainConfiguration
    /// The first block, state root included.
    public var header: Header
    /// The first state.
    public var state: StateDiff

    /// Reads a genesis file's JSON.
    /// - Throws: ``AdapterError/invalidSettings(_:)``.
    public init(_ json: JSON) throws(AdapterError) {
        let reader = try SettingsReader(json, "genesis")
        guard let config = try reader.object("config") else { throw .invalidSettings("genesis.config is missing") }
        configuration = try Genesis.configuration(config)
        state = try Genesis.alloc(reader)
        let number = try reader.integer("number") ?? 0
        let time = try reader.integer("timestamp") ?? 0
        let fork = configuration.fork(number: number, time: time)
        var world = WorldState()
        world.apply(state)
        header = Header(
            parentHash: try reader.hash("parentHash") ?? .zero, beneficiary: try reader.address("coinbase") ?? .zero,
            stateRoot: world.stateRoot(), difficulty: try reader.quantity("difficulty") ?? .zero, number: number,
            gasLimit: try reader.integer("gasLimit") ?? 30_000_000, gasUsed: try reader.integer("gasUsed") ?? 0,
            timestamp: time, extraData: try reader.bytes("extraData") ?? [],
            mixHash: try reader.hash("mixHash") ?? .zero, nonce: try reader.integer("nonce") ?? 0)
        guard header.extraData.count <= 32 else { throw .invalidSettings("genesis.extraData is over 32 bytes") }
        if fork >= .london {
            header.baseFeePerGas = try reader.quantity("baseFeePerGas") ?? FeeRules.initialBaseFee
        }
        if fork >= .shanghai { header.withdrawalsRoot = OrderedTrie.emptyRoot }
        if fork >= .cancun {
            header.excessBlobGas = try reader.integer("excessBlobGas") ?? 0
            header.blobGasUsed = try reader.integer("blobGasUsed") ?? 0
            header.parentBeaconBlockRoot = .zero
        }
        if fork >= .prague { header.requestsHash = Genesis.emptyRequestsHash }
    }

    /// SHA-256 of nothing: the hash of no execution requests (EIP-7685).
    static let emptyRequestsHash =
        Bytes32(
            hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") ?? .zero

    private static func configuration(_ config: SettingsReader) throws(AdapterError) -> ChainConfiguration {
        guard let chainID = try config.integer("chainId") else {
            throw .invalidSettings("genesis.config.chainId is missing")
        }
        // Twice the id and 35 must fit v (EIP-155), and JavaScript's clients read ids as doubles.
        guard chainID > 0, chainID <= 1 << 53 else { throw .invalidSettings("genesis.config.chainId is out of range") }
        var configuration = ChainConfiguration(chainID: chainID)
        for fork in ChainConfiguration.BlockFork.allCases {
            if let first = try config.integer(fork.rawValue) { configuration.blocks[fork] = first }
        }
        for fork in ChainConfiguration.TimeFork.allCases {
            if let first = try config.integer(fork.rawValue) { configuration.times[fork] = first }
        }
        configuration.parisBlock = try config.integer("mergeNetsplitBlock")
        if configuration.parisBlock == nil, try config.quantity("terminalTotalDifficulty") == .zero {
            configuration.parisBlock = 0
        }
        if configuration.blocks.isEmpty, configuration.times.isEmpty, configuration.parisBlock == nil {
            return ChainConfiguration(chainID: chainID, fork: .cancun)
        }
        return configuration
    }

    private static func alloc(_ genesis: SettingsReader) throws(AdapterError) -> StateDiff {
        var state = StateDiff()
        guard let alloc = try genesis.object("alloc") else { return state }
        for member in alloc.object.members {
            let name = "genesis.alloc.\(member.name.prefix(44))"
            guard let address = Address(hex: member.name) else { throw .invalidSettings("\(name) is no address") }
            let reader = try SettingsReader(member.value, name)
            var account = AccountState(
                nonce: try reader.integer("nonce") ?? 0, balance: try reader.quantity("balance") ?? .zero)
            if let code = try reader.bytes("code"), !code.isEmpty {
                account.codeHash = Keccak256.hash(code)
                state.codes[account.codeHash] = code
            }
            guard state.accounts.updateValue(account, forKey: address) == nil else {
                throw .invalidSettings("\(name) comes twice")
            }
            guard let storage = try reader.object("storage") else { continue }
            for entry in storage.object.members {
                guard let slot = UInt256(hex: entry.name), let value = SettingsReader.number(entry.value) else {
                    throw .invalidSettings("\(name).storage is not hex to hex")
                }
                if !value.isZero { state.storage[StorageKey(address, Bytes32(slot))] = value }
            }
        }
        return state
    }
}
