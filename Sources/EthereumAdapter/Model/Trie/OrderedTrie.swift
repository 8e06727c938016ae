public import Primitives

/// A Merkle Patricia trie (yellow paper, appendix D) built at one go from all its pairs, keys of any length: what the
/// transactions, receipts and withdrawals roots of a block need. Plain recursion, so that it also serves as the oracle
/// for the incremental ``TrieArena``.
public enum OrderedTrie {
    /// The root of the empty trie: Keccak-256 of the RLP of the empty string.
    public static let emptyRoot = Keccak256.hash([0x80])

    /// The root over pairs of key and value. Keys must differ and values must not be empty, since the empty value
    /// means absence.
    public static func root(_ pairs: [(key: [UInt8], value: [UInt8])]) -> Bytes32 {
        guard !pairs.isEmpty else { return emptyRoot }
        let leaves = pairs.map { pair in
            precondition(!pair.value.isEmpty, "a trie holds no empty value")
            return Leaf(nibbles: pair.key.flatMap { [$0 >> 4, $0 & 15] }, value: pair.value)
        }.sorted { $0.nibbles.lexicographicallyPrecedes($1.nibbles) }
        return Keccak256.hash(encode(leaves[...], from: 0))
    }

    /// The root over values keyed by the RLP of their index, as a block's transactions and receipts are.
    public static func root(indexed values: [[UInt8]]) -> Bytes32 {
        root(
            values.enumerated().map { index, value in
                var key = RLPWriter()
                key.integer(UInt64(index))
                return (key: key.bytes, value: value)
            })
    }

    private struct Leaf {
        var nibbles: [UInt8]
        var value: [UInt8]
    }

    /// The encoding of the node above sorted leaves that agree in their first `depth` nibbles.
    private static func encode(_ leaves: ArraySlice<Leaf>, from depth: Int) -> [UInt8] {
        guard let first = leaves.first, let last = leaves.last else { return [0x80] }
        if leaves.count == 1 {
            return RLPWriter.list {
                $0.bytes(path(first.nibbles[depth...], isLeaf: true))
                $0.bytes(first.value)
            }
        }
        // Sorted: what first and last share, all share.
        var fork = depth
        while fork < first.nibbles.count, fork < last.nibbles.count, first.nibbles[fork] == last.nibbles[fork] {
            fork += 1
        }
        precondition(fork < last.nibbles.count, "two values have the same key")
        if fork > depth {
            return RLPWriter.list {
                $0.bytes(path(first.nibbles[depth..<fork], isLeaf: false))
                append(encode(leaves, from: fork), to: &$0)
            }
        }
        var start = leaves.startIndex
        var value: [UInt8] = []
        if first.nibbles.count == depth {
            value = first.value
            start += 1
        }
        return RLPWriter.list { branch in
            for nibble in UInt8(0)..<16 {
                let from = start
                while start < leaves.endIndex, leaves[start].nibbles[depth] == nibble { start += 1 }
                if from == start {
                    branch.raw([0x80])
                } else {
                    append(encode(leaves[from..<start], from: depth + 1), to: &branch)
                }
            }
            branch.bytes(value)
        }
    }

    /// How a parent holds a node: as it is, or by hash if it takes 32 bytes or more.
    private static func append(_ encoding: [UInt8], to parent: inout RLPWriter) {
        if encoding.count < 32 { parent.raw(encoding) } else { parent.bytes(Keccak256.hash(encoding)) }
    }

    /// The hex-prefix form of a path.
    private static func path(_ nibbles: ArraySlice<UInt8>, isLeaf: Bool) -> [UInt8] {
        let flag: UInt8 = isLeaf ? 2 : 0
        var padded = nibbles.count & 1 == 1 ? [flag | 1] : [flag, 0]
        padded += nibbles
        return stride(from: 0, to: padded.count, by: 2).map { padded[$0] << 4 | padded[$0 + 1] }
    }
}
