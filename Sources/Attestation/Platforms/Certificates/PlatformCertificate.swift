internal import Crypto
internal import Identity
internal import SwiftASN1

/// An X.509 certificate of a platform's maker, parsed (RFC 5280, 4.1).
///
/// A reader of its own, since AMD's certificates have what swift-certificates does not take: RSASSA-PSS signatures whose
/// parameters are no DER.
package struct PlatformCertificate: Sendable, Hashable {
    struct Extension: Sendable {
        let oid: String
        let isCritical: Bool
        let value: [UInt8]
    }

    /// Certificates over this size are refused.
    static let byteCountMax = 1 << 14

    /// The DER form.
    package let der: [UInt8]
    let signedBytes: [UInt8]
    let serial: [UInt8]
    let issuer: DistinguishedName
    let subject: DistinguishedName
    let validity: ValidityPeriod
    let key: CertificateKey
    let extensions: [Extension]
    let algorithm: SignatureAlgorithm
    let signature: [UInt8]

    /// Whether basic constraints make it an authority.
    let isAuthority: Bool
    /// Authorities that may stand below it, nil for any number.
    let pathLength: Int?
    /// Bits of the key usage, as in the DER form; nil without the extension.
    let keyUsage: [UInt8]?

    /// Extensions that are looked at when they are critical: basic constraints and key usage.
    private static let known = ["2.5.29.19", "2.5.29.15"]

    /// Parses the DER form.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    package init(der: [UInt8]) throws(AttestationError) {
        guard der.count <= Self.byteCountMax else { throw .malformed("a certificate over 16 KiB") }
        var fields = try DERFields(try DERValue.parse(der))
        let tbs = try fields.next()
        algorithm = try SignatureAlgorithm(try fields.next())
        signature = try DERValue.wholeBytes(try fields.next())
        try fields.finish()
        self.der = der
        signedBytes = Array(tbs.encodedBytes)

        var body = try DERFields(tbs)
        guard let version = body.next(if: DERValue.context(0)),
            try DERValue.integer(try DERValue.explicit(version)) == 2
        else { throw .malformed("a certificate that is not of version 3") }
        serial = try DERValue.integerBytes(try body.next())
        guard try SignatureAlgorithm(try body.next()) == algorithm else {
            throw .malformed("a certificate that names two signature algorithms")
        }
        issuer = try DistinguishedName(try body.next())
        var period = try DERFields(try body.next())
        validity = ValidityPeriod(
            from: try DERValue.time(try period.next()), until: try DERValue.time(try period.next()))
        try period.finish()
        subject = try DistinguishedName(try body.next())
        key = try CertificateKey(spki: try body.next())
        var extensions: [Extension] = []
        if let wrapped = body.next(if: DERValue.context(3)) {
            extensions = try Self.extensions(try DERValue.explicit(wrapped))
        }
        try body.finish()
        self.extensions = extensions
        let constraints = try extensions.first { $0.oid == "2.5.29.19" }.map { value throws(AttestationError) in
            try Self.constraints(value.value)
        }
        isAuthority = constraints?.isAuthority ?? false
        pathLength = constraints?.pathLength
        keyUsage = try extensions.first { $0.oid == "2.5.29.15" }.map { value throws(AttestationError) in
            let bits = try DERValue.content(try DERValue.parse(value.value), .bitString)
            guard bits.count >= 2 else { throw AttestationError.malformed("a key usage without bits") }
            return Array(bits.dropFirst())
        }
        for each in extensions where each.isCritical && !Self.known.contains(each.oid) {
            throw .malformed("a certificate with an unknown critical extension, \(each.oid)")
        }
    }

    /// The certificates of a PEM text, in its order. Anything between them, and trailing zeros, is passed over.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``, also when there is none or more than ten.
    package static func chain(pem: [UInt8]) throws(AttestationError) -> [PlatformCertificate] {
        try PEMBundle.documents(pem, label: "CERTIFICATE").map { der throws(AttestationError) in
            try PlatformCertificate(der: der)
        }
    }

    /// The value of an extension.
    func value(of oid: String) -> [UInt8]? { extensions.first { $0.oid == oid }?.value }

    /// SHA-256 of the DER form, by which roots are pinned.
    package var digest: [UInt8] { Array(SHA256.hash(data: der)) }

    /// Whether the certificate names itself as its issuer and is signed by its own key.
    var isSelfSigned: Bool { subject == issuer && isSigned(by: self) }

    /// Whether the certificate is signed by the key of `issuer`, whatever it says of its issuer.
    func isSigned(by issuer: PlatformCertificate) -> Bool {
        issuer.key.verifies(signature, over: signedBytes, algorithm)
    }

    /// Why this certificate is not one that `issuer` made as an authority; nil when it is.
    /// - Parameter authoritiesBelow: authorities between `issuer` and the end of the chain.
    func objection(to issuer: PlatformCertificate, authoritiesBelow: Int) -> String? {
        guard self.issuer == issuer.subject else {
            return "\(subject) names \(self.issuer) as its issuer, not \(issuer.subject)"
        }
        if let objection = issuer.objectionAsAuthority(authoritiesBelow: authoritiesBelow) { return objection }
        guard isSigned(by: issuer) else { return "\(subject) is not signed by \(issuer.subject)" }
        return nil
    }

    private func objectionAsAuthority(authoritiesBelow: Int) -> String? {
        guard isAuthority else { return "\(subject) is no authority" }
        if let pathLength, pathLength < authoritiesBelow { return "\(subject) may not have so many authorities below" }
        if let keyUsage, keyUsage[0] & 0x04 == 0 { return "\(subject) may not sign certificates" }
        return nil
    }

    private static func extensions(_ node: ASN1Node) throws(AttestationError) -> [Extension] {
        var found: [Extension] = []
        var fields = try DERFields(node)
        for each in fields.rest {
            var parts = try DERFields(each)
            let oid = try DERValue.oid(try parts.next())
            let isCritical = try parts.next(if: .boolean).map { node throws(AttestationError) in
                try DERValue.bool(node)
            }
            let value = try DERValue.content(try parts.next(), .octetString)
            try parts.finish()
            guard !found.contains(where: { $0.oid == oid }) else {
                throw .malformed("a certificate with an extension twice, \(oid)")
            }
            found.append(Extension(oid: oid, isCritical: isCritical ?? false, value: value))
        }
        return found
    }

    private static func constraints(
        _ value: [UInt8]
    ) throws(AttestationError) -> (isAuthority: Bool, pathLength: Int?) {
        var fields = try DERFields(try DERValue.parse(value))
        let isAuthority = try fields.next(if: .boolean).map { node throws(AttestationError) in
            try DERValue.bool(node)
        }
        let pathLength = try fields.next(if: .integer).map { node throws(AttestationError) in
            try DERValue.integer(node)
        }
        try fields.finish()
        return (isAuthority ?? false, pathLength)
    }

    /// Certificates with the same bytes are equal.
    package static func == (left: Self, right: Self) -> Bool { left.der == right.der }

    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

/// Texts that hold several PEM documents.
enum PEMBundle {
    static let byteCountMax = 1 << 16
    static let documentCountMax = 10

    /// DER forms of the documents with this label.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``, also when there is none or more than ten.
    static func documents(_ text: [UInt8], label: String) throws(AttestationError) -> [[UInt8]] {
        guard text.count <= byteCountMax else { throw .malformed("a PEM text over 64 KiB") }
        var documents: [[UInt8]] = []
        var body: [UInt8]?
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.elementsEqual("-----BEGIN \(label)-----".utf8) {
                guard body == nil else { throw .malformed("a PEM document within another") }
                body = []
            } else if line.elementsEqual("-----END \(label)-----".utf8) {
                guard let base64 = body, let text = String(validating: base64, as: UTF8.self),
                    let der = Base64.decode(text)
                else { throw .malformed("the body of a PEM document is no base64") }
                documents.append(der)
                guard documents.count <= documentCountMax else { throw .malformed("more than ten PEM documents") }
                body = nil
            } else if body != nil {
                body?.append(contentsOf: line)
            }
        }
        guard body == nil, !documents.isEmpty else { throw .malformed("no whole PEM document \(label)") }
        return documents
    }
}
