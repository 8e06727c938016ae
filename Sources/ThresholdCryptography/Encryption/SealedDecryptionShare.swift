public import Primitives

/// A decryption share on its way, sealed to the key that the request names. It opens for that request only.
public struct SealedDecryptionShare: Hashable, Sendable {
    /// Whose share it is.
    public let index: ShareIndex
    /// Digest of the committed request that it answers.
    public let requestDigest: Bytes32
    let box: SealedBox

    // A decryption share is 200 bytes; leave room for later versions.
    private static let ciphertextByteCounts = 1 + SealedBox.tagByteCount...1024

    /// Seals an encoded share; the ephemeral key is hashed from `randomness`, request and share.
    init(_ encoded: [UInt8], of index: ShareIndex, for request: CommittedRequest, randomness: SecretBytes)
        throws(ThresholdError)
    {
        self.index = index
        requestDigest = request.digest
        var encoded = encoded
        let secret = try SecretBytes(taking: &encoded)
        var transcript = Transcript("seal")
        transcript.append(randomness)
        transcript.append(request.digest.bytes)
        transcript.append(secret)
        box = try SealedBox(
            sealing: secret, to: request.request.recipientKey, info: Self.info,
            associatedData: Self.associatedData(index, request.digest), randomness: transcript.secretBytes(32))
    }

    private static let info = Array("entente/v1/threshold/decryption share".utf8)

    private static func associatedData(_ index: ShareIndex, _ request: Bytes32) -> [UInt8] {
        var transcript = Transcript("sealed share")
        transcript.append(index)
        transcript.append(request.bytes)
        return transcript.bytes(32)
    }

    /// Opens with the recipient's private key, 32 bytes of P-256.
    /// - Throws: ``ThresholdError/decryption(_:file:line:)``, ``ThresholdError/stale(_:file:line:)`` when it answers another
    ///   request or holds another actor's share.
    public func open(with privateKey: SecretBytes, for request: CommittedRequest) throws(ThresholdError)
        -> DecryptionShare
    {
        var bytes = try openBytes(with: privateKey, for: request)
        defer { erase(&bytes) }
        let share = try DecryptionShare(decoding: bytes)
        guard share.index == index else { throw .stale("a share of another actor than the envelope says") }
        return share
    }

    /// Opens a share of a ``PublicSharing`` in the same way.
    /// - Throws: As ``open(with:for:)``.
    public func openPublicShare(with privateKey: SecretBytes, for request: CommittedRequest) throws(ThresholdError)
        -> PublicDecryptionShare
    {
        var bytes = try openBytes(with: privateKey, for: request)
        defer { erase(&bytes) }
        let share = try PublicDecryptionShare(decoding: bytes)
        guard share.index == index else { throw .stale("a share of another actor than the envelope says") }
        return share
    }

    private func openBytes(with privateKey: SecretBytes, for request: CommittedRequest) throws(ThresholdError)
        -> [UInt8]
    {
        guard requestDigest == request.digest else { throw .stale("a share that answers another request") }
        let encoded = try box.open(
            with: privateKey, info: Self.info, associatedData: Self.associatedData(index, requestDigest))
        return encoded.withUnsafeBytes { Array($0) }
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.sealed", count: 4)
        index = try reader.index("index")
        requestDigest = try reader.digest("request")
        let key = try reader.bytes("encapsulated key", count: SealedBox.encapsulatedKeyByteCount)
        box = SealedBox(
            encapsulatedKey: key, ciphertext: try reader.bytes("ciphertext", count: Self.ciphertextByteCounts))
    }

    /// CBOR `[1, "threshold.sealed", index, request, encapsulated key, ciphertext]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.sealed",
            [.index(index), .digest(requestDigest), .bytes(box.encapsulatedKey), .bytes(box.ciphertext)])
    }
}

extension KeyShare {
    /// Answers a committed request: checks that it asks for this ciphertext, of this network, by this key set, and that the
    /// ciphertext is what the ledger says it is, then makes the share and seals it to the recipient.
    ///
    /// - Parameters:
    ///   - ciphertext: Found valid for this key.
    ///   - request: Committed on the ledger.
    ///   - label: What the policy allows to open: the label that the ledger has for it.
    ///   - randomness: 32 bytes or more.
    /// - Throws: ``ThresholdError/refused(_:file:line:)`` when the request is for something else,
    ///   ``ThresholdError/stale(_:file:line:)`` for another key.
    public func release(
        _ ciphertext: CheckedCiphertext, for request: CommittedRequest, expecting label: Label, randomness: SecretBytes
    ) throws(ThresholdError) -> SealedDecryptionShare {
        guard randomness.count >= 32 else { throw .malformed("\(randomness.count) bytes of randomness") }
        guard request.request.networkID == keys.networkID, request.request.keysDigest == keys.digest else {
            throw .refused("a request to holders of another key")
        }
        guard request.request.ciphertextDigest == ciphertext.digest else {
            throw .refused("a ciphertext other than the one of the request")
        }
        guard ciphertext.ciphertext.label == label else { throw .refused("a ciphertext with another label") }
        let share = try DecryptionShare(of: ciphertext, by: self, randomness: randomness)
        return try SealedDecryptionShare(share.encoded, of: index, for: request, randomness: randomness)
    }
}
