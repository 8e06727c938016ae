public import Primitives

/// What an encrypted key is, part of its ciphertext: nobody can show the ciphertext as that of another epoch, network or
/// purpose.
public struct Label: Hashable, Sendable {
    /// The network.
    public let networkID: String
    /// The epoch whose key is encrypted.
    public let epoch: UInt64
    /// Which key of that epoch.
    public let keyID: UInt64
    /// The shared key that it is encrypted to: ``PublicKeySet/keyID``; 0 when it is shared in public instead.
    public let sharedKeyID: UInt64
    /// Digest of the constitution in force.
    public let constitutionDigest: Bytes32
    /// What for, such as "session key".
    public let purpose: String

    /// A label.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` for texts that are not 1 to 128 printable ASCII characters.
    public init(
        networkID: String, epoch: UInt64, keyID: UInt64, sharedKeyID: UInt64, constitutionDigest: Bytes32,
        purpose: String
    ) throws(ThresholdError) {
        guard FieldReader.isPlain(networkID), FieldReader.isPlain(purpose) else {
            throw .malformed("a label with a text that is no printable ASCII")
        }
        self.networkID = networkID
        self.epoch = epoch
        self.keyID = keyID
        self.sharedKeyID = sharedKeyID
        self.constitutionDigest = constitutionDigest
        self.purpose = purpose
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.label", count: 6)
        networkID = try reader.text("network id")
        epoch = try reader.unsigned("epoch")
        keyID = try reader.unsigned("key id")
        sharedKeyID = try reader.unsigned("shared key id")
        constitutionDigest = try reader.digest("constitution")
        purpose = try reader.text("purpose")
    }

    /// CBOR `[1, "threshold.label", network id, epoch, key id, shared key id, constitution, purpose]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.label",
            [
                .text(networkID), .unsigned(epoch), .unsigned(keyID), .unsigned(sharedKeyID),
                .digest(constitutionDigest), .text(purpose),
            ])
    }
}
