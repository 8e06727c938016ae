internal import SwiftASN1
internal import X509

/// What a certificate's extensions let its key be used for (RFC 5280, 4.2.1).
enum CertificateUse {
    /// Whether the key may authenticate a client: key usage, if there is one, allows digital signatures; extended key
    /// usage, if there is one, allows client authentication. An extension that can't be read allows nothing.
    static func mayAuthenticate(der: [UInt8]) -> Bool {
        guard let certificate = try? Certificate(derEncoded: der) else { return false }
        do {
            if let usage = try certificate.extensions.keyUsage, !usage.digitalSignature { return false }
            if let usages = try certificate.extensions.extendedKeyUsage {
                return usages.contains(.clientAuth) || usages.contains(.any)
            }
            return true
        } catch { return false }
    }
}
