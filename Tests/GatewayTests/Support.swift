import Gateway
import Glibc
import Host
import Identity
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

/// The network of a test: its authority, and an actor of it.
struct TestNetwork {
    let key: SigningKey
    let certificate: X509Certificate
    let actor: (certificate: X509Certificate, key: SigningKey)

    init() throws {
        key = try SigningKey(rawRepresentation: HostRandom.bytes(32))
        certificate = try X509Certificate.selfSigned(Self.request("network", .authority(pathLength: 0)), key: key)
        let actorKey = try SigningKey(rawRepresentation: HostRandom.bytes(32))
        actor = (try X509Certificate.selfSigned(Self.request("actor", .actor), key: actorKey), actorKey)
    }

    func nodeIdentity() throws -> TLSIdentity {
        let own = try SigningKey(rawRepresentation: HostRandom.bytes(32))
        let leaf = try X509Certificate.issue(
            Self.request("node", .node), for: own.publicKey, issuer: certificate, issuerKey: key)
        return try TLSIdentity(certificateChainPEM: Array(leaf.pem.utf8), privateKeyPEM: Array(own.pem.utf8))
    }

    private static func request(_ name: String, _ purpose: CertificateRequest.Purpose) -> CertificateRequest {
        let now = HostClock.wallMilliseconds()
        return CertificateRequest(
            commonName: name, purpose: purpose, serial: [1] + HostRandom.bytes(8), notBefore: now - 60_000,
            notAfter: now + 600_000)
    }
}

/// A node's application listener, with answers made by the test.
final class StubNode: HTTPHandler {
    /// What it does with a request.
    enum Reply: Sendable {
        case answer(HTTPResponse)
        /// Closes the connection instead.
        case hangUp
    }

    private let reply: @Sendable (HTTPRequest) -> Reply
    private let state = Mutex<(requests: [HTTPRequest], server: HTTPServer?)>(([], nil))
    let port: Int

    /// What came, in order.
    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    var endpoint: HTTPEndpoint { HTTPEndpoint(host: "127.0.0.1", port: port) }

    init(
        _ network: TestNetwork, _ group: any EventLoopGroup, _ reply: @escaping @Sendable (HTTPRequest) -> Reply
    ) async throws {
        self.reply = reply
        let descriptor = try Descriptor.listen(host: "127.0.0.1", port: 0)
        port = Int(try Descriptor.port(of: descriptor))
        let tls = TLSServerSettings(
            identity: try network.nodeIdentity(), verifier: PeerVerifier { _ in .accepted() })
        let server = try await HTTPServer.start(
            name: "stub", descriptor: descriptor, tls: tls, handler: self, group: group, logger: .quiet)
        state.withLock { $0.server = server }
    }

    func handle(_ request: HTTPRequest, respond: HTTPResponder) {
        let server = state.withLock { state in
            state.requests.append(request)
            return state.server
        }
        switch reply(request) {
        case .answer(let response): respond(response)
        case .hangUp: server?.closeConnections { $0.id == request.connection.id }
        }
    }

    func stop() async { await state.withLock { $0.server }?.stop(grace: .zero) }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// A gateway in front of nodes, and a client of it.
final class TestGateway {
    let gateway: Gateway
    private let server: HTTPServer
    private let client: HTTPClient
    private let port: Int

    init(
        _ network: TestNetwork, _ nodes: [HTTPEndpoint], _ group: any EventLoopGroup,
        _ change: (inout GatewaySettings) -> Void = { _ in }
    ) async throws {
        var settings = GatewaySettings(
            certificate: Array(network.actor.certificate.pem.utf8), key: Array(network.actor.key.pem.utf8),
            networkCertificate: network.certificate.der, nodes: nodes)
        settings.requestTimeoutMilliseconds = 10_000
        change(&settings)
        gateway = try Gateway(settings: settings, group: group, logger: .quiet)
        let descriptor = try Descriptor.listen(host: "127.0.0.1", port: 0)
        port = Int(try Descriptor.port(of: descriptor))
        server = try await HTTPServer.start(
            name: "gateway", descriptor: descriptor, tls: nil, handler: gateway, group: group, logger: .quiet)
        client = try HTTPClient(settings: HTTPClientSettings(tls: nil), group: group)
    }

    func send(
        _ body: String, method: String = "POST", target: String = "/", headers: [(name: String, value: String)] = []
    ) async throws -> HTTPClientResponse {
        try await client.send(
            HTTPClientRequest(method: method, target: target, headers: headers, body: Array(body.utf8)),
            to: HTTPEndpoint(host: "127.0.0.1", port: port))
    }

    /// Status of the answer to a call that names this host.
    func status(_ body: String, host: String) throws -> Int? {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Descriptor.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(connected)
        let request = Array(
            "POST / HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
                .utf8)
        try #require(Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count)
        var answer = [UInt8](repeating: 0, count: 12)
        try #require(recv(descriptor, &answer, 12, Int32(truncatingIfNeeded: Int(MSG_WAITALL))) == 12)
        return Int(String(decoding: answer.suffix(3), as: UTF8.self))
    }

    func stop() async {
        client.close()
        await server.stop(grace: .zero)
        gateway.close()
    }
}

/// Runs a test with an event loop and stops what it made.
func withGateway(
    nodes replies: [(@Sendable (HTTPRequest) -> StubNode.Reply)?],
    _ change: (inout GatewaySettings) -> Void = { _ in },
    _ body: (TestGateway, [StubNode?]) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let network = try TestNetwork()
    var nodes: [StubNode?] = []
    var endpoints: [HTTPEndpoint] = []
    for reply in replies {
        if let reply {
            let node = try await StubNode(network, group, reply)
            nodes.append(node)
            endpoints.append(node.endpoint)
        } else {
            // A port that nobody listens on.
            let descriptor = try Descriptor.listen(host: "127.0.0.1", port: 0)
            endpoints.append(HTTPEndpoint(host: "127.0.0.1", port: Int(try Descriptor.port(of: descriptor))))
            Descriptor.close(descriptor)
            nodes.append(nil)
        }
    }
    let gateway = try await TestGateway(network, endpoints, group, change)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(gateway, nodes)) } catch { outcome = .failure(error) }
    await gateway.stop()
    for node in nodes { await node?.stop() }
    try await group.shutdownGracefully()
    try outcome.get()
}
