import Identity
import Ledger
import Primitives
import Store
import Testing

@Suite struct SnapshotTests {
    private static let session = try? SessionKey(epoch: 1, bytes: [UInt8](repeating: 9, count: 32))

    private func key(_ seqno: UInt64) throws -> SnapshotKey {
        try SnapshotKey(
            session: #require(Self.session), networkID: TestNetwork.networkID, seqno: seqno,
            nonce: [UInt8](repeating: 4, count: 16))
    }

    /// Several rounds of changes, merged with small frames, against a store that saw them all.
    @Test(arguments: 0..<12) func mergesLikeAStore(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var store = Store()
        var frames: [WriteSet] = []
        var seqno: UInt64 = 0
        for _ in 0..<6 {
            var changes = WriteSet()
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                seqno += 1
                let writes = WriteSet(
                    ["a", "b", "c"].map { name in
                        MapWrites(
                            name: name,
                            changes: (0..<Int.random(in: 0...20, using: &random)).map { _ in
                                let key = [UInt8.random(in: 0...60, using: &random)]
                                return (key, Bool.random(using: &random) ? random.bytes(3) : nil)
                            })
                    })
                try store.apply(writes, at: seqno)
                changes.merge(writes)
            }
            var merge = SnapshotMerge(changes: changes, frameByteCount: 100)
            var merged: [WriteSet] = []
            for frame in frames { merged += try merge.add(frame) }
            merged += merge.finish()
            var state = WriteSet()
            for frame in merged { state.merge(frame) }
            #expect(state == store.latest.contents)
            #expect(merged.dropLast().allSatisfy { $0.encodedCount >= 100 })
            frames = merged
        }
        var merge = SnapshotMerge(changes: WriteSet())
        let first = try #require(frames.first { !$0.isEmpty })
        _ = try merge.add(first)
        #expect(throws: LedgerError.malformed("")) { try merge.add(first) }
    }

    /// A network whose last two data entries are a snapshot's evidence and its commit, with the snapshot.
    private func make() throws -> (network: TestNetwork, file: [UInt8], evidence: LedgerEntry, state: WriteSet) {
        var random = SplitMix(state: 5)
        var network = try mixedLedger(entryCount: 6)
        let at = try #require(network.entries.last)
        var publicStore = Store()
        for entry in network.entries { try publicStore.apply(entry.tables, at: entry.id.seqno) }
        let state = try TestNetwork.compartment(&random).writes()
        let bytes = try SnapshotWriter.build(
            id: at.id, leaf: at.leaf, viewHistory: [1, 1], publicState: publicStore.latest.contents, lastFrames: [],
            changes: state, key: key(at.id.seqno), frameByteCount: 64)
        let digest = try SnapshotFile(bytes).digest
        var tables = WriteSet()
        ServiceTables.setSnapshotEvidence(seqno: at.id.seqno, digest: digest, in: &tables)
        let evidence = try network.append(tables, claims: digest)
        try network.sign()
        return (network, bytes, evidence, state)
    }

    private func receipts(_ network: TestNetwork, _ evidence: LedgerEntry) throws -> (json: [UInt8], cose: [UInt8]) {
        let components = LeafComponents(
            writeSetDigest: evidence.writeSetDigest, commitEvidence: try network.cipher().commitEvidence(evidence.id),
            claimsDigest: evidence.claimsDigest ?? .zero)
        let signature = try #require(network.signatures.last)
        let json = try #require(
            Receipt(tree: network.tree, seqno: evidence.id.seqno, components: components, signature: signature))
        let cose = try #require(
            CoseReceipt(tree: network.tree, seqno: evidence.id.seqno, components: components, signature: signature))
        return (json.json.serialized(), cose.encoded())
    }

    @Test func opensVerifiesAndGoesOn() throws {
        let (network, bytes, evidence, state) = try make()
        let (json, cose) = try receipts(network, evidence)
        for receipt in [json, cose] {
            let file = try SnapshotFile(bytes + receipt)
            try file.verify(service: network.service)
            let key = try file.key(session: #require(Self.session), networkID: TestNetwork.networkID)
            #expect(file.frameCount > 1)
            var opened = WriteSet()
            for index in 0..<file.frameCount { opened.merge(try file.frame(index, key: key)) }
            #expect(opened == state)
            // The Merkle tree goes on from the tree in the public state and the leaf.
            var tree = try MerkleTree(
                serialized: #require(file.publicState[Tables.tree]?[Tables.singleton]))
            tree.append(file.leaf)
            #expect(tree.count == file.id.seqno + 1)
            #expect(tree.root == network.tree.root(count: tree.count))
        }
        #expect(throws: LedgerError.self) { try SnapshotFile(bytes).verify(service: network.service) }
    }

    @Test func everyFlippedBitIsFound() throws {
        let (network, bytes, evidence, _) = try make()
        let whole = bytes + (try receipts(network, evidence)).cose
        for bit in stride(from: 0, to: bytes.count * 8, by: 5) {
            var damaged = whole
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: LedgerError.self) { try SnapshotFile(damaged).verify(service: network.service) }
        }
        // Frames bind their order and their end without the receipt, too.
        let file = try SnapshotFile(bytes)
        let key = try file.key(session: #require(Self.session), networkID: TestNetwork.networkID)
        for bit in stride(from: 24 * 8, to: bytes.count * 8, by: 13) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let altered = try? SnapshotFile(damaged), altered.id == file.id else { continue }
            #expect(throws: LedgerError.self) {
                for index in 0..<altered.frameCount { _ = try altered.frame(index, key: key) }
                _ = try altered.key(session: #require(Self.session), networkID: TestNetwork.networkID)
            }
        }
    }
}
