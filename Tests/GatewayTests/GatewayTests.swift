import Gateway
import Primitives
import Testing
import Transport

@Suite struct GatewayTests {
    private static let call = #"{"jsonrpc":"2.0","id":7,"method":"eth_blockNumber","params":[]}"#
    private static let good = #"{"jsonrpc":"2.0","id":7,"result":"0x1"}"#

    @Sendable private static func answers(_ request: HTTPRequest) -> StubNode.Reply {
        .answer(HTTPResponse(body: Array(good.utf8)))
    }

    private static func text(_ response: HTTPClientResponse) -> String {
        String(decoding: response.body, as: UTF8.self)
    }

    private static func error(_ response: HTTPClientResponse) throws -> JSON? {
        try JSON(parsing: response.body)["error"]
    }

    @Test func hostsAndOriginsAreChecked() async throws {
        try await withGateway(nodes: [Self.answers], { $0.allowedOrigins = ["https://wallet.example"] }) {
            gateway, nodes in
            for host in ["evil.example", "127.0.0.1.evil.example", "[::1].evil", "", "localhost."] {
                #expect(try gateway.status(Self.call, host: host) == 403, "\(host)")
            }
            for host in ["localhost:1", "LOCALHOST", "[::1]:8545", "127.0.0.1"] {
                #expect(try gateway.status(Self.call, host: host) == 200, "\(host)")
            }
            for origin in ["https://evil.example", "null", "https://wallet.example.evil", "http://wallet.example"] {
                let response = try await gateway.send(
                    Self.call, headers: [("origin", origin)])
                #expect(response.status == 403, "\(origin)")
                #expect(response.header("access-control-allow-origin") == nil)
            }
            let headers = [(name: "origin", value: "https://wallet.example")]
            let response = try await gateway.send(Self.call, headers: headers)
            #expect(response.status == 200)
            #expect(response.header("access-control-allow-origin") == "https://wallet.example")
            let preflight = try await gateway.send("", method: "OPTIONS", headers: headers)
            #expect(preflight.status == 204 && preflight.header("access-control-allow-methods") == "POST")
            #expect(nodes[0]?.requests.count == 5)
        }
    }

    @Test func unknownMethodsAreNotPassedOn() async throws {
        try await withGateway(nodes: [Self.answers]) { gateway, nodes in
            for method in ["personal_sign", "admin_peers", "ETH_call"] {
                let response = try await gateway.send(#"{"jsonrpc":"2.0","id":9,"method":"\#(method)"}"#)
                #expect(try Self.error(response)?["code"] == -32601)
            }
            let hidden = try await gateway.send(#"[\#(Self.call),{"id":2,"method":"miner_start"}]"#)
            #expect(try Self.error(hidden)?["code"] == -32601)
            #expect(try await Self.error(gateway.send("{"))?["code"] == -32700)
            #expect(try await gateway.send("", method: "GET").status == 405)
            #expect(try await gateway.send("", method: "GET", target: "/node/state").status == 405)
            #expect(nodes[0]?.requests.isEmpty == true)
        }
    }

    @Test func aLostNodesRequestIsSentAgainUnderTheSameID() async throws {
        try await withGateway(nodes: [{ _ in .hangUp }, Self.answers]) { gateway, nodes in
            let response = try await gateway.send(Self.call)
            #expect(Self.text(response) == Self.good)
            let (first, second) = (try #require(nodes[0]).requests, try #require(nodes[1]).requests)
            #expect(first.count == 1 && second.count == 1)
            let id = try #require(first.first?.header("x-entente-request-id"))
            #expect(id.count == 32 && second.first?.header("x-entente-request-id") == id)
            #expect(first.first?.body == second.first?.body)
            // It stays with the node that answered; another request has another id.
            _ = try await gateway.send(Self.call)
            #expect(nodes[0]?.requests.count == 1)
            #expect(nodes[1]?.requests.last?.header("x-entente-request-id") != id)
        }
    }

    @Test func aNodeThatIsNotThereIsPassedOver() async throws {
        try await withGateway(nodes: [nil, nil, Self.answers]) { gateway, nodes in
            let response = try await gateway.send(Self.call)
            #expect(Self.text(response) == Self.good)
            #expect(nodes[2]?.requests.count == 1)
        }
    }

    @Test func whatMayHaveHappenedIsCalledUnknown() async throws {
        let short: (inout GatewaySettings) -> Void = { $0.requestTimeoutMilliseconds = 300 }
        // Taken, then lost.
        try await withGateway(nodes: [{ _ in .hangUp }, nil], short) { gateway, _ in
            let error = try await Self.error(gateway.send(Self.call))
            #expect(error?["code"] == -32010)
            #expect(error?["message"]?.string?.hasPrefix("the outcome is unknown") == true)
        }
        // The node itself says so.
        try await withGateway(
            nodes: [{ _ in .answer(.error(504, code: "TransactionReplicationFailed", message: "unknown")) }], short
        ) { gateway, _ in
            let error = try await Self.error(gateway.send(Self.call))
            #expect(error?["code"] == -32010)
        }
        // Nobody took it, or who took it refused: it did not happen.
        try await withGateway(nodes: [nil, { _ in .answer(.busy("full")) }], short) { gateway, nodes in
            let error = try await Self.error(gateway.send(Self.call))
            #expect(error?["code"] == -32011)
            #expect(try #require(nodes[1]).requests.count > 1)
        }
    }

    @Test func eachCallOfABatchGetsTheError() async throws {
        try await withGateway(nodes: [nil], { $0.requestTimeoutMilliseconds = 200 }) { gateway, _ in
            let response = try await gateway.send(
                #"[{"id":1,"method":"eth_a"},{"method":"eth_note"},{"id":"x","method":"eth_b"}]"#)
            let answers = try #require(try JSON(parsing: response.body).array)
            #expect(answers.map { $0["id"] } == [.integer(1), .string("x")])
            #expect(answers.allSatisfy { $0["error"]?["code"] == -32011 })
        }
    }

    @Test func aRefusalOfTheNodeIsAnError() async throws {
        try await withGateway(nodes: [{ _ in .answer(.error(413, code: "TooLarge", message: "no")) }]) {
            gateway, nodes in
            let error = try await Self.error(gateway.send(Self.call))
            #expect(error?["code"] == -32603 && error?["message"]?.string?.contains("413") == true)
            #expect(nodes[0]?.requests.count == 1)
        }
    }

    @Test func clientsReadTheirOwnWrites() async throws {
        let ids = ["2.7", "2.5", "3.8", nil, "garbage", "3.9"]
        let reply: @Sendable (HTTPRequest) -> StubNode.Reply = { request in
            let index = Int(String(decoding: request.body, as: UTF8.self).filter(\.isNumber).suffix(1)) ?? 0
            let headers = ids[index].map { [(name: "x-ms-ccf-transaction-id", value: $0)] } ?? []
            return .answer(HTTPResponse(headers: headers, body: Array(Self.good.utf8)))
        }
        try await withGateway(nodes: [reply]) { gateway, nodes in
            for index in ids.indices {
                let response = try await gateway.send(#"{"method":"eth_a","params":[\#(index)]}"#)
                // Callers see which transaction an answer reflects, but nothing that is no transaction.
                #expect(response.header("x-ms-ccf-transaction-id") == (index == 4 ? nil : ids[index]))
            }
            let asked = try #require(nodes[0]).requests.map { $0.header("x-entente-at-least") }
            // Never less than the newest seen.
            #expect(asked == [nil, "2.7", "2.7", "3.8", "3.8", "3.8"])
        }
    }

    @Test func receiptsAreReadThrough() async throws {
        let reply: @Sendable (HTTPRequest) -> StubNode.Reply = { request in
            request.target == "/app/receipt?transaction_id=2.7.1"
                ? .answer(HTTPResponse(contentType: "application/cose", body: [1, 2, 3]))
                : .answer(.error(404, code: "TransactionPendingOrUnknown", message: "not yet"))
        }
        try await withGateway(nodes: [reply]) { gateway, _ in
            let receipt = try await gateway.send("", method: "GET", target: "/app/receipt?transaction_id=2.7.1")
            #expect(receipt.status == 200 && receipt.body == [1, 2, 3])
            #expect(receipt.header("content-type") == "application/cose")
            let missing = try await gateway.send("", method: "GET", target: "/app/tx?transaction_id=9.9")
            #expect(missing.status == 404 && Self.text(missing).contains("not yet"))
        }
        try await withGateway(nodes: [nil], { $0.requestTimeoutMilliseconds = 200 }) { gateway, _ in
            let response = try await gateway.send("", method: "GET", target: "/app/commit")
            #expect(response.status == 503 && response.header("retry-after") == "1")
        }
    }
}
