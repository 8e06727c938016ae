import FoundationEssentials
import Glibc
import Identity
import Ledger
import Primitives
import Store
import Testing

/// The snapshot folder: what it makes of a stream of changes, and what it does when something is wrong.
@Suite struct SnapshotFilesTests {
    private static let prefix = "entente."

    private func access(_ network: TestNetwork) -> SnapshotAccess {
        SnapshotAccess(
            networkID: TestNetwork.networkID, sessions: [network.session], service: network.service,
            ownPrefix: Self.prefix)
    }

    private func point(_ network: TestNetwork, _ entry: LedgerEntry) throws -> SnapshotPoint {
        var store = Store()
        for each in network.entries where each.id.seqno <= entry.id.seqno {
            try store.apply(each.tables, at: each.id.seqno)
        }
        return SnapshotPoint(
            id: entry.id, leaf: entry.leaf, viewHistory: [1, 1], publicState: store.latest.contents,
            session: network.session, networkID: TestNetwork.networkID)
    }

    /// Lets a snapshot be finished, and gives what was reported.
    private func finish<Storage>(_ files: inout SnapshotFiles<Storage>) -> [SnapshotReport] {
        var reports: [SnapshotReport] = []
        while files.isBusy { reports += files.advance() }
        return reports
    }

    private func made(_ reports: [SnapshotReport]) -> (seqno: UInt64, digest: Bytes32)? {
        for case .made(let seqno, let digest, _) in reports { return (seqno, digest) }
        return nil
    }

    /// Signs, makes the snapshot there, records and signs its evidence, and commits the file.
    private func snapshot<Storage>(
        _ network: inout TestNetwork, _ files: inout SnapshotFiles<Storage>, _ changes: [WriteSet],
        keeping: Set<SnapshotName> = []
    ) throws -> SnapshotName {
        let entry = try network.sign(flags: .chunkAfter)
        var reports = files.perform(.make(try point(network, entry), changes: changes))
        reports += finish(&files)
        let digest = try #require(made(reports)?.digest)
        let evidence = try network.append(claims: digest)
        try network.sign()
        let components = LeafComponents(
            writeSetDigest: evidence.writeSetDigest, commitEvidence: try network.cipher().commitEvidence(evidence.id),
            claimsDigest: digest)
        let signature = try #require(network.signatures.last)
        let receipt = try #require(
            CoseReceipt(
                tree: network.tree, seqno: evidence.id.seqno, components: components, signature: signature))
        let name = SnapshotName(seqno: entry.id.seqno, evidence: evidence.id.seqno)
        _ = files.perform(.commit(name, receipt: receipt.encoded(), keeping: keeping))
        return name
    }

    private func opened(_ reports: [SnapshotReport]) throws -> OpenedSnapshot {
        for case .opened(let snapshot) in reports { return snapshot }
        throw LedgerError.storage("not opened: \(reports)")
    }

    private func contents<Storage>(
        _ files: inout SnapshotFiles<Storage>, _ name: SnapshotName, _ count: Int
    ) throws -> WriteSet {
        var all = WriteSet()
        for index in 0..<count {
            for report in files.perform(.frame(name, index: index)) {
                guard case .frame(_, let at, count, let writes) = report, at == index else {
                    throw LedgerError.storage("\(report)")
                }
                all.merge(writes)
            }
        }
        return all
    }

    private static func changes(_ random: inout SplitMix) -> WriteSet {
        WriteSet(
            ["adapter.a", "entente.x", "entente.y", "ententf", "zoo.b"].map { name in
                MapWrites(
                    name: name,
                    changes: (0..<Int.random(in: 0...25, using: &random)).map { _ in
                        let key = [UInt8.random(in: 0...200, using: &random)]
                        return (key, Int.random(in: 0...3, using: &random) > 0 ? random.bytes(20) : nil)
                    })
            })
    }

    /// Tiny frames and runs, so that everything happens: runs, folds of 64 runs, folds under way when a snapshot is due.
    @Test(arguments: 0..<6) func makesWhatAStoreHolds(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var network = try TestNetwork()
        try network.start()
        var store = Store()
        var files = try SnapshotFiles(
            MemoryLedgerStorage(), secret: [UInt8](repeating: 1, count: 32), frameByteCount: 500, runByteCount: 300)
        _ = files.perform(.list)
        var names: [SnapshotName] = []
        for _ in 0..<4 {
            var pending: [WriteSet] = []
            for _ in 0..<Int.random(in: 1...160, using: &random) {
                let change = Self.changes(&random)
                try store.apply(change, at: store.latest.seqno + 1)
                store.commit(to: store.latest.seqno)
                pending.append(change)
                if Bool.random(using: &random) {
                    #expect(files.perform(.collect(pending)).isEmpty)
                    pending = []
                }
                if Int.random(in: 0...9, using: &random) == 0 { #expect(files.advance().isEmpty) }
            }
            let name = try snapshot(&network, &files, pending)
            names.append(name)
            // Another process opens it.
            var other = try SnapshotFiles(
                files.storage, secret: [UInt8](repeating: 2, count: 32), frameByteCount: 500, runByteCount: 300)
            _ = other.perform(.list)
            #expect(try other.storage.list().sorted() == names.suffix(2).map(\.fileName).sorted())
            let snapshot = try opened(other.perform(.open(name, access(network))))
            let state = try contents(&other, name, snapshot.frameCount)
            #expect(state == store.latest.contents)
            #expect(snapshot.ownMaps == WriteSet(state.maps.filter { $0.name.hasPrefix(Self.prefix) }))
            #expect(snapshot.frameCount > 3)
            if Bool.random(using: &random) {
                // And goes on from it: its next one is the same as if it had never stopped.
                #expect(other.perform(.rebase(name)).isEmpty)
                files = other
            }
        }
    }

    @Test func partsOfAFileCanBeSentAndAreChecked() throws {
        var random = SplitMix(state: 3)
        var network = try TestNetwork()
        try network.start()
        var files = try SnapshotFiles(
            MemoryLedgerStorage(), secret: [UInt8](repeating: 1, count: 32), frameByteCount: 500, runByteCount: 300)
        let name = try snapshot(&network, &files, (0..<40).map { _ in Self.changes(&random) })
        let whole = try #require(files.storage.files[name.fileName])
        func receive(
            _ name: SnapshotName, size: UInt64? = nil, _ change: (inout [UInt8]) -> Void = { _ in }
        ) throws -> (SnapshotFiles<MemoryLedgerStorage>, SnapshotReport?) {
            var taker = try SnapshotFiles(MemoryLedgerStorage(), secret: [UInt8](repeating: 2, count: 32))
            var bytes = whole
            change(&bytes)
            for start in stride(from: 0, to: bytes.count, by: 333) {
                let part = Array(bytes[start..<min(start + 333, bytes.count)])
                guard case .received(_, let next)? = taker.perform(.receive(name, offset: UInt64(start), part)).first
                else { throw LedgerError.storage("not received") }
                #expect(next == UInt64(start + part.count))
            }
            let report = taker.perform(
                .accept(name, byteCount: size ?? UInt64(bytes.count), access(network))
            ).last
            return (taker, report)
        }
        let (taker, report) = try receive(name)
        _ = try opened(report.map { [$0] } ?? [])
        #expect(taker.storage.files == [name.fileName: whole])
        for (what, name, size, change) in [
            ("a bit", name, nil, { $0[$0.count / 2] ^= 1 }), ("the end", name, nil, { $0.removeLast() }),
            ("the size", name, UInt64(whole.count - 1), { _ in }),
            ("the name", SnapshotName(seqno: name.seqno, evidence: name.evidence + 1), nil, { _ in }),
            ("the place", SnapshotName(seqno: name.seqno - 1, evidence: name.evidence), nil, { _ in }),
        ] as [(String, SnapshotName, UInt64?, (inout [UInt8]) -> Void)] {
            let (taker, report) = try receive(name, size: size, change)
            guard case .refused? = report else { Issue.record("\(what): \(String(describing: report))"); continue }
            #expect(taker.storage.files.keys.allSatisfy { SnapshotName($0) == nil }, "\(what)")
        }
        // Parts out of order, and reads beyond the end.
        var other = try SnapshotFiles(MemoryLedgerStorage(), secret: [UInt8](repeating: 2, count: 32))
        guard case .receiveFailed? = other.perform(.receive(name, offset: 5, [1])).first else {
            Issue.record("a part in the middle came first")
            return
        }
        for offset in [UInt64(whole.count), .max] {
            guard case .gone? = files.perform(.read(name, offset: offset, byteCount: 10, peer: "p")).first else {
                Issue.record("bytes behind the end")
                return
            }
        }
    }

    @Test func aSnapshotThatAPeerIsTakingStays() throws {
        var random = SplitMix(state: 3)
        var network = try TestNetwork()
        try network.start()
        var files = try SnapshotFiles(MemoryLedgerStorage(), secret: [UInt8](repeating: 1, count: 32))
        let taken = try snapshot(&network, &files, [Self.changes(&random)])
        var names: [SnapshotName] = []
        for _ in 0..<4 { names.append(try snapshot(&network, &files, [Self.changes(&random)], keeping: [taken])) }
        #expect(try files.storage.list().compactMap { SnapshotName($0) }.sorted() == [taken] + names.suffix(2))
        names.append(try snapshot(&network, &files, [Self.changes(&random)]))
        #expect(try files.storage.list().compactMap { SnapshotName($0) }.sorted() == names.suffix(2))
    }

    /// Storage that is full after some bytes.
    private struct FullStorage: LedgerStorage {
        var inner = MemoryLedgerStorage()
        var left: Int
        func list() throws -> [String] { try inner.list() }
        func size(of name: String) throws -> Int { try inner.size(of: name) }
        func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
            try inner.read(name, at: offset, count: count)
        }
        mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
            left -= bytes.count
            guard left >= 0 else { throw LedgerError.storage("no space is left") }
            try inner.write(bytes, to: name, at: offset)
        }
        mutating func truncate(_ name: String, to count: Int) throws { try inner.truncate(name, to: count) }
        mutating func rename(_ name: String, to newName: String) throws { try inner.rename(name, to: newName) }
        mutating func remove(_ name: String) throws { try inner.remove(name) }
        mutating func sync(_ name: String) throws { try inner.sync(name) }
    }

    @Test func aFullDiskStopsTheMakingOnce() throws {
        var random = SplitMix(state: 3)
        var network = try TestNetwork()
        try network.start()
        var stops = 0
        for left in stride(from: 0, to: 40_000, by: 2_500) {
            var files = try SnapshotFiles(
                FullStorage(left: left), secret: [UInt8](repeating: 1, count: 32), frameByteCount: 500,
                runByteCount: 300)
            var reports: [SnapshotReport] = []
            for _ in 0..<60 { reports += files.perform(.collect([Self.changes(&random)])) }
            let entry = try #require(network.entries.last)
            reports += files.perform(.make(try point(network, entry), changes: []))
            reports += finish(&files)
            reports += files.perform(.collect([Self.changes(&random)]))
            let stopped = reports.count { if case .stopped = $0 { true } else { false } }
            #expect(stopped + (made(reports) == nil ? 0 : 1) == 1)
            stops += stopped
            // What was not finished gives its room back.
            let left = files.storage.inner.files.keys.filter { $0.hasPrefix("part_") || $0.hasPrefix("made_") }
            #expect(stopped == 0 || left.isEmpty, "\(left)")
        }
        #expect(stops > 5)
    }

    /// Time of the processor, in seconds. The number of accounts is in the environment for those who measure.
    @Test func costOfASnapshot() throws {
        let count = ProcessInfo.processInfo.environment["ENTENTE_MEASURE_ACCOUNTS"].flatMap { Int($0) } ?? 2_000
        var random = SplitMix(state: 1)
        var network = try TestNetwork()
        try network.start()
        var files = try SnapshotFiles(MemoryLedgerStorage(), secret: [UInt8](repeating: 1, count: 32))
        func accounts(_ range: Range<Int>) -> WriteSet {
            WriteSet([
                MapWrites(
                    name: "ethereum.accounts",
                    writes: range.map {
                        .init(key: Array(Digests.sha256("\($0)").bytes.prefix(20)), value: random.bytes(72))
                    })
            ])
        }
        func cost(_ work: () throws -> Void) rethrows -> Double {
            var (before, after) = (timespec(), timespec())
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before)
            try work()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after)
            return Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) / 1e9
        }
        let changes = stride(from: 0, to: count, by: 100).map { accounts($0..<min(count, $0 + 100)) }
        let few = stride(from: 0, to: count / 10, by: 100).map { accounts($0..<min(count / 10, $0 + 100)) }
        var name = SnapshotName(seqno: 1, evidence: 2)
        let first = try cost { name = try snapshot(&network, &files, changes) }
        let next = try cost { name = try snapshot(&network, &files, few) }
        let size = files.storage.files[name.fileName]?.count ?? 0
        var frames = 0
        let open = try cost { frames = try opened(files.perform(.open(name, access(network)))).frameCount }
        var state = 0
        let read = cost {
            for index in 0..<frames {
                for case .frame(_, _, _, let writes) in files.perform(.frame(name, index: index)) {
                    state += writes.changeCount
                }
            }
        }
        #expect(state == count)
        print(
            "snapshot of \(count) accounts, \(size) bytes: first \(first) s, with a tenth changed \(next) s, "
                + "verified \(open) s, all frames opened \(read) s of processor time")
    }
}
