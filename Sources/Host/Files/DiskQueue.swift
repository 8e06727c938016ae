/// Disk work in order on a thread of its own, so that no event loop ever waits for a disk. Appends that wait together
/// share one fdatasync per file, however many they are.
///
/// After a failure nothing more is done: every later job fails with the same error. Pages that a failed fsync dropped
/// would otherwise be taken for durable by the next, successful one.
public final class DiskQueue: Sendable {
    /// What a job came to. Called on the disk thread, in the order of the jobs; must not block.
    public typealias Completion = @Sendable (Result<Void, HostError>) -> Void

    private enum Job: Sendable {
        case append([UInt8], File, offset: Int, reserve: Int, Completion)
        case work(@Sendable () throws(HostError) -> Void, Completion)
    }

    private struct State: Sendable {
        var jobs: [Job] = []
        var pendingBytes = 0
        var stopping = false
        var statistics = DiskQueueStatistics()
    }

    private let pendingBytesMax: Int
    private let state = Monitor(State())
    private let thread = Monitor<HostThread?>(nil)

    /// A queue with its thread.
    /// - Parameters:
    ///   - name: the thread's name.
    ///   - pendingBytesMax: bytes that may wait; appends beyond fail at once.
    /// - Throws: ``HostError``.
    public init(name: String = "disk", pendingBytesMax: Int = 512 << 20) throws(HostError) {
        self.pendingBytesMax = pendingBytesMax
        let state = state
        let started = try HostThread.start(name) { Self.work(state) }
        thread.update { $0 = started }
    }

    deinit { stop() }

    /// Writes `bytes` at `offset` of `file` and makes them durable before `completion`.
    /// - Parameter reserve: if not 0, disk space is reserved from the write's end to that offset.
    public func append(
        _ bytes: [UInt8], to file: File, at offset: Int, reserveTo reserve: Int = 0,
        completion: @escaping Completion
    ) {
        let refusal: HostError? = state.update { state in
            if state.stopping { return .closed("the disk queue has stopped") }
            guard state.pendingBytes + bytes.count <= pendingBytesMax else {
                return .tooLarge("\(state.pendingBytes) bytes wait for the disk")
            }
            state.pendingBytes += bytes.count
            state.jobs.append(.append(bytes, file, offset: offset, reserve: reserve, completion))
            return nil
        }
        if let refusal { completion(.failure(refusal)) }
    }

    /// Runs `work` after everything before it is durable; nothing after it begins before it is done.
    public func run(_ work: @escaping @Sendable () throws(HostError) -> Void, completion: @escaping Completion) {
        let accepted = state.update { state in
            if !state.stopping { state.jobs.append(.work(work, completion)) }
            return !state.stopping
        }
        if !accepted { completion(.failure(.closed("the disk queue has stopped"))) }
    }

    /// Bytes that wait for the disk.
    public var pendingBytes: Int { state.read { $0.pendingBytes } }

    /// What was done since the start.
    public var statistics: DiskQueueStatistics { state.read { $0.statistics } }

    /// Finishes what waits, then ends the thread. Blocks; not to be called from a completion.
    public func stop() {
        state.update { $0.stopping = true }
        let running = thread.update { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    // MARK: The disk thread

    private static func work(_ state: Monitor<State>) {
        var failure: HostError?
        while true {
            let jobs: [Job]? = state.wait { state in
                if state.jobs.isEmpty { return state.stopping ? .some(nil) : nil }
                defer { state.jobs = [] }
                return state.jobs
            }
            guard let jobs else { return }
            var dirty: [File] = []
            var waiting: [Completion] = []
            var bytes = 0
            for job in jobs {
                switch job {
                case .append(let content, let file, let offset, let reserve, let completion):
                    if failure == nil {
                        do throws(HostError) {
                            try file.write(content, at: offset)
                            let end = offset + content.count
                            if reserve > end { try file.reserve(at: end, count: reserve - end) }
                        } catch {
                            failure = error
                        }
                        if !dirty.contains(where: { $0 === file }) { dirty.append(file) }
                    }
                    bytes += content.count
                    waiting.append(completion)
                case .work(let work, let completion):
                    settle(state, &dirty, &waiting, &bytes, &failure)
                    if failure == nil {
                        do throws(HostError) { try work() } catch { failure = error }
                    }
                    completion(failure.map { .failure($0) } ?? .success(()))
                }
            }
            settle(state, &dirty, &waiting, &bytes, &failure)
        }
    }

    /// Makes the appends so far durable and tells whoever waits.
    private static func settle(
        _ state: Monitor<State>, _ dirty: inout [File], _ waiting: inout [Completion], _ bytes: inout Int,
        _ failure: inout HostError?
    ) {
        guard !waiting.isEmpty else { return }
        for file in dirty where failure == nil {
            do throws(HostError) { try file.sync() } catch { failure = error }
        }
        let (done, syncs, count) = (bytes, dirty.count, waiting.count)
        state.update { state in
            state.pendingBytes -= done
            state.statistics.bytes += done
            state.statistics.syncs += syncs
            state.statistics.appends += count
        }
        let result: Result<Void, HostError> = failure.map { .failure($0) } ?? .success(())
        for completion in waiting { completion(result) }
        dirty = []
        waiting = []
        bytes = 0
    }
}

/// What a ``DiskQueue`` did since its start.
public struct DiskQueueStatistics: Hashable, Sendable {
    /// Appends made durable.
    public var appends = 0
    /// Bytes in them.
    public var bytes = 0
    /// Calls of fdatasync for them.
    public var syncs = 0
}
