internal import Crypto
public import Identity
public import Primitives
public import Store

/// A snapshot file, parsed: its public state, and its private state still sealed. It may be larger than memory: only its
/// head and its receipt are held.
public struct SnapshotFile: Sendable {
    /// Where the snapshot stands.
    public let id: TransactionID
    /// Leaf of the entry there.
    public let leaf: Bytes32
    /// The first seqno of each view from 1 on.
    public let viewHistory: [UInt64]
    /// The public maps.
    public let publicState: WriteSet
    /// SHA-256 of the file without its receipt: what the evidence entry claims.
    public let digest: Bytes32
    /// The receipt at the end, JSON or COSE; empty in a file that is not committed.
    public let receipt: [UInt8]
    /// The epoch whose session key sealed the private state.
    public let epoch: UInt64

    private let nonce: [UInt8]
    private let commitment: [UInt8]
    private let context: Bytes32
    private let ranges: [Range<Int>]

    static let viewCountMax = 1 << 20
    /// Bytes of a snapshot at most.
    public static let byteCountMax = 1 << 40
    static let publicByteCountMax = 1 << 30
    private static let receiptByteCountMax = 1 << 20
    private static let readByteCount = 1 << 20

    /// Parses a file of ours that is in memory.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init(_ bytes: [UInt8], limits: WriteSetLimits = .standard) throws(LedgerError) {
        try self.init(byteCount: bytes.count, limits: limits) { offset, count in
            Array(bytes[min(offset, bytes.count)..<min(bytes.count, offset + count)])
        }
    }

    /// Parses a file of ours: goes once through all of it.
    /// - Parameters:
    ///   - byteCount: bytes of the file.
    ///   - read: gives so many bytes from an offset on.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``,
    ///   ``LedgerError/storage(_:file:line:)``.
    public init(
        byteCount: Int, limits: WriteSetLimits = .standard, read: (_ offset: Int, _ count: Int) throws -> [UInt8]
    ) throws(LedgerError) {
        func exactly(_ offset: Int, _ count: Int) throws(LedgerError) -> [UInt8] {
            let bytes: [UInt8]
            do { bytes = try read(offset, count) } catch { throw .storage("the snapshot can't be read: \(error)") }
            guard bytes.count == count else { throw .malformed("the snapshot ends at byte \(offset + bytes.count)") }
            return bytes
        }
        guard byteCount >= EntryHeader.byteCount else { throw .malformed("a snapshot of \(byteCount) bytes") }
        let framing = try SnapshotFraming(exactly(0, EntryHeader.byteCount), fileByteCount: byteCount)
        let privateStart = EntryHeader.byteCount + framing.publicByteCount
        let prefixEnd = privateStart + SnapshotWriter.privatePrefixByteCount
        guard prefixEnd < framing.byteCount else { throw .malformed("a snapshot without a frame") }
        var head = try exactly(0, prefixEnd)
        guard byteCount - framing.byteCount <= Self.receiptByteCountMax else {
            throw .tooLarge("a receipt of \(byteCount - framing.byteCount) bytes")
        }
        receipt = try exactly(framing.byteCount, byteCount - framing.byteCount)
        id = framing.id
        do {
            var reader = Layout(head, EntryHeader.byteCount..<privateStart)
            guard try reader.byte() == EntryType.snapshot.rawValue, try reader.integer() == framing.id.seqno,
                try reader.integer() == 0, let leaf = Bytes32(try reader.blob(limit: 32))
            else { throw LedgerError.malformed("the head of the snapshot") }
            self.leaf = leaf
            let historyBytes = try reader.integer()
            guard historyBytes % 8 == 0, historyBytes / 8 <= Self.viewCountMax else {
                throw LedgerError.malformed("the view history of the snapshot")
            }
            var history: [UInt64] = []
            for _ in 0..<historyBytes / 8 { history.append(try reader.integer()) }
            viewHistory = history
            publicState = try Self.maps(&reader, limits)
            var domain = ByteReader(head, from: privateStart, to: prefixEnd)
            guard try domain.integer(UInt8.self) == 1 else {
                throw LedgerError.malformed("an unknown version of a snapshot's private domain")
            }
            commitment = try domain.raw(32)
            epoch = try domain.integer()
            nonce = try domain.raw(16)
        } catch let error as LedgerError { throw error } catch {
            throw .malformed("the snapshot at \(framing.id): \(error)")
        }
        var ranges: [Range<Int>] = []
        var offset = prefixEnd
        while offset < framing.byteCount {
            guard framing.byteCount - offset >= 4 else { throw .malformed("a frame of the snapshot is cut short") }
            let length = try exactly(offset, 4).withUnsafeBytes {
                Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)))
            }
            guard length >= 16, length <= framing.byteCount - offset - 4 else {
                throw .malformed("frame \(ranges.count) of the snapshot is cut short")
            }
            ranges.append(offset + 4..<offset + 4 + length)
            offset += 4 + length
        }
        self.ranges = ranges
        var hash = SHA256()
        offset = 0
        while offset < framing.byteCount {
            let part = try exactly(offset, min(Self.readByteCount, framing.byteCount - offset))
            hash.update(data: part)
            offset += part.count
        }
        digest = Bytes32(digest: hash.finalize())
        // All before the frames but the framing, which was not known when they were sealed.
        for place in 0..<EntryHeader.framingByteCount { head[place] = 0 }
        context = Digests.sha256(head)
    }

    /// Number of frames of the private state.
    public var frameCount: Int { ranges.count }

    /// Derives the key that sealed the private state.
    /// - Throws: ``LedgerError/decryption(_:file:line:)`` when the session key is of another epoch or not the one.
    public func key(session: SessionKey, networkID: [UInt8]) throws(LedgerError) -> SnapshotKey {
        guard session.epoch == epoch else { throw .decryption("the snapshot is of epoch \(epoch)") }
        let key = try SnapshotKey(session: session, networkID: networkID, seqno: id.seqno, nonce: nonce)
        guard key.commitment == commitment else { throw .decryption("the snapshot's key commitment is another") }
        return key
    }

    /// The frames of the private state, in the file of this name.
    func frames(in file: String, key: SnapshotKey) -> SealedFrames {
        SealedFrames(file: file, key: key, context: context, ranges: ranges)
    }

    /// Opens one frame of the private state of a file that is in memory.
    /// - Throws: ``LedgerError/decryption(_:file:line:)``, ``LedgerError/malformed(_:file:line:)``.
    package func frame(_ index: Int, of bytes: [UInt8], key: SnapshotKey) throws(LedgerError) -> WriteSet {
        guard ranges.indices.contains(index), ranges[index].upperBound <= bytes.count else {
            throw .malformed("no frame \(index) in the snapshot")
        }
        return try frames(in: "the snapshot", key: key).open(index, Array(bytes[ranges[index]]))
    }

    /// Checks that the receipt, JSON or COSE, is for an entry of this service that claims this file's digest.
    /// - Parameter evidence: seqno of that entry, if the caller knows.
    /// - Throws: ``LedgerError/badReceipt(_:file:line:)``, ``LedgerError/malformed(_:file:line:)``.
    public func verify(service: X509Certificate, evidence: UInt64? = nil) throws(LedgerError) {
        let entry: TransactionID?
        if receipt.first == UInt8(ascii: "{") {
            let receipt = try Receipt(json: receipt)
            try receipt.verify(service: service, claimsDigest: digest)
            entry = receipt.id
        } else {
            let receipt = try CoseReceipt(receipt)
            try receipt.verify(service: service.publicKey, claimsDigest: digest)
            entry = receipt.id
        }
        if let evidence, entry?.seqno != evidence {
            throw .badReceipt("the receipt is for another entry than \(evidence)")
        }
    }

    private static func maps(_ reader: inout Layout, _ limits: WriteSetLimits) throws -> WriteSet {
        var maps: [MapWrites] = []
        var left = limits.changeCountMax
        while !reader.isAtEnd {
            guard maps.count < limits.mapCountMax,
                let name = String(validating: try reader.blob(limit: limits.nameBytesMax), as: UTF8.self),
                name.utf8.starts(with: MapWrites.publicPrefix.utf8)
            else { throw LedgerError.malformed("a map's name at byte \(reader.offset)") }
            _ = try reader.integer()
            let byteCount = try reader.integer()
            guard byteCount <= UInt64(reader.remaining) else {
                throw LedgerError.malformed("a map is cut short at byte \(reader.offset)")
            }
            let end = reader.offset + Int(byteCount)
            var writes: [MapWrites.Write] = []
            while reader.offset < end {
                left -= 1
                guard left >= 0 else { throw LedgerError.tooLarge("more than \(limits.changeCountMax) keys") }
                let key = try padded(&reader, limits.keyBytesMax)
                let versioned = try padded(&reader, limits.valueBytesMax)
                guard versioned.count >= 8, writes.last.map({ ByteOrder.precedes($0.key, key) }) ?? true else {
                    throw LedgerError.malformed("a pair before byte \(reader.offset)")
                }
                writes.append(.init(key: key, value: Array(versioned[8...])))
            }
            guard reader.offset == end, !writes.isEmpty,
                maps.last.map({ $0.name.utf8.lexicographicallyPrecedes(name.utf8) }) ?? true
            else { throw LedgerError.malformed("a map before byte \(reader.offset)") }
            maps.append(MapWrites(name: name, writes: writes))
        }
        return WriteSet(maps)
    }

    private static func padded(_ reader: inout Layout, _ limit: Int) throws -> [UInt8] {
        let value = try reader.blob(limit: limit)
        let padding = try reader.raw((8 - value.count % 8) % 8)
        guard !padding.contains(where: { $0 != 0 }) else { throw LedgerError.malformed("padding that is not zero") }
        return value
    }
}

/// The fixed part at the start of a snapshot; unlike another entry it may be larger than memory.
private struct SnapshotFraming {
    let id: TransactionID
    /// Bytes without the receipt.
    let byteCount: Int
    let publicByteCount: Int

    init(_ bytes: [UInt8], fileByteCount: Int) throws(LedgerError) {
        let (framing, seqno, view, publicLength) = bytes.withUnsafeBytes {
            (
                UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
                UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 32, as: UInt32.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 36, as: UInt64.self))
            )
        }
        guard framing & 0xFFFF == UInt64(EntryHeader.version), view >> 31 == 1 else { throw .malformed("no snapshot") }
        guard !bytes[EntryHeader.tagRange].contains(where: { $0 != 0 }) else {
            throw .malformed("the tag field of a snapshot is not zero")
        }
        let size = framing >> 16
        guard size <= UInt64(SnapshotFile.byteCountMax), fileByteCount <= SnapshotFile.byteCountMax else {
            throw .tooLarge("a snapshot of \(size) bytes")
        }
        byteCount = EntryHeader.framingByteCount + Int(size)
        guard byteCount >= EntryHeader.byteCount, byteCount <= fileByteCount else {
            throw .malformed("a snapshot of \(byteCount) bytes in a file of \(fileByteCount)")
        }
        guard publicLength <= UInt64(min(SnapshotFile.publicByteCountMax, byteCount - EntryHeader.byteCount)) else {
            throw .malformed("a public domain of \(publicLength) bytes in a snapshot of \(byteCount)")
        }
        publicByteCount = Int(publicLength)
        id = TransactionID(view: UInt64(view & 0x7FFF_FFFF), seqno: seqno)
    }
}
