import FoundationEssentials
import Glibc
import Identity
import Ledger
import Primitives
import Store
import Testing

/// Our ledgers and receipts before the PyPI package ccf, which nobody here can tune. The script makes its environment the
/// first time, for which it needs a Python and a package index.
@Suite(.serialized) struct IndependentCheckTests {
    /// A folder that is gone when the test is over.
    private final class Folder {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.path + "/entente-ccf-\(UInt64.random(in: 0 ... .max))"
            try FileManager.default.createDirectory(atPath: path + "/ledger", withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ bytes: [UInt8], _ name: String) throws -> String {
            try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
            return "\(path)/\(name)"
        }
    }

    /// Runs the script.
    /// - Returns: its exit code and what it said.
    private func check(_ folder: Folder, _ arguments: [String]) throws -> (code: Int32, said: String) {
        let script = String(#filePath).replacing("LedgerTests/IndependentCheckTests.swift", with: "python/ccf_check.py")
        let output = folder.path + "/said"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var argv = (["python3", script] + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var pid = pid_t()
        try #require(posix_spawnp(&pid, "python3", &actions, nil, &argv, environ) == 0)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        let said = FileManager.default.contents(atPath: output) ?? Data()
        return (status >> 8, String(decoding: said, as: UTF8.self))
    }

    private func write(_ network: TestNetwork, to folder: Folder, chunkByteCount: Int) throws {
        for (name, bytes) in try network.files(chunkByteCount: chunkByteCount).files {
            _ = try folder.write(bytes, "ledger/\(name)")
        }
    }

    @Test func acceptsALedgerOfManyChunksAndViews() throws {
        let network = try mixedLedger(entryCount: 60)
        let folder = try Folder()
        try write(network, to: folder, chunkByteCount: 8000)
        let last = try #require(network.signatures.last?.id)
        let result = try check(
            folder,
            [
                "--ledger", folder.path + "/ledger", "--expect-last", "\(last)", "--expect-entries",
                "\(network.entries.count)",
            ])
        #expect(result.code == 0, "\(result.said)")
        // And both readers refuse the same damage.
        let files = try network.files(chunkByteCount: 8000).files
        let name = try #require(files.keys.filter { $0.hasSuffix(".committed") }.sorted().first)
        var bytes = try #require(files[name])
        bytes[300] ^= 1
        _ = try folder.write(bytes, "ledger/\(name)")
        #expect(try check(folder, ["--ledger", folder.path + "/ledger"]).code == 1)
    }

    @Test func acceptsReceiptsOfBothForms() throws {
        let network = try mixedLedger(entryCount: 12)
        let folder = try Folder()
        let service = try folder.write(Array(network.service.pem.utf8), "service.pem")
        let signature = try #require(network.signatures.last)
        var arguments = ["--service", service]
        for entry in network.entries where entry.kind == .data && entry.id.view == network.view {
            let digests = [Bytes32]((0..<3).map { Digests.sha256("\(entry.id) \($0)") })
            let batch = BatchTree(seed: try network.cipher().batchSeed(entry.id), digests: digests)
            let components = LeafComponents(
                writeSetDigest: entry.writeSetDigest, commitEvidence: try network.cipher().commitEvidence(entry.id),
                claimsDigest: entry.claimsDigest ?? .zero)
            // These entries claim other batches, so only receipts without a batch proof hold for them.
            #expect(batch.claimsDigest != entry.claimsDigest)
            let json = try #require(
                Receipt(
                    tree: network.tree, seqno: entry.id.seqno, components: components, signature: signature))
            let cose = try #require(
                CoseReceipt(
                    tree: network.tree, seqno: entry.id.seqno, components: components, signature: signature))
            arguments += ["--receipt", try folder.write(json.json.serialized(), "\(entry.id).json")]
            arguments += ["--receipt", try folder.write(cose.encoded(), "\(entry.id).cose")]
        }
        let own = try #require(Receipt(signature: signature))
        arguments += ["--receipt", try folder.write(own.json.serialized(), "signature.json")]
        let result = try check(folder, arguments)
        #expect(result.code == 0, "\(result.said)")
        #expect(arguments.count > 8)
    }

    @Test func acceptsReceiptsForOneTransactionOfABatch() throws {
        var network = try TestNetwork()
        try network.start()
        let cipher = try network.cipher()
        let batch = BatchTree(
            seed: cipher.batchSeed(network.nextID), digests: (0..<7).map { Digests.sha256("transaction \($0)") })
        let entry = try network.append(claims: batch.claimsDigest)
        try network.sign()
        let components = LeafComponents(
            writeSetDigest: entry.writeSetDigest, commitEvidence: cipher.commitEvidence(entry.id),
            claimsDigest: batch.claimsDigest)
        let signature = try #require(network.signatures.last)
        let folder = try Folder()
        let service = try folder.write(Array(network.service.pem.utf8), "service.pem")
        var arguments = ["--service", service]
        for index in 0..<7 as Range<UInt32> {
            let proof = batch.proof(index)
            let json = try #require(
                Receipt(
                    tree: network.tree, seqno: entry.id.seqno, components: components, signature: signature,
                    batch: proof))
            let cose = try #require(
                CoseReceipt(
                    tree: network.tree, seqno: entry.id.seqno, components: components, signature: signature,
                    batch: proof))
            arguments += ["--receipt", try folder.write(json.json.serialized(), "\(index).json")]
            arguments += ["--receipt", try folder.write(cose.encoded(), "\(index).cose")]
        }
        let result = try check(folder, arguments)
        #expect(result.code == 0, "\(result.said)")
        #expect(result.said.contains("\"batch\": true"))
        let other = try folder.write(Array(network.nodes[0].pem.utf8), "other.pem")
        #expect(try check(folder, ["--service", other] + arguments.suffix(2)).code == 1)
    }

    @Test func acceptsSnapshots() throws {
        var network = try mixedLedger(entryCount: 6)
        let at = try #require(network.entries.last)
        var store = Store()
        for entry in network.entries { try store.apply(entry.tables, at: entry.id.seqno) }
        let key = try SnapshotKey(
            session: network.session, networkID: TestNetwork.networkID, seqno: at.id.seqno,
            nonce: [UInt8](repeating: 1, count: 16))
        let bytes = try SnapshotTests.build(
            id: at.id, leaf: at.leaf, viewHistory: [1, 1, 9], publicState: store.latest.contents, state: WriteSet(),
            key: key)
        let digest = try SnapshotFile(bytes).digest
        let evidence = try network.append(claims: digest)
        try network.sign()
        let components = LeafComponents(
            writeSetDigest: evidence.writeSetDigest,
            commitEvidence: try network.cipher().commitEvidence(evidence.id), claimsDigest: digest)
        let signature = try #require(network.signatures.last)
        let json = try #require(
            Receipt(tree: network.tree, seqno: evidence.id.seqno, components: components, signature: signature))
        let cose = try #require(
            CoseReceipt(tree: network.tree, seqno: evidence.id.seqno, components: components, signature: signature))
        let folder = try Folder()
        let name = SnapshotName(seqno: at.id.seqno, evidence: evidence.id.seqno).fileName
        for receipt in [json.json.serialized(), cose.encoded()] {
            let path = try folder.write(bytes + receipt, name)
            let result = try check(folder, ["--snapshot", path])
            // The older package knows no COSE receipts in snapshots.
            let isOld = result.said.contains("\"ccf\": \"6.") && receipt.first != UInt8(ascii: "{")
            #expect(result.code == 0 || isOld, "\(result.said)")
        }
    }
}
