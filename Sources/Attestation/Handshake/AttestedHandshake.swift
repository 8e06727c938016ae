public import Identity

/// The handshake that two nodes run on a fresh channel, after mutual TLS and before anything else, as a state machine
/// without I/O.
///
/// ```
/// both ends   → hello   (network, node key, 32 fresh random bytes)
/// both ends   → attest  (evidence bound to the other's challenge, this network and this TLS session; the node key's
///                        signature over both hellos and the evidence)
/// both ends   → accept, or refuse with the kind of reason
/// ```
///
/// Each end checks that the peer is on the VN list with that key, that the key is the one of its TLS certificate, that a
/// platform listed for its owner vouches for approved code, and that all of it was made for this channel. Messages that
/// are replayed, relayed, reflected, cut, out of turn or of another network are refused. The channel may be used when
/// ``Effect/established(_:)`` comes: both ends have accepted. Frames after that are not the handshake's.
///
/// Evidence takes a device, so it is an effect: ``Effect/obtainEvidence(reportData:)`` is answered by
/// ``Input/evidence(_:)``.
public struct AttestedHandshake: Sendable {
    /// Which end of the TLS session this is.
    public enum Role: UInt8, Sendable, Hashable {
        /// The TLS client.
        case initiator = 1
        /// The TLS server.
        case responder = 2
    }

    /// What this end brings along.
    public struct Own: Sendable {
        /// Which end this is.
        public var role: Role
        /// The node key; also that of the TLS certificate.
        public var nodeKey: SigningKey
        /// By what the peer is judged.
        public var rule: PeerRule
        /// Measurement of the worker, empty when the worker is part of the manager.
        public var workerMeasurement: [UInt8]
        /// 32 random bytes, drawn for this channel.
        public var challenge: [UInt8]

        /// What this end brings along.
        public init(
            role: Role, nodeKey: SigningKey, rule: PeerRule, workerMeasurement: [UInt8], challenge: [UInt8]
        ) {
            self.role = role
            self.nodeKey = nodeKey
            self.rule = rule
            self.workerMeasurement = workerMeasurement
            self.challenge = challenge
        }
    }

    /// What TLS knows.
    public struct Session: Sendable, Hashable {
        /// The public key of the peer's TLS certificate, SPKI in DER.
        public var peerKey: [UInt8]
        /// See ``ChannelBinding``; at least 32 bytes.
        public var binding: [UInt8]

        /// What TLS knows.
        public init(peerKey: [UInt8], binding: [UInt8]) {
            self.peerKey = peerKey
            self.binding = binding
        }
    }

    /// What happens.
    public enum Input: Sendable, Hashable {
        /// A frame came.
        case message([UInt8])
        /// The platform vouched for the report data that were asked for.
        case evidence(Evidence)
        /// The platform did not.
        case evidenceFailed(reason: String)
        /// The time for the handshake is over.
        case timedOut
    }

    /// What is to be done, in order.
    public enum Effect: Sendable, Hashable {
        /// Send a frame.
        case send([UInt8])
        /// Have the platform vouch for 64 bytes.
        case obtainEvidence(reportData: [UInt8])
        /// Both ends have accepted; the channel may be used.
        case established(HandshakePeer)
        /// Log this, send what was to be sent, close the channel.
        case refused(HandshakeRefusal)
    }

    /// Length of a challenge.
    public static let challengeByteCount = 32
    /// No message is longer; the frame limit until a channel is established.
    public static let messageByteCountMax = Evidence.byteCountMax + 1024

    private enum State: Sendable {
        case running
        case established
        case refused
    }

    private let own: Own
    private let session: Session
    private let ownHello: HandshakeMessage.Hello
    private var state = State.running
    private var peerHello: HandshakeMessage.Hello?
    private var isAttestSent = false
    private var peer: HandshakePeer?
    private var isAccepted = false

    /// A handshake on a fresh channel. Call ``start()`` next.
    public init(own: Own, session: Session) {
        precondition(own.challenge.count == Self.challengeByteCount, "a challenge of \(own.challenge.count) bytes")
        self.own = own
        self.session = session
        ownHello = HandshakeMessage.Hello(
            networkID: own.rule.networkID, nodeKey: own.nodeKey.publicKey.spki, challenge: own.challenge)
    }

    /// The first effects.
    public mutating func start() -> [Effect] {
        guard session.binding.count >= ChannelBinding.byteCount else {
            return refuse(HandshakeRefusal(.noChannelBinding, "a channel binding of \(session.binding.count) bytes"))
        }
        return [.send(HandshakeMessage.hello(ownHello).encoded)]
    }

    /// One step.
    /// - Parameter time: milliseconds since 1970, at which evidence must be valid.
    public mutating func handle(_ input: Input, at time: UInt64) -> [Effect] {
        guard case .running = state else { return [] }
        do throws(HandshakeRefusal) {
            switch input {
            case .message(let bytes):
                return try receive(HandshakeMessage(decoding: bytes), at: time)
            case .evidence(let evidence):
                return try attest(evidence)
            case .evidenceFailed(let reason):
                throw HandshakeRefusal(.noEvidence, reason)
            case .timedOut:
                throw HandshakeRefusal(.timedOut, "the peer did not finish in time")
            }
        } catch { return refuse(error) }
    }

    private mutating func receive(_ message: HandshakeMessage, at time: UInt64) throws(HandshakeRefusal) -> [Effect] {
        switch message {
        case .hello(let hello):
            return try receive(hello)
        case .attest(let attest):
            return try receive(attest, at: time)
        case .accept:
            guard isAttestSent, !isAccepted else {
                throw HandshakeRefusal(.unexpectedMessage, "an acceptance that is not due")
            }
            isAccepted = true
            return finishIfDone()
        case .refuse(let kind):
            state = .refused
            return [.refused(HandshakeRefusal(kind, "the peer refused", isByPeer: true))]
        }
    }

    private mutating func receive(_ hello: HandshakeMessage.Hello) throws(HandshakeRefusal) -> [Effect] {
        guard peerHello == nil else { throw HandshakeRefusal(.unexpectedMessage, "a second hello") }
        guard hello.networkID == ownHello.networkID else {
            throw HandshakeRefusal(.otherNetwork, "the peer is of network \(Self.printable(hello.networkID))")
        }
        guard hello.nodeKey != ownHello.nodeKey, hello.challenge != ownHello.challenge else {
            throw HandshakeRefusal(.ownKey, "the peer shows this node's own key or challenge")
        }
        guard hello.nodeKey == session.peerKey else {
            throw HandshakeRefusal(.otherTLSKey, "the peer's TLS certificate is of another key than its hello")
        }
        guard let key = try? PublicKey(spki: hello.nodeKey) else {
            throw HandshakeRefusal(.malformedMessage, "the peer's node key can't be read")
        }
        // The list is looked at before the device is bothered.
        if case .policy(let policy) = own.rule {
            guard policy.nodes.contains(where: { $0.nodeID == key.id && $0.publicKey == hello.nodeKey }) else {
                throw HandshakeRefusal(.notListed, "node \(key.id) is not on the VN list")
            }
        }
        peerHello = hello
        return [
            .obtainEvidence(
                reportData: reportData(of: ownHello, for: hello, workerMeasurement: own.workerMeasurement))
        ]
    }

    private mutating func attest(_ evidence: Evidence) throws(HandshakeRefusal) -> [Effect] {
        guard let peerHello, !isAttestSent else {
            throw HandshakeRefusal(.noEvidence, "evidence came that was not asked for")
        }
        let message = transcript(peerHello).signedBytes(
            role: own.role, evidence: evidence, workerMeasurement: own.workerMeasurement)
        guard let signature = try? own.nodeKey.rawSignature(message: message) else {
            throw HandshakeRefusal(.signing, "the node key could not sign")
        }
        isAttestSent = true
        let attest = HandshakeMessage.Attest(
            evidence: evidence, workerMeasurement: own.workerMeasurement, signature: signature)
        return [.send(HandshakeMessage.attest(attest).encoded)] + acceptIfDue()
    }

    private mutating func receive(
        _ attest: HandshakeMessage.Attest, at time: UInt64
    ) throws(HandshakeRefusal) -> [Effect] {
        guard let peerHello, peer == nil else {
            throw HandshakeRefusal(.unexpectedMessage, "evidence that is not due")
        }
        let signed = transcript(peerHello).signedBytes(
            role: own.role == .initiator ? .responder : .initiator, evidence: attest.evidence,
            workerMeasurement: attest.workerMeasurement)
        guard let key = try? PublicKey(spki: peerHello.nodeKey),
            key.verifies(rawSignature: attest.signature, message: signed)
        else { throw HandshakeRefusal(.badSignature, "the peer's node key did not sign this handshake") }
        let claims: EvidenceClaims
        do { claims = try attest.evidence.verifyIntegrity(at: time, collateral: own.rule.collateral) } catch {
            throw HandshakeRefusal(error)
        }
        let expected = reportData(of: peerHello, for: ownHello, workerMeasurement: attest.workerMeasurement)
        guard claims.reportData == expected else { throw HandshakeRefusal(AttestationError.reportDataMismatch()) }
        let claimed = ClaimedPeer(
            nodeID: key.id, publicKey: peerHello.nodeKey, evidence: attest.evidence, claims: claims,
            workerMeasurement: attest.workerMeasurement)
        switch own.rule {
        case .policy(let policy):
            peer = .verified(try claimed.verify(by: policy, at: time))
        case .networkOnly:
            guard !claims.isDebug else { throw HandshakeRefusal(AttestationError.debug()) }
            peer = .claimed(claimed)
        }
        return acceptIfDue()
    }

    /// Accepts once the peer is verified and has what it needs to verify this end: so that an acceptance is always the
    /// last message of its sender.
    private mutating func acceptIfDue() -> [Effect] {
        guard peer != nil, isAttestSent else { return [] }
        return [.send(HandshakeMessage.accept.encoded)] + finishIfDone()
    }

    private mutating func finishIfDone() -> [Effect] {
        guard let peer, isAttestSent, isAccepted else { return [] }
        state = .established
        return [.established(peer)]
    }

    private mutating func refuse(_ refusal: HandshakeRefusal) -> [Effect] {
        state = .refused
        return [.send(HandshakeMessage.refuse(refusal.kind).encoded), .refused(refusal)]
    }

    private func reportData(
        of sender: HandshakeMessage.Hello, for receiver: HandshakeMessage.Hello, workerMeasurement: [UInt8]
    ) -> [UInt8] {
        ReportData.bind(
            nodeKey: sender.nodeKey, networkID: sender.networkID, challenge: receiver.challenge,
            channelBinding: session.binding, workerMeasurement: workerMeasurement)
    }

    private func transcript(_ peerHello: HandshakeMessage.Hello) -> HandshakeTranscript {
        let mine = HandshakeMessage.hello(ownHello).encoded
        let theirs = HandshakeMessage.hello(peerHello).encoded
        return HandshakeTranscript(
            initiatorHello: own.role == .initiator ? mine : theirs,
            responderHello: own.role == .initiator ? theirs : mine, channelBinding: session.binding)
    }

    /// What a stranger calls a network, fit for a log.
    private static func printable(_ id: String) -> String {
        String(
            id.unicodeScalars.prefix(64).filter { ("0"..."9").contains($0) || ("a"..."f").contains($0) }.map(
                Character.init))
    }
}
