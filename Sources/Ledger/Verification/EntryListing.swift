internal import Primitives
internal import Store

/// What can be shown of an entry without a key, as text: for people who look into a ledger.
public struct EntryListing: Sendable, Hashable, CustomStringConvertible {
    /// A key of a public map with its value.
    public struct Row: Sendable, Hashable {
        /// The key: text, or hexadecimal after `0x`; `-` for the key of a map that holds one value.
        public let key: String
        /// The value, as text or as hexadecimal after `0x`, cut at the limit; nil for a removal.
        public let value: String?
    }

    /// A public map with its changes.
    public struct Table: Sendable, Hashable {
        /// The map's name.
        public let name: String
        /// Its changes.
        public let rows: [Row]
    }

    /// The entry's name.
    public let id: TransactionID
    /// Signature or data.
    public let kind: EntryKind
    /// Bytes of the whole entry.
    public let byteCount: Int
    /// Bytes of the private domain.
    public let privateByteCount: Int
    /// Digest of the claims in hexadecimal; nil when nothing is claimed.
    public let claimsDigest: String?
    /// The public maps.
    public let tables: [Table]

    /// Lists an entry.
    /// - Parameter valueByteCountMax: longer values are cut, and end in `…`.
    public init(_ entry: LedgerEntry, valueByteCountMax: Int = 400) {
        id = entry.id
        kind = entry.kind
        byteCount = entry.bytes.count
        privateByteCount = entry.privateDomain.count
        claimsDigest = entry.claimsDigest.flatMap { $0.isZero ? nil : "\($0)" }
        tables = entry.tables.maps.map { map in
            let writes = map.writes.map {
                Row(key: Self.key($0.key), value: Self.text($0.value, limit: valueByteCountMax))
            }
            return Table(name: map.name, rows: writes + map.removes.map { Row(key: Self.key($0), value: nil) })
        }
    }

    /// A line for the entry, one for each map and one for each change, indented.
    public var description: String {
        var lines = ["\(id) \(kind == .signature ? "signature" : "data") \(byteCount) bytes"]
        if privateByteCount > 0 { lines[0] += ", \(privateByteCount) private" }
        if let claimsDigest { lines[0] += ", claims \(claimsDigest)" }
        for table in tables {
            lines.append("  \(table.name)")
            for row in table.rows { lines.append("    \(row.key): \(row.value ?? "removed")") }
        }
        return lines.joined(separator: "\n")
    }

    private static func key(_ bytes: [UInt8]) -> String {
        bytes == Tables.singleton ? "-" : text(bytes, limit: 256)
    }

    /// Printable text as it is, anything else in hexadecimal: a ledger's bytes must not steer a terminal.
    private static func text(_ bytes: [UInt8], limit: Int) -> String {
        let cut = bytes.prefix(limit)
        let rest = bytes.count > limit ? "…" : ""
        let isPlain = cut.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0A }
        guard isPlain, !bytes.isEmpty else { return Hex.encodePrefixed(cut) + rest }
        return String(decoding: cut, as: UTF8.self).replacing("\n", with: "\\n") + rest
    }
}
