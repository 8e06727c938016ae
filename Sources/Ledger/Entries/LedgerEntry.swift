public import Primitives
public import Store

/// What the leaf of an entry is made of.
public struct LeafComponents: Sendable, Hashable {
    /// SHA-256 of the whole entry.
    public let writeSetDigest: Bytes32
    /// The text whose knowledge shows that the entry was committed; see ``EntryCipher/commitEvidence(_:)``.
    public let commitEvidence: String
    /// Digest of what the application claims, zeros if nothing.
    public let claimsDigest: Bytes32

    /// The components as given.
    public init(writeSetDigest: Bytes32, commitEvidence: String, claimsDigest: Bytes32) {
        self.writeSetDigest = writeSetDigest
        self.commitEvidence = commitEvidence
        self.claimsDigest = claimsDigest
    }

    /// SHA-256(write-set digest ‖ SHA-256(evidence) ‖ claims digest).
    public var leaf: Bytes32 {
        Digests.triple(writeSetDigest, Digests.sha256(commitEvidence), claimsDigest)
    }
}

/// How strictly an entry is read.
public enum EntryForm: Sendable, Hashable {
    /// Exactly what Entente writes: type 4, canonical maps, the tag of `EntryTag`.
    case entente
    /// Anything that CCF wrote, old entry types included.
    case ccf
}

/// One entry of the ledger in CCF's layout: its bytes, and what its public part says.
public struct LedgerEntry: Sendable, Hashable {
    /// The whole entry, framing included.
    public let bytes: [UInt8]
    /// The fixed part.
    public let header: EntryHeader
    /// What it carries beside its maps.
    public let type: EntryType
    /// Digest of the application's claims, if the type has one; zeros if nothing is claimed.
    public let claimsDigest: Bytes32?
    /// SHA-256 of the commit evidence, if the type has one.
    public let commitEvidenceDigest: Bytes32?
    /// The public maps.
    public let tables: WriteSet
    /// SHA-256 of ``bytes``.
    public let writeSetDigest: Bytes32

    /// The entry's name.
    public var id: TransactionID { header.id }
    /// The flags.
    public var flags: EntryFlags { header.flags }
    /// Bytes of the private domain.
    public var privateDomain: ArraySlice<UInt8> { bytes[header.privateRange] }

    /// The leaf of the Merkle tree at this entry's seqno (ccf.md 3.2; older types leave parts out).
    public var leaf: Bytes32 {
        switch (claimsDigest, commitEvidenceDigest) {
        case (nil, nil): writeSetDigest
        case (nil, let evidence?): Digests.pair(writeSetDigest, evidence)
        case (let claims?, let evidence): Digests.triple(writeSetDigest, evidence ?? .zero, claims)
        }
    }

    /// Whether this is a signature entry or one with data.
    public var kind: EntryKind { EntryKind(self) }

    /// Reads an entry that takes the whole of `bytes`.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init(_ bytes: [UInt8], form: EntryForm = .entente, limits: WriteSetLimits = .standard) throws(LedgerError) {
        let header = try EntryHeader(bytes)
        guard header.entryByteCount == bytes.count else { throw .malformed("bytes follow the entry") }
        var reader = Layout(bytes, header.publicRange)
        do {
            guard let type = EntryType(rawValue: try reader.byte()), type != .snapshot else {
                throw LedgerError.malformed("an unknown entry type")
            }
            let seqno = try reader.integer()
            guard seqno == header.id.seqno else {
                throw LedgerError.malformed("seqno \(seqno) in the public domain, \(header.id.seqno) in the IV")
            }
            self.type = type
            claimsDigest = type.hasClaims ? Bytes32(try reader.raw(32)) : nil
            commitEvidenceDigest = type.hasCommitEvidence ? Bytes32(try reader.raw(32)) : nil
            let reserved = try reader.integer()
            if form == .entente {
                guard type == .writeSetWithBoth, reserved == 0, !header.isSnapshot else {
                    throw LedgerError.malformed("an entry of another type, or with reserved bits set")
                }
            }
            tables = try WriteSet.decode(
                bytes, in: reader.offset..<header.publicRange.upperBound, form: form == .ccf ? .ccf : .canonical,
                limits: limits)
        } catch let error as LedgerError { throw error } catch {
            throw .malformed("the public domain of \(header.id): \(error)")
        }
        guard tables.maps.allSatisfy(\.isPublic) else { throw .malformed("a private map in the public domain") }
        if form == .entente, !EntryTag.isValid(bytes, in: 0..<bytes.count) {
            throw .malformed("the tag of \(header.id) does not fit its bytes")
        }
        self.bytes = bytes
        self.header = header
        writeSetDigest = Digests.sha256(bytes)
    }
}

/// What an entry is for.
public enum EntryKind: Sendable, Hashable {
    /// A signed Merkle root, and nothing else.
    case signature
    /// Anything else.
    case data

    /// Classifies by the public maps: an entry with a signature map is a signature entry.
    public init(_ entry: LedgerEntry) {
        self.init(tables: entry.tables)
    }

    /// Classifies by the public maps.
    public init(tables: WriteSet) {
        let isSignature = tables[Tables.signatures] != nil || tables[Tables.coseSignatures] != nil
        self = isSignature ? .signature : .data
    }
}
