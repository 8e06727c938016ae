internal import Ledger
public import Logging
internal import NIOConcurrencyHelpers
public import NIOCore
internal import Primitives
public import Transport

/// The front end of the paper's Figure 4: it holds an actor's key and serves plain JSON-RPC on loopback to wallets and
/// tools that know no client certificates.
///
/// Each request gets an id, so that sending it to a second node when the first is lost can't make it happen twice; and
/// each asks for at least the newest transaction that the gateway has seen, so that its clients read their own writes
/// whichever node answers. What stays unknown after all tries is said to be unknown.
public final class Gateway: HTTPHandler {
    private let settings: GatewaySettings
    private let client: HTTPClient
    private let logger: Logger
    private let state: NIOLockedValueBox<State>
    private let group: any EventLoopGroup

    private struct State: Sendable {
        /// The node in use.
        var node = 0
        /// The newest transaction seen in any answer.
        var seen: TransactionID?
    }

    /// A gateway; serve it with an ``HTTPServer`` on loopback.
    /// - Throws: ``TransportError`` for unusable certificates.
    public init(settings: GatewaySettings, group: any EventLoopGroup, logger: Logger) throws(TransportError) {
        self.settings = settings
        self.logger = logger
        self.group = group
        let identity = try TLSIdentity(
            certificateChainPEM: settings.certificate, privateKeyPEM: settings.key)
        var client = HTTPClientSettings(
            tls: TLSClientSettings(identity: identity, trust: .authorities([settings.networkCertificate])))
        client.connectionsMax = settings.connectionsMax
        client.pipelineDepth = settings.pipelineDepth
        client.requestTimeout = .milliseconds(settings.tryTimeoutMilliseconds)
        client.connectTimeout = .seconds(2)
        self.client = try HTTPClient(settings: client, group: group)
        state = NIOLockedValueBox(State())
    }

    /// Closes the connections to nodes.
    public func close() { client.close() }

    /// Serves one request of a client.
    public func handle(_ request: HTTPRequest, respond: HTTPResponder) {
        if let refusal = refusal(of: request) { return respond(refusal) }
        let origin = request.header("origin")
        if request.method == "OPTIONS" { return respond(Self.preflight(origin)) }
        let call: Call
        if request.method == "GET", Call.resources.contains(String(request.path)) {
            call = Call(resource: request.target)
        } else {
            guard request.method == "POST" else {
                return respond(.error(405, code: "UnsupportedHttpVerb", message: "JSON-RPC takes POST"))
            }
            do {
                call = try Call(body: request.body, path: String(request.path), allowed: settings.allowedMethods)
            } catch {
                return respond(with(origin, HTTPResponse(body: error.answer)))
            }
        }
        let deadline = NIODeadline.now() + .milliseconds(settings.requestTimeoutMilliseconds)
        attempt(call, deadline: deadline, tries: 0, mayBeDone: false) { response in
            respond(self.with(origin, response))
        }
    }

    // MARK: Whom it serves

    private func refusal(of request: HTTPRequest) -> HTTPResponse? {
        let host = request.header("host") ?? ""
        guard settings.allowedHosts.contains(Self.name(host).lowercased()) else {
            return .error(403, code: "AuthorizationFailed", message: "this host name is not served here")
        }
        if let origin = request.header("origin"), !settings.allowedOrigins.contains(origin) {
            return .error(403, code: "AuthorizationFailed", message: "this web origin is not served here")
        }
        return nil
    }

    /// The host of a `Host` header without its port.
    private static func name(_ host: String) -> String {
        guard host.hasPrefix("[") else { return String(host.prefix { $0 != ":" }) }
        guard let end = host.firstIndex(of: "]") else { return host }
        let rest = host[host.index(after: end)...]
        return rest.isEmpty || rest.hasPrefix(":") ? String(host[...end]) : host
    }

    private static func preflight(_ origin: String?) -> HTTPResponse {
        var response = HTTPResponse(status: 204, contentType: nil)
        response.headers = [
            ("access-control-allow-origin", origin ?? "null"), ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "content-type"), ("access-control-max-age", "600"),
        ]
        return response
    }

    private func with(_ origin: String?, _ response: HTTPResponse) -> HTTPResponse {
        guard let origin else { return response }
        var response = response
        response.headers += [
            ("access-control-allow-origin", origin), ("access-control-expose-headers", Self.transactionHeader),
        ]
        return response
    }

    /// The ledger's transaction that an answer reflects.
    private static let transactionHeader = "x-ms-ccf-transaction-id"

    // MARK: Sending on

    private func attempt(
        _ call: Call, deadline: NIODeadline, tries: Int, mayBeDone: Bool,
        _ done: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        let (node, seen) = state.withLockedValue { ($0.node, $0.seen) }
        let endpoint = settings.nodes[node % settings.nodes.count]
        var headers: [(name: String, value: String)] = [
            ("content-type", "application/json"), ("x-entente-request-id", call.requestID),
        ]
        if let seen { headers.append(("x-entente-at-least", "\(seen)")) }
        let timeout = min(settings.tryTimeoutMilliseconds, settings.firstTryTimeoutMilliseconds << min(tries, 16))
        let request = HTTPClientRequest(
            method: call.method, target: call.path, headers: headers, body: call.body,
            timeout: .milliseconds(timeout))
        client.send(request, to: endpoint) { outcome in
            switch outcome {
            case .success(let response) where response.status == 200:
                done(self.passOn(response))
            case .success(let response) where response.status < 500 && call.isResource:
                done(self.passOn(response))
            case .success(let response) where response.status < 500:
                done(call.failure(-32603, "the node refused: status \(response.status)"))
            case .success(let response):
                let unknown = mayBeDone || response.status == 504
                self.tryNext(
                    call, after: node, deadline, tries, unknown, "status \(response.status) of \(endpoint)", done)
            case .failure(let error):
                let unknown = mayBeDone || error.mayHaveBeenProcessed
                self.tryNext(call, after: node, deadline, tries, unknown, "\(error) at \(endpoint)", done)
            }
        }
    }

    /// A node's answer for the client; the newest transaction seen is remembered.
    private func passOn(_ response: HTTPClientResponse) -> HTTPResponse {
        var answer = HTTPResponse(
            status: response.status, contentType: response.header("content-type"), body: response.body)
        guard let id = response.header(Self.transactionHeader).flatMap({ TransactionID($0) }) else { return answer }
        state.withLockedValue { state in
            if state.seen.map({ $0 < id }) ?? true { state.seen = id }
        }
        answer.headers = [(Self.transactionHeader, "\(id)")]
        return answer
    }

    private func tryNext(
        _ call: Call, after node: Int, _ deadline: NIODeadline, _ tries: Int, _ mayBeDone: Bool, _ reason: String,
        _ done: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        state.withLockedValue { if $0.node == node { $0.node = (node + 1) % settings.nodes.count } }
        // A round through all nodes is followed by a pause, so that an election has time to end.
        let isRoundOver = (tries + 1) % settings.nodes.count == 0
        let pause: TimeAmount = isRoundOver ? .milliseconds(100) : .zero
        guard NIODeadline.now() + pause < deadline else {
            let text =
                mayBeDone
                ? "the outcome is unknown: ask for it by transaction hash (\(reason))"
                : "no node of the network answers (\(reason))"
            logger.warning("a request failed", metadata: ["reason": "\(reason)", "unknown": "\(mayBeDone)"])
            return done(call.failure(mayBeDone ? -32010 : -32011, text))
        }
        logger.debug("trying the next node", metadata: ["reason": "\(reason)"])
        group.next().scheduleTask(in: pause) {
            self.attempt(call, deadline: deadline, tries: tries + 1, mayBeDone: mayBeDone, done)
        }
    }
}
