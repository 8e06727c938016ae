import ArgumentParser
import Constitution
import Foundation
import Host
import Logging
import NodeConfiguration

/// `entente node`.
struct Node: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run a validating node, make its keys, check its configuration.",
        subcommands: [Run.self, Initialise.self, Approve.self, Check.self, Sample.self])

    /// What all node commands take.
    struct Options: ParsableArguments {
        @Option(name: .long, help: "The node's configuration file (node.yaml).")
        var config: String

        /// The configuration, without a problem.
        /// - Parameter isFounded: whether there is a genesis already; a node makes its key before that.
        func load(isFounded: Bool = true) throws -> NodeConfiguration {
            let configuration = try NodeConfiguration(path: absolute(config))
            let problems = configuration.check(files: DiskFiles()).filter {
                isFounded || !$0.path.hasPrefix("network.")
            }
            guard problems.isEmpty else {
                throw UserError(
                    "\(config) can't be used:\n" + problems.map { "  \($0)" }.joined(separator: "\n"))
            }
            return configuration
        }
    }

    /// `entente node run`.
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the node until SIGTERM or Ctrl-C.",
            discussion: """
                Starts and measures the manager and worker enclaves, hands them their sockets and the data folder, \
                sandboxes and supervises them. A manager that dies is started again; one that can't go on ends \
                this command with its exit code.
                """)
        @OptionGroup var options: Options

        func run() throws {
            // A request to stop that comes before the node runs waits for the launcher to see it.
            var stops = sigset_t()
            sigemptyset(&stops)
            sigaddset(&stops, SIGTERM)
            sigaddset(&stops, SIGINT)
            pthread_sigmask(SIG_BLOCK, &stops, nil)
            let configuration = try options.load()
            let logger = NodeLauncher.logger(configuration)
            OpenFileLimit.raise()
            if let warning = NodeLauncher.fileWarning(configuration) { logger.warning("\(warning)") }
            throw ExitCode(try NodeLauncher.make(configuration, task: .run, logger: logger).keepRunning())
        }
    }

    /// `entente node init`.
    struct Initialise: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Make the node's key inside the enclave, seal it, and print what its owner signs.",
            discussion: """
                The file holds owner, address and public key (the VN tuple) with the platform's evidence. Sign it with \
                `entente actor sign-node`, then name it in the genesis or in a proposal.
                """)
        @OptionGroup var options: Options
        @Option(help: "Id of the actor whom the node belongs to.")
        var owner: String
        @Option(help: "Where to write the tuple; standard output if not given.")
        var output: String?

        func run() throws {
            let configuration = try options.load(isFounded: false)
            let logger = NodeLauncher.logger(configuration)
            let launcher = try NodeLauncher.make(configuration, task: .initialise, logger: logger)
            let code = try launcher.run()
            guard code == 0 else { throw ExitCode(code) }
            let identity = try readFile(configuration.dataFolder + "/identity.json")
            let tuple = try NodeTupleFile(
                identity: identity, owner: owner, address: configuration.node.reachableAddress)
            if let output {
                try writeFile(output, tuple.json)
                note("Wrote \(output). Next: entente actor sign-node --key OWNER.key \(output)")
            } else {
                print(String(decoding: tuple.json, as: UTF8.self))
            }
        }
    }

    /// `entente node check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what is wrong with a configuration.")
        @OptionGroup var options: Options

        func run() throws {
            let configuration = try options.load()
            print("\(options.config) is good: node \(configuration.name), data in \(configuration.dataFolder)")
            if let warning = NodeLauncher.fileWarning(configuration) { note("Note: \(warning)") }
        }
    }

    /// `entente node sample`.
    struct Sample: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a configuration with every setting, its default and what it means.")

        func run() { print(NodeConfiguration.sampleYAML) }
    }
}

/// A path made absolute, so that what is derived from it stays right.
func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}

/// Makes launchers of configurations.
enum NodeLauncher {
    static func logger(_ configuration: NodeConfiguration) -> Logger {
        let form = LogForm(rawValue: configuration.logFormat.rawValue) ?? .text
        var logger = Logger(label: "entente-launcher") { form.handler(label: $0) }
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
        logger[metadataKey: "node"] = "\(configuration.name)"
        return logger
    }

    /// What to say if the listeners may have more connections than the system gives descriptors.
    static func fileWarning(_ configuration: NodeConfiguration) -> String? {
        let connections = ListenerDoor.allCases.reduce(0) { $0 + configuration[$1].limits.connectionsMax }
        let (needed, most) = (connections + OpenFileLimit.reserve, OpenFileLimit.most)
        guard needed > most else { return nil }
        return "the listeners may have \(connections) connections, but this process may open \(most) files only; "
            + "raise the limit (LimitNOFILE in systemd, ulimit -Hn) to \(needed) or lower connectionsMax"
    }

    static func make(
        _ configuration: NodeConfiguration, task: NodeSettings.Task, logger: Logger
    ) throws -> Launcher {
        let genesis =
            task == .run && !configuration.genesisFile.isEmpty ? try readFile(configuration.genesisFile) : []
        if task == .run, genesis.isEmpty, configuration.networkID.isEmpty {
            throw UserError("neither network.genesis nor network.id is set: the node must know its network")
        }
        let isInline = configuration.isolation == .inline
        let manager = program(configuration.managerProgram, isInline ? "entente-node" : "entente-manager")
        let worker = program(configuration.workerProgram, "entente-worker")
        var settings = LauncherSettings(
            application: try address(configuration, .application),
            administration: try address(configuration, .administration), node: try address(configuration, .node),
            dataFolder: configuration.dataFolder, manager: EnclaveProgram(path: manager),
            worker: isInline ? nil : EnclaveProgram(path: worker),
            configuration: configuration.settings(task: task, genesis: genesis).encoded,
            platformFolder: configuration.effectivePlatformFolder)
        for folder in [configuration.dataFolder, configuration.effectivePlatformFolder] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        settings.environment = [
            "ENTENTE_WORKER_THREADS=\(configuration.workerThreads)",
            "ENTENTE_LOG_FORMAT=\(configuration.logFormat.rawValue)",
        ]
        settings.sandbox = configuration.sandbox == .required ? .required : .bestEffort
        return try Launcher(settings: settings, logger: logger)
    }

    private static func address(
        _ configuration: NodeConfiguration, _ door: ListenerDoor
    ) throws -> ListenAddress {
        guard let (host, port) = configuration[door].socketAddress else {
            throw UserError("listeners.\(door.rawValue).address is not an IP address and a port")
        }
        return ListenAddress(host: host, port: port)
    }

    /// The enclave programs stand beside this one unless the configuration says otherwise.
    private static func program(_ configured: String, _ name: String) -> String {
        if !configured.isEmpty { return configured }
        return URL(filePath: ownPath).deletingLastPathComponent().appending(path: name).path
    }

    /// Path of this executable.
    static var ownPath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
