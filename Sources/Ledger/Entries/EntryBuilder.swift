public import Primitives
public import Store

/// What an entry is to say in clear.
public struct EntryContents: Sendable, Hashable {
    /// The entry's name.
    public var id: TransactionID
    /// Where chunk files must be cut.
    public var flags: EntryFlags
    /// The public maps; a private one here is a programmer's error.
    public var tables: WriteSet
    /// What the application claims; for a batch ``BatchTree/claimsDigest``.
    public var claimsDigest: Bytes32

    /// Contents as given.
    public init(
        id: TransactionID, flags: EntryFlags = [], tables: WriteSet = WriteSet(), claimsDigest: Bytes32 = .zero
    ) {
        self.id = id
        self.flags = flags
        self.tables = tables
        self.claimsDigest = claimsDigest
    }
}

extension LedgerEntry {
    /// Bytes of the public domain before its maps.
    static let publicPrefixByteCount = 1 + 8 + 32 + 32 + 8

    /// Builds an entry.
    ///
    /// - Parameters:
    ///   - commitEvidenceDigest: SHA-256 of the commit evidence.
    ///   - privateByteCount: bytes that `privateDomain` will append.
    ///   - privateDomain: appends the private domain to the entry's bytes, which up to there are final but for the tag.
    init(
        _ contents: EntryContents, commitEvidenceDigest: Bytes32, privateByteCount: Int,
        privateDomain: (inout [UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        precondition(contents.tables.maps.allSatisfy(\.isPublic), "a private map among the public ones")
        precondition(contents.id.view < 1 << 31, "view \(contents.id.view) does not fit an entry")
        let publicByteCount = Self.publicPrefixByteCount + contents.tables.encodedCount
        let entryByteCount = EntryHeader.byteCount + publicByteCount + privateByteCount
        guard entryByteCount <= EntryHeader.entryByteCountMax else {
            throw .tooLarge("an entry of \(entryByteCount) bytes")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entryByteCount)
        let size = UInt64(entryByteCount - EntryHeader.framingByteCount)
        Layout.append(size << 16 | UInt64(contents.flags.rawValue) << 8 | UInt64(EntryHeader.version), to: &bytes)
        bytes.append(contentsOf: repeatElement(0, count: EntryTag.byteCount))
        bytes.append(contentsOf: EntryHeader.iv(contents.id, isSnapshot: false))
        Layout.append(UInt64(publicByteCount), to: &bytes)
        bytes.append(EntryType.writeSetWithBoth.rawValue)
        Layout.append(contents.id.seqno, to: &bytes)
        contents.claimsDigest.withUnsafeBytes { bytes.append(contentsOf: $0) }
        commitEvidenceDigest.withUnsafeBytes { bytes.append(contentsOf: $0) }
        Layout.append(0, to: &bytes)
        contents.tables.encode(into: &bytes)
        try privateDomain(&bytes)
        precondition(bytes.count == entryByteCount, "\(bytes.count) bytes of an entry of \(entryByteCount)")
        bytes.replaceSubrange(EntryHeader.tagRange, with: EntryTag.compute(bytes))
        header = try EntryHeader(bytes)
        type = .writeSetWithBoth
        claimsDigest = contents.claimsDigest
        self.commitEvidenceDigest = commitEvidenceDigest
        tables = contents.tables
        writeSetDigest = Digests.sha256(bytes)
        self.bytes = bytes
    }
}
