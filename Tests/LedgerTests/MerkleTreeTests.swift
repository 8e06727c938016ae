import Ledger
import Primitives
import Testing

/// The tree as its definition says, over all leaves each time.
private func naiveRoot(_ leaves: [Bytes32]) -> Bytes32 {
    var level = leaves
    while level.count > 1 {
        level = stride(from: 0, to: level.count, by: 2).map {
            $0 + 1 < level.count ? Digests.pair(level[$0], level[$0 + 1]) : level[$0]
        }
    }
    return level[0]
}

private func leaf(_ index: Int) -> Bytes32 {
    index == 0 ? .zero : Digests.sha256("leaf \(index)")
}

@Suite struct MerkleTreeTests {
    @Test func rootsAndPathsAtEverySize() throws {
        let leaves = (0..<70).map(leaf)
        var tree = MerkleTree()
        for size in 1...70 {
            if size > 1 { tree.append(leaves[size - 1]) }
            #expect(tree.root == naiveRoot(Array(leaves[..<size])))
        }
        for size in 1...70 {
            let root = naiveRoot(Array(leaves[..<size]))
            #expect(tree.root(count: UInt64(size)) == root)
            for index in 0..<size {
                let path = try #require(tree.path(index: UInt64(index), count: UInt64(size)))
                #expect(path.root(from: leaves[index]) == root)
            }
        }
        #expect(tree.path(index: 70, count: 70) == nil)
        #expect(tree.path(index: 0, count: 71) == nil)
        #expect(tree.root(count: 0) == nil)
    }

    @Test(arguments: 0..<30) func flushesRetractsAndReads(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var leaves = [Bytes32.zero]
        var tree = MerkleTree()
        for step in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                let target = UInt64.random(in: 0...tree.count + 3, using: &random)
                tree.flush(to: target)
            case 1:
                let size = UInt64.random(in: tree.flushedCount + 1...tree.count, using: &random)
                tree.retract(to: size)
                leaves.removeLast(leaves.count - Int(size))
            case 2:
                let from = UInt64.random(in: tree.flushedCount..<tree.count, using: &random)
                let bytes = try #require(tree.serialized(from: from))
                let read = try MerkleTree(serialized: bytes)
                #expect(read.flushedCount == from)
                #expect(read.root == tree.root)
                #expect(read.serialized(from: from) == bytes)
                if Bool.random(using: &random) { tree = read }
            default:
                let next = leaf(step + leaves.count * 1000)
                tree.append(next)
                leaves.append(next)
            }
            #expect(tree.count == UInt64(leaves.count))
            #expect(tree.root == naiveRoot(leaves))
            let index = Int.random(in: 0..<leaves.count, using: &random)
            let size = Int.random(in: index + 1...leaves.count, using: &random)
            let path = tree.path(index: UInt64(index), count: UInt64(size))
            #expect((path != nil) == (index >= tree.flushedCount))
            if let path { #expect(path.root(from: leaves[index]) == naiveRoot(Array(leaves[..<size]))) }
        }
    }

    @Test func refusesBytesThatAreNoTree() throws {
        var tree = MerkleTree()
        for index in 1..<13 { tree.append(leaf(index)) }
        let bytes = try #require(tree.serialized(from: 7))
        for length in 0..<bytes.count {
            #expect(throws: LedgerError.self) { try MerkleTree(serialized: Array(bytes[..<length])) }
        }
        for index in 0..<16 {
            for value: UInt8 in [0, 1, 6, 7, 0x7F, 0xFF] {
                var damaged = bytes
                damaged[index] = value
                if let read = try? MerkleTree(serialized: damaged) { #expect(read.count > read.flushedCount) }
            }
        }
        #expect(tree.serialized(from: 13) == nil)
    }

    @Test func batchesProveEachTransactionAndNoOther() throws {
        let seed = [UInt8](repeating: 5, count: 32)
        for count in 1...20 {
            let digests = (0..<count).map { Digests.sha256("tx \($0)") }
            let batch = BatchTree(seed: seed, digests: digests)
            for index in 0..<count {
                let proof = try #require(batch.proof(UInt32(index)))
                #expect(proof.digest == digests[index])
                #expect(proof.claimsDigest == batch.claimsDigest)
                for other in 0..<UInt32(count + 2) where other != index {
                    let moved = BatchProof(
                        index: other, count: proof.count, salt: proof.salt, digest: proof.digest, path: proof.path)
                    #expect(moved.claimsDigest != batch.claimsDigest)
                }
                let resized = BatchProof(
                    index: proof.index, count: proof.count + 1, salt: proof.salt, digest: proof.digest,
                    path: proof.path)
                #expect(resized.claimsDigest != batch.claimsDigest)
                let swapped = BatchProof(
                    index: proof.index, count: proof.count, salt: proof.salt, digest: Digests.sha256("other"),
                    path: proof.path)
                #expect(swapped.claimsDigest != batch.claimsDigest)
            }
            #expect(batch.proof(UInt32(count)) == nil)
        }
    }
}
