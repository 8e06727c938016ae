internal import Primitives
internal import SwiftASN1

/// What a platform's certificate (PCK) says of the platform: Intel's SGX extension, 1.2.840.113741.1.13.1.
struct PCKCertificate: Sendable {
    let certificate: PlatformCertificate
    /// Family, model, stepping, platform, custom SKU: 6 bytes.
    let fmspc: [UInt8]
    let pceID: [UInt8]
    /// Security versions of the 16 components.
    let componentSVNs: [UInt8]
    let pceSVN: UInt16
    let cpuSVN: [UInt8]

    private static let arc = "1.2.840.113741.1.13.1"

    init(_ certificate: PlatformCertificate) throws(AttestationError) {
        guard case .p256 = certificate.key else { throw .malformed("the platform key is not on P-256") }
        guard let value = certificate.value(of: Self.arc) else { throw .malformed("no SGX extension") }
        let items = try Self.items(try DERValue.parse(value))
        let tcb = try Self.items(try Self.find("2", in: items))
        fmspc = try DERValue.content(try Self.find("4", in: items), .octetString)
        pceID = try DERValue.content(try Self.find("3", in: items), .octetString)
        cpuSVN = try DERValue.content(try Self.find("2.18", in: tcb), .octetString)
        pceSVN = UInt16(try DERValue.integer(try Self.find("2.17", in: tcb), limit: 0xFFFF))
        var components: [UInt8] = []
        for index in 1...16 {
            components.append(UInt8(try DERValue.integer(try Self.find("2.\(index)", in: tcb), limit: 255)))
        }
        componentSVNs = components
        guard fmspc.count == 6, pceID.count == 2, cpuSVN.count == 16 else {
            throw .malformed("FMSPC, PCE id or CPUSVN of another length")
        }
        self.certificate = certificate
    }

    /// A sequence of {object id, value}.
    private static func items(_ node: ASN1Node) throws(AttestationError) -> [(oid: String, value: ASN1Node)] {
        var fields = try DERFields(node)
        var items: [(oid: String, value: ASN1Node)] = []
        for each in fields.rest {
            var pair = try DERFields(each)
            let oid = try DERValue.oid(try pair.next())
            items.append((oid, try pair.next()))
            try pair.finish()
        }
        return items
    }

    private static func find(
        _ suffix: String, in items: [(oid: String, value: ASN1Node)]
    ) throws(AttestationError) -> ASN1Node {
        let found = items.filter { $0.oid == "\(arc).\(suffix)" }
        guard found.count == 1 else { throw .malformed("the SGX extension has not exactly one \(suffix)") }
        return found[0].value
    }

    var fields: [ClaimField] {
        [
            ClaimField("pck.fmspc", hex: fmspc), ClaimField("pck.pceid", hex: pceID),
            ClaimField("pck.pcesvn", pceSVN), ClaimField("pck.cpusvn", hex: cpuSVN),
            ClaimField("pck.subject_ca", .string(certificate.issuer.commonName)),
        ]
    }
}
