package import Primitives

/// Where a trie's branch leads: nowhere, to another branch, or to a leaf, which is a record of the table that owns the
/// trie's values. Four bytes, since sixteen of them make up a branch.
package struct TrieLink: Hashable, Sendable {
    private let raw: UInt32
    private static let leafBit: UInt32 = 1 << 31

    /// Leads nowhere; as a root, the empty trie.
    package static let empty = TrieLink(raw: 0)

    private init(raw: UInt32) { self.raw = raw }

    /// The leaf in record `index`.
    package init(leaf index: Int) {
        precondition(index < Int(TrieLink.leafBit), "a trie holds at most 2^31 leaves")
        raw = UInt32(truncatingIfNeeded: index) | TrieLink.leafBit
    }

    /// The branch in place `index` of the arena.
    init(branch index: Int) {
        precondition(index < Int(TrieLink.leafBit) - 1, "an arena holds less than 2^31 branches")
        raw = UInt32(truncatingIfNeeded: index) + 1
    }

    var isEmpty: Bool { raw == 0 }
    var isLeaf: Bool { raw & TrieLink.leafBit != 0 }
    var leaf: Int { Int(raw & ~TrieLink.leafBit) }
    var branch: Int { Int(raw) - 1 }
}

/// How a node's parent refers to it: by the Keccak-256 of its encoding or, if that is shorter than 32 bytes, by the
/// encoding itself (yellow paper, appendix D). Length 0 means that it must be computed anew.
package struct TrieReference: Hashable, Sendable {
    package var bytes: Bytes32
    package var length: UInt8

    package static let stale = TrieReference(bytes: .zero, length: 0)

    var isStale: Bool { length == 0 }

    /// The encoding of a node of less than 32 bytes.
    var embedded: [UInt8] { Array(bytes.bytes.prefix(Int(length))) }
}

/// A branch and the extension in front of it, if any. The nibbles of the extension are not kept: every leaf below
/// shares them, so they can be read off any leaf's key. A branch thus takes 104 bytes.
struct TrieBranch: Sendable {
    var children: InlineArray<16, TrieLink> = .init(repeating: .empty)
    /// The reference to the extension, or to the branch itself if there is none.
    var reference: Bytes32 = .zero
    var referenceLength: UInt8 = 0
    /// Nibbles of the extension.
    var prefixLength: UInt8
    /// Place of the nibble that chooses the child.
    var depth: UInt8

    init(depth: Int, prefixLength: Int) {
        precondition(depth < 64 && prefixLength <= depth, "a key has 64 nibbles")
        self.depth = UInt8(depth)
        self.prefixLength = UInt8(prefixLength)
    }

    /// The one child left, if there is just one.
    var onlyChild: TrieLink? {
        var found = TrieLink.empty
        for nibble in 0..<16 where !children[nibble].isEmpty {
            if !found.isEmpty { return nil }
            found = children[nibble]
        }
        return found.isEmpty ? nil : found
    }
}

/// The table that owns the leaves of a trie.
///
/// Keys are not kept with the leaves, since a Keccak costs less than 32 bytes a leaf: 64 bytes a token holder.
package protocol TrieLeaves {
    /// The trie's key of a leaf: the Keccak-256 of the account's address or of the slot.
    func trieKey(_ leaf: Int) -> Bytes32
    /// The RLP that the trie holds for a leaf.
    func appendTrieValue(_ leaf: Int, to output: inout [UInt8])
    /// The cached reference to the leaf.
    subscript(reference leaf: Int) -> TrieReference { get set }
}

/// Nibbles of a 32-byte key.
extension Bytes32 {
    /// Nibble `index` (0..<64), the high half of a byte first.
    func nibble(_ index: Int) -> Int {
        let byte = withUnsafeBytes { $0[index >> 1] }
        return Int(index & 1 == 0 ? byte >> 4 : byte & 15)
    }

    /// The first place from `start` at which two keys differ; 64 if there is none.
    func firstDifference(from start: Int, _ other: Bytes32) -> Int {
        var index = start
        while index < 64, nibble(index) == other.nibble(index) { index += 1 }
        return index
    }
}
