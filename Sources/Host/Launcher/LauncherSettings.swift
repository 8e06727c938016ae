/// Where a listener listens.
public struct ListenAddress: Hashable, Sendable {
    /// IP address, not a name.
    public var host: String
    /// TCP port, 0 for any free one.
    public var port: UInt16

    /// An address.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }
}

/// An executable with its arguments.
public struct EnclaveProgram: Hashable, Sendable {
    /// Path of the executable.
    public var path: String
    /// Arguments, without the name.
    public var arguments: [String]

    /// A program.
    public init(path: String, arguments: [String] = []) {
        self.path = path
        self.arguments = arguments
    }
}

/// What a ``Launcher`` needs to know.
public struct LauncherSettings: Sendable {
    /// Listener for clients.
    public var application: ListenAddress
    /// Listener for administration.
    public var administration: ListenAddress
    /// Listener for other nodes.
    public var node: ListenAddress
    /// Path of the data folder; made if missing, for its owner only.
    public var dataFolder: String
    /// The manager.
    public var manager: EnclaveProgram
    /// The worker; nil when it runs inside the manager (`isolation: inline`).
    public var worker: EnclaveProgram?
    /// How much sandbox is demanded of both.
    public var sandbox = SandboxMode.required
    /// The node's configuration, handed to the manager as it is.
    public var configuration: [UInt8]
    /// Environment of both processes, "NAME=value"; nothing else is inherited.
    public var environment: [String] = []
    /// Time for a clean stop, in milliseconds; what still runs then is killed.
    public var stopMilliseconds: UInt32 = 10_000
    /// First wait before a worker that died soon is started again, in milliseconds; doubled each time.
    public var restartMilliseconds: UInt32 = 100
    /// Longest such wait, in milliseconds. A worker that lived that long starts at the first again.
    public var restartMillisecondsMax: UInt32 = 5_000
    /// Folder and file name of the software platform's key.
    public var platformFolder: String

    /// Settings with the defaults for the rest.
    public init(
        application: ListenAddress, administration: ListenAddress, node: ListenAddress, dataFolder: String,
        manager: EnclaveProgram, worker: EnclaveProgram?, configuration: [UInt8], platformFolder: String
    ) {
        self.application = application
        self.administration = administration
        self.node = node
        self.dataFolder = dataFolder
        self.manager = manager
        self.worker = worker
        self.configuration = configuration
        self.platformFolder = platformFolder
    }
}
