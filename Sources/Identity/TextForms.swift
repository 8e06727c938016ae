internal import FoundationEssentials

/// Base64 with padding (RFC 4648, 4), and PEM (RFC 7468).
public enum Base64 {
    /// The text of `bytes`, on one line.
    public static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }

    /// The bytes of `text`, if it is exactly what ``encode(_:)`` gives for them: no white space, and no bits set that
    /// don't count.
    public static func decode(_ text: String) -> [UInt8]? {
        guard let data = Data(base64Encoded: text) else { return nil }
        let bytes = [UInt8](data)
        return encode(bytes) == text ? bytes : nil
    }
}

/// The textual encoding of keys and certificates.
public enum PEM {
    /// A PEM document with lines of 64 characters and `\n` ends, as CCF writes it.
    public static func encode(_ der: [UInt8], label: String) -> String {
        var text = "-----BEGIN \(label)-----\n"
        var rest = Substring(Base64.encode(der))
        while !rest.isEmpty {
            text += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return text + "-----END \(label)-----\n"
    }

    /// The first document in `text`, which must have the label `label`; its lines may end in `\n` or `\r\n`.
    /// - Throws: ``IdentityError/malformedCertificate(_:file:line:)``.
    public static func decode(_ text: String, label: String) throws(IdentityError) -> [UInt8] {
        guard text.utf8.count <= 1 << 16 else { throw .malformedCertificate("a PEM document over 64 KiB") }
        var body = ""
        var isInside = false
        // By bytes: "\r\n" is one character, and Swift knows line breaks that PEM does not.
        for bytes in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = Substring(bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes)
            if line == "-----BEGIN \(label)-----" {
                isInside = true
            } else if line == "-----END \(label)-----" {
                guard isInside, let der = Base64.decode(body) else {
                    throw .malformedCertificate("the body of a PEM document is no base64")
                }
                return der
            } else if isInside {
                body += line
            }
        }
        throw .malformedCertificate("no PEM document \(label)")
    }
}
