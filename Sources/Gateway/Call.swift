internal import Host
internal import Primitives
internal import Transport

/// A request that may be passed on: a JSON-RPC body, or one of the node's own resources that anyone may read.
struct Call: Sendable {
    /// Why a body is not passed on, as a JSON-RPC answer.
    struct Refusal: Error {
        let answer: [UInt8]
    }

    /// Paths of resources that are passed on: a transaction's receipt and status, the last commit.
    static let resources: Set = ["/app/receipt", "/app/tx", "/app/commit"]

    let method: String
    let body: [UInt8]
    let path: String
    let requestID: String
    /// Ids of the calls that want an answer.
    private let ids: [JSON]
    private let isBatch: Bool

    /// Whether it reads a resource.
    var isResource: Bool { method == "GET" }

    /// A read of one of ``resources``, query included.
    init(resource target: String) {
        method = "GET"
        body = []
        path = target
        requestID = Hex.encode(HostRandom.bytes(16))
        ids = []
        isBatch = false
    }

    /// A JSON-RPC body whose methods all begin with one of `allowed`.
    init(body: [UInt8], path: String, allowed: [String]) throws(Refusal) {
        method = "POST"
        self.body = body
        self.path = path
        requestID = Hex.encode(HostRandom.bytes(16))
        guard let json = try? JSON(parsing: body) else {
            throw Refusal(answer: Self.error(id: .null, -32700, "parse error"))
        }
        let calls = json.array ?? [json]
        isBatch = json.array != nil
        ids = calls.compactMap { $0["id"] }
        for call in calls {
            guard let method = call["method"]?.string, !allowed.contains(where: { method.hasPrefix($0) }) else {
                continue
            }
            throw Refusal(
                answer: Self.error(
                    id: call["id"] ?? .null, -32601, "the method \(method) is not served by this gateway"))
        }
    }

    /// The answer when the network gave none: the same error for each call.
    func failure(_ code: Int64, _ message: String) -> HTTPResponse {
        if isResource { return .error(503, code: "NoAnswer", message: message, headers: [("retry-after", "1")]) }
        guard isBatch else { return HTTPResponse(body: Self.error(id: ids.first ?? .null, code, message)) }
        return HTTPResponse(body: JSON.array(ids.map { Self.object($0, code, message) }).serialized())
    }

    private static func error(id: JSON, _ code: Int64, _ message: String) -> [UInt8] {
        object(id, code, message).serialized()
    }

    private static func object(_ id: JSON, _ code: Int64, _ message: String) -> JSON {
        ["jsonrpc": "2.0", "id": id, "error": ["code": .integer(code), "message": .string(message)]]
    }
}
