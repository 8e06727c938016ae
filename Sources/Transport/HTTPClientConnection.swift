internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import NIOTLS

/// One connection of the client.
///
/// Unchecked Sendable: all state is touched on the channel's event loop only.
final class HTTPClientConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let pool: HTTPClientPool
    private var context: ChannelHandlerContext?
    private var inFlight = CircularBuffer<HTTPClientExchange>()
    private var opening = true
    private var usable = false
    private var answered = false
    private var dirty = false
    private var failure: TransportError?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []
    private var timer: Scheduled<Void>?

    init(pool: HTTPClientPool) {
        self.pool = pool
    }

    var inFlightCount: Int { inFlight.count }
    var isUsable: Bool { usable }

    /// Whether the opening was still undecided; it is decided by this call.
    func settleOpening() -> Bool {
        defer { opening = false }
        return opening
    }

    // MARK: Opening

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        if pool.settings.tls == nil {
            ready()
        } else {
            timer = context.eventLoop.scheduleTask(in: pool.settings.connectTimeout) {
                self.close(.handshake("no TLS in time"))
            }
        }
        context.fireChannelActive()
    }

    func verified(_ outcome: PeerOutcome) {
        if case .refused(let reason) = outcome.verdict { failure = failure ?? .refusedPeer(reason) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { ready() }
        context.fireUserInboundEventTriggered(event)
    }

    private func ready() {
        timer?.cancel()
        timer = nil
        usable = true
        pool.opened(self, .success(()))
    }

    // MARK: Exchanges

    /// Writes a request; ``flush()`` must follow.
    func start(_ exchange: HTTPClientExchange) {
        guard let context else {
            return exchange.completion(.failure(.connectionLost("the connection is gone", sent: false)))
        }
        let request = exchange.request
        var fields = HTTPHeaders()
        fields.reserveCapacity(request.headers.count + 2)
        fields.add(name: "host", value: pool.hostField)
        for (name, value) in request.headers { fields.add(name: name, value: value) }
        fields.add(name: "content-length", value: String(request.body.count))
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target, headers: fields)
        inFlight.append(exchange)
        dirty = true
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !request.body.isEmpty {
            var buffer = context.channel.allocator.buffer(capacity: request.body.count)
            buffer.writeBytes(request.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func flush() {
        guard dirty else { return }
        dirty = false
        context?.flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // TLS says goodbye before it closes: what still comes meanwhile answers nobody.
        guard failure == nil else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            answered = true
            self.head = head
            if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
                length <= pool.settings.responseBytesMax
            {
                body.reserveCapacity(min(length, 1 << 20))
            }
        case .body(let part):
            guard body.count + part.readableBytes <= pool.settings.responseBytesMax else {
                return close(.tooLarge("the answer is over \(pool.settings.responseBytesMax) bytes", sent: true))
            }
            body.append(contentsOf: part.readableBytesView)
        case .end:
            guard let head, let exchange = inFlight.popFirst() else {
                return close(.protocolViolation("an answer to no request", sent: true))
            }
            let response = HTTPClientResponse(status: Int(head.status.code), body: body, fields: head.headers)
            self.head = nil
            body = []
            if !head.isKeepAlive { usable = false }
            exchange.completion(.success(response))
            if usable {
                pool.progressed()
            } else {
                close(.connectionLost("the server ended the connection", sent: true))
            }
        }
    }

    func checkDeadlines(_ now: NIODeadline) {
        guard inFlight.contains(where: { $0.deadline <= now }) else { return }
        // Answers come in order, so nothing behind the late one can be told apart any more.
        close(.timeout("no answer from \(pool.endpoint) in time", sent: true))
    }

    // MARK: Ending

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let text = describeTLSFailure(error)
        if opening {
            failure = failure ?? .handshake(text)
        } else if error is HTTPParserError || error is NIOHTTPDecoderError {
            failure = failure ?? .protocolViolation("the answer is not valid HTTP/1.1", sent: true)
        } else if !answered, Self.refusesOurCertificate(text) {
            failure = failure ?? .handshake("the server refused our certificate: \(text)")
        } else {
            failure = failure ?? .connectionLost(text, sent: true)
        }
        context.close(promise: nil)
    }

    /// TLS 1.3 lets a client finish before the server looked at its certificate: the refusal comes later, as an alert
    /// that is only ever sent in a handshake. The server has then not read a byte of a request.
    private static func refusesOurCertificate(_ text: String) -> Bool {
        let alerts = ["CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED"]
        return text.contains("ALERT") && alerts.contains { text.contains($0) }
    }

    func close(_ reason: TransportError) {
        usable = false
        failure = failure ?? reason
        failAll(reason)
        context?.close(promise: nil)
    }

    private func failAll(_ error: TransportError) {
        let failed = Array(inFlight)
        inFlight.removeAll()
        for exchange in failed { exchange.completion(.failure(error)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        usable = false
        if opening {
            pool.opened(self, .failure(failure ?? .connect("\(pool.endpoint) closed the connection")))
        }
        failAll(failure ?? .connectionLost("\(pool.endpoint) closed the connection", sent: true))
        pool.ended(self)
        context.fireChannelInactive()
    }
}
