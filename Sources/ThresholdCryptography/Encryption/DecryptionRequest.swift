public import Primitives

/// A request to open a ciphertext, as it stands on the ledger: who asks, for what, why, and to whose key the shares are
/// sealed.
public struct DecryptionRequest: Hashable, Sendable {
    /// The network.
    public let networkID: String
    /// The key set whose holders are asked.
    public let keysDigest: Bytes32
    /// What is to be opened.
    public let ciphertextDigest: Bytes32
    /// Who asks: an actor or node id.
    public let requester: String
    /// The P-256 key, in X9.63 form, to which shares are sealed.
    public let recipientKey: [UInt8]
    /// Why.
    public let reason: String

    /// A request.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` for texts that are not 1 to 128 printable ASCII characters or
    ///   a key of another length.
    public init(
        networkID: String, keysDigest: Bytes32, ciphertextDigest: Bytes32, requester: String, recipientKey: [UInt8],
        reason: String
    ) throws(ThresholdError) {
        guard FieldReader.isPlain(networkID), FieldReader.isPlain(requester), FieldReader.isPlain(reason) else {
            throw .malformed("a decryption request with a text that is no printable ASCII")
        }
        guard recipientKey.count == SealedBox.encapsulatedKeyByteCount, recipientKey.first == 4 else {
            throw .malformed("a recipient's key that is no uncompressed point")
        }
        self.networkID = networkID
        self.keysDigest = keysDigest
        self.ciphertextDigest = ciphertextDigest
        self.requester = requester
        self.recipientKey = recipientKey
        self.reason = reason
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.request", count: 6)
        try self.init(
            networkID: try reader.text("network id"), keysDigest: try reader.digest("keys"),
            ciphertextDigest: try reader.digest("ciphertext"), requester: try reader.text("requester"),
            recipientKey: try reader.bytes("recipient", count: SealedBox.encapsulatedKeyByteCount),
            reason: try reader.text("reason"))
    }

    /// CBOR `[1, "threshold.request", network id, keys, ciphertext, requester, recipient, reason]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.request",
            [
                .text(networkID), .digest(keysDigest), .digest(ciphertextDigest), .text(requester),
                .bytes(recipientKey), .text(reason),
            ])
    }
}

/// A request that the caller found committed on the ledger. There is no other way to a share, so that asking without a record
/// can't be forgotten: whoever makes one vouches for the record.
public struct CommittedRequest: Hashable, Sendable {
    /// The request.
    public let request: DecryptionRequest
    /// Digest of the request and the ledger position where it is committed.
    public let digest: Bytes32

    /// The request of a committed entry.
    public init(_ request: DecryptionRequest, view: UInt64, seqno: UInt64) {
        self.request = request
        var transcript = Transcript("request")
        transcript.append(request.encoded)
        transcript.append(view)
        transcript.append(seqno)
        digest = transcript.digest()
    }
}
