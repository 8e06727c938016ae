internal import Identity
internal import Ledger
public import NIOCore
public import Primitives
public import Transport

/// Talks with nodes as the bench's actor, over TLS: JSON-RPC and the node's own resources.
public final class NodeSession: Sendable {
    let client: HTTPClient

    /// A session; connections are made when needed.
    /// - Parameters:
    ///   - connections: connections to each node at most.
    ///   - pipelineDepth: requests under way on one connection at most.
    ///   - timeout: time for one exchange.
    /// - Throws: ``BenchError`` if certificates or key can't be used.
    public init(
        _ network: BenchNetwork, group: any EventLoopGroup, connections: Int = 1, pipelineDepth: Int = 1,
        timeout: TimeAmount = .seconds(120)
    ) throws(BenchError) {
        do {
            let identity = try TLSIdentity(
                certificateChainPEM: network.certificatePEM, privateKeyPEM: network.keyPEM)
            let authority = try X509Certificate(pem: String(decoding: network.networkCertificatePEM, as: UTF8.self))
            var settings = HTTPClientSettings(
                tls: TLSClientSettings(identity: identity, trust: .authorities([authority.der])))
            settings.connectionsMax = connections
            settings.pipelineDepth = pipelineDepth
            settings.queuedRequestsMax = 1 << 20
            settings.requestTimeout = timeout
            client = try HTTPClient(settings: settings, group: group)
        } catch {
            throw .setup("certificates and key can't be used: \(error)")
        }
    }

    /// Closes the connections.
    public func close() { client.close() }

    /// The body of a resource of a node.
    /// - Throws: ``BenchError``.
    public func get(_ path: String, of node: HTTPEndpoint) async throws(BenchError) -> [UInt8] {
        let response = try await send(HTTPClientRequest(method: "GET", target: path), to: node)
        return response.body
    }

    /// What a node says of itself at `/node/state` and the like.
    /// - Throws: ``BenchError``.
    public func getJSON(_ path: String, of node: HTTPEndpoint) async throws(BenchError) -> JSON {
        try parse(try await get(path, of: node), from: node)
    }

    /// An answer to a call with the transaction that it reflects.
    public struct Answer: Sendable {
        /// The result.
        public let result: JSON
        /// Seqno of the entry that the answer reflects at least; 0 if the node named none.
        public let seqno: UInt64
        /// The transaction as the node wrote it, for ``call(_:_:of:atLeast:)``.
        public let transaction: String?
    }

    /// Calls a JSON-RPC method.
    /// - Parameter atLeast: the answer shall reflect this transaction.
    /// - Throws: ``BenchError``: `.refused` with the error's text if the node answers with one, `.busy` if it is that.
    public func call(
        _ method: String, _ parameters: [JSON], of node: HTTPEndpoint, atLeast: String? = nil
    ) async throws(BenchError) -> Answer {
        try await call(body: RPCText.call(method, parameters: parameters), of: node, atLeast: atLeast)
    }

    /// Calls with a body that is made already; it must have one call.
    /// - Throws: ``BenchError`` as ``call(_:_:of:atLeast:)``.
    public func call(body: [UInt8], of node: HTTPEndpoint, atLeast: String? = nil) async throws(BenchError) -> Answer {
        var request = HTTPClientRequest(headers: RPCText.headers, body: body)
        if let atLeast { request.headers.append(("x-entente-at-least", atLeast)) }
        let response = try await send(request, to: node)
        let json = try parse(response.body, from: node)
        let transaction = response.header(Self.transactionHeader)
        return Answer(
            result: try result(of: json, from: node), seqno: Self.seqno(transaction), transaction: transaction)
    }

    /// Calls one method with many parameters in JSON-RPC batches and gives the results in order.
    /// - Throws: ``BenchError``; if any call of a batch fails, with its error.
    public func calls(
        _ method: String, _ parameters: [[JSON]], of node: HTTPEndpoint, batch: Int = 200
    ) async throws(BenchError) -> [JSON] {
        var results: [JSON] = []
        results.reserveCapacity(parameters.count)
        var start = 0
        while start < parameters.count {
            let end = min(parameters.count, start + batch)
            let elements = parameters[start..<end].enumerated().map { index, parameters in
                RPCText.call(method, parameters: parameters, id: index)
            }
            for answer in try await batchAnswers(RPCText.batch(elements), count: end - start, of: node) {
                results.append(try result(of: answer, from: node))
            }
            start = end
        }
        return results
    }

    /// The answers to a batch's calls, whose ids are 0, 1, and so on, in that order.
    func batchAnswers(_ body: [UInt8], count: Int, of node: HTTPEndpoint) async throws(BenchError) -> [JSON] {
        let response = try await send(HTTPClientRequest(headers: RPCText.headers, body: body), to: node)
        let json = try parse(response.body, from: node)
        guard let answers = json.array else {
            _ = try result(of: json, from: node)
            throw .unexpectedAnswer("\(node) answers a batch with no array")
        }
        return try RPCText.sorted(answers, count: count)
    }

    // MARK: Reading answers

    static let transactionHeader = "x-ms-ccf-transaction-id"

    static func seqno(_ text: String?) -> UInt64 { text.flatMap { TransactionID($0) }?.seqno ?? 0 }

    private func send(_ request: HTTPClientRequest, to node: HTTPEndpoint) async throws(BenchError)
        -> HTTPClientResponse
    {
        let response: HTTPClientResponse
        do { response = try await client.send(request, to: node) } catch {
            throw .unreachable("\(node)\(request.target): \(error)")
        }
        guard response.status == 200 else {
            let text = String(decoding: response.body.prefix(300), as: UTF8.self)
            if response.status == 503 { throw .busy("\(node)\(request.target) is busy: \(text)") }
            throw .refused("\(node)\(request.target) answers \(response.status): \(text)")
        }
        return response
    }

    private func parse(_ body: [UInt8], from node: HTTPEndpoint) throws(BenchError) -> JSON {
        do {
            return try JSON(parsing: body, limits: .init(bytesMax: 256 << 20, depthMax: 32, valuesMax: 16 << 20))
        } catch { throw .unexpectedAnswer("\(node) answers what is not JSON: \(error)") }
    }

    private func result(of json: JSON, from node: HTTPEndpoint) throws(BenchError) -> JSON {
        if let result = json["result"] { return result }
        guard let error = json["error"], let message = error["message"]?.string else {
            throw .unexpectedAnswer("\(node) answers what is not JSON-RPC")
        }
        if error["code"]?.integer == RPCText.busyCode { throw .busy("\(node) is busy: \(message)") }
        throw .refused("\(node): \(message)")
    }
}

/// The texts of JSON-RPC 2.0.
enum RPCText {
    static let headers: [(name: String, value: String)] = [("content-type", "application/json")]

    /// The error of a node that can't take a transaction now.
    static let busyCode: Int64 = -32005

    /// A call.
    static func call(_ method: String, parameters: [JSON], id: Int = 0) -> [UInt8] {
        let call: JSON = [
            "jsonrpc": "2.0", "id": .integer(Int64(id)), "method": .string(method), "params": .array(parameters),
        ]
        return call.serialized()
    }

    /// The call that submits a signed transaction.
    /// - Parameter hex: the bytes in hex digits, with `0x`.
    static func submit(hex: [UInt8], id: Int) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(hex.count + 96)
        JSON.write(ascii: "{\"jsonrpc\":\"2.0\",\"id\":", to: &text)
        JSON.write(integer: Int64(id), to: &text)
        JSON.write(ascii: ",\"method\":\"eth_sendRawTransaction\",\"params\":[\"", to: &text)
        text += hex
        JSON.write(ascii: "\"]}", to: &text)
        return text
    }

    /// A batch of calls.
    static func batch(_ calls: [[UInt8]]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "[")]
        text.reserveCapacity(calls.reduce(2) { $0 + $1.count + 1 })
        for (index, call) in calls.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += call
        }
        text.append(UInt8(ascii: "]"))
        return text
    }

    /// A batch's answers by their ids, which must be 0 up to the count.
    static func sorted(_ answers: [JSON], count: Int) throws(BenchError) -> [JSON] {
        var sorted = [JSON?](repeating: nil, count: count)
        for answer in answers {
            guard let id = answer["id"]?.integer, let place = Int(exactly: id), sorted.indices.contains(place) else {
                throw .unexpectedAnswer("an answer of a batch has an unknown id")
            }
            sorted[place] = answer
        }
        let complete = sorted.compactMap { $0 }
        guard complete.count == count else {
            throw .unexpectedAnswer("a batch of \(count) calls has \(complete.count) answers")
        }
        return complete
    }
}
