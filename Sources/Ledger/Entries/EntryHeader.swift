/// Flags of an entry: where chunk files must be cut.
public struct EntryFlags: OptionSet, Sendable, Hashable {
    /// The byte in the header.
    public let rawValue: UInt8

    /// Flags of this byte.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The chunk file ends after this entry.
    public static let chunkAfter = EntryFlags(rawValue: 1)
    /// A chunk file begins with this entry.
    public static let chunkBefore = EntryFlags(rawValue: 2)

    static let known: EntryFlags = [.chunkAfter, .chunkBefore]
}

/// What an entry carries beside its maps; the first byte of its public domain.
public enum EntryType: UInt8, Sendable, Hashable {
    /// A write set alone, written by CCF 1.
    case writeSet = 0
    /// A snapshot.
    case snapshot = 1
    /// With a claims digest.
    case writeSetWithClaims = 2
    /// With a commit-evidence digest.
    case writeSetWithCommitEvidence = 3
    /// With both: the only one written now.
    case writeSetWithBoth = 4

    var hasClaims: Bool { self == .writeSetWithClaims || self == .writeSetWithBoth }
    var hasCommitEvidence: Bool { self == .writeSetWithCommitEvidence || self == .writeSetWithBoth }
}

/// The fixed part at the start of each entry: 8 bytes of framing (u8 version, u8 flags, u48 size of the rest), 16 bytes
/// of tag, 12 bytes of IV (u64 seqno, u32 view with the top bit for snapshots) and the u64 length of the public domain.
public struct EntryHeader: Sendable, Hashable {
    /// Bytes of framing before what the size counts.
    public static let framingByteCount = 8
    /// Bytes of the whole header.
    public static let byteCount = 44
    /// The only version of the framing.
    public static let version: UInt8 = 1
    /// Entries over this size are refused, as the PyPI reader does.
    public static let entryByteCountMax = 1 << 30

    static let tagRange = 8..<24
    static let ivRange = 24..<36

    /// The flags.
    public let flags: EntryFlags
    /// Bytes of the whole entry, framing included.
    public let entryByteCount: Int
    /// The entry's name as in its IV.
    public let id: TransactionID
    /// Whether the IV says that this is a snapshot.
    public let isSnapshot: Bool
    /// Bytes of the public domain, which follows the header.
    public let publicByteCount: Int

    /// Where the public domain stands in the entry.
    public var publicRange: Range<Int> { Self.byteCount..<Self.byteCount + publicByteCount }
    /// Where the private domain stands in the entry; empty if there is none.
    public var privateRange: Range<Int> { Self.byteCount + publicByteCount..<entryByteCount }

    /// Reads the header at `offset` of `bytes`.
    /// - Parameter end: where the entry must end at the latest, by default the end of `bytes`.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init(_ bytes: [UInt8], at offset: Int = 0, end: Int? = nil) throws(LedgerError) {
        let end = min(end ?? bytes.count, bytes.count)
        guard offset >= 0, end - offset >= Self.byteCount else { throw .malformed("the bytes end within a header") }
        let (framing, seqno, view, publicLength) = bytes.withUnsafeBytes {
            (
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)),
                UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset + 32, as: UInt32.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset + 36, as: UInt64.self))
            )
        }
        guard UInt8(truncatingIfNeeded: framing) == Self.version else {
            throw .malformed("version \(UInt8(truncatingIfNeeded: framing)) of an entry, not 1")
        }
        let flags = EntryFlags(rawValue: UInt8(truncatingIfNeeded: framing >> 8))
        guard EntryFlags.known.isSuperset(of: flags) else { throw .malformed("unknown flags \(flags.rawValue)") }
        let size = framing >> 16
        guard size <= UInt64(Self.entryByteCountMax) else { throw .tooLarge("an entry of \(size) bytes") }
        let entryByteCount = Self.framingByteCount + Int(size)
        guard entryByteCount >= Self.byteCount else { throw .malformed("an entry of only \(size) bytes") }
        guard entryByteCount <= end - offset else {
            throw .malformed("an entry of \(entryByteCount) bytes where \(end - offset) are left")
        }
        guard publicLength <= UInt64(entryByteCount - Self.byteCount) else {
            throw .malformed("a public domain of \(publicLength) bytes in an entry of \(entryByteCount)")
        }
        self.flags = flags
        self.entryByteCount = entryByteCount
        id = TransactionID(view: UInt64(view & 0x7FFF_FFFF), seqno: seqno)
        isSnapshot = view >> 31 == 1
        publicByteCount = Int(publicLength)
    }

    /// The 12 bytes of the IV field.
    static func iv(_ id: TransactionID, isSnapshot: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(12)
        withUnsafeBytes(of: id.seqno.littleEndian) { bytes.append(contentsOf: $0) }
        let view = UInt32(truncatingIfNeeded: id.view) & 0x7FFF_FFFF | (isSnapshot ? 1 << 31 : 0)
        withUnsafeBytes(of: view.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }
}
