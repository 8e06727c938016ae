import Glibc
import Host
import Logging
import NIOPosix
import Transport

/// Serves HTTPS and frames under a manager's sandbox, to show that no path of NIO needs what is refused. The folder
/// holds `chain.pem` and `key.pem`; the ports of both listeners are told to the test; a frame channel is attached to
/// descriptor 4, which is connected to the test as TLS client.
enum ServeProbe {
    static func run(folder: String) throws {
        let directory = try Directory(path: folder)
        let identity = try TLSIdentity(
            certificateChainPEM: directory.read("chain.pem"), privateKeyPEM: directory.read("key.pem"))
        let application = try Descriptor.listen(host: "127.0.0.1", port: 0)
        let node = try Descriptor.listen(host: "127.0.0.1", port: 0)
        let ports = (try Descriptor.port(of: application), try Descriptor.port(of: node))
        let report = try Sandbox.apply(.manager(dataFolder: directory.descriptor), mode: .required)
        guard report.missing.isEmpty else { throw HostError.unavailable("sandbox") }

        let tls = TLSServerSettings(identity: identity, verifier: PeerVerifier { _ in .accepted() })
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let logger = Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() }
        Task {
            do {
                _ = try await HTTPServer.start(
                    name: "application", descriptor: application, tls: tls, handler: Echo(), group: group,
                    logger: logger)
                _ = try await FrameServer.start(
                    descriptor: node, tls: tls, delegate: FrameEcho(), group: group, logger: logger)
                let client = TLSClientSettings(identity: identity, trust: .verifier(PeerVerifier { _ in .accepted() }))
                _ = try await FrameChannel.attach(
                    descriptor: 4, security: .client(client), delegate: FrameEcho(), group: group, logger: logger)
                SandboxProbe.say(["ports \(ports.0) \(ports.1)"])
            } catch {
                SandboxProbe.say(["error \(error)"])
            }
        }
        // Until the test hangs up.
        var byte: UInt8 = 0
        while recv(3, &byte, 1, 0) > 0 {}
    }

    private struct Echo: HTTPHandler {
        func handle(_ request: HTTPRequest, respond: HTTPResponder) { respond(HTTPResponse(body: request.body)) }
    }

    private struct FrameEcho: FrameChannelDelegate {
        func channelOpened(_ channel: FrameChannel) { channel.send(Array("hello".utf8)) }
        func channel(_ channel: FrameChannel, received frames: [[UInt8]]) { channel.send(frames: frames) }
        func channelClosed(_ channel: FrameChannel, reason: FrameChannelEnd) {}
    }
}
