internal import NIOHTTP1

/// What a client sent, complete: the body is there and within its limit.
public struct HTTPRequest: Sendable {
    /// The method in upper case, "GET", "POST".
    public let method: String
    /// The request target as sent: path and query.
    public let target: String
    /// The body, empty if there is none.
    public let body: [UInt8]
    /// The connection it came by: peer certificate, session, address.
    public let connection: HTTPConnection
    let fields: HTTPHeaders

    /// First value of the header field `name`, compared without regard to case.
    public func header(_ name: String) -> String? { fields.first(name: name) }

    /// Every header field in the order sent.
    public var headers: [(name: String, value: String)] { fields.map { ($0.name, $0.value) } }

    /// The target up to the question mark, not percent-decoded.
    public var path: Substring { target.prefix { $0 != "?" } }

    /// The target behind the first question mark, not percent-decoded; nil if there is none.
    public var query: Substring? {
        guard let mark = target.firstIndex(of: "?") else { return nil }
        return target[target.index(after: mark)...]
    }
}

/// What goes back to the client.
public struct HTTPResponse: Sendable {
    /// The status code, 200 to 599.
    public var status: Int
    /// Value of `content-type`; nil leaves the field out.
    public var contentType: String?
    /// Further header fields. `content-length` and `connection` are the server's business. A name or value with a
    /// control character in it is left out, so that no answer can be split.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]
    /// Whether the connection ends with this answer.
    public var closesConnection: Bool

    /// An answer; JSON unless said otherwise.
    public init(
        status: Int = 200, contentType: String? = "application/json", headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], closesConnection: Bool = false
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
        self.closesConnection = closesConnection
    }

    /// An error as the house tells it: `{"error":{"code":…,"message":…}}`, CCF's shape.
    public static func error(
        _ status: Int, code: String, message: String, headers: [(name: String, value: String)] = [],
        closesConnection: Bool = false
    ) -> HTTPResponse {
        let text = #"{"error":{"code":\#(quoted(code)),"message":\#(quoted(message))}}"#
        return HTTPResponse(
            status: status, headers: headers, body: Array(text.utf8), closesConnection: closesConnection)
    }

    /// The answer to a load that can't be taken now: 503, code `Busy`, with the seconds after which to try again.
    public static func busy(_ message: String, retryAfterSeconds: Int = 1) -> HTTPResponse {
        .error(503, code: "Busy", message: message, headers: [("retry-after", String(retryAfterSeconds))])
    }

    /// `text` as a JSON string (RFC 8259 section 7).
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Answers requests of an ``HTTPServer``.
public protocol HTTPHandler: Sendable {
    /// Called on the connection's event loop with each complete request; must not block. The answer goes to `respond`,
    /// once, from any thread, now or later; answers to pipelined requests are put in order by the server.
    func handle(_ request: HTTPRequest, respond: HTTPResponder)
}
