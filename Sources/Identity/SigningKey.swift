internal import Crypto
internal import FoundationEssentials

/// A P-256 or P-384 private key of a node, a network or an actor. Made from bytes that its caller drew: nothing here is
/// random but the per-signature nonce of the cryptographic library.
public struct SigningKey: Sendable {
    enum Backing: Sendable {
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
    }

    let backing: Backing
    /// The key that verifies what this one signs.
    public let publicKey: PublicKey

    /// Reads a private scalar, big-endian: 32 bytes for P-256, 48 for P-384. One random string in 2^32 is no P-256
    /// scalar: draw again then.
    /// - Throws: ``IdentityError/malformedKey(_:file:line:)`` when it is zero, over the group order or of another length.
    public init(rawRepresentation bytes: [UInt8], curve: Curve = .p256) throws(IdentityError) {
        guard bytes.count == curve.coordinateByteCount else { throw .malformedKey("a scalar of \(bytes.count) bytes") }
        switch curve {
        case .p256:
            guard let key = try? P256.Signing.PrivateKey(rawRepresentation: bytes) else {
                throw .malformedKey("the bytes are no P-256 scalar")
            }
            backing = .p256(key)
            publicKey = PublicKey(key.publicKey)
        case .p384:
            guard let key = try? P384.Signing.PrivateKey(rawRepresentation: bytes) else {
                throw .malformedKey("the bytes are no P-384 scalar")
            }
            backing = .p384(key)
            publicKey = PublicKey(key.publicKey)
        }
    }

    /// Reads a PEM document, PKCS #8 or SEC 1.
    /// - Throws: ``IdentityError/malformedKey(_:file:line:)``.
    public init(pem: String) throws(IdentityError) {
        guard pem.utf8.count <= 1 << 16 else { throw .malformedKey("a PEM document over 64 KiB") }
        if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            backing = .p256(key)
            publicKey = PublicKey(key.publicKey)
        } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: pem) {
            backing = .p384(key)
            publicKey = PublicKey(key.publicKey)
        } else {
            throw .malformedKey("no PEM document of a P-256 or P-384 private key")
        }
    }

    /// The private scalar, big-endian, for sealing.
    public var rawRepresentation: [UInt8] {
        switch backing {
        case .p256(let key): [UInt8](key.rawRepresentation)
        case .p384(let key): [UInt8](key.rawRepresentation)
        }
    }

    /// The key as a PKCS #8 PEM document.
    public var pem: String {
        switch backing {
        case .p256(let key): key.pemRepresentation + "\n"
        case .p384(let key): key.pemRepresentation + "\n"
        }
    }

    /// Signs a `digest` of 32 bytes as it is.
    /// - Returns: the signature in DER.
    /// - Throws: ``IdentityError/signing(_:file:line:)``.
    public func signature(digest: [UInt8]) throws(IdentityError) -> [UInt8] {
        guard digest.count == Prehashed.byteCount else { throw .signing("a digest of \(digest.count) bytes") }
        do {
            switch backing {
            case .p256(let key) where Self.derivesNonces:
                return [UInt8](try Self.derivedSignature(of: digest, key).derRepresentation)
            case .p256(let key): return [UInt8](try key.signature(for: Prehashed(bytes: digest)).derRepresentation)
            case .p384(let key): return [UInt8](try key.signature(for: Prehashed(bytes: digest)).derRepresentation)
            }
        } catch { throw .signing("the library would not sign a digest") }
    }

    /// Signs `message` as ES256 or ES384 say (RFC 9053, 2.1).
    /// - Returns: the signature as r ‖ s.
    /// - Throws: ``IdentityError/signing(_:file:line:)``.
    public func rawSignature(message: [UInt8]) throws(IdentityError) -> [UInt8] {
        do {
            switch backing {
            case .p256(let key) where Self.derivesNonces:
                let digest = Array(SHA256.hash(data: message))
                return [UInt8](try Self.derivedSignature(of: digest, key).rawRepresentation)
            case .p256(let key):
                return [UInt8](try key.signature(for: SHA256.hash(data: message)).rawRepresentation)
            case .p384(let key):
                return [UInt8](try key.signature(for: SHA384.hash(data: message)).rawRepresentation)
            }
        } catch { throw .signing("the library would not sign a message") }
    }
}
