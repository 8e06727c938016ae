internal import AdapterKit
internal import Ledger
internal import Logging
internal import Manager
internal import NIOCore
internal import Transport

/// The two client listeners: turns HTTP requests into the manager's and its answers into HTTP.
///
/// Confined to the manager's event loop: the servers run on that loop.
final class ClientFront: @unchecked Sendable {
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let submit: (ClientRequest) -> Void
    private let authenticate: ([[UInt8]]) -> Result<ActorID, Refused>
    private var responders: [RequestToken: HTTPResponder] = [:]
    private var next: RequestToken = 1
    private var servers: [HTTPServer] = []
    private var newest: TLSIdentity?

    /// Why a certificate was not accepted.
    struct Refused: Error { let reason: String }

    /// - Parameters:
    ///   - authenticate: which actor a certificate chain stands for.
    ///   - submit: takes a request; the answer comes by ``respond(_:_:)``.
    init(
        eventLoop: any EventLoop, logger: Logger,
        authenticate: @escaping ([[UInt8]]) -> Result<ActorID, Refused>, submit: @escaping (ClientRequest) -> Void
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.authenticate = authenticate
        self.submit = submit
    }

    /// Shows `identity` to new connections of the listeners that are open already.
    func replaceIdentity(_ identity: TLSIdentity) throws {
        newest = identity
        for server in servers { try server.replaceIdentity(identity) }
    }

    /// Opens listeners.
    func serve(
        identity: TLSIdentity, listeners: [(listener: Listener, descriptor: CInt, limits: HTTPLimits)]
    ) async throws {
        for each in listeners {
            let verifier = PeerVerifier { chain in
                switch self.authenticate(chain) {
                case .success(let actor): .accepted(session: actor)
                case .failure(let refused): .refused(reason: refused.reason)
                }
            }
            let server = try await HTTPServer.start(
                name: "\(each.listener)", descriptor: each.descriptor,
                tls: TLSServerSettings(identity: identity, verifier: verifier), limits: each.limits,
                handler: Door(front: self, listener: each.listener), group: eventLoop, logger: logger)
            try await eventLoop.submit {
                self.servers.append(server)
                // What was renewed while it was being opened.
                if let newest = self.newest { try server.replaceIdentity(newest) }
            }.get()
        }
    }

    /// Ends sessions whose certificates stand for another actor than they did, or for none. What was answered before goes
    /// out first.
    func checkSessions() {
        eventLoop.execute {
            for server in self.servers {
                server.closeConnections { connection in
                    guard let actor = connection.session as? ActorID else { return false }
                    guard case .success(actor) = self.authenticate(connection.peerCertificateChain) else { return true }
                    return false
                }
            }
        }
    }

    /// Stops accepting, and lets what is under way be answered.
    func stop() async {
        for server in servers { await server.stop(grace: .seconds(2)) }
    }

    /// Sends the manager's answer.
    func respond(_ token: RequestToken, _ response: ClientResponse) {
        guard let responder = responders.removeValue(forKey: token) else { return }
        var headers: [(name: String, value: String)] = []
        if let id = response.reflects { headers.append(("x-ms-ccf-transaction-id", "\(id)")) }
        if let seconds = response.retryAfter { headers.append(("retry-after", String(seconds))) }
        if let location = response.location { headers.append(("location", location)) }
        responder(
            HTTPResponse(
                status: response.status, contentType: response.contentType, headers: headers, body: response.body))
    }

    fileprivate func receive(_ request: HTTPRequest, _ listener: Listener, _ responder: HTTPResponder) {
        guard let actor = request.connection.session as? ActorID else {
            return responder(.error(401, code: "AuthorizationFailed", message: "no actor is known for this session"))
        }
        var atLeast: TransactionID?
        if let text = request.header("x-entente-at-least") {
            guard let id = TransactionID(text) else {
                return responder(.error(400, code: "InvalidInput", message: "x-entente-at-least is not view.seqno"))
            }
            atLeast = id
        }
        let requestID = request.header("x-entente-request-id").map { Array($0.utf8) }
        guard requestID?.count ?? 0 <= AdapterLimits.requestIDBytesMax - 4 else {
            return responder(.error(400, code: "InvalidInput", message: "x-entente-request-id is too long"))
        }
        let token = next
        next += 1
        responders[token] = responder
        submit(
            ClientRequest(
                token: token, listener: listener, actor: actor, method: request.method, path: String(request.path),
                parameters: QueryParameters.parse(request.query), requestID: requestID, atLeast: atLeast,
                body: request.body,
                session: listener == .administration ? request.connection.peerCertificateChain : []))
    }

    private struct Door: HTTPHandler {
        let front: ClientFront
        let listener: Listener

        func handle(_ request: HTTPRequest, respond: HTTPResponder) {
            front.receive(request, listener, respond)
        }
    }
}

/// The part of a request target behind the question mark (RFC 3986 section 3.4, `application/x-www-form-urlencoded`).
package enum QueryParameters {
    package static func parse(_ query: Substring?) -> [(name: String, value: String)] {
        guard let query else { return [] }
        return query.split(separator: "&").prefix(32).map { part in
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decode(halves[0]), halves.count > 1 ? decode(halves[1]) : "")
        }
    }

    private static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2, rest.prefix(2).allSatisfy(isHexadecimal),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
