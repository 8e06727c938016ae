public import Primitives

/// One actor's part in opening a ciphertext: u_j = x_j · u, and the proof that it is that (log_G Y_j = log_u u_j).
/// M of them open the ciphertext, so it is a secret until it is sealed to whom it is for.
public struct DecryptionShare: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Whose it is.
    public let index: ShareIndex
    /// The key set, by digest: a share of another roster or generation is none.
    public let keysDigest: Bytes32
    /// The ciphertext, by digest.
    public let ciphertextDigest: Bytes32
    let element: RistrettoElement
    let proof: Proof

    /// Makes the share, by the rule of ``KeyShare/release(_:for:expecting:randomness:)`` alone.
    package init(of checked: CheckedCiphertext, by share: KeyShare, randomness: SecretBytes) throws(ThresholdError) {
        guard checked.publicKey == share.keys.publicKey else { throw .stale("a ciphertext to another key") }
        index = share.index
        keysDigest = share.keys.digest
        ciphertextDigest = checked.digest
        element = share.secret * checked.ciphertext.u
        let statement = Self.statement(
            share.keys, checked, index, key: share.secret.timesGenerator, element: element)
        proof = statement.prove(share.secret, randomness: randomness)
    }

    private static func statement(
        _ keys: PublicKeySet, _ checked: CheckedCiphertext, _ index: ShareIndex, key: RistrettoElement,
        element: RistrettoElement
    ) -> EqualityStatement {
        var transcript = Transcript("decryption share")
        transcript.append(keys.digest.bytes)
        transcript.append(checked.digest.bytes)
        transcript.append(index)
        return EqualityStatement(
            purpose: "decryption share", context: transcript.bytes(32), key: key, points: [checked.ciphertext.u],
            products: [element])
    }

    /// Checks the share against ciphertext and keys.
    /// - Throws: ``ThresholdError/stale(_:file:line:)`` for another ciphertext, roster or generation,
    ///   ``ThresholdError/badProof(_:file:line:)`` for a wrong share.
    public func verified(for checked: CheckedCiphertext, keys: PublicKeySet) throws(ThresholdError)
        -> VerifiedDecryptionShare
    {
        guard checked.publicKey == keys.publicKey else { throw .stale("a ciphertext to another key") }
        guard keysDigest == keys.digest else { throw .stale("a decryption share of another roster or generation") }
        guard ciphertextDigest == checked.digest else { throw .stale("a decryption share of another ciphertext") }
        guard let key = keys.shareKey(at: index) else { throw .stale("a decryption share of nobody on the roster") }
        guard Self.statement(keys, checked, index, key: key, element: element).isProved(by: proof) else {
            throw .badProof("the decryption share of index \(index)")
        }
        return VerifiedDecryptionShare(share: self)
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.share", count: 5)
        index = try reader.index("index")
        keysDigest = try reader.digest("keys")
        ciphertextDigest = try reader.digest("ciphertext")
        element = try reader.element("share")
        proof = try reader.proof("proof")
    }

    /// CBOR `[1, "threshold.share", index, keys, ciphertext, u_j, proof]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.share",
            [.index(index), .digest(keysDigest), .digest(ciphertextDigest), .element(element), .proof(proof)])
    }

    /// Tells whose share it is, nothing of the share.
    public var description: String { "DecryptionShare(index \(index))" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A decryption share whose proof holds.
public struct VerifiedDecryptionShare: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The share.
    public let share: DecryptionShare

    /// Tells whose share it is, nothing of the share.
    public var description: String { share.description }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CheckedCiphertext {
    /// Opens the ciphertext with shares of M different actors or more; which M makes no difference.
    /// - Throws: ``ThresholdError/tooFew(_:file:line:)``, ``ThresholdError/stale(_:file:line:)`` for shares of another
    ///   ciphertext, roster or generation, as after a resharing.
    public func open(with shares: [VerifiedDecryptionShare], keys: PublicKeySet) throws(ThresholdError) -> SecretBytes {
        guard publicKey == keys.publicKey else { throw .stale("a ciphertext to another key") }
        var values: [ShareIndex: RistrettoElement] = [:]
        for share in shares.map(\.share) {
            guard share.keysDigest == keys.digest, share.ciphertextDigest == digest else {
                throw .stale("a decryption share of another ciphertext, roster or generation")
            }
            values[share.index] = share.element
        }
        let threshold = keys.roster.threshold
        guard values.count >= threshold else {
            throw .tooFew("decryption shares of \(values.count) actors, where \(threshold) are needed")
        }
        let chosen = values.sorted { $0.key < $1.key }.prefix(threshold).map { (index: $0.key, element: $0.value) }
        return ciphertext.unmask(try Lagrange.combine(chosen))
    }
}
