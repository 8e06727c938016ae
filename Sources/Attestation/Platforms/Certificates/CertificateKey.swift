internal import Crypto
internal import CryptoExtras
internal import SwiftASN1

/// How a certificate, revocation list or statement is signed.
enum SignatureAlgorithm: Sendable, Hashable {
    case ecdsaSHA256
    case ecdsaSHA384
    /// RSASSA-PSS with SHA-384, MGF1 of SHA-384 and 48 bytes of salt.
    case rsaPSSSHA384
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rsaSHA256
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    case rsaSHA384

    private static let sha384 = "2.16.840.1.101.3.4.2.2"

    /// An AlgorithmIdentifier (RFC 5280, 4.1.1.2; RFC 4055 for RSA).
    init(_ node: ASN1Node) throws(AttestationError) {
        var fields = try DERFields(node)
        let oid = try DERValue.oid(try fields.next())
        switch oid {
        case "1.2.840.10045.4.3.2": self = .ecdsaSHA256
        case "1.2.840.10045.4.3.3": self = .ecdsaSHA384
        case "1.2.840.113549.1.1.11":
            _ = fields.next(if: .null)
            self = .rsaSHA256
        case "1.2.840.113549.1.1.12":
            _ = fields.next(if: .null)
            self = .rsaSHA384
        case "1.2.840.113549.1.1.10":
            try Self.checkPSS(try fields.next())
            self = .rsaPSSSHA384
        default: throw .malformed("a signature algorithm that is not accepted: \(oid)")
        }
        try fields.finish()
    }

    /// RSASSA-PSS-params. The trailer field may stand there with its default value, which is no DER but AMD's habit.
    private static func checkPSS(_ node: ASN1Node) throws(AttestationError) {
        var fields = try DERFields(node)
        guard let hash = fields.next(if: DERValue.context(0)), let mask = fields.next(if: DERValue.context(1)),
            let salt = fields.next(if: DERValue.context(2))
        else { throw .malformed("RSASSA-PSS with the defaults of SHA-1") }
        try checkHash(try DERValue.explicit(hash))
        var maskFields = try DERFields(try DERValue.explicit(mask))
        guard try DERValue.oid(try maskFields.next()) == "1.2.840.113549.1.1.8" else {
            throw .malformed("RSASSA-PSS with a mask other than MGF1")
        }
        try checkHash(try maskFields.next())
        try maskFields.finish()
        guard try DERValue.integer(try DERValue.explicit(salt)) == 48 else {
            throw .malformed("RSASSA-PSS with a salt other than 48 bytes")
        }
        if let trailer = fields.next(if: DERValue.context(3)) {
            guard try DERValue.integer(try DERValue.explicit(trailer)) == 1 else {
                throw .malformed("RSASSA-PSS with an unknown trailer")
            }
        }
        try fields.finish()
    }

    private static func checkHash(_ node: ASN1Node) throws(AttestationError) {
        var fields = try DERFields(node)
        guard try DERValue.oid(try fields.next()) == sha384 else {
            throw .malformed("RSASSA-PSS with a hash other than SHA-384")
        }
        _ = fields.next(if: .null)
        try fields.finish()
    }
}

/// A public key out of a certificate.
enum CertificateKey: Sendable {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case rsa(_RSA.Signing.PublicKey)

    /// RSA keys of more bits than this are refused, since checking their signatures takes time.
    private static let modulusByteCountMax = 4096 / 8

    /// A SubjectPublicKeyInfo.
    init(spki node: ASN1Node) throws(AttestationError) {
        let bytes = Array(node.encodedBytes)
        if let key = try? P256.Signing.PublicKey(derRepresentation: bytes) {
            self = .p256(key)
        } else if let key = try? P384.Signing.PublicKey(derRepresentation: bytes) {
            self = .p384(key)
        } else if bytes.count <= Self.modulusByteCountMax + 64,
            let key = try? _RSA.Signing.PublicKey(derRepresentation: bytes)
        {
            self = .rsa(key)
        } else {
            throw .malformed("a certificate's key is on neither P-256 nor P-384, and no RSA key up to 4096 bits")
        }
    }

    /// Whether `signature`, in the form that X.509 has for the algorithm, is by this key over `message`.
    func verifies(_ signature: [UInt8], over message: [UInt8], _ algorithm: SignatureAlgorithm) -> Bool {
        switch (self, algorithm) {
        case (.p256(let key), .ecdsaSHA256):
            guard let parsed = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: SHA256.hash(data: message))
        case (.p384(let key), .ecdsaSHA384):
            guard let parsed = try? P384.Signing.ECDSASignature(derRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: SHA384.hash(data: message))
        case (.rsa(let key), .rsaPSSSHA384):
            return key.isValidSignature(
                .init(rawRepresentation: signature), for: SHA384.hash(data: message), padding: .PSS)
        case (.rsa(let key), .rsaSHA256):
            return key.isValidSignature(
                .init(rawRepresentation: signature), for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .rsaSHA384):
            return key.isValidSignature(
                .init(rawRepresentation: signature), for: SHA384.hash(data: message), padding: .insecurePKCS1v1_5)
        default: return false
        }
    }

    /// Whether `signature`, as r ‖ s, is by this elliptic-curve key over `message`, hashed with the curve's own hash.
    func verifies(raw signature: [UInt8], over message: [UInt8]) -> Bool {
        switch self {
        case .p256(let key):
            guard let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: SHA256.hash(data: message))
        case .p384(let key):
            guard let parsed = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: SHA384.hash(data: message))
        case .rsa: return false
        }
    }
}
