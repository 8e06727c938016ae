internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// What a certificate to be issued says. Time and serial come from the caller, so that issuing is a pure function but for
/// the signature's nonce.
public struct CertificateRequest: Sendable, Hashable {
    /// What the certificate is for; this decides basic constraints and key usage.
    public enum Purpose: Sendable, Hashable {
        /// The network's identity, or an organisation's: signs certificates, with this many authorities below it.
        case authority(pathLength: Int)
        /// A node: TLS server and client, signs Merkle roots.
        case node
        /// An actor: TLS client, signs requests.
        case actor

        fileprivate var isAuthority: Bool {
            if case .authority = self { true } else { false }
        }
    }

    /// A name besides the subject.
    public enum AlternativeName: Sendable, Hashable {
        /// A DNS name.
        case dns(String)
        /// An IPv4 address of 4 bytes or an IPv6 address of 16.
        case ip([UInt8])
    }

    /// Common name of the subject.
    public var commonName: String
    /// What it is for.
    public var purpose: Purpose
    /// Serial number, big-endian, 1 to 20 bytes of which the first is below 0x80; draw 16 random bytes.
    public var serial: [UInt8]
    /// Start of validity in milliseconds since 1970; only whole seconds are kept.
    public var notBefore: UInt64
    /// End of validity in milliseconds since 1970; only whole seconds are kept.
    public var notAfter: UInt64
    /// Other names; a node or actor without any gets the URI `urn:entente:COMMONNAME`, as verifiers want one.
    public var alternativeNames: [AlternativeName]

    /// A request with these contents.
    public init(
        commonName: String, purpose: Purpose, serial: [UInt8], notBefore: UInt64, notAfter: UInt64,
        alternativeNames: [AlternativeName] = []
    ) {
        self.commonName = commonName
        self.purpose = purpose
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.alternativeNames = alternativeNames
    }
}

extension X509Certificate {
    /// A certificate of `key`, signed by itself.
    /// - Throws: ``IdentityError/malformedCertificate(_:file:line:)`` for a request that makes no certificate,
    ///   ``IdentityError/signing(_:file:line:)``.
    public static func selfSigned(
        _ request: CertificateRequest, key: SigningKey
    ) throws(IdentityError) -> X509Certificate {
        let name = try distinguishedName(request.commonName)
        return try issue(request, for: key.publicKey, issuerName: name, issuerKey: key)
    }

    /// A certificate of `subjectKey`, signed by the authority `issuer` with its key.
    /// - Throws: as ``selfSigned(_:key:)``; ``IdentityError/untrusted(_:file:line:)`` when `issuer` is no authority or
    ///   `issuerKey` is not its key.
    public static func issue(
        _ request: CertificateRequest, for subjectKey: PublicKey, issuer: X509Certificate, issuerKey: SigningKey
    ) throws(IdentityError) -> X509Certificate {
        guard issuer.isAuthority else { throw .untrusted("the issuer's certificate is no authority's") }
        guard issuer.publicKey == issuerKey.publicKey else { throw .untrusted("the issuer's key is another") }
        return try issue(request, for: subjectKey, issuerName: issuer.document.subject, issuerKey: issuerKey)
    }

    private static func issue(
        _ request: CertificateRequest, for subjectKey: PublicKey, issuerName: DistinguishedName,
        issuerKey: SigningKey
    ) throws(IdentityError) -> X509Certificate {
        guard (1...20).contains(request.serial.count), request.serial[0] < 0x80,
            request.serial.contains(where: { $0 != 0 })
        else { throw .malformedCertificate("a serial number takes 1 to 20 bytes, is positive and not 0") }
        guard request.notBefore <= request.notAfter, request.notAfter < 253_402_300_800_000 else {
            throw .malformedCertificate("the validity ends before it begins, or after the year 9999")
        }
        let subject = try distinguishedName(request.commonName)
        do {
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(bytes: request.serial), publicKey: subjectKey.certificateKey,
                notValidBefore: Date(timeIntervalSince1970: Double(request.notBefore / 1000)),
                notValidAfter: Date(timeIntervalSince1970: Double(request.notAfter / 1000)),
                issuer: issuerName, subject: subject,
                signatureAlgorithm: issuerKey.publicKey.curve == .p256 ? .ecdsaWithSHA256 : .ecdsaWithSHA384,
                extensions: extensions(request, subjectKey, issuerKey.publicKey),
                issuerPrivateKey: issuerKey.certificateKey)
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return try X509Certificate(
                der: issuerKey.resigned(serializer.serializedBytes, toBeSigned: certificate.tbsCertificateBytes))
        } catch let error as IdentityError { throw error } catch {
            throw .signing("the library would not issue a certificate")
        }
    }

    private static func extensions(
        _ request: CertificateRequest, _ subjectKey: PublicKey, _ issuerKey: PublicKey
    ) throws -> Certificate.Extensions {
        var extensions = Certificate.Extensions()
        switch request.purpose {
        case .authority(let pathLength):
            try extensions.append(
                .init(BasicConstraints.isCertificateAuthority(maxPathLength: pathLength), critical: true))
            try extensions.append(
                .init(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true), critical: true))
        case .node:
            try extensions.append(.init(BasicConstraints.notCertificateAuthority, critical: true))
            try extensions.append(.init(KeyUsage(digitalSignature: true), critical: true))
            try extensions.append(.init(ExtendedKeyUsage([.serverAuth, .clientAuth]), critical: false))
        case .actor:
            try extensions.append(.init(BasicConstraints.notCertificateAuthority, critical: true))
            try extensions.append(.init(KeyUsage(digitalSignature: true), critical: true))
            try extensions.append(.init(ExtendedKeyUsage([.clientAuth]), critical: false))
        }
        try extensions.append(.init(SubjectKeyIdentifier(keyIdentifier: subjectKey.digest[..<20]), critical: false))
        try extensions.append(.init(AuthorityKeyIdentifier(keyIdentifier: issuerKey.digest[..<20]), critical: false))
        var names = request.alternativeNames.map { name -> GeneralName in
            switch name {
            case .dns(let name): .dnsName(name)
            case .ip(let bytes): .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
            }
        }
        if names.isEmpty, !request.purpose.isAuthority {
            names = [.uniformResourceIdentifier("urn:entente:\(request.commonName)")]
        }
        if !names.isEmpty { try extensions.append(.init(SubjectAlternativeNames(names), critical: false)) }
        return extensions
    }

    private static func distinguishedName(_ commonName: String) throws(IdentityError) -> DistinguishedName {
        guard (1...64).contains(commonName.utf8.count) else {
            throw .malformedCertificate("a common name takes 1 to 64 bytes")
        }
        return DistinguishedName([
            RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: commonName))
        ])
    }
}

extension PublicKey {
    fileprivate var certificateKey: Certificate.PublicKey {
        switch backing {
        case .p256(let key): Certificate.PublicKey(key)
        case .p384(let key): Certificate.PublicKey(key)
        }
    }
}

extension SigningKey {
    fileprivate var certificateKey: Certificate.PrivateKey {
        switch backing {
        case .p256(let key): Certificate.PrivateKey(key)
        case .p384(let key): Certificate.PrivateKey(key)
        }
    }
}
