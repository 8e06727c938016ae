import Identity
import Ledger
import Primitives
import Testing

@Suite struct ReceiptTests {
    private struct Case {
        let network: TestNetwork
        let entry: LedgerEntry
        let components: LeafComponents
        let batch: BatchTree
        let signature: RootSignature
    }

    /// An entry with a batch of five, signed a few entries later.
    private func make() throws -> Case {
        var network = try TestNetwork()
        try network.start()
        for _ in 0..<3 { try network.append() }
        let digests = (0..<5).map { Bytes32([UInt8](repeating: UInt8($0), count: 32)) ?? .zero }
        let cipher = try network.cipher()
        let batch = BatchTree(seed: cipher.batchSeed(network.nextID), digests: digests)
        let entry = try network.append(claims: batch.claimsDigest)
        try network.append()
        try network.sign()
        try network.append()
        let components = LeafComponents(
            writeSetDigest: entry.writeSetDigest, commitEvidence: cipher.commitEvidence(entry.id),
            claimsDigest: batch.claimsDigest)
        return Case(
            network: network, entry: entry, components: components, batch: batch,
            signature: network.signatures[network.signatures.count - 1])
    }

    @Test func jsonReceiptsVerify() throws {
        let made = try make()
        let service = made.network.service
        let receipt = try #require(
            Receipt(
                tree: made.network.tree, seqno: made.entry.id.seqno, components: made.components,
                signature: made.signature, batch: made.batch.proof(3)))
        let read = try Receipt(json: receipt.json.serialized())
        #expect(read == receipt)
        #expect(read.id == made.entry.id)
        try read.verify(service: service, claimsDigest: made.batch.claimsDigest)
        #expect(throws: LedgerError.badReceipt("")) { try read.verify(service: service, claimsDigest: .zero) }
        #expect(throws: LedgerError.badReceipt("")) { try read.verify(service: made.network.nodes[0]) }
        let report = try ReceiptVerifier.verify(receipt.json.serialized(), service: service)
        #expect(report.form == .json)
        #expect(report.entry == made.entry.id)
        #expect(report.transaction == BatchTransactionID(entry: made.entry.id, index: 3))
        #expect(report.root == receipt.root)
        #expect(throws: LedgerError.malformed("")) { try ReceiptVerifier.verify([], service: service) }
        let whole = try #require(
            Receipt(
                tree: made.network.tree, seqno: made.entry.id.seqno, components: made.components,
                signature: made.signature))
        try Receipt(json: whole.json.serialized()).verify(service: service)
        let signature = try #require(Receipt(signature: made.signature))
        let readSignature = try Receipt(json: signature.json.serialized())
        #expect(readSignature == signature)
        try readSignature.verify(service: service)
        // Not under a signature that came before it.
        #expect(
            Receipt(
                tree: made.network.tree, seqno: made.entry.id.seqno, components: made.components,
                signature: made.network.signatures[0]) == nil)
    }

    @Test func flippedBitsOfAJSONReceiptAreFound() throws {
        let made = try make()
        let receipt = try #require(
            Receipt(
                tree: made.network.tree, seqno: made.entry.id.seqno, components: made.components,
                signature: made.signature, batch: made.batch.proof(4)))
        let bytes = receipt.json.serialized()
        for bit in stride(from: 0, to: bytes.count * 8, by: 3) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // Either refused, or the same receipt in other JSON, but for names of members that only CCF's form lets be
            // absent and that the rest stands for.
            guard let read = try? Receipt(json: damaged) else { continue }
            guard (try? read.verify(service: made.network.service, claimsDigest: made.batch.claimsDigest)) != nil
            else { continue }
            #expect(read == receipt || read.batch == nil && read.root == receipt.root, "bit \(bit)")
        }
    }

    @Test func coseReceiptsVerify() throws {
        let made = try make()
        let key = made.network.service.publicKey
        let receipt = try #require(
            CoseReceipt(
                tree: made.network.tree, seqno: made.entry.id.seqno, components: made.components,
                signature: made.signature, batch: made.batch.proof(0)))
        let bytes = receipt.encoded()
        let read = try CoseReceipt(bytes)
        #expect(read == receipt)
        #expect(read.id == made.entry.id)
        try read.verify(service: key, claimsDigest: made.batch.claimsDigest)
        #expect(try ReceiptVerifier.verify(bytes, service: made.network.service).form == .cose)
        #expect(throws: LedgerError.badReceipt("")) { try read.verify(service: key, claimsDigest: .zero) }
        #expect(throws: LedgerError.badReceipt("")) {
            try read.verify(service: made.network.nodes[0].publicKey)
        }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let altered = try? CoseReceipt(damaged),
                (try? altered.verify(service: key, claimsDigest: made.batch.claimsDigest)) != nil
            else { continue }
            #expect(altered == receipt || altered.batch == nil && altered.root == receipt.root, "bit \(bit)")
        }
        for length in 0..<bytes.count {
            #expect(throws: LedgerError.malformed("")) { try CoseReceipt(Array(bytes[..<length])) }
        }
    }

    @Test func aBatchProofOfAnotherEntryIsRefused() throws {
        let made = try make()
        let other = BatchTree(seed: [UInt8](repeating: 1, count: 32), digests: [.zero, .zero])
        let receipt = try #require(
            Receipt(
                tree: made.network.tree, seqno: made.entry.id.seqno, components: made.components,
                signature: made.signature, batch: other.proof(0)))
        #expect(throws: LedgerError.badReceipt("")) { try receipt.verify(service: made.network.service) }
    }
}
