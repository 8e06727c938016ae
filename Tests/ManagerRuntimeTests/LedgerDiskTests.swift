import Consensus
import Glibc
import Host
import Manager
import ManagerRuntime
import NIOCore
import NIOPosix
import Testing

@Suite struct LedgerDiskTests {
    private typealias Reports = Heard<LedgerDisk.Report>

    private static func seal(_ folder: Directory) -> SealFile {
        SealFile(folder: folder, key: [UInt8](repeating: 1, count: 32))
    }

    private func withDisk(
        _ folder: TemporaryFolder, chunkBytes: Int = 1 << 20, faults: DiskFaults? = nil,
        _ body: (LedgerDisk, Reports) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let reports = Reports()
        let directory = try folder.directory()
        let disk = try LedgerDisk(
            folder: directory.folder("ledger", create: true), seal: Self.seal(directory), chunkBytes: chunkBytes,
            eventLoop: group.next(), retryAfter: .milliseconds(20), faults: faults, report: { reports.add($0) })
        try await body(disk, reports)
        await disk.stop()
        try await group.shutdownGracefully()
    }

    private static func persisted(_ reports: Reports) -> [UInt64] {
        reports.all.compactMap { if case .persisted(let ticket) = $0 { ticket } else { nil } }
    }

    private static func reached(_ ticket: UInt64) -> (LedgerDisk.Report) -> Bool {
        { if case .persisted(ticket) = $0 { true } else { false } }
    }

    private static func read(
        _ disk: LedgerDisk, _ reports: Reports, _ first: UInt64, _ last: UInt64, bytesMax: Int = 1 << 20,
        token: UInt64
    ) async -> [StoredEntry]? {
        disk.read(first: first, last: last, bytesMax: bytesMax, for: .receipt(token))
        let report = await reports.first { if case .entries(_, for: .receipt(token)) = $0 { true } else { false } }
        if case .entries(let entries, for: _) = report { return entries }
        return nil
    }

    @Test func appendsThatWaitShareASync() async throws {
        let folder = try TemporaryFolder()
        let entries = try TestEntries.make(1...2_000)
        try await withDisk(folder) { disk, reports in
            for entry in entries { disk.append([entry], ticket: entry.seqno) }
            _ = try #require(await reports.first(where: Self.reached(2_000)))
            let tickets = Self.persisted(reports)
            #expect(tickets == tickets.sorted() && Set(tickets).count == tickets.count)
            #expect(tickets.count < 1_000, "\(tickets.count) syncs for 2,000 appends")
            let stored = await Self.read(disk, reports, 1, 2_000, token: 1)
            #expect(stored?.map(\.bytes) == entries.map(\.bytes))
        }
        // What was reported is there after a new start.
        try await withDisk(folder) { disk, reports in
            #expect(disk.healing.isEmpty)
            #expect(await Self.read(disk, reports, 1, .max, token: 1)?.count == 2_000)
        }
    }

    @Test func jobsAreDoneInTheirOrder() async throws {
        let folder = try TemporaryFolder()
        let old = try TestEntries.make(1...9)
        let new = try TestEntries.make(6...8, view: 3)
        try await withDisk(folder) { disk, reports in
            disk.append(old, ticket: 1)
            disk.read(first: 9, last: 9, bytesMax: 1 << 20, for: .receipt(1))
            disk.truncate(to: 5, ticket: 2)
            disk.read(first: 5, last: 9, bytesMax: 1 << 20, for: .receipt(2))
            disk.seal([1], ticket: 1)
            disk.append(new, ticket: 3)
            disk.seal([2], ticket: 2)
            disk.read(first: 5, last: 9, bytesMax: 1 << 20, for: .receipt(3))
            _ = try #require(await reports.first(where: Self.reached(3)))
            _ = await reports.first { if case .entries(_, for: .receipt(3)) = $0 { true } else { false } }
            var seen: [UInt64: [StoredEntry]] = [:]
            var seals: [UInt64] = []
            for report in reports.all {
                switch report {
                case .entries(let entries, for: .receipt(let token)): seen[token] = entries
                case .sealed(let ticket): seals.append(ticket)
                default: break
                }
            }
            #expect(seen[1]?.map(\.bytes) == [old[8].bytes])
            #expect(seen[2]?.map(\.seqno) == [5])
            #expect(seen[3]?.map(\.bytes) == [old[4].bytes] + new.map(\.bytes))
            #expect(seals == [1, 2])
        }
        #expect(try Self.seal(folder.directory()).read() == [2])
    }

    @Test func readsAreBounded() async throws {
        let folder = try TemporaryFolder()
        let entries = try TestEntries.make(1...50, size: 10_000)
        try await withDisk(folder, chunkBytes: 100_000) { disk, reports in
            disk.append(entries, ticket: 1)
            let some = await Self.read(disk, reports, 1, 50, bytesMax: 25_000, token: 1)
            #expect(some.map { (1...3).contains($0.count) } == true)
            #expect(await Self.read(disk, reports, 7, 7, bytesMax: 1, token: 2)?.map(\.seqno) == [7])
            for (first, last, token) in [(51, 60, 3), (0, 5, 4), (9, 8, 5), (.max, .max, 6)]
                as [(UInt64, UInt64, UInt64)]
            {
                #expect(await Self.read(disk, reports, first, last, token: token)?.isEmpty == true)
            }
        }
    }

    @Test func aDiskThatFailedDoesNothingMore() async throws {
        let folder = try TemporaryFolder()
        let entries = try TestEntries.make(1...3)
        try await withDisk(folder) { disk, reports in
            disk.append([entries[0]], ticket: 1)
            _ = try #require(await reports.first(where: Self.reached(1)))
            disk.append([LogEntry(view: 2, seqno: 2, kind: .data, bytes: [1, 2, 3])], ticket: 2)
            _ = try #require(await reports.first { if case .storage(.failed) = $0 { true } else { false } })
            disk.append([entries[1]], ticket: 3)
            disk.seal([1], ticket: 1)
        }
        try await withDisk(folder) { disk, reports in
            #expect(await Self.read(disk, reports, 1, .max, token: 1)?.map(\.seqno) == [1])
        }
        #expect(try Self.seal(folder.directory()).read() == nil)
    }

    private static func storage(_ reports: Reports) -> [String] {
        reports.all.compactMap { report in
            guard case .storage(let state) = report else { return nil }
            switch state {
            case .good: return "good"
            case .full: return "full"
            case .failed: return "failed"
            }
        }
    }

    @Test func aFullDiskKeepsWhatWaitsAndGoesOnByItself() async throws {
        let folder = try TemporaryFolder()
        let entries = try TestEntries.make(1...6)
        let others = try TestEntries.make(5...7, view: 3)
        let faults = DiskFaults()
        try await withDisk(folder, faults: faults) { disk, reports in
            disk.append([entries[0]], ticket: 1)
            _ = try #require(await reports.first(where: Self.reached(1)))
            faults.set(.write, ENOSPC)
            disk.append(Array(entries[1...3]), ticket: 2)
            disk.seal([1], ticket: 1)
            disk.append(Array(entries[4...5]), ticket: 3)
            disk.truncate(to: 4, ticket: 4)
            disk.append(others, ticket: 5)
            disk.seal([2], ticket: 2)
            _ = try #require(await reports.first { if case .storage(.full) = $0 { true } else { false } })
            // What is on the disk is read, and so is what waits for it.
            #expect(await Self.read(disk, reports, 1, 1, token: 1)?.map(\.bytes) == [entries[0].bytes])
            let waiting = await Self.read(disk, reports, 2, .max, token: 2)
            #expect(waiting?.map(\.bytes) == entries[1...3].map(\.bytes) + others.map(\.bytes))
            try await Task.sleep(for: .milliseconds(100))
            #expect(Self.persisted(reports) == [1])
            #expect(!reports.all.contains { if case .sealed = $0 { true } else { false } })
            faults.set(.write, nil)
            _ = try #require(await reports.first(where: Self.reached(5)))
            #expect(Self.storage(reports) == ["full", "good"])
            // The newest seal stands for those before it.
            #expect(reports.all.contains { if case .sealed(2) = $0 { true } else { false } })
        }
        try await withDisk(folder) { disk, reports in
            let all = await Self.read(disk, reports, 1, .max, token: 1)
            #expect(all?.map(\.bytes) == entries[0...3].map(\.bytes) + others.map(\.bytes))
        }
        #expect(try Self.seal(folder.directory()).read() == [2])
    }

    @Test(arguments: [DiskFaults.Operation.sync, .write]) func afterAnErrorNothingIsWrittenByThisProcess(
        _ operation: DiskFaults.Operation
    ) async throws {
        let folder = try TemporaryFolder()
        let entries = try TestEntries.make(1...3)
        let faults = DiskFaults()
        try await withDisk(folder, faults: faults) { disk, reports in
            disk.append([entries[0]], ticket: 1)
            _ = try #require(await reports.first(where: Self.reached(1)))
            // A full disk that is only noticed by the sync is an error like any other: the pages are lost.
            faults.set(operation, operation == .sync ? ENOSPC : EIO)
            disk.append([entries[1]], ticket: 2)
            _ = try #require(await reports.first { if case .storage(.failed) = $0 { true } else { false } })
            #expect(await Self.read(disk, reports, 1, 1, token: 1)?.map(\.bytes) == [entries[0].bytes])
            #expect(!reports.all.contains { if case .worksAgain = $0 { true } else { false } })
            faults.set(operation, nil)
            disk.append([entries[2]], ticket: 3)
            disk.seal([1], ticket: 1)
            // Another process may write; this one never says that anything is durable again.
            _ = try #require(await reports.first { if case .worksAgain = $0 { true } else { false } })
            #expect(Self.persisted(reports) == [1])
            #expect(!reports.all.contains { if case .sealed = $0 { true } else { false } })
        }
        try await withDisk(folder) { disk, reports in
            let left = await Self.read(disk, reports, 1, .max, token: 1)
            #expect(left?.first?.bytes == entries[0].bytes)
            #expect((left?.count ?? 0) <= 2)
        }
        #expect(try Self.seal(folder.directory()).read() == nil)
    }

    @Test func aDamagedChunkIsSetAsideAndReplaced() async throws {
        let folder = try TemporaryFolder()
        let signed = try TestEntries.signed(1...60, size: 4_000)
        try await withDisk(folder, chunkBytes: 20_000) { disk, reports in
            disk.append(signed, ticket: 1)
            disk.commit(seqno: 60)
            _ = try #require(await reports.first(where: Self.reached(1)))
        }
        let ledger = try folder.directory().folder("ledger")
        let name = try #require(try ledger.list().first { $0.hasSuffix(".committed") && !$0.hasPrefix("ledger_1-") })
        let file = try ledger.open(name, writing: true)
        let byte = try file.read(at: 5_000, count: 1)
        try file.write([byte[0] ^ 1], at: 5_000)
        try await withDisk(folder, chunkBytes: 20_000) { disk, reports in
            disk.survey()
            // Reads end before the damage; whoever goes on there learns of it.
            var next: UInt64 = 1
            while let some = await Self.read(disk, reports, next, .max, token: next), !some.isEmpty {
                next += UInt64(some.count)
            }
            let report = await reports.first { if case .damaged = $0 { true } else { false } }
            guard case .damaged(let damage) = report else {
                Issue.record("the damage is not reported")
                return
            }
            #expect(damage.isReplaceable && damage.seqnos.contains(next))
            #expect(try ledger.list().contains(name + ".damaged"))
            disk.restore(
                damage.seqnos,
                signed[Int(damage.seqnos.lowerBound) - 1..<Int(damage.seqnos.upperBound) - 1].map(\.bytes))
            _ = try #require(await reports.first { if case .restored = $0 { true } else { false } })
            let rest = await Self.read(disk, reports, 1, .max, token: 1_000)
            #expect(rest?.map(\.bytes) == signed.map(\.bytes))
        }
        try await withDisk(folder, chunkBytes: 20_000) { disk, _ in #expect(disk.healing.isEmpty) }
    }
}
