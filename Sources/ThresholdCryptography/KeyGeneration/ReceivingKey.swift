internal import Primitives

/// An actor's long-term key on ristretto255, to which dealers encrypt the actor's shares. It stays with the actor; it is
/// not the share, and outlives many shares.
public struct ReceivingKey: Sendable {
    let secret: SecretScalar
    /// The public key.
    public let publicKey: RistrettoElement

    /// The key that follows from at least 32 secret random bytes, the same each time.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` for fewer bytes.
    public init(seed: SecretBytes) throws(ThresholdError) {
        guard seed.count >= 32 else { throw .malformed("a seed of \(seed.count) bytes") }
        var transcript = Transcript("receiving key")
        transcript.append(seed)
        try self.init(secret: transcript.secretScalar())
    }

    init(secret: SecretScalar) throws(ThresholdError) {
        guard !secret.isZero else { throw .badScalar("a receiving key that is zero") }
        self.secret = secret
        publicKey = secret.timesGenerator
    }

    /// What the actor hands in to be put on a roster.
    public func registration(networkID: String, actor: String, index: ShareIndex, randomness: SecretBytes)
        -> ReceivingKeyRegistration
    {
        let statement = ReceivingKeyRegistration.statement(publicKey, networkID, actor, index)
        return ReceivingKeyRegistration(key: publicKey, proof: statement.prove(secret, randomness: randomness))
    }
}

/// A receiving key, and the proof that its private key is known to who registers it, for this actor alone.
public struct ReceivingKeyRegistration: Hashable, Sendable {
    let key: RistrettoElement
    let proof: Proof

    static func statement(_ key: RistrettoElement, _ networkID: String, _ actor: String, _ index: ShareIndex)
        -> KnowledgeStatement
    {
        var transcript = Transcript("registration")
        transcript.append(networkID)
        transcript.append(actor)
        transcript.append(index)
        return KnowledgeStatement(purpose: "registration", context: transcript.bytes(32), element: key)
    }

    func isValid(networkID: String, actor: String, index: ShareIndex) -> Bool {
        Self.statement(key, networkID, actor, index).isProved(by: proof)
    }

    init(key: RistrettoElement, proof: Proof) {
        self.key = key
        self.proof = proof
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.registration", count: 2)
        key = try reader.element("key")
        proof = try reader.proof("proof")
    }

    /// CBOR `[1, "threshold.registration", key, proof]`.
    public var encoded: [UInt8] { FieldWriter.message("threshold.registration", [.element(key), .proof(proof)]) }
}
