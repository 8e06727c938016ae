public import Logging
internal import NIOConcurrencyHelpers
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// An HTTP/1.1 server on a listening socket that was made elsewhere: with TLS for actors, plain for the gateway's
/// loopback port. It never calls `socket`, `bind`, `listen` or `connect`.
public final class HTTPServer: Sendable {
    /// Name for logs: "application", "administration", "gateway".
    public let name: String
    let limits: HTTPLimits
    let handler: any HTTPHandler
    let logger: Logger
    let throttle = LogThrottle()
    let counters = HTTPServerCounters()
    private let tls: NIOLockedValueBox<(context: NIOSSLContext, verifier: PeerVerifier)?>
    private let state = NIOLockedValueBox(State())

    private struct State: Sendable {
        var listener: (any Channel)?
        var connections: [UInt64: HTTPServerChannelHandler] = [:]
        var lastID: UInt64 = 0
        var draining = false
    }

    private init(
        name: String, tls: (NIOSSLContext, PeerVerifier)?, limits: HTTPLimits, handler: any HTTPHandler, logger: Logger
    ) {
        self.name = name
        self.tls = NIOLockedValueBox(tls)
        self.limits = limits
        self.handler = handler
        self.logger = logger
    }

    /// A plain server without a socket: whoever made it gives it channels by ``initialize(_:)``.
    package static func embedded(
        limits: HTTPLimits, handler: any HTTPHandler, logger: Logger
    ) -> HTTPServer {
        HTTPServer(name: "embedded", tls: nil, limits: limits, handler: handler, logger: logger)
    }

    /// Starts serving.
    /// - Parameters:
    ///   - descriptor: a bound and listening stream socket; the server owns it from here on.
    ///   - tls: nil for a plain server, which belongs on loopback only.
    /// - Throws: ``TransportError``.
    public static func start(
        name: String, descriptor: CInt, tls: TLSServerSettings?, limits: HTTPLimits = HTTPLimits(),
        handler: any HTTPHandler, group: any EventLoopGroup, logger: Logger
    ) async throws(TransportError) -> HTTPServer {
        try SocketCheck.check(descriptor, listens: true)
        var secured: (NIOSSLContext, PeerVerifier)?
        if let tls { secured = (try TLSContext.server(tls.identity), tls.verifier) }
        let server = HTTPServer(name: name, tls: secured, limits: limits, handler: handler, logger: logger)
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(ChannelOptions.backlog, value: 256)
                .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in server.initialize(channel) }
                .withBoundSocket(descriptor)
                .get()
            server.state.withLockedValue { $0.listener = listener }
        } catch {
            throw .descriptor("\(name) listener: \(error)")
        }
        return server
    }

    /// Port the server listens on, if it is a TCP port.
    public var port: Int? { state.withLockedValue { $0.listener?.localAddress?.port } }

    /// What the server counted since it started.
    public var statistics: HTTPServerStatistics { counters.snapshot() }

    /// Shows `identity` in handshakes from now on; open connections go on.
    /// - Throws: ``TransportError/invalidIdentity(_:)``.
    public func replaceIdentity(_ identity: TLSIdentity) throws(TransportError) {
        let context = try TLSContext.server(identity)
        tls.withLockedValue { $0?.context = context }
    }

    /// Ends each connection for which `condition` holds, for example those of an actor that was removed. Answers that
    /// are not out yet are lost: their requests' outcome is unknown to the client.
    public func closeConnections(where condition: @Sendable (HTTPConnection) -> Bool) {
        let handlers = state.withLockedValue { Array($0.connections.values) }
        for handler in handlers where condition(handler.connection) { handler.closeNow() }
    }

    /// Stops accepting, lets requests under way be answered for at most `grace`, then closes everything.
    public func stop(grace: TimeAmount = .seconds(5)) async {
        let (listener, handlers) = state.withLockedValue { state in
            state.draining = true
            return (state.listener, Array(state.connections.values))
        }
        try? await listener?.close().get()
        for handler in handlers { handler.drain() }
        let end = NIODeadline.now() + grace
        while NIODeadline.now() < end, state.withLockedValue({ !$0.connections.isEmpty }) {
            try? await Task.sleep(for: .milliseconds(10))
        }
        for handler in state.withLockedValue({ Array($0.connections.values) }) { handler.closeNow() }
    }

    /// Puts the server's handlers on a new connection; fails when there are too many.
    package func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        let remote = channel.remoteAddress.map { "\($0)" } ?? "unknown"
        let id: UInt64? = state.withLockedValue { state in
            guard state.connections.count < limits.connectionsMax, !state.draining else { return nil }
            state.lastID += 1
            return state.lastID
        }
        guard let id else {
            counters.connectionsRefused.add(1, ordering: .relaxed)
            log(.warning, "connection refused: the listener has its maximum of connections", remote)
            return channel.eventLoop.makeFailedFuture(TransportError.busy("too many connections"))
        }
        let connection = HTTPConnection(id: id, remoteAddress: remote)
        let secured = tls.withLockedValue { $0 }
        let handler = HTTPServerChannelHandler(
            server: self, connection: connection, channel: channel, verifier: secured?.verifier)
        state.withLockedValue { $0.connections[id] = handler }
        counters.connectionsAccepted.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { _ in
            self.state.withLockedValue { _ = $0.connections.removeValue(forKey: id) }
        }
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let (context, verifier) = secured {
                try pipeline.addHandler(
                    TLSContext.serverHandler(context, verifier: verifier) { handler.verified($0) })
            }
            var parserLimits = NIOHTTPDecoderLimitConfiguration()
            parserLimits.maxHeaderFieldSize = limits.headerBytesMax
            parserLimits.maxHeaderListSize = limits.headerBytesMax
            parserLimits.maxHeaderFieldCount = limits.headerCountMax
            try pipeline.addHandler(HTTPByteTap(handler))
            try pipeline.addHandler(
                ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: parserLimits)))
            try pipeline.addHandler(handler)
        }
    }

    func log(_ level: Logger.Level, _ message: Logger.Message, _ remote: String, _ metadata: Logger.Metadata = [:]) {
        guard logger.logLevel <= level, let heldBack = throttle.admit() else { return }
        var metadata = metadata
        metadata["listener"] = "\(name)"
        metadata["remote"] = "\(remote)"
        if heldBack > 0 { metadata["suppressedBefore"] = "\(heldBack)" }
        logger.log(level: level, message, metadata: metadata)
    }
}

/// What a listener counted; each figure is a total since start, except the three that say "now".
public struct HTTPServerStatistics: Hashable, Sendable {
    /// Connections accepted.
    public var connectionsAccepted = 0
    /// Connections closed at once because of the bound on connections.
    public var connectionsRefused = 0
    /// TLS handshakes that failed, refused certificates included.
    public var handshakesFailed = 0
    /// Complete requests given to the handler.
    public var requests = 0
    /// Requests answered 503 because of a bound.
    public var requestsBusy = 0
    /// Requests answered with another error of the server's own (malformed, too large, too slow).
    public var requestsRefused = 0
    /// Unanswered requests now.
    public var requestsPending = 0
    /// Bytes of unanswered requests' bodies now.
    public var bodyBytesPending = 0
}

final class HTTPServerCounters: Sendable {
    let connectionsAccepted = Atomic<Int>(0)
    let connectionsRefused = Atomic<Int>(0)
    let handshakesFailed = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let requestsBusy = Atomic<Int>(0)
    let requestsRefused = Atomic<Int>(0)
    let requestsPending = Atomic<Int>(0)
    let bodyBytesPending = Atomic<Int>(0)

    func snapshot() -> HTTPServerStatistics {
        HTTPServerStatistics(
            connectionsAccepted: connectionsAccepted.load(ordering: .relaxed),
            connectionsRefused: connectionsRefused.load(ordering: .relaxed),
            handshakesFailed: handshakesFailed.load(ordering: .relaxed),
            requests: requests.load(ordering: .relaxed),
            requestsBusy: requestsBusy.load(ordering: .relaxed),
            requestsRefused: requestsRefused.load(ordering: .relaxed),
            requestsPending: requestsPending.load(ordering: .relaxed),
            bodyBytesPending: bodyBytesPending.load(ordering: .relaxed))
    }
}
