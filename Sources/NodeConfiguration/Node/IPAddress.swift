internal import Constitution

/// Textual IP addresses with ports.
enum IPAddress {
    /// The IP address, without brackets, and the port, which may be 0, of `1.2.3.4:5` or `[::1]:5`; nil for anything
    /// else, names among it.
    static func split(_ text: String) -> (host: String, port: UInt16)? {
        // A port of 0 means any free one here, and nothing in an address for others.
        if text.hasSuffix(":0"), let parts = Names.split(address: String(text.dropLast()) + "1"), isIP(parts.host) {
            return (parts.host, 0)
        }
        guard let parts = Names.split(address: text), isIP(parts.host) else { return nil }
        return parts
    }

    /// Whether a text is an IPv4 address, or has the letters of an IPv6 address.
    static func isIP(_ text: String) -> Bool {
        if text.contains(":") { return true }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                UInt8(part).map { String($0) == part } ?? false
            }
    }
}

/// Paths as texts.
enum Paths {
    /// `path`, from `folder` unless it is absolute; an empty path stays empty.
    static func resolve(_ path: String, against folder: String) -> String {
        guard !path.isEmpty, !path.hasPrefix("/"), !folder.isEmpty else { return path }
        return folder.hasSuffix("/") ? folder + path : folder + "/" + path
    }

    /// The folder of a file's path.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
