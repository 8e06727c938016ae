/// Finds out, at start, what of a ledger's files is whole, and mends what a crash may have left.
struct LedgerOpener<Storage: LedgerStorage> {
    typealias Chunk = LedgerFiles<Storage>.Chunk

    var storage: Storage
    let firstSeqno: UInt64?
    let durable: UInt64?
    var chunks: [Chunk] = []
    var healing: [String] = []
    var isTailDamaged = false

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
                guard name.start > due else {
                    throw LedgerError.corrupt(
                        "\(name.fileName) does not follow entry \(due - 1): it is an older copy or of another network; "
                            + "move it out of the folder")
                }
                guard name.isCommitted else {
                    // What follows a tail that was cut off goes with it.
                    try setAside(name, lastWhole: due - 1)
                    continue
                }
                guard chunks.allSatisfy(\.name.isCommitted) else {
                    throw LedgerError.corrupt("\(name.fileName) is committed, the chunk before it is not")
                }
                chunks.append(missing(due..<name.start))
                healing.append("entries \(due) to \(name.start - 1) are missing")
                chunks.append(try committed(name))
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

    private func missing(_ range: Range<UInt64>) -> Chunk {
        var chunk = Chunk(
            name: ChunkName(start: range.lowerBound, committedEnd: range.upperBound - 1), positions: [],
            entryCount: UInt64(range.count), dataEnd: 0, isComplete: true)
        chunk.isMissing = true
        return chunk
    }

    /// A committed chunk whose frame is not what it must be is set aside: the name says what is missing.
    private mutating func committed(_ name: ChunkName) throws -> Chunk {
        do {
            return try whole(name)
        } catch let error as LedgerError where error == .corrupt("") {
            guard let end = name.end, end - name.start < UInt64(UInt32.max) else { throw error }
            try storage.rename(name.fileName, to: name.fileName + ChunkName.damagedSuffix)
            healing.append("set \(name.fileName) aside: \(error.reason)")
            return missing(name.start..<end + 1)
        }
    }

    private func whole(_ name: ChunkName) throws -> Chunk {
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
        let isComplete = offset == chunk.dataEnd && !table.isEmpty && bytes[chunk.dataEnd...].elementsEqual(table)
        // The last process may have ended between writing and syncing, or because a sync failed: what is read here may be
        // in the kernel's memory alone, which after a failed sync holds it for written. So it is written and synced again
        // before anyone counts on it.
        if chunk.entryCount > 0 {
            let end = isComplete ? bytes.count : chunk.dataEnd
            try storage.write(
                Array(bytes[ChunkLayout.headerByteCount..<end]), to: file, at: ChunkLayout.headerByteCount)
            try storage.sync(file)
        }
        if isComplete {
            chunk.isComplete = true
            return chunk
        }
        let tail = bytes[chunk.dataEnd...]
        if tail.contains(where: { $0 != 0 }), !table.starts(with: tail) {
            if try isDamage(chunk, bytes) {
                try keepCopy(of: file, bytes)
                isTailDamaged = true
                healing.append("kept a copy of \(file): entry \(chunk.next) is damaged, with whole ones behind it")
            }
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

    /// Refuses to cut off what was acknowledged. Tells whether a torn write does not explain what is there: then what
    /// follows must come from another node.
    private func isDamage(_ chunk: Chunk, _ bytes: [UInt8]) throws -> Bool {
        try checkNotAcknowledged(chunk.next, chunk.name.fileName, chunk.dataEnd)
        guard durable == nil, let damaged = try? EntryHeader(bytes, at: chunk.dataEnd) else { return false }
        let behind = chunk.dataEnd + damaged.entryByteCount
        return Self.wholeEntry(bytes, at: behind, seqno: chunk.next + 1) != nil
    }

    private mutating func keepCopy(of file: String, _ bytes: [UInt8]) throws {
        let copy = file + ChunkName.damagedSuffix
        if try storage.list().contains(copy) { try storage.remove(copy) }
        try storage.write(bytes, to: copy, at: 0)
        try storage.truncate(copy, to: bytes.count)
        try storage.sync(copy)
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
