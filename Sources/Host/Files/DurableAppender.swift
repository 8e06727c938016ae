/// A file that grows at its end, made durable by a ``DiskQueue``. Disk space is reserved in steps ahead of the end, so
/// that most syncs write data alone.
public final class DurableAppender: Sendable {
    private let file: File
    private let queue: DiskQueue
    private let reserveStep: Int
    private let state: Monitor<State>

    private struct State: Sendable {
        var size: Int
        var reserved: Int
    }

    /// An appender at the present end of `file`.
    /// - Parameter reserveStep: bytes reserved at a time, 0 for none.
    /// - Throws: ``HostError``.
    public init(file: File, queue: DiskQueue, reserveStep: Int = 16 << 20) throws(HostError) {
        self.file = file
        self.queue = queue
        self.reserveStep = reserveStep
        let size = try file.size()
        state = Monitor(State(size: size, reserved: size))
    }

    /// Size of the file, with what is still on its way.
    public var size: Int { state.read { $0.size } }

    /// Appends; `completion` is called on the disk thread once `bytes`, and all before them, are durable.
    /// - Returns: the offset at which they begin.
    @discardableResult
    public func append(_ bytes: [UInt8], completion: @escaping DiskQueue.Completion) -> Int {
        // The queue is entered under the lock, so that offsets and jobs have the same order.
        state.update { state in
            let offset = state.size
            state.size += bytes.count
            var reserve = 0
            if reserveStep > 0, state.size > state.reserved {
                reserve = state.size + reserveStep
                state.reserved = reserve
            }
            queue.append(bytes, to: file, at: offset, reserveTo: reserve, completion: completion)
            return offset
        }
    }

    /// Cuts the file to `size` after all appends before, and makes that durable.
    public func truncate(to size: Int, completion: @escaping DiskQueue.Completion) {
        let file = file
        state.update { state in
            state.size = size
            state.reserved = size
            queue.run(
                { () throws(HostError) in
                    try file.truncate(to: size)
                    try file.syncAll()
                }, completion: completion)
        }
    }
}
