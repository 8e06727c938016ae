import ArgumentParser
import Bench
import Foundation
import Host
import NIOCore
import NIOPosix
import Primitives
import Transport

/// Which network a governance command speaks to, and as whom.
struct GovernanceOptions: ParsableArguments {
    @Option(help: "The running network in this folder, as started by `entente up`.")
    var data: String?
    @Option(name: .customLong("as"), help: "With --data: the actor to be, one of the folder's.")
    var actor = "alpha"
    @Option(help: "A network elsewhere: administration listeners of its nodes, host:port, with commas between.")
    var nodes: String?
    @Option(help: "With --nodes: the actor's certificate, PEM.")
    var certificate: String?
    @Option(help: "With --nodes: the actor's key, PEM.")
    var key: String?
    @Option(help: "With --nodes: the network's certificate, PEM.")
    var networkCertificate: String?

    func validate() throws {
        guard data == nil || nodes == nil else { throw ValidationError("Give --data or --nodes, not both.") }
        let credentials = [certificate, key, networkCertificate].compactMap { $0 }
        guard nodes == nil || credentials.count == 3 else {
            throw ValidationError("--nodes needs --certificate, --key and --network-certificate.")
        }
    }

    private var folder: String { absolute(data ?? ".entente") }
    /// The actor's certificate and key files.
    var certificateFile: String { certificate ?? "\(folder)/actors/\(actor).pem" }
    var keyFile: String { key ?? "\(folder)/actors/\(actor).key" }

    /// The options as they are written, for commands that are named as the next step.
    var written: String {
        if let nodes { return "--nodes \(nodes) --certificate … --key … --network-certificate …" }
        return "--data \(data ?? ".entente")"
    }

    func client() throws -> GovernanceClient {
        let addresses: [String]
        if let nodes {
            addresses = nodes.split(separator: ",").map {
                String($0.hasPrefix("https://") ? $0.dropFirst(8) : $0)
            }
        } else {
            guard FileManager.default.fileExists(atPath: folder + "/genesis.entente") else {
                throw UserError("\(folder) holds no network; name one with --data, or with --nodes")
            }
            addresses = try DevelopmentFounding.existing(folder).map(\.administration)
        }
        return try GovernanceClient(
            addresses: addresses, certificate: readFile(certificateFile), key: readFile(keyFile),
            network: readFile(networkCertificate ?? "\(folder)/network.pem"))
    }
}

/// The governance interface of a network: the first of its nodes that can be reached answers.
struct GovernanceClient: Sendable {
    private static let version = "api-version=2024-07-01"
    private let client: HTTPClient
    private let addresses: [String]

    init(addresses: [String], certificate: [UInt8], key: [UInt8], network: [UInt8]) throws {
        self.addresses = addresses
        let identity = try TLSIdentity(certificateChainPEM: certificate, privateKeyPEM: key)
        var settings = HTTPClientSettings(
            tls: TLSClientSettings(identity: identity, trust: .authorities([try Certificates.der(network)])))
        settings.connectTimeout = .seconds(3)
        client = try HTTPClient(settings: settings, group: .singletonMultiThreadedEventLoopGroup)
    }

    /// The JSON at a path; what is not 200 is thrown with the node's words.
    func get(_ path: String, _ parameters: String = "", timeout: Int64 = 30) async throws -> JSON {
        try await send("GET", path, parameters, [], timeout).body
    }

    /// Brings a signed message.
    /// - Returns: the proposal as it stands then, and the transaction of it.
    func post(_ path: String, _ message: [UInt8]) async throws -> (body: JSON, transaction: String) {
        try await send("POST", path, "", message, 60)
    }

    private func send(
        _ method: String, _ path: String, _ parameters: String, _ body: [UInt8], _ timeout: Int64
    ) async throws -> (body: JSON, transaction: String) {
        let target = path + "?" + Self.version + (parameters.isEmpty ? "" : "&" + parameters)
        var last: any Error = UserError("no node is named")
        for address in addresses {
            do {
                let answer = try await client.send(
                    HTTPClientRequest(
                        method: method, target: target,
                        headers: method == "POST" ? [("content-type", "application/cose")] : [], body: body,
                        timeout: .seconds(timeout)), to: try HTTPEndpoint(parsing: address))
                let json = try JSON(parsing: answer.body)
                if answer.status == 200 { return (json, answer.header("x-ms-ccf-transaction-id") ?? "") }
                let code = json["error"]?["code"]?.string ?? String(answer.status)
                let refusal = UserError("\(address) refuses: \(code): \(json["error"]?["message"]?.string ?? "")")
                // Another node may be able to.
                guard answer.status == 503 else { throw refusal }
                last = refusal
            } catch let error as UserError { throw error } catch { last = error }
        }
        throw last is UserError ? last : UserError("no node answers: \(last)")
    }

    func close() { client.close() }
}
