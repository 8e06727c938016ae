// Chunks that are damaged or missing, and how others take their place.
extension LedgerFiles {
    /// Ranges of committed entries whose chunk is missing or was set aside, in order.
    public var missing: [Range<UInt64>] {
        chunks.filter(\.isMissing).map { $0.start..<$0.next }
    }

    /// Sets the committed chunk that holds `seqno` aside, as `.damaged`, and remembers that it is missing.
    /// - Returns: its entries; nil when that entry is in no committed chunk. An uncommitted chunk holds what this node alone
    ///   may have acknowledged, so nothing takes its place while the node runs.
    /// - Throws: what the storage throws.
    public mutating func setAside(chunkOf seqno: UInt64) throws -> Range<UInt64>? {
        guard let index = chunkIndex(of: seqno), chunks[index].name.isCommitted else { return nil }
        let name = chunks[index].name.fileName
        if !chunks[index].isMissing {
            try storage.rename(name, to: name + ChunkName.damagedSuffix)
            chunks[index].isMissing = true
            chunks[index].positions = []
        }
        return chunks[index].start..<chunks[index].next
    }

    /// Puts entries in the place of a missing chunk, durably. Who calls has verified them (``ChunkVerifier``).
    /// - Parameter entries: the bytes of all entries of one range of ``missing``, in order.
    /// - Throws: ``LedgerError/outOfRange(_:file:line:)`` when no such chunk is missing or the entries are others, and what
    ///   the storage throws.
    public mutating func restore(_ range: Range<UInt64>, entries: [[UInt8]]) throws {
        guard let index = chunks.firstIndex(where: { $0.isMissing && $0.start..<$0.next == range }),
            entries.count == range.count
        else {
            throw LedgerError.outOfRange(
                "no chunk of entries \(range.lowerBound) to \(range.upperBound - 1) is missing")
        }
        var chunk = Chunk(emptyAt: range.lowerBound)
        var bytes = ChunkLayout.header(tableOffset: 0)
        for entry in entries {
            guard let header = try? EntryHeader(entry), header.id.seqno == chunk.next,
                EntryTag.isValid(entry, in: 0..<entry.count), header.entryByteCount == entry.count
            else { throw LedgerError.outOfRange("not entry \(chunk.next), which is due") }
            guard bytes.count + entry.count < Int(UInt32.max) - (chunk.positions.count + 1) * 4 else {
                throw LedgerError.tooLarge("a chunk over 4 GiB")
            }
            chunk.positions.append(UInt32(bytes.count))
            chunk.entryCount += 1
            bytes += entry
        }
        let dataEnd = bytes.count
        bytes.replaceSubrange(0..<ChunkLayout.headerByteCount, with: ChunkLayout.header(tableOffset: UInt64(dataEnd)))
        bytes += ChunkLayout.table(chunk.positions)
        let name = ChunkName(start: range.lowerBound, committedEnd: range.upperBound - 1)
        let temporary = name.fileName + ".new"
        if try storage.list().contains(temporary) { try storage.remove(temporary) }
        try storage.write(bytes, to: temporary, at: 0)
        try storage.sync(temporary)
        try storage.rename(temporary, to: name.fileName)
        chunks[index] = Chunk(
            name: name, positions: [], entryCount: chunk.entryCount, dataEnd: dataEnd, isComplete: true)
    }
}

extension ChunkName {
    /// What the name of a file ends with that was set aside because it is damaged.
    public static let damagedSuffix = ".damaged"
}
