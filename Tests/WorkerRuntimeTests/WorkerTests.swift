import AdapterKit
import Glibc
import Ledger
import Primitives
import Store
import Synchronization
import Testing
import WorkerRuntime

@Suite("Worker loop")
struct WorkerTests {
    @Test("Serves requests in order until the manager closes")
    func serving() throws {
        let worker = try WorkerUnderTest()
        worker.send(.open([.init(endpoint: "e", kind: "echo", settings: [])]), number: 1)
        for number in 2..<200 as Range<UInt64> {
            worker.send(.query(endpoint: "e", query([UInt8(truncatingIfNeeded: number)])), number: number)
        }
        let replies = try worker.receive(199)
        #expect(replies.map(\.number) == Array(1...199))
        for reply in replies.dropFirst() {
            guard case .answer(.done(let body, _)) = reply.message else { return #expect(Bool(false)) }
            #expect(body == [UInt8(truncatingIfNeeded: reply.number)])
        }
        worker.closeWriting()
        #expect(worker.join() == nil)
    }

    @Test("A large frame passes, in pieces")
    func largeFrame() throws {
        let worker = try WorkerUnderTest()
        let body = [UInt8](repeating: 0xA5, count: 3 << 20)
        worker.send(.open([.init(endpoint: "e", kind: "echo", settings: [])]), number: 1)
        worker.send(.query(endpoint: "e", query(body)), number: 2)
        guard case .answer(.done(let answer, _)) = try worker.receive(2)[1].message else {
            return #expect(Bool(false))
        }
        #expect(answer == body)
        worker.closeWriting()
        #expect(worker.join() == nil)
    }

    @Test("Broken input ends the worker with a typed error")
    func brokenInput() throws {
        let huge = try WorkerUnderTest()
        huge.sendRaw([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(huge.join() == .tooLarge("", limit: 0))
        let cut = try WorkerUnderTest()
        cut.sendRaw([9, 0, 0, 0, 1])
        cut.closeWriting()
        #expect(cut.join() == .closed)
        let version = try WorkerUnderTest()
        version.sendRaw([1, 0, 0, 0, 77])
        #expect(version.join() == .unsupportedVersion(77, of: ""))
        let garbage = try WorkerUnderTest()
        garbage.sendRaw([3, 0, 0, 0, WorkerProtocol.version, 2, 3])
        #expect(garbage.join() == .malformed(""))
    }

    @Test("The pool runs each item once", arguments: [0, 1, 3])
    func pool(threads: Int) {
        let pool = ThreadPool(threads: threads)
        for count in [0, 1, 2, 7, 100, 1000] {
            let sum = Atomic(0)
            let calls = Atomic(0)
            pool.run(count) { index in
                sum.wrappingAdd(index + 1, ordering: .relaxed)
                calls.wrappingAdd(1, ordering: .relaxed)
            }
            #expect(calls.load(ordering: .relaxed) == count)
            #expect(sum.load(ordering: .relaxed) == count * (count + 1) / 2)
        }
    }

    private func query(_ body: [UInt8]) -> Query {
        Query(actor: "a", body: body, context: .init(committed: .init(view: 0, seqno: 0), time: 0))
    }
}

/// A worker on a thread of its own, and the manager's end of its socket.
private final class WorkerUnderTest: Sendable {
    private let descriptor: Int32
    private let thread: pthread_t
    private let outcome: Outcome

    private final class Outcome: Sendable {
        let descriptor: Int32
        let error = Mutex<AdapterError?>(nil)

        init(descriptor: Int32) { self.descriptor = descriptor }
    }

    init() throws {
        var pair: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
            throw AdapterError.io("socketpair", errno: errno)
        }
        descriptor = pair[0]
        outcome = Outcome(descriptor: pair[1])
        var thread = pthread_t()
        let context = Unmanaged.passRetained(outcome).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let outcome = Unmanaged<Outcome>.fromOpaque(context).takeRetainedValue()
                do throws(AdapterError) {
                    try runWorker(
                        fd: outcome.descriptor, adapters: [EchoAdapter.kind],
                        options: .init(threads: 1, frameBytesMax: 16 << 20))
                } catch {
                    outcome.error.withLock { $0 = error }
                }
                close(outcome.descriptor)
                return nil
            }, context)
        guard result == 0 else { throw AdapterError.io("pthread_create", errno: result) }
        self.thread = thread
    }

    deinit { close(descriptor) }

    func send(_ request: WorkerRequest, number: UInt64) {
        let frame = WorkerFrame(number: number, request).encoded()
        sendRaw(withUnsafeBytes(of: UInt32(frame.count).littleEndian) { Array($0) } + frame)
    }

    func sendRaw(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, 0) }
            if count < 0 { return }
            sent += count
        }
    }

    func receive(_ count: Int) throws -> [WorkerFrame<WorkerReply>] {
        var frames: [WorkerFrame<WorkerReply>] = []
        for _ in 0..<count {
            let length = read(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            frames.append(try WorkerFrame<WorkerReply>(decoding: read(length)))
        }
        return frames
    }

    private func read(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + done, count - done, 0) }
            if got <= 0 { return [] }
            done += got
        }
        return bytes
    }

    func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func join() -> AdapterError? {
        pthread_join(thread, nil)
        return outcome.error.withLock { $0 }
    }
}

/// Answers a query with its body.
private final class EchoAdapter: Adapter {
    let version = "echo/1"

    static let kind = AdapterKind(name: "echo") { _, _ in EchoAdapter() }

    func execute(_ batch: Batch) throws -> BatchResult { .init(outcomes: [], included: [], compartments: []) }
    func apply(_ writes: WriteSet, id: TransactionID) throws {}
    func commit(_ id: TransactionID) throws {}
    func rollback(_ id: TransactionID) throws {}
    func query(_ query: Query) -> QueryReply { .done(body: query.body, readers: .public) }
    func finish(_ token: QueryToken, outcomes: [SubmissionOutcome]) throws -> QueryReply {
        throw AdapterError.unknownToken(token)
    }
    func discard(_ token: QueryToken) {}
    func beginRestore() {}
    func restore(_ part: SnapshotPart) throws {}
    func endRestore(_ id: TransactionID) throws {}
}
