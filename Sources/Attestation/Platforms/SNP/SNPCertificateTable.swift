internal import Primitives

/// The certificates that a host hands to its guest along with a report (AMD 56421, GHCB, extended guest request): what
/// configfs-tsm gives as `auxblob`. From the host, so worth nothing before it is verified.
package struct SNPCertificateTable: Sendable, Hashable {
    /// Entries in a table, at most.
    static let entryCountMax = 16

    /// DER certificates, in the order of the table.
    package let certificates: [[UInt8]]

    /// 16 bytes of GUID, in the order of RFC 4122, of what a verifier can use.
    private static let guids: [[UInt8]] = [
        "63da758de6644564adc5f4b93be8accd",  // VCEK
        "a8074bc2a25a483eaae639c045a0b8a1",  // VLEK
        "4ab7b379bbac4fe4a02f05aef327c782",  // ASK
        "c0b406a4a803495297433fb6014cd0ae",  // ARK
    ].compactMap { Hex.decode($0) }

    /// Parses a table; entries of unknown kinds are passed over. No bytes at all are an empty table.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    package init(_ bytes: [UInt8]) throws(AttestationError) {
        certificates = try Self.read(bytes)
    }

    private static func read(_ bytes: [UInt8]) throws(AttestationError) -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        guard !bytes.isEmpty else { return certificates }
        do {
            var reader = ByteReader(bytes)
            for _ in 0...entryCountMax {
                let guid = try reader.raw(16)
                let offset = Int(try reader.integer(UInt32.self))
                let count = Int(try reader.integer(UInt32.self))
                if guid.allSatisfy({ $0 == 0 }), offset == 0, count == 0 { return certificates }
                guard offset + count <= bytes.count else { throw ByteReaderError.truncated(at: bytes.count) }
                guard guids.contains(guid), count > 0 else { continue }
                guard count <= PlatformCertificate.byteCountMax else {
                    throw AttestationError.malformed("a certificate over 16 KiB in the host's table")
                }
                certificates.append(Array(bytes[offset..<offset + count]))
            }
        } catch let error as AttestationError { throw error } catch {
            throw .malformed("the host's table of certificates: \(error)")
        }
        throw .malformed("the host's table of certificates has more than \(entryCountMax) entries")
    }
}
