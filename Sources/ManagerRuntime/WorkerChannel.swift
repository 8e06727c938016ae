internal import AdapterKit
internal import Host
internal import Logging
internal import NIOCore
internal import Transport

/// The manager's end of the socket to its worker. Confined to the event loop.
final class WorkerChannel: FrameChannelDelegate, @unchecked Sendable {
    /// What is told to the manager.
    enum Event: Sendable {
        case opened
        case replies([WorkerFrame<WorkerReply>])
        case lost(String)
    }

    private let event: (Event) -> Void
    private var channel: FrameChannel?
    private let limits: FrameLimits

    init(event: @escaping (Event) -> Void) {
        self.event = event
        var limits = FrameLimits()
        limits.frameBytesMax = AdapterLimits.messageBytesMax
        limits.outboundBytesMax = 1 << 30
        self.limits = limits
    }

    /// Takes over the socket of a fresh worker, in place of any other.
    func open(descriptor: CInt, eventLoop: any EventLoop, logger: Logger) {
        channel?.close(reason: "another worker takes over")
        channel = nil
        eventLoop.makeFutureWithTask {
            try await FrameChannel.attach(
                descriptor: descriptor, security: .plain, limits: self.limits, delegate: self, group: eventLoop,
                logger: logger)
        }.whenComplete { result in
            if case .failure(let error) = result { self.event(.lost("\(error)")) }
        }
    }

    func send(_ frame: WorkerFrame<WorkerRequest>) {
        guard let channel else { return }
        if channel.send(frame.encoded()) == .overflow { channel.close(reason: "the worker does not keep up") }
    }

    func close(reason: String) {
        channel?.close(reason: reason)
        channel = nil
    }

    // MARK: FrameChannelDelegate

    func channelOpened(_ channel: FrameChannel) {
        self.channel = channel
        event(.opened)
    }

    func channel(_ channel: FrameChannel, received frames: [[UInt8]]) {
        guard channel.id == self.channel?.id else { return }
        var replies: [WorkerFrame<WorkerReply>] = []
        replies.reserveCapacity(frames.count)
        do {
            for frame in frames { replies.append(try WorkerFrame<WorkerReply>(decoding: frame)) }
            event(.replies(replies))
        } catch {
            event(.replies(replies))
            self.channel = nil
            channel.close(reason: "the worker broke the protocol")
            event(.lost("the worker broke the protocol: \(error)"))
        }
    }

    func channelClosed(_ channel: FrameChannel, reason: FrameChannelEnd) {
        guard channel.id == self.channel?.id else { return }
        self.channel = nil
        event(.lost("\(reason)"))
    }
}
