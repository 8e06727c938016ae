/// The newest entries with their bytes, for sending: from some seqno to the end of the log, within a number of bytes.
struct EntryWindow: Sendable {
    private var entries: Trail<LogEntry> = Trail()
    private var bytes = 0
    /// Seqno of the first entry held; one after the log's end if none is.
    private(set) var first: UInt64

    /// An empty window after `last`.
    init(after last: UInt64) { first = last + 1 }

    mutating func append(_ entry: LogEntry) {
        entries.append(entry)
        bytes += entry.bytes.count
    }

    /// Cuts everything after `seqno`.
    mutating func truncate(to seqno: UInt64) {
        while let last = entries.last, last.seqno > seqno {
            bytes -= last.bytes.count
            entries.removeLast()
        }
        if entries.isEmpty { first = seqno + 1 }
    }

    /// Lets go of the oldest entries over `limit` bytes, but of none that the disk does not have yet.
    mutating func evict(over limit: Int, durable: UInt64) {
        while bytes > limit, let oldest = entries.first, oldest.seqno <= durable {
            bytes -= oldest.bytes.count
            entries[0].bytes = []
            entries.removeFirst()
            first = oldest.seqno + 1
        }
    }

    /// Entries from `seqno`, which must be held: at least one, if there is one, then as many as fit, with the sum of
    /// their bytes.
    func take(from seqno: UInt64, bytesMax: Int, entriesMax: Int) -> (entries: [LogEntry], bytes: Int) {
        let start = Int(seqno - first)
        var end = start
        var sum = 0
        while end < entries.count, end - start < entriesMax {
            let size = entries[end].bytes.count
            if end > start, sum + size > bytesMax { break }
            sum += size
            end += 1
        }
        return (entries.slice(start, end), sum)
    }
}
