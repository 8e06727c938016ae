internal import SwiftASN1

/// A name of X.501: attributes from the most general to the most specific or the other way round, as its maker likes.
///
/// Two names are equal when their attributes have the same text in the same order, whichever string type holds it:
/// makers write the same name as PrintableString here and as UTF8String there.
struct DistinguishedName: Sendable, Hashable, CustomStringConvertible {
    struct Attribute: Sendable, Hashable {
        let oid: String
        let value: [UInt8]
    }

    /// Relative names, each with its attributes.
    let parts: [[Attribute]]

    private static let stringTypes: [ASN1Identifier] = [
        .utf8String, .printableString, .teletexString, .ia5String, .universalString, .bmpString,
    ]

    init(_ node: ASN1Node) throws(AttestationError) {
        var fields = try DERFields(node)
        var parts: [[Attribute]] = []
        for relative in fields.rest {
            var attributes: [Attribute] = []
            var set = try DERFields(relative, .set)
            for each in set.rest {
                var pair = try DERFields(each)
                let oid = try DERValue.oid(try pair.next())
                let value = try pair.next()
                try pair.finish()
                guard Self.stringTypes.contains(value.identifier) else {
                    throw .malformed("a name has an attribute that is no text")
                }
                attributes.append(Attribute(oid: oid, value: try DERValue.content(value, value.identifier)))
            }
            guard !attributes.isEmpty else { throw .malformed("a name has an empty part") }
            parts.append(attributes)
        }
        self.parts = parts
    }

    /// The first common name, empty if there is none.
    var commonName: String {
        for part in parts {
            for attribute in part where attribute.oid == "2.5.4.3" {
                return String(validating: attribute.value, as: UTF8.self) ?? ""
            }
        }
        return ""
    }

    var description: String { commonName.isEmpty ? "a name without a common name" : commonName }
}
