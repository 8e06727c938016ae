internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// One request on its way through the client.
struct HTTPClientExchange: Sendable {
    let request: HTTPClientRequest
    let deadline: NIODeadline
    let completion: @Sendable (HTTPClient.Outcome) -> Void
}

/// The connections to one endpoint, all on one event loop.
///
/// Unchecked Sendable: everything but `mailbox` is touched on that loop only.
final class HTTPClientPool: @unchecked Sendable {
    let endpoint: HTTPEndpoint
    let settings: HTTPClientSettings
    let hostField: String
    private let context: NIOSSLContext?
    private let eventLoop: any EventLoop
    private let mailbox = NIOLockedValueBox<[HTTPClientExchange]>([])
    private var waiting = CircularBuffer<HTTPClientExchange>()
    private var connections: [HTTPClientConnection] = []
    private var connecting = 0
    private var ticking = false
    private var closed = false

    init(endpoint: HTTPEndpoint, settings: HTTPClientSettings, context: NIOSSLContext?, eventLoop: any EventLoop) {
        self.endpoint = endpoint
        self.settings = settings
        self.context = context
        self.eventLoop = eventLoop
        hostField = endpoint.description
    }

    /// Takes a request from any thread.
    func submit(_ request: HTTPClientRequest, _ completion: @escaping @Sendable (HTTPClient.Outcome) -> Void) {
        let exchange = HTTPClientExchange(
            request: request, deadline: .now() + (request.timeout ?? settings.requestTimeout), completion: completion)
        let first = mailbox.withLockedValue { box in
            box.append(exchange)
            return box.count == 1
        }
        // Also when on the loop: a completion that sends the next request then shares one write with its siblings.
        if first { eventLoop.execute { self.emptyMailbox() } }
    }

    func close() {
        eventLoop.execute {
            self.closed = true
            self.emptyMailbox()
            self.failWaiting(.closed("the client was closed"))
            for connection in self.connections { connection.close(.closed("the client was closed", sent: true)) }
        }
    }

    private func emptyMailbox() {
        let exchanges = mailbox.withLockedValue { box in
            defer { box.removeAll(keepingCapacity: true) }
            return box
        }
        for exchange in exchanges {
            if closed {
                exchange.completion(.failure(.closed("the client was closed")))
            } else if waiting.count >= settings.queuedRequestsMax {
                exchange.completion(.failure(.busy("\(waiting.count) requests wait for \(endpoint)")))
            } else {
                waiting.append(exchange)
            }
        }
        assign()
        if !ticking, !waiting.isEmpty || connections.contains(where: { $0.inFlightCount > 0 }) { tick() }
    }

    /// Gives waiting requests to connections, and opens more when all are full.
    private func assign() {
        while !waiting.isEmpty {
            let free = connections.filter { $0.isUsable && $0.inFlightCount < settings.pipelineDepth }
            guard let connection = free.min(by: { $0.inFlightCount < $1.inFlightCount }) else { break }
            connection.start(waiting.removeFirst())
        }
        for connection in connections { connection.flush() }
        let wanted = (waiting.count + settings.pipelineDepth - 1) / max(1, settings.pipelineDepth)
        while connecting < wanted, connections.count + connecting < settings.connectionsMax, !closed { open() }
    }

    private func open() {
        connecting += 1
        let connection = HTTPClientConnection(pool: self)
        guard let dial = settings.dial else {
            return watch(bootstrap(connection).connect(host: endpoint.host, port: endpoint.port), connection)
        }
        dial(endpoint) { result in
            self.eventLoop.execute {
                switch result {
                case .success(let descriptor):
                    self.watch(self.bootstrap(connection).withConnectedSocket(descriptor), connection)
                case .failure(let error): self.watch(self.eventLoop.makeFailedFuture(error), connection)
                }
            }
        }
    }

    private func bootstrap(_ connection: HTTPClientConnection) -> ClientBootstrap {
        ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context = self.context, let tls = self.settings.tls {
                        try pipeline.addHandler(
                            TLSContext.clientHandler(context, trust: tls.trust) { connection.verified($0) })
                    }
                    try pipeline.addHandler(HTTPRequestEncoder())
                    try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder()))
                    try pipeline.addHandler(connection)
                }
            }
    }

    /// Tells the pool when a connection does not come about.
    private func watch(_ opening: EventLoopFuture<any Channel>, _ connection: HTTPClientConnection) {
        opening.whenFailure { error in
            let failure = TransportError.connect("\(self.endpoint): \(error)")
            if self.eventLoop.inEventLoop {
                self.opened(connection, .failure(failure))
            } else {
                self.eventLoop.execute { self.opened(connection, .failure(failure)) }
            }
        }
    }

    /// A connection is ready, or will never be; called once for each that was opened.
    func opened(_ connection: HTTPClientConnection, _ result: Result<Void, TransportError>) {
        guard connection.settleOpening() else { return }
        connecting -= 1
        switch result {
        case .success:
            connections.append(connection)
            if closed { connection.close(.closed("the client was closed")) } else { assign() }
        case .failure(let error):
            if connecting == 0, connections.isEmpty { failWaiting(error) }
        }
    }

    /// A connection finished an exchange.
    func progressed() { if !waiting.isEmpty { assign() } }

    func ended(_ connection: HTTPClientConnection) {
        connections.removeAll { $0 === connection }
        if !waiting.isEmpty { assign() }
    }

    private func failWaiting(_ error: TransportError) {
        let failed = Array(waiting)
        waiting.removeAll()
        for exchange in failed { exchange.completion(.failure(error)) }
    }

    /// Looks for requests whose time is up, as long as there are requests.
    private func tick() {
        ticking = true
        eventLoop.scheduleTask(in: .milliseconds(50)) {
            let now = NIODeadline.now()
            let late = self.waiting.filter { $0.deadline <= now }
            self.waiting.removeAll { $0.deadline <= now }
            for exchange in late {
                exchange.completion(.failure(.timeout("no connection to \(self.endpoint) in time", sent: false)))
            }
            for connection in self.connections { connection.checkDeadlines(now) }
            if self.waiting.isEmpty, !self.connections.contains(where: { $0.inFlightCount > 0 }) {
                self.ticking = false
            } else {
                self.tick()
            }
        }
    }
}
