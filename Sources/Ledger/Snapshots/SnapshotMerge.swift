public import Store

/// Makes the state of a new snapshot from the last one and the changes since, without holding either as a whole: both are
/// sorted by map and key, and so is what comes out. The state comes and goes in frames, write sets that each go on where
/// the one before ended.
public struct SnapshotMerge {
    /// A frame is given out once it has reached this many bytes.
    public let frameByteCount: Int

    private var maps: [MapWrites] = []
    private var name: String?
    private var pairs: [MapWrites.Write] = []
    private var byteCount = 0
    private let changes: [(name: String, key: [UInt8], value: [UInt8]?)]
    private var next = 0
    private var last: (name: String, key: [UInt8])?

    /// Begins a merge.
    /// - Parameters:
    ///   - changes: all changes since the last snapshot, merged in the order of their entries.
    public init(changes: WriteSet, frameByteCount: Int = 1 << 20) {
        self.frameByteCount = frameByteCount
        var flat: [(name: String, key: [UInt8], value: [UInt8]?)] = []
        flat.reserveCapacity(changes.changeCount)
        for map in changes.maps {
            var removes = map.removes[...]
            for write in map.writes {
                while let key = removes.first, ByteOrder.precedes(key, write.key) {
                    flat.append((map.name, key, nil))
                    removes.removeFirst()
                }
                flat.append((map.name, write.key, write.value))
            }
            for key in removes { flat.append((map.name, key, nil)) }
        }
        self.changes = flat
    }

    /// Takes the next frame of the last snapshot.
    /// - Returns: the frames that are full now.
    /// - Throws: ``LedgerError/malformed(_:file:line:)`` when the frame does not go on where the one before ended.
    public mutating func add(_ frame: WriteSet) throws(LedgerError) -> [WriteSet] {
        var full: [WriteSet] = []
        for map in frame.maps {
            guard map.removes.isEmpty else { throw .malformed("a frame of a snapshot removes a key") }
            for write in map.writes {
                if let last, !Self.precedes((last.name, last.key), (map.name, write.key)) {
                    throw .malformed("frames of a snapshot out of order")
                }
                last = (map.name, write.key)
                takeChanges(before: (map.name, write.key), into: &full)
                if next < changes.count, changes[next].name == map.name, changes[next].key == write.key {
                    takeChange(into: &full)
                } else {
                    put(map.name, write, into: &full)
                }
            }
        }
        return full
    }

    /// Ends the merge.
    /// - Returns: the frames that are left; the last one may be empty only if the whole state is.
    public mutating func finish() -> [WriteSet] {
        var full: [WriteSet] = []
        while next < changes.count { takeChange(into: &full) }
        closeMap()
        if !maps.isEmpty || full.isEmpty { full.append(WriteSet(maps)) }
        maps = []
        return full
    }

    private mutating func takeChanges(before place: (name: String, key: [UInt8]), into full: inout [WriteSet]) {
        while next < changes.count, Self.precedes((changes[next].name, changes[next].key), place) {
            takeChange(into: &full)
        }
    }

    private mutating func takeChange(into full: inout [WriteSet]) {
        let change = changes[next]
        next += 1
        if let value = change.value { put(change.name, .init(key: change.key, value: value), into: &full) }
    }

    private mutating func put(_ name: String, _ write: MapWrites.Write, into full: inout [WriteSet]) {
        if self.name != name {
            closeMap()
            self.name = name
        }
        pairs.append(write)
        byteCount += 16 + write.key.count + write.value.count
        if byteCount >= frameByteCount {
            closeMap()
            full.append(WriteSet(maps))
            maps = []
            byteCount = 0
        }
    }

    private mutating func closeMap() {
        if let name, !pairs.isEmpty { maps.append(MapWrites(name: name, writes: pairs)) }
        name = nil
        pairs = []
    }

    private static func precedes(_ left: (name: String, key: [UInt8]), _ right: (name: String, key: [UInt8])) -> Bool {
        if left.name == right.name { return ByteOrder.precedes(left.key, right.key) }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}
