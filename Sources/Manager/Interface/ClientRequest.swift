public import AdapterKit
public import Ledger

/// One of the three doors of a node. Each has its own limits and queues, so that a flood on one leaves the others open.
public enum Listener: UInt8, Sendable, Hashable, CaseIterable {
    /// Transactions and queries of actors.
    case application
    /// State of the node and the network, governance.
    case administration
    /// Other validating nodes.
    case node
}

/// Ties an answer to the request that it is for; made by the transport, opaque here.
public typealias RequestToken = UInt64

/// A client's HTTP request as the transport hands it over: framed and bounded, its body not looked into.
public struct ClientRequest: Sendable {
    /// Ties the answer to it.
    public var token: RequestToken
    /// Where it came in.
    public var listener: Listener
    /// The actor that the client's certificate stands for.
    public var actor: ActorID
    /// HTTP method, upper case.
    public var method: String
    /// Path without the query part.
    public var path: String
    /// Query parameters in order, percent-decoded.
    public var parameters: [(name: String, value: String)]
    /// The client's id for a write (header `x-entente-request-id`), so that a repetition gets the first answer.
    public var requestID: RequestID?
    /// The answer must reflect at least this transaction (header `x-entente-at-least`).
    public var atLeast: TransactionID?
    /// The body.
    public var body: [UInt8]
    /// The client's certificates in DER, its own first; only on the administration listener.
    public var session: [[UInt8]]

    /// A request.
    public init(
        token: RequestToken, listener: Listener, actor: ActorID, method: String, path: String,
        parameters: [(name: String, value: String)] = [], requestID: RequestID? = nil, atLeast: TransactionID? = nil,
        body: [UInt8] = [], session: [[UInt8]] = []
    ) {
        self.session = session
        self.token = token
        self.listener = listener
        self.actor = actor
        self.method = method
        self.path = path
        self.parameters = parameters
        self.requestID = requestID
        self.atLeast = atLeast
        self.body = body
    }

    /// The first query parameter of a name.
    public func parameter(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }
}

/// An answer for the transport to send.
public struct ClientResponse: Sendable {
    /// HTTP status.
    public var status: Int
    /// Media type of the body.
    public var contentType: String
    /// Transaction that the answer reflects (header `x-ms-ccf-transaction-id`).
    public var reflects: TransactionID?
    /// Seconds after which it makes sense to ask again (header `retry-after`).
    public var retryAfter: Int?
    /// Where the resource is instead (header `location`).
    public var location: String?
    /// The body.
    public var body: [UInt8]

    /// An answer.
    public init(
        status: Int = 200, contentType: String = "application/json", reflects: TransactionID? = nil,
        retryAfter: Int? = nil, location: String? = nil, body: [UInt8]
    ) {
        self.status = status
        self.contentType = contentType
        self.reflects = reflects
        self.retryAfter = retryAfter
        self.location = location
        self.body = body
    }
}
