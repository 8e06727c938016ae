import Identity
import Ledger
import Primitives
import Store

extension FuzzTarget {
    static let ledger: [FuzzTarget] = [
        writeSet, entry, chunk, ledgerFiles, snapshot, receiptJSON, receiptCOSE, merkleTree, ledgerNames,
    ]

    static let writeSet = FuzzTarget("write-set") {
        [("two-maps", FuzzLedger.publicWrites.encoded()), ("empty", [])]
    } check: { bytes in
        let writes = try? WriteSet.decode(bytes, form: .ccf)
        let strict = try WriteSet.decode(bytes)
        try FuzzFinding.unless(strict.encoded(), is: bytes, "write set")
        guard strict.encodedCount == bytes.count else { throw FuzzFinding("write set: encodedCount is wrong") }
        guard writes == strict else { throw FuzzFinding("write set: CCF's form reads another value") }
    }

    static let entry = FuzzTarget("entry", byteCountMax: 8192) {
        try FuzzLedger().entries.enumerated().map { ("entry-\($0)", $1.bytes) }
    } check: { bytes in
        // The tag is a checksum: without a right one an input would go no further.
        let own = (try? LedgerEntry(retagging: bytes)) ?? (try? LedgerEntry(bytes))
        let entry = try own ?? LedgerEntry(bytes, form: .ccf)
        _ = (entry.leaf, entry.kind, entry.privateDomain.count)
        _ = try? RootSignature(tables: entry.tables)
        _ = ServiceTables.snapshotEvidence(entry.tables)
        guard own != nil, !entry.header.privateRange.isEmpty else { return }
        _ = try? EntryCipher.open(entry, compartment: 0, disclosedKey: [UInt8](repeating: 1, count: 32))
    }

    static let chunk = FuzzTarget("chunk", byteCountMax: 16_384) {
        let ledger = try FuzzLedger()
        return [("closed", ledger.chunk()), ("open", ledger.chunk(isOpen: true))]
    } check: { bytes in
        for name in [ChunkName(start: 1), ChunkName(start: 1, committedEnd: 4)] {
            var verifier = LedgerVerifier()
            try? verifier.add(name, bytes)
            _ = verifier.finish()
        }
        guard let offset = ChunkLayout.tableOffset(bytes), offset >= 8, offset < UInt64(bytes.count) else { return }
        let table = Array(bytes[Int(offset)...])
        let positions = try ChunkLayout.positions(table: table, offset: Int(offset))
        try FuzzFinding.unless(ChunkLayout.table(positions), is: table, "position table")
    }

    static let ledgerFiles = FuzzTarget("ledger-files", byteCountMax: 16_384) {
        let ledger = try FuzzLedger()
        return [
            ("two", FuzzParts.join([ledger.chunk(), ledger.chunk(isOpen: true)])),
            ("open", FuzzParts.join([ledger.chunk(isOpen: true)])),
        ]
    } check: { bytes in
        let parts = FuzzParts.split(bytes)
        var files: [String: [UInt8]] = [:]
        if let first = parts.first { files[ChunkName(start: 1, committedEnd: 4).fileName] = first }
        if parts.count > 1 { files[ChunkName(start: 5).fileName] = parts[1] }
        for committed in [true, false] {
            var storage = files
            if !committed, let open = storage.removeValue(forKey: ChunkName(start: 1, committedEnd: 4).fileName) {
                storage[ChunkName(start: 1).fileName] = open
            }
            guard let ledger = try? LedgerFiles(opening: MemoryLedgerStorage(files: storage)) else { continue }
            if ledger.nextSeqno > 1 { _ = try? ledger.read(1) }
            _ = try? ledger.read(1..<min(ledger.nextSeqno, 8), byteCountMax: 1 << 16)
        }
    }

    static let snapshot = FuzzTarget("snapshot", byteCountMax: 8192) {
        let ledger = try FuzzLedger()
        let receipts = try ledger.receipts()
        return [
            ("plain", try ledger.snapshot()), ("json", try ledger.snapshot(receipt: receipts.json)),
            ("cose", try ledger.snapshot(receipt: receipts.cose)),
        ]
    } check: { bytes in
        let file = try SnapshotFile(bytes)
        let ledger = try FuzzLedger.shared.get()
        try? file.verify(service: ledger.service, evidence: 5)
        let key = try file.key(session: ledger.session, networkID: FuzzLedger.networkID)
        for index in 0..<min(file.frameCount, 4) { _ = try? file.frame(index, of: bytes, key: key) }
    }

    static let receiptJSON = FuzzTarget("receipt-json", byteCountMax: 8192) {
        [("transaction", try FuzzLedger().receipts().json)]
    } check: { bytes in
        let receipt = try Receipt(json: bytes)
        let service = try FuzzLedger.shared.get().service
        try? receipt.verify(service: service)
        _ = try? ReceiptVerifier.verify(bytes, service: service)
        try FuzzFinding.unlessStable(receipt.json.serialized(), "receipt") { try Receipt(json: $0).json.serialized() }
    }

    static let receiptCOSE = FuzzTarget("receipt-cose", byteCountMax: 8192) {
        [("transaction", try FuzzLedger().receipts().cose)]
    } check: { bytes in
        let receipt = try CoseReceipt(bytes)
        let service = try FuzzLedger.shared.get().service
        _ = (receipt.root, receipt.id)
        try? receipt.verify(service: service.publicKey)
        try FuzzFinding.unlessStable(receipt.encoded(), "COSE receipt") { try CoseReceipt($0).encoded() }
    }

    static let merkleTree = FuzzTarget("merkle-tree") {
        let tree = try FuzzLedger().tree
        return [("whole", tree.serialized(from: 0) ?? []), ("edge", tree.serialized(from: tree.count - 1) ?? [])]
    } check: { bytes in
        var tree = try MerkleTree(serialized: bytes)
        _ = tree.root
        if tree.count < 1 << 20 {
            tree.append(.zero)
            _ = (tree.root, tree.path(index: tree.count - 1, count: tree.count))
        }
    }

    static let ledgerNames = FuzzTarget("ledger-names", byteCountMax: 128) {
        ["ledger_1-4.committed", "ledger_5", "snapshot_4_6.committed", "2.17", "2.17.3"].map { ($0, Array($0.utf8)) }
    } check: { bytes in
        let text = try fuzzText(bytes)
        if let name = ChunkName(text), name.fileName != text { throw FuzzFinding("\(text): a chunk of another name") }
        if let name = SnapshotName(text), name.fileName != text { throw FuzzFinding("\(text): another snapshot") }
        if let id = TransactionID(text), "\(id)" != text { throw FuzzFinding("\(text): another transaction") }
        _ = BatchTransactionID(text)
    }
}

extension FuzzLedger {
    /// Made once: its keys are what the targets verify with.
    static let shared = Result { try FuzzLedger() }
}
