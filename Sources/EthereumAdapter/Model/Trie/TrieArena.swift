package import Primitives

/// The branches of any number of secure tries: the account trie and every contract's storage trie share one arena.
///
/// A trie is a root link; its leaves are records of a ``TrieLeaves`` table. Structure changes at once, with each
/// insertion and removal; references (hashes) go stale on the way and are computed by ``root(_:_:)`` for stale nodes
/// only, so that a block's changes cost one hash for each node that any of them touched.
package struct TrieArena: Sendable {
    private var branches = ChunkedArray<TrieBranch>()
    private var free: [UInt32] = []
    /// Kept between nodes, to spare an allocation for each.
    private var scratch: [UInt8] = []

    /// No trie yet.
    package init() {}

    /// Branches in use.
    package var branchCount: Int { branches.count - free.count }

    private mutating func allocate(_ branch: TrieBranch) -> TrieLink {
        if let index = free.popLast() {
            branches[Int(index)] = branch
            return TrieLink(branch: Int(index))
        }
        branches.append(branch)
        return TrieLink(branch: branches.count - 1)
    }

    // MARK: Structure

    /// Puts a leaf into the trie, or, if it is there, marks its value as changed.
    package mutating func insert<Leaves: TrieLeaves>(
        _ leaf: Int, key: Bytes32, root: inout TrieLink, _ leaves: inout Leaves
    ) {
        leaves[reference: leaf] = .stale
        root = insert(leaf, key, at: root, depth: 0, &leaves)
    }

    private mutating func insert<Leaves: TrieLeaves>(
        _ leaf: Int, _ key: Bytes32, at link: TrieLink, depth: Int, _ leaves: inout Leaves
    ) -> TrieLink {
        if link.isEmpty { return TrieLink(leaf: leaf) }
        if link.isLeaf {
            if link.leaf == leaf { return link }
            let fork = key.firstDifference(from: depth, leaves.trieKey(link.leaf))
            leaves[reference: link.leaf] = .stale
            return split(leaf, key, from: link, at: fork, depth: depth, leaves)
        }
        let index = link.branch
        let place = Int(branches[index].depth)
        if place > depth {
            let fork = key.firstDifference(from: depth, anyKey(below: link, leaves))
            if fork < place {
                let upper = split(leaf, key, from: link, at: fork, depth: depth, leaves)
                branches[index].prefixLength = UInt8(place - fork - 1)
                branches[index].referenceLength = 0
                return upper
            }
        }
        let nibble = key.nibble(place)
        let child = insert(leaf, key, at: branches[index].children[nibble], depth: place + 1, &leaves)
        branches[index].children[nibble] = child
        branches[index].referenceLength = 0
        return link
    }

    /// A new branch at nibble `fork` that leads to the new leaf and to what was there.
    private mutating func split(
        _ leaf: Int, _ key: Bytes32, from link: TrieLink, at fork: Int, depth: Int, _ leaves: some TrieLeaves
    ) -> TrieLink {
        precondition(fork < 64, "two leaves have the same key")
        var branch = TrieBranch(depth: fork, prefixLength: fork - depth)
        branch.children[anyKey(below: link, leaves).nibble(fork)] = link
        branch.children[key.nibble(fork)] = TrieLink(leaf: leaf)
        return allocate(branch)
    }

    /// Takes a leaf out of the trie; no harm if it isn't in it.
    package mutating func remove<Leaves: TrieLeaves>(
        _ leaf: Int, key: Bytes32, root: inout TrieLink, _ leaves: inout Leaves
    ) {
        root = remove(leaf, key, at: root, &leaves) ?? root
    }

    /// What takes the place of `link`; nil if the leaf isn't below it.
    private mutating func remove<Leaves: TrieLeaves>(
        _ leaf: Int, _ key: Bytes32, at link: TrieLink, _ leaves: inout Leaves
    ) -> TrieLink? {
        if link.isEmpty { return nil }
        if link.isLeaf { return link.leaf == leaf ? .empty : nil }
        let index = link.branch
        let nibble = key.nibble(Int(branches[index].depth))
        guard let after = remove(leaf, key, at: branches[index].children[nibble], &leaves) else { return nil }
        branches[index].children[nibble] = after
        branches[index].referenceLength = 0
        guard let only = branches[index].onlyChild else { return link }
        // A branch with one way on is no branch: the child takes its place and its nibbles.
        if only.isLeaf {
            leaves[reference: only.leaf] = .stale
        } else {
            branches[only.branch].prefixLength += 1 + branches[index].prefixLength
            branches[only.branch].referenceLength = 0
        }
        free.append(UInt32(index))
        return only
    }

    /// Frees all branches of a trie and calls `visit` for each leaf.
    mutating func dismantle(_ root: TrieLink, visit: (Int) -> Void) {
        var links = [root]
        while let link = links.popLast() {
            if link.isEmpty { continue }
            if link.isLeaf {
                visit(link.leaf)
                continue
            }
            for nibble in 0..<16 { links.append(branches[link.branch].children[nibble]) }
            free.append(UInt32(link.branch))
        }
    }

    /// Calls `visit` for each leaf, in the order of their keys.
    func forEachLeaf(_ root: TrieLink, visit: (Int) -> Void) {
        var links = [root]
        while let link = links.popLast() {
            if link.isEmpty { continue }
            if link.isLeaf {
                visit(link.leaf)
                continue
            }
            for nibble in (0..<16).reversed() { links.append(branches[link.branch].children[nibble]) }
        }
    }

    /// The key of some leaf below: all share the nibbles up to the branch.
    private func anyKey(below link: TrieLink, _ leaves: some TrieLeaves) -> Bytes32 {
        var link = link
        while !link.isLeaf {
            var next = TrieLink.empty
            for nibble in 0..<16 where next.isEmpty { next = branches[link.branch].children[nibble] }
            precondition(!next.isEmpty, "a branch without children")
            link = next
        }
        return leaves.trieKey(link.leaf)
    }

    // MARK: Hashes

    /// The root hash of a trie, after hashing what is stale in it.
    package mutating func root<Leaves: TrieLeaves>(_ root: TrieLink, _ leaves: inout Leaves) -> Bytes32 {
        if root.isEmpty { return OrderedTrie.emptyRoot }
        var encoder = TrieEncoder(scratch: scratch)
        scratch = []
        defer { scratch = encoder.takeScratch() }
        let reference = refresh(root, depth: 0, &leaves, &encoder)
        // The root is hashed whatever its length.
        return reference.length == 32 ? reference.bytes : Keccak256.hash(reference.embedded)
    }

    private mutating func refresh<Leaves: TrieLeaves>(
        _ link: TrieLink, depth: Int, _ leaves: inout Leaves, _ encoder: inout TrieEncoder
    ) -> TrieReference {
        if link.isLeaf {
            let cached = leaves[reference: link.leaf]
            if !cached.isStale { return cached }
            let fresh = encoder.leaf(key: leaves.trieKey(link.leaf), from: depth) {
                leaves.appendTrieValue(link.leaf, to: &$0)
            }
            leaves[reference: link.leaf] = fresh
            return fresh
        }
        let index = link.branch
        if branches[index].referenceLength != 0 {
            return TrieReference(bytes: branches[index].reference, length: branches[index].referenceLength)
        }
        let place = Int(branches[index].depth)
        var references = InlineArray<16, TrieReference>(repeating: .stale)
        for nibble in 0..<16 where !branches[index].children[nibble].isEmpty {
            references[nibble] = refresh(branches[index].children[nibble], depth: place + 1, &leaves, &encoder)
        }
        var reference = encoder.branch(references)
        if branches[index].prefixLength > 0 {
            reference = encoder.extension(
                key: anyKey(below: link, leaves), from: place - Int(branches[index].prefixLength), to: place,
                child: reference)
        }
        branches[index].reference = reference.bytes
        branches[index].referenceLength = reference.length
        return reference
    }

    // MARK: Proofs

    /// The encodings of the nodes from the root towards `key`, as `eth_getProof` gives them: the last one either holds
    /// the key's value or shows that there is none. Call ``root(_:_:)`` first.
    package mutating func proof<Leaves: TrieLeaves>(
        _ key: Bytes32, root: TrieLink, _ leaves: inout Leaves
    ) -> [[UInt8]] {
        var encoder = TrieEncoder(scratch: [])
        var nodes: [[UInt8]] = []
        var link = root
        var depth = 0
        while !link.isEmpty {
            if link.isLeaf {
                let leaf = link.leaf
                _ = encoder.leaf(key: leaves.trieKey(leaf), from: depth) { leaves.appendTrieValue(leaf, to: &$0) }
                append(encoder.encoding)
                return nodes
            }
            let branch = branches[link.branch]
            let place = Int(branch.depth)
            var references = InlineArray<16, TrieReference>(repeating: .stale)
            for nibble in 0..<16 where !branch.children[nibble].isEmpty {
                references[nibble] = refresh(branch.children[nibble], depth: place + 1, &leaves, &encoder)
            }
            let reference = encoder.branch(references)
            let encoding = encoder.encoding
            if branch.prefixLength > 0 {
                let path = anyKey(below: link, leaves)
                _ = encoder.extension(key: path, from: place - Int(branch.prefixLength), to: place, child: reference)
                append(encoder.encoding)
                if key.firstDifference(from: depth, path) < place { return nodes }
            }
            append(encoding)
            link = branch.children[key.nibble(place)]
            depth = place + 1
        }
        return nodes

        /// Nodes shorter than 32 bytes are inside their parent, and are no element of a proof, but for the root.
        func append(_ encoding: [UInt8]) {
            if encoding.count >= 32 || nodes.isEmpty { nodes.append(encoding) }
        }
    }
}
