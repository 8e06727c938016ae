/// Switches that only a genesis can set.
public struct GenesisFlags: Hashable, Sendable {
    /// Allows entries that load foreign state, for the replay of recorded chains. Never on in a production network.
    public var replay: Bool

    /// The given switches.
    public init(replay: Bool = false) {
        self.replay = replay
    }
}

/// One adapter of the constitution's list.
public struct AdapterConfiguration: Hashable, Sendable {
    /// The name under which clients and entries reach it; also the prefix of its maps.
    public var endpoint: String
    /// Which built-in adapter it is, such as `ethereum`.
    public var kind: String
    /// Its settings as JSON, from the constitution.
    public var settings: [UInt8]
    /// Switches from the genesis.
    public var flags: GenesisFlags

    /// An adapter of the list.
    public init(endpoint: String, kind: String, settings: [UInt8], flags: GenesisFlags = .init()) {
        self.endpoint = endpoint
        self.kind = kind
        self.settings = settings
        self.flags = flags
    }
}

/// Runs independent work items, perhaps in parallel. Adapters are single-threaded but for this.
public protocol ParallelExecutor: Sendable {
    /// Calls `body` once for each of 0 ..< `count`, in any order and on any thread, and returns when all are done.
    func run(_ count: Int, _ body: @Sendable (Int) -> Void)
}

/// Runs all on the calling thread.
public struct SerialExecutor: ParallelExecutor {
    /// The serial executor.
    public init() {}

    /// Calls `body` for 0, 1, … `count` - 1.
    public func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
        for index in 0..<count { body(index) }
    }
}
