/// The inside of a chunk file: a u64 that is the offset of the position table, or 0 while the chunk is open; the entries
/// without gaps; the table of u32 offsets, one for each entry.
package enum ChunkLayout {
    /// Bytes before the first entry.
    package static let headerByteCount = 8

    /// Offset of the position table; 0 while the chunk is open.
    package static func tableOffset(_ bytes: [UInt8]) -> UInt64? {
        guard bytes.count >= headerByteCount else { return nil }
        return UInt64(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    }

    /// Reads the position table.
    /// - Parameters:
    ///   - table: the file from `offset` on.
    ///   - offset: where the table begins, and the entries end.
    /// - Throws: ``LedgerError/malformed(_:file:line:)`` unless there is at least one position, the first is 8, and they
    ///   ascend below `offset` with room for an entry each.
    package static func positions(table: [UInt8], offset: Int) throws(LedgerError) -> [UInt32] {
        guard !table.isEmpty, table.count % 4 == 0 else {
            throw .malformed("a position table of \(table.count) bytes")
        }
        let positions = table.withUnsafeBytes { raw in
            stride(from: 0, to: table.count, by: 4).map {
                UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
        guard positions[0] == headerByteCount else { throw .malformed("the first position is \(positions[0]), not 8") }
        for index in positions.indices {
            let end = index + 1 < positions.count ? Int(positions[index + 1]) : offset
            guard end - Int(positions[index]) >= EntryHeader.byteCount else {
                throw .malformed("position \(index) of the table leaves no room for an entry")
            }
        }
        return positions
    }

    /// The position table in bytes.
    package static func table(_ positions: [UInt32]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(positions.count * 4)
        for position in positions { bytes.append(littleEndian: position) }
        return bytes
    }

    /// The first 8 bytes of the file.
    package static func header(tableOffset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: tableOffset)
        return bytes
    }
}
