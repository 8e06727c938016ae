internal import Crypto
internal import FoundationEssentials

/// What stands in an entry's tag field, where CCF has the tag of its AES-GCM.
///
/// Entente seals each compartment by itself, so the field is free: it holds the AES-256-GCM tag, under a key of zeros and
/// the IV field as nonce, of the entry with zeros in this field as associated data. That is a checksum, no secret: it
/// tells a torn or damaged entry from a whole one without the tree, and makes each bit of the last signature entry, which
/// no later root covers, count. Who alters an entry on purpose can mend it; the Merkle root stops that.
enum EntryTag {
    static let byteCount = 16
    private static let key = SymmetricKey(data: [UInt8](repeating: 0, count: 32))

    /// The tag of an entry whose tag field is zero.
    static func compute(_ entry: [UInt8]) -> [UInt8] {
        guard let nonce = try? AES.GCM.Nonce(data: entry[EntryHeader.ivRange]),
            let box = try? AES.GCM.seal([UInt8](), using: key, nonce: nonce, authenticating: entry)
        else {
            preconditionFailure("an entry of \(entry.count) bytes has no IV of 12")
        }
        return [UInt8](box.tag)
    }

    /// Whether the entry at `range` of `bytes` has the tag that belongs there.
    static func isValid(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
        var entry = Array(bytes[range])
        guard entry.count >= EntryHeader.byteCount else { return false }
        let found = Array(entry[EntryHeader.tagRange])
        for index in EntryHeader.tagRange { entry[index] = 0 }
        return compute(entry) == found
    }
}

extension LedgerEntry {
    /// Reads bytes whose tag is set right first: what an attacker who knows the format can do, for tests.
    package init(retagging bytes: [UInt8]) throws(LedgerError) {
        _ = try EntryHeader(bytes)
        var mended = bytes
        for index in EntryHeader.tagRange { mended[index] = 0 }
        mended.replaceSubrange(EntryHeader.tagRange, with: EntryTag.compute(mended))
        try self.init(mended)
    }
}
