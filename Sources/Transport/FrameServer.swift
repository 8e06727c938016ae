public import Logging
internal import NIOConcurrencyHelpers
public import NIOCore
internal import NIOPosix

/// Accepts ``FrameChannel``s with mutual TLS on a listening socket that was made elsewhere: the node listener. It never
/// calls `socket`, `bind`, `listen` or `connect`.
public final class FrameServer: Sendable {
    private let settings: NIOLockedValueBox<TLSServerSettings>
    private let limits: FrameLimits
    private let delegate: any FrameChannelDelegate
    private let logger: Logger
    private let throttle = LogThrottle()
    private let state = NIOLockedValueBox(State())

    private struct State: Sendable {
        var listener: (any Channel)?
        var connections = 0
    }

    private init(
        tls: TLSServerSettings, limits: FrameLimits, delegate: any FrameChannelDelegate, logger: Logger
    ) {
        settings = NIOLockedValueBox(tls)
        self.limits = limits
        self.delegate = delegate
        self.logger = logger
    }

    /// Starts accepting.
    /// - Parameters:
    ///   - descriptor: a bound and listening stream socket; the server owns it from here on.
    ///   - delegate: told of every channel's life.
    /// - Throws: ``TransportError``.
    public static func start(
        descriptor: CInt, tls: TLSServerSettings, limits: FrameLimits = FrameLimits(),
        delegate: any FrameChannelDelegate, group: any EventLoopGroup, logger: Logger
    ) async throws(TransportError) -> FrameServer {
        try SocketCheck.check(descriptor, listens: true)
        _ = try TLSContext.server(tls.identity)
        let server = FrameServer(tls: tls, limits: limits, delegate: delegate, logger: logger)
        do {
            let listener = try await ServerBootstrap(group: group)
                .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(ChannelOptions.writeBufferWaterMark, value: .init(low: 64 << 10, high: 512 << 10))
                .childChannelInitializer { channel in server.initialize(channel) }
                .withBoundSocket(descriptor)
                .get()
            server.state.withLockedValue { $0.listener = listener }
        } catch {
            throw .descriptor("node listener: \(error)")
        }
        return server
    }

    /// Port the server listens on, if it is a TCP port.
    public var port: Int? { state.withLockedValue { $0.listener?.localAddress?.port } }

    /// Uses `tls` for handshakes from now on; open channels go on.
    /// - Throws: ``TransportError/invalidIdentity(_:)``.
    public func replaceSettings(_ tls: TLSServerSettings) throws(TransportError) {
        _ = try TLSContext.server(tls.identity)
        settings.withLockedValue { $0 = tls }
    }

    /// Stops accepting; open channels go on.
    public func stop() async {
        let listener = state.withLockedValue { $0.listener }
        try? await listener?.close().get()
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        let admitted = state.withLockedValue { state in
            guard state.connections < limits.connectionsMax else { return false }
            state.connections += 1
            return true
        }
        guard admitted else {
            if throttle.admit() != nil {
                logger.warning(
                    "connection refused: the node listener has its maximum of connections",
                    metadata: ["remote": "\(channel.remoteAddress.map { "\($0)" } ?? "unknown")"])
            }
            return channel.eventLoop.makeFailedFuture(TransportError.busy("too many connections"))
        }
        channel.closeFuture.whenComplete { _ in self.state.withLockedValue { $0.connections -= 1 } }
        return channel.eventLoop.makeCompletedFuture {
            let security = FrameChannel.Security.server(settings.withLockedValue { $0 })
            _ = try FrameChannel.build(channel, true, security, limits, delegate, logger)
        }
    }
}
