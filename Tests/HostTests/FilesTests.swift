import Glibc
import Host
import Synchronization
import Testing

@Suite struct FilesTests {
    @Test func directoryKeepsToItself() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        for name in ["", ".", "..", "a/b", "/etc/passwd", "../x", "a\0b", String(repeating: "x", count: 256)] {
            #expect(throws: HostError.self) { _ = try directory.read(name) }
            #expect(throws: HostError.self) { try directory.replace(name, with: []) }
            #expect(throws: HostError.self) { try directory.remove(name) }
        }
        symlink("/etc/passwd", "\(folder.path)/link")
        #expect(throws: HostError.self) { _ = try directory.read("link") }
    }

    @Test func filesAreReplacedAsAWhole() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        #expect(throws: HostError.system("", ENOENT)) { _ = try directory.read("state") }
        try directory.replace("state", with: Array("a longer text".utf8))
        try directory.replace("state", with: Array("short".utf8))
        #expect(try directory.read("state") == Array("short".utf8))
        // What a crash in the middle of a replacement leaves is overwritten by the next.
        try directory.open("state.new", create: true).write([1, 2, 3, 4, 5, 6, 7, 8], at: 0)
        try directory.replace("state", with: [9])
        #expect(try directory.read("state") == [9])
        #expect(try directory.list() == ["state"])
        #expect(try directory.size("state") == 1)
        #expect(try directory.size("none") == nil)
        #expect(throws: HostError.tooLarge("")) { _ = try directory.read("state", limit: 0) }
        try directory.remove("state")
        try directory.remove("state")
        #expect(try directory.list() == [])
    }

    @Test func namesComeSorted() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        for name in ["ledger_10", "ledger_2", "b", "a", "Z"] { try directory.replace(name, with: []) }
        #expect(try directory.list() == ["Z", "a", "b", "ledger_10", "ledger_2"])
    }

    @Test func appendsShareSyncs() throws {
        let folder = try TemporaryFolder()
        let file = try folder.directory().open("log", create: true)
        let queue = try DiskQueue()
        let appender = try DurableAppender(file: file, queue: queue, reserveStep: 1 << 20)
        let order = Mutex<[Int]>([])
        // The disk thread is held until everything waits, so that all of it is one group.
        let gate = Mutex(false)
        queue.run({ while !gate.withLock({ $0 }) { usleep(100) } }, completion: { _ in })
        for index in 0..<1000 {
            let offset = appender.append(Array("entry \(index)\n".utf8)) { result in
                if case .success = result { order.withLock { $0.append(index) } }
            }
            #expect(index > 0 || offset == 0)
        }
        gate.withLock { $0 = true }
        queue.stop()
        #expect(order.withLock { $0 } == Array(0..<1000))
        #expect(queue.statistics.appends == 1000)
        #expect(queue.statistics.syncs <= 2)
        let expected = (0..<1000).map { "entry \($0)\n" }.joined()
        #expect(try folder.directory().read("log") == Array(expected.utf8))
    }

    @Test func workIsInOrderWithAppends() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        let queue = try DiskQueue()
        let appender = try DurableAppender(file: directory.open("log", create: true), queue: queue)
        appender.append([1, 2, 3, 4]) { _ in }
        appender.truncate(to: 2) { _ in }
        #expect(appender.append([9]) { _ in } == 2)
        let seen = Mutex<[UInt8]>([])
        queue.run(
            { () throws(HostError) in
                let bytes = try directory.read("log")
                seen.withLock { $0 = bytes }
            }, completion: { _ in })
        queue.stop()
        #expect(seen.withLock { $0 } == [1, 2, 9])
        #expect(throws: HostError.closed("")) {
            let result = Mutex<Result<Void, HostError>>(.success(()))
            appender.append([1]) { outcome in result.withLock { $0 = outcome } }
            try result.withLock { $0 }.get()
        }
    }

    @Test func afterAFailureNothingIsDone() throws {
        let folder = try TemporaryFolder()
        let directory = try folder.directory()
        try directory.replace("log", with: [1])
        let readOnly = try directory.open("log")
        let queue = try DiskQueue()
        let results = Mutex<[Bool]>([])
        let note: DiskQueue.Completion = { result in
            results.withLock { $0.append((try? result.get()) != nil) }
        }
        queue.append([2], to: readOnly, at: 1, completion: note)
        queue.append([2], to: try directory.open("other", create: true), at: 0, completion: note)
        queue.run({}, completion: note)
        queue.stop()
        #expect(results.withLock { $0 } == [false, false, false])
        #expect(try directory.read("log") == [1])
    }

    @Test func waitingBytesAreBounded() throws {
        let folder = try TemporaryFolder()
        let file = try folder.directory().open("log", create: true)
        let queue = try DiskQueue(pendingBytesMax: 10)
        let gate = Mutex(false)
        queue.run({ while !gate.withLock({ $0 }) { usleep(100) } }, completion: { _ in })
        let refused = Mutex(0)
        let count: DiskQueue.Completion = { result in
            if case .failure = result { refused.withLock { $0 += 1 } }
        }
        queue.append([UInt8](repeating: 1, count: 8), to: file, at: 0, completion: count)
        queue.append([UInt8](repeating: 1, count: 8), to: file, at: 8, completion: count)
        #expect(refused.withLock { $0 } == 1)
        gate.withLock { $0 = true }
        queue.stop()
        #expect(refused.withLock { $0 } == 1)
        #expect(try file.size() == 8)
    }

    @Test func clocksAndRandomness() {
        let before = HostClock.monotonicMicroseconds()
        #expect(HostClock.monotonicMicroseconds() >= before)
        #expect(HostClock.wallMilliseconds() > 1_700_000_000_000)
        #expect(HostRandom.bytes(0).isEmpty)
        #expect(HostRandom.bytes(32) != HostRandom.bytes(32))
    }
}
