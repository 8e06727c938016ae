internal import Primitives

/// "Whoever made this proof knew the discrete logarithm of `element`" (Schnorr), bound to a purpose and a context. A dealer
/// that can prove it for its constant term did not choose that as a function of others' (the rogue-key attack).
public struct KnowledgeStatement: Sendable {
    private let purpose: String
    private let context: [UInt8]
    private let element: RistrettoElement

    /// The statement; `context` is all that the proof must not be moved away from.
    public init(purpose: String, context: [UInt8], element: RistrettoElement) {
        self.purpose = purpose
        self.context = context
        self.element = element
    }

    /// A proof, by one who knows the discrete logarithm `secret`.
    package func prove(_ secret: SecretScalar, randomness: SecretBytes) -> Proof {
        var statement = Array("knowledge".utf8)
        statement += transcript().bytes(64)
        let nonce = hedgedNonce(secret: secret, statement: statement, randomness: randomness)
        let challenge = challenge(nonce.timesGenerator)
        return Proof(challenge: challenge, response: secret.response(nonce: nonce, challenge: challenge))
    }

    /// Whether the proof holds. The identity, whose logarithm everyone knows, is never proved.
    public func isProved(by proof: Proof) -> Bool {
        guard !element.isIdentity else { return false }
        let commitment = proof.response.timesGenerator + proof.challenge * element
        return challenge(commitment) == proof.challenge
    }

    private func transcript() -> Transcript {
        var transcript = Transcript("knowledge")
        transcript.append(purpose)
        transcript.append(context)
        transcript.append(element)
        return transcript
    }

    private func challenge(_ commitment: RistrettoElement) -> RistrettoScalar {
        var transcript = transcript()
        transcript.append(commitment)
        return transcript.scalar()
    }
}
