public import Constitution

/// A node's configuration as its operator writes it in node.yaml. Paths are as written there; ``resolved(against:)`` makes
/// them absolute.
public struct NodeConfiguration: Sendable, Hashable {
    /// Where the worker runs.
    public enum Isolation: String, Sendable, Hashable, CaseIterable {
        /// In a process of its own.
        case process
        /// Inside the manager.
        case inline
    }

    /// How much sandbox is demanded.
    public enum Sandbox: String, Sendable, Hashable, CaseIterable {
        /// The node does not start without it.
        case required
        /// It starts with what there is, and says what is missing.
        case bestEffort = "best-effort"
    }

    /// Platforms that a launcher can ask for evidence.
    public enum PlatformKind: String, Sendable, Hashable, CaseIterable {
        /// A key in a file.
        case software
    }

    /// A listening socket.
    public struct Listener: Sendable, Hashable {
        /// Where it listens, `IP:port`.
        public var address: String
        /// Where others reach it, `host:port`; empty when it is ``address``. Of the node listener only.
        public var publicAddress: String
        /// What it takes.
        public var limits: ListenerLimits

        /// A listener.
        public init(address: String, publicAddress: String = "", limits: ListenerLimits = .init()) {
            self.address = address
            self.publicAddress = publicAddress
            self.limits = limits
        }

        /// Where others reach it.
        public var reachableAddress: String { publicAddress.isEmpty ? address : publicAddress }

        /// The IP address without brackets, and the port, 0 for any free one; nil if the address has another form.
        public var socketAddress: (host: String, port: UInt16)? { IPAddress.split(address) }
    }

    /// What people call the node; shown in logs.
    public var name: String
    /// Folder of the node's ledger and sealed state.
    public var dataFolder: String
    /// The listener for clients.
    public var application = Listener(address: "127.0.0.1:8545", limits: .standard(for: .application))
    /// The listener for administration.
    public var administration = Listener(address: "127.0.0.1:8546", limits: .standard(for: .administration))
    /// The listener for other nodes. Its reachable address is the one that the owner signs.
    public var node = Listener(address: "127.0.0.1:8547", limits: .standard(for: .node))
    /// Whether the node starts the network when it has no ledger yet.
    public var foundsNetwork = false
    /// Path of the genesis file; empty when there is none.
    public var genesisFile = ""
    /// The network's id, 64 hexadecimal digits; empty before there is a network.
    public var networkID = ""
    /// Addresses of nodes to try when joining, `host:port`.
    public var peers: [String] = []
    /// Where the worker runs.
    public var isolation = Isolation.process
    /// How much sandbox is demanded.
    public var sandbox = Sandbox.required
    /// The platform that vouches for this node.
    public var platform = PlatformKind.software
    /// Folder of the software platform's key, made with a new key when there is none; empty: beside the data folder, with
    /// `-platform` behind its name.
    public var platformFolder = ""
    /// Least urgent lines that are logged.
    public var logLevel = NodeSettings.LogLevel.info
    /// Form of log lines.
    public var logFormat = NodeSettings.LogFormat.text
    /// Threads of the worker, its main one among them; 0 for half of the cores.
    public var workerThreads: UInt32 = 0
    /// Client requests that may wait in the manager for an answer.
    public var requestsWaitingMax: UInt64 = 20_000
    /// Milliseconds after which a write's outcome counts as unknown.
    public var requestTimeoutMilliseconds: UInt64 = 30_000
    /// Path of the manager's executable; empty: beside the launcher's.
    public var managerProgram = ""
    /// Path of the worker's executable; empty: beside the launcher's.
    public var workerProgram = ""

    /// A configuration; what is not given has its default.
    public init(name: String, dataFolder: String) {
        self.name = name
        self.dataFolder = dataFolder
    }

    /// The listener behind a door.
    public subscript(door: ListenerDoor) -> Listener {
        get {
            switch door {
            case .application: application
            case .administration: administration
            case .node: node
            }
        }
        set {
            switch door {
            case .application: application = newValue
            case .administration: administration = newValue
            case .node: node = newValue
            }
        }
    }

    /// Folder of the software platform's key.
    public var effectivePlatformFolder: String { platformFolder.isEmpty ? dataFolder + "-platform" : platformFolder }

    /// The same with relative paths taken from `folder`.
    public func resolved(against folder: String) -> NodeConfiguration {
        var copy = self
        for path: WritableKeyPath<NodeConfiguration, String> in [
            \.dataFolder, \.genesisFile, \.platformFolder, \.managerProgram, \.workerProgram,
        ] {
            copy[keyPath: path] = Paths.resolve(self[keyPath: path], against: folder)
        }
        return copy
    }

    /// What the launcher hands to the manager.
    /// - Parameter genesis: the content of ``genesisFile``, empty when there is none.
    public func settings(task: NodeSettings.Task = .run, genesis: [UInt8]) -> NodeSettings {
        func listener(_ listener: Listener) -> NodeSettings.Listener {
            .init(publicAddress: listener.reachableAddress, limits: listener.limits)
        }
        return NodeSettings(
            task: task, name: name, application: listener(application), administration: listener(administration),
            node: listener(node), peers: peers, foundsNetwork: foundsNetwork, genesis: genesis, networkID: networkID,
            logLevel: logLevel, logFormat: logFormat, workerThreads: workerThreads,
            requestsWaitingMax: requestsWaitingMax, requestTimeoutMilliseconds: requestTimeoutMilliseconds)
    }
}
