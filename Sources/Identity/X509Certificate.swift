internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// An X.509 certificate of a network, node or actor with an elliptic-curve key, parsed.
public struct X509Certificate: Sendable, Hashable {
    let document: Certificate
    /// The DER form.
    public let der: [UInt8]
    /// The key that it certifies.
    public let publicKey: PublicKey

    /// Certificates over this size are refused.
    public static let byteCountMax = 1 << 16

    /// Parses the DER form.
    /// - Throws: ``IdentityError/malformedCertificate(_:file:line:)``, also for keys other than P-256 and P-384.
    public init(der: [UInt8]) throws(IdentityError) {
        guard der.count <= Self.byteCountMax else { throw .malformedCertificate("a certificate over 64 KiB") }
        do { document = try Certificate(derEncoded: der) } catch {
            throw .malformedCertificate("the bytes are no X.509 certificate")
        }
        // The library reads some encodings that are no DER, so that one certificate would have several byte forms.
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(document)) != nil, serializer.serializedBytes == der,
            Self.hasWholeByteSignature(der)
        else {
            throw .malformedCertificate("the certificate is not in DER")
        }
        guard let key = try? PublicKey(spki: Array(document.publicKey.subjectPublicKeyInfoDER)) else {
            throw .malformedCertificate("the certificate's key is neither P-256 nor P-384")
        }
        self.der = der
        publicKey = key
    }

    /// Parses a PEM document.
    /// - Throws: ``IdentityError/malformedCertificate(_:file:line:)``.
    public init(pem: String) throws(IdentityError) {
        try self.init(der: PEM.decode(pem, label: "CERTIFICATE"))
    }

    /// The certificate as a PEM document.
    public var pem: String { PEM.encode(der, label: "CERTIFICATE") }

    /// The subject's first common name, empty if it has none.
    public var commonName: String {
        for relative in document.subject {
            for attribute in relative where attribute.type == .RDNAttributeType.commonName {
                return String(attribute.value) ?? ""
            }
        }
        return ""
    }

    /// The subject as text, most specific part first.
    public var subject: String { document.subject.description }

    /// The serial number, big-endian.
    public var serial: [UInt8] { Array(document.serialNumber.bytes) }

    /// Start of validity in milliseconds since 1970; 0 when it is before.
    public var notBefore: UInt64 { Self.milliseconds(document.notValidBefore) }

    /// End of validity in milliseconds since 1970.
    public var notAfter: UInt64 { Self.milliseconds(document.notValidAfter) }

    /// Whether basic constraints make it an authority.
    public var isAuthority: Bool {
        if case .isCertificateAuthority? = try? document.extensions.basicConstraints { true } else { false }
    }

    /// DNS names among the subject's alternative names.
    public var dnsNames: [String] {
        guard let names = try? document.extensions.subjectAlternativeNames else { return [] }
        return names.compactMap { if case .dnsName(let name) = $0 { name } else { nil } }
    }

    /// Whether the certificate is signed by `key`, whatever it says of its issuer.
    public func isSigned(by key: PublicKey) -> Bool {
        let issuer: Certificate.PublicKey
        switch key.backing {
        case .p256(let key): issuer = Certificate.PublicKey(key)
        case .p384(let key): issuer = Certificate.PublicKey(key)
        }
        return issuer.isValidSignature(document.signature, for: document)
    }

    /// Whether the certificate is valid at `time`, in milliseconds since 1970.
    public func isValid(at time: UInt64) -> Bool {
        notBefore <= time && time <= notAfter
    }

    /// Certificates with the same bytes are equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.der == right.der
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(der)
    }

    /// Whether the signature's bit string says that it has no unused bits, as a signature must.
    private static func hasWholeByteSignature(_ der: [UInt8]) -> Bool {
        guard let root = try? DER.parse(der), case .constructed(let parts) = root.content else { return false }
        var last: ASN1Node?
        for part in parts { last = part }
        guard let last, last.identifier == .bitString, case .primitive(let bits) = last.content else { return false }
        return bits.first == 0
    }

    private static func milliseconds(_ date: Date) -> UInt64 {
        UInt64(exactly: (max(0, date.timeIntervalSince1970) * 1000).rounded()) ?? .max
    }
}

extension Certificate.PublicKey {
    /// The whole SubjectPublicKeyInfo in DER.
    fileprivate var subjectPublicKeyInfoDER: [UInt8] {
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(self)) != nil else { return [] }
        return serializer.serializedBytes
    }
}
