/// A persistent map ordered by key: a weight-balanced tree (Adams 1993; parameters of Hirai and Yamamoto 2011) whose nodes
/// never change, so that a version is a reference and costs nothing to keep.
struct OrderedTree: Sendable {
    final class Node: Sendable {
        let key: [UInt8]
        let value: [UInt8]
        let left: Node?
        let right: Node?
        let count: Int

        init(_ key: [UInt8], _ value: [UInt8], _ left: Node?, _ right: Node?) {
            self.key = key
            self.value = value
            self.left = left
            self.right = right
            count = 1 + OrderedTree.count(left) + OrderedTree.count(right)
        }
    }

    private(set) var root: Node?

    var count: Int { Self.count(root) }

    func value(of key: [UInt8]) -> [UInt8]? {
        var node = root
        while let current = node {
            let order = ByteOrder.compare(key, current.key)
            if order == 0 { return current.value }
            node = order < 0 ? current.left : current.right
        }
        return nil
    }

    mutating func set(_ key: [UInt8], _ value: [UInt8]) {
        root = Self.inserted(root, key, value)
    }

    mutating func remove(_ key: [UInt8]) {
        // A walk that finds nothing copies nothing.
        guard value(of: key) != nil else { return }
        root = Self.removed(root, key)
    }

    /// Visits pairs with `lower <= key`, and `key < upper` if there is one, in order, or from the last to the first, until
    /// `visit` returns false.
    func scan(from lower: [UInt8], to upper: [UInt8]?, isReversed: Bool, _ visit: ([UInt8], [UInt8]) -> Bool) {
        _ = Self.scan(root, lower, upper, isReversed, visit)
    }

    private static func count(_ node: Node?) -> Int { node?.count ?? 0 }

    private static func inserted(_ node: Node?, _ key: [UInt8], _ value: [UInt8]) -> Node {
        guard let node else { return Node(key, value, nil, nil) }
        let order = ByteOrder.compare(key, node.key)
        if order == 0 { return Node(key, value, node.left, node.right) }
        return order < 0
            ? balanced(node, inserted(node.left, key, value), node.right)
            : balanced(node, node.left, inserted(node.right, key, value))
    }

    private static func removed(_ node: Node?, _ key: [UInt8]) -> Node? {
        guard let node else { return nil }
        let order = ByteOrder.compare(key, node.key)
        if order < 0 { return balanced(node, removed(node.left, key), node.right) }
        if order > 0 { return balanced(node, node.left, removed(node.right, key)) }
        guard let left = node.left else { return node.right }
        guard let right = node.right else { return left }
        // The neighbour on the heavier side takes the place.
        if left.count > right.count {
            let last = last(left)
            return balanced(last, removed(left, last.key), right)
        }
        let first = first(right)
        return balanced(first, left, removed(right, first.key))
    }

    private static func first(_ node: Node) -> Node {
        var node = node
        while let left = node.left { node = left }
        return node
    }

    private static func last(_ node: Node) -> Node {
        var node = node
        while let right = node.right { node = right }
        return node
    }

    /// A node with the pair of `node` over two subtrees, of which one may be one step too heavy.
    private static func balanced(_ node: Node, _ left: Node?, _ right: Node?) -> Node {
        if isTooHeavy(count(right), count(left)), let right { return rotatedLeft(node, left, right) }
        if isTooHeavy(count(left), count(right)), let left { return rotatedRight(node, left, right) }
        return Node(node.key, node.value, left, right)
    }

    private static func isTooHeavy(_ heavy: Int, _ light: Int) -> Bool {
        heavy + 1 > 3 * (light + 1)
    }

    private static func rotatedLeft(_ node: Node, _ left: Node?, _ right: Node) -> Node {
        if let middle = right.left, count(middle) + 1 >= 2 * (count(right.right) + 1) {
            return Node(
                middle.key, middle.value, Node(node.key, node.value, left, middle.left),
                Node(right.key, right.value, middle.right, right.right))
        }
        return Node(right.key, right.value, Node(node.key, node.value, left, right.left), right.right)
    }

    private static func rotatedRight(_ node: Node, _ left: Node, _ right: Node?) -> Node {
        if let middle = left.right, count(middle) + 1 >= 2 * (count(left.left) + 1) {
            return Node(
                middle.key, middle.value, Node(left.key, left.value, left.left, middle.left),
                Node(node.key, node.value, middle.right, right))
        }
        return Node(left.key, left.value, left.left, Node(node.key, node.value, left.right, right))
    }

    private static func scan(
        _ node: Node?, _ lower: [UInt8], _ upper: [UInt8]?, _ isReversed: Bool, _ visit: ([UInt8], [UInt8]) -> Bool
    ) -> Bool {
        guard let node else { return true }
        let reachesLower = ByteOrder.compare(node.key, lower) >= 0
        let reachesUpper = upper.map { ByteOrder.compare(node.key, $0) < 0 } ?? true
        let (first, second) = isReversed ? (node.right, node.left) : (node.left, node.right)
        let (entersFirst, entersSecond) = isReversed ? (reachesUpper, reachesLower) : (reachesLower, reachesUpper)
        if entersFirst, !scan(first, lower, upper, isReversed, visit) { return false }
        if reachesLower, reachesUpper, !visit(node.key, node.value) { return false }
        return entersSecond ? scan(second, lower, upper, isReversed, visit) : true
    }

    /// Checks order, counts and balance of the whole tree; linear, for tests.
    func invariantsHold() -> Bool {
        func check(_ node: Node?, _ lower: [UInt8]?, _ upper: [UInt8]?) -> Bool {
            guard let node else { return true }
            if let lower, ByteOrder.compare(node.key, lower) <= 0 { return false }
            if let upper, ByteOrder.compare(node.key, upper) >= 0 { return false }
            let (left, right) = (Self.count(node.left), Self.count(node.right))
            return node.count == 1 + left + right && !Self.isTooHeavy(left, right) && !Self.isTooHeavy(right, left)
                && check(node.left, lower, node.key) && check(node.right, node.key, upper)
        }
        return check(root, nil, nil)
    }
}
