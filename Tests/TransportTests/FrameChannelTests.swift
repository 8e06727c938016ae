import Crypto
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

/// Keeps what a channel's owner is told.
final class FrameRecorder: FrameChannelDelegate {
    private struct State: Sendable {
        var opened: [FrameChannel] = []
        var frames: [[UInt8]] = []
        var ends: [FrameChannelEnd] = []
        var drained = 0
    }

    private let state = Mutex(State())
    private let echo: Bool

    init(echo: Bool = false) { self.echo = echo }

    var opened: [FrameChannel] { state.withLock { $0.opened } }
    var frames: [[UInt8]] { state.withLock { $0.frames } }
    var ends: [FrameChannelEnd] { state.withLock { $0.ends } }
    var drained: Int { state.withLock { $0.drained } }

    func channelOpened(_ channel: FrameChannel) { state.withLock { $0.opened.append(channel) } }

    func channel(_ channel: FrameChannel, received frames: [[UInt8]]) {
        state.withLock { $0.frames += frames }
        if echo { channel.send(frames: frames) }
    }

    func channelDrained(_ channel: FrameChannel) { state.withLock { $0.drained += 1 } }

    func channelClosed(_ channel: FrameChannel, reason: FrameChannelEnd) { state.withLock { $0.ends.append(reason) } }
}

@Suite struct FrameChannelTests {
    /// Two ends of a local stream connection.
    static func pair() -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends)
        return (ends[0], ends[1])
    }

    /// A TCP connection, made by hand: client end.
    static func connected(port: Int) throws -> CInt {
        let connection = try RawConnection(port: port)
        return withExtendedLifetime(connection) { dup(connection.descriptor) }
    }

    static let anyone = PeerVerifier { .accepted(session: TestAuthority.commonName($0.first)) }

    func nodes(
        server: FrameRecorder, limits: FrameLimits = FrameLimits(), verifier: PeerVerifier = anyone,
        _ body: (MultiThreadedEventLoopGroup, TestAuthority, Int, LogLines) async throws -> Void
    ) async throws {
        let authority = try TestAuthority()
        try await withLoops { group in
            let (descriptor, port) = try listen()
            let log = LogLines()
            let listener = try await FrameServer.start(
                descriptor: descriptor,
                tls: TLSServerSettings(identity: try authority.issue("node-1"), verifier: verifier), limits: limits,
                delegate: server, group: group, logger: log.logger)
            #expect(listener.port == port)
            do {
                try await body(group, authority, port, log)
            } catch {
                await listener.stop()
                throw error
            }
            await listener.stop()
        }
    }

    @Test func nodesKnowEachOther() async throws {
        let (server, client) = (FrameRecorder(echo: true), FrameRecorder())
        try await nodes(server: server) { group, authority, port, log in
            let channel = try await FrameChannel.attach(
                descriptor: Self.connected(port: port),
                security: .client(
                    TLSClientSettings(identity: try authority.issue("node-2"), trust: .verifier(Self.anyone))),
                delegate: client, group: group, logger: log.logger)
            channel.send([1, 2, 3])
            channel.send(frames: [[], [UInt8](repeating: 7, count: 60_000)])
            #expect(await eventually { client.frames.count == 3 })
            #expect(client.frames == [[1, 2, 3], [], [UInt8](repeating: 7, count: 60_000)])
            let other = try #require(server.opened.first)
            #expect(other.session as? String == "node-2" && channel.session as? String == "node-1")
            #expect(other.isInbound && !channel.isInbound)
            #expect(other.peerCertificateChain.count == 2)
            let (ours, theirs) = (
                channel.exportKeyingMaterial(label: "entente", context: [1], length: 32),
                other.exportKeyingMaterial(label: "entente", context: [1], length: 32)
            )
            #expect(ours != nil && ours == theirs && ours?.count == 32)
            #expect(ours != channel.exportKeyingMaterial(label: "entente", context: [2], length: 32))
            #expect(ours != channel.exportKeyingMaterial(label: "other", context: [1], length: 32))
            channel.close(reason: "done")
            #expect(await eventually { client.ends.count == 1 && server.ends.count == 1 })
            #expect(client.ends == [.closedByOwner("done")])
            #expect(server.ends == [.closedByPeer])
            #expect(channel.send([1]) == .closed)
        }
    }

    @Test func everySessionHasItsOwnExporter() async throws {
        let server = FrameRecorder()
        try await nodes(server: server) { group, authority, port, log in
            let identity = try authority.issue("node-2")
            var exported: Set<[UInt8]> = []
            for _ in 0..<3 {
                let client = FrameRecorder()
                let channel = try await FrameChannel.attach(
                    descriptor: Self.connected(port: port),
                    security: .client(
                        TLSClientSettings(identity: identity, trust: .authorities([try authority.der]))),
                    delegate: client, group: group, logger: log.logger)
                #expect(await eventually { client.opened.count == 1 })
                #expect(TestAuthority.commonName(channel.peerCertificateChain.first) == "node-1")
                exported.insert(channel.exportKeyingMaterial(label: "entente", context: [], length: 32) ?? [])
                channel.close(reason: "done")
            }
            #expect(exported.count == 3 && !exported.contains([]))
        }
    }

    /// What OpenSSL 3.0.22 exported (`s_client -keymatexport`) from the exporter secret it logged.
    @Test func exporterAgreesWithOpenSSL() throws {
        let short = Self.bytes("716455a0c87acde65d69ee43048fd2d64618c27e7982dcfd04ccbad80ed6adf9")
        #expect(
            TLSExporter.export(SHA256.self, short, "EXPORTER-entente", [], 40)
                == Self.bytes("11F90738CD55957B33EFA2C1308C67E4D487F0038D61816D8E11E7320F9E16212D05FC6E877274B0"))
        let long = Self.bytes(
            "619fbfdbcce27adefd89f5d52d8939f0c4b3ef7368e1aaacd7c26dcd59d54c2a6cf73b66093ebfc0eb96166c5e2d689b")
        #expect(
            TLSExporter.export(SHA384.self, long, "EXPORTER-entente", [], 40)
                == Self.bytes("A88033DB539F7479B3557F7955C059582D3680565F23934F064D01446EC7D3422D9C2042D68589C1"))
        #expect(TLSExporter.export(SHA256.self, short, String(repeating: "x", count: 250), [], 32) == nil)
        #expect(TLSExporter.export(SHA256.self, short, "x", [], 0) == nil)
        #expect(TLSExporter.export(SHA256.self, short, "x", [], 10_000) == nil)
    }

    @Test func refusedNodesGetNoChannel() async throws {
        let server = FrameRecorder()
        let verifier = PeerVerifier { _ in .refused(reason: "not on the VN list") }
        try await nodes(server: server, verifier: verifier) { group, authority, port, log in
            let client = FrameRecorder()
            let channel = try await FrameChannel.attach(
                descriptor: Self.connected(port: port),
                security: .client(
                    TLSClientSettings(identity: try authority.issue("stranger"), trust: .verifier(Self.anyone))),
                delegate: client, group: group, logger: log.logger)
            channel.send([1])
            #expect(await eventually { server.ends.count == 1 && client.ends.count == 1 })
            #expect(server.ends == [.peerRefused("not on the VN list")])
            #expect(server.opened.isEmpty && server.frames.isEmpty)
            #expect(log.all.contains { $0.hasPrefix("node certificate refused") && $0.contains("VN list") })
            // Our side refuses, too.
            let second = FrameRecorder()
            _ = try await FrameChannel.attach(
                descriptor: Self.connected(port: port),
                security: .client(
                    TLSClientSettings(
                        identity: try authority.issue("node-2"),
                        trust: .verifier(PeerVerifier { _ in .refused(reason: "not you") }))),
                delegate: second, group: group, logger: log.logger)
            #expect(await eventually { second.ends == [.peerRefused("not you")] })
            #expect(second.opened.isEmpty)
        }
    }

    @Test func noiseAndSilenceEndInTheHandshake() async throws {
        let server = FrameRecorder()
        var limits = FrameLimits()
        limits.handshakeTimeout = .milliseconds(150)
        try await nodes(server: server, limits: limits) { _, _, port, _ in
            var random = TestRandom(state: 5)
            for bytes: [UInt8] in [
                (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }, [], [0x16, 3, 1, 255, 255, 1, 2],
            ] {
                let connection = try RawConnection(port: port)
                connection.say(bytes)
                _ = connection.rest()
            }
            #expect(await eventually { server.ends.count == 3 })
            for end in server.ends {
                if case .handshakeFailed = end {} else { Issue.record("\(end)") }
            }
            #expect(server.opened.isEmpty)
        }
    }

    @Test func framesOverTheLimitEndTheChannel() async throws {
        try await withLoops { group in
            let (left, right) = Self.pair()
            let (one, other) = (FrameRecorder(), FrameRecorder())
            var limits = FrameLimits()
            limits.frameBytesMax = 100
            let log = LogLines()
            let first = try await FrameChannel.attach(
                descriptor: left, security: .plain, delegate: one, group: group, logger: log.logger)
            let second = try await FrameChannel.attach(
                descriptor: right, security: .plain, limits: limits, delegate: other, group: group, logger: log.logger)
            first.send([UInt8](repeating: 1, count: 100))
            #expect(await eventually { other.frames.count == 1 })
            second.setFrameBytesMax(200)
            first.send([UInt8](repeating: 1, count: 200))
            #expect(await eventually { other.frames.count == 2 })
            first.send([2])
            first.send([UInt8](repeating: 1, count: 201))
            #expect(await eventually { other.ends == [.frameTooLarge(201)] && one.ends.count == 1 })
            #expect(other.frames.count == 3)
            #expect(log.all.contains { $0.hasPrefix("frame over the limit") })
        }
    }

    @Test func waitingBytesAreBounded() async throws {
        try await withLoops { group in
            let (left, right) = Self.pair()
            let (one, other) = (FrameRecorder(), FrameRecorder())
            var limits = FrameLimits()
            limits.outboundBytesMax = 8 << 20
            limits.frameBytesMax = 1 << 20
            let log = LogLines()
            let sender = try await FrameChannel.attach(
                descriptor: left, security: .plain, limits: limits, delegate: one, group: group, logger: log.logger)
            let reader = try await FrameChannel.attach(
                descriptor: right, security: .plain, limits: limits, delegate: other, group: group, logger: log.logger)
            reader.setReading(false)
            var queued = 0
            let frame = [UInt8](repeating: 9, count: 100_000)
            for _ in 0..<2000 {
                let result = sender.send(frame)
                if result == .queued { queued += 1 } else { #expect(result == .overflow) }
            }
            #expect(queued < 2000 && queued >= 80)
            #expect(sender.waitingBytes <= 8 << 20)
            reader.setReading(true)
            #expect(await eventually { other.frames.count == queued })
            #expect(await eventually { sender.waitingBytes == 0 && one.drained > 0 })
            #expect(sender.send(frame) == .queued)
            #expect(await eventually { other.frames.count == queued + 1 })
            sender.close(reason: "done")
            #expect(await eventually { other.ends == [.closedByPeer] })
        }
    }

    @Test func closingSendsWhatWaits() async throws {
        try await withLoops { group in
            let (left, right) = Self.pair()
            let (one, other) = (FrameRecorder(), FrameRecorder())
            var limits = FrameLimits()
            limits.frameBytesMax = 1 << 20
            let log = LogLines()
            let sender = try await FrameChannel.attach(
                descriptor: left, security: .plain, delegate: one, group: group, logger: log.logger)
            _ = try await FrameChannel.attach(
                descriptor: right, security: .plain, limits: limits, delegate: other, group: group, logger: log.logger)
            for _ in 0..<50 { sender.send([UInt8](repeating: 3, count: 100_000)) }
            sender.close(reason: "done")
            #expect(await eventually { other.ends.count == 1 })
            #expect(other.frames.count == 50)
            // A peer that does not read can't hold a closing channel for ever.
            let (third, fourth) = Self.pair()
            let stuck = FrameRecorder()
            let channel = try await FrameChannel.attach(
                descriptor: third, security: .plain, delegate: stuck, group: group, logger: log.logger)
            for _ in 0..<50 { channel.send([UInt8](repeating: 3, count: 100_000)) }
            channel.close(reason: "enough")
            #expect(await eventually { stuck.ends == [.closedByOwner("enough")] })
            close(fourth)
        }
    }

    @Test func silenceEndsTheChannelIfAsked() async throws {
        try await withLoops { group in
            let (left, right) = Self.pair()
            let recorder = FrameRecorder()
            var limits = FrameLimits()
            limits.silenceTimeout = .milliseconds(100)
            _ = try await FrameChannel.attach(
                descriptor: left, security: .plain, limits: limits, delegate: recorder, group: group,
                logger: LogLines().logger)
            #expect(await eventually { recorder.ends == [.silence] })
            close(right)
        }
    }

    @Test func notASocketIsAnError() async throws {
        try await withLoops { group in
            let (left, right) = Self.pair()
            for descriptor in [open("/dev/null", O_RDONLY), open("/etc/passwd", O_RDONLY), -1, 999_999, try listen().0]
            {
                await #expect(throws: TransportError.descriptor("")) {
                    _ = try await FrameChannel.attach(
                        descriptor: descriptor, security: .plain, delegate: FrameRecorder(), group: group,
                        logger: LogLines().logger)
                }
            }
            for descriptor in [open("/etc/passwd", O_RDONLY), left] {
                await #expect(throws: TransportError.descriptor("")) {
                    _ = try await HTTPServer.start(
                        name: "a", descriptor: descriptor, tls: nil, handler: ClosureHandler.echo, group: group,
                        logger: LogLines().logger)
                }
            }
            close(right)
        }
    }

    @Test func decoderCutsAnywhere() throws {
        var random = TestRandom(state: 9)
        for _ in 0..<200 {
            let frames = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
                (0..<Int.random(in: 0..<300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            let stream: [UInt8] = frames.flatMap { frame in
                withUnsafeBytes(of: UInt32(frame.count).littleEndian) { Array($0) } + frame
            }
            var decoder = FrameDecoder(frameBytesMax: 300)
            var found: [[UInt8]] = []
            var at = 0
            while at < stream.count {
                let next = min(stream.count, at + Int.random(in: 1...200, using: &random))
                try stream[at..<next].withUnsafeBytes { try decoder.feed($0, into: &found) }
                at = next
            }
            #expect(found == frames)
        }
    }

    static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).compactMap {
            UInt8(hex.dropFirst($0).prefix(2), radix: 16)
        }
    }
}
