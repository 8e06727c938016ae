internal import SwiftASN1

/// The certificate of a key that signs SNP reports (AMD 57230): of a chip at one firmware version (VCEK), or of a cloud
/// provider at one (VLEK).
struct VEKCertificate: Sendable {
    let certificate: PlatformCertificate
    let kind: SNPReport.SigningKey
    let productName: String
    /// Versions by component name.
    let versions: [String: UInt8]
    /// The chip; nil in a VLEK's.
    let hardwareID: [UInt8]?
    /// The cloud provider; nil in a VCEK's.
    let providerID: String?

    private static let arc = "1.3.6.1.4.1.3704.1"
    private static let components = [
        "bl": "3.1", "tee": "3.2", "snp": "3.3", "ucode": "3.8", "fmc": "3.9",
    ]

    /// The kind of key that a certificate's subject names; nil when it names none.
    static func kind(_ certificate: PlatformCertificate) -> SNPReport.SigningKey? {
        switch certificate.subject.commonName {
        case "SEV-VCEK": .vcek
        case "SEV-VLEK": .vlek
        default: nil
        }
    }

    init(_ certificate: PlatformCertificate) throws(AttestationError) {
        guard let kind = Self.kind(certificate) else {
            throw .malformed("\(certificate.subject) is the name of neither a VCEK nor a VLEK")
        }
        guard case .p384 = certificate.key else { throw .malformed("the signing key is not on P-384") }
        guard let name = certificate.value(of: "\(Self.arc).2") else { throw .malformed("no product name") }
        let text = try DERValue.content(try DERValue.parse(name), .ia5String)
        productName = String(validating: text, as: UTF8.self) ?? ""
        var versions: [String: UInt8] = [:]
        for (component, oid) in Self.components {
            guard let value = certificate.value(of: "\(Self.arc).\(oid)") else { continue }
            versions[component] = UInt8(try DERValue.integer(try DERValue.parse(value), limit: 255))
        }
        self.versions = versions
        hardwareID = certificate.value(of: "\(Self.arc).4").map(Self.unwrapped)
        providerID = try certificate.value(of: "\(Self.arc).5").map { value throws(AttestationError) in
            let text = try DERValue.content(try DERValue.parse(value), .ia5String)
            return String(validating: text, as: UTF8.self) ?? ""
        }
        switch kind {
        case .vcek:
            guard hardwareID != nil, providerID == nil else { throw .malformed("a VCEK's certificate names a chip") }
        case .vlek:
            guard hardwareID == nil, providerID != nil else {
                throw .malformed("a VLEK's certificate names a provider and no chip")
            }
        }
        self.kind = kind
        self.certificate = certificate
    }

    /// The product that the certificate names; nil for an unknown one.
    var product: SNPProduct? { SNPProduct(productName: productName) }

    /// Whether the versions in the certificate are those of `tcb`.
    func isFor(_ tcb: SNPTCBVersion, _ product: SNPProduct) -> Bool {
        product.tcbComponents.allSatisfy { versions[$0.name] == tcb.bytes[$0.index] }
            && Set(0..<8).subtracting(product.tcbComponents.map(\.index)).allSatisfy { tcb.bytes[$0] == 0 }
    }

    /// Whether the certificate names the chip of `chipID`, whose bytes after the name must be zero.
    func isFor(chipID: [UInt8], _ product: SNPProduct) -> Bool {
        guard let hardwareID, hardwareID.count == product.hardwareIDByteCount else { return false }
        return chipID.starts(with: hardwareID) && chipID.dropFirst(hardwareID.count).allSatisfy { $0 == 0 }
    }

    /// Most certificates have the chip's id bare; an octet string around it is taken too.
    private static func unwrapped(_ value: [UInt8]) -> [UInt8] {
        for count in [8, 64] where value.count == count + 2 && value[0] == 0x04 && value[1] == UInt8(count) {
            return Array(value[2...])
        }
        return value
    }
}
