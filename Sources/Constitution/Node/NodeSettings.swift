internal import Primitives

/// What a launcher hands its manager: the part of node.yaml that a manager needs, and the genesis. A manager parses no
/// YAML and can open no file outside its data folder.
public struct NodeSettings: Sendable, Hashable {
    /// What the process is started for.
    public enum Task: UInt8, Sendable, Hashable {
        /// Run the node.
        case run = 1
        /// Make the node key, seal it, show it, stop.
        case initialise = 2
    }

    /// Least urgent lines that are logged; the raw values are swift-log's.
    public enum LogLevel: String, Sendable, Hashable, CaseIterable {
        /// Everything.
        case trace
        /// For developers.
        case debug
        /// Normal course of things.
        case info
        /// Rare, but normal.
        case notice
        /// Something an operator may want to look at.
        case warning
        /// Something an operator must look at.
        case error
        /// The node can't go on.
        case critical
    }

    /// Form of log lines.
    public enum LogFormat: String, Sendable, Hashable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// One listener.
    public struct Listener: Sendable, Hashable {
        /// Where others reach it, `host:port`.
        public var publicAddress: String
        /// What it takes.
        public var limits: ListenerLimits

        /// A listener.
        public init(publicAddress: String, limits: ListenerLimits) {
            self.publicAddress = publicAddress
            self.limits = limits
        }
    }

    /// What the process is started for.
    public var task: Task
    /// What people call the node; shown in logs.
    public var name: String
    /// The listener for clients.
    public var application: Listener
    /// The listener for administration.
    public var administration: Listener
    /// The listener for other nodes; its public address is the one that the owner signed.
    public var node: Listener
    /// Addresses of nodes to try when joining, `host:port`.
    public var peers: [String]
    /// Whether this node starts the network when it has no ledger yet.
    public var foundsNetwork: Bool
    /// The genesis file; empty when the node has none.
    public var genesis: [UInt8]
    /// The network's id, 64 hexadecimal digits; empty before there is a network.
    public var networkID: String
    /// Least urgent lines that are logged.
    public var logLevel: LogLevel
    /// Form of log lines.
    public var logFormat: LogFormat
    /// Threads of a worker inside the manager, its main one among them; 0 for half of the cores.
    public var workerThreads: UInt32
    /// Client requests that may wait in the manager for an answer.
    public var requestsWaitingMax: UInt64
    /// Milliseconds after which a write's outcome counts as unknown.
    public var requestTimeoutMilliseconds: UInt64

    /// Settings; what is not given has its default.
    public init(
        task: Task = .run, name: String, application: Listener, administration: Listener, node: Listener,
        peers: [String] = [], foundsNetwork: Bool = false, genesis: [UInt8] = [], networkID: String = "",
        logLevel: LogLevel = .info, logFormat: LogFormat = .text, workerThreads: UInt32 = 0,
        requestsWaitingMax: UInt64 = 20_000, requestTimeoutMilliseconds: UInt64 = 30_000
    ) {
        self.task = task
        self.name = name
        self.application = application
        self.administration = administration
        self.node = node
        self.peers = peers
        self.foundsNetwork = foundsNetwork
        self.genesis = genesis
        self.networkID = networkID
        self.logLevel = logLevel
        self.logFormat = logFormat
        self.workerThreads = workerThreads
        self.requestsWaitingMax = requestsWaitingMax
        self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
    }
}

// MARK: Byte form

extension NodeSettings {
    private static let version: UInt8 = 1

    /// The byte form, version first.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 1024 + genesis.count)
        writer.integer(Self.version)
        writer.integer(task.rawValue)
        writer.text(name)
        for listener in [application, administration, node] {
            writer.text(listener.publicAddress)
            writer.list(ListenerLimits.table.map { listener.limits[keyPath: $0.path] }) { $0.integer($1) }
        }
        writer.list(peers) { $0.text($1) }
        writer.bool(foundsNetwork)
        writer.blob(genesis)
        writer.text(networkID)
        writer.text(logLevel.rawValue)
        writer.text(logFormat.rawValue)
        writer.integer(workerThreads)
        writer.integer(requestsWaitingMax)
        writer.integer(requestTimeoutMilliseconds)
        return writer.bytes
    }

    /// Reads the byte form.
    /// - Throws: ``ConstitutionError`` at `settings`.
    public init(decoding bytes: [UInt8]) throws(ConstitutionError) {
        do {
            var reader = ByteReader(bytes)
            try self.init(&reader)
            try reader.finish()
        } catch { throw .malformed("settings", "the node's settings can't be read: \(error)") }
        guard networkID.isEmpty || Constitution.isNetworkID(networkID) else {
            throw .malformed("settings.networkID", "an id has 64 hexadecimal digits")
        }
    }

    private init(_ reader: inout ByteReader) throws(ByteReaderError) {
        guard try reader.integer(UInt8.self) == Self.version else { throw .invalid(at: 0) }
        guard let task = Task(rawValue: try reader.integer()) else { throw .invalid(at: 1) }
        self.task = task
        name = try reader.text(limit: 256)
        application = try Self.listener(&reader)
        administration = try Self.listener(&reader)
        node = try Self.listener(&reader)
        peers = try reader.list(limit: 1024) { reader throws(ByteReaderError) in try reader.text(limit: 512) }
        foundsNetwork = try reader.bool()
        genesis = try reader.blob(limit: GenesisFile.byteCountMax)
        networkID = try reader.text(limit: 64)
        logLevel = try Self.choice(&reader)
        logFormat = try Self.choice(&reader)
        workerThreads = try reader.integer()
        requestsWaitingMax = try reader.integer()
        requestTimeoutMilliseconds = try reader.integer()
    }

    private static func listener(_ reader: inout ByteReader) throws(ByteReaderError) -> Listener {
        let address = try reader.text(limit: 512)
        let at = reader.offset
        let values = try reader.list(limit: ListenerLimits.table.count) { reader throws(ByteReaderError) in
            try reader.integer(UInt64.self)
        }
        guard values.count == ListenerLimits.table.count else { throw .invalid(at: at) }
        var limits = ListenerLimits()
        for (row, value) in zip(ListenerLimits.table, values) {
            guard row.range.contains(value) else { throw .invalid(at: at) }
            limits[keyPath: row.path] = value
        }
        return Listener(publicAddress: address, limits: limits)
    }

    private static func choice<T: RawRepresentable<String>>(_ reader: inout ByteReader) throws(ByteReaderError) -> T {
        let at = reader.offset
        guard let value = T(rawValue: try reader.text(limit: 32)) else { throw .invalid(at: at) }
        return value
    }
}
