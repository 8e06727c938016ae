import Consensus
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
        _ folder: TemporaryFolder, chunkBytes: Int = 1 << 20, _ body: (LedgerDisk, Reports) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let reports = Reports()
        let directory = try folder.directory()
        let disk = try LedgerDisk(
            folder: directory.folder("ledger", create: true), seal: Self.seal(directory), chunkBytes: chunkBytes,
            eventLoop: group.next(), report: { reports.add($0) })
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
            _ = await reports.first { if case .failed = $0 { true } else { false } }
            disk.append([entries[1]], ticket: 3)
            disk.seal([1], ticket: 1)
        }
        try await withDisk(folder) { disk, reports in
            #expect(await Self.read(disk, reports, 1, .max, token: 1)?.map(\.seqno) == [1])
        }
        #expect(try Self.seal(folder.directory()).read() == nil)
    }
}
