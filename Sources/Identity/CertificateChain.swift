internal import SwiftASN1
internal import X509

/// Whether a certificate leads to one that is trusted (RFC 5280, 6, without name constraints and policies).
public enum CertificateChain {
    /// Certificates between the leaf and the trusted one, at most.
    public static let intermediateCountMax = 4

    /// Checks that `leaf` is `anchor` itself, or leads to it over some of `intermediates`.
    ///
    /// Each certificate must be valid at `time`, its critical extensions must be known here, and each issuer must be an
    /// authority that may sign certificates, with a long enough path.
    /// - Parameters:
    ///   - anchor: a certificate that is trusted by configuration; it may be no authority when it is the leaf.
    ///   - time: milliseconds since 1970.
    /// - Throws: ``IdentityError/untrusted(_:file:line:)``, ``IdentityError/notValidNow(_:file:line:)``.
    public static func validate(
        leaf: X509Certificate, intermediates: [X509Certificate] = [], anchor: X509Certificate, at time: UInt64
    ) throws(IdentityError) {
        guard intermediates.count <= intermediateCountMax else { throw .untrusted("more intermediates than allowed") }
        try check(leaf, at: time)
        if leaf == anchor { return }
        try check(anchor, at: time)
        var current = leaf
        var unused = intermediates
        var authoritiesBelow = 0
        while true {
            if isIssuer(anchor, of: current, authoritiesBelow: authoritiesBelow) { return }
            guard
                let index = unused.firstIndex(where: {
                    isIssuer($0, of: current, authoritiesBelow: authoritiesBelow)
                })
            else { throw .untrusted("the certificate does not lead to the one that is trusted") }
            let issuer = unused.remove(at: index)
            try check(issuer, at: time)
            if issuer == anchor { return }
            current = issuer
            authoritiesBelow += 1
        }
    }

    private static func check(_ certificate: X509Certificate, at time: UInt64) throws(IdentityError) {
        guard certificate.isValid(at: time) else {
            throw .notValidNow("a certificate is not valid at \(time) ms")
        }
        for entry in certificate.document.extensions where entry.critical {
            guard known.contains(entry.oid) else { throw .untrusted("an unknown critical extension, \(entry.oid)") }
        }
    }

    private static func isIssuer(
        _ issuer: X509Certificate, of certificate: X509Certificate, authoritiesBelow: Int
    ) -> Bool {
        guard case .isCertificateAuthority(let pathLength)? = try? issuer.document.extensions.basicConstraints,
            pathLength.map({ $0 >= authoritiesBelow }) ?? true
        else { return false }
        // A key usage that can't be parsed must not count as one that is absent.
        do {
            if let usage = try issuer.document.extensions.keyUsage, !usage.keyCertSign { return false }
        } catch { return false }
        return issuer.document.subject == certificate.document.issuer && certificate.isSigned(by: issuer.publicKey)
    }

    private static let known: Set<ASN1ObjectIdentifier> = [
        .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage,
        .X509ExtensionID.subjectAlternativeName, .X509ExtensionID.subjectKeyIdentifier,
        .X509ExtensionID.authorityKeyIdentifier,
    ]
}
