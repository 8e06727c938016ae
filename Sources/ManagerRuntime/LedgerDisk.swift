package import Consensus
package import Host
internal import Ledger
package import Manager
internal import NIOConcurrencyHelpers
package import NIOCore
internal import NIOPosix

/// The ledger's files and the seal, written and read in order on a thread of their own. Appends that wait together
/// share one sync; completions come on the event loop.
///
/// **A full disk** (no room for a write) loses nothing: what is to be written waits here, in order, and is tried again
/// until there is room. Seals go ahead of it: they say nothing about entries that are not durable.
///
/// **A failed disk** (any other error, and every failed sync) gets no write any more from this process. After a sync that
/// failed, the kernel takes the pages for clean although they never reached the disk, so a second sync would prove
/// nothing. The next process reads the files anew and writes what nobody has acknowledged a second time.
package final class LedgerDisk: Sendable {
    /// What the disk reports.
    package enum Report: Sendable {
        /// All log operations up to this ticket are durable.
        case persisted(ticket: UInt64)
        /// The seal of this ticket is durable.
        case sealed(ticket: UInt64)
        /// Entries that were read back.
        case entries([StoredEntry], for: ReadPurpose)
        /// The seqnos that the files hold; what is missing of them was reported before.
        case found(Range<UInt64>)
        /// The disk takes writes, or takes none.
        case storage(StorageState)
        /// Entries can't be read: their chunk was set aside, or is not committed and so can't be.
        case damaged(LedgerDamage)
        /// A chunk that was missing is there again.
        case restored(Range<UInt64>)
        /// A failed disk worked when it was tried with a file of its own: the next process may write.
        case worksAgain
    }

    private enum Job: Sendable {
        case append([LogEntry], ticket: UInt64)
        case truncate(to: UInt64, ticket: UInt64)
        case reset(to: UInt64, ticket: UInt64)
        case survey
        case read(first: UInt64, last: UInt64, bytesMax: Int, for: ReadPurpose)
        case seal([UInt8], ticket: UInt64)
        case commit(seqno: UInt64)
        case setAside(seqno: UInt64)
        case restore(Range<UInt64>, [[UInt8]])
        case retry
    }

    private struct Queue: Sendable {
        var jobs: [Job] = []
        var isScheduled = false
        var isStopping = false
    }

    /// What the disk thread alone touches.
    private final class Files: @unchecked Sendable {
        var ledger: LedgerFiles<FolderStorage>
        var storage = StorageState.good
        /// Log operations that wait for room, in order.
        var waiting: [Job] = []
        /// The newest seal that waits for room.
        var seal: (bytes: [UInt8], ticket: UInt64)?
        var committed: UInt64?
        init(_ ledger: LedgerFiles<FolderStorage>) { self.ledger = ledger }
    }

    private let files: Files
    private let folder: Directory
    private let seal: SealFile
    private let faults: DiskFaults?
    private let retryAfter: TimeAmount
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let queue = NIOLockedValueBox(Queue())
    private let eventLoop: any EventLoop
    private let report: @Sendable (Report) -> Void

    /// What opening the ledger mended.
    package let healing: [String]

    /// Opens the ledger in `folder`.
    /// - Parameters:
    ///   - retryAfter: time between two looks at a disk that takes no writes.
    ///   - faults: for tests.
    ///   - report: called on `eventLoop`.
    package init(
        folder: Directory, seal: SealFile, chunkBytes: Int, eventLoop: any EventLoop,
        retryAfter: TimeAmount = .milliseconds(500), faults: DiskFaults? = nil,
        report: @escaping @Sendable (Report) -> Void
    ) throws {
        let storage = FolderStorage(folder, faults: faults)
        let ledger = try LedgerFiles(opening: storage, firstSeqno: nil, chunkByteCount: chunkBytes)
        healing = ledger.healing
        files = Files(ledger)
        self.folder = folder
        self.seal = seal
        self.faults = faults
        self.retryAfter = retryAfter
        self.eventLoop = eventLoop
        self.report = report
        pool.start()
    }

    package func append(_ entries: [LogEntry], ticket: UInt64) { enqueue(.append(entries, ticket: ticket)) }
    package func truncate(to seqno: UInt64, ticket: UInt64) { enqueue(.truncate(to: seqno, ticket: ticket)) }
    func reset(to seqno: UInt64, ticket: UInt64) { enqueue(.reset(to: seqno, ticket: ticket)) }
    package func survey() { enqueue(.survey) }
    package func seal(_ bytes: [UInt8], ticket: UInt64) { enqueue(.seal(bytes, ticket: ticket)) }
    package func commit(seqno: UInt64) { enqueue(.commit(seqno: seqno)) }
    package func read(first: UInt64, last: UInt64, bytesMax: Int, for purpose: ReadPurpose) {
        enqueue(.read(first: first, last: last, bytesMax: bytesMax, for: purpose))
    }
    package func setAside(chunkOf seqno: UInt64) { enqueue(.setAside(seqno: seqno)) }
    package func restore(_ range: Range<UInt64>, _ entries: [[UInt8]]) { enqueue(.restore(range, entries)) }

    /// Finishes what waits and ends the thread. What waits for room stays unwritten; nobody was told otherwise.
    package func stop() async {
        queue.withLockedValue { $0.isStopping = true }
        await withCheckedContinuation { continuation in
            pool.submit { _ in continuation.resume() }
        }
        try? await pool.shutdownGracefully()
    }

    private func enqueue(_ job: Job) {
        let schedule = queue.withLockedValue { queue in
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
            run(jobs)
        }
    }

    private func run(_ jobs: [Job]) {
        var ticket: UInt64?
        for job in jobs {
            switch job {
            case .append, .truncate, .reset: log(job, &ticket)
            case .seal(let bytes, let number): write(seal: bytes, number)
            case .commit(let seqno): files.committed = seqno
            case .survey:
                look()
            case .read(let first, let last, let bytesMax, let purpose): read(first, last, bytesMax, purpose)
            case .setAside(let seqno): setAside(seqno, "it does not verify")
            case .restore(let range, let entries): putBack(range, entries)
            case .retry: retry(&ticket)
            }
        }
        sync(ticket)
        nameCommitted()
    }

    // MARK: Writing

    /// Does a log operation, or lets it wait behind others that do.
    private func log(_ job: Job, _ ticket: inout UInt64?) {
        guard files.storage.isGood else { return files.waiting.append(job) }
        do { ticket = try perform(job) } catch {
            files.waiting.append(job)
            strike(error)
        }
    }

    /// - Returns: the ticket that is reported once this is synced.
    private func perform(_ job: Job) throws -> UInt64? {
        switch job {
        case .append(let entries, let number):
            // Some may be there: a try before this one ended at a later chunk.
            let due = entries.filter { $0.seqno >= files.ledger.nextSeqno }
            try files.ledger.append(try due.map { try LedgerEntry($0.bytes) })
            return number
        case .truncate(let seqno, let number):
            try files.ledger.rollback(to: seqno)
            return number
        case .reset(let seqno, let number):
            try files.ledger.restart(firstSeqno: seqno + 1)
            files.committed = nil
            return number
        default: return nil
        }
    }

    private func sync(_ ticket: UInt64?) {
        guard let ticket else { return }
        if case .failed = files.storage { return }
        do {
            try files.ledger.sync()
            tell(.persisted(ticket: ticket))
        } catch {
            strike(error)
        }
    }

    private func write(seal bytes: [UInt8], _ ticket: UInt64) {
        if case .failed = files.storage { return }
        do {
            try faults?.check(.write)
            try seal.write(bytes)
            files.seal = nil
            tell(.sealed(ticket: ticket))
        } catch {
            files.seal = (bytes, ticket)
            strike(error)
        }
    }

    private func nameCommitted() {
        guard files.storage.isGood, let seqno = files.committed else { return }
        do {
            try files.ledger.commit(to: seqno)
            files.committed = nil
        } catch {
            strike(error)
        }
    }

    /// A write or a sync failed.
    private func strike(_ error: any Error) {
        let state: StorageState =
            (error as? HostError)?.isFull == true ? .full("\(error)") : .failed("\(error)")
        if case .failed = files.storage { return }
        let isNew = files.storage.isGood
        if case .full = state, !isNew { return }
        files.storage = state
        tell(.storage(state))
        if isNew { scheduleRetry() }
    }

    private func scheduleRetry() {
        eventLoop.scheduleTask(in: retryAfter) {
            if !self.queue.withLockedValue({ $0.isStopping }) { self.enqueue(.retry) }
        }
    }

    /// Looks whether a disk that took no writes takes them now.
    private func retry(_ ticket: inout UInt64?) {
        switch files.storage {
        case .good: return
        case .failed:
            if isWorking { tell(.worksAgain) } else { scheduleRetry() }
        case .full:
            do {
                if let (bytes, number) = files.seal {
                    try faults?.check(.write)
                    try seal.write(bytes)
                    files.seal = nil
                    tell(.sealed(ticket: number))
                }
                while let job = files.waiting.first {
                    ticket = try perform(job) ?? ticket
                    files.waiting.removeFirst()
                }
                if let seqno = files.committed {
                    try files.ledger.commit(to: seqno)
                    files.committed = nil
                }
                files.storage = .good
                tell(.storage(.good))
            } catch {
                strike(error)
                scheduleRetry()
            }
        }
    }

    /// Whether a file of its own, with fresh pages, can be written and synced.
    private var isWorking: Bool {
        do {
            try faults?.check(.write)
            try faults?.check(.sync)
            try folder.replace("probe", with: [UInt8](repeating: 0xA5, count: 4_096))
            try folder.remove("probe")
            return true
        } catch {
            return false
        }
    }

    // MARK: Reading

    private func read(_ first: UInt64, _ last: UInt64, _ bytesMax: Int, _ purpose: ReadPurpose) {
        let ledger = files.ledger
        var entries: [StoredEntry] = []
        let end = min(last, ledger.nextSeqno - 1)
        if first >= ledger.firstSeqno, first <= end {
            do {
                for (offset, bytes) in try ledger.read(first..<end + 1, byteCountMax: bytesMax).enumerated() {
                    entries.append(StoredEntry(seqno: first + UInt64(offset), bytes: bytes))
                }
            } catch {
                setAside(first, "\(error)")
            }
        } else if first > end, !files.waiting.isEmpty {
            entries = readWaiting(first, last, bytesMax)
        }
        tell(.entries(entries, for: purpose))
    }

    /// Entries that wait for room.
    private func readWaiting(_ first: UInt64, _ last: UInt64, _ bytesMax: Int) -> [StoredEntry] {
        var waiting: [LogEntry] = []
        for job in files.waiting {
            switch job {
            case .append(let entries, _): waiting += entries
            case .truncate(let seqno, _): waiting.removeAll { $0.seqno > seqno }
            case .reset: waiting = []
            default: break
            }
        }
        var entries: [StoredEntry] = []
        var left = bytesMax
        for entry in waiting where entry.seqno == first + UInt64(entries.count) && entry.seqno <= last {
            guard entries.isEmpty || entry.bytes.count <= left else { break }
            left -= entry.bytes.count
            entries.append(StoredEntry(seqno: entry.seqno, bytes: entry.bytes))
        }
        return entries
    }

    // MARK: Damage

    private func look() {
        let ledger = files.ledger
        for range in ledger.missing {
            tell(.damaged(LedgerDamage(seqnos: range, isReplaceable: true, reason: "the chunk is missing or damaged")))
        }
        if ledger.isTailDamaged {
            let cut = ledger.nextSeqno..<UInt64.max
            tell(.damaged(LedgerDamage(seqnos: cut, isReplaceable: true, reason: "a damaged entry was cut off")))
        }
        tell(.found(ledger.firstSeqno..<ledger.nextSeqno))
    }

    private func setAside(_ seqno: UInt64, _ reason: String) {
        do {
            let range = try files.ledger.setAside(chunkOf: seqno)
            tell(
                .damaged(LedgerDamage(seqnos: range ?? seqno..<seqno + 1, isReplaceable: range != nil, reason: reason)))
        } catch {
            tell(.damaged(LedgerDamage(seqnos: seqno..<seqno + 1, isReplaceable: false, reason: reason)))
            strike(error)
        }
    }

    private func putBack(_ range: Range<UInt64>, _ entries: [[UInt8]]) {
        if case .failed = files.storage { return }
        do {
            try files.ledger.restore(range, entries: entries)
            tell(.restored(range))
        } catch {
            strike(error)
        }
    }

    private func tell(_ what: Report) {
        eventLoop.execute { self.report(what) }
    }
}
