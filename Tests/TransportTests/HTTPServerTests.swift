import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

@Suite struct HTTPServerTests {
    /// A plain server for one test.
    func serving(
        _ handler: ClosureHandler = .echo, limits: HTTPLimits = HTTPLimits(),
        _ body: @Sendable (HTTPServer, Int) async throws -> Void
    ) async throws {
        try await withLoops { group in
            let (descriptor, port) = try listen()
            let server = try await HTTPServer.start(
                name: "test", descriptor: descriptor, tls: nil, limits: limits, handler: handler, group: group,
                logger: LogLines().logger)
            do {
                try await body(server, port)
            } catch {
                await server.stop(grace: .zero)
                throw error
            }
            await server.stop(grace: .milliseconds(100))
            let left = server.statistics
            #expect(left.requestsPending == 0)
            #expect(left.bodyBytesPending == 0)
        }
    }

    /// Sends `text` on a fresh connection; what came back until the server closed.
    func exchange(_ port: Int, _ text: String) throws -> String {
        let connection = try RawConnection(port: port)
        connection.say(text)
        return connection.rest()
    }

    @Test func bodiesComeInBothForms() async throws {
        try await serving { _, port in
            let connection = try RawConnection(port: port)
            connection.say("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            connection.say("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
            connection.say("HEAD / HTTP/1.1\r\n\r\n")
            let answers = connection.answers(3)
            try #require(answers.count == 3)
            #expect(answers[0] == "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\nhello")
            #expect(answers[1].hasSuffix("\r\n\r\nabcdefg"))
            #expect(answers[2].hasSuffix("content-length: 0\r\n\r\n"))
        }
    }

    @Test func requestIsSeenWhole() async throws {
        let handler = ClosureHandler { request, respond in
            let text = "\(request.method)|\(request.path)|\(request.query ?? "-")|\(request.header("X-One") ?? "-")"
            respond(
                HTTPResponse(
                    contentType: "text/plain", headers: [("x-a", "b"), ("x-bad", "a\r\nb: c")], body: Array(text.utf8)))
        }
        try await serving(handler) { _, port in
            let answer = try exchange(port, "PUT /p/q?r=s?t HTTP/1.1\r\nx-one: 1\r\nConnection: close\r\n\r\n")
            #expect(answer.contains("content-type: text/plain\r\nx-a: b\r\n"))
            #expect(!answer.contains("x-bad"))
            #expect(answer.contains("connection: close\r\n"))
            #expect(answer.hasSuffix("PUT|/p/q|r=s?t|1"))
        }
    }

    private static func answer(_ requests: [(HTTPRequest, HTTPResponder)]) {
        let work: @Sendable () -> Void = {
            for (request, respond) in requests {
                respond(HTTPResponse(body: Array(request.target.utf8)))
                respond(HTTPResponse(status: 500))  // a second answer does not count
            }
        }
        MultiThreadedEventLoopGroup.singleton.any().execute(work)
    }

    @Test func answersKeepTheOrderOfRequests() async throws {
        // The handler answers in reverse order, from another thread, once it has all ten.
        let held = Mutex<[(HTTPRequest, HTTPResponder)]>([])
        let handler = ClosureHandler { request, respond in
            let all = held.withLock { held in
                held.append((request, respond))
                return held.count == 10 ? held : []
            }
            Self.answer(all.reversed())
        }
        try await serving(handler) { _, port in
            let connection = try RawConnection(port: port)
            connection.say((0..<10).map { "GET /\($0) HTTP/1.1\r\n\r\n" }.joined())
            let answers = connection.answers(10)
            #expect(answers.map { String($0.suffix(2)) } == (0..<10).map { "/\($0)" })
        }
        held.withLock { $0 = [] }
    }

    @Test func manyPipelinedRequestsAreBoundedPerConnection() async throws {
        let running = Mutex((now: 0, most: 0))
        let handler = ClosureHandler { request, respond in
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
            MultiThreadedEventLoopGroup.singleton.any().execute {
                running.withLock { $0.now -= 1 }
                respond(HTTPResponse(body: request.body))
            }
        }
        var limits = HTTPLimits()
        limits.requestsPerConnectionMax = 4
        try await serving(handler, limits: limits) { _, port in
            let connection = try RawConnection(port: port)
            let one = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok"
            connection.say(String(repeating: one, count: 2000))
            #expect(connection.answers(2000).count == 2000)
            #expect(running.withLock { $0.most } <= 4)
        }
    }

    @Test func olderVersionAndClosing() async throws {
        try await serving { _, port in
            let connection = try RawConnection(port: port)
            connection.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(connection.answers(1).first?.contains("connection: keep-alive") == true)
            connection.say("GET / HTTP/1.0\r\n\r\n")
            #expect(connection.rest().contains("connection: close"))
            #expect(
                try exchange(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\n\r\n")
                    .split(separator: "HTTP/1.1 200").count == 1)
            // Not upgraded, answered, closed.
            let upgrade = "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            #expect(try exchange(port, upgrade).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func expectationIsMet() async throws {
        try await serving { _, port in
            let connection = try RawConnection(port: port)
            connection.say("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(connection.answers(1).first == "HTTP/1.1 100 Continue\r\n\r\n")
            connection.say("ok")
            #expect(connection.answers(1).first?.hasSuffix("ok") == true)
            #expect(try exchange(port, "GET / HTTP/1.1\r\nExpect: wonders\r\n\r\n").hasPrefix("HTTP/1.1 417"))
        }
    }

    static let malformed: [(name: String, text: String, status: Int)] = [
        ("noise", "\u{0}\u{1}\u{2}\r\n\r\n", 400),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}", 400),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("no version", "GET /\r\n\r\n", 400),
        ("HTTP/3.7", "GET / HTTP/3.7\r\n\r\n", 400),
        ("unknown method", "BREW / HTTP/1.1\r\n\r\n", 400),
        ("header without colon", "GET / HTTP/1.1\r\nnonsense\r\n\r\n", 400),
        ("space before colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        ("two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("negative length", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("length overflow", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        (
            "length and chunks", "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400
        ),
        ("bad chunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("header too large", "GET / HTTP/1.1\r\nx: \(String(repeating: "y", count: 20_000))\r\n\r\n", 431),
        (
            "too many headers",
            "GET / HTTP/1.1\r\n\((0..<100).map { "x\($0): y\r\n" }.joined())\r\n", 431
        ),
        ("target too long", "GET /\(String(repeating: "z", count: 10_000)) HTTP/1.1\r\n\r\n", 414),
        (
            "body too large", "POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n\(String(repeating: "b", count: 2000))",
            413
        ),
        (
            "chunks too large",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n\(String(repeating: "b", count: 2000))\r\n0\r\n\r\n",
            413
        ),
    ]

    @Test(arguments: malformed) func malformedRequestsGetAnError(_ each: (name: String, text: String, status: Int))
        async throws
    {
        var limits = HTTPLimits()
        limits.bodyBytesMax = 1000
        try await serving(limits: limits) { server, port in
            // A good request before it is answered first.
            let answer = try exchange(port, "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok" + each.text)
            let parts = answer.components(separatedBy: "HTTP/1.1 ")
            #expect(parts.count == 3, "\(each.name): \(answer)")
            #expect(parts.count > 1 && parts[1].hasPrefix("200") && parts[1].hasSuffix("ok"))
            #expect(parts.count > 2 && parts[2].hasPrefix("\(each.status) "), "\(each.name): \(answer)")
            #expect(answer.contains(#"{"error":{"code":""#))
            #expect(server.statistics.requestsRefused == 1)
            #expect(try exchange(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func noiseNeverKillsTheServer() async throws {
        let good = Array("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody".utf8)
        var limits = HTTPLimits()
        limits.headerTimeout = .milliseconds(60)
        limits.bodyTimeout = .milliseconds(60)
        limits.idleTimeout = .milliseconds(60)
        try await serving(limits: limits) { _, port in
            var random = TestRandom(state: 11)
            for _ in 0..<150 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let connection = try RawConnection(port: port)
                connection.say(bytes)
                shutdown(connection.descriptor, CInt(SHUT_WR))
                _ = connection.rest()
            }
            #expect(try exchange(port, String(decoding: good, as: UTF8.self)).hasSuffix("body"))
        }
    }

    @Test func slowClientsAreCutOff() async throws {
        var limits = HTTPLimits()
        limits.headerTimeout = .milliseconds(150)
        limits.bodyTimeout = .milliseconds(150)
        limits.idleTimeout = .milliseconds(150)
        try await serving(limits: limits) { _, port in
            let idle = try RawConnection(port: port)
            let header = try RawConnection(port: port)
            let body = try RawConnection(port: port)
            // A byte now and then does not help.
            let bytes = Array("GET / HTTP/1.1\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy".utf8)
            body.say("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
            for byte in bytes {
                guard header.say([byte]), body.say([byte]) else { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(idle.rest() == "")
            #expect(header.rest().hasPrefix("HTTP/1.1 408 "))
            #expect(body.rest().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func unreadAnswersEndTheConnection() async throws {
        let handler = ClosureHandler { _, respond in respond(HTTPResponse(body: [UInt8](repeating: 1, count: 1 << 20)))
        }
        var limits = HTTPLimits()
        limits.writeTimeout = .milliseconds(150)
        try await serving(handler, limits: limits) { server, port in
            let connection = try RawConnection(port: port)
            connection.say(String(repeating: "GET / HTTP/1.1\r\n\r\n", count: 2000))
            let closed = await eventually {
                // The peer's reset shows as an error of a send.
                !connection.say("GET / HTTP/1.1\r\n\r\n")
            }
            #expect(closed)
            // The handler was asked for no more than the socket's buffers take, though all 2,000 came in one read.
            #expect(server.statistics.requests < 60)
        }
    }

    @Test func connectionsAreBounded() async throws {
        var limits = HTTPLimits()
        limits.connectionsMax = 2
        try await serving(limits: limits) { server, port in
            let first = try RawConnection(port: port)
            let second = try RawConnection(port: port)
            for connection in [first, second] {
                connection.say("GET / HTTP/1.1\r\n\r\n")
                #expect(connection.answers(1).count == 1)
            }
            #expect(try RawConnection(port: port).rest() == "")
            #expect(server.statistics.connectionsRefused == 1)
            shutdown(first.descriptor, CInt(SHUT_RDWR))
            let again = await eventually {
                (try? exchange(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"))?.hasPrefix("HTTP/1.1 200") == true
            }
            #expect(again)
        }
    }

    @Test func loadBeyondTheBoundIsBusy() async throws {
        let held = Mutex<[HTTPResponder]>([])
        let handler = ClosureHandler { _, respond in held.withLock { $0.append(respond) } }
        var limits = HTTPLimits()
        limits.requestsMax = 5
        try await serving(handler, limits: limits) { server, port in
            let full = try RawConnection(port: port)
            full.say(String(repeating: "GET / HTTP/1.1\r\n\r\n", count: 5))
            #expect(await eventually { held.withLock { $0.count } == 5 })
            let refused = try RawConnection(port: port)
            refused.say("GET / HTTP/1.1\r\n\r\n")
            let answer = try #require(refused.answers(1).first)
            #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"))
            #expect(answer.contains(#""code":"Busy""#))
            #expect(server.statistics.requestsBusy == 1)
            for respond in held.withLock({ $0 }) { respond(HTTPResponse()) }
            held.withLock { $0 = [] }
            #expect(full.answers(5).count == 5)
            refused.say("GET / HTTP/1.1\r\n\r\n")
            #expect(await eventually { held.withLock { $0.count } == 1 })
            for respond in held.withLock({ $0 }) { respond(HTTPResponse()) }
            held.withLock { $0 = [] }
            #expect(refused.answers(1).first?.hasPrefix("HTTP/1.1 200") == true)
        }
    }

    @Test func bodiesOfAllConnectionsAreBounded() async throws {
        var limits = HTTPLimits()
        limits.bodyBytesTotalMax = 1500
        limits.bodyBytesMax = 1000
        try await serving(limits: limits) { server, port in
            let first = try RawConnection(port: port)
            first.say("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n\(String(repeating: "a", count: 900))")
            #expect(await eventually { server.statistics.bodyBytesPending == 900 })
            let second = try RawConnection(port: port)
            second.say("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n\(String(repeating: "a", count: 900))")
            #expect(second.rest().hasPrefix("HTTP/1.1 503 "))
            first.say(String(repeating: "a", count: 100))
            #expect(first.answers(1).count == 1)
        }
    }

    @Test func droppedRequestIsAnError() async throws {
        try await serving(ClosureHandler { _, _ in }) { _, port in
            let connection = try RawConnection(port: port)
            connection.say("GET / HTTP/1.1\r\n\r\n")
            #expect(connection.answers(1).first?.contains("InternalError") == true)
        }
    }

    @Test func stoppingLetsAnswersOut() async throws {
        let held = Mutex<HTTPResponder?>(nil)
        let handler = ClosureHandler { _, respond in held.withLock { $0 = respond } }
        try await withLoops { group in
            let (descriptor, port) = try listen()
            let server = try await HTTPServer.start(
                name: "test", descriptor: descriptor, tls: nil, handler: handler, group: group,
                logger: LogLines().logger)
            let idle = try RawConnection(port: port)
            let busy = try RawConnection(port: port)
            busy.say("GET / HTTP/1.1\r\n\r\n")
            #expect(await eventually { held.withLock { $0 != nil } })
            async let stopped: Void = server.stop(grace: .seconds(10))
            #expect(idle.rest() == "")
            held.withLock { $0 }?(HTTPResponse(body: Array("late".utf8)))
            #expect(busy.rest().hasSuffix("late"))
            await stopped
            held.withLock { $0 = nil }
        }
    }

    @Test func errorTextIsQuoted() {
        let response = HTTPResponse.error(400, code: "A", message: "a\"b\\c\n\u{1}ü")
        #expect(
            String(decoding: response.body, as: UTF8.self) == #"{"error":{"code":"A","message":"a\"b\\c\n\u0001ü"}}"#)
    }
}

extension String {
    func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let found = rest.range(of: separator) {
            parts.append(String(rest[..<found.lowerBound]))
            rest = rest[found.upperBound...]
        }
        return parts + [String(rest)]
    }
}
