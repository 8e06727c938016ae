import Attestation
import Crypto
import CryptoExtras
import Foundation
import Primitives

/// DER by hand, for certificates and lists that no maker would sign for a test.
enum DERWriter {
    static func tlv(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            switch content.count {
            case ..<128: [UInt8(content.count)]
            case ..<256: [0x81, UInt8(content.count)]
            default: [0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)]
            }
        return [tag] + length + content
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { tlv(0x30, parts.flatMap { $0 }) }

    static func integer(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            bytes.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        } while rest > 0
        return tlv(0x02, bytes[0] >= 0x80 ? [0] + bytes : bytes)
    }

    static func oid(_ text: String) -> [UInt8] {
        let arcs = text.split(separator: ".").compactMap { Int($0) }
        var bytes = [UInt8(arcs[0] * 40 + arcs[1])]
        for arc in arcs[2...] {
            var part = [UInt8(arc & 0x7F)]
            var rest = arc >> 7
            while rest > 0 {
                part.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            bytes += part
        }
        return tlv(0x06, bytes)
    }

    /// `260601000000Z`.
    static func time(_ text: String) -> [UInt8] { tlv(0x17, Array(text.utf8)) }

    static func name(_ commonName: String) -> [UInt8] {
        sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0C, Array(commonName.utf8)))))
    }

    static func bits(_ bytes: [UInt8]) -> [UInt8] { tlv(0x03, [0] + bytes) }

    static func explicit(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { tlv(0xA0 | number, content) }

    static func `extension`(_ id: String, _ value: [UInt8], critical: Bool = false) -> [UInt8] {
        tlv(0x30, oid(id) + (critical ? tlv(0x01, [0xFF]) : []) + tlv(0x04, value))
    }

    static func authority(pathLength: Int? = nil, usage: UInt8 = 0x06) -> [[UInt8]] {
        [
            `extension`("2.5.29.19", tlv(0x30, tlv(0x01, [0xFF]) + (pathLength.map(integer) ?? [])), critical: true),
            `extension`("2.5.29.15", tlv(0x03, [1, usage]), critical: true),
        ]
    }
}

/// A key that signs certificates and lists.
enum TestSigner {
    case rsa(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)

    var spki: [UInt8] {
        switch self {
        case .rsa(let key): Array(key.publicKey.derRepresentation)
        case .p256(let key): Array(key.publicKey.derRepresentation)
        case .p384(let key): Array(key.publicKey.derRepresentation)
        }
    }

    var algorithm: [UInt8] {
        switch self {
        case .rsa:
            let hash = DERWriter.sequence(DERWriter.oid("2.16.840.1.101.3.4.2.2"), DERWriter.tlv(0x05, []))
            let mask = DERWriter.sequence(DERWriter.oid("1.2.840.113549.1.1.8"), hash)
            return DERWriter.sequence(
                DERWriter.oid("1.2.840.113549.1.1.10"),
                DERWriter.sequence(
                    DERWriter.explicit(0, hash), DERWriter.explicit(1, mask),
                    DERWriter.explicit(2, DERWriter.integer(48)), DERWriter.explicit(3, DERWriter.integer(1))))
        case .p256: return DERWriter.sequence(DERWriter.oid("1.2.840.10045.4.3.2"))
        case .p384: return DERWriter.sequence(DERWriter.oid("1.2.840.10045.4.3.3"))
        }
    }

    func sign(_ bytes: [UInt8]) throws -> [UInt8] {
        switch self {
        case .rsa(let key): Array(try key.signature(for: SHA384.hash(data: bytes), padding: .PSS).rawRepresentation)
        case .p256(let key): Array(try key.signature(for: SHA256.hash(data: bytes)).derRepresentation)
        case .p384(let key): Array(try key.signature(for: SHA384.hash(data: bytes)).derRepresentation)
        }
    }

    /// A certificate of `subject`'s key by this one.
    func certify(
        _ subject: String, _ key: TestSigner, issuer: String, serial: Int = 1,
        validity: (String, String) = ("200101000000Z", "400101000000Z"), extensions: [[UInt8]] = []
    ) throws -> [UInt8] {
        let body = DERWriter.sequence(
            DERWriter.explicit(0, DERWriter.integer(2)), DERWriter.integer(serial), algorithm, DERWriter.name(issuer),
            DERWriter.sequence(DERWriter.time(validity.0), DERWriter.time(validity.1)), DERWriter.name(subject),
            key.spki,
            DERWriter.explicit(3, DERWriter.tlv(0x30, extensions.flatMap { $0 })))
        return DERWriter.sequence(body, algorithm, DERWriter.bits(try sign(body)))
    }

    /// A list of revoked serial numbers.
    func revoke(
        _ serials: [Int], issuer: String, validity: (String, String) = ("260501000000Z", "260701000000Z"),
        extensions: [[UInt8]] = []
    ) throws -> [UInt8] {
        let entries = serials.flatMap { DERWriter.sequence(DERWriter.integer($0), DERWriter.time(validity.0)) }
        let body = DERWriter.tlv(
            0x30,
            DERWriter.integer(1) + algorithm + DERWriter.name(issuer) + DERWriter.time(validity.0)
                + DERWriter.time(validity.1) + (serials.isEmpty ? [] : DERWriter.tlv(0x30, entries))
                + (extensions.isEmpty
                    ? [] : DERWriter.explicit(0, DERWriter.tlv(0x30, extensions.flatMap { $0 }))))
        return DERWriter.sequence(body, algorithm, DERWriter.bits(try sign(body)))
    }
}

/// The text form of certificates.
func pem(_ certificates: [[UInt8]]) -> [UInt8] {
    var text = ""
    for der in certificates {
        let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        text += "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n"
    }
    return Array(text.utf8)
}

func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

extension [UInt8] {
    /// Puts bytes at a place.
    mutating func put(_ bytes: [UInt8], at offset: Int) { replaceSubrange(offset..<offset + bytes.count, with: bytes) }
}

func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
