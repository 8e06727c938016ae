internal import Primitives

/// A Fiat-Shamir proof about discrete logarithms, as challenge and response (RFC 9497, 2.2.1): 64 bytes. What it proves,
/// and to whom, is in the statement that it is checked against.
public struct Proof: Hashable, Sendable {
    package let challenge: RistrettoScalar
    package let response: RistrettoScalar

    static let byteCount = 64

    init(challenge: RistrettoScalar, response: RistrettoScalar) {
        self.challenge = challenge
        self.response = response
    }

    /// Reads challenge ‖ response.
    /// - Throws: ``ThresholdError/badScalar(_:file:line:)``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        guard bytes.count == Self.byteCount else { throw .badScalar("a proof of \(bytes.count) bytes") }
        challenge = try RistrettoScalar(decoding: bytes[..<32])
        response = try RistrettoScalar(decoding: bytes[32...])
    }

    /// Challenge ‖ response.
    public var encoding: [UInt8] { challenge.encoding.bytes + response.encoding.bytes }
}

/// A nonce that repeats only if secret, statement and randomness all do: the hash of all three. So a generator of
/// randomness that fails, or is rolled back, can't make two challenges share a nonce, and one that works hides the nonce
/// even from who learns much about the hash.
func hedgedNonce(secret: SecretScalar, statement: [UInt8], randomness: SecretBytes) -> SecretScalar {
    var transcript = Transcript("nonce")
    transcript.append(secret.encoding)
    transcript.append(randomness)
    transcript.append(statement)
    return transcript.secretScalar()
}
