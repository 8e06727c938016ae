import Ledger
import Testing

@Suite struct LedgerFilesTests {
    private func opened(
        _ storage: MemoryLedgerStorage, chunk: Int = 5000, durable: UInt64? = nil
    ) throws -> LedgerFiles<MemoryLedgerStorage> {
        try LedgerFiles(opening: storage, chunkByteCount: chunk, durable: durable)
    }

    private func check(
        _ files: LedgerFiles<MemoryLedgerStorage>, _ entries: [LedgerEntry], through last: UInt64
    ) throws {
        #expect(files.nextSeqno == last + 1)
        for entry in entries where entry.id.seqno <= last {
            #expect(try files.read(entry.id.seqno) == entry.bytes)
        }
        #expect(throws: LedgerError.outOfRange("")) { try files.read(last + 1) }
        #expect(throws: LedgerError.outOfRange("")) { try files.read(0) }
    }

    @Test func namesParse() {
        #expect(ChunkName("ledger_1-14.committed") == ChunkName(start: 1, committedEnd: 14))
        #expect(ChunkName("ledger_15") == ChunkName(start: 15))
        #expect(ChunkName("ledger_1-14")?.isCommitted == false)
        #expect(ChunkName(start: 3, committedEnd: 9).fileName == "ledger_3-9.committed")
        for name in [
            "ledger_", "ledger_0", "ledger_01", "ledger_5-4.committed", "ledger_5.committed", "ledger_1-2-3", "x",
            "ledger_15.ignored", "ledger_1-14.committed.recovery", "ledger_+1",
        ] {
            #expect(ChunkName(name) == nil, "\(name)")
        }
    }

    @Test func writesChunksThatEndOnSignatures() throws {
        let network = try mixedLedger()
        let last = UInt64(network.entries.count)
        var files = try opened(MemoryLedgerStorage())
        for entry in network.entries {
            try files.append(entry)
            try check(files, network.entries, through: entry.id.seqno)
        }
        try files.sync()
        try files.commit(to: last)
        try check(files, network.entries, through: last)
        #expect(files.chunkNames.count > 3)
        #expect(files.healing.isEmpty)
        let committed = try #require(files.committedChunkEnd)
        #expect(network.entries[Int(committed) - 1].kind == .signature)
        let again = try opened(files.storage)
        #expect(again.healing.isEmpty)
        #expect(again.chunkNames == files.chunkNames)
        try check(again, network.entries, through: last)
        #expect(try again.read(2..<6, byteCountMax: .max) == network.entries[1..<5].map(\.bytes))
        #expect(try again.read(2..<6, byteCountMax: 1) == [network.entries[1].bytes])
        #expect(throws: LedgerError.outOfRange("")) { try files.append(network.entries[3]) }
        // One write or many: the same files.
        #expect(try network.files(chunkByteCount: 5000).files == files.storage.files)
    }

    @Test func chunkAfterEndsAChunkEarly() throws {
        var network = try TestNetwork()
        try network.start()
        try network.sign(flags: .chunkAfter)
        try network.append()
        let names = try network.files(chunkByteCount: 1 << 20, commit: 4).files.keys.sorted()
        #expect(names == ["ledger_1", "ledger_6"])
        #expect(
            try network.files(chunkByteCount: 1 << 20, commit: 5).files.keys.sorted()
                == ["ledger_1-5.committed", "ledger_6"])
    }

    @Test func rollsBackToEverySeqno() throws {
        let network = try mixedLedger(entryCount: 16)
        let committed: UInt64 = 8
        let start = try network.files(chunkByteCount: 3000, commit: committed)
        let floor = try #require(try opened(start, chunk: 3000).committedChunkEnd)
        #expect(floor > 0)
        for seqno in floor...UInt64(network.entries.count) {
            var files = try opened(start, chunk: 3000)
            try files.rollback(to: seqno)
            try check(files, network.entries, through: seqno)
            let reopened = try opened(files.storage.crashed(), chunk: 3000)
            #expect(reopened.healing.isEmpty)
            try check(reopened, network.entries, through: seqno)
            // And the same entries again give the same files.
            try files.append(Array(network.entries[Int(seqno)...]))
            try files.sync()
            try files.commit(to: committed)
            #expect(files.storage.files == start.files)
        }
        var files = try opened(start, chunk: 3000)
        #expect(throws: LedgerError.outOfRange("")) { try files.rollback(to: floor - 1) }
    }

    @Test func healsEveryTornEnd() throws {
        let network = try mixedLedger(entryCount: 6)
        let storage = try network.files(chunkByteCount: 1 << 20, commit: 0)
        let bytes = try #require(storage.files["ledger_1"])
        var ends = [8]
        for entry in network.entries { ends.append(ends[ends.count - 1] + entry.bytes.count) }
        for length in stride(from: 0, through: bytes.count, by: 23) {
            for filler in [[], [UInt8](repeating: 0, count: 100), [UInt8](repeating: 0xA5, count: 9)] {
                let torn = MemoryLedgerStorage(files: ["ledger_1": Array(bytes[..<length]) + filler])
                // Zeros may complete an entry that ends in zeros.
                let content = torn.files["ledger_1"] ?? []
                let whole = UInt64(
                    ends.dropFirst().filter { $0 <= content.count && content[8..<$0] == bytes[8..<$0] }.count)
                let files = try opened(torn)
                try check(files, network.entries, through: whole)
                if whole > 0 {
                    // What was acknowledged is never cut off.
                    #expect(throws: LedgerError.corrupt("")) { try opened(torn, durable: whole + 1) }
                    try check(try opened(torn, durable: whole), network.entries, through: whole)
                }
                let reopened = try opened(files.storage)
                #expect(reopened.healing.isEmpty)
            }
        }
    }

    /// Crashes at every step, with what was not synced lost, kept or torn: acknowledged entries are always there.
    @Test(arguments: 0..<40) func survivesCrashes(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let network = try mixedLedger(entryCount: 24, seed: 2)
        var files = try opened(MemoryLedgerStorage(), chunk: 2500)
        var durable: UInt64 = 0
        for _ in 0..<60 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                try files.sync()
                durable = files.nextSeqno - 1
            case 1:
                let signed = network.entries.last { $0.kind == .signature && $0.id.seqno <= durable }
                if let signed { try files.commit(to: signed.id.seqno) }
            case 2:
                let crashed = files.storage.crashed { _, durable, current in
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: return durable
                    case 1: return current
                    default:
                        // Of what differs, each 64 bytes may or may not have reached the disk.
                        var bytes = durable
                        let size = Int.random(
                            in: min(durable.count, current.count)...max(durable.count, current.count), using: &random)
                        bytes += [UInt8](repeating: 0, count: max(0, size - bytes.count))
                        for block in stride(from: 0, to: min(bytes.count, current.count), by: 64)
                        where Bool.random(using: &random) {
                            let end = min(block + 64, bytes.count, current.count)
                            bytes.replaceSubrange(block..<end, with: current[block..<end])
                        }
                        return bytes
                    }
                }
                files = try opened(crashed, chunk: 2500, durable: durable)
                #expect(files.nextSeqno > durable)
                try check(files, network.entries, through: files.nextSeqno - 1)
            case 3 where durable > (files.committedChunkEnd ?? 0):
                let target = UInt64.random(in: (files.committedChunkEnd ?? 0)...files.nextSeqno - 1, using: &random)
                try files.rollback(to: target)
                durable = min(durable, target)
            default:
                let next = Int(files.nextSeqno) - 1
                let count = min(Int.random(in: 1...4, using: &random), network.entries.count - next)
                if count > 0 { try files.append(Array(network.entries[next..<next + count])) }
            }
        }
        try check(files, network.entries, through: files.nextSeqno - 1)
    }

    /// A killed process wrote and never synced; the next one reads it back and builds on it, so it must be durable.
    @Test func whatIsReadAtAStartIsDurable() throws {
        let network = try mixedLedger()
        var files = try opened(MemoryLedgerStorage())
        for entry in network.entries { try files.append(entry) }
        var again = try opened(files.storage)
        #expect(again.nextSeqno == files.nextSeqno)
        try again.commit(to: UInt64(network.entries.count))
        let left = try opened(again.storage.crashed())
        try check(left, network.entries, through: UInt64(network.entries.count))
    }

    @Test func tellsDamageInTheMiddleFromATornEnd() throws {
        let network = try mixedLedger(entryCount: 6)
        let storage = try network.files(chunkByteCount: 1 << 20, commit: 0)
        var bytes = try #require(storage.files["ledger_1"])
        bytes[8 + network.entries[0].bytes.count + 100] ^= 1
        let damaged = MemoryLedgerStorage(files: ["ledger_1": bytes])
        let files = try opened(damaged)
        #expect(files.isTailDamaged)
        #expect(files.nextSeqno == 2)
        #expect(files.healing.contains { $0.contains("entry 2 is damaged, with whole ones behind it") })
        #expect(files.storage.files["ledger_1.damaged"] == bytes)
        let again = try opened(files.storage)
        #expect(!again.isTailDamaged && again.nextSeqno == 2)
    }

    @Test func setsDamagedCommittedChunksAside() throws {
        let network = try mixedLedger()
        let storage = try network.files(chunkByteCount: 4000)
        let name = try #require(storage.files.keys.sorted().first { $0.hasSuffix(".committed") })
        let bytes = try #require(storage.files[name])
        for (what, change) in [
            ("cut", Array(bytes.dropLast())), ("no table", [0, 0, 0, 0, 0, 0, 0, 0] + bytes[8...]), ("empty", []),
            ("longer", bytes + [0, 0, 0, 0]), ("another start", bytes[..<32] + [9] + bytes[33...]),
        ] {
            var files = storage.files
            files[name] = change
            let opened = try opened(MemoryLedgerStorage(files: files))
            #expect(opened.missing.count == 1, "\(what)")
            #expect(opened.storage.files[name] == nil && opened.storage.files[name + ".damaged"] == change)
        }
        var files = storage.files
        files[name] = nil
        if ChunkName(name)?.start != 1 {
            #expect(try opened(MemoryLedgerStorage(files: files)).missing.count == 1)
        }
        // A flipped bit inside an entry shows when it is read.
        files = storage.files
        files[name]?[200] ^= 1
        let damaged = try opened(MemoryLedgerStorage(files: files))
        let start = try #require(ChunkName(name)?.start)
        #expect(throws: LedgerError.corrupt("")) {
            for seqno in start..<start + 3 { _ = try damaged.read(seqno) }
        }
    }

    @Test func beginsAnewAfterASnapshot() throws {
        let network = try mixedLedger()
        var files = try opened(try network.files(chunkByteCount: 4000), chunk: 4000)
        try files.restart(firstSeqno: 20)
        #expect(files.nextSeqno == 20)
        try files.append(Array(network.entries[19...]))
        try files.sync()
        let again = try LedgerFiles(opening: files.storage, firstSeqno: 20, chunkByteCount: 4000)
        #expect(throws: LedgerError.corrupt("")) { try LedgerFiles(opening: files.storage, durable: 25) }
        #expect(again.firstSeqno == 20)
        #expect(try again.read(25) == network.entries[24].bytes)
        #expect(throws: LedgerError.outOfRange("")) { try again.read(19) }
    }
}
