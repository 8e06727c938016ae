package import Crypto
internal import NIOConcurrencyHelpers
internal import NIOCore

/// The TLS 1.3 exporter of one connection (RFC 8446 section 7.5), which binds what is signed above TLS to this very
/// session.
///
/// NIOSSL 2.37 has no exporter call, but its key log callback tells the exporter secret. Each channel that wants an
/// exporter therefore has a context of its own and keeps that one line of the key log; the traffic secrets in the other
/// lines are dropped unread.
package final class TLSExporter: Sendable {
    private let secret = NIOLockedValueBox<[UInt8]>([])

    /// Takes a line of the key log: `LABEL client-random secret`.
    func take(line: ByteBuffer) {
        let prefix = Array("EXPORTER_SECRET ".utf8)
        guard line.readableBytesView.starts(with: prefix) else { return }
        let words = line.readableBytesView.split(whereSeparator: { $0 == 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0 })
        guard words.count == 3, let bytes = Self.bytes(hex: Array(words[2])), bytes.count == 32 || bytes.count == 48
        else { return }
        secret.withLockedValue { $0 = bytes }
    }

    /// Keying material both ends agree on and nobody else knows; nil before the handshake is over.
    func export(label: String, context: [UInt8], length: Int) -> [UInt8]? {
        let secret = secret.withLockedValue { $0 }
        switch secret.count {
        case 32: return Self.export(SHA256.self, secret, label, context, length)
        case 48: return Self.export(SHA384.self, secret, label, context, length)
        default: return nil
        }
    }

    /// `TLS-Exporter(label, context, length)` from an exporter secret.
    package static func export<H: HashFunction>(
        _ hash: H.Type, _ secret: [UInt8], _ label: String, _ context: [UInt8], _ length: Int
    ) -> [UInt8]? {
        let empty = Array(H.hash(data: [UInt8]()))
        guard
            let derived = expand(hash, secret, label, empty, H.Digest.byteCount),
            let exported = expand(hash, derived, "exporter", Array(H.hash(data: context)), length)
        else { return nil }
        return exported
    }

    /// HKDF-Expand-Label (RFC 8446 section 7.1).
    private static func expand<H: HashFunction>(
        _ hash: H.Type, _ secret: [UInt8], _ label: String, _ context: [UInt8], _ length: Int
    ) -> [UInt8]? {
        let full = Array("tls13 \(label)".utf8)
        guard full.count <= 255, context.count <= 255, length > 0, length <= 255 * H.Digest.byteCount, length <= 0xffff
        else { return nil }
        var info: [UInt8] = [UInt8(length >> 8), UInt8(length & 0xff), UInt8(full.count)]
        info += full
        info.append(UInt8(context.count))
        info += context
        let key = HKDF<H>.expand(pseudoRandomKey: secret, info: info, outputByteCount: length)
        return key.withUnsafeBytes { Array($0) }
    }

    private static func bytes(hex: [UInt8]) -> [UInt8]? {
        guard hex.count.isMultiple(of: 2) else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(hex.count / 2)
        for index in stride(from: 0, to: hex.count, by: 2) {
            guard let high = Character(UnicodeScalar(hex[index])).hexDigitValue,
                let low = Character(UnicodeScalar(hex[index + 1])).hexDigitValue
            else { return nil }
            out.append(UInt8(high << 4 | low))
        }
        return out
    }
}
