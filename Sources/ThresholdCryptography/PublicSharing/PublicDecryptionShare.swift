public import Primitives

/// One actor's part in opening a ``PublicSharing``: S_j = y_j / sk_j, and the proof that it is that.
public struct PublicDecryptionShare: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Whose it is.
    public let index: ShareIndex
    /// The sharing, by digest.
    public let sharingDigest: Bytes32
    let element: RistrettoElement
    let proof: Proof

    /// Makes the share, by the rule of ``ReceivingKey/release(_:for:expecting:randomness:)`` alone.
    package init(of checked: CheckedPublicSharing, by key: ReceivingKey, randomness: SecretBytes)
        throws(ThresholdError)
    {
        let roster = checked.sharing.roster
        guard let place = roster.members.firstIndex(where: { $0.receivingKey == key.publicKey }),
            let inverse = key.secret.inverse
        else { throw .refused("a public sharing to a roster without this receiving key") }
        index = roster.members[place].index
        sharingDigest = checked.digest
        element = inverse * checked.sharing.shares[place]
        let statement = Self.statement(checked, place, element)
        proof = statement.prove(key.secret, randomness: randomness)
    }

    private static func statement(_ checked: CheckedPublicSharing, _ place: Int, _ element: RistrettoElement)
        -> EqualityStatement
    {
        let member = checked.sharing.roster.members[place]
        var transcript = Transcript("public decryption share")
        transcript.append(checked.digest.bytes)
        transcript.append(member.index)
        return EqualityStatement(
            purpose: "public decryption share", context: transcript.bytes(32), key: member.receivingKey,
            points: [element], products: [checked.sharing.shares[place]])
    }

    /// Checks the share.
    /// - Throws: ``ThresholdError/stale(_:file:line:)`` for another sharing, ``ThresholdError/badProof(_:file:line:)``.
    public func verified(for checked: CheckedPublicSharing) throws(ThresholdError) -> VerifiedPublicDecryptionShare {
        guard sharingDigest == checked.digest else { throw .stale("a share of another public sharing") }
        guard let place = checked.sharing.roster.members.firstIndex(where: { $0.index == index }) else {
            throw .stale("a share of nobody on the roster")
        }
        guard Self.statement(checked, place, element).isProved(by: proof) else {
            throw .badProof("the share of index \(index)")
        }
        return VerifiedPublicDecryptionShare(share: self)
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.public.share", count: 4)
        index = try reader.index("index")
        sharingDigest = try reader.digest("sharing")
        element = try reader.element("share")
        proof = try reader.proof("proof")
    }

    /// CBOR `[1, "threshold.public.share", index, sharing, S_j, proof]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.public.share", [.index(index), .digest(sharingDigest), .element(element), .proof(proof)])
    }

    /// Tells whose share it is, nothing of the share.
    public var description: String { "PublicDecryptionShare(index \(index))" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A share of a public sharing whose proof holds.
public struct VerifiedPublicDecryptionShare: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The share.
    public let share: PublicDecryptionShare

    /// Tells whose share it is, nothing of the share.
    public var description: String { share.description }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CheckedPublicSharing {
    /// Opens the secret with shares of M different actors or more.
    /// - Throws: ``ThresholdError/tooFew(_:file:line:)``, ``ThresholdError/stale(_:file:line:)``.
    public func open(with shares: [VerifiedPublicDecryptionShare]) throws(ThresholdError) -> SecretBytes {
        var values: [ShareIndex: RistrettoElement] = [:]
        for share in shares.map(\.share) {
            guard share.sharingDigest == digest else { throw .stale("a share of another public sharing") }
            values[share.index] = share.element
        }
        let threshold = sharing.roster.threshold
        guard values.count >= threshold else {
            throw .tooFew("shares of \(values.count) actors, where \(threshold) are needed")
        }
        let chosen = values.sorted { $0.key < $1.key }.prefix(threshold).map { (index: $0.key, element: $0.value) }
        return sharing.unmask(try Lagrange.combine(chosen))
    }
}

extension ReceivingKey {
    /// Answers a committed request for a public sharing, as ``KeyShare/release(_:for:expecting:randomness:)`` does for a
    /// ciphertext.
    /// - Throws: ``ThresholdError/refused(_:file:line:)`` when the request is for something else.
    public func release(
        _ checked: CheckedPublicSharing, for request: CommittedRequest, expecting label: Label, randomness: SecretBytes
    ) throws(ThresholdError) -> SealedDecryptionShare {
        guard randomness.count >= 32 else { throw .malformed("\(randomness.count) bytes of randomness") }
        guard request.request.networkID == checked.sharing.label.networkID,
            request.request.keysDigest == checked.rosterDigest
        else { throw .refused("a request to another roster") }
        guard request.request.ciphertextDigest == checked.digest else {
            throw .refused("a public sharing other than the one of the request")
        }
        guard checked.sharing.label == label else { throw .refused("a public sharing with another label") }
        let share = try PublicDecryptionShare(of: checked, by: self, randomness: randomness)
        return try SealedDecryptionShare(
            share.encoded, of: share.index, for: request, randomness: randomness)
    }
}
