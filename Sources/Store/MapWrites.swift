/// What one transaction set changes in one map: writes and removals, each sorted by key, no key twice and none in both.
public struct MapWrites: Sendable, Hashable {
    /// One key and the value that it gets.
    public struct Write: Sendable, Hashable {
        /// The key.
        public let key: [UInt8]
        /// Its new value; may be empty.
        public let value: [UInt8]

        /// A write of `value` at `key`.
        public init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    /// Prefix of the names of maps that stand in clear in the ledger; every other map is private.
    public static let publicPrefix = "public:"

    /// Name of the map.
    public let name: String
    /// Writes, strictly ascending by key.
    public let writes: [Write]
    /// Removed keys, strictly ascending.
    public let removes: [[UInt8]]

    /// Sorts what it gets. Of two writes of one key the later in `writes` counts; a key in both lists counts as written.
    public init(name: String, writes: [Write] = [], removes: [[UInt8]] = []) {
        self.name = name
        self.writes = Self.sorted(writes)
        self.removes = Self.sorted(removes, without: self.writes)
    }

    /// Builds from changes in the order in which they happened: nil removes, the last change of a key counts.
    public init(name: String, changes: some Sequence<(key: [UInt8], value: [UInt8]?)>) {
        var last: [[UInt8]: [UInt8]?] = [:]
        for change in changes { last.updateValue(change.value, forKey: change.key) }
        var writes: [Write] = []
        var removes: [[UInt8]] = []
        for (key, value) in last {
            if let value {
                writes.append(Write(key: key, value: value))
            } else {
                removes.append(key)
            }
        }
        writes.sort { ByteOrder.precedes($0.key, $1.key) }
        removes.sort(by: ByteOrder.precedes)
        self.init(name: name, sortedWrites: writes, sortedRemoves: removes)
    }

    /// Takes lists that are known to be strictly sorted and disjoint: for decoders, which have checked.
    package init(name: String, sortedWrites: [Write], sortedRemoves: [[UInt8]]) {
        self.name = name
        writes = sortedWrites
        removes = sortedRemoves
    }

    /// Whether the map stands in clear in the ledger.
    public var isPublic: Bool { name.utf8.starts(with: Self.publicPrefix.utf8) }

    /// Whether nothing changes.
    public var isEmpty: Bool { writes.isEmpty && removes.isEmpty }

    /// What this set says about `key`: `.some(value)` written, `.some(nil)` removed, nil untouched.
    public func change(of key: [UInt8]) -> [UInt8]?? {
        if let index = Self.index(of: key, count: writes.count, at: { writes[$0].key }) {
            return .some(writes[index].value)
        }
        return Self.index(of: key, count: removes.count, at: { removes[$0] }) == nil ? nil : .some(nil)
    }

    /// The value that this set writes at `key`, if it writes one.
    public subscript(key: [UInt8]) -> [UInt8]? {
        change(of: key) ?? nil
    }

    /// This set followed by `later`, which wins where both touch a key.
    public func merging(_ later: MapWrites) -> MapWrites {
        var merged: [Write] = []
        merged.reserveCapacity(writes.count + later.writes.count)
        for write in writes where later.change(of: write.key) == nil { merged.append(write) }
        merged.append(contentsOf: later.writes)
        var gone: [[UInt8]] = []
        for key in removes where later.change(of: key) == nil { gone.append(key) }
        gone.append(contentsOf: later.removes)
        return MapWrites(name: name, writes: merged, removes: gone)
    }

    private static func index(of key: [UInt8], count: Int, at: (Int) -> [UInt8]) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let order = ByteOrder.compare(at(middle), key)
            if order == 0 { return middle }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private static func sorted(_ writes: [Write]) -> [Write] {
        if isStrictlyAscending(writes.count, { ByteOrder.precedes(writes[$0].key, writes[$1].key) }) { return writes }
        // Swift's sort is stable, so that of equal keys the later one stays behind the earlier.
        let sorted = writes.sorted { ByteOrder.precedes($0.key, $1.key) }
        var unique: [Write] = []
        unique.reserveCapacity(sorted.count)
        for write in sorted {
            if unique.last?.key == write.key { unique.removeLast() }
            unique.append(write)
        }
        return unique
    }

    private static func sorted(_ removes: [[UInt8]], without writes: [Write]) -> [[UInt8]] {
        guard !removes.isEmpty else { return [] }
        var unique: [[UInt8]] = []
        unique.reserveCapacity(removes.count)
        for key in removes.sorted(by: ByteOrder.precedes) where unique.last != key {
            if index(of: key, count: writes.count, at: { writes[$0].key }) == nil { unique.append(key) }
        }
        return unique
    }

    private static func isStrictlyAscending(_ count: Int, _ precedes: (Int, Int) -> Bool) -> Bool {
        var index = 1
        while index < count {
            if !precedes(index - 1, index) { return false }
            index += 1
        }
        return true
    }
}
