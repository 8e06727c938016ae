public import Primitives

/// An actor's share outside of any node: sealed to the actor's own P-256 key, beside the public keys that it belongs to, so
/// that M such files and the ledger are all that recovery takes.
public struct ShareFile: Hashable, Sendable {
    /// The actor.
    public let actor: String
    /// The actor's index.
    public let index: ShareIndex
    /// The keys that the share is of.
    public let keys: PublicKeySet
    /// The public key, in X9.63 form, whose private key opens the file.
    public let recipientKey: [UInt8]
    private let box: SealedBox

    /// Seals a share to its actor's public key.
    ///
    /// - Parameters:
    ///   - share: The share.
    ///   - recipientKey: The actor's P-256 key in X9.63 form.
    ///   - randomness: 32 bytes or more.
    /// - Throws: ``ThresholdError``.
    public init(of share: KeyShare, to recipientKey: [UInt8], randomness: SecretBytes) throws(ThresholdError) {
        guard let member = share.keys.roster[share.index] else { throw .stale("a share of nobody on the roster") }
        guard randomness.count >= 32 else { throw .malformed("\(randomness.count) bytes of randomness") }
        actor = member.actor
        index = share.index
        keys = share.keys
        self.recipientKey = recipientKey
        let header = Self.header(member.actor, share.index, recipientKey, share.keys)
        var transcript = Transcript("share file")
        transcript.append(randomness)
        transcript.append(header)
        transcript.append(share.secret.encoding)
        box = try SealedBox(
            sealing: share.secret.encoding, to: recipientKey, info: Self.info, associatedData: header,
            randomness: transcript.secretBytes(32))
    }

    private static let info = Array("entente/v1/threshold/share file".utf8)

    private static func header(_ actor: String, _ index: ShareIndex, _ recipientKey: [UInt8], _ keys: PublicKeySet)
        -> [UInt8]
    {
        FieldWriter.message(
            "threshold.file.header", [.text(actor), .index(index), .bytes(recipientKey), .bytes(keys.encoded)])
    }

    /// Opens the share with the actor's private key, 32 bytes, and checks that it fits the keys.
    /// - Throws: ``ThresholdError/decryption(_:file:line:)``, ``ThresholdError/badShare(_:file:line:)``.
    public func open(with privateKey: SecretBytes) throws(ThresholdError) -> KeyShare {
        let header = Self.header(actor, index, recipientKey, keys)
        let secret = try box.open(with: privateKey, info: Self.info, associatedData: header)
        return try KeyShare(keys: keys, index: index, secret: try SecretScalar(decoding: secret))
    }

    /// Names the file in ``GenerationMessage/Body/ready(_:)``.
    public var digest: Bytes32 {
        var transcript = Transcript("share file digest")
        transcript.append(encoded)
        return transcript.digest()
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.file", count: 3)
        var header = try FieldReader(
            try reader.bytes("header", count: 1...FieldReader.messageBytesMax), kind: "threshold.file.header", count: 4)
        actor = try header.text("actor")
        index = try header.index("index")
        recipientKey = try header.bytes("recipient", count: SealedBox.encapsulatedKeyByteCount)
        keys = try PublicKeySet(decoding: try header.bytes("keys", count: 1...FieldReader.messageBytesMax))
        guard keys.roster[index]?.actor == actor else { throw .malformed("a share file of nobody on the roster") }
        box = SealedBox(
            encapsulatedKey: try reader.bytes("encapsulated key", count: SealedBox.encapsulatedKeyByteCount),
            ciphertext: try reader.bytes("ciphertext", count: 32 + SealedBox.tagByteCount))
    }

    /// CBOR `[1, "threshold.file", header, encapsulated key, ciphertext]`, the header being the bytes of CBOR
    /// `[1, "threshold.file.header", actor, index, recipient, keys]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.file",
            [
                .bytes(Self.header(actor, index, recipientKey, keys)), .bytes(box.encapsulatedKey),
                .bytes(box.ciphertext),
            ])
    }
}
