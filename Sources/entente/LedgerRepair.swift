import Identity
import Ledger

/// Where entries that a ledger lacks may come from.
protocol LedgerSource {
    /// For people.
    var name: String { get }
    /// Entries from `first` on, as many as come at once, none after `last`; none if it has none.
    func entries(from first: UInt64, through last: UInt64) async throws -> [[UInt8]]
}

/// Another ledger folder, which is only read.
struct FolderSource: LedgerSource {
    let name: String
    private let files: LedgerFiles<LedgerFolder>

    init(_ path: String) throws {
        let (folder, _) = try LedgerCommand.files(path)
        name = path
        files = try LedgerFiles(opening: LedgerFolder(folder, isReadOnly: true), firstSeqno: nil)
    }

    func entries(from first: UInt64, through last: UInt64) async throws -> [[UInt8]] {
        guard first >= files.firstSeqno, first < files.nextSeqno, first <= last else { return [] }
        return try files.read(first..<min(last, files.nextSeqno - 1) + 1, byteCountMax: 16 << 20)
    }
}

/// A node of the network, asked as an actor.
struct NodeSource: LedgerSource {
    let name: String
    let client: NodeClient

    func entries(from first: UInt64, through last: UInt64) async throws -> [[UInt8]] {
        guard let bytes = try await client.entries(first, last, of: name) else { return [] }
        var entries: [[UInt8]] = []
        var offset = 0
        while offset < bytes.count {
            let end = offset + (try EntryHeader(bytes, at: offset)).entryByteCount
            guard end <= bytes.count else { throw UserError("\(name) gives half an entry") }
            entries.append(Array(bytes[offset..<end]))
            offset = end
        }
        return entries
    }
}

/// Finds what a ledger's files lack and puts it in its place, from sources that nobody has to trust: each run of entries is
/// verified by the signatures in it.
struct LedgerRepair {
    /// What was found, and what became of it.
    struct Finding {
        let first: UInt64
        /// Nil for the end of the ledger.
        let last: UInt64?
        let problem: String
        /// From where it was fetched; nil if nobody had it.
        var source: String?
    }

    private(set) var files: LedgerFiles<LedgerFolder>
    private(set) var findings: [Finding] = []
    /// What is worth saying beside.
    private(set) var notes: [String] = []
    private let service: X509Certificate
    private let sources: [any LedgerSource]

    /// Opens the ledger; what is damaged is set aside at once.
    init(_ folder: LedgerFolder, service: X509Certificate, sources: [any LedgerSource]) throws {
        files = try LedgerFiles(opening: folder, firstSeqno: nil)
        self.service = service
        self.sources = sources
        notes = files.healing
    }

    /// Whether nothing is missing any more.
    var isWhole: Bool { findings.allSatisfy { $0.source != nil } }

    /// Does all of it.
    mutating func run() async throws {
        try findDamage()
        for index in findings.indices {
            guard let last = findings[index].last else { continue }
            findings[index].source = try await replace(findings[index].first..<last + 1)
        }
        try await extend()
    }

    /// Verifies each committed chunk.
    private mutating func findDamage() throws {
        for range in files.missing {
            findings.append(
                Finding(
                    first: range.lowerBound, last: range.upperBound - 1, problem: "missing or without a whole table"))
        }
        var seqno = files.firstSeqno
        while seqno <= files.committedChunkEnd ?? 0, let range = files.chunkRange(of: seqno) {
            seqno = range.upperBound
            if files.missing.contains(range) { continue }
            do {
                let entries = try files.read(range, byteCountMax: .max)
                try ChunkVerifier.verify(entries, range: range, service: service)
            } catch {
                _ = try files.setAside(chunkOf: range.lowerBound)
                findings.append(Finding(first: range.lowerBound, last: range.upperBound - 1, problem: "\(error)"))
            }
        }
        findings.sort { $0.first < $1.first }
    }

    private mutating func replace(_ range: Range<UInt64>) async throws -> String? {
        for source in sources {
            do {
                var entries: [[UInt8]] = []
                while entries.count < range.count {
                    let more = try await source.entries(
                        from: range.lowerBound + UInt64(entries.count), through: range.upperBound - 1)
                    guard !more.isEmpty else { break }
                    entries += more
                }
                guard entries.count == range.count else {
                    notes.append("\(source.name) does not have entries \(range.lowerBound) to \(range.upperBound - 1)")
                    continue
                }
                try ChunkVerifier.verify(entries, range: range, service: service)
                try files.restore(range, entries: entries)
                return source.name
            } catch {
                notes.append("\(source.name), entries \(range.lowerBound) to \(range.upperBound - 1): \(error)")
            }
        }
        return nil
    }

    /// Adds signed entries behind the end, from the source that has most of them.
    private mutating func extend() async throws {
        let wasCut = files.isTailDamaged
        let first = files.nextSeqno
        var used: String?
        for source in sources {
            do {
                guard try await isSame(source) else {
                    notes.append(
                        "\(source.name) has another entry \(first - 1); the node itself settles that when it starts")
                    continue
                }
                while try await extend(from: source) { used = source.name }
            } catch {
                notes.append("\(source.name), entries from \(files.nextSeqno) on: \(error)")
            }
        }
        guard used != nil || wasCut else { return }
        findings.append(
            Finding(
                first: first, last: nil, problem: wasCut ? "the end was damaged and cut off" : "others go on from here",
                source: used))
    }

    private func isSame(_ source: any LedgerSource) async throws -> Bool {
        let last = files.nextSeqno - 1
        guard last >= files.firstSeqno, let theirs = try await source.entries(from: last, through: last).first else {
            return true
        }
        return try files.read(last) == theirs
    }

    /// One run up to a signature; false when the source has no more.
    private mutating func extend(from source: any LedgerSource) async throws -> Bool {
        var verifier = ChunkVerifier(first: files.nextSeqno, service: service)
        var entries: [LedgerEntry] = []
        while entries.count < 100_000 {
            let more = try await source.entries(from: verifier.nextSeqno, through: .max - 1)
            guard !more.isEmpty else { break }
            for bytes in more {
                try verifier.add(bytes)
                entries.append(try LedgerEntry(bytes))
            }
            if verifier.verifiedEnd > files.nextSeqno { break }
        }
        let signed = entries.filter { $0.id.seqno < verifier.verifiedEnd }
        guard !signed.isEmpty else { return false }
        try files.append(signed)
        try files.sync()
        return true
    }
}
