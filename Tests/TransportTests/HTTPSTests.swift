import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing
import Transport

@Suite struct HTTPSTests {
    /// Accepts what `authority` issued, as long as it has not ended; the session is the common name.
    static func verifier(_ refusedNames: Set<String> = []) -> PeerVerifier {
        PeerVerifier { chain in
            let name = TestAuthority.commonName(chain.first)
            if TestAuthority.hasEnded(chain.first) { return .refused(reason: "the certificate has expired") }
            if refusedNames.contains(name) { return .refused(reason: "unknown actor") }
            return .accepted(session: name)
        }
    }

    static let whoAmI = ClosureHandler { request, respond in
        let name = request.connection.session as? String ?? "nobody"
        let depth = request.connection.peerCertificateChain.count
        respond(HTTPResponse(body: Array("\(name) \(depth)".utf8)))
    }

    struct Fixture {
        let authority: TestAuthority
        let server: HTTPServer
        let group: MultiThreadedEventLoopGroup
        let log: LogLines
        let endpoint: HTTPEndpoint

        func client(
            _ identity: TLSIdentity?, trust: ServerTrust? = nil, _ change: (inout HTTPClientSettings) -> Void = { _ in }
        ) throws -> HTTPClient {
            var settings = HTTPClientSettings(
                tls: TLSClientSettings(identity: identity, trust: try trust ?? .authorities([authority.der])))
            change(&settings)
            return try HTTPClient(settings: settings, group: group)
        }
    }

    func serving(
        _ handler: ClosureHandler = whoAmI, limits: HTTPLimits = HTTPLimits(), refused: Set<String> = [],
        dnsName: String? = nil, _ body: (Fixture) async throws -> Void
    ) async throws {
        let authority = try TestAuthority()
        try await withLoops { group in
            let (descriptor, port) = try listen()
            let log = LogLines()
            let tls = TLSServerSettings(
                identity: try authority.issue("node", dnsName: dnsName), verifier: Self.verifier(refused))
            let server = try await HTTPServer.start(
                name: "application", descriptor: descriptor, tls: tls, limits: limits, handler: handler, group: group,
                logger: log.logger)
            do {
                try await body(
                    Fixture(
                        authority: authority, server: server, group: group, log: log,
                        endpoint: HTTPEndpoint(host: "127.0.0.1", port: port)))
            } catch {
                await server.stop(grace: .zero)
                throw error
            }
            await server.stop(grace: .milliseconds(100))
        }
    }

    @Test func aNamedServerMustBeTheOneNamed() async throws {
        try await serving(dnsName: "rates.example") { fixture in
            let identity = try fixture.authority.issue("bank-a")
            let stranger = try TestAuthority("another")
            for (name, authority, isGood) in [
                ("rates.example", fixture.authority, true), ("other.example", fixture.authority, false),
                ("rates.example", stranger, false),
            ] {
                let client = try fixture.client(identity, trust: .named(name, authorities: [authority.der]))
                do {
                    let answer = try await client.send(Self.get, to: fixture.endpoint)
                    #expect(isGood && answer.status == 200, "\(name)")
                } catch {
                    #expect(!isGood && (error as? TransportError)?.mayHaveBeenProcessed == false, "\(name): \(error)")
                }
                client.close()
            }
        }
    }

    @Test func aDialledSocketCarriesTheRequests() async throws {
        try await serving(dnsName: "rates.example") { fixture in
            let identity = try fixture.authority.issue("bank-a")
            let port = fixture.endpoint.port
            let client = try fixture.client(
                identity, trust: .named("rates.example", authorities: [fixture.authority.der])
            ) { settings in
                settings.dial = { endpoint, opened in
                    #expect(endpoint == HTTPEndpoint(host: "rates.example", port: 443))
                    opened(Result { try FrameChannelTests.connected(port: port) })
                }
            }
            let answer = try await client.send(Self.get, to: HTTPEndpoint(host: "rates.example", port: 443))
            #expect(String(decoding: answer.body, as: UTF8.self) == "bank-a 2")
            client.close()

            let failing = try fixture.client(identity) { settings in
                settings.dial = { _, opened in opened(.failure(TransportError.connect("the launcher says no"))) }
            }
            await #expect(throws: TransportError.self) { try await failing.send(Self.get, to: fixture.endpoint) }
            failing.close()
        }
    }

    /// TLS takes its time to close: what arrives meanwhile must not pass for the answer.
    @Test func anAnswerOverTheLimitOrTooLateIsNone() async throws {
        let handler = ClosureHandler { request, respond in
            let response = HTTPResponse(body: [UInt8](repeating: 1, count: request.path == "/large" ? 1_025 : 1_024))
            if request.path == "/late" {
                Task {
                    try await Task.sleep(for: .milliseconds(600))
                    respond(response)
                }
            } else {
                respond(response)
            }
        }
        try await serving(handler) { fixture in
            let client = try fixture.client(fixture.authority.issue("bank-a")) { $0.responseBytesMax = 1_024 }
            func get(_ target: String) async -> TransportError? {
                do {
                    _ = try await client.send(
                        HTTPClientRequest(method: "GET", target: target, timeout: .milliseconds(300)),
                        to: fixture.endpoint)
                    return nil
                } catch { return error }
            }
            #expect(await get("/fits") == nil)
            let large = await get("/large")
            #expect(large?.description.hasPrefix("tooLarge") == true && large?.mayHaveBeenProcessed == true)
            #expect(await get("/fits") == nil)
            #expect(await get("/late")?.isTimeout == true)
            #expect(await get("/fits") == nil)
            client.close()
        }
    }

    static let get = HTTPClientRequest(method: "GET", target: "/")

    @Test func actorsAreKnownByTheirCertificate() async throws {
        try await serving { fixture in
            for name in ["bank-a", "bank-b"] {
                let client = try fixture.client(fixture.authority.issue(name))
                for _ in 0..<3 {
                    let answer = try await client.send(Self.get, to: fixture.endpoint)
                    #expect(String(decoding: answer.body, as: UTF8.self) == "\(name) 2")
                }
                client.close()
            }
            #expect(fixture.server.statistics.connectionsAccepted == 2)
        }
    }

    @Test func wrongCertificatesAreRefusedInTheHandshake() async throws {
        try await serving(refused: ["stranger"]) { fixture in
            let cases: [(TLSIdentity?, String)] = [
                (try fixture.authority.issue("stranger"), "unknown actor"),
                (try fixture.authority.issue("old", days: -1), "expired"),
                (nil, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
            ]
            for (identity, reason) in cases {
                let client = try fixture.client(identity)
                let error = await #expect(throws: TransportError.self) {
                    _ = try await client.send(Self.get, to: fixture.endpoint)
                }
                #expect(error?.isHandshakeFailure == true, "\(String(describing: error))")
                #expect(error?.mayHaveBeenProcessed == false)
                #expect(await eventually { fixture.log.all.contains { $0.contains(reason) } }, "\(fixture.log.all)")
                client.close()
            }
            #expect(fixture.server.statistics.handshakesFailed == 3)
            #expect(fixture.server.statistics.requests == 0)
            let client = try fixture.client(fixture.authority.issue("bank-a"))
            _ = try await client.send(Self.get, to: fixture.endpoint)
            client.close()
        }
    }

    @Test func clientsRefuseOtherServers() async throws {
        try await serving { fixture in
            let identity = try fixture.authority.issue("bank-a")
            let other = try TestAuthority("another network")
            for trust: ServerTrust in [
                .authorities([try other.der]), .verifier(PeerVerifier { _ in .refused(reason: "not this one") }),
            ] {
                let client = try fixture.client(identity, trust: trust)
                let error = await #expect(throws: TransportError.self) {
                    _ = try await client.send(Self.get, to: fixture.endpoint)
                }
                #expect(error?.isHandshakeFailure == true, "\(String(describing: error))")
                client.close()
            }
            let seen = Mutex("")
            let client = try fixture.client(
                identity,
                trust: .verifier(
                    PeerVerifier { chain in
                        seen.withLock { $0 = TestAuthority.commonName(chain.first) }
                        return .accepted()
                    }))
            _ = try await client.send(Self.get, to: fixture.endpoint)
            #expect(seen.withLock { $0 } == "node")
            client.close()
        }
    }

    @Test func verifierMayTakeItsTime() async throws {
        let authority = try TestAuthority()
        try await withLoops { group in
            let (descriptor, port) = try listen()
            let slow = PeerVerifier(deciding: { _, verdict in
                Task.detached {
                    try? await Task.sleep(for: .milliseconds(50))
                    verdict(.accepted(session: "later"))
                }
            })
            let server = try await HTTPServer.start(
                name: "a", descriptor: descriptor,
                tls: TLSServerSettings(identity: try authority.issue("node"), verifier: slow), handler: Self.whoAmI,
                group: group, logger: LogLines().logger)
            let settings = HTTPClientSettings(
                tls: TLSClientSettings(identity: try authority.issue("a"), trust: .authorities([try authority.der])))
            let client = try HTTPClient(settings: settings, group: group)
            let answer = try await client.send(Self.get, to: HTTPEndpoint(host: "127.0.0.1", port: port))
            #expect(String(decoding: answer.body, as: UTF8.self) == "later 2")
            client.close()
            await server.stop()
        }
    }

    @Test func olderTLSAndNoiseAreRefused() async throws {
        var limits = HTTPLimits()
        limits.handshakeTimeout = .milliseconds(200)
        try await serving(limits: limits) { fixture in
            // TLS 1.2
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.maximumTLSVersion = .tlsv12
            configuration.certificateVerification = .none
            let context = try NIOSSLContext(configuration: configuration)
            let channel = try await ClientBootstrap(group: fixture.group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                }
                .connect(host: "127.0.0.1", port: fixture.endpoint.port).get()
            try await channel.closeFuture.get()
            // Noise, plain HTTP, silence.
            var random = TestRandom(state: 3)
            let noise = (0..<500).map { _ in UInt8.random(in: 0...255, using: &random) }
            for bytes: [UInt8] in [noise, Array("GET / HTTP/1.1\r\n\r\n".utf8), [], [0x16, 3, 1, 2, 0, 1]] {
                let connection = try RawConnection(port: fixture.endpoint.port)
                connection.say(bytes)
                #expect(!connection.rest().hasPrefix("HTTP"))
            }
            #expect(await eventually { fixture.server.statistics.handshakesFailed == 5 })
            #expect(fixture.server.statistics.requests == 0)
        }
    }

    @Test func identityMayBeReplaced() async throws {
        try await serving { fixture in
            let identity = try fixture.authority.issue("bank-a")
            let names = Mutex<[String]>([])
            let trust = ServerTrust.verifier(
                PeerVerifier { chain in
                    names.withLock { $0.append(TestAuthority.commonName(chain.first)) }
                    return .accepted()
                })
            let client = try fixture.client(identity, trust: trust)
            _ = try await client.send(Self.get, to: fixture.endpoint)
            try fixture.server.replaceIdentity(fixture.authority.issue("node renewed"))
            _ = try await client.send(Self.get, to: fixture.endpoint)
            client.close()
            let second = try fixture.client(identity, trust: trust)
            _ = try await second.send(Self.get, to: fixture.endpoint)
            second.close()
            #expect(names.withLock { $0 } == ["node", "node renewed"])
        }
    }

    @Test func connectionsOfAnActorCanBeClosed() async throws {
        try await serving { fixture in
            let first = try fixture.client(fixture.authority.issue("bank-a")) { $0.connectionsMax = 1 }
            let second = try fixture.client(fixture.authority.issue("bank-b")) { $0.connectionsMax = 1 }
            for client in [first, second] { _ = try await client.send(Self.get, to: fixture.endpoint) }
            fixture.server.closeConnections { $0.session as? String == "bank-a" }
            try await Task.sleep(for: .milliseconds(50))
            for client in [first, second] { _ = try await client.send(Self.get, to: fixture.endpoint) }
            #expect(fixture.server.statistics.connectionsAccepted == 3)
            first.close()
            second.close()
        }
    }

    @Test func clientTellsWhatMayHaveHappened() async throws {
        let held = Mutex<[HTTPResponder]>([])
        let handler = ClosureHandler { request, respond in
            if request.target == "/hold" { held.withLock { $0.append(respond) } } else { respond(HTTPResponse()) }
        }
        try await serving(handler) { fixture in
            let client = try fixture.client(fixture.authority.issue("a")) {
                $0.connectionsMax = 1
                $0.queuedRequestsMax = 2
            }
            // Nobody there: not sent.
            let (unused, port) = try listen()
            close(unused)
            let nobody = HTTPEndpoint(host: "127.0.0.1", port: port)
            var error = await #expect(throws: TransportError.self) { _ = try await client.send(Self.get, to: nobody) }
            #expect(error?.mayHaveBeenProcessed == false)
            // No answer in time: unknown.
            let hold = HTTPClientRequest(target: "/hold", timeout: .milliseconds(150))
            error = await #expect(throws: TransportError.self) { _ = try await client.send(hold, to: fixture.endpoint) }
            #expect(error?.isTimeout == true && error?.mayHaveBeenProcessed == true)
            // Behind one that holds the only connection: not sent; and the queue is bounded.
            let results = Mutex<[Result<Int, TransportError>]>([])
            for index in 0..<4 {
                let request = HTTPClientRequest(target: "/hold", timeout: .milliseconds(index == 0 ? 600 : 100))
                client.send(request, to: fixture.endpoint) { outcome in
                    results.withLock { $0.append(outcome.map(\.status)) }
                }
            }
            #expect(await eventually { results.withLock { $0.count } == 4 })
            let errors = results.withLock { results in
                results.compactMap { if case .failure(let error) = $0 { error } else { nil } }
            }
            #expect(errors.count == 4)
            #expect(errors.contains { $0.isBusy && !$0.mayHaveBeenProcessed })
            #expect(errors.contains { $0.isTimeout && !$0.mayHaveBeenProcessed })
            // Cut off in the middle: unknown.
            let asked = held.withLock { $0.count }
            let cut = Mutex<TransportError?>(nil)
            client.send(HTTPClientRequest(target: "/hold"), to: fixture.endpoint) { outcome in
                if case .failure(let error) = outcome { cut.withLock { $0 = error } }
            }
            #expect(await eventually { held.withLock { $0.count } > asked })
            fixture.server.closeConnections { _ in true }
            #expect(await eventually { cut.withLock { $0?.mayHaveBeenProcessed } == true })
            // And it works again.
            #expect(try await client.send(Self.get, to: fixture.endpoint).status == 200)
            client.close()
            error = await #expect(throws: TransportError.self) {
                _ = try await client.send(Self.get, to: fixture.endpoint)
            }
            #expect(error?.mayHaveBeenProcessed == false)
            held.withLock { $0 = [] }
        }
    }

    @Test func clientRefusesMalformedAnswers() async throws {
        for (text, limit) in [
            ("HTTP/1.1 abc\r\n\r\n", 100), ("nonsense\r\n\r\n", 100),
            ("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + String(repeating: "x", count: 1000), 100),
        ] {
            let (descriptor, port) = try listen()
            let thread = Task.detached {
                let peer = accept(descriptor, nil, nil)
                var bytes = [UInt8](repeating: 0, count: 4096)
                _ = recv(peer, &bytes, bytes.count, 0)
                _ = send(peer, text, text.utf8.count, 0)
                close(peer)
                close(descriptor)
            }
            try await withLoops { group in
                var settings = HTTPClientSettings(tls: nil)
                settings.responseBytesMax = limit
                let client = try HTTPClient(settings: settings, group: group)
                let error = await #expect(throws: TransportError.self) {
                    _ = try await client.send(Self.get, to: HTTPEndpoint(host: "127.0.0.1", port: port))
                }
                #expect(error?.mayHaveBeenProcessed == true)
                client.close()
            }
            await thread.value
        }
    }

    @Test func badIdentitiesAreErrors() throws {
        let key = [UInt8](repeating: 1, count: 100)
        #expect(throws: TransportError.invalidIdentity("")) {
            _ = try TLSIdentity(certificateChain: [], privateKey: key)
        }
        #expect(throws: TransportError.invalidIdentity("")) {
            _ = try TLSIdentity(certificateChain: [[1, 2, 3]], privateKey: key)
        }
        #expect(throws: TransportError.invalidIdentity("")) {
            _ = try TLSIdentity(certificateChain: [TestAuthority().der], privateKey: key)
        }
        #expect(throws: TransportError.invalidIdentity("")) {
            _ = try TLSIdentity(certificateChainPEM: Array("x".utf8), privateKeyPEM: [])
        }
        #expect(throws: TransportError.invalidTrust("")) {
            var settings = HTTPClientSettings(tls: nil)
            settings.tls = TLSClientSettings(identity: nil, trust: .authorities([[1]]))
            _ = try HTTPClient(settings: settings, group: MultiThreadedEventLoopGroup.singleton)
        }
    }

    /// A bounded load: pipelined requests over a few TLS connections, every answer checked.
    @Test func loadIsAnsweredCompletely() async throws {
        try await serving(.echo) { fixture in
            let client = try fixture.client(fixture.authority.issue("a")) {
                $0.connectionsMax = 4
                $0.pipelineDepth = 16
            }
            let right = Mutex(0)
            let count = 4000
            for index in 0..<count {
                let body = Array("request \(index)".utf8)
                client.send(HTTPClientRequest(body: body), to: fixture.endpoint) { outcome in
                    if case .success(let answer) = outcome, answer.body == body { right.withLock { $0 += 1 } }
                }
            }
            #expect(await eventually { right.withLock { $0 } == count })
            #expect(fixture.server.statistics.connectionsAccepted <= 4)
            client.close()
        }
    }
}
