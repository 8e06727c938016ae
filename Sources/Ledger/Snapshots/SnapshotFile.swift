public import Identity
public import Primitives
public import Store

/// A snapshot file, parsed: its public state, and its private state still sealed.
public struct SnapshotFile: Sendable, Hashable {
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

    private let entry: [UInt8]
    private let prefixEnd: Int
    private let epoch: UInt64
    private let nonce: [UInt8]
    private let commitment: [UInt8]
    private let frames: [Range<Int>]

    static let viewCountMax = 1 << 20

    /// Parses a file of ours.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init(_ bytes: [UInt8], limits: WriteSetLimits = .standard) throws(LedgerError) {
        let header = try EntryHeader(bytes)
        guard header.isSnapshot, header.flags.isEmpty else { throw .malformed("no snapshot") }
        guard !bytes[EntryHeader.tagRange].contains(where: { $0 != 0 }) else {
            throw .malformed("the tag field of a snapshot is not zero")
        }
        entry = Array(bytes[..<header.entryByteCount])
        receipt = Array(bytes[header.entryByteCount...])
        digest = Digests.sha256(entry)
        id = header.id
        do {
            var reader = Layout(entry, header.publicRange)
            guard try reader.byte() == EntryType.snapshot.rawValue, try reader.integer() == header.id.seqno,
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
            var domain = ByteReader(entry, from: header.privateRange.lowerBound, to: header.privateRange.upperBound)
            guard try domain.integer(UInt8.self) == 1 else {
                throw LedgerError.malformed("an unknown version of a snapshot's private domain")
            }
            commitment = try domain.raw(32)
            epoch = try domain.integer()
            nonce = try domain.raw(16)
            prefixEnd = domain.offset
            var frames: [Range<Int>] = []
            while domain.remaining > 0 {
                let length = Int(try domain.integer(UInt32.self))
                guard length >= 16, length <= domain.remaining else {
                    throw LedgerError.malformed("frame \(frames.count) of the snapshot is cut short")
                }
                frames.append(domain.offset..<domain.offset + length)
                domain = ByteReader(entry, from: domain.offset + length, to: header.privateRange.upperBound)
            }
            guard !frames.isEmpty else { throw LedgerError.malformed("a snapshot without a frame") }
            self.frames = frames
        } catch let error as LedgerError { throw error } catch {
            throw .malformed("the snapshot at \(header.id): \(error)")
        }
    }

    /// Number of frames of the private state.
    public var frameCount: Int { frames.count }

    /// Derives the key that sealed the private state.
    /// - Throws: ``LedgerError/decryption(_:file:line:)`` when the session key is of another epoch or not the one.
    public func key(session: SessionKey, networkID: [UInt8]) throws(LedgerError) -> SnapshotKey {
        guard session.epoch == epoch else { throw .decryption("the snapshot is of epoch \(epoch)") }
        let key = try SnapshotKey(session: session, networkID: networkID, seqno: id.seqno, nonce: nonce)
        guard key.commitment == commitment else { throw .decryption("the snapshot's key commitment is another") }
        return key
    }

    /// Opens one frame of the private state.
    /// - Throws: ``LedgerError/decryption(_:file:line:)``, ``LedgerError/malformed(_:file:line:)``.
    public func frame(
        _ index: Int, key: SnapshotKey, limits: WriteSetLimits = .standard
    ) throws(LedgerError) -> WriteSet {
        guard frames.indices.contains(index) else { throw .malformed("no frame \(index) in the snapshot") }
        // All before the frames but the framing, which was not known when they were sealed.
        var head = Array(entry[..<prefixEnd])
        for place in 0..<EntryHeader.framingByteCount { head[place] = 0 }
        let plaintext = try key.open(
            entry[frames[index]], frame: UInt32(index), isLast: index == frames.count - 1,
            context: Digests.sha256(head))
        do { return try WriteSet.decode(plaintext, limits: limits) } catch {
            throw .malformed("frame \(index) of the snapshot: \(error)")
        }
    }

    /// Checks that the receipt, JSON or COSE, is for an entry of this service that claims this file's digest.
    /// - Throws: ``LedgerError/badReceipt(_:file:line:)``, ``LedgerError/malformed(_:file:line:)``.
    public func verify(service: X509Certificate) throws(LedgerError) {
        if receipt.first == UInt8(ascii: "{") {
            try Receipt(json: receipt).verify(service: service, claimsDigest: digest)
        } else {
            try CoseReceipt(receipt).verify(service: service.publicKey, claimsDigest: digest)
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
