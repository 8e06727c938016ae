public import Logging
internal import NIOConcurrencyHelpers
public import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A two-way channel of frames over a connected stream socket: mutual TLS 1.3 between nodes, plain between a manager and
/// its worker. Frames have a little-endian `u32` length in front. Writing is coalesced: all that waits goes out in one
/// flush.
///
/// Sendable by its parts: what other threads touch is behind locks; the NIO side lives in ``FrameChannelHandler``.
public final class FrameChannel: Sendable {
    /// How TLS is used on a channel.
    public enum Security: Sendable {
        /// No TLS: a socket pair to a process of our own.
        case plain
        /// We are TLS client: we opened the connection.
        case client(TLSClientSettings)
        /// We are TLS server: the peer opened the connection.
        case server(TLSServerSettings)
    }

    /// Number of the channel, unique in this process.
    public let id: UInt64
    /// Whether the peer opened the connection.
    public let isInbound: Bool
    /// Address of the other end, for logs.
    public let remoteAddress: String
    /// The loop on which the delegate is called.
    public let eventLoop: any EventLoop
    let limits: FrameLimits
    private let channel: any Channel
    private let exporter = TLSExporter()
    private let state: NIOLockedValueBox<State>
    private static let lastID = Atomic<UInt64>(0)

    /// Whether it was not closed yet, by either side.
    public var isOpen: Bool { state.withLockedValue { $0.open } }

    private struct State: Sendable {
        var frames = CircularBuffer<[UInt8]>()
        var waitingBytes = 0
        var scheduled = false
        var open = true
        var frameBytesMax: Int
        var chain: [[UInt8]] = []
        var session: (any Sendable)?
        var reason: FrameChannelEnd?
    }

    private init(channel: any Channel, isInbound: Bool, limits: FrameLimits) {
        id = Self.lastID.add(1, ordering: .relaxed).newValue
        self.channel = channel
        self.isInbound = isInbound
        self.limits = limits
        eventLoop = channel.eventLoop
        remoteAddress = channel.remoteAddress.map { "\($0)" } ?? "unknown"
        state = NIOLockedValueBox(State(frameBytesMax: limits.frameBytesMax))
    }

    /// Takes over a connected stream socket.
    /// - Parameters:
    ///   - descriptor: the socket; owned by the channel from here on, whatever happens.
    ///   - delegate: told of everything, first of ``FrameChannelDelegate/channelOpened(_:)``.
    /// - Returns: the channel, which need not be open yet.
    /// - Throws: ``TransportError`` if the socket or the TLS settings can't be used.
    public static func attach(
        descriptor: CInt, security: Security, limits: FrameLimits = FrameLimits(),
        delegate: any FrameChannelDelegate, group: any EventLoopGroup, logger: Logger
    ) async throws(TransportError) -> FrameChannel {
        try SocketCheck.check(descriptor, listens: false)
        let made = NIOLockedValueBox<FrameChannel?>(nil)
        do {
            let channel = try await ClientBootstrap(group: group)
                .channelOption(ChannelOptions.writeBufferWaterMark, value: .init(low: 64 << 10, high: 512 << 10))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let isInbound = if case .server = security { true } else { false }
                        let frames = try build(channel, isInbound, security, limits, delegate, logger)
                        made.withLockedValue { $0 = frames }
                    }
                }
                .withConnectedSocket(descriptor)
                .get()
            if case .plain = security {
            } else {
                try? await channel.setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1).get()
            }
        } catch let error as TransportError {
            throw error
        } catch {
            throw .descriptor("\(error)")
        }
        guard let frames = made.withLockedValue({ $0 }) else { throw .descriptor("the channel was not made") }
        return frames
    }

    /// Puts the handlers of a channel in place; on the channel's event loop.
    static func build(
        _ channel: any Channel, _ isInbound: Bool, _ security: Security, _ limits: FrameLimits,
        _ delegate: any FrameChannelDelegate, _ logger: Logger
    ) throws -> FrameChannel {
        let frames = FrameChannel(channel: channel, isInbound: isInbound, limits: limits)
        let isSecured = if case .plain = security { false } else { true }
        let handler = FrameChannelHandler(frames, delegate: delegate, isSecured: isSecured, logger: logger)
        let pipeline = channel.pipeline.syncOperations
        let exporter = frames.exporter
        switch security {
        case .plain: break
        case .client(let settings):
            let context = try TLSContext.client(settings) { exporter.take(line: $0) }
            switch settings.trust {
            case .authorities, .named: handler.verifiedByNIOSSL()
            case .verifier: break
            }
            try pipeline.addHandler(
                TLSContext.clientHandler(context, trust: settings.trust) { handler.verified($0) })
        case .server(let settings):
            let context = try TLSContext.server(settings.identity) { exporter.take(line: $0) }
            try pipeline.addHandler(
                TLSContext.serverHandler(context, verifier: settings.verifier) { handler.verified($0) })
        }
        try pipeline.addHandler(handler)
        return frames
    }

    // MARK: What the owner knows and does

    /// The peer's certificates, DER, leaf first; empty without TLS.
    public var peerCertificateChain: [[UInt8]] { state.withLockedValue { $0.chain } }

    /// Whatever the owner attached; first what the ``PeerVerifier`` gave.
    public var session: (any Sendable)? {
        get { state.withLockedValue { $0.session } }
        set { state.withLockedValue { $0.session = newValue } }
    }

    /// Bytes that wait to be sent.
    public var waitingBytes: Int { state.withLockedValue { $0.waitingBytes } }

    /// TLS exporter (RFC 8446 section 7.5): secret bytes that both ends of this very session, and nobody else, can
    /// compute. nil without TLS, before the channel is open, or for a length over 8,160 bytes.
    public func exportKeyingMaterial(label: String, context: [UInt8], length: Int) -> [UInt8]? {
        exporter.export(label: label, context: context, length: length)
    }

    /// Takes frames of up to `bytes` from now on; for a peer that has proved who it is.
    public func setFrameBytesMax(_ bytes: Int) { state.withLockedValue { $0.frameBytesMax = bytes } }

    /// Sends one frame, from any thread. Frames go out in the order of these calls.
    @discardableResult
    public func send(_ frame: [UInt8]) -> FrameSendResult { send(frames: [frame]) }

    /// Sends frames, all or none, from any thread.
    @discardableResult
    public func send(frames: [[UInt8]]) -> FrameSendResult {
        let bytes = frames.reduce(0) { $0 + $1.count + 4 }
        let (result, schedule): (FrameSendResult, Bool) = state.withLockedValue { state in
            guard state.open else { return (.closed, false) }
            guard state.waitingBytes + bytes <= limits.outboundBytesMax else { return (.overflow, false) }
            state.frames.append(contentsOf: frames)
            state.waitingBytes += bytes
            defer { state.scheduled = true }
            return (.queued, !state.scheduled)
        }
        if schedule { drainAfterThis() }
        return result
    }

    /// Sends what waits once the loop is done with what it has at hand, so that all frames of one turn share a write.
    private func drainAfterThis() {
        let pipeline = channel.pipeline
        eventLoop.execute { pipeline.syncOperations.fireUserInboundEventTriggered(FrameChannelHandler.Drain()) }
    }

    /// Stops or goes on reading from the peer.
    public func setReading(_ reading: Bool) {
        channel.setOption(ChannelOptions.autoRead, value: reading).whenComplete { _ in }
    }

    /// Closes the channel after what was sent before has been handed to the kernel.
    public func close(reason: String) {
        state.withLockedValue { $0.reason = $0.reason ?? .closedByOwner(reason) }
        channel.pipeline.fireUserInboundEventTriggeredOnLoop(FrameChannelHandler.Finish(), eventLoop)
    }

    // MARK: For the handler

    /// Up to `bytesMax` of what waits (at least one frame); empty when nothing does.
    func takeFrames(bytesMax: Int) -> [[UInt8]] {
        state.withLockedValue { state in
            var bytes = 0
            var count = 0
            for frame in state.frames {
                if count > 0, bytes + frame.count + 4 > bytesMax { break }
                bytes += frame.count + 4
                count += 1
            }
            state.waitingBytes -= bytes
            if count == 0 { state.scheduled = false }
            defer { state.frames.removeFirst(count) }
            return Array(state.frames.prefix(count))
        }
    }

    var frameBytesMax: Int { state.withLockedValue { $0.frameBytesMax } }

    func authenticated(chain: [[UInt8]], session: (any Sendable)?) {
        state.withLockedValue {
            $0.chain = chain
            $0.session = session
        }
    }

    /// The first reason given stands.
    func setReason(_ reason: FrameChannelEnd) { state.withLockedValue { $0.reason = $0.reason ?? reason } }

    func ended() -> FrameChannelEnd {
        state.withLockedValue { state in
            state.open = false
            state.frames.removeAll()
            state.waitingBytes = 0
            return state.reason ?? .closedByPeer
        }
    }
}

extension ChannelPipeline {
    fileprivate func fireUserInboundEventTriggeredOnLoop(_ event: any Sendable, _ eventLoop: any EventLoop) {
        if eventLoop.inEventLoop {
            syncOperations.fireUserInboundEventTriggered(event)
        } else {
            fireUserInboundEventTriggered(event)
        }
    }
}
