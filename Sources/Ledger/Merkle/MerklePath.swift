public import Primitives

/// One step on the way from a leaf to the root: the sibling, and the side on which it stands.
public struct MerkleStep: Sendable, Hashable {
    /// Whether the sibling is the left of the two.
    public let isLeft: Bool
    /// The sibling's hash.
    public let hash: Bytes32

    /// A sibling on the left or right.
    public init(isLeft: Bool, hash: Bytes32) {
        self.isLeft = isLeft
        self.hash = hash
    }
}

/// The steps from a leaf to the root, lowest first.
public struct MerklePath: Sendable, Hashable {
    /// A ledger of 2^63 entries needs no more.
    public static let stepCountMax = 64

    /// The steps, lowest first.
    public let steps: [MerkleStep]

    /// A path of these steps.
    public init(_ steps: [MerkleStep]) {
        self.steps = steps
    }

    /// The root that `leaf` leads to.
    public func root(from leaf: Bytes32) -> Bytes32 {
        steps.reduce(leaf) { $1.isLeft ? Digests.pair($1.hash, $0) : Digests.pair($0, $1.hash) }
    }
}
