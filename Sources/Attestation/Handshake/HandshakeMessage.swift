internal import Identity
internal import Primitives

/// The four messages of the handshake. Byte form: `u8` version ‖ `u8` kind ‖ fields.
package enum HandshakeMessage: Sendable, Hashable {
    /// Who the sender is, and what the peer's evidence must be bound to.
    case hello(Hello)
    /// Evidence bound to the receiver's challenge, and the node key's signature over the whole.
    case attest(Attest)
    /// The sender has verified the receiver.
    case accept
    /// The sender will not talk to the receiver.
    case refuse(HandshakeRefusal.Kind)

    /// First message of each end.
    package struct Hello: Sendable, Hashable {
        /// 64 hexadecimal digits.
        package var networkID: String
        /// The sender's node key, SPKI in DER.
        package var nodeKey: [UInt8]
        /// 32 random bytes.
        package var challenge: [UInt8]

        package init(networkID: String, nodeKey: [UInt8], challenge: [UInt8]) {
            self.networkID = networkID
            self.nodeKey = nodeKey
            self.challenge = challenge
        }
    }

    /// Second message of each end.
    package struct Attest: Sendable, Hashable {
        package var evidence: Evidence
        /// Empty when the worker is part of the manager.
        package var workerMeasurement: [UInt8]
        /// r ‖ s of the node key over ``HandshakeTranscript/signedBytes(role:attest:)``.
        package var signature: [UInt8]

        package init(evidence: Evidence, workerMeasurement: [UInt8], signature: [UInt8]) {
            self.evidence = evidence
            self.workerMeasurement = workerMeasurement
            self.signature = signature
        }
    }

    package static let version: UInt8 = 1

    private static let networkIDByteCount = 64
    private static let keyByteCountMax = 256
    private static let measurementByteCountMax = 64
    private static let signatureByteCountMax = 128

    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 512)
        writer.integer(Self.version)
        switch self {
        case .hello(let hello):
            writer.integer(UInt8(1))
            writer.text(hello.networkID)
            writer.blob(hello.nodeKey)
            writer.blob(hello.challenge)
        case .attest(let attest):
            writer.integer(UInt8(2))
            attest.evidence.encode(to: &writer)
            writer.blob(attest.workerMeasurement)
            writer.blob(attest.signature)
        case .accept:
            writer.integer(UInt8(3))
        case .refuse(let kind):
            writer.integer(UInt8(4))
            writer.integer(kind.rawValue)
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(HandshakeRefusal) {
        guard bytes.count <= AttestedHandshake.messageByteCountMax else {
            throw HandshakeRefusal(.malformedMessage, "a handshake message of \(bytes.count) bytes")
        }
        guard let version = bytes.first, version == Self.version else {
            throw HandshakeRefusal(.unsupportedVersion, "a handshake message of another version")
        }
        do {
            var reader = ByteReader(bytes, from: 1, to: bytes.count)
            switch try reader.integer(UInt8.self) {
            case 1:
                let networkID = try reader.text(limit: Self.networkIDByteCount)
                let key = try reader.blob(limit: Self.keyByteCountMax)
                self = .hello(Hello(networkID: networkID, nodeKey: key, challenge: try reader.blob(limit: 32)))
            case 2:
                let evidence = try Evidence(decoding: &reader)
                let worker = try reader.blob(limit: Self.measurementByteCountMax)
                let signature = try reader.blob(limit: Self.signatureByteCountMax)
                self = .attest(Attest(evidence: evidence, workerMeasurement: worker, signature: signature))
            case 3:
                self = .accept
            case 4:
                // A later version may refuse for reasons that this one does not know.
                let code = try reader.integer(UInt8.self)
                self = .refuse(HandshakeRefusal.Kind(rawValue: code) ?? .unexpectedMessage)
            default:
                throw ByteReaderError.invalid(at: 1)
            }
            try reader.finish()
        } catch {
            throw HandshakeRefusal(.malformedMessage, "a handshake message can't be read: \(error)")
        }
        if case .hello(let hello) = self, hello.challenge.count != AttestedHandshake.challengeByteCount {
            throw HandshakeRefusal(.malformedMessage, "a challenge of \(hello.challenge.count) bytes")
        }
    }
}

/// What both ends sign: everything that was said before, from the same point of view.
struct HandshakeTranscript: Sendable {
    var initiatorHello: [UInt8]
    var responderHello: [UInt8]
    var channelBinding: [UInt8]

    /// "entente handshake v1" ‖ 0 ‖ `u8` signer's role, then both hellos, the channel binding, the signer's evidence
    /// and its worker's measurement, each behind its `u32` length. The role keeps a signature from being reflected.
    func signedBytes(role: AttestedHandshake.Role, evidence: Evidence, workerMeasurement: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: 1024)
        writer.raw("entente handshake v1".utf8)
        writer.integer(UInt8(0))
        writer.integer(role.rawValue)
        writer.blob(initiatorHello)
        writer.blob(responderHello)
        writer.blob(channelBinding)
        writer.blob(evidence.encoded)
        writer.blob(workerMeasurement)
        return writer.bytes
    }
}
