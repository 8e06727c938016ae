import Identity
import Primitives

/// Keys and certificates that depend on nothing but a number.
enum FuzzKeys {
    static let now: UInt64 = 1_800_000_000_000
    static let year: UInt64 = 365 * 86_400_000

    static func key(_ number: UInt8) throws -> SigningKey {
        try SigningKey(rawRepresentation: [UInt8](repeating: number, count: 31) + [1])
    }

    static func request(_ name: String, _ purpose: CertificateRequest.Purpose) -> CertificateRequest {
        CertificateRequest(
            commonName: name, purpose: purpose, serial: [1, 2], notBefore: now - year, notAfter: now + year)
    }

    static func authority() throws -> X509Certificate {
        try .selfSigned(request("authority", .authority(pathLength: 1)), key: key(1))
    }

    static func issued(_ name: String = "actor", _ purpose: CertificateRequest.Purpose = .actor) throws
        -> X509Certificate
    {
        try .issue(request(name, purpose), for: key(2).publicKey, issuer: authority(), issuerKey: key(1))
    }

    static func actor() throws -> X509Certificate { try .selfSigned(request("bank-a", .actor), key: key(3)) }
}

extension FuzzTarget {
    static let identity: [FuzzTarget] = [certificate, certificateChain, pem, publicKey, cose]

    static let certificate = FuzzTarget("certificate") {
        [
            ("authority", try FuzzKeys.authority().der), ("actor", try FuzzKeys.issued().der),
            ("node", try FuzzKeys.issued("node", .node).der),
        ]
    } check: { bytes in
        let certificate = try X509Certificate(der: bytes)
        _ = (certificate.commonName, certificate.subject, certificate.serial, certificate.dnsNames)
        _ = (certificate.isAuthority, certificate.isValid(at: FuzzKeys.now), certificate.publicKey.id)
        let again = try X509Certificate(pem: certificate.pem)
        try FuzzFinding.unless(again.der, is: bytes, "certificate through PEM")
    }

    static let certificateChain = FuzzTarget("certificate-chain", byteCountMax: 8192) {
        let chain = [try FuzzKeys.issued().der, try FuzzKeys.authority().der]
        return [("chain", FuzzParts.join(chain)), ("leaf", FuzzParts.join([try FuzzKeys.authority().der]))]
    } check: { bytes in
        let parts = try FuzzParts.split(bytes).prefix(6).map { try X509Certificate(der: $0) }
        guard let leaf = parts.first, let anchor = parts.last else { return }
        try CertificateChain.validate(
            leaf: leaf, intermediates: Array(parts.dropFirst()), anchor: anchor, at: FuzzKeys.now)
    }

    static let pem = FuzzTarget("pem") {
        [
            ("certificate", Array(try FuzzKeys.actor().pem.utf8)),
            ("crlf", Array("-----BEGIN CERTIFICATE-----\r\nAAEC\r\n-----END CERTIFICATE-----\r\n".utf8)),
        ]
    } check: { bytes in
        let der = try PEM.decode(fuzzText(bytes), label: "CERTIFICATE")
        let again = try PEM.decode(PEM.encode(der, label: "CERTIFICATE"), label: "CERTIFICATE")
        try FuzzFinding.unless(again, is: der, "pem")
    }

    static let publicKey = FuzzTarget("public-key", byteCountMax: 512) {
        [
            ("p256", try FuzzKeys.key(9).publicKey.spki),
            (
                "p384",
                try SigningKey(rawRepresentation: [UInt8](repeating: 5, count: 48), curve: .p384).publicKey.spki
            ),
        ]
    } check: { bytes in
        try FuzzFinding.unless(PublicKey(spki: bytes).spki, is: bytes, "public key")
    }

    static let cose = FuzzTarget("cose") {
        let message = try CoseSign1.sign(
            payload: Array("payload".utf8), headers: [.init(.text("a"), .unsigned(1))], key: FuzzKeys.key(4))
        return [("signed", message.encoded())]
    } check: { bytes in
        let message = try CoseSign1(bytes)
        let key = try FuzzKeys.key(4).publicKey
        try? message.verify(key: key)
        try? message.verify(key: key, detached: [1, 2, 3])
        try FuzzFinding.unlessStable(message.encoded(), "COSE_Sign1") { try CoseSign1($0).encoded() }
    }
}
