public import Primitives
internal import SwiftASN1
internal import X509

/// Which of the certificates that lead to an organisation count: by what their subject or their alternative names say
/// (RFC 5280, 4.1.2.6 and 4.2.1.6). An organisation's other departments are kept out by one, and roles given by others.
public struct CertificateFilter: Sendable, Hashable {
    /// An attribute of the subject.
    public struct Attribute: Sendable, Hashable {
        /// `CN`, `O`, `OU`, `L`, `ST` or `C`.
        public var name: String
        /// What it must be, exactly.
        public var value: String

        /// An attribute.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Attributes that must all be in the subject.
    public var subject: [Attribute]
    /// Alternative names of which one must be there: `dns:`, `email:` or `uri:` and the name, in which one `*` at the start
    /// or at the end stands for anything. Empty when none is asked for.
    public var names: [String]

    /// A filter.
    public init(subject: [Attribute] = [], names: [String] = []) {
        self.subject = subject
        self.names = names
    }

    private static let attributes = ["CN", "O", "OU", "L", "ST", "C"]
    private static let prefixes = ["dns:", "email:", "uri:"]

    /// Reads `{"subject": {"OU": …}, "names": ["dns:*.bank.example"]}`, of which one must be there.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    public init(json: JSON, path: String) throws(ConstitutionError) {
        let object = try PolicyReader.object(json, path, names: ["subject", "names"])
        self.init()
        if let json = object["subject"] {
            for member in try PolicyReader.object(json, "\(path).subject", names: Self.attributes).members {
                let value = try PolicyReader.text(member.value, "\(path).subject.\(member.name)")
                guard Names.isTitle(value) else {
                    throw .malformed("\(path).subject.\(member.name)", "1 to 128 bytes of plain text")
                }
                subject.append(.init(name: member.name, value: value))
            }
        }
        if let json = object["names"] {
            for (index, each) in try PolicyReader.list(json, "\(path).names").enumerated() {
                let name = try PolicyReader.text(each, "\(path).names[\(index)]")
                guard let prefix = Self.prefixes.first(where: { name.hasPrefix($0) }),
                    Names.isTitle(String(name.dropFirst(prefix.count)), limit: 256), Self.isPattern(name)
                else {
                    throw .malformed(
                        "\(path).names[\(index)]", "it is dns:, email: or uri: and a name with at most one * at an end")
                }
                names.append(name)
            }
        }
        guard !subject.isEmpty || !names.isEmpty else { throw .missing(path, "it takes subject, names or both") }
    }

    private static func isPattern(_ text: String) -> Bool {
        let stars = text.utf8.count { $0 == 0x2a }
        let name = text.drop { $0 != ":" }.dropFirst()
        return stars == 0 || stars == 1 && name.utf8.count > 1 && (name.hasPrefix("*") || name.hasSuffix("*"))
    }

    /// The form that ``init(json:path:)`` reads.
    public var json: JSON {
        var object = JSONObject()
        if !subject.isEmpty {
            object.append(
                "subject", .object(JSONObject(subject.map { .init(name: $0.name, value: .string($0.value)) })))
        }
        if !names.isEmpty { object.append("names", .array(names.map { .string($0) })) }
        return .object(object)
    }

    /// Whether a certificate, in DER, is one that counts. One that can't be read is not.
    func admits(der: [UInt8]) -> Bool {
        guard let certificate = try? Certificate(derEncoded: der) else { return false }
        for attribute in subject {
            guard Self.values(attribute.name, of: certificate.subject).contains(attribute.value) else { return false }
        }
        guard !names.isEmpty else { return true }
        guard let found = try? certificate.extensions.subjectAlternativeNames else { return false }
        return found.contains { name in
            switch name {
            case .dnsName(let text): holds("dns:" + text.lowercased())
            case .rfc822Name(let text): holds("email:" + text)
            case .uniformResourceIdentifier(let text): holds("uri:" + text)
            default: false
            }
        }
    }

    private func holds(_ name: String) -> Bool {
        names.contains { pattern in
            if pattern.hasSuffix("*") { return name.utf8.starts(with: pattern.utf8.dropLast()) }
            guard let star = pattern.utf8.firstIndex(of: 0x2a) else { return pattern == name }
            let start = pattern.utf8[..<star]
            let end = pattern.utf8[star...].dropFirst()
            return name.utf8.count > start.count + end.count && name.utf8.starts(with: start)
                && name.utf8.reversed().starts(with: end.reversed())
        }
    }

    private static func values(_ attribute: String, of subject: DistinguishedName) -> [String] {
        let type: ASN1ObjectIdentifier
        switch attribute {
        case "CN": type = .RDNAttributeType.commonName
        case "O": type = .RDNAttributeType.organizationName
        case "OU": type = .RDNAttributeType.organizationalUnitName
        case "L": type = .RDNAttributeType.localityName
        case "ST": type = .RDNAttributeType.stateOrProvinceName
        case "C": type = .RDNAttributeType.countryName
        default: return []
        }
        var values: [String] = []
        for relative in subject {
            for each in relative where each.type == type {
                if let text = String(each.value) { values.append(text) }
            }
        }
        return values
    }
}
