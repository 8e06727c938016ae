import Glibc
import Host
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

/// NIO, TLS and HTTP inside a manager's sandbox, which refuses socket, connect, bind and listen.
@Suite struct ServeTests {
    @Test func transportWorksInTheSandbox() async throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        try directory.replace("chain.pem", with: Array(Self.chain.utf8))
        try directory.replace("key.pem", with: Array(Self.key.utf8))
        let (ours, theirs) = try Descriptor.streamPair()
        let probe = try Probe(["serve", folder.path], descriptors: [theirs])
        Descriptor.close(theirs)
        let identity = try TLSIdentity(
            certificateChainPEM: Array(Self.chain.utf8), privateKeyPEM: Array(Self.key.utf8))
        let anyone = PeerVerifier { _ in .accepted() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

        // We are the TLS server of the channel that the sandboxed process opens over a connected socket.
        let outbound = Frames()
        _ = try await FrameChannel.attach(
            descriptor: ours, security: .server(TLSServerSettings(identity: identity, verifier: anyone)),
            delegate: outbound, group: group, logger: logger)
        let ports = try #require(probe.line(beginning: "ports")).split(separator: " ").compactMap { UInt16($0) }
        try #require(ports.count == 2)
        #expect(outbound.next() == Array("hello".utf8))

        let trust = TLSClientSettings(identity: identity, trust: .verifier(anyone))
        let client = try HTTPClient(settings: HTTPClientSettings(tls: trust), group: group)
        for index in 0..<100 {
            let body = Array("request \(index)".utf8)
            let answer = try await client.send(
                HTTPClientRequest(body: body), to: HTTPEndpoint(host: "127.0.0.1", port: Int(ports[0])))
            #expect(answer.status == 200 && answer.body == body)
        }
        client.close()

        let inbound = Frames()
        let connection = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = ports[1].bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(connected)
        let channel = try await FrameChannel.attach(
            descriptor: connection, security: .client(trust), delegate: inbound, group: group, logger: logger)
        #expect(inbound.next() == Array("hello".utf8))
        channel.send([4, 5, 6])
        #expect(inbound.next() == [4, 5, 6])
        shutdown(probe.socket, CInt(SHUT_RDWR))
        #expect(probe.end() == .exited(0))
        try await group.shutdownGracefully()
    }

    private final class Frames: FrameChannelDelegate {
        private let frames = Mutex<[[UInt8]]>([])

        func next() -> [UInt8]? {
            for _ in 0..<20_000 {
                if let frame = frames.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return frame }
                usleep(1000)
            }
            return nil
        }

        func channelOpened(_ channel: FrameChannel) {}
        func channel(_ channel: FrameChannel, received new: [[UInt8]]) { frames.withLock { $0 += new } }
        func channelClosed(_ channel: FrameChannel, reason: FrameChannelEnd) {}
    }

    // A self-signed certificate for this test alone, with its key.
    private static let chain = """
        -----BEGIN CERTIFICATE-----
        MIIBdzCCAR2gAwIBAgIUA61dUuHu/nCMbDFXSSkRyMxQaUcwCgYIKoZIzj0EAwIw
        EDEOMAwGA1UEAwwFcHJvYmUwIBcNMjYxMTI0MTE0ODA3WhgPMjEyNjEwMzExMTQ4
        MDdaMBAxDjAMBgNVBAMMBXByb2JlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
        mCfEfP5gBNyZuO5/M/6p02tHM7Gf/POjO5HOiN94wDc6nCIL/tg31NdpGJX62Qn2
        IAz8mFoKd5hUI/DcWBCPR6NTMFEwHQYDVR0OBBYEFNEcS5l0PKuBiew1lt7SGWW6
        1/TRMB8GA1UdIwQYMBaAFNEcS5l0PKuBiew1lt7SGWW61/TRMA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAOYP1sKEgqN0hPpBBCg9a2/3XAzWqYYO
        USn9eO6B1QKGAiAUls1lYBQd6UGIckoar3kaxI+5lpiJHdHmWfITeUmAzQ==
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgj+x92SNDmHgG3WKC
        EGSx+AJ45hGBKrombaofEka6iOahRANCAASYJ8R8/mAE3Jm47n8z/qnTa0czsZ/8
        86M7kc6I33jANzqcIgv+2DfU12kYlfrZCfYgDPyYWgp3mFQj8NxYEI9H
        -----END PRIVATE KEY-----
        """
}
