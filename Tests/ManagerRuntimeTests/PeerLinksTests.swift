import Attestation
import Glibc
import Host
import Identity
import Logging
import ManagerRuntime
import NIOCore
import NIOPosix
import Testing
import Transport

/// Two nodes' links over loopback, each with a launcher that opens connections and gives evidence.
@Suite struct PeerLinksTests {
    /// Plays the launcher at the other end of a manager's control channel.
    private final class FakeLauncher: Sendable {
        let host: ManagerHost
        private let ours: ControlChannel

        init(_ platform: SoftwarePlatform, measurement: [UInt8]) throws {
            let (near, far) = try Descriptor.streamPair()
            let channel = ControlChannel(descriptor: near)
            ours = channel
            try HostThread.start("launcher") {
                while let (bytes, _) = try? channel.receive(), let request = try? ControlRequest(decoding: bytes) {
                    try? Self.answer(request, channel, platform, measurement)
                }
            }.detach()
            host = try ManagerHost.takeOver(descriptor: far).host
            try host.start { _ in }
        }

        private static func answer(
            _ request: ControlRequest, _ channel: ControlChannel, _ platform: SoftwarePlatform, _ measurement: [UInt8]
        ) throws {
            switch request {
            case .hello:
                let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
                defer { Descriptor.close(null) }
                let fields = HandOverFields(
                    configuration: [], sandbox: .required, managerMeasurement: measurement, workerMeasurement: [],
                    worker: 0)
                try channel.send(
                    ControlEvent.handOver(fields).encoded(), descriptors: [null, null, null, null])
            case .connect(let id, _, let port, _):
                let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
                defer { Descriptor.close(descriptor) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
                address.sin_port = port.bigEndian
                let connected = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    }
                }
                _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
                try channel.send(
                    ControlEvent.connected(id: id, failure: connected ? nil : "refused").encoded(),
                    descriptors: connected ? [descriptor] : [])
            case .evidence(let id, let reportData):
                let bytes = try platform.evidence(measurement: measurement, reportData: reportData)
                try channel.send(ControlEvent.answer(id: id, bytes: bytes, failure: nil).encoded())
            default: break
            }
        }
    }

    private static let measurement = [UInt8](repeating: 6, count: 32)

    private final class Node {
        let id: String
        let links: PeerLinks
        let heard = Heard<PeerLinks.Event>()
        let loop: any EventLoop
        let address: String
        private let launcher: FakeLauncher
        private let listener: CInt

        init(
            _ key: SigningKey, _ policy: AdmissionPolicy, _ platform: SoftwarePlatform, _ loop: any EventLoop
        ) throws {
            id = key.publicKey.id
            self.loop = loop
            launcher = try FakeLauncher(platform, measurement: PeerLinksTests.measurement)
            let now = HostClock.wallMilliseconds()
            let certificate = try X509Certificate.selfSigned(
                CertificateRequest(
                    commonName: id, purpose: .node, serial: [1], notBefore: now - 60_000, notAfter: now + 600_000),
                key: key)
            listener = try Descriptor.listen(host: "127.0.0.1", port: 0)
            address = "127.0.0.1:\(try Descriptor.port(of: listener))"
            let heard = heard
            links = try PeerLinks(
                key: key, certificate: certificate, workerMeasurement: [], limits: FrameLimits(),
                host: launcher.host, eventLoop: loop, logger: .quiet, rule: { .policy(policy) },
                event: { heard.add($0) })
        }

        func listen() async throws { try await links.listen(descriptor: listener) }

        func dial(_ other: Node) {
            let (links, address) = (links, other.address)
            loop.execute { links.dial(address) }
        }

        func send(_ bytes: [UInt8], to other: Node) {
            let (links, peer) = (links, other.id)
            loop.execute { links.send(bytes, to: peer) }
        }

        func isInbound(_ other: Node) async throws -> Bool? {
            let (links, peer) = (links, other.id)
            return try await loop.submit { links.isInbound(peer) }.get()
        }

        func hears(_ bytes: [UInt8]) async -> Bool {
            await heard.first { "\($0)".contains("\(bytes)") } != nil
        }
    }

    private func withNodes(_ body: (Node, Node) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let keys = try (0..<2).map { _ in try SigningKey(rawRepresentation: HostRandom.bytes(32)) }
        let platform = SoftwarePlatform()
        let policy = AdmissionPolicy(
            networkID: String(repeating: "ab", count: 32),
            nodes: keys.map { .init(nodeID: $0.publicKey.id, owner: "bank", publicKey: $0.publicKey.spki) },
            code: CodeManifest(entries: [
                .init(
                    name: "node", version: "1", role: .combined, platform: .software, measurement: Self.measurement)
            ]),
            tee: TEEManifest(
                rules: [.init(platform: .software)],
                softwareKeys: [.init(owner: "bank", key: platform.publicKey)]))
        let nodes = try keys.map { try Node($0, policy, platform, group.next()) }
        for node in nodes { try await node.listen() }
        try await body(nodes[0], nodes[1])
        try await group.shutdownGracefully()
    }

    @Test func ofTwoChannelsThatOfTheSmallerIDStays() async throws {
        for round in 0..<8 {
            try await withNodes { first, second in
                first.dial(second)
                second.dial(first)
                // Both ends keep the same one, and it carries messages both ways.
                var kept = false
                for _ in 0..<10_000 where !kept {
                    let (a, b) = (try await first.isInbound(second), try await second.isInbound(first))
                    kept = a == (first.id > second.id) && b == (second.id > first.id)
                    if !kept { try await Task.sleep(for: .milliseconds(2)) }
                }
                #expect(kept, "round \(round)")
                first.send([9, 8, 7], to: second)
                second.send([7, 8, 9], to: first)
                #expect(await second.hears([9, 8, 7]))
                #expect(await first.hears([7, 8, 9]))
                for (node, other) in [(first, second), (second, first)] {
                    var connected = 0
                    for event in node.heard.all {
                        if case .connected(.verified(let peer)) = event {
                            connected += 1
                            #expect(peer.nodeID == other.id && peer.owner == "bank")
                            #expect(peer.measurement == Self.measurement)
                        }
                        if case .disconnected = event { connected -= 1 }
                    }
                    #expect(connected == 1)
                }
            }
        }
    }

    @Test func oneDialIsOneChannel() async throws {
        try await withNodes { first, second in
            for _ in 0..<5 { first.dial(second) }
            first.send([1], to: second)
            _ = await second.heard.first { if case .connected = $0 { true } else { false } }
            _ = await first.heard.first { if case .connected = $0 { true } else { false } }
            for _ in 0..<5 { first.dial(second) }
            first.send([5, 5, 5], to: second)
            #expect(await second.hears([5, 5, 5]))
            let isInbound = try await first.isInbound(second)
            #expect(isInbound == false)
            let opened = second.heard.all.filter { if case .connected = $0 { true } else { false } }
            #expect(opened.count == 1)
        }
    }
}
