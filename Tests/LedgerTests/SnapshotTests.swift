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
            let merged = try Self.merge([frames, [changes]], frameByteCount: 100)
            var state = WriteSet()
            for frame in merged { state.merge(frame) }
            #expect(state == store.latest.contents)
            #expect(merged.dropLast().allSatisfy { $0.encodedCount >= 100 })
            #expect(!(merged.last?.isEmpty ?? true) || merged.count == 1)
            frames = merged
        }
    }

    /// Many runs at once, cut differently, against one merge after the other.
    @Test(arguments: 0..<12) func mergesManyRuns(seed: UInt64) throws {
        var random = SplitMix(state: seed + 100)
        var sources: [[WriteSet]] = [[]]
        var store = Store()
        for round in 1...9 {
            let writes = WriteSet(
                ["a", "b", "c", "d"].map { name in
                    MapWrites(
                        name: name,
                        changes: (0..<Int.random(in: 0...30, using: &random)).map { _ in
                            let key = [UInt8.random(in: 0...80, using: &random)]
                            return (key, Bool.random(using: &random) ? random.bytes(3) : nil)
                        })
                })
            try store.apply(writes, at: UInt64(round))
            sources.append(SnapshotChanges.frames(writes, byteCount: Int.random(in: 1...200, using: &random)))
        }
        var state = WriteSet()
        for frame in try Self.merge(sources, frameByteCount: 64) { state.merge(frame) }
        #expect(state == store.latest.contents)
        let all = SnapshotChanges.merged(sources.flatMap { $0 })
        for map in all.maps { #expect(map.writes.allSatisfy { state[map.name]?[$0.key] == $0.value }) }
    }

    @Test func refusesFramesOutOfOrder() throws {
        let (low, high) = (
            MapWrites(name: "a", writes: [.init(key: [1], value: [])]), MapWrites(name: "a", removes: [[0]])
        )
        var merge = SnapshotMerge(sourceCount: 1)
        #expect(merge.next() == .needs(source: 0))
        #expect(throws: LedgerError.malformed("")) { try merge.supply(WriteSet([high]), from: 0) }
        try merge.supply(WriteSet([low]), from: 0)
        #expect(merge.next() == .needs(source: 0))
        #expect(throws: LedgerError.malformed("")) { try merge.supply(WriteSet([low]), from: 0) }
        #expect(throws: LedgerError.malformed("")) { try merge.supply(WriteSet([low]), from: 1) }
        try merge.supply(nil, from: 0)
        #expect(merge.next() == .frame(WriteSet([low]), isLast: true))
        #expect(merge.next() == .done)
    }

    private static func merge(_ sources: [[WriteSet]], frameByteCount: Int) throws -> [WriteSet] {
        var merge = SnapshotMerge(sourceCount: sources.count, frameByteCount: frameByteCount)
        var next = sources.map { $0[...] }
        var frames: [WriteSet] = []
        while true {
            switch merge.next() {
            case .needs(let source): try merge.supply(next[source].popFirst(), from: source)
            case .frame(let frame, let isLast):
                frames.append(frame)
                if isLast { #expect(merge.next() == .done) }
            case .done: return frames
            }
        }
    }

    /// A whole snapshot in memory.
    static func build(
        id: TransactionID, leaf: Bytes32, viewHistory: [UInt64], publicState: WriteSet, state: WriteSet,
        key: SnapshotKey, frameByteCount: Int = 1 << 20
    ) throws -> [UInt8] {
        var writer = try SnapshotWriter(
            id: id, leaf: leaf, viewHistory: viewHistory, publicState: publicState, key: key)
        let frames = try merge([[], [state]], frameByteCount: frameByteCount)
        var bytes = writer.head
        for (index, frame) in frames.enumerated() {
            bytes += try writer.frame(frame, isLast: index == frames.count - 1)
        }
        bytes.replaceSubrange(0..<8, with: writer.framing())
        return bytes
    }

    /// A network whose last two data entries are a snapshot's evidence and its commit, with the snapshot.
    private func make() throws -> (network: TestNetwork, file: [UInt8], evidence: LedgerEntry, state: WriteSet) {
        var random = SplitMix(state: 5)
        var network = try mixedLedger(entryCount: 6)
        let at = try #require(network.entries.last)
        var publicStore = Store()
        for entry in network.entries { try publicStore.apply(entry.tables, at: entry.id.seqno) }
        let state = try TestNetwork.compartment(&random).writes()
        let bytes = try Self.build(
            id: at.id, leaf: at.leaf, viewHistory: [1, 1], publicState: publicStore.latest.contents, state: state,
            key: key(at.id.seqno), frameByteCount: 64)
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
            for index in 0..<file.frameCount { opened.merge(try file.frame(index, of: bytes, key: key)) }
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

    @Test func verifierBeginsAfterASnapshot() throws {
        var network = try mixedLedger(entryCount: 12)
        let point = try network.sign(flags: .chunkAfter)
        var state = Store()
        for entry in network.entries { try state.apply(entry.tables, at: entry.id.seqno) }
        let bytes = try Self.build(
            id: point.id, leaf: point.leaf, viewHistory: [1, 1], publicState: state.latest.contents, state: WriteSet(),
            key: key(point.id.seqno))
        let evidence = try network.append(claims: try SnapshotFile(bytes).digest)
        try network.sign()
        let file = bytes + (try receipts(network, evidence)).cose
        network.changeLeader(to: 1)
        for _ in 0..<4 { try network.append() }
        try network.sign()
        let name = SnapshotName(seqno: point.id.seqno, evidence: evidence.id.seqno)
        let files = try network.files(chunkByteCount: 1 << 20).files
        let whole = files.keys.compactMap { ChunkName($0) }.sorted { $0.start < $1.start }
        let kept = whole.filter { $0.start > point.id.seqno }
        #expect(whole.count > kept.count && !kept.isEmpty)
        func verify(_ snapshot: [UInt8]?, trusted: X509Certificate? = nil) -> LedgerReport {
            LedgerVerifier.verify(
                files: kept.map(\.fileName), trusted: trusted, snapshots: snapshot == nil ? [] : [name],
                openSnapshot: { _ in try SnapshotFile(snapshot ?? []) }, read: { files[$0] ?? [] })
        }
        let report = verify(file, trusted: network.service)
        #expect(report.isGood && report.startsAfter == point.id, "\(String(describing: report.fault))")
        #expect(report.lastVerified == network.entries.last?.id)
        #expect(verify(file).isGood)
        #expect(!verify(nil).isGood)
        #expect(!verify(bytes).isGood)
        var damaged = file
        damaged[200] ^= 1
        #expect(!verify(damaged).isGood)
        let stranger = try X509Certificate.selfSigned(
            CertificateRequest(
                commonName: "Stranger", purpose: .authority(pathLength: 0), serial: [1], notBefore: TestNetwork.now,
                notAfter: TestNetwork.now + TestNetwork.year),
            key: SigningKey(rawRepresentation: [UInt8](repeating: 3, count: 32)))
        #expect(!verify(file, trusted: stranger).isGood)
    }

    @Test func namesAreRead() {
        let name = SnapshotName(seqno: 12, evidence: 15)
        #expect(name.fileName == "snapshot_12_15.committed")
        #expect(SnapshotName(name.fileName) == name)
        for text in [
            "snapshot_12_15", "snapshot_12_12.committed", "snapshot_0_1.committed", "snapshot_+1_2.committed",
            "snapshot_1_2.committed.ignored", "snapshot_1_2_3.committed", "ledger_1_2.committed",
            "snapshot__2.committed",
        ] { #expect(SnapshotName(text) == nil, "\(text)") }
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
                for index in 0..<altered.frameCount { _ = try altered.frame(index, of: damaged, key: key) }
                _ = try altered.key(session: #require(Self.session), networkID: TestNetwork.networkID)
            }
        }
    }
}
