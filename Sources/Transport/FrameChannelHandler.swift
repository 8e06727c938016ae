internal import Logging
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// The NIO side of a ``FrameChannel``.
///
/// Unchecked Sendable: all state is touched on the channel's event loop only.
final class FrameChannelHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Asks the handler to send what waits.
    struct Drain: Sendable {}
    /// Asks the handler to send what waits and close.
    struct Finish: Sendable {}

    private static let flushBytesMax = 256 << 10
    /// How long a peer that does not read may delay our closing.
    private static let finishTimeout = TimeAmount.seconds(2)
    private static let deliverBytesMax = 1 << 20

    private let frames: FrameChannel
    private let delegate: any FrameChannelDelegate
    private let isSecured: Bool
    private let logger: Logger
    private var decoder: FrameDecoder
    private var received: [[UInt8]] = []
    private var receivedBytes = 0
    private var peerVerified = false
    private var chainFromNIOSSL = false
    private var isOpen = false
    private var heldBack = false
    private var finishing = false
    private var closing = false
    private var timer: Scheduled<Void>?
    private var bytesSinceTick = false

    init(_ frames: FrameChannel, delegate: any FrameChannelDelegate, isSecured: Bool, logger: Logger) {
        self.frames = frames
        self.delegate = delegate
        self.isSecured = isSecured
        self.logger = logger
        decoder = FrameDecoder(frameBytesMax: frames.limits.frameBytesMax)
    }

    // MARK: Opening

    func handlerAdded(context: ChannelHandlerContext) {
        if isSecured {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            timer = context.eventLoop.scheduleTask(in: frames.limits.handshakeTimeout) {
                self.fail(bound.value, .handshakeFailed("time is up"))
            }
        }
        if !isSecured, context.channel.isActive { opened(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !isSecured { opened(context) }
        context.fireChannelActive()
    }

    func verifiedByNIOSSL() {
        peerVerified = true
        chainFromNIOSSL = true
    }

    func verified(_ outcome: PeerOutcome) {
        switch outcome.verdict {
        case .accepted(let session):
            peerVerified = true
            frames.authenticated(chain: outcome.chain, session: session)
        case .refused(let reason):
            frames.setReason(.peerRefused(reason))
            logger.warning(
                "node certificate refused",
                metadata: [
                    "remote": "\(frames.remoteAddress)", "reason": "\(reason)",
                    "certificate": "\(fingerprint(outcome.chain.first))",
                ])
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is Drain: drain(context)
        case is Finish:
            guard !finishing else { break }
            finishing = true
            drain(context)
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: Self.finishTimeout) { bound.value.close(promise: nil) }
        case let event as TLSUserEvent:
            guard case .handshakeCompleted = event else { break }
            guard peerVerified else {
                return fail(context, .handshakeFailed("the handshake ended without a verified certificate"))
            }
            if chainFromNIOSSL {
                let leaf = try? context.channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
                    .peerCertificate?.toDERBytes()
                frames.authenticated(chain: leaf.map { [$0] } ?? [], session: nil)
            }
            timer?.cancel()
            timer = nil
            opened(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func opened(_ context: ChannelHandlerContext) {
        guard !isOpen else { return }
        isOpen = true
        if let silence = frames.limits.silenceTimeout { watchSilence(context, silence) }
        delegate.channelOpened(frames)
        drain(context)
    }

    private func watchSilence(_ context: ChannelHandlerContext, _ silence: TimeAmount) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        bytesSinceTick = false
        timer = context.eventLoop.scheduleTask(in: silence) {
            if self.bytesSinceTick {
                self.watchSilence(bound.value, silence)
            } else {
                self.fail(bound.value, .silence)
            }
        }
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isOpen, !finishing else { return }
        bytesSinceTick = true
        let buffer = unwrapInboundIn(data)
        receivedBytes += buffer.readableBytes
        decoder.frameBytesMax = frames.frameBytesMax
        do {
            try buffer.withUnsafeReadableBytes { bytes throws(FrameDecoder.TooLarge) in
                try decoder.feed(bytes, into: &received)
            }
        } catch {
            deliver()
            logger.warning(
                "frame over the limit",
                metadata: [
                    "remote": "\(frames.remoteAddress)", "bytes": "\(error.bytes)", "limit": "\(frames.frameBytesMax)",
                ])
            return fail(context, .frameTooLarge(error.bytes))
        }
        if receivedBytes >= Self.deliverBytesMax { deliver() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliver()
        context.fireChannelReadComplete()
    }

    private func deliver() {
        receivedBytes = 0
        guard !received.isEmpty else { return }
        let batch = received
        received = []
        delegate.channel(frames, received: batch)
    }

    // MARK: Sending

    private func drain(_ context: ChannelHandlerContext) {
        guard isOpen else {
            if finishing { context.close(promise: nil) }
            return
        }
        while context.channel.isWritable {
            let batch = frames.takeFrames(bytesMax: Self.flushBytesMax)
            guard !batch.isEmpty else {
                if finishing { return closeAfterWrites(context) }
                if heldBack {
                    heldBack = false
                    delegate.channelDrained(frames)
                }
                return
            }
            var buffer = context.channel.allocator.buffer(capacity: batch.reduce(0) { $0 + $1.count + 4 })
            for frame in batch {
                buffer.writeInteger(UInt32(truncatingIfNeeded: frame.count), endianness: .little)
                buffer.writeBytes(frame)
            }
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        }
        heldBack = true
    }

    /// Closes once all that was written has left for the kernel; closing at once would drop it.
    private func closeAfterWrites(_ context: ChannelHandlerContext) {
        guard !closing else { return }
        closing = true
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(capacity: 0)), promise: written)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { drain(context) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Ending

    private func fail(_ context: ChannelHandlerContext, _ reason: FrameChannelEnd) {
        frames.setReason(reason)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let text = describeTLSFailure(error)
        if isSecured, !isOpen {
            frames.setReason(.handshakeFailed(text))
            logger.info(
                "TLS handshake failed", metadata: ["remote": "\(frames.remoteAddress)", "reason": "\(text)"])
        } else if let error = error as? NIOSSLError, case .uncleanShutdown = error {
            frames.setReason(.closedByPeer)
        } else {
            frames.setReason(.failed(text))
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        deliver()
        if isSecured, !isOpen { frames.setReason(.handshakeFailed("the peer went away")) }
        isOpen = false
        delegate.channelClosed(frames, reason: frames.ended())
        context.fireChannelInactive()
    }
}
