import ArgumentParser
import Foundation
import Host
import NodeConfiguration

/// `entente up`.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a whole network on this machine: nodes, a gateway, funded accounts.",
        discussion: """
            With a COMMAND after `--`, runs it against the network, stops everything and exits with its code. It finds \
            ENTENTE_RPC_URL, ENTENTE_DATA, ENTENTE_BIN, ENTENTE_NODES (application listeners), ENTENTE_ADMIN \
            (administration listeners), ENTENTE_CERTIFICATE, ENTENTE_KEY and ENTENTE_NETWORK_CERTIFICATE in its \
            environment. Otherwise the network runs until Ctrl-C. The data folder is kept, and taken up again next time.
            """)
    @Option(help: "Number of nodes.")
    var nodes = 3
    @Option(help: "Data folder; a new temporary one, removed at the end, if not given with a COMMAND.")
    var data: String?
    @Option(help: "Port of the gateway on loopback; 0 takes a free one.")
    var port: UInt16 = 8545
    @Option(
        help: "Where workers of a new network run: process (of their own) or inline (inside the manager).",
        transform: { text in
            guard let isolation = NodeConfiguration.Isolation(rawValue: text) else {
                throw ValidationError("Isolation is process or inline.")
            }
            return isolation
        })
    var isolation: NodeConfiguration.Isolation?
    @Option(
        help: "File with YAML lines for the genesis of a new network, such as `ledger: {snapshotIntervalEntries: 100}`."
    )
    var genesis: String?
    @Argument(parsing: .postTerminator, help: "A command to run against the network.")
    var command: [String] = []

    func run() async throws {
        let isTemporary = data == nil && !command.isEmpty
        let folder =
            data ?? (isTemporary ? NSTemporaryDirectory() + "entente-\(getpid())" : ".entente")
        defer { if isTemporary { try? FileManager.default.removeItem(atPath: folder) } }
        let signals = StopSignals()
        let network = try await DevelopmentNetwork.start(
            folder: folder, nodes: nodes,
            parameters: try genesis.map { try readText($0) } ?? "", isolation: isolation
        ) { note($0) }
        let url: String
        do {
            url = try await network.startGateway(port: gatewayPort())
        } catch {
            await network.stop()
            throw error
        }
        if command.isEmpty {
            FileHandle.standardOutput.write(Data((Self.screen(network, url) + "\n").utf8))
            await signals.wait()
            note("\nStopping")
            await network.stop()
            return
        }
        let code = try await runCommand(network, url, signals)
        await network.stop()
        if code != 0 { throw ExitCode(code) }
    }

    private func gatewayPort() throws -> UInt16 {
        do {
            let descriptor = try Descriptor.listen(host: "127.0.0.1", port: command.isEmpty ? port : 0)
            defer { Descriptor.close(descriptor) }
            return try Descriptor.port(of: descriptor)
        } catch {
            throw UserError("port \(port) can't be used for the gateway (\(error)); choose one with --port")
        }
    }

    private func runCommand(_ network: DevelopmentNetwork, _ url: String, _ signals: StopSignals) async throws -> Int32
    {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        var environment = ProcessInfo.processInfo.environment
        environment["ENTENTE_RPC_URL"] = url
        environment["ENTENTE_DATA"] = network.folder
        environment["ENTENTE_BIN"] = NodeLauncher.ownPath
        environment["ENTENTE_NODES"] = network.nodes.map { "https://" + $0.application }.joined(separator: ",")
        environment["ENTENTE_ADMIN"] = network.nodes.map { "https://" + $0.administration }.joined(separator: ",")
        environment["ENTENTE_CERTIFICATE"] = network.clientCertificate
        environment["ENTENTE_KEY"] = network.clientKey
        environment["ENTENTE_NETWORK_CERTIFICATE"] = network.networkCertificate
        process.environment = environment
        try process.runUnblocked()
        let ended = Task { @Sendable [id = process.processIdentifier] in
            await signals.wait()
            kill(id, SIGTERM)
        }
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        ended.cancel()
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }

    private static func screen(_ network: DevelopmentNetwork, _ url: String) -> String {
        var text = """

            Entente: \(network.nodes.count) validating nodes run one ledger.

              JSON-RPC   \(url)   (chain id 1337; point a wallet or web3.py here)
              data       \(network.folder)

              node     application (HTTPS)       administration (HTTPS)

            """
        for node in network.nodes {
            text += "  \(pad(node.name, 9))https://\(pad(node.application, 18))https://\(node.administration)\n"
        }
        text += """
              client certificate \(network.clientCertificate)

              Ten accounts with 10,000 ether each (mnemonic "\(DevelopmentAccounts.mnemonic)"):

            """
        for account in DevelopmentAccounts.all { text += "  \(account.address)  0x\(account.key)\n" }
        return text + """

              Try    curl -s \(url) -H 'content-type: application/json' \\
                       -d '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
                     entente network status --data \(network.folder)

            Ctrl-C stops all.
            """
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

/// SIGINT and SIGTERM as something to wait for. Its parts never change; Dispatch has not said so of its sources.
final class StopSignals: @unchecked Sendable {
    private let stream: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        self.stream = stream
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }

    /// Returns when one of them came.
    func wait() async {
        for await _ in stream { return }
    }
}
