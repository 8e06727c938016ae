/// How the bench measures.
public struct BenchSettings: Sendable {
    /// Which node gets the requests.
    public enum Target: Sendable, Equatable {
        /// The one that is primary when a load starts.
        case primary
        /// All of them in turn.
        case all
        /// The node of this place in the list.
        case node(Int)
    }

    /// Seconds for which the clock runs, a load.
    public var seconds: Double = 30
    /// Seconds of load before that, which are not measured.
    public var warmup: Double = 3
    /// Clients of the closed loop.
    public var clients = 64
    /// Transactions of one request; over 1 as a JSON-RPC batch.
    public var batch = 1
    /// Transactions a second of the open loop; nil takes half of what the closed loop did.
    public var rate: Double?
    /// How the open loop's requests are spaced.
    public var spacing = ArrivalSchedule.Spacing.poisson
    /// Funded accounts.
    public var accounts = 2000
    /// Connections to a node; more requests than that are pipelined.
    public var connections = 16
    /// Which node gets the requests.
    public var target = Target.primary
    /// Microseconds from one look at a node's commit to the next.
    public var watchInterval: UInt64 = 4000
    /// Threads of the bench for the load.
    public var threads = 1
    /// Seed of accounts and arrivals.
    public var seed: UInt64
    /// Private key of the account that pays.
    public var funderKey: [UInt8]
    /// Transactions signed before a load at most.
    public var presignedMax = 2_000_000

    /// The defaults.
    /// - Parameters:
    ///   - funderKey: private key of an account with ether.
    ///   - seed: what the bench's accounts come from; a network that knows them from before is used all the same.
    public init(funderKey: [UInt8], seed: UInt64) {
        self.funderKey = funderKey
        self.seed = seed
    }

    /// Checks what can be checked without a network.
    /// - Throws: ``BenchError/setup(_:)``.
    public func check() throws(BenchError) {
        guard seconds > 0, seconds <= 86_400, warmup >= 0, warmup <= 3600 else {
            throw .setup("the measured time must be above 0 and at most a day, the warm-up at most an hour")
        }
        guard (1...100_000).contains(clients) else { throw .setup("clients must be from 1 to 100,000") }
        guard (1...1000).contains(batch) else { throw .setup("a batch must have from 1 to 1,000 transactions") }
        guard accounts >= 2, accounts >= batch, accounts <= 1_000_000 else {
            throw .setup("accounts must be at least 2, at least a batch's transactions, and at most 1,000,000")
        }
        if let rate {
            guard rate > 0, rate <= 1e6 else { throw .setup("the rate must be above 0 and at most a million") }
        }
        guard (1...1024).contains(connections), (1...64).contains(threads) else {
            throw .setup("connections must be from 1 to 1,024 and threads from 1 to 64")
        }
        guard (200...1_000_000).contains(watchInterval) else {
            throw .setup("nodes can be looked at every 0.2 to 1,000 ms")
        }
        guard Wallet(key: funderKey) != nil else { throw .setup("the funder's key is no secp256k1 key of 32 bytes") }
    }

    /// The settings in words.
    /// - Parameter network: what is measured.
    public func described(_ network: BenchNetwork) -> [(name: String, value: String)] {
        let requests: String
        switch target {
        case .primary: requests = "to the primary"
        case .all: requests = "to all nodes in turn"
        case .node(let index):
            requests = network.nodes.indices.contains(index) ? "to \(network.nodes[index].name)" : "to no node"
        }
        return [
            ("nodes", network.nodes.map { "\($0.name) \($0.application)" }.joined(separator: ", ")),
            (
                "requests",
                "JSON-RPC over HTTPS, TLS 1.3, \(requests), \(batch) transaction\(batch == 1 ? "" : "s") each"
            ),
            ("clients", "\(clients) in the closed loop, over \(connections) connections a node, \(threads) thread(s)"),
            (
                "open loop",
                "\(rate.map { "\(Format.decimal($0, 0)) tx/s" } ?? "half of the closed loop's rate"), \(spacing.rawValue) arrivals"
            ),
            ("accounts", "\(accounts) (seed \(seed))"),
            ("time", "\(Format.decimal(seconds)) s after \(Format.decimal(warmup)) s of warm-up"),
            ("watching", "GET /node/commit at every node each \(Format.milliseconds(watchInterval)) ms"),
        ]
    }
}
