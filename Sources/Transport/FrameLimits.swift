public import NIOCore

/// Bounds of a ``FrameChannel``.
public struct FrameLimits: Sendable {
    /// Largest frame taken from the peer, in bytes, until ``FrameChannel/setFrameBytesMax(_:)`` says otherwise. Keep it
    /// small until the peer is known, then raise it.
    public var frameBytesMax = 64 * 1024
    /// Bytes waiting to be sent; a frame that would go beyond is dropped and reported to its sender.
    public var outboundBytesMax = 256 * 1024 * 1024
    /// Time for TLS to be agreed on.
    public var handshakeTimeout: TimeAmount = .seconds(10)
    /// Time without a byte from the peer after which the channel is closed; nil waits for ever.
    public var silenceTimeout: TimeAmount?
    /// Connections of a ``FrameServer``; one more is closed at once, and logged.
    public var connectionsMax = 256

    /// The defaults.
    public init() {}
}

/// Why a ``FrameChannel`` ended.
public enum FrameChannelEnd: Hashable, Sendable {
    /// The owner closed it, for this reason.
    case closedByOwner(String)
    /// The peer closed it.
    case closedByPeer
    /// TLS could not be agreed on.
    case handshakeFailed(String)
    /// Our verifier refused the peer's certificate.
    case peerRefused(String)
    /// The peer announced a frame of this many bytes, over the limit.
    case frameTooLarge(Int)
    /// Nothing came for too long.
    case silence
    /// The connection broke.
    case failed(String)
}

/// What became of a frame given to ``FrameChannel/send(_:)``.
public enum FrameSendResult: Hashable, Sendable {
    /// It waits its turn or is on its way; whether it arrives is not known.
    case queued
    /// It was dropped: too many bytes are waiting.
    case overflow
    /// It was dropped: the channel is closed.
    case closed
}

/// What the owner of a ``FrameChannel`` is told. All calls for one channel come on its event loop, in order, and must
/// not block.
public protocol FrameChannelDelegate: Sendable {
    /// The channel may be used: connected and, with TLS, the peer's certificate is verified. Not called for a channel
    /// that fails before that.
    func channelOpened(_ channel: FrameChannel)
    /// Whole frames, as they came, without their length.
    func channel(_ channel: FrameChannel, received frames: [[UInt8]])
    /// What was waiting has been sent after the channel had to hold it back.
    func channelDrained(_ channel: FrameChannel)
    /// The channel is closed. Called once for every channel, also for one that was never opened.
    func channelClosed(_ channel: FrameChannel, reason: FrameChannelEnd)
}

extension FrameChannelDelegate {
    /// Does nothing.
    public func channelDrained(_ channel: FrameChannel) {}
}
