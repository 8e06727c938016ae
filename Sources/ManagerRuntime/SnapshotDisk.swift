internal import Host
internal import Ledger
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// The snapshot folder on a thread of its own, beside the ledger's: to make a snapshot takes long, and no entry may wait
/// for it. Between two slices of that the jobs that wait are done.
final class SnapshotDisk: Sendable {
    private struct Queue: Sendable {
        var jobs: [SnapshotJob] = []
        var isScheduled = false
        var isStopping = false
    }

    /// The files, touched by the thread only.
    private final class Files: @unchecked Sendable {
        var snapshots: SnapshotFiles<FolderStorage>
        init(_ snapshots: SnapshotFiles<FolderStorage>) { self.snapshots = snapshots }
    }

    private let files: Files
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let queue = NIOLockedValueBox(Queue())
    private let eventLoop: any EventLoop
    private let report: @Sendable (SnapshotReport) -> Void

    /// The snapshots in `folder`.
    /// - Parameters:
    ///   - secret: 32 random bytes of this process.
    ///   - report: called on `eventLoop`.
    init(
        folder: Directory, secret: [UInt8], eventLoop: any EventLoop,
        report: @escaping @Sendable (SnapshotReport) -> Void
    ) throws {
        files = Files(try SnapshotFiles(FolderStorage(folder), secret: secret))
        self.eventLoop = eventLoop
        self.report = report
        pool.start()
    }

    /// Does a job after those before it.
    func perform(_ job: SnapshotJob) {
        let schedule = queue.withLockedValue { queue in
            queue.jobs.append(job)
            defer { queue.isScheduled = true }
            return !queue.isScheduled
        }
        if schedule { pool.submit { _ in self.work() } }
    }

    /// Ends the thread; a snapshot in the making is given up.
    func stop() async {
        queue.withLockedValue { $0.isStopping = true }
        try? await pool.shutdownGracefully()
    }

    private func work() {
        while true {
            let isBusy = files.snapshots.isBusy
            let job: SnapshotJob? = queue.withLockedValue { queue in
                if queue.isStopping { return nil }
                if queue.jobs.isEmpty {
                    queue.isScheduled = isBusy
                    return nil
                }
                return queue.jobs.removeFirst()
            }
            if let job {
                tell(files.snapshots.perform(job))
            } else if isBusy, !queue.withLockedValue({ $0.isStopping }) {
                tell(files.snapshots.advance())
            } else {
                return
            }
        }
    }

    private func tell(_ reports: [SnapshotReport]) {
        guard !reports.isEmpty else { return }
        eventLoop.execute { for each in reports { self.report(each) } }
    }
}
