public import AdapterKit
import Glibc
import Primitives

/// How a worker runs.
public struct WorkerOptions: Sendable {
    /// Threads beside the main one, for work that an adapter may do in parallel (signatures). 0 keeps to one thread.
    public var threads: Int
    /// Bytes of one frame from or to the manager.
    public var frameBytesMax: Int
    /// Requests taken together; queries among them that follow one another are decoded in parallel.
    public var requestsTogetherMax: Int

    /// Options; by default a thread for every other processor, since the machine has other work too.
    public init(
        threads: Int = WorkerOptions.defaultThreads, frameBytesMax: Int = AdapterLimits.messageBytesMax,
        requestsTogetherMax: Int = 128
    ) {
        self.threads = threads
        self.frameBytesMax = frameBytesMax
        self.requestsTogetherMax = requestsTogetherMax
    }

    /// Options by node.yaml's `threads.worker`: threads in all, the main one among them; 0 for the default.
    public init(configured threads: Int) {
        self.init(threads: threads == 0 ? WorkerOptions.defaultThreads : threads - 1)
    }

    /// Half of the processors online, less the main thread.
    public static var defaultThreads: Int { max(0, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) / 2 - 1) }
}

/// Serves the manager at the other end of a connected stream socket until it closes its end.
///
/// Requests are served in order on the calling thread. The manager must go on reading while it writes: both ends block.
/// - Parameters:
///   - fd: The socket; it stays open.
///   - adapters: The kinds of adapters built in.
/// - Throws: ``AdapterError`` if a frame is no request or the socket fails; the process should then end.
public func runWorker(fd: Int32, adapters: [AdapterKind], options: WorkerOptions = .init()) throws(AdapterError) {
    // The parser would otherwise open the system's random device at its first object, perhaps within a sandbox.
    JSON.seedParser(UInt32.random(in: 1...UInt32.max))
    let host = AdapterHost(
        kinds: adapters, executor: ThreadPool(threads: options.threads), meter: StageMeter(clock: processNanoseconds))
    var socket = FrameSocket(descriptor: fd, frameBytesMax: options.frameBytesMax)
    while let frames = try socket.receive(limit: options.requestsTogetherMax) {
        var numbers: [UInt64] = []
        var requests: [WorkerRequest] = []
        for (index, frame) in frames.enumerated() {
            let request = try WorkerFrame<WorkerRequest>(decoding: frame)
            numbers.append(request.number)
            requests.append(request.message)
            // An entry's answer doesn't wait for what came after it.
            guard index == frames.count - 1 || request.message.isUrgent else { continue }
            for (number, reply) in zip(numbers, host.handle(requests)) {
                try socket.send(WorkerFrame(number: number, reply).encoded())
            }
            try socket.flush()
            numbers.removeAll(keepingCapacity: true)
            requests.removeAll(keepingCapacity: true)
        }
    }
}

/// Processor time of all threads; those of the pool only work while the main thread is in the stage that they work for.
@Sendable private func processNanoseconds() -> UInt64 {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension WorkerRequest {
    /// Whether consensus waits for the answer.
    fileprivate var isUrgent: Bool {
        if case .execute = self { true } else { false }
    }
}
