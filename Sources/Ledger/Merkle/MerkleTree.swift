public import Primitives

/// The ledger's Merkle tree as CCF (merklecpp) builds it: leaf 0 is 32 zero bytes, leaf i belongs to the entry at seqno i,
/// a node is SHA-256(left ‖ right), and a node without a sibling rises unchanged.
///
/// Each level keeps the hashes of its complete nodes, so that an append costs one hash amortised, and a root, a path or
/// the tree at an earlier size O(log n). A value type: copies share storage until one changes.
public struct MerkleTree: Sendable, Hashable {
    /// `levels[k]` holds the complete nodes of height k from `firstKept(k)` on.
    private var levels: [[Bytes32]]
    /// Leaves before this one can't be proven any more.
    public private(set) var flushedCount: UInt64
    /// Number of leaves, flushed ones included.
    public private(set) var count: UInt64

    /// The tree of an empty ledger: leaf 0 alone.
    public init() {
        levels = [[]]
        flushedCount = 0
        count = 0
        append(.zero)
    }

    /// Adds the leaf of the entry at seqno ``count``.
    public mutating func append(_ leaf: Bytes32) {
        var hash = leaf
        var level = 0
        var index = count
        while true {
            if level == levels.count { levels.append([]) }
            levels[level].append(hash)
            guard index & 1 == 1 else { break }
            // The left sibling is kept even after a flush: `firstKept` is even.
            hash = Digests.pair(levels[level][levels[level].count - 2], hash)
            level += 1
            index >>= 1
        }
        count += 1
    }

    /// The root over all leaves.
    public var root: Bytes32 {
        // At least leaf 0 is there, and the right edge is never flushed.
        root(count: count) ?? .zero
    }

    /// The root over the first `count` leaves; nil unless `flushedCount < count <= self.count`.
    public func root(count: UInt64) -> Bytes32? {
        guard count > flushedCount, count <= self.count else { return nil }
        return node(level: Self.height(count), index: 0, count: count)
    }

    /// The path from leaf `index` to the root over the first `count` leaves; nil when the leaf is flushed or not there.
    public func path(index: UInt64, count: UInt64) -> MerklePath? {
        guard index >= flushedCount, index < count, count <= self.count else { return nil }
        var steps: [MerkleStep] = []
        for level in 0..<Self.height(count) {
            let place = index >> UInt64(level)
            let sibling = place ^ 1
            guard sibling << UInt64(level) < count else { continue }
            guard let hash = node(level: level, index: sibling, count: count) else { return nil }
            steps.append(MerkleStep(isLeft: sibling < place, hash: hash))
        }
        return MerklePath(steps)
    }

    /// The leaf of the entry at seqno `index`; nil when it is flushed or not there.
    public func leaf(_ index: UInt64) -> Bytes32? {
        index >= flushedCount && index < count ? kept(level: 0, index: index) : nil
    }

    /// Takes back all leaves from `count` on. Nothing before ``flushedCount`` can be taken back, nor leaf 0.
    public mutating func retract(to count: UInt64) {
        precondition(
            count > flushedCount && count <= self.count, "retract to \(count) of \(flushedCount)..\(self.count)")
        for level in levels.indices {
            let complete = count >> UInt64(level)
            let first = firstKept(level)
            let keep = complete > first ? Int(complete - first) : 0
            levels[level].removeLast(max(0, levels[level].count - keep))
        }
        self.count = count
    }

    /// Forgets what is needed only for paths of leaves before `index`; the last leaf always stays.
    public mutating func flush(to index: UInt64) {
        let target = min(index, count - 1)
        guard target > flushedCount else { return }
        for level in levels.indices {
            let first = firstKept(level)
            let next = (target >> UInt64(level)) & ~1
            levels[level].removeFirst(min(levels[level].count, Int(next - first)))
        }
        flushedCount = target
    }

    /// merklecpp's form, in which signature entries carry the part since the last signature: big-endian u64 number of
    /// leaves, u64 number of flushed leaves, the leaves from `index` on, then the roots of the complete subtrees before it
    /// from the smallest to the largest. Nil when a needed leaf is flushed.
    public func serialized(from index: UInt64) -> [UInt8]? {
        guard index >= flushedCount, index < count else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + Int(count - index) * 32)
        withUnsafeBytes(of: (count - index).bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: index.bigEndian) { bytes.append(contentsOf: $0) }
        for leaf in index..<count {
            guard let hash = kept(level: 0, index: leaf) else { return nil }
            hash.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        for level in 0..<64 where index >> UInt64(level) & 1 == 1 {
            guard let hash = kept(level: level, index: (index >> UInt64(level)) - 1) else { return nil }
            hash.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Reads what ``serialized(from:)`` wrote.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``.
    public init(serialized bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count >= 48, bytes.count % 32 == 16 else {
            throw .malformed("a serialised tree of \(bytes.count) bytes")
        }
        func integer(_ offset: Int) -> UInt64 {
            bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let leafCount = integer(0)
        let flushed = integer(8)
        let hashCount = UInt64(bytes.count - 16) / 32
        guard leafCount >= 1, leafCount <= hashCount, flushed < 1 << 62,
            hashCount - leafCount == UInt64(flushed.nonzeroBitCount)
        else { throw .malformed("a serialised tree whose counts don't fit its size") }
        let hashes = stride(from: 16, to: bytes.count, by: 32).map { Bytes32(bytes[$0..<$0 + 32]) ?? .zero }
        levels = [[]]
        flushedCount = flushed
        count = flushed
        var peak = Int(leafCount)
        for level in 0..<64 where flushed >> UInt64(level) & 1 == 1 {
            while levels.count <= level { levels.append([]) }
            levels[level].append(hashes[peak])
            peak += 1
        }
        for leaf in hashes[..<Int(leafCount)] { append(leaf) }
    }

    /// Levels above the leaves of a tree of `count` leaves.
    private static func height(_ count: UInt64) -> Int {
        count <= 1 ? 0 : 64 - (count - 1).leadingZeroBitCount
    }

    /// First node of a level that is kept: the left sibling of the one that holds the first leaf not flushed, so that
    /// both paths and appends find their siblings.
    private func firstKept(_ level: Int) -> UInt64 {
        (flushedCount >> UInt64(level)) & ~1
    }

    private func kept(level: Int, index: UInt64) -> Bytes32? {
        let first = firstKept(level)
        guard level < levels.count, index >= first, index - first < UInt64(levels[level].count) else { return nil }
        return levels[level][Int(index - first)]
    }

    /// A node of the tree over the first `count` leaves; on the right edge it may be incomplete.
    private func node(level: Int, index: UInt64, count: UInt64) -> Bytes32? {
        // Written so that it can't overflow: the node is complete if the last leaf below it is there.
        if (count >> UInt64(level)) > index, let hash = kept(level: level, index: index) { return hash }
        guard level > 0, let left = node(level: level - 1, index: index * 2, count: count) else { return nil }
        guard (index * 2 + 1) << UInt64(level - 1) < count else { return left }
        guard let right = node(level: level - 1, index: index * 2 + 1, count: count) else { return nil }
        return Digests.pair(left, right)
    }
}
