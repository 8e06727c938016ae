/// The maps as they were after one entry. Cheap to keep and to hand to another thread: it never changes.
public struct StoreView: Sendable {
    /// The last entry whose changes are in here; 0 before any.
    public let seqno: UInt64
    let maps: [String: MapVersion]

    /// The value at a key.
    public func get(_ map: String, _ key: [UInt8]) -> [UInt8]? {
        maps[map]?.value(of: key)
    }

    /// Whether a key is there.
    public func contains(_ map: String, _ key: [UInt8]) -> Bool {
        get(map, key) != nil
    }

    /// Number of keys in a map; 0 for one that was never written.
    public func count(_ map: String) -> Int {
        maps[map]?.count ?? 0
    }

    /// Names of the maps that hold a key, sorted by their bytes.
    public var mapNames: [String] {
        maps.filter { $0.value.count > 0 }.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Visits the pairs of a map in the order of their keys.
    /// - Parameters:
    ///   - lower: the first key that may be visited.
    ///   - upper: the first key behind the range; nil for none.
    ///   - isReversed: whether to go from the last to the first.
    ///   - visit: gets key and value, and returns whether to go on.
    public func scan(
        _ map: String, from lower: [UInt8] = [], to upper: [UInt8]? = nil, isReversed: Bool = false,
        _ visit: (_ key: [UInt8], _ value: [UInt8]) -> Bool
    ) {
        maps[map]?.scan(from: lower, to: upper, isReversed: isReversed, visit)
    }

    /// The pairs whose keys begin with `prefix`, in order, at most `limit`.
    public func pairs(_ map: String, prefix: [UInt8] = [], limit: Int = .max) -> [MapWrites.Write] {
        var pairs: [MapWrites.Write] = []
        guard limit > 0 else { return [] }
        scan(map, from: prefix, to: Self.behind(prefix)) { key, value in
            pairs.append(.init(key: key, value: value))
            return pairs.count < limit
        }
        return pairs
    }

    /// The whole state as one write set: what turns an empty store into this one.
    public var contents: WriteSet {
        WriteSet(sorted: mapNames.map { MapWrites(name: $0, sortedWrites: pairs($0), sortedRemoves: []) })
    }

    /// The first key that does not begin with `prefix` and comes after those that do; nil if there is none.
    static func behind(_ prefix: [UInt8]) -> [UInt8]? {
        guard let place = prefix.lastIndex(where: { $0 != 0xFF }) else { return nil }
        var key = Array(prefix[...place])
        key[place] += 1
        return key
    }
}
