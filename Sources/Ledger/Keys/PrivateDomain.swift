internal import Primitives

/// The bytes of an entry's private domain, little-endian:
///
/// | field | bytes |
/// |---|---|
/// | version = 1 | 1 |
/// | key commitment of the entry | 32 |
/// | epoch | 8 |
/// | node id of the leader | 32 |
/// | boot nonce of its leadership | 16 |
/// | number of compartments | 4 |
/// | per compartment: key commitment, u32 length, sealed bytes | 32 + 4 + length |
///
/// Sealed bytes are AES-256-GCM's ciphertext and its tag of 16 bytes, over u32 length of readers, readers, contents.
struct PrivateDomain {
    static let version: UInt8 = 1
    static let prefixByteCount = 1 + 32 + 8 + 32 + 16 + 4
    static let compartmentOverhead = 32 + 4 + 4 + 16
    static let compartmentCountMax = 1 << 16

    struct Sealed {
        let commitment: [UInt8]
        /// Where ciphertext and tag stand in the entry.
        let range: Range<Int>
    }

    let commitment: [UInt8]
    let epoch: UInt64
    let nodeID: [UInt8]
    let bootNonce: [UInt8]
    let compartments: [Sealed]
    /// Where the part before the compartments ends in the entry.
    let prefixEnd: Int

    static func byteCount(_ compartments: [Compartment]) -> Int {
        compartments.reduce(prefixByteCount) {
            $0 + compartmentOverhead + $1.readers.count + $1.contents.count
        }
    }

    /// Reads the private domain of an entry.
    init(_ entry: LedgerEntry) throws(LedgerError) {
        try self.init(entry.bytes, in: entry.header.privateRange)
    }

    init(_ bytes: [UInt8], in range: Range<Int>) throws(LedgerError) {
        var reader = ByteReader(bytes, from: range.lowerBound, to: range.upperBound)
        do {
            let version = try reader.integer(UInt8.self)
            guard version == Self.version else {
                throw LedgerError.malformed("version \(version) of a private domain")
            }
            commitment = try reader.raw(32)
            epoch = try reader.integer()
            nodeID = try reader.raw(32)
            bootNonce = try reader.raw(16)
            let count = try reader.integer(UInt32.self)
            guard count <= Self.compartmentCountMax else { throw LedgerError.tooLarge("\(count) compartments") }
            prefixEnd = reader.offset
            var compartments: [Sealed] = []
            for _ in 0..<count {
                let commitment = try reader.raw(32)
                let length = Int(try reader.integer(UInt32.self))
                guard length >= 20, length <= reader.remaining else {
                    throw LedgerError.malformed("a compartment of \(length) bytes")
                }
                compartments.append(Sealed(commitment: commitment, range: reader.offset..<reader.offset + length))
                reader = ByteReader(bytes, from: reader.offset + length, to: range.upperBound)
            }
            try reader.finish()
            self.compartments = compartments
        } catch let error as LedgerError { throw error } catch {
            throw .malformed("the private domain: \(error)")
        }
    }
}
