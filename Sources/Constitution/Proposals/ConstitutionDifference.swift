internal import Primitives
public import Store

/// What is different between two constitutions, entry by entry of the administrative maps.
public struct ConstitutionDifference: Sendable, Hashable {
    /// One entry that is different.
    public struct Entry: Sendable, Hashable {
        /// The map.
        public let map: String
        /// The key.
        public let key: [UInt8]
        /// The value before; nil when the entry is new.
        public let before: [UInt8]?
        /// The value after; nil when the entry is gone.
        public let after: [UInt8]?

        /// An entry.
        public init(map: String, key: [UInt8], before: [UInt8]?, after: [UInt8]?) {
            self.map = map
            self.key = key
            self.before = before
            self.after = after
        }
    }

    /// The entries, sorted by map and key.
    public let entries: [Entry]

    /// Compares two documents.
    public init(from before: ConstitutionDocument, to after: ConstitutionDocument) {
        let old = WriteSet(before.sorted().mapWrites())
        let new = WriteSet(after.sorted().mapWrites())
        var entries: [Entry] = []
        for name in Set((old.maps + new.maps).map(\.name)).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let left = old[name]
            let right = new[name]
            var changed: [Entry] = []
            for write in left?.writes ?? [] where right?[write.key] != write.value {
                changed.append(Entry(map: name, key: write.key, before: write.value, after: right?[write.key]))
            }
            for write in right?.writes ?? [] where left?[write.key] == nil {
                changed.append(Entry(map: name, key: write.key, before: nil, after: write.value))
            }
            entries += changed.sorted { ByteOrder.precedes($0.key, $1.key) }
        }
        self.entries = entries
    }

    /// Whether nothing is different.
    public var isEmpty: Bool { entries.isEmpty }

    /// The writes that turn the first constitution into the second.
    public var writes: WriteSet {
        var maps: [MapWrites] = []
        for name in names {
            let some = entries.filter { $0.map == name }
            maps.append(MapWrites(name: name, changes: some.map { (key: $0.key, value: $0.after) }))
        }
        return WriteSet(maps)
    }

    private var names: [String] {
        var names: [String] = []
        for entry in entries where names.last != entry.map { names.append(entry.map) }
        return names
    }

    /// Keys of a map that are new or changed, as text, and keys that are gone.
    public func keys(of map: String) -> (set: [String], removed: [String]) {
        let some = entries.filter { $0.map == map }
        func text(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }
        return (
            some.filter { $0.after != nil }.map { text($0.key) }, some.filter { $0.after == nil }.map { text($0.key) }
        )
    }
}
