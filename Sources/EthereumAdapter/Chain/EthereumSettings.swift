public import AdapterKit
public import Primitives

/// The Ethereum adapter's part of the constitution: a JSON object whose `genesis` has the shape of go-ethereum's
/// genesis file; everything else has a default.
///
/// ```json
/// {"genesis": {"config": {"chainId": 1337}, "alloc": {"0x…": {"balance": "0x…"}}, "gasLimit": "0x1c9c380"},
///  "coinbase": "0x…", "baseFee": {"mode": "fixed", "value": "0x0"}, "minimumGasPrice": "0x0", "allowUnprotected": false,
///  "stateHistoryBlocks": 256, "callGasCap": 50000000, "batchMax": 1000,
///  "logs": {"blockRangeMax": 10000, "resultsMax": 10000},
///  "pool": {"transactionsMax": 4096, "perSenderMax": 64, "expirySeconds": 600},
///  "filters": {"perActorMax": 64, "expirySeconds": 300}, "oracle": "0x…"}
/// ```
public struct EthereumSettings: Sendable {
    /// How a block gets its base fee (from London on).
    public enum BaseFeePolicy: Hashable, Sendable {
        /// The same in every block. Zero lets transactions be free, the rule in a consortium.
        case fixed(UInt256)
        /// As EIP-1559 moves it.
        case market
    }

    /// The chain and its first block.
    public var genesis: Genesis
    /// Who gets priority fees; the genesis block's beneficiary if not set.
    public var coinbase: Address
    /// Gas that a block may use; the genesis block's if not set.
    public var blockGasLimit: UInt64
    /// How a block gets its base fee.
    public var baseFee = BaseFeePolicy.fixed(.zero)
    /// Wei per gas that a transaction offers at least.
    public var minimumGasPrice = UInt256.zero
    /// Whether legacy transactions without a chain id (EIP-155) are taken, which could be repeated from another chain.
    public var allowsUnprotected = false
    /// Blocks before the last committed one whose state can be asked for. Older state is refused.
    public var stateHistoryBlocks = 256
    /// Gas that a call may use.
    public var callGasCap: UInt64 = 50_000_000
    /// Calls in one JSON-RPC batch.
    public var batchMax = 1000
    /// Bytes of the answers to one request.
    public var responseBytesMax = 32 << 20
    /// Blocks that a log query may look through.
    public var logBlockRangeMax: UInt64 = 10_000
    /// Logs that a query may give.
    public var logResultsMax = 10_000
    /// Transactions with a nonce gap that are kept.
    public var poolTransactionsMax = 4096
    /// The same for one sender.
    public var poolPerSenderMax = 64
    /// Seconds for which they are kept.
    public var poolExpirySeconds: UInt64 = 600
    /// Filters that one actor may have at a time.
    public var filtersPerActorMax = 64
    /// Seconds after which a filter that isn't polled is dropped.
    public var filterExpirySeconds: UInt64 = 300

    /// The contract that hears what services outside answered, before the transaction for which they were asked; without
    /// one nothing outside is asked.
    public var oracle: Address?

    /// Bytes of settings at most.
    public static let bytesMax = 256 << 20

    /// Reads the settings.
    /// - Throws: ``AdapterError/invalidSettings(_:)`` naming the member.
    public init(_ bytes: [UInt8]) throws(AdapterError) {
        let json: JSON
        do {
            json = try JSON(
                parsing: bytes, limits: .init(bytesMax: EthereumSettings.bytesMax, depthMax: 16, valuesMax: 16 << 20))
        } catch {
            throw .invalidSettings(error.description)
        }
        let root = try SettingsReader(json, "settings")
        try root.allow([
            "genesis", "coinbase", "blockGasLimit", "baseFee", "minimumGasPrice", "allowUnprotected",
            "stateHistoryBlocks", "callGasCap",
            "batchMax", "responseBytesMax", "logs", "pool", "filters", "oracle",
        ])
        guard let genesis = root.json("genesis") else { throw .invalidSettings("genesis is missing") }
        self.genesis = try Genesis(genesis)
        coinbase = try root.address("coinbase") ?? self.genesis.header.beneficiary
        blockGasLimit = try root.integer("blockGasLimit") ?? self.genesis.header.gasLimit
        oracle = try root.address("oracle")
        if let price = try root.quantity("minimumGasPrice") { minimumGasPrice = price }
        if let policy = try root.object("baseFee") { baseFee = try EthereumSettings.baseFee(policy) }
        if let value = root.json("allowUnprotected") {
            guard let allowed = value.bool else {
                throw .invalidSettings("settings.allowUnprotected is no truth value")
            }
            allowsUnprotected = allowed
        }
        if let value = try root.integer("callGasCap") { callGasCap = value }
        try root.count("stateHistoryBlocks", 0...65_536, &stateHistoryBlocks)
        try root.count("batchMax", 1...100_000, &batchMax)
        try root.count("responseBytesMax", 1024...(128 << 20), &responseBytesMax)
        if let logs = try root.object("logs") {
            try logs.allow(["blockRangeMax", "resultsMax"])
            if let value = try logs.integer("blockRangeMax") { logBlockRangeMax = value }
            try logs.count("resultsMax", 1...1_000_000, &logResultsMax)
        }
        if let pool = try root.object("pool") {
            try pool.allow(["transactionsMax", "perSenderMax", "expirySeconds"])
            try pool.count("transactionsMax", 0...1_000_000, &poolTransactionsMax)
            try pool.count("perSenderMax", 0...1_000_000, &poolPerSenderMax)
            if let value = try pool.integer("expirySeconds") { poolExpirySeconds = min(value, 1 << 32) }
        }
        if let filters = try root.object("filters") {
            try filters.allow(["perActorMax", "expirySeconds"])
            try filters.count("perActorMax", 0...100_000, &filtersPerActorMax)
            if let value = try filters.integer("expirySeconds") { filterExpirySeconds = min(value, 1 << 32) }
        }
    }

    private static func baseFee(_ policy: SettingsReader) throws(AdapterError) -> BaseFeePolicy {
        try policy.allow(["mode", "value"])
        switch policy.json("mode")?.string {
        case "fixed": return .fixed(try policy.quantity("value") ?? .zero)
        case "eip1559": return .market
        default: throw .invalidSettings("baseFee.mode is neither fixed nor eip1559")
        }
    }
}

/// Reads the members of a settings object; errors name the member.
struct SettingsReader {
    let object: JSONObject
    private let path: String

    init(_ json: JSON, _ path: String) throws(AdapterError) {
        guard let object = json.object else { throw .invalidSettings("\(path) is not an object") }
        self.object = object
        self.path = path
    }

    /// Refuses members that nobody reads: a misspelt limit must not pass for a default.
    func allow(_ names: [String]) throws(AdapterError) {
        for member in object.members where !names.contains(member.name) {
            throw .invalidSettings("\(path) has an unknown member \(member.name.prefix(40))")
        }
    }

    func json(_ name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func object(_ name: String) throws(AdapterError) -> SettingsReader? {
        guard let value = json(name) else { return nil }
        return try SettingsReader(value, "\(path).\(name)")
    }

    /// A number as JSON number, hex with 0x or decimal text, as genesis files have all three.
    func quantity(_ name: String) throws(AdapterError) -> UInt256? {
        guard let value = json(name) else { return nil }
        guard let number = SettingsReader.number(value) else { throw .invalidSettings("\(path).\(name) is no number") }
        return number
    }

    static func number(_ value: JSON) -> UInt256? {
        switch value {
        case .integer(let number) where number >= 0: UInt256(UInt64(number))
        case .string(let text): text.hasPrefix("0x") ? UInt256(hex: text) : UInt256(decimal: text)
        default: nil
        }
    }

    func integer(_ name: String) throws(AdapterError) -> UInt64? {
        guard let value = try quantity(name) else { return nil }
        guard let number = value.asUInt64 else { throw .invalidSettings("\(path).\(name) is over 64 bits") }
        return number
    }

    func count(_ name: String, _ range: ClosedRange<Int>, _ target: inout Int) throws(AdapterError) {
        guard let value = try integer(name) else { return }
        guard let number = Int(exactly: value), range.contains(number) else {
            throw .invalidSettings("\(path).\(name) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        target = number
    }

    func bytes(_ name: String) throws(AdapterError) -> [UInt8]? {
        guard let value = json(name) else { return nil }
        guard let bytes = value.string.flatMap({ Hex.decode($0) }) else {
            throw .invalidSettings("\(path).\(name) is no hex text")
        }
        return bytes
    }

    func address(_ name: String) throws(AdapterError) -> Address? {
        guard let bytes = try bytes(name) else { return nil }
        guard let address = Address(bytes) else { throw .invalidSettings("\(path).\(name) has not 20 bytes") }
        return address
    }

    func hash(_ name: String) throws(AdapterError) -> Bytes32? {
        guard let bytes = try bytes(name) else { return nil }
        guard let hash = Bytes32(bytes) else { throw .invalidSettings("\(path).\(name) has not 32 bytes") }
        return hash
    }
}
