internal import Logging
internal import NIOConcurrencyHelpers
public import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Where a server is.
public struct HTTPEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// Host name or address.
    public var host: String
    /// TCP port.
    public var port: Int

    /// A server's place.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A request to send.
public struct HTTPClientRequest: Sendable {
    /// The method in upper case.
    public var method: String
    /// Path and query.
    public var target: String
    /// Header fields; `host` and `content-length` are added.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]
    /// Time for the whole exchange; nil takes the client's.
    public var timeout: TimeAmount?

    /// A request.
    public init(
        method: String = "POST", target: String = "/", headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], timeout: TimeAmount? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

/// What the server answered.
public struct HTTPClientResponse: Sendable {
    /// The status code.
    public let status: Int
    /// The body, complete.
    public let body: [UInt8]
    let fields: HTTPHeaders

    /// First value of the header field `name`, compared without regard to case.
    public func header(_ name: String) -> String? { fields.first(name: name) }

    /// Every header field in the order sent.
    public var headers: [(name: String, value: String)] { fields.map { ($0.name, $0.value) } }
}

/// Settings of an ``HTTPClient``.
public struct HTTPClientSettings: Sendable {
    /// nil speaks plain HTTP.
    public var tls: TLSClientSettings?
    /// Connections to one endpoint.
    public var connectionsMax = 4
    /// Requests under way on one connection; over 1 pipelines (RFC 9112 section 9.3.2), which our server answers well.
    public var pipelineDepth = 1
    /// Requests that wait for a connection to one endpoint; one more fails with ``TransportError/busy(_:)``.
    public var queuedRequestsMax = 10_000
    /// Time for a connection to come about, TLS included.
    public var connectTimeout: TimeAmount = .seconds(5)
    /// Time for an exchange, from the call to the whole answer.
    public var requestTimeout: TimeAmount = .seconds(30)
    /// Opens the connections where the process itself can't: gets the endpoint, gives a connected socket, which is then
    /// the client's. Called on an event loop; must not block.
    public var dial: (@Sendable (HTTPEndpoint, @escaping @Sendable (Result<CInt, any Error>) -> Void) -> Void)?
    /// Largest body of an answer.
    public var responseBytesMax = 256 << 20

    /// The defaults, with these TLS settings.
    public init(tls: TLSClientSettings?) { self.tls = tls }
}

/// A small HTTP/1.1 client: keep-alive, a few connections per endpoint, optional pipelining. It never repeats a
/// request by itself: whether that is safe only the caller knows, by ``TransportError/mayHaveBeenProcessed``.
public final class HTTPClient: Sendable {
    /// What a request came to.
    public typealias Outcome = Result<HTTPClientResponse, TransportError>

    private let settings: HTTPClientSettings
    private let context: NIOSSLContext?
    private let group: any EventLoopGroup
    private let pools = NIOLockedValueBox<(open: Bool, byEndpoint: [HTTPEndpoint: HTTPClientPool])>((true, [:]))

    /// A client; connections are made when needed.
    /// - Throws: ``TransportError/invalidIdentity(_:)``, ``TransportError/invalidTrust(_:)``.
    public init(settings: HTTPClientSettings, group: any EventLoopGroup) throws(TransportError) {
        self.settings = settings
        self.group = group
        if let tls = settings.tls { context = try TLSContext.client(tls) } else { context = nil }
    }

    /// Sends a request; `completion` is called once, on an event loop, and must not block.
    public func send(
        _ request: HTTPClientRequest, to endpoint: HTTPEndpoint, completion: @escaping @Sendable (Outcome) -> Void
    ) {
        let pool: HTTPClientPool? = pools.withLockedValue { pools in
            guard pools.open else { return nil }
            if let pool = pools.byEndpoint[endpoint] { return pool }
            let pool = HTTPClientPool(
                endpoint: endpoint, settings: settings, context: context, eventLoop: group.next())
            pools.byEndpoint[endpoint] = pool
            return pool
        }
        guard let pool else { return completion(.failure(.closed("the client was closed"))) }
        pool.submit(request, completion)
    }

    /// Sends a request and waits for the answer.
    /// - Throws: ``TransportError``; see its ``TransportError/mayHaveBeenProcessed``.
    public func send(
        _ request: HTTPClientRequest, to endpoint: HTTPEndpoint
    ) async throws(TransportError) -> HTTPClientResponse {
        let outcome = await withCheckedContinuation { continuation in
            send(request, to: endpoint) { continuation.resume(returning: $0) }
        }
        return try outcome.get()
    }

    /// Closes the connections to `endpoint`; what is under way fails.
    public func forget(_ endpoint: HTTPEndpoint) {
        pools.withLockedValue { $0.byEndpoint.removeValue(forKey: endpoint) }?.close()
    }

    /// Closes every connection; what is under way fails.
    public func close() {
        let all = pools.withLockedValue { pools in
            defer { pools = (false, [:]) }
            return Array(pools.byEndpoint.values)
        }
        for pool in all { pool.close() }
    }
}
