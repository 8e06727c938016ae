import Identity
import Ledger
import Primitives
import Store
import Testing

@Suite struct LedgerVerifierTests {
    @Test func acceptsOurLedgers() throws {
        let network = try mixedLedger()
        for chunk in [1, 3000, 1 << 20] {
            let report = TestNetwork.verify(try network.files(chunkByteCount: chunk), trusted: network.service)
            #expect(report.fault == nil, "\(report.fault?.description ?? "")")
            #expect(report.isEntente)
            #expect(report.lastVerified == network.signatures.last?.id)
            #expect(report.entryCount == network.entries.count)
            #expect(report.signatureCount == network.signatures.count)
            #expect(report.serviceStatus == .open)
            #expect(report.isGood)
        }
    }

    @Test func reportsAnUnsignedTailAsSuch() throws {
        var network = try mixedLedger(entryCount: 4)
        let last = try #require(network.signatures.last?.id)
        try network.append()
        try network.append()
        let report = TestNetwork.verify(try network.files(chunkByteCount: 1 << 20))
        #expect(report.isGood)
        #expect(report.lastVerified == last)
        #expect(report.unsignedTailCount == 2)
        #expect(report.lastCommitted == nil)
    }

    /// Exhaustively: each bit of a committed chunk, its table and header included, with the last signature.
    @Test func everyFlippedBitIsFound() throws {
        var random = SplitMix(state: 11)
        var network = try TestNetwork(nodeCount: 1)
        try network.append(
            ServiceTables.genesis(service: network.service, nodeID: network.nodeID(0), node: network.nodes[0]))
        try network.append(compartments: [TestNetwork.compartment(&random)])
        try network.sign(flags: .chunkAfter)
        let storage = try network.files(chunkByteCount: 1 << 20)
        let bytes = try #require(storage.files["ledger_1-3.committed"])
        #expect(TestNetwork.verify(storage).isGood)
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let report = TestNetwork.verify(MemoryLedgerStorage(files: ["ledger_1-3.committed": damaged]))
            if report.isGood { Issue.record("bit \(bit) can be flipped") }
        }
    }

    /// Bits flipped by someone who then mends the entry's tag: the roots and signatures find them.
    @Test func flippedBitsUnderAMendedTagAreFound() throws {
        let network = try mixedLedger(entryCount: 4)
        for (index, entry) in network.entries.enumerated() {
            for bit in stride(from: index % 7, to: entry.bytes.count * 8, by: 331) where !(64..<192).contains(bit) {
                var damaged = entry.bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                guard let altered = try? LedgerEntry(retagging: damaged) else { continue }
                // In the last entry the root does not cover the tree's copy of itself, nor digests that nobody signed.
                if index == network.entries.count - 1, altered.tables == entry.tables { continue }
                var changed = network
                changed.entries[index] = altered
                #expect(try fault(changed) != nil, "bit \(bit) of entry \(index + 1)")
            }
        }
    }

    @Test func namesFileOffsetAndEntry() throws {
        let network = try mixedLedger(entryCount: 8)
        var files = try network.files(chunkByteCount: 1 << 20).files
        let offset = 8 + network.entries[..<5].reduce(0) { $0 + $1.bytes.count }
        files["ledger_1"]?[offset + 60] ^= 1
        let fault = try #require(TestNetwork.verify(MemoryLedgerStorage(files: files)).fault)
        #expect(fault.file == "ledger_1")
        #expect(fault.offset == offset)
        #expect(fault.seqno == 6)
    }

    @Test func findsCutAndMissingAndSwappedFiles() throws {
        let network = try mixedLedger()
        let storage = try network.files(chunkByteCount: 3000)
        let committed = storage.files.keys.filter { $0.hasSuffix(".committed") }.sorted()
        #expect(committed.count > 3)
        // Without the last chunks a ledger is a shorter one: only the others are missed.
        for name in committed where (ChunkName(name)?.start ?? 0) < 30 {
            var files = storage.files
            files[name] = nil
            #expect(!TestNetwork.verify(MemoryLedgerStorage(files: files)).isGood, "without \(name)")
        }
        let bytes = try #require(storage.files[committed[1]])
        for length in stride(from: 0, to: bytes.count, by: 97) {
            var files = storage.files
            files[committed[1]] = Array(bytes[..<length])
            #expect(!TestNetwork.verify(MemoryLedgerStorage(files: files)).isGood, "cut to \(length)")
        }
        var files = storage.files
        files[committed[1]] = storage.files[committed[2]]
        #expect(!TestNetwork.verify(MemoryLedgerStorage(files: files)).isGood)
    }

    /// Ledgers that are whole and signed, but by rules that were broken.
    @Test func refusesSignersThatWereNotEntitled() throws {
        // A node that is only pending.
        var pending = try TestNetwork()
        var writes = ServiceTables.genesis(service: pending.service, nodeID: pending.nodeID(0), node: pending.nodes[0])
        ServiceTables.setNode(pending.nodeID(0), .pending, in: &writes)
        try pending.append(writes)
        try pending.sign()
        #expect(try fault(pending) == .untrusted(""))

        // A node that nobody has admitted.
        var stranger = try TestNetwork()
        try stranger.append(
            ServiceTables.genesis(service: stranger.service, nodeID: stranger.nodeID(0), node: stranger.nodes[0]))
        stranger.changeLeader(to: 1)
        try stranger.sign()
        #expect(try fault(stranger) == .untrusted(""))

        // A node whose row was removed.
        var removed = try mixedLedger(entryCount: 3)
        var removal = WriteSet()
        ServiceTables.removeNode(removed.nodeID(removed.leader), in: &removal)
        try removed.append(removal)
        try removed.sign()
        #expect(try fault(removed) == .untrusted(""))

        // A certificate by another authority with the same name.
        let other = try X509Certificate.selfSigned(
            CertificateRequest(
                commonName: "Test Service", purpose: .authority(pathLength: 0), serial: [1],
                notBefore: TestNetwork.now, notAfter: TestNetwork.now + 1000),
            key: try SigningKey(rawRepresentation: [UInt8](repeating: 0x52, count: 32)))
        var forged = try TestNetwork()
        try forged.append(
            ServiceTables.genesis(service: other, nodeID: forged.nodeID(0), node: forged.nodes[0]))
        try forged.sign()
        #expect(try fault(forged) == .untrusted(""))

        // The trusted service is another.
        let network = try mixedLedger(entryCount: 3)
        let report = TestNetwork.verify(try network.files(chunkByteCount: 1 << 20), trusted: other)
        #expect(report.fault?.error == .untrusted(""))
    }

    @Test func refusesStatusTransitionsThatAreNotAllowed() throws {
        for (from, to, isAllowed) in [
            (ServiceStatus.opening, ServiceStatus.open, true), (.opening, .recovering, false), (.open, .open, true),
            (.open, .recovering, true), (.open, .waitingForRecoveryShares, false), (.open, .opening, true),
            (.recovering, .waitingForRecoveryShares, true), (.recovering, .open, false),
            (.waitingForRecoveryShares, .open, true), (.waitingForRecoveryShares, .recovering, false),
        ] {
            var network = try TestNetwork()
            var first = ServiceTables.genesis(
                service: network.service, nodeID: network.nodeID(0), node: network.nodes[0])
            ServiceTables.setService(from, certificate: network.service, in: &first)
            try network.append(first)
            var second = WriteSet()
            ServiceTables.setService(to, certificate: network.service, in: &second)
            try network.append(second)
            try network.sign()
            #expect(try fault(network) == (isAllowed ? nil : .untrusted("")), "\(from) to \(to)")
        }
    }

    @Test func refusesWrongRootsAndRepeatedSignatures() throws {
        // The signature of an earlier entry again.
        var network = try mixedLedger(entryCount: 3)
        let old = try #require(network.signatures.first)
        let entry = try network.cipher().publicEntry(
            EntryContents(id: network.nextID, tables: old.tables(tree: nil)))
        network.entries.append(entry)
        #expect(try fault(network) == .badSignature(""))

        // A signature over a tree that lacks the last entry, put where it would be right by number.
        var shorter = try mixedLedger(entryCount: 3)
        var behind = shorter
        let hidden = try behind.append()
        var writes = WriteSet()
        writes.put([1], at: [1], in: "public:other")
        try shorter.append(writes)
        try shorter.sign()
        shorter.entries[shorter.entries.count - 2] = hidden
        #expect(try fault(shorter) == .badSignature(""))

        // A view that falls.
        var falling = try mixedLedger(entryCount: 12)
        falling.view = 2
        try falling.append()
        #expect(try fault(falling) == .malformed(""))
    }

    @Test func survivesAnyBytes() throws {
        let storage = try mixedLedger(entryCount: 5).files(chunkByteCount: 2000)
        var random = SplitMix(state: 21)
        for _ in 0..<40 {
            var files = storage.files
            for (name, bytes) in files {
                var damaged = bytes
                for _ in 0..<Int.random(in: 0...3, using: &random) where !damaged.isEmpty {
                    let place = Int.random(in: 0..<damaged.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: damaged[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: damaged.removeLast(damaged.count - place)
                    default: damaged.insert(contentsOf: random.bytes(5), at: place)
                    }
                }
                files[name] = damaged
            }
            let report = TestNetwork.verify(MemoryLedgerStorage(files: files))
            #expect(report.isGood == (files == storage.files))
            _ = try? LedgerFiles(opening: MemoryLedgerStorage(files: files))
        }
    }

    private func fault(_ network: TestNetwork) throws -> LedgerError? {
        var files = try LedgerFiles(opening: MemoryLedgerStorage(), chunkByteCount: 1 << 20)
        try files.append(network.entries)
        return TestNetwork.verify(files.storage).fault?.error
    }
}
