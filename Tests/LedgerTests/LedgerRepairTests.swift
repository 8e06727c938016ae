import Identity
import Ledger
import Testing

/// Chunks that are damaged or missing, what takes their place, and what writes that fail leave behind.
@Suite struct LedgerRepairTests {
    private typealias Files = LedgerFiles<MemoryLedgerStorage>

    private func opened(_ files: [String: [UInt8]], chunk: Int = 4_000) throws -> Files {
        try Files(opening: MemoryLedgerStorage(files: files), chunkByteCount: chunk)
    }

    private func entries(_ network: TestNetwork, _ range: Range<UInt64>) -> [[UInt8]] {
        range.map { network.entries[Int($0) - 1].bytes }
    }

    @Test func damagedAndMissingChunksAreReplacedByTheSameBytes() throws {
        let network = try mixedLedger()
        let whole = try network.files(chunkByteCount: 4_000).files
        let names = whole.keys.compactMap(ChunkName.init).filter(\.isCommitted).sorted { $0.start < $1.start }
        try #require(names.count > 3)
        for name in names.dropLast() {
            let range = name.start..<(name.end ?? 0) + 1
            let changes: [(String, [UInt8]?)] = [
                ("cut", whole[name.fileName]?.dropLast()), ("empty", []),
                ("no table", [UInt8](repeating: 0, count: 90)),
                ("gone", name.start == 1 ? [] : nil),
            ]
            for (what, bytes) in changes {
                var damaged = whole
                damaged[name.fileName] = bytes
                var files = try opened(damaged)
                #expect(files.missing == [range], "\(name), \(what)")
                #expect(!files.healing.isEmpty)
                #expect(files.nextSeqno == UInt64(network.entries.count) + 1)
                #expect(throws: LedgerError.corrupt("")) { try files.read(range.lowerBound) }
                #expect(try files.read(range.upperBound) == network.entries[Int(range.upperBound) - 1].bytes)
                #expect(files.storage.files[name.fileName + ".damaged"] == bytes)
                // Others, or fewer, are refused.
                #expect(throws: LedgerError.outOfRange("")) {
                    try files.restore(range, entries: entries(network, range).dropLast())
                }
                var wrong = entries(network, range)
                wrong[0][wrong[0].count - 1] ^= 1
                #expect(throws: LedgerError.outOfRange("")) { try files.restore(range, entries: wrong) }
                #expect(throws: LedgerError.outOfRange("")) {
                    try files.restore(range.lowerBound..<range.upperBound + 1, entries: [])
                }
                try files.restore(range, entries: entries(network, range))
                #expect(files.missing.isEmpty)
                for seqno in range { #expect(try files.read(seqno) == network.entries[Int(seqno) - 1].bytes) }
                #expect(files.storage.files[name.fileName] == whole[name.fileName])
                #expect(try opened(files.storage.files).healing.isEmpty)
            }
        }
    }

    @Test func aChunkThatIsFoundDamagedLaterIsSetAside() throws {
        let network = try mixedLedger()
        var files = try opened(try network.files(chunkByteCount: 4_000, commit: 20).files)
        let range = try #require(files.chunkRange(of: 9))
        #expect(try files.setAside(chunkOf: 9) == range)
        #expect(try files.setAside(chunkOf: 9) == range)
        #expect(files.missing == [range])
        #expect(try files.read(1..<40, byteCountMax: .max).count == Int(range.lowerBound) - 1)
        // The open chunk holds what this node alone may have acknowledged.
        #expect(try files.setAside(chunkOf: UInt64(network.entries.count)) == nil)
        #expect(try files.setAside(chunkOf: 10_000) == nil)
        try files.restore(range, entries: entries(network, range))
        #expect(try files.read(1..<1_000, byteCountMax: .max) == network.entries.map(\.bytes))
    }

    @Test func filesThatDoNotFollowAreRefusedWithAWordOnWhatToDo() throws {
        let network = try mixedLedger()
        var files = try network.files(chunkByteCount: 4_000).files
        let name = try #require(files.keys.compactMap(ChunkName.init).first { $0.isCommitted && $0.start == 1 })
        files["ledger_2-\(name.end ?? 0).committed"] = files[name.fileName]
        let error = try #require(throws: LedgerError.self) { try opened(files) }
        #expect(error == .corrupt("") && error.reason.contains("of another network; move it out of the folder"))
    }

    @Test func runsAreVerifiedByThemselves() throws {
        let network = try mixedLedger()
        let files = try opened(try network.files(chunkByteCount: 4_000).files)
        var seqno: UInt64 = 1
        while let range = files.chunkRange(of: seqno), range.upperBound <= network.lastSignature + 1 {
            try ChunkVerifier.verify(entries(network, range), range: range, service: network.service)
            seqno = range.upperBound
        }
        #expect(seqno > 20)
        let range = try #require(files.chunkRange(of: 9))
        let good = entries(network, range)
        // Every entry counts, also with its checksum mended, and none may be missing.
        for index in good.indices {
            var bad = good
            bad[index][bad[index].count - 1] ^= 1
            #expect(throws: LedgerError.self) {
                try ChunkVerifier.verify(bad, range: range, service: network.service)
            }
            guard let mended = try? LedgerEntry(retagging: bad[index]).bytes else { continue }
            bad[index] = mended
            #expect(throws: LedgerError.self) {
                try ChunkVerifier.verify(bad, range: range, service: network.service)
            }
        }
        #expect(throws: LedgerError.self) {
            try ChunkVerifier.verify(good.dropLast(), range: range, service: network.service)
        }
        var swapped = good
        swapped.swapAt(0, 1)
        #expect(throws: LedgerError.self) {
            try ChunkVerifier.verify(swapped, range: range, service: network.service)
        }
        // Another network's are told apart.
        let key = try SigningKey(rawRepresentation: [UInt8](repeating: 0x52, count: 32))
        let other = try X509Certificate.selfSigned(
            CertificateRequest(
                commonName: "Other", purpose: .authority(pathLength: 0), serial: [1], notBefore: TestNetwork.now,
                notAfter: TestNetwork.now + TestNetwork.year), key: key)
        let error = try #require(throws: LedgerError.self) {
            try ChunkVerifier.verify(good, range: range, service: other)
        }
        #expect(error == .untrusted("") && error.reason.contains("another network"))
    }

    @Test func anEmptyLastChunkIsNoFault() throws {
        let network = try mixedLedger()
        let whole = try network.files(chunkByteCount: 4_000).files
        let last = UInt64(network.entries.count)
        let good = TestNetwork.verify(MemoryLedgerStorage(files: whole))
        #expect(good.isGood && good.emptyChunks.isEmpty)
        for count in [0, 5, 8, 100_000] {
            var files = whole
            files["ledger_\(last + 1)"] = [UInt8](repeating: 0, count: count)
            let report = TestNetwork.verify(MemoryLedgerStorage(files: files))
            #expect(report.isGood && report.emptyChunks == ["ledger_\(last + 1)"])
            #expect(report.lastVerified == good.lastVerified && report.chunkCount == good.chunkCount)
        }
        // One with other bytes is, and so is an empty one in the middle or under a name that says it is committed.
        var files = whole
        files["ledger_\(last + 1)"] = [0, 0, 0, 0, 0, 0, 0, 0, 1]
        #expect(!TestNetwork.verify(MemoryLedgerStorage(files: files)).isGood)
        files["ledger_\(last + 1)"] = nil
        files["ledger_\(last + 1)-\(last + 2).committed"] = []
        #expect(!TestNetwork.verify(MemoryLedgerStorage(files: files)).isGood)
        files = whole
        files["ledger_2"] = []
        #expect(!TestNetwork.verify(MemoryLedgerStorage(files: files)).isGood)
    }

    /// What a crash of the process, but not of the machine, leaves in the kernel's memory alone is synced before it counts.
    @Test func whatWasOnlyWrittenIsSyncedAtTheNextStart() throws {
        let network = try mixedLedger()
        var files = try Files(opening: MemoryLedgerStorage(), chunkByteCount: 4_000)
        try files.append(Array(network.entries[..<20]))
        let restarted = try Files(opening: files.storage, chunkByteCount: 4_000)
        #expect(restarted.nextSeqno == 21)
        let afterPowerLoss = try Files(opening: restarted.storage.crashed(), chunkByteCount: 4_000)
        #expect(afterPowerLoss.nextSeqno == 21)
        for entry in network.entries[..<20] { #expect(try afterPowerLoss.read(entry.id.seqno) == entry.bytes) }
    }

    /// A disk that runs full somewhere within a write, then has room again; or the write is given up for another.
    @Test(arguments: 0..<60) func writesThatFailLeaveNothingBehind(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let network = try mixedLedger(entryCount: 24, seed: 2)
        let room = Room()
        var files = try LedgerFiles(opening: FullStorage(room: room), chunkByteCount: 2_500)
        var held: [LedgerEntry] = []
        while held.count < network.entries.count {
            let end = min(held.count + Int.random(in: 1...9, using: &random), network.entries.count)
            let next = Array(network.entries[held.count..<end])
            room.count = Int.random(in: 0...4_000, using: &random)
            var isDone = false
            do {
                try files.append(next)
                isDone = true
            } catch {}
            room.count = .max
            if !isDone, Bool.random(using: &random) {
                // Given up: what was of it in the files goes.
                try files.rollback(to: UInt64(held.count))
            } else {
                try files.append(next.filter { $0.id.seqno >= files.nextSeqno })
                held += next
            }
            try files.sync()
            let again = try LedgerFiles(opening: files.storage, chunkByteCount: 2_500)
            #expect(again.nextSeqno == UInt64(held.count) + 1)
            for entry in held { #expect(try again.read(entry.id.seqno) == entry.bytes) }
        }
    }
}

/// Bytes that are left on a disk.
private final class Room {
    var count = Int.max
}

/// Storage with so much room.
private struct FullStorage: LedgerStorage {
    var inner = MemoryLedgerStorage()
    let room: Room

    func list() throws -> [String] { try inner.list() }
    func size(of name: String) throws -> Int { try inner.size(of: name) }
    func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
        try inner.read(name, at: offset, count: count)
    }
    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        let end = offset + bytes.count
        let growth = max(0, end - ((try? inner.size(of: name)) ?? 0))
        guard growth > room.count else {
            if room.count < .max { room.count -= growth }
            return try inner.write(bytes, to: name, at: offset)
        }
        // A part of it reaches the file.
        try inner.write(Array(bytes.prefix(bytes.count - (growth - room.count))), to: name, at: offset)
        room.count = 0
        throw LedgerError.storage("no room")
    }
    mutating func truncate(_ name: String, to count: Int) throws { try inner.truncate(name, to: count) }
    mutating func rename(_ name: String, to newName: String) throws { try inner.rename(name, to: newName) }
    mutating func remove(_ name: String) throws { try inner.remove(name) }
    mutating func sync(_ name: String) throws { try inner.sync(name) }
}
