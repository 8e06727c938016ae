/// Forms of the names and addresses in a constitution.
package enum Names {
    /// An actor's id: 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`, the first a letter or digit.
    package static func isActorID(_ text: String) -> Bool { isWord(text, limit: 64, extra: "-_.") }

    /// An adapter's kind or endpoint: 1 to 32 of `a-z`, `0-9`, `-`, the first a letter or digit. It is part of paths and
    /// of map names.
    package static func isEndpoint(_ text: String) -> Bool { isWord(text, limit: 32, extra: "-") }

    /// A text for people: 1 to `limit` bytes without control characters.
    package static func isTitle(_ text: String, limit: Int = 128) -> Bool {
        (1...limit).contains(text.utf8.count) && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    }

    /// Host and port of `host:port`, where the host is a DNS name, an IPv4 address, or an IPv6 address in brackets (which
    /// are left out of the host returned); nil for anything else. The port is 1 to 65535.
    package static func split(address: String) -> (host: String, port: UInt16)? {
        guard address.utf8.count <= 262, let colon = address.lastIndex(of: ":") else { return nil }
        let digits = address[address.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit), digits.utf8.first != 0x30,
            let port = UInt16(digits)
        else { return nil }
        let host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = host.dropFirst().dropLast()
            guard (2...45).contains(inner.utf8.count), inner.contains(":"),
                inner.utf8.allSatisfy({ isHexDigit($0) || $0 == 0x3a || $0 == 0x2e })
            else { return nil }
            return (String(inner), port)
        }
        guard isHost(host) else { return nil }
        return (String(host), port)
    }

    private static func isHost(_ host: Substring) -> Bool {
        guard (1...253).contains(host.utf8.count) else { return false }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.first != 0x2d && label.utf8.last != 0x2d
                && label.utf8.allSatisfy { isDigit($0) || isLower($0) || (0x41...0x5a).contains($0) || $0 == 0x2d }
        }
    }

    private static func isWord(_ text: String, limit: Int, extra: String) -> Bool {
        guard (1...limit).contains(text.utf8.count), let first = text.utf8.first, isDigit(first) || isLower(first)
        else {
            return false
        }
        return text.utf8.allSatisfy { isDigit($0) || isLower($0) || extra.utf8.contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    }
}
