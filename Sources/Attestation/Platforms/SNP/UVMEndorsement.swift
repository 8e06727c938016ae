internal import Identity
internal import Primitives

/// An endorsement of a launch measurement by the maker of the utility VM in which containers run (Azure ACI): a
/// COSE_Sign1 whose certificates lead to the `did:x509` that it names as its issuer.
package struct UVMEndorsement: Sendable {
    private let message: CoseSign1
    private let algorithm: Int64
    private let chain: [PlatformCertificate]
    /// `did:x509:0:sha256:…::eku:…`.
    let issuer: String
    /// What kind of thing is endorsed, such as `ContainerPlat-AMD-UVM`.
    let feed: String
    let contentType: String
    private let payload: [UInt8]

    /// Endorsements over this size are refused.
    static let byteCountMax = 1 << 16
    private static let contentTypeLabel: Int64 = 3
    private static let chainLabel: Int64 = 33
    /// RSASSA-PSS with SHA-384, and ECDSA with SHA-384 (RFC 8230, RFC 9053).
    private static let ps384: Int64 = -38
    private static let es384: Int64 = -35

    /// Parses an endorsement. Nothing is verified.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    package init(_ bytes: [UInt8]) throws(AttestationError) {
        guard bytes.count <= Self.byteCountMax else { throw .malformed("an endorsement over 64 KiB") }
        do { message = try CoseSign1(bytes) } catch { throw .malformed(error.reason) }
        let header = message.protected
        // Issuer and feed: text labels of the first drafts of COSE receipts, CWT claims (RFC 9597) since.
        let claims = header[CoseSign1.Label.claims]
        guard let algorithm = header[CoseSign1.Label.algorithm]?.integerValue,
            let issuer = (header["iss"] ?? claims?[1])?.textValue, let feed = (header["feed"] ?? claims?[2])?.textValue,
            let payload = message.payload
        else { throw .malformed("an endorsement without algorithm, issuer, feed or payload") }
        self.algorithm = algorithm
        self.issuer = issuer
        self.feed = feed
        self.payload = payload
        contentType = header[Self.contentTypeLabel]?.textValue ?? ""
        let certificates = header[Self.chainLabel]?.arrayValue ?? header[Self.chainLabel].map { [$0] } ?? []
        guard (2...PEMBundle.documentCountMax).contains(certificates.count) else {
            throw .malformed("an endorsement with \(certificates.count) certificates")
        }
        chain = try certificates.map { item throws(AttestationError) in
            guard let der = item.bytesValue else { throw .malformed("a certificate that is no bytes") }
            return try PlatformCertificate(der: der)
        }
    }

    /// Checks chain, issuer and signature, and tells of each step.
    /// - Parameter time: milliseconds since 1970 at which the certificates must be valid; nil not to ask, since an
    ///   endorsement outlives its signer's certificate.
    package static func examine(_ bytes: [UInt8], at time: UInt64?) -> (checks: [EvidenceCheck], fields: [ClaimField]) {
        var account = EvidenceAccount()
        let endorsement: UVMEndorsement
        do { endorsement = try UVMEndorsement(bytes) } catch {
            account.fail(.format, error.reason)
            return (account.checks, [])
        }
        account.pass(.format, "endorsement of \(endorsement.feed), \(bytes.count) bytes")
        endorsement.verify(at: time, account: &account)
        return (account.checks, endorsement.fields)
    }

    private func verify(at time: UInt64?, account: inout EvidenceAccount) {
        var objection: String?
        for index in 1..<chain.count where objection == nil {
            objection = chain[index - 1].objection(to: chain[index], authoritiesBelow: index - 1)
        }
        if objection == nil, let last = chain.last, !last.isSelfSigned {
            objection = "\(last.subject) is not signed by itself"
        }
        account.check(
            .endorsementChain, objection: objection ?? issuerObjection,
            pass: "\(chain[0].subject) acts for \(issuer)")
        if let time {
            let period = chain.reduce(ValidityPeriod.always) { $0.intersection($1.validity) }
            account.check(
                .certificateExpired, period.contains(time), pass: "certificates are valid from \(period.text)",
                fail: "certificates are valid from \(period.text), not at \(CivilTime.text(time))")
        }
        let signed = CBOR.array([
            .text("Signature1"), .bytes(message.protectedBytes), .bytes([]), .bytes(payload),
        ]).encoded()
        let isSigned =
            switch algorithm {
            case Self.ps384: chain[0].key.verifies(message.signature, over: signed, .rsaPSSSHA384)
            case Self.es384: chain[0].key.isP384 && chain[0].key.verifies(raw: message.signature, over: signed)
            default: false
            }
        account.check(
            .endorsementSignature, isSigned, pass: "signed by \(chain[0].subject)",
            fail: "not signed by \(chain[0].subject) with algorithm \(algorithm)")
    }

    /// Why the chain does not act for the issuer (did:x509 method, version 0, policy `eku`); nil when it does.
    private var issuerObjection: String? {
        let parts = issuer.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 8, parts[..<4].elementsEqual(["did", "x509", "0", "sha256"]), parts[5].isEmpty,
            parts[6] == "eku"
        else { return "\(issuer) is no did:x509 with an extended key usage" }
        guard chain.dropFirst().contains(where: { Base64URL.encode($0.digest) == parts[4] }) else {
            return "no authority of the chain has the fingerprint of \(issuer)"
        }
        guard chain[0].extendedKeyUsages.contains(parts[7]) else {
            return "\(chain[0].subject) lacks usage \(parts[7])"
        }
        return nil
    }

    private var fields: [ClaimField] {
        let content =
            contentType == "application/json"
            ? try? JSON(parsing: payload, limits: JSONLimits(bytesMax: 1 << 14, depthMax: 8, valuesMax: 1024)) : nil
        return [
            ClaimField("feed", .string(feed)), ClaimField("issuer", .string(issuer)), ClaimField("alg", algorithm),
            ClaimField("content_type", .string(contentType)),
            ClaimField("payload", content ?? .string(Hex.encode(payload))),
        ]
    }
}

/// Base64 for URLs, without padding (RFC 4648, 5).
private enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        String(
            Base64.encode(bytes).compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}

extension PlatformCertificate {
    /// Extended key usages; empty without the extension, or when it can't be read.
    fileprivate var extendedKeyUsages: [String] {
        guard let value = value(of: "2.5.29.37") else { return [] }
        do throws(AttestationError) {
            var fields = try DERFields(try DERValue.parse(value))
            return try fields.rest.map { node throws(AttestationError) in try DERValue.oid(node) }
        } catch { return [] }
    }
}

extension CertificateKey {
    fileprivate var isP384: Bool { if case .p384 = self { true } else { false } }
}
