/// Finds out, at start, what of a ledger's files is whole, and mends what a crash may have left.
struct LedgerOpener<Storage: LedgerStorage> {
    typealias Chunk = LedgerFiles<Storage>.Chunk

    var storage: Storage
    let firstSeqno: UInt64?
    let durable: UInt64?
    var chunks: [Chunk] = []
    var healing: [String] = []

    init(storage: Storage, firstSeqno: UInt64?, durable: UInt64?) {
        self.storage = storage
        self.firstSeqno = firstSeqno
        self.durable = durable
    }

    mutating func open() throws {
        let names = try storage.list().compactMap(ChunkName.init).sorted { $0.start < $1.start }
        for name in names {
            if !name.isCommitted {
                guard name.end == nil else {
                    throw LedgerError.corrupt("\(name.fileName) is a name that this ledger never gives")
                }
                if try removeIfEmpty(name) { continue }
            }
            let due = chunks.last?.next ?? min(name.start, firstSeqno ?? name.start)
            if name.start != due {
                guard name.start > due, !name.isCommitted else {
                    throw LedgerError.corrupt("\(name.fileName) does not follow seqno \(due - 1)")
                }
                // What follows a tail that was cut off goes with it.
                try setAside(name, lastWhole: due - 1)
            } else if name.isCommitted {
                guard chunks.allSatisfy(\.name.isCommitted) else {
                    throw LedgerError.corrupt("\(name.fileName) is committed, the chunk before it is not")
                }
                chunks.append(try committed(name))
            } else {
                let chunk = try uncommitted(name)
                // Without an entry the file is nothing; the next append makes it anew.
                if chunk.entryCount > 0 { chunks.append(chunk) } else { try storage.remove(name.fileName) }
            }
        }
        for index in chunks.indices.dropLast() where !chunks[index].isComplete {
            let file = chunks[index].name.fileName
            try LedgerFiles.complete(&chunks[index], in: &storage)
            try storage.sync(file)
            healing.append("wrote the position table of \(file) again")
        }
    }

    /// Removes a chunk file in which no entry was ever whole: one that a crash left right after its creation.
    private mutating func removeIfEmpty(_ name: ChunkName) throws -> Bool {
        let file = name.fileName
        let start = try storage.read(file, at: 0, count: ChunkLayout.headerByteCount + EntryHeader.byteCount)
        guard !start.dropFirst(ChunkLayout.headerByteCount).contains(where: { $0 != 0 }) else { return false }
        try checkNotAcknowledged(name.start, file, 0)
        try storage.remove(file)
        healing.append("removed \(file), which was empty")
        return true
    }

    private func committed(_ name: ChunkName) throws -> Chunk {
        let file = name.fileName
        guard let end = name.end, let offset = ChunkLayout.tableOffset(try storage.read(file, at: 0, count: 8)),
            let dataEnd = Int(exactly: offset), dataEnd > ChunkLayout.headerByteCount, dataEnd <= UInt32.max
        else { throw LedgerError.corrupt("\(file) has no position table") }
        let count = end - name.start + 1
        guard count <= UInt64(UInt32.max), try storage.size(of: file) == dataEnd + Int(count) * 4 else {
            throw LedgerError.corrupt("the position table of \(file) is not one of \(count) entries")
        }
        let first = try storage.read(file, at: ChunkLayout.headerByteCount, count: EntryHeader.byteCount)
        guard first.count == EntryHeader.byteCount, EntryHeader.seqno(first) == name.start else {
            throw LedgerError.corrupt("\(file) does not begin with entry \(name.start)")
        }
        return Chunk(name: name, positions: [], entryCount: count, dataEnd: dataEnd, isComplete: true)
    }

    /// Reads each entry of a chunk that is not committed; cuts off what a crash left behind the last whole one.
    private mutating func uncommitted(_ name: ChunkName) throws -> Chunk {
        let file = name.fileName
        let bytes = try storage.read(file, at: 0, count: try storage.size(of: file))
        var chunk = Chunk(emptyAt: name.start)
        while let header = Self.wholeEntry(bytes, at: chunk.dataEnd, seqno: chunk.next) {
            chunk.positions.append(UInt32(truncatingIfNeeded: chunk.dataEnd))
            chunk.dataEnd += header.entryByteCount
            chunk.entryCount += 1
        }
        let offset = ChunkLayout.tableOffset(bytes) ?? 0
        let table = ChunkLayout.table(chunk.positions)
        if offset == chunk.dataEnd, !table.isEmpty, bytes[chunk.dataEnd...].elementsEqual(table) {
            chunk.isComplete = true
            return chunk
        }
        let tail = bytes[chunk.dataEnd...]
        if tail.contains(where: { $0 != 0 }), !table.starts(with: tail) {
            try checkTail(chunk, bytes)
            healing.append("cut \(tail.count) bytes of a torn write after seqno \(chunk.next - 1) from \(file)")
        } else if offset != 0 {
            healing.append("opened \(file) again: its position table was not whole")
        }
        // As in a rollback: first the header, then the rest, so that a crash in between is just another torn write.
        if offset != 0 {
            try storage.write(ChunkLayout.header(tableOffset: 0), to: file, at: 0)
            try storage.sync(file)
        }
        if !tail.isEmpty {
            try storage.truncate(file, to: chunk.dataEnd)
            try storage.sync(file)
        }
        return chunk
    }

    /// The header of the entry at `offset`, if it is whole and the one that is due.
    private static func wholeEntry(_ bytes: [UInt8], at offset: Int, seqno: UInt64) -> EntryHeader? {
        guard let header = try? EntryHeader(bytes, at: offset), header.id.seqno == seqno,
            EntryTag.isValid(bytes, in: offset..<offset + header.entryByteCount)
        else { return nil }
        return header
    }

    /// Refuses to cut off what was acknowledged, or what a torn write does not explain.
    private func checkTail(_ chunk: Chunk, _ bytes: [UInt8]) throws {
        try checkNotAcknowledged(chunk.next, chunk.name.fileName, chunk.dataEnd)
        guard durable == nil, let damaged = try? EntryHeader(bytes, at: chunk.dataEnd) else { return }
        let behind = chunk.dataEnd + damaged.entryByteCount
        if Self.wholeEntry(bytes, at: behind, seqno: chunk.next + 1) != nil {
            throw LedgerError.corrupt(
                "entry \(chunk.next) at byte \(chunk.dataEnd) of \(chunk.name.fileName) is damaged, with whole ones behind it"
            )
        }
    }

    private func checkNotAcknowledged(_ seqno: UInt64, _ file: String, _ offset: Int) throws {
        if let durable, seqno <= durable {
            throw LedgerError.corrupt(
                "entry \(seqno) at byte \(offset) of \(file) is damaged, but was acknowledged as durable")
        }
    }

    private mutating func setAside(_ name: ChunkName, lastWhole: UInt64) throws {
        if try storage.size(of: name.fileName) > ChunkLayout.headerByteCount {
            try checkNotAcknowledged(lastWhole + 1, name.fileName, 0)
            healing.append("set \(name.fileName) aside: the ledger before it ends at seqno \(lastWhole)")
        }
        try storage.rename(name.fileName, to: name.fileName + ".ignored")
    }
}

extension EntryHeader {
    /// The seqno in the IV field of the header that `bytes` begin with.
    static func seqno(_ bytes: [UInt8]) -> UInt64 {
        guard bytes.count >= byteCount else { return 0 }
        return UInt64(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self) })
    }
}
