import ArgumentParser
import Bench
import Foundation
import Transport

/// Which network a command works on: one of its own, one on this machine, or one somewhere.
struct NetworkOptions: ParsableArguments {
    @Option(help: "Nodes of the network that is started for this; it is removed afterwards.")
    var start = 3
    @Option(help: "Use the running network in this folder (as started by `entente up`) instead of starting one.")
    var data: String?
    @Option(help: "Use a network elsewhere: application listeners of its nodes, host:port, with commas between.")
    var nodes: String?
    @Option(help: "With --nodes: the actor's certificate, PEM.")
    var certificate: String?
    @Option(help: "With --nodes: the actor's key, PEM.")
    var key: String?
    @Option(help: "With --nodes: the network's certificate, PEM.")
    var networkCertificate: String?

    /// Whether a network is named, so that none is started.
    var isPointed: Bool { data != nil || nodes != nil }

    func validate() throws {
        guard data == nil || nodes == nil else { throw ValidationError("Give --data or --nodes, not both.") }
        let credentials = [certificate, key, networkCertificate].compactMap { $0 }
        guard nodes == nil || credentials.count == 3 else {
            throw ValidationError("--nodes needs --certificate, --key and --network-certificate.")
        }
        guard nodes != nil || credentials.isEmpty else {
            throw ValidationError("--certificate, --key and --network-certificate belong to --nodes.")
        }
        guard (1...9).contains(start) else { throw ValidationError("--start takes from 1 to 9 nodes.") }
    }

    /// Runs `body` on the network. One that was started for it is stopped and removed afterwards, also on Ctrl-C.
    func withNetwork<T: Sendable>(
        replay: Bool, _ body: (BenchNetwork) async throws -> T
    ) async throws -> T {
        if let data { return try await body(Self.running(absolute(data))) }
        if let nodes { return try await body(elsewhere(nodes)) }
        let folder = NSTemporaryDirectory() + "entente-\(replay ? "replay" : "bench")-\(getpid())"
        let signals = StopSignals()
        let network: DevelopmentNetwork
        do {
            network = try await DevelopmentNetwork.start(folder: folder, nodes: start, replay: replay) { note($0) }
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
        let interruption = Task {
            await signals.wait()
            guard !Task.isCancelled else { return }
            note("\nStopping")
            await network.stop()
            try? FileManager.default.removeItem(atPath: folder)
            Foundation.exit(130)
        }
        let outcome: Result<T, any Error>
        do { outcome = .success(try await body(Self.view(network))) } catch { outcome = .failure(error) }
        interruption.cancel()
        await network.stop()
        try? FileManager.default.removeItem(atPath: folder)
        return try outcome.get()
    }

    private static func view(_ network: DevelopmentNetwork) throws -> BenchNetwork {
        BenchNetwork(
            nodes: try network.nodes.enumerated().map { index, node in
                try Self.view(node, processIDs: network.processIDs(of: index))
            },
            networkCertificatePEM: try readFile(network.networkCertificate),
            certificatePEM: try readFile(network.clientCertificate), keyPEM: try readFile(network.clientKey))
    }

    private static func running(_ folder: String) throws -> BenchNetwork {
        guard FileManager.default.fileExists(atPath: folder + "/genesis.entente") else {
            throw UserError("\(folder) holds no network; start one with `entente up --data \(folder)`")
        }
        return BenchNetwork(
            nodes: try DevelopmentFounding.existing(folder).map { node in
                let processIDs = ["manager.pid", "worker.pid"].compactMap {
                    (try? readText(node.dataFolder + "/" + $0)).flatMap {
                        Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
                    }
                }
                return try Self.view(node, processIDs: processIDs)
            },
            networkCertificatePEM: try readFile(folder + "/network.pem"),
            certificatePEM: try readFile(folder + "/actors/alpha.pem"),
            keyPEM: try readFile(folder + "/actors/alpha.key"))
    }

    private static func view(_ node: DevelopmentNetwork.Node, processIDs: [Int32]) throws -> BenchNetwork.Node {
        .init(
            name: node.name, application: try HTTPEndpoint(parsing: node.application),
            ledgerFolder: node.dataFolder + "/ledger", processIDs: processIDs)
    }

    private func elsewhere(_ list: String) throws -> BenchNetwork {
        guard let certificate, let key, let networkCertificate else { throw UserError("certificates are missing") }
        let endpoints = try list.split(separator: ",").map { try HTTPEndpoint(parsing: String($0)) }
        return BenchNetwork(
            nodes: endpoints.enumerated().map { .init(name: "node\($0 + 1)", application: $1) },
            networkCertificatePEM: try readFile(networkCertificate), certificatePEM: try readFile(certificate),
            keyPEM: try readFile(key))
    }
}
