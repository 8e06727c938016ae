internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

/// One server connection: collects requests, hands them on, puts answers in order, keeps the limits.
///
/// Unchecked Sendable: everything but `mailbox` is touched on the channel's event loop only; the entry points that
/// other threads may call (`deliver`, `drain`, `closeNow`) hop to it.
final class HTTPServerChannelHandler: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the connection waits for; each phase but `answering` has a deadline.
    private enum Phase { case handshake, idle, header, body, answering, lingering }

    /// The place of one answer in the order of requests.
    private struct Slot {
        var response: HTTPResponse?
        var keepAlive: Bool
        var isHead: Bool
        var isOld: Bool
        var bodyBytes: Int
        var counted: Bool
    }

    /// Output is written at the latest when there is this much of it.
    private static let sendBytes = 64 << 10
    /// Answers that may wait to be written before no further request is handled.
    private static let unsentBytesMax = 256 << 10

    let connection: HTTPConnection
    private let server: HTTPServer
    private let verifier: PeerVerifier?
    private let channel: any Channel
    private let eventLoop: any EventLoop
    private let mailbox = NIOLockedValueBox<[(sequence: UInt64, response: HTTPResponse)]>([])

    private var context: ChannelHandlerContext?
    private var phase: Phase
    private var deadline: NIODeadline
    private var writeDeadline: NIODeadline = .distantFuture
    private var tick: Scheduled<Void>?
    private var peerVerified = false
    private var refusal: String?
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var slots = CircularBuffer<Slot>()
    private var firstSequence: UInt64 = 0
    private var waiting = CircularBuffer<(request: HTTPRequest, sequence: UInt64)>()
    private var running = 0
    private var output: ByteBuffer
    private var readyBytes = 0
    private var inBurst = false
    private var flushing = false
    private var flushScheduled = false
    private var readHeld = false
    private var ending = false
    private var draining = false

    init(server: HTTPServer, connection: HTTPConnection, channel: any Channel, verifier: PeerVerifier?) {
        self.server = server
        self.verifier = verifier
        self.connection = connection
        self.channel = channel
        eventLoop = channel.eventLoop
        output = channel.allocator.buffer(capacity: 512)
        let secured = verifier != nil
        phase = secured ? .handshake : .idle
        peerVerified = !secured
        deadline = .now() + (secured ? server.limits.handshakeTimeout : server.limits.idleTimeout)
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        scheduleTick()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        tick?.cancel()
        tick = nil
        if phase == .handshake, refusal == nil { handshakeFailed("the peer went away") }
        forgetOutstanding()
        context.fireChannelInactive()
    }

    /// Takes the requests that will not be answered any more out of the listener's counts.
    private func forgetOutstanding() {
        for slot in slots { release(slot) }
        firstSequence += UInt64(slots.count)
        slots.removeAll()
        waiting.removeAll()
        readyBytes = 0
        server.counters.bodyBytesPending.subtract(body.count, ordering: .relaxed)
        body = []
    }

    private func release(_ slot: Slot) {
        if slot.counted { server.counters.requestsPending.subtract(1, ordering: .relaxed) }
        server.counters.bodyBytesPending.subtract(slot.bodyBytes, ordering: .relaxed)
    }

    // MARK: TLS

    func verified(_ outcome: PeerOutcome) {
        switch outcome.verdict {
        case .accepted(let session):
            peerVerified = true
            connection.authenticated(chain: outcome.chain, session: session)
        case .refused(let reason):
            refusal = reason
            server.counters.handshakesFailed.add(1, ordering: .relaxed)
            server.log(
                .warning, "client certificate refused", connection.remoteAddress,
                ["reason": "\(reason)", "certificate": "\(fingerprint(outcome.chain.first))"])
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            if !peerVerified, refusal == nil { verifyResumed(context) }
            guard peerVerified else {
                if refusal != nil { return context.close(promise: nil) }
                handshakeFailed("the handshake ended without a verified certificate")
                return context.close(promise: nil)
            }
            becomeIdle()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// TLS does not ask about the certificate of a resumed session, but who was accepted once need not be now: asks the
    /// verifier again, with the leaf, which is all that the session keeps. Only an answer at once counts, since requests
    /// may follow at once.
    private func verifyResumed(_ context: ChannelHandlerContext) {
        guard let verifier,
            let leaf = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
                .peerCertificate?.toDERBytes()
        else { return }
        let verdict = NIOLockedValueBox<PeerVerdict?>(nil)
        verifier.decide([leaf]) { answer in verdict.withLockedValue { $0 = $0 ?? answer } }
        let late = PeerVerdict.refused(reason: "a resumed session whose certificate was not decided on at once")
        verified(PeerOutcome(chain: [leaf], verdict: verdict.withLockedValue { $0 } ?? late))
    }

    private func handshakeFailed(_ reason: String) {
        refusal = reason
        server.counters.handshakesFailed.add(1, ordering: .relaxed)
        server.log(.info, "TLS handshake failed", connection.remoteAddress, ["reason": "\(reason)"])
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if phase == .handshake {
            if refusal == nil { handshakeFailed(describeTLSFailure(error)) }
            return context.close(promise: nil)
        }
        if let error = error as? HTTPParserError {
            let tooLarge = error == .headerOverflow
            refuse(
                tooLarge ? 431 : 400, tooLarge ? "HeaderTooLarge" : "InvalidHTTP",
                tooLarge ? "the request header is over its limit" : "the request is not valid HTTP/1.1: \(error)")
            return
        }
        if error is NIOHTTPDecoderError {
            return refuse(400, "InvalidHTTP", "the request is not valid HTTP/1.1")
        }
        if !ending {
            server.log(
                .debug, "connection failed", connection.remoteAddress, ["reason": "\(describeTLSFailure(error))"])
        }
        context.close(promise: nil)
    }

    // MARK: Requests

    /// The tap in front of the parser saw bytes: if nothing was under way, a request begins.
    func bytesArrived() {
        if phase == .idle || phase == .answering, head == nil, !ending {
            phase = .header
            deadline = .now() + server.limits.headerTimeout
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inBurst = true
        // Closing takes TLS a moment, in which what had already arrived is still read.
        guard !ending, peerVerified else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head)
        case .body(let part): collect(part)
        case .end: complete()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        inBurst = false
        flush()
        context.fireChannelReadComplete()
    }

    private func begin(_ head: HTTPRequestHead) {
        if phase == .header || phase == .idle || phase == .answering {
            phase = .body
            deadline = .now() + server.limits.bodyTimeout
        }
        guard head.version.major == 1, head.version.minor <= 1 else {
            return refuse(505, "InvalidHTTP", "HTTP/\(head.version.major).\(head.version.minor) is not spoken here")
        }
        guard head.uri.utf8.count <= server.limits.targetBytesMax else {
            return refuse(414, "TargetTooLong", "the request target is over \(server.limits.targetBytesMax) bytes")
        }
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }) {
            guard length <= server.limits.bodyBytesMax else { return refuseBody() }
            body.reserveCapacity(length)
        }
        if slots.isEmpty, let expect = head.headers.first(name: "expect") {
            guard expect.lowercased() == "100-continue" else {
                return refuse(417, "InvalidHTTP", "only the expectation 100-continue is met")
            }
            output.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
        }
        self.head = head
    }

    private func refuseBody() {
        refuse(413, "BodyTooLarge", "the request body is over \(server.limits.bodyBytesMax) bytes")
    }

    private func collect(_ part: ByteBuffer) {
        guard head != nil else { return }
        guard body.count + part.readableBytes <= server.limits.bodyBytesMax else { return refuseBody() }
        let total = server.counters.bodyBytesPending.add(part.readableBytes, ordering: .relaxed).newValue
        body.append(contentsOf: part.readableBytesView)
        if total > server.limits.bodyBytesTotalMax {
            server.counters.requestsBusy.add(1, ordering: .relaxed)
            end(with: .busy("the listener holds its maximum of request bytes"))
        }
    }

    private func complete() {
        guard let head else { return }
        self.head = nil
        let request = HTTPRequest(
            method: head.method.rawValue, target: head.uri, body: body, connection: connection, fields: head.headers)
        body = []
        phase = .answering
        let upgrades = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        let sequence = firstSequence + UInt64(slots.count)
        slots.append(
            Slot(
                keepAlive: head.isKeepAlive && !upgrades && !draining, isHead: head.method == .HEAD,
                isOld: head.version.minor == 0, bodyBytes: request.body.count, counted: true))
        if slots[offset: slots.count - 1].keepAlive == false { ending = true }
        let pending = server.counters.requestsPending.add(1, ordering: .relaxed).newValue
        if pending > server.limits.requestsMax {
            server.counters.requestsBusy.add(1, ordering: .relaxed)
            fill(sequence, .busy("the listener has its maximum of unanswered requests"))
        } else if waiting.isEmpty, mayDispatch {
            dispatch(request, sequence)
        } else {
            waiting.append((request, sequence))
        }
    }

    private func dispatch(_ request: HTTPRequest, _ sequence: UInt64) {
        running += 1
        server.counters.requests.add(1, ordering: .relaxed)
        server.handler.handle(request, respond: HTTPResponder(handler: self, sequence: sequence))
    }

    /// Refuses what is arriving, after the answers before it, and takes nothing more from the connection.
    private func refuse(_ status: Int, _ code: String, _ message: String) {
        guard !ending else { return }
        server.counters.requestsRefused.add(1, ordering: .relaxed)
        server.log(
            .info, "request refused", connection.remoteAddress, ["status": "\(status)", "reason": "\(message)"])
        end(with: .error(status, code: code, message: message))
    }

    private func end(with response: HTTPResponse) {
        ending = true
        let isHead = head?.method == .HEAD
        head = nil
        readyBytes += response.body.count
        slots.append(
            Slot(
                response: response, keepAlive: false, isHead: isHead, isOld: false, bodyBytes: body.count,
                counted: false))
        body = []
        if !inBurst { flush() }
    }

    // MARK: Answers

    /// Takes an answer from any thread.
    func deliver(_ response: HTTPResponse, for sequence: UInt64) {
        if eventLoop.inEventLoop {
            running -= 1
            fill(sequence, response)
            flushAfterThis()
            return
        }
        let first = mailbox.withLockedValue { box in
            box.append((sequence, response))
            return box.count == 1
        }
        if first { eventLoop.execute { self.emptyMailbox() } }
    }

    /// Writes answers once the loop is done with what it has at hand, so that all answers of one turn share a write.
    private func flushAfterThis() {
        guard !inBurst, !flushScheduled else { return }
        flushScheduled = true
        eventLoop.execute {
            self.flushScheduled = false
            if !self.inBurst { self.flush() }
        }
    }

    private func emptyMailbox() {
        let answers = mailbox.withLockedValue { box in
            defer { box.removeAll(keepingCapacity: true) }
            return box
        }
        running -= answers.count
        for answer in answers { fill(answer.sequence, answer.response) }
        if !inBurst { flush() }
    }

    private func fill(_ sequence: UInt64, _ response: HTTPResponse) {
        guard sequence >= firstSequence, sequence - firstSequence < UInt64(slots.count) else { return }
        let offset = Int(sequence - firstSequence)
        guard slots[offset: offset].response == nil else { return }
        slots[offset: offset].response = response
        readyBytes += response.body.count
    }

    /// Writes the answers that are ready and in order, starts waiting requests, and settles what comes next.
    private func flush() {
        guard let context, !flushing else { return }
        flushing = true
        defer { flushing = false }
        while true {
            guard writeReady(context) else { return }
            if output.readableBytes >= Self.sendBytes { send(context) }
            guard mayDispatch, let next = waiting.popFirst() else { break }
            dispatch(next.request, next.sequence)
        }
        send(context)
        if slots.isEmpty, phase == .answering { becomeIdle() }
        resumeReading(context)
    }

    /// Puts the answers that are ready and in order into the output; false when the last one ended the connection.
    private func writeReady(_ context: ChannelHandlerContext) -> Bool {
        while let slot = slots.first, let response = slot.response {
            _ = slots.popFirst()
            firstSequence += 1
            readyBytes -= response.body.count
            release(slot)
            let last = !slot.keepAlive || response.closesConnection || (draining && slots.isEmpty && head == nil)
            HTTPResponseWriter.write(response, isHead: slot.isHead, isOld: slot.isOld, closes: last, to: &output)
            if last {
                ending = true
                forgetOutstanding()
                send(context)
                linger(context)
                return false
            }
        }
        return true
    }

    /// Whether one more request may go to the handler: a client that asks without reading its answers must wait, or they
    /// would pile up here.
    private var mayDispatch: Bool {
        running < server.limits.requestsPerConnectionMax && channel.isWritable
            && readyBytes + output.readableBytes < Self.unsentBytesMax
    }

    private func send(_ context: ChannelHandlerContext) {
        guard output.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        output = channel.allocator.buffer(capacity: 512)
        if !channel.isWritable, writeDeadline == .distantFuture {
            writeDeadline = .now() + server.limits.writeTimeout
        }
    }

    private func becomeIdle() {
        phase = .idle
        deadline = .now() + server.limits.idleTimeout
        if draining, let context { linger(context) }
    }

    /// Ends the outgoing side and reads on for a moment: closing with unread input would reset the connection and may
    /// destroy the last answer on its way.
    private func linger(_ context: ChannelHandlerContext) {
        guard phase != .lingering else { return }
        phase = .lingering
        ending = true
        deadline = .now() + .seconds(1)
        context.close(mode: .output, promise: nil)
        resumeReading(context)
    }

    // MARK: Back-pressure and time

    private var mayRead: Bool {
        phase == .lingering
            || (waiting.isEmpty && channel.isWritable && running < server.limits.requestsPerConnectionMax)
    }

    func read(context: ChannelHandlerContext) {
        if phase == .handshake || mayRead { context.read() } else { readHeld = true }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard readHeld, mayRead else { return }
        readHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if channel.isWritable {
            writeDeadline = .distantFuture
            if !inBurst { flush() }
        } else if writeDeadline == .distantFuture {
            writeDeadline = .now() + server.limits.writeTimeout
        }
        context.fireChannelWritabilityChanged()
    }

    private func scheduleTick() {
        let limits = server.limits
        let shortest = min(
            limits.handshakeTimeout, limits.idleTimeout, limits.headerTimeout, limits.bodyTimeout, limits.writeTimeout)
        let interval = TimeAmount.nanoseconds(max(20_000_000, min(1_000_000_000, shortest.nanoseconds / 4)))
        tick = eventLoop.scheduleTask(in: interval) {
            self.checkDeadlines()
            if self.context != nil { self.scheduleTick() }
        }
    }

    private func checkDeadlines() {
        guard let context else { return }
        let now = NIODeadline.now()
        if now >= writeDeadline {
            server.log(.info, "connection closed: answers are not being read", connection.remoteAddress)
            return context.close(promise: nil)
        }
        guard phase != .answering, now >= deadline else { return }
        switch phase {
        case .handshake:
            if refusal == nil { handshakeFailed("time is up") }
            context.close(promise: nil)
        case .header, .body:
            deadline = .distantFuture
            refuse(408, "RequestTimeout", "the request did not arrive in time")
        case .idle, .lingering: context.close(promise: nil)
        case .answering: break
        }
    }

    // MARK: From other threads

    /// Lets what is under way be answered, then closes.
    func drain() {
        eventLoop.execute {
            self.draining = true
            if self.phase == .idle || self.phase == .handshake, let context = self.context {
                if self.phase == .handshake { context.close(promise: nil) } else { self.linger(context) }
            }
        }
    }

    /// Closes at once.
    func closeNow() { channel.close(promise: nil) }
}

/// Stands before the parser and tells the connection that bytes came, so that a header that trickles in has a deadline.
final class HTTPByteTap: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: HTTPServerChannelHandler

    init(_ handler: HTTPServerChannelHandler) {
        self.handler = handler
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        handler.bytesArrived()
        context.fireChannelRead(data)
    }
}
