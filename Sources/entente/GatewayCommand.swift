import ArgumentParser
import Foundation
import Gateway
import Host
import Identity
import Logging
import NIOCore
import NIOPosix
import Transport

/// `entente gateway`.
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Serve plain JSON-RPC on loopback with an actor's key, for wallets and tools without certificates.")
    @Option(help: "Address and port to listen on; keep it on loopback.")
    var listen = "127.0.0.1:8545"
    @Option(help: "The actor's certificate, PEM.")
    var certificate: String
    @Option(help: "The actor's key, PEM.")
    var key: String
    @Option(help: "The network's certificate, PEM.")
    var networkCertificate: String
    @Option(name: .customLong("node"), help: "Application listener of a node, host:port; may be given several times.")
    var nodes: [String]
    @Option(name: .customLong("allow-origin"), help: "A web origin that may use the gateway from a browser.")
    var origins: [String] = []
    @Option(name: .customLong("allow-host"), help: "A further host name under which the gateway may be reached.")
    var hosts: [String] = []

    func run() async throws {
        let network = try X509Certificate(pem: readText(networkCertificate))
        let endpoints = try nodes.map { try Self.endpoint($0) }
        guard !endpoints.isEmpty else { throw ValidationError("Name at least one --node.") }
        var settings = GatewaySettings(
            certificate: try readFile(certificate), key: try readFile(key), networkCertificate: network.der,
            nodes: endpoints)
        settings.allowedOrigins = Set(origins)
        settings.allowedHosts.formUnion(hosts.map { $0.lowercased() })
        let signals = StopSignals()
        var logger = Logger(label: "entente-gateway") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .info
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let gateway = try Gateway(settings: settings, group: group, logger: logger)
        let address = try Self.endpoint(listen)
        let descriptor = try Descriptor.listen(host: address.host, port: UInt16(clamping: address.port))
        var limits = HTTPLimits()
        limits.bodyBytesMax = 64 << 20
        let server = try await HTTPServer.start(
            name: "gateway", descriptor: descriptor, tls: nil, limits: limits, handler: gateway, group: group,
            logger: logger)
        logger.info("gateway serves", metadata: ["address": "\(listen)", "nodes": "\(nodes.joined(separator: " "))"])
        await signals.wait()
        await server.stop(grace: .seconds(2))
        gateway.close()
    }

    static func endpoint(_ text: String) throws -> HTTPEndpoint {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ValidationError("\(text) is not host:port")
        }
        return HTTPEndpoint(host: String(text[..<colon]), port: Int(port))
    }
}
