internal import AdapterKit
internal import Constitution
internal import Host
internal import Manager
internal import NIOCore
internal import Transport

/// Puts questions to services outside the network: the launcher opens the connection, TLS ends here, and the service's
/// certificate must lead to the authorities that the constitution names and be for the name in its URL.
///
/// Confined to the manager's event loop.
final class OutsideCaller: @unchecked Sendable {
    private let host: ManagerHost
    private let eventLoop: any EventLoop
    /// A client for each service as it was described when it was asked last.
    private var clients: [OutsideService: HTTPClient] = [:]
    private var isStopped = false

    init(host: ManagerHost, eventLoop: any EventLoop) {
        self.host = host
        self.eventLoop = eventLoop
    }

    /// Puts a question, once; `completion` is called on the loop.
    func ask(_ request: OutsideRequest, completion: @escaping (OutsideAnswer.Result) -> Void) {
        let service = request.service
        // A constitution that was voted on has one; this is for one that was not checked.
        guard let place = service.place, !isStopped else { return completion(.failed("it can't be asked")) }
        let client: HTTPClient
        do {
            client = try clients[service] ?? connect(service, place)
        } catch {
            return completion(.failed("\(error)"))
        }
        clients[service] = client
        var headers = [("content-type", "application/octet-stream"), ("accept", "*/*")]
        if let key = request.idempotencyKey { headers.append(("idempotency-key", key)) }
        let exchange = HTTPClientRequest(
            target: place.target, headers: headers, body: request.body,
            timeout: .milliseconds(Int64(clamping: service.timeoutMilliseconds)))
        let finish = UncheckedBox(completion)
        let eventLoop = eventLoop
        client.send(exchange, to: HTTPEndpoint(host: place.host, port: Int(place.port))) { outcome in
            let result = Self.result(of: outcome)
            eventLoop.execute { finish.value(result) }
        }
    }

    /// Closes all connections.
    func stop() {
        eventLoop.execute {
            self.isStopped = true
            for client in self.clients.values { client.close() }
            self.clients = [:]
        }
    }

    private func connect(_ service: OutsideService, _ place: OutsideService.Place) throws(TransportError) -> HTTPClient
    {
        // Descriptions of before a vote are of no use any more.
        for old in clients.keys where old.name == service.name && old.url == service.url {
            clients.removeValue(forKey: old)?.close()
        }
        var settings = HTTPClientSettings(
            tls: TLSClientSettings(identity: nil, trust: .named(place.host, authorities: service.authorities)))
        settings.connectTimeout = .milliseconds(Int64(clamping: service.timeoutMilliseconds))
        settings.queuedRequestsMax = 256
        settings.responseBytesMax = Int(clamping: service.answerByteCountMax)
        let (host, timeout) = (host, UInt32(clamping: service.timeoutMilliseconds))
        settings.dial = { endpoint, opened in
            host.connect(
                host: endpoint.host, port: UInt16(clamping: endpoint.port), timeoutMilliseconds: timeout
            ) { opened($0.mapError { $0 }) }
        }
        return try HTTPClient(settings: settings, group: eventLoop)
    }

    /// Statuses other than 200 to 299 are no answers; nothing of their bodies goes on.
    private static func result(of outcome: HTTPClient.Outcome) -> OutsideAnswer.Result {
        switch outcome {
        case .success(let response):
            (200...299).contains(response.status)
                ? .body(response.body) : .failed("it answered with status \(response.status)")
        case .failure(let error): .failed(error.description)
        }
    }
}

/// Carries a closure of the loop through a thread that only hands it back.
private struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
