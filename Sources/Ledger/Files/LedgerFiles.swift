internal import Primitives

/// The ledger on disk, in chunk files over a ``LedgerStorage``.
///
/// Entries are appended in order of their seqnos. A chunk is closed after a signature entry once it has reached the chunk
/// size, and gets its final name when all of it is committed. Committed chunks never change.
public struct LedgerFiles<Storage: LedgerStorage> {
    /// Where the files are.
    public internal(set) var storage: Storage
    /// A chunk that has reached this many bytes ends with the next signature.
    public let chunkByteCount: Int
    /// What opening found and did; empty when all was whole.
    public let healing: [String]

    /// Whether opening cut a damaged entry off although whole ones followed it: what was behind may have been committed,
    /// and has to come from another node.
    public let isTailDamaged: Bool

    var chunks: [Chunk]
    private var unsynced: Set<String> = []
    /// A write failed, and may have left some of its bytes behind the last entry.
    private var hasRemains = false

    struct Chunk {
        var name: ChunkName
        /// Offsets of the entries. Empty for a committed chunk until it is read.
        var positions: [UInt32]
        var entryCount: UInt64
        /// Where the entries end.
        var dataEnd: Int
        /// Whether the position table is written.
        var isComplete: Bool
        /// A committed chunk whose file is not there, or was set aside.
        var isMissing = false

        init(emptyAt start: UInt64) {
            self.init(
                name: ChunkName(start: start), positions: [], entryCount: 0, dataEnd: ChunkLayout.headerByteCount,
                isComplete: false)
        }

        init(name: ChunkName, positions: [UInt32], entryCount: UInt64, dataEnd: Int, isComplete: Bool) {
            self.name = name
            self.positions = positions
            self.entryCount = entryCount
            self.dataEnd = dataEnd
            self.isComplete = isComplete
        }

        var start: UInt64 { name.start }
        var next: UInt64 { name.start + entryCount }
    }

    /// Opens the ledger in `storage`, or begins an empty one.
    ///
    /// Committed chunks are checked for their table only. Each entry of the others is read and checked; a torn last
    /// write is cut off. That is done only where nothing acknowledged can be lost: past `durable`, or, if that is not
    /// known, where no whole entry follows the damage.
    /// - Parameters:
    ///   - firstSeqno: the first entry that is needed: 1, or the one after the snapshot from which the node starts. The
    ///     files must reach back to it, and may reach further; an empty ledger begins there. Nil takes the files as they
    ///     are, for a caller that finds out afterwards what it needs; an empty ledger then begins at 1.
    ///   - chunkByteCount: the chunk size, 5 MB by default as CCF's.
    ///   - durable: last seqno that this node has acknowledged as durable, if it knows.
    /// - Throws: ``LedgerError/corrupt(_:file:line:)``, and what the storage throws.
    public init(
        opening storage: Storage, firstSeqno: UInt64? = 1, chunkByteCount: Int = 5_000_000, durable: UInt64? = nil
    ) throws {
        var opener = LedgerOpener(storage: storage, firstSeqno: firstSeqno, durable: durable)
        try opener.open()
        self.storage = opener.storage
        chunks = opener.chunks
        healing = opener.healing
        isTailDamaged = opener.isTailDamaged
        self.chunkByteCount = chunkByteCount
        if chunks.isEmpty { chunks = [Chunk(emptyAt: firstSeqno ?? 1)] }
        if let durable, durable + 1 > nextSeqno {
            throw LedgerError.corrupt("the ledger ends before seqno \(nextSeqno), but \(durable) was acknowledged")
        }
    }

    /// First seqno that the files hold, or would hold.
    public var firstSeqno: UInt64 { chunks[0].start }
    /// Seqno of the next entry.
    public var nextSeqno: UInt64 { chunks[chunks.count - 1].next }
    /// Last seqno whose chunk is committed; nil when none is.
    public var committedChunkEnd: UInt64? { chunks.last { $0.name.isCommitted }?.name.end }

    /// Appends an entry. Nothing is durable until ``sync()``.
    /// - Throws: as ``append(_:)-([LedgerEntry])``.
    public mutating func append(_ entry: LedgerEntry) throws {
        try append([entry])
    }

    /// Appends entries, with one write to each chunk. Nothing is durable until ``sync()``.
    /// - Throws: ``LedgerError/outOfRange(_:file:line:)`` when one does not follow, ``LedgerError/tooLarge(_:file:line:)``
    ///   when one does not fit the chunk, and what the storage throws.
    public mutating func append(_ entries: [LedgerEntry]) throws {
        try removeRemains()
        hasRemains = true
        try write(entries)
        hasRemains = false
    }

    /// Cuts off what a write that failed may have left, or it could be taken for entries at the next start.
    private mutating func removeRemains() throws {
        guard hasRemains else { return }
        let last = chunks[chunks.count - 1]
        let name = last.name.fileName
        if last.entryCount == 0 {
            if try storage.list().contains(name) { try storage.remove(name) }
        } else if !last.isComplete {
            try storage.write(ChunkLayout.header(tableOffset: 0), to: name, at: 0)
            try storage.truncate(name, to: last.dataEnd)
            unsynced.insert(name)
        }
        hasRemains = false
    }

    private mutating func write(_ entries: [LedgerEntry]) throws {
        var index = 0
        while index < entries.count {
            var last = chunks[chunks.count - 1]
            if last.isComplete {
                last = Chunk(emptyAt: last.next)
                chunks.append(last)
            }
            let name = last.name.fileName
            let offset = last.entryCount == 0 ? 0 : last.dataEnd
            var bytes = last.entryCount == 0 ? ChunkLayout.header(tableOffset: 0) : []
            var isFull = false
            while index < entries.count, !isFull {
                let entry = entries[index]
                guard entry.id.seqno == last.next else {
                    throw LedgerError.outOfRange("entry \(entry.id) where \(last.next) is due")
                }
                guard last.dataEnd + entry.bytes.count < Int(UInt32.max) - (last.positions.count + 1) * 4 else {
                    throw LedgerError.tooLarge("chunk \(name) over 4 GiB: no signature closed it")
                }
                bytes.append(contentsOf: entry.bytes)
                last.positions.append(UInt32(last.dataEnd))
                last.dataEnd += entry.bytes.count
                last.entryCount += 1
                index += 1
                isFull =
                    entry.kind == .signature
                    && (last.dataEnd >= chunkByteCount || entry.flags.contains(.chunkAfter))
            }
            try storage.write(bytes, to: name, at: offset)
            unsynced.insert(name)
            if isFull { try Self.complete(&last, in: &storage) }
            chunks[chunks.count - 1] = last
        }
    }

    /// Writes the table, then the header that points to it. Opening checks both, so that a crash in between only makes it
    /// read the entries again.
    static func complete(_ chunk: inout Chunk, in storage: inout Storage) throws {
        let name = chunk.name.fileName
        try storage.write(ChunkLayout.table(chunk.positions), to: name, at: chunk.dataEnd)
        // Nothing follows: what is still reserved for the file is given back, which may be long before it is committed.
        try storage.truncate(name, to: chunk.dataEnd + chunk.positions.count * 4)
        try storage.write(ChunkLayout.header(tableOffset: UInt64(chunk.dataEnd)), to: name, at: 0)
        chunk.isComplete = true
    }

    /// Makes all that was appended durable.
    /// - Throws: what the storage throws.
    public mutating func sync() throws {
        for name in unsynced.sorted() {
            try storage.sync(name)
            unsynced.remove(name)
        }
    }

    /// Tells that all up to `seqno` is committed: chunks that end there or before get their final names.
    /// - Throws: what the storage throws.
    public mutating func commit(to seqno: UInt64) throws {
        for index in chunks.indices {
            let chunk = chunks[index]
            guard chunk.isComplete, !chunk.name.isCommitted else { continue }
            guard chunk.next - 1 <= seqno else { break }
            let name = chunk.name.fileName
            if unsynced.remove(name) != nil { try storage.sync(name) }
            let committed = ChunkName(start: chunk.start, committedEnd: chunk.next - 1)
            try storage.rename(name, to: committed.fileName)
            chunks[index].name = committed
            // The table is on disk: positions of closed chunks are read when asked for.
            chunks[index].positions = []
        }
    }

    /// Takes back all entries after `seqno`, durably.
    /// - Throws: ``LedgerError/outOfRange(_:file:line:)`` when some of them are in a committed chunk, and what the storage
    ///   throws.
    public mutating func rollback(to seqno: UInt64) throws {
        try removeRemains()
        guard seqno + 1 < nextSeqno else { return }
        guard seqno + 1 >= firstSeqno, seqno >= committedChunkEnd ?? 0 else {
            throw LedgerError.outOfRange("a rollback to \(seqno), into a committed chunk")
        }
        while let last = chunks.last, last.start > seqno {
            if last.entryCount > 0 {
                try storage.remove(last.name.fileName)
                unsynced.remove(last.name.fileName)
            }
            chunks.removeLast()
        }
        if chunks.isEmpty { chunks = [Chunk(emptyAt: seqno + 1)] }
        var last = chunks[chunks.count - 1]
        guard last.next > seqno + 1 else { return }
        let keep = Int(seqno + 1 - last.start)
        try open(&last)
        last.dataEnd = Int(last.positions[keep])
        last.positions.removeLast(last.positions.count - keep)
        try storage.truncate(last.name.fileName, to: last.dataEnd)
        try storage.sync(last.name.fileName)
        unsynced.remove(last.name.fileName)
        last.entryCount = UInt64(last.positions.count)
        last.isComplete = false
        chunks[chunks.count - 1] = last
    }

    /// Takes the table away from a complete chunk: first the header's pointer, durably, then the rest may go.
    private mutating func open(_ chunk: inout Chunk) throws {
        guard chunk.isComplete else { return }
        try storage.write(ChunkLayout.header(tableOffset: 0), to: chunk.name.fileName, at: 0)
        try storage.sync(chunk.name.fileName)
        chunk.isComplete = false
    }

    /// Reads the bytes of the entry at `seqno`.
    /// - Throws: ``LedgerError/outOfRange(_:file:line:)`` when the files don't hold it, ``LedgerError/corrupt(_:file:line:)``
    ///   when they hold something else there, and what the storage throws.
    public func read(_ seqno: UInt64) throws -> [UInt8] {
        guard let index = chunkIndex(of: seqno) else {
            throw LedgerError.outOfRange("no entry \(seqno) in the files: they hold \(firstSeqno)..<\(nextSeqno)")
        }
        let chunk = chunks[index]
        guard !chunk.isMissing else {
            throw LedgerError.corrupt("entry \(seqno) is in a chunk that is missing or was set aside")
        }
        let bounds = try bounds(of: seqno, in: chunk)
        let bytes = try storage.read(chunk.name.fileName, at: bounds.lowerBound, count: bounds.count)
        guard let header = try? EntryHeader(bytes), header.entryByteCount == bytes.count, header.id.seqno == seqno,
            EntryTag.isValid(bytes, in: 0..<bytes.count)
        else {
            throw LedgerError.corrupt(
                "entry \(seqno) at byte \(bounds.lowerBound) of \(chunk.name.fileName) is damaged")
        }
        return bytes
    }

    /// Reads entries from `range` in order, as many as are there and fit `byteCountMax`, but at least one.
    /// - Throws: as ``read(_:)``.
    public func read(_ range: Range<UInt64>, byteCountMax: Int) throws -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var left = byteCountMax
        for seqno in range where seqno < nextSeqno {
            // What is whole before a damaged one is given; who goes on from there learns of the damage.
            guard let entry = try? read(seqno) else {
                if entries.isEmpty { entries.append(try read(seqno)) }
                break
            }
            guard entries.isEmpty || entry.count <= left else { break }
            left -= entry.count
            entries.append(entry)
        }
        return entries
    }

    /// Names of all chunk files that hold entries, in order.
    public var chunkNames: [String] { chunks.filter { $0.entryCount > 0 && !$0.isMissing }.map(\.name.fileName) }

    /// The seqnos of the chunk that holds `seqno`; the way to download whole chunks.
    public func chunkRange(of seqno: UInt64) -> Range<UInt64>? {
        chunkIndex(of: seqno).map { chunks[$0].start..<chunks[$0].next }
    }

    func chunkIndex(of seqno: UInt64) -> Int? {
        guard seqno >= firstSeqno, seqno < nextSeqno else { return nil }
        var low = 0
        var high = chunks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if chunks[middle].start <= seqno { low = middle } else { high = middle }
        }
        return low
    }

    private func bounds(of seqno: UInt64, in chunk: Chunk) throws -> Range<Int> {
        let index = Int(seqno - chunk.start)
        if index < chunk.positions.count {
            let end = index + 1 < chunk.positions.count ? Int(chunk.positions[index + 1]) : chunk.dataEnd
            return Int(chunk.positions[index])..<end
        }
        let isLast = seqno + 1 == chunk.next
        let bytes = try storage.read(
            chunk.name.fileName, at: chunk.dataEnd + index * 4, count: isLast ? 4 : 8)
        guard bytes.count == (isLast ? 4 : 8) else {
            throw LedgerError.corrupt("the position table of \(chunk.name.fileName) is cut short")
        }
        let numbers = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: bytes.count, by: 4).map {
                Int(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
        let end = isLast ? chunk.dataEnd : numbers[1]
        guard numbers[0] >= ChunkLayout.headerByteCount, end <= chunk.dataEnd, numbers[0] < end else {
            throw LedgerError.corrupt("the position table of \(chunk.name.fileName) is damaged at entry \(index)")
        }
        return numbers[0]..<end
    }

    /// Sets all files aside, as `.ignored`, and begins an empty ledger after a snapshot.
    /// - Throws: what the storage throws.
    public mutating func restart(firstSeqno: UInt64) throws {
        for name in try storage.list() where ChunkName(name) != nil {
            try storage.rename(name, to: name + ".ignored")
        }
        unsynced = []
        hasRemains = false
        chunks = [Chunk(emptyAt: firstSeqno)]
    }
}

extension LedgerFiles: Sendable where Storage: Sendable {}
extension LedgerFiles.Chunk: Sendable {}
