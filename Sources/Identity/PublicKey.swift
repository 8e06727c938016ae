internal import Crypto
internal import FoundationEssentials
internal import Primitives

/// Elliptic curves of keys that sign ledgers: ours use P-256, CCF's own use P-384 by default.
public enum Curve: Sendable, Hashable {
    /// NIST P-256, with SHA-256 (ES256).
    case p256
    /// NIST P-384, with SHA-384 (ES384).
    case p384

    /// Bytes of a coordinate; a raw signature has two.
    public var coordinateByteCount: Int { self == .p256 ? 32 : 48 }

    /// r ‖ s of a signature in DER (RFC 3279, 2.2.3), as devices and key services give it; nil when it is none.
    public func rawSignature(der: [UInt8]) -> [UInt8]? {
        switch self {
        case .p256: (try? P256.Signing.ECDSASignature(derRepresentation: der)).map { [UInt8]($0.rawRepresentation) }
        case .p384: (try? P384.Signing.ECDSASignature(derRepresentation: der)).map { [UInt8]($0.rawRepresentation) }
        }
    }
}

/// A public key that verifies ECDSA signatures.
public struct PublicKey: Sendable, Hashable {
    enum Backing: Sendable {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
    }

    let backing: Backing
    /// The DER form of SubjectPublicKeyInfo (RFC 5480).
    public let spki: [UInt8]

    init(_ key: P256.Signing.PublicKey) {
        backing = .p256(key)
        spki = [UInt8](key.derRepresentation)
    }

    init(_ key: P384.Signing.PublicKey) {
        backing = .p384(key)
        spki = [UInt8](key.derRepresentation)
    }

    /// Reads the DER form of SubjectPublicKeyInfo; only the form that ``spki`` gives is accepted.
    /// - Throws: ``IdentityError/malformedKey(_:file:line:)``.
    public init(spki: [UInt8]) throws(IdentityError) {
        if let key = try? P256.Signing.PublicKey(derRepresentation: spki) {
            self.init(key)
        } else if let key = try? P384.Signing.PublicKey(derRepresentation: spki) {
            self.init(key)
        } else {
            throw .malformedKey("no SubjectPublicKeyInfo of a P-256 or P-384 key")
        }
        guard self.spki == spki else { throw .malformedKey("a SubjectPublicKeyInfo that is not in its usual form") }
    }

    /// The key's curve.
    public var curve: Curve {
        switch backing {
        case .p256: .p256
        case .p384: .p384
        }
    }

    /// SHA-256 of ``spki``, 32 bytes.
    public var digest: [UInt8] { Array(SHA256.hash(data: spki)) }

    /// ``digest`` in lower-case hexadecimal: CCF's node id, and the key id in its COSE signatures.
    public var id: String { Hex.encode(digest) }

    /// The key as a PEM document.
    public var pem: String { PEM.encode(spki, label: "PUBLIC KEY") }

    /// Whether `signature`, in DER, is by this key over a `digest` of 32 bytes that is taken as it is.
    public func verifies(derSignature signature: [UInt8], digest: [UInt8]) -> Bool {
        guard digest.count == Prehashed.byteCount else { return false }
        switch backing {
        case .p256(let key):
            guard let parsed = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
            return [UInt8](parsed.derRepresentation) == signature
                && key.isValidSignature(parsed, for: Prehashed(bytes: digest))
        case .p384(let key):
            guard let parsed = try? P384.Signing.ECDSASignature(derRepresentation: signature) else { return false }
            return [UInt8](parsed.derRepresentation) == signature
                && key.isValidSignature(parsed, for: Prehashed(bytes: digest))
        }
    }

    /// Whether `signature`, as r ‖ s, is by this key over `message`, hashed with the curve's own hash as ES256 and ES384
    /// say (RFC 9053, 2.1).
    public func verifies(rawSignature signature: [UInt8], message: [UInt8]) -> Bool {
        switch backing {
        case .p256(let key):
            guard let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: SHA256.hash(data: message))
        case .p384(let key):
            guard let parsed = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: SHA384.hash(data: message))
        }
    }

    /// Keys with the same bytes are equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.spki == right.spki
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(spki)
    }
}
