/// Everything that one transaction set changes: maps sorted by name, none twice, none without a change. This is the only
/// thing that replicas apply.
public struct WriteSet: Sendable, Hashable {
    /// The changed maps, strictly ascending by the bytes of their names.
    public private(set) var maps: [MapWrites]

    /// No change.
    public init() {
        maps = []
    }

    /// Sorts by name, merges maps that come twice (the later wins a key) and leaves out maps without a change.
    public init(_ maps: [MapWrites]) {
        self.maps = []
        for map in maps { self.merge(map) }
    }

    /// Takes maps that are known to be strictly sorted by name: for decoders, which have checked.
    package init(sorted maps: [MapWrites]) {
        self.maps = maps
    }

    /// Whether nothing changes.
    public var isEmpty: Bool { maps.isEmpty }

    /// Number of keys written or removed.
    public var changeCount: Int { maps.reduce(0) { $0 + $1.writes.count + $1.removes.count } }

    /// Changes of the map `name`, if there are any.
    public subscript(name: String) -> MapWrites? {
        let index = place(of: name)
        return index < maps.count && maps[index].name.utf8.elementsEqual(name.utf8) ? maps[index] : nil
    }

    /// Adds the changes of one map after those already here.
    public mutating func merge(_ map: MapWrites) {
        guard !map.isEmpty else { return }
        let index = place(of: map.name)
        if index < maps.count, maps[index].name.utf8.elementsEqual(map.name.utf8) {
            maps[index] = maps[index].merging(map)
        } else {
            maps.insert(map, at: index)
        }
    }

    /// Adds the changes of `later` after those already here.
    public mutating func merge(_ later: WriteSet) {
        for map in later.maps { merge(map) }
    }

    /// Writes one value. For many values of a map build a ``MapWrites`` at once: this is linear in the map's changes.
    public mutating func put(_ value: [UInt8], at key: [UInt8], in map: String) {
        merge(MapWrites(name: map, writes: [.init(key: key, value: value)]))
    }

    /// Removes one key, with the cost of ``put(_:at:in:)``.
    public mutating func remove(_ key: [UInt8], in map: String) {
        merge(MapWrites(name: map, removes: [key]))
    }

    /// The maps that stand in clear in the ledger, and the others.
    public func split() -> (public: WriteSet, private: WriteSet) {
        (WriteSet(sorted: maps.filter(\.isPublic)), WriteSet(sorted: maps.filter { !$0.isPublic }))
    }

    private func place(of name: String) -> Int {
        var low = 0
        var high = maps.count
        while low < high {
            let middle = (low + high) / 2
            if maps[middle].name.utf8.lexicographicallyPrecedes(name.utf8) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
