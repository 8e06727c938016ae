import Ledger
import Primitives
import Store
import Testing

@Suite struct EntryTests {
    @Test func namesPrintAndParse() {
        let id = TransactionID(view: 2, seqno: 17)
        #expect("\(id)" == "2.17")
        #expect(TransactionID("2.17") == id)
        #expect(BatchTransactionID("2.17.3") == BatchTransactionID(entry: id, index: 3))
        #expect("\(BatchTransactionID(entry: id, index: 3))" == "2.17.3")
        for text in ["", "2", "2.", ".17", "02.17", "2.+17", "-2.17", "2.17.3", "2.17 ", "99999999999999999999.1"] {
            #expect(TransactionID(text) == nil, "\(text)")
        }
        for text in ["2.17", "2.17.", "2.17.4294967296", "2.17.-1", "2.17.3.4"] {
            #expect(BatchTransactionID(text) == nil, "\(text)")
        }
    }

    @Test func sealsAndOpens() throws {
        var random = SplitMix(state: 3)
        var network = try TestNetwork()
        let compartments =
            (0..<3).map { _ in TestNetwork.compartment(&random) } + [Compartment(readers: [], contents: [])]
        var tables = WriteSet()
        tables.put([1, 2], at: [3], in: "public:x")
        let entry = try network.append(tables, compartments: compartments, flags: .chunkAfter)
        let read = try LedgerEntry(entry.bytes)
        #expect(read == entry)
        #expect(read.id == TransactionID(view: 2, seqno: 1))
        #expect(read.flags == .chunkAfter)
        #expect(read.kind == .data)
        #expect(read.tables == tables)
        #expect(try network.cipher().open(read) == compartments)
        #expect(try compartments[0].writes()["accounts"]?.writes.count == 4)
        let components = LeafComponents(
            writeSetDigest: entry.writeSetDigest, commitEvidence: try network.cipher().commitEvidence(entry.id),
            claimsDigest: .zero)
        #expect(components.leaf == entry.leaf)
        #expect(components.commitEvidence.hasPrefix("ce:2.1:"))
    }

    @Test func listsWhatIsPublic() throws {
        var network = try TestNetwork()
        var tables = WriteSet()
        tables.put(Array("{\"a\":1}\n".utf8), at: Tables.singleton, in: "public:x")
        tables.put([0x1B, 0x5B], at: Array("key".utf8), in: "public:y")
        tables.remove([0xFF], in: "public:y")
        let entry = try network.append(tables)
        let expected = """
            2.1 data \(entry.bytes.count) bytes, 93 private
              public:x
                -: {"a":1}\\n
              public:y
                key: 0x1b5b
                0xff: removed
            """
        #expect(EntryListing(entry).description == expected)
        #expect(EntryListing(try network.sign()).kind == .signature)
    }

    @Test func plaintextAndReadersAreNotInTheBytes() throws {
        var network = try TestNetwork()
        let secret = Array("a secret that must not be seen".utf8)
        let readers = Array("readers that nobody may know".utf8)
        let entry = try network.append(compartments: [Compartment(readers: readers, contents: secret)])
        for needle in [secret, readers] {
            #expect(!entry.bytes.indices.contains { entry.bytes[$0...].starts(with: needle) })
        }
    }

    @Test func everyFlippedBitIsFound() throws {
        var random = SplitMix(state: 4)
        var network = try TestNetwork()
        var tables = WriteSet()
        tables.put([1], at: [2], in: "public:y")
        let entry = try network.append(tables, compartments: [TestNetwork.compartment(&random)])
        let cipher = try network.cipher()
        for bit in 0..<entry.bytes.count * 8 {
            var damaged = entry.bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: LedgerError.self) { try LedgerEntry(damaged) }
        }
        // With the tag mended, as who alters on purpose would, the AEAD and the commitments still bind every bit but
        // those of the tag field, which carry nothing.
        for bit in 0..<entry.bytes.count * 8 where !(64..<192).contains(bit) {
            var damaged = entry.bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let altered = try? LedgerEntry(retagging: damaged) else { continue }
            #expect(throws: LedgerError.self, "bit \(bit)") { try cipher.open(altered) }
        }
    }

    @Test func opensOnlyWithTheKeysOfItsLeadership() throws {
        var random = SplitMix(state: 5)
        var network = try TestNetwork()
        let first = try network.append(compartments: [TestNetwork.compartment(&random)])
        let old = try network.cipher()
        // The same node leads the same view again after a rollback: only the boot nonce differs.
        network.bootNonce += 1
        let again = try network.cipher()
        #expect(throws: LedgerError.decryption("")) { try again.open(first) }
        let secondEntry = try again.seal(
            EntryContents(id: first.id), compartments: old.open(first))
        #expect(secondEntry.privateDomain.suffix(40) != first.privateDomain.suffix(40))
        let otherEpoch = try SessionKey(epoch: 2, bytes: [UInt8](repeating: 0x77, count: 32))
        #expect(throws: LedgerError.decryption("")) {
            try EntryCipher(session: otherEpoch, networkID: TestNetwork.networkID, leadership: old.leadership)
        }
        let otherKey = try EntryCipher(
            session: SessionKey(epoch: 1, bytes: [UInt8](repeating: 0x78, count: 32)),
            networkID: TestNetwork.networkID, leadership: old.leadership)
        #expect(throws: LedgerError.decryption("")) { try otherKey.open(first) }
        #expect(throws: LedgerError.outOfRange("")) {
            try old.seal(EntryContents(id: TransactionID(view: 3, seqno: 2)), compartments: [])
        }
    }

    @Test func aDisclosedKeyOpensItsCompartmentAlone() throws {
        var random = SplitMix(state: 6)
        var network = try TestNetwork()
        let compartments = (0..<2).map { _ in TestNetwork.compartment(&random) }
        let entry = try network.append(compartments: compartments)
        let key = try network.cipher().disclosureKey(entry.id, compartment: 1)
        #expect(try EntryCipher.open(entry, compartment: 1, disclosedKey: key) == compartments[1])
        #expect(throws: LedgerError.decryption("")) { try EntryCipher.open(entry, compartment: 0, disclosedKey: key) }
        #expect(throws: LedgerError.outOfRange("")) { try EntryCipher.open(entry, compartment: 2, disclosedKey: key) }
        var wrong = key
        wrong[0] ^= 1
        #expect(throws: LedgerError.decryption("")) { try EntryCipher.open(entry, compartment: 1, disclosedKey: wrong) }
    }

    @Test(arguments: 0..<6) func survivesAnyBytes(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var network = try TestNetwork()
        let good = try network.append(compartments: [TestNetwork.compartment(&random)]).bytes
        let cipher = try network.cipher()
        for _ in 0..<400 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            _ = try? LedgerEntry(bytes, form: .ccf)
            if let entry = try? LedgerEntry(retagging: bytes) { _ = try? cipher.open(entry) }
        }
    }
}
