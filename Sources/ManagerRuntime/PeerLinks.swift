package import Attestation
package import Consensus
package import Host
package import Identity
package import Logging
internal import Manager
internal import NIOConcurrencyHelpers
package import NIOCore
package import Transport

/// Channels to other nodes: opens and accepts them, runs the attested handshake on each, and keeps one per peer.
///
/// Confined to the manager's event loop; the delegate calls of a channel come there, since there is no other loop.
package final class PeerLinks: FrameChannelDelegate, @unchecked Sendable {
    /// What is told to the manager.
    package enum Event: Sendable {
        case connected(HandshakePeer)
        case refused(reason: String, isByPeer: Bool)
        case disconnected(PeerID)
        case messages([[UInt8]], from: PeerID)
    }

    private struct Pending {
        var handshake: AttestedHandshake
        /// By what the peer is judged.
        let rule: PeerRule
        let deadline: NIODeadline
    }

    private let key: SigningKey
    private let workerMeasurement: [UInt8]
    private let host: ManagerHost
    private let group: any EventLoopGroup
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let identity: TLSIdentity
    private let rule: () -> PeerRule
    private let event: (Event) -> Void

    private var pending: [UInt64: Pending] = [:]
    private var established: [UInt64: PeerID] = [:]
    private var channels: [PeerID: FrameChannel] = [:]
    private var dialing: Set<String> = []
    private var addresses: [UInt64: String] = [:]
    private var server: FrameServer?
    private var limits: FrameLimits

    package init(
        key: SigningKey, certificate: X509Certificate, workerMeasurement: [UInt8], limits: FrameLimits,
        host: ManagerHost, eventLoop: any EventLoop, logger: Logger, rule: @escaping () -> PeerRule,
        event: @escaping (Event) -> Void
    ) throws {
        self.key = key
        self.workerMeasurement = workerMeasurement
        self.host = host
        group = eventLoop
        self.eventLoop = eventLoop
        self.logger = logger
        self.rule = rule
        self.event = event
        identity = try TLSIdentity(
            certificateChainPEM: Array(certificate.pem.utf8), privateKeyPEM: Array(key.pem.utf8))
        self.limits = limits
        self.limits.frameBytesMax = AttestedHandshake.messageByteCountMax
    }

    /// Starts to accept on the node listener.
    package func listen(descriptor: CInt) async throws {
        server = try await FrameServer.start(
            descriptor: descriptor, tls: TLSServerSettings(identity: identity, verifier: Self.anyKey), limits: limits,
            delegate: self, group: group, logger: logger)
    }

    /// TLS proves that the peer holds its certificate's key; the handshake on top decides whether that key may talk.
    private static let anyKey = PeerVerifier { chain in
        chain.isEmpty ? .refused(reason: "no certificate") : .accepted()
    }

    /// Opens a channel to an address unless one is being opened or open.
    package func dial(_ address: String) {
        guard !dialing.contains(address), !addresses.values.contains(address),
            let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...])
        else { return }
        dialing.insert(address)
        let name = String(address[..<colon])
        host.connect(host: name, port: port) { result in
            self.eventLoop.execute { self.dialed(address, result) }
        }
    }

    private func dialed(_ address: String, _ result: Result<CInt, HostError>) {
        switch result {
        case .failure(let error):
            dialing.remove(address)
            logger.debug("a node can't be reached", metadata: ["address": "\(address)", "reason": "\(error)"])
        case .success(let descriptor):
            let security = FrameChannel.Security.client(
                TLSClientSettings(identity: identity, trust: .verifier(Self.anyKey)))
            let future = eventLoop.makeFutureWithTask {
                try await FrameChannel.attach(
                    descriptor: descriptor, security: security, limits: self.limits, delegate: self,
                    group: self.group, logger: self.logger)
            }
            future.whenComplete { result in
                self.dialing.remove(address)
                // One that was closed at once has been told of already.
                if case .success(let channel) = result, channel.isOpen { self.addresses[channel.id] = address }
            }
        }
    }

    /// Sends on the channel to a peer, if there is one.
    package func send(_ bytes: [UInt8], to peer: PeerID) {
        guard let channel = channels[peer] else { return }
        if channel.send(bytes) == .overflow {
            logger.warning("a peer does not keep up; a message was dropped", metadata: ["peer": "\(peer)"])
        }
    }

    /// Closes the channel to a peer.
    func disconnect(_ peer: PeerID, reason: String) {
        channels[peer]?.close(reason: reason)
    }

    /// Whether the peer opened the channel that is kept; nil without one.
    package func isInbound(_ peer: PeerID) -> Bool? { channels[peer]?.isInbound }

    /// Ends handshakes that take too long.
    func expire() {
        for (id, each) in pending where each.deadline < NIODeadline.now() {
            guard let channel = handshaking[id] else { continue }
            step(channel, .timedOut)
        }
    }

    private var handshaking: [UInt64: FrameChannel] = [:]

    // MARK: FrameChannelDelegate

    package func channelOpened(_ channel: FrameChannel) {
        guard let leaf = channel.peerCertificateChain.first, let certificate = try? X509Certificate(der: leaf),
            let binding = channel.exportKeyingMaterial(
                label: ChannelBinding.exporterLabel, context: [], length: ChannelBinding.byteCount)
        else { return channel.close(reason: "no certificate or no channel binding") }
        let rule = rule()
        let own = AttestedHandshake.Own(
            role: channel.isInbound ? .responder : .initiator, nodeKey: key, rule: rule,
            workerMeasurement: workerMeasurement, challenge: HostRandom.bytes(AttestedHandshake.challengeByteCount))
        var handshake = AttestedHandshake(
            own: own, session: .init(peerKey: certificate.publicKey.spki, binding: binding))
        let effects = handshake.start()
        pending[channel.id] = Pending(
            handshake: handshake, rule: rule, deadline: .now() + limits.handshakeTimeout)
        handshaking[channel.id] = channel
        perform(effects, on: channel)
    }

    package func channel(_ channel: FrameChannel, received frames: [[UInt8]]) {
        var frames = frames[...]
        while let frame = frames.first, established[channel.id] == nil {
            step(channel, .message(frame))
            frames.removeFirst()
        }
        if let peer = established[channel.id], !frames.isEmpty { event(.messages(Array(frames), from: peer)) }
    }

    package func channelClosed(_ channel: FrameChannel, reason: FrameChannelEnd) {
        pending[channel.id] = nil
        handshaking[channel.id] = nil
        addresses[channel.id] = nil
        guard let peer = established.removeValue(forKey: channel.id), channels[peer]?.id == channel.id else { return }
        channels[peer] = nil
        event(.disconnected(peer))
    }

    private func step(_ channel: FrameChannel, _ input: AttestedHandshake.Input) {
        guard let effects = pending[channel.id]?.handshake.handle(input, at: HostClock.wallMilliseconds()) else {
            return
        }
        perform(effects, on: channel)
    }

    private func perform(_ effects: [AttestedHandshake.Effect], on channel: FrameChannel) {
        for effect in effects {
            switch effect {
            case .send(let bytes):
                channel.send(bytes)
            case .obtainEvidence(let reportData):
                host.evidence(reportData: reportData) { result in
                    self.eventLoop.execute {
                        switch result {
                        case .success(let bytes):
                            self.step(channel, .evidence(Evidence(platform: .software, bytes: bytes)))
                        case .failure(let error):
                            self.step(channel, .evidenceFailed(reason: "\(error)"))
                        }
                    }
                }
            case .established(let peer):
                // A constitution that changed meanwhile may judge it otherwise.
                guard pending[channel.id]?.rule == rule() else {
                    return channel.close(reason: "the constitution changed during the handshake")
                }
                establish(channel, peer)
            case .refused(let refusal):
                logger.warning(
                    "a node was refused",
                    metadata: ["remote": "\(channel.remoteAddress)", "reason": "\(refusal)"])
                channel.close(reason: "refused")
                event(.refused(reason: "\(refusal.kind)", isByPeer: refusal.isByPeer))
            }
        }
    }

    /// Two nodes may dial each other at once. Both keep the channel that the node with the smaller id opened.
    private func establish(_ channel: FrameChannel, _ peer: HandshakePeer) {
        pending[channel.id] = nil
        handshaking[channel.id] = nil
        channel.setFrameBytesMax(NodeMessage.bytesMax)
        if let old = channels[peer.nodeID] {
            let own = key.publicKey.id
            let wanted = (own < peer.nodeID) != channel.isInbound
            guard wanted || old.isInbound == channel.isInbound else {
                return channel.close(reason: "there is another channel")
            }
            established[old.id] = nil
            old.close(reason: "replaced by a newer channel")
            event(.disconnected(peer.nodeID))
        }
        established[channel.id] = peer.nodeID
        channels[peer.nodeID] = channel
        event(.connected(peer))
    }
}
