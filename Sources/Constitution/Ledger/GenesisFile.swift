internal import Crypto
internal import Primitives
internal import Store

/// The file that founds a network: the entries of the administrative maps, sorted, in one byte form. Its SHA-256 is the
/// network's id, so `sha256sum` shows what members agree on.
///
/// Bytes: "entente genesis" ‖ 0 ‖ `u8` version, then behind a `u32` count the maps sorted by name: name, and behind a
/// `u32` count the entries sorted by key: key and value. Texts and byte strings stand behind their `u32` length.
package enum GenesisFile {
    private static let magic = Array("entente genesis".utf8) + [0]
    private static let version: UInt8 = 1
    /// Larger files are refused.
    package static let byteCountMax = 12 << 20

    package static func encode(_ document: ConstitutionDocument) -> [UInt8] {
        var writer = ByteWriter(capacity: 16_384)
        writer.raw(magic)
        writer.integer(version)
        writer.list(WriteSet(document.mapWrites()).maps) { writer, map in
            writer.text(map.name)
            writer.list(map.writes) { writer, write in
                writer.blob(write.key)
                writer.blob(write.value)
            }
        }
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(ConstitutionError) -> ConstitutionDocument {
        guard bytes.count <= byteCountMax else { throw .outOfRange("genesis", "a file of \(bytes.count) bytes") }
        guard bytes.starts(with: magic) else { throw .malformed("genesis", "the file is no genesis") }
        let maps: [MapWrites]
        do {
            var reader = ByteReader(bytes, from: magic.count, to: bytes.count)
            let version = try reader.integer(UInt8.self)
            guard version == Self.version else {
                throw ConstitutionError.unsupported("genesis", "a file of version \(version)")
            }
            maps = try reader.list(limit: 64) { reader throws(ByteReaderError) in
                let name = try reader.text(limit: 256)
                let writes = try reader.list(limit: 65_536) { reader throws(ByteReaderError) in
                    MapWrites.Write(key: try reader.blob(limit: 1024), value: try reader.blob())
                }
                return MapWrites(name: name, writes: writes)
            }
            try reader.finish()
        } catch let error as ConstitutionError { throw error } catch {
            throw .malformed("genesis", "the file can't be read: \(error)")
        }
        let document = try ConstitutionDocument(reading: WriteSet(maps))
        // One constitution has one byte form, or its digest would name nothing.
        guard encode(document) == bytes else {
            throw .malformed("genesis", "the file is not in its one canonical form")
        }
        return document
    }

    package static func digest(_ bytes: [UInt8]) -> String { Hex.encode(Array(SHA256.hash(data: bytes))) }
}
