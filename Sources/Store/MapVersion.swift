internal import HashTreeCollections

/// How a map keeps its keys.
public enum MapKind: Sendable, Hashable {
    /// By key: ranges can be read in order. O(log n) an access.
    case ordered
    /// By hash: faster access to single keys; ranges cost a sort of the whole map.
    case hashed
}

/// One version of one map.
enum MapVersion: Sendable {
    case ordered(OrderedTree)
    case hashed(TreeDictionary<[UInt8], [UInt8]>)

    init(_ kind: MapKind) {
        self = kind == .ordered ? .ordered(OrderedTree()) : .hashed([:])
    }

    var count: Int {
        switch self {
        case .ordered(let tree): tree.count
        case .hashed(let table): table.count
        }
    }

    func value(of key: [UInt8]) -> [UInt8]? {
        switch self {
        case .ordered(let tree): tree.value(of: key)
        case .hashed(let table): table[key]
        }
    }

    mutating func apply(_ changes: MapWrites) {
        switch self {
        case .ordered(var tree):
            for write in changes.writes { tree.set(write.key, write.value) }
            for key in changes.removes { tree.remove(key) }
            self = .ordered(tree)
        case .hashed(var table):
            // Only one reference may be left, else each change copies the path to it again.
            self = .hashed([:])
            for write in changes.writes { table[write.key] = write.value }
            for key in changes.removes { table[key] = nil }
            self = .hashed(table)
        }
    }

    func scan(from lower: [UInt8], to upper: [UInt8]?, isReversed: Bool, _ visit: ([UInt8], [UInt8]) -> Bool) {
        switch self {
        case .ordered(let tree): tree.scan(from: lower, to: upper, isReversed: isReversed, visit)
        case .hashed(let table):
            // The table's own order is random per process and must not get out.
            let keys = table.keys.filter { key in
                ByteOrder.compare(key, lower) >= 0 && upper.map { ByteOrder.compare(key, $0) < 0 } ?? true
            }
            for key in keys.sorted(by: { ByteOrder.precedes($0, $1) != isReversed }) {
                guard let value = table[key], visit(key, value) else { return }
            }
        }
    }
}
