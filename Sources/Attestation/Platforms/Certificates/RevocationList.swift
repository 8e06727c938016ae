internal import SwiftASN1

/// A certificate revocation list (RFC 5280, 5.1), whole: no delta, no list for others than its issuer.
package struct RevocationList: Sendable {
    /// Lists over this size are refused.
    static let byteCountMax = 1 << 20

    let signedBytes: [UInt8]
    let issuer: DistinguishedName
    /// From its making to the next one.
    let validity: ValidityPeriod
    let serials: Set<[UInt8]>
    let algorithm: SignatureAlgorithm
    let signature: [UInt8]

    /// Extensions that say nothing that changes the meaning of the list: its number and its issuer's key id.
    private static let harmless = ["2.5.29.20", "2.5.29.35"]

    /// Parses the DER form, or a PEM document.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    package init(_ bytes: [UInt8]) throws(AttestationError) {
        if bytes.starts(with: "-----BEGIN".utf8) {
            try self.init(der: try PEMBundle.documents(bytes, label: "X509 CRL")[0])
        } else {
            try self.init(der: bytes)
        }
    }

    private init(der: [UInt8]) throws(AttestationError) {
        guard der.count <= Self.byteCountMax else { throw .malformed("a revocation list over 1 MiB") }
        var fields = try DERFields(try DERValue.parse(der))
        let tbs = try fields.next()
        algorithm = try SignatureAlgorithm(try fields.next())
        signature = try DERValue.wholeBytes(try fields.next())
        try fields.finish()
        signedBytes = Array(tbs.encodedBytes)

        var body = try DERFields(tbs)
        if let version = body.next(if: .integer) {
            guard try DERValue.integer(version) == 1 else { throw .malformed("a revocation list of another version") }
        }
        guard try SignatureAlgorithm(try body.next()) == algorithm else {
            throw .malformed("a revocation list that names two signature algorithms")
        }
        issuer = try DistinguishedName(try body.next())
        let from = try DERValue.time(try body.next())
        guard let next = body.next(if: .utcTime) ?? body.next(if: .generalizedTime) else {
            throw .malformed("a revocation list that never ends")
        }
        validity = ValidityPeriod(from: from, until: try DERValue.time(next))
        var serials: Set<[UInt8]> = []
        if let revoked = body.next(if: .sequence) {
            var entries = try DERFields(revoked)
            for each in entries.rest {
                var entry = try DERFields(each)
                serials.insert(try DERValue.integerBytes(try entry.next()))
                _ = try DERValue.time(try entry.next())
                if let extensions = entry.next(if: .sequence) { try Self.check(extensions, known: []) }
                try entry.finish()
            }
        }
        self.serials = serials
        if let wrapped = body.next(if: DERValue.context(0)) {
            try Self.check(try DERValue.explicit(wrapped), known: Self.harmless)
        }
        try body.finish()
    }

    /// Refuses extensions that are critical and unknown, since they may change what the list is about.
    private static func check(_ node: ASN1Node, known: [String]) throws(AttestationError) {
        var fields = try DERFields(node)
        for each in fields.rest {
            var parts = try DERFields(each)
            let oid = try DERValue.oid(try parts.next())
            if let critical = parts.next(if: .boolean), try DERValue.bool(critical), !known.contains(oid) {
                throw .malformed("a revocation list with an unknown critical extension, \(oid)")
            }
            _ = try DERValue.content(try parts.next(), .octetString)
            try parts.finish()
        }
    }

    /// Why this list is not one that `authority` made; nil when it is.
    func objection(to authority: PlatformCertificate) -> String? {
        guard issuer == authority.subject else { return "the list is by \(issuer), not by \(authority.subject)" }
        if let keyUsage = authority.keyUsage, keyUsage[0] & 0x02 == 0 {
            return "\(authority.subject) may not sign revocation lists"
        }
        guard authority.key.verifies(signature, over: signedBytes, algorithm) else {
            return "the list is not signed by \(authority.subject)"
        }
        return nil
    }

    /// Whether the certificate, which must be by the list's issuer, is revoked.
    func lists(_ certificate: PlatformCertificate) -> Bool { serials.contains(certificate.serial) }
}
