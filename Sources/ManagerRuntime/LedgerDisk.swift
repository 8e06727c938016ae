package import Consensus
package import Host
internal import Ledger
package import Manager
internal import NIOConcurrencyHelpers
package import NIOCore
internal import NIOPosix

/// The ledger's files and the seal, written and read in order on a thread of their own. Appends that wait together
/// share one sync; completions come on the event loop.
package final class LedgerDisk: Sendable {
    /// What the disk reports.
    package enum Report: Sendable {
        /// All log operations up to this ticket are durable.
        case persisted(ticket: UInt64)
        /// The seal of this ticket is durable.
        case sealed(ticket: UInt64)
        /// Entries that were read back.
        case entries([StoredEntry], for: ReadPurpose)
        /// The seqnos that the files hold.
        case found(Range<UInt64>)
        /// The disk failed; nothing more is done.
        case failed(String)
    }

    private enum Job: Sendable {
        case append([LogEntry], ticket: UInt64)
        case truncate(to: UInt64, ticket: UInt64)
        case reset(to: UInt64, ticket: UInt64)
        case survey
        case read(first: UInt64, last: UInt64, bytesMax: Int, for: ReadPurpose)
        case seal([UInt8], ticket: UInt64)
        case commit(seqno: UInt64)
    }

    private struct Queue: Sendable {
        var jobs: [Job] = []
        var isScheduled = false
        var hasFailed = false
    }

    /// The files, touched by the disk thread only.
    private final class Files: @unchecked Sendable {
        var ledger: LedgerFiles<FolderStorage>
        init(_ ledger: LedgerFiles<FolderStorage>) { self.ledger = ledger }
    }

    private let files: Files
    private let seal: SealFile
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let queue = NIOLockedValueBox(Queue())
    private let eventLoop: any EventLoop
    private let report: @Sendable (Report) -> Void

    /// What opening the ledger mended.
    package let healing: [String]

    /// Opens the ledger in `folder`.
    /// - Parameter report: called on `eventLoop`.
    package init(
        folder: Directory, seal: SealFile, chunkBytes: Int, eventLoop: any EventLoop,
        report: @escaping @Sendable (Report) -> Void
    ) throws {
        let ledger = try LedgerFiles(opening: FolderStorage(folder), firstSeqno: nil, chunkByteCount: chunkBytes)
        healing = ledger.healing
        files = Files(ledger)
        self.seal = seal
        self.eventLoop = eventLoop
        self.report = report
        pool.start()
    }

    package func append(_ entries: [LogEntry], ticket: UInt64) { enqueue(.append(entries, ticket: ticket)) }
    package func truncate(to seqno: UInt64, ticket: UInt64) { enqueue(.truncate(to: seqno, ticket: ticket)) }
    func reset(to seqno: UInt64, ticket: UInt64) { enqueue(.reset(to: seqno, ticket: ticket)) }
    func survey() { enqueue(.survey) }
    package func seal(_ bytes: [UInt8], ticket: UInt64) { enqueue(.seal(bytes, ticket: ticket)) }
    package func commit(seqno: UInt64) { enqueue(.commit(seqno: seqno)) }
    package func read(first: UInt64, last: UInt64, bytesMax: Int, for purpose: ReadPurpose) {
        enqueue(.read(first: first, last: last, bytesMax: bytesMax, for: purpose))
    }

    /// Finishes what waits and ends the thread.
    package func stop() async {
        await withCheckedContinuation { continuation in
            pool.submit { _ in continuation.resume() }
        }
        try? await pool.shutdownGracefully()
    }

    private func enqueue(_ job: Job) {
        let schedule = queue.withLockedValue { queue in
            guard !queue.hasFailed else { return false }
            queue.jobs.append(job)
            defer { queue.isScheduled = true }
            return !queue.isScheduled
        }
        if schedule { pool.submit { _ in self.work() } }
    }

    private func work() {
        while true {
            let jobs = queue.withLockedValue { queue in
                defer { queue.jobs.removeAll(keepingCapacity: true) }
                if queue.jobs.isEmpty { queue.isScheduled = false }
                return queue.jobs
            }
            guard !jobs.isEmpty else { return }
            do {
                try run(jobs)
            } catch {
                queue.withLockedValue { $0.hasFailed = true }
                tell(.failed("\(error)"))
                return
            }
        }
    }

    private func run(_ jobs: [Job]) throws {
        var ticket: UInt64?
        var committed: UInt64?
        for job in jobs {
            switch job {
            case .append(let entries, let number):
                try files.ledger.append(try entries.map { try LedgerEntry($0.bytes) })
                ticket = number
            case .truncate(let seqno, let number):
                try files.ledger.rollback(to: seqno)
                ticket = number
            case .reset(let seqno, let number):
                try files.ledger.restart(firstSeqno: seqno + 1)
                ticket = number
                committed = nil
            case .survey:
                tell(.found(files.ledger.firstSeqno..<files.ledger.nextSeqno))
            case .commit(let seqno):
                committed = seqno
            case .read(let first, let last, let bytesMax, let purpose):
                try read(first, last, bytesMax, purpose)
            case .seal(let bytes, let number):
                try seal.write(bytes)
                tell(.sealed(ticket: number))
            }
        }
        if let ticket {
            try files.ledger.sync()
            tell(.persisted(ticket: ticket))
        }
        if let committed { try files.ledger.commit(to: committed) }
    }

    private func read(_ first: UInt64, _ last: UInt64, _ bytesMax: Int, _ purpose: ReadPurpose) throws {
        let end = min(last, files.ledger.nextSeqno - 1)
        guard first >= files.ledger.firstSeqno, first <= end else { return tell(.entries([], for: purpose)) }
        let found = try files.ledger.read(first..<end + 1, byteCountMax: bytesMax)
        var entries: [StoredEntry] = []
        for (offset, bytes) in found.enumerated() {
            entries.append(StoredEntry(seqno: first + UInt64(offset), bytes: bytes))
        }
        tell(.entries(entries, for: purpose))
    }

    private func tell(_ what: Report) {
        eventLoop.execute { self.report(what) }
    }
}

/// Chunk files in a folder of the data folder.
struct FolderStorage: LedgerStorage {
    private let folder: Directory
    private var open: [String: File] = [:]
    private var reserved: [String: Int] = [:]
    /// Disk space is asked for in steps of this size, so that most appends don't change a file's extent.
    private static let reserveStep = 8 << 20

    init(_ folder: Directory) { self.folder = folder }

    func list() throws -> [String] { try folder.list() }

    func size(of name: String) throws -> Int {
        guard let size = try folder.size(name) else { throw LedgerError.storage("no file \(name)") }
        return size
    }

    func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
        if let file = open[name] { return try file.read(at: offset, count: count) }
        return try folder.open(name).read(at: offset, count: count)
    }

    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        let file = try writable(name)
        let end = offset + bytes.count
        if end > reserved[name] ?? 0 {
            let step = end + Self.reserveStep
            try file.reserve(at: offset, count: step - offset)
            reserved[name] = step
        }
        try file.write(bytes, at: offset)
    }

    mutating func truncate(_ name: String, to count: Int) throws {
        try writable(name).truncate(to: count)
        reserved[name] = count
    }

    mutating func rename(_ name: String, to newName: String) throws {
        // Only a chunk that gets no more entries is renamed: what is still reserved for it is given back, or each chunk
        // would keep a whole step of disk space for ever.
        try writable(name).truncate(to: size(of: name))
        open[name] = nil
        reserved[name] = nil
        try folder.rename(name, to: newName)
    }

    mutating func remove(_ name: String) throws {
        open[name] = nil
        reserved[name] = nil
        try folder.remove(name)
    }

    mutating func sync(_ name: String) throws { try writable(name).sync() }

    private mutating func writable(_ name: String) throws -> File {
        if let file = open[name] { return file }
        let isNew = try folder.size(name) == nil
        let file = try folder.open(name, writing: true, create: true)
        if isNew { try folder.sync() }
        open[name] = file
        return file
    }
}
