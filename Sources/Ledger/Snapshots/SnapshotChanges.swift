package import Store

/// Changes between two snapshots.
package enum SnapshotChanges {
    /// The changes of several entries, given in their order, as one set.
    package static func merged(_ changes: [WriteSet]) -> WriteSet {
        var byName: [String: [MapWrites]] = [:]
        for map in changes.lazy.flatMap(\.maps) { byName[map.name, default: []].append(map) }
        let names = byName.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return WriteSet(
            sorted: names.compactMap { name in
                let maps = byName[name] ?? []
                if maps.count == 1 { return maps[0] }
                let all = maps.lazy.flatMap { map in
                    map.removes.lazy.map { (key: $0, value: [UInt8]?.none) }
                        + map.writes.lazy.map { (key: $0.key, value: .some($0.value)) }
                }
                return MapWrites(name: name, changes: Array(all))
            })
    }

    /// Cuts a set into frames of about so many bytes, each of which goes on where the one before ended; at least one.
    package static func frames(_ changes: WriteSet, byteCount: Int) -> [WriteSet] {
        var frames: [WriteSet] = []
        var maps: [MapWrites] = []
        var bytes = 0
        for map in changes.maps {
            var (write, remove) = (0, 0)
            var (writeStart, removeStart) = (0, 0)
            func part() -> MapWrites {
                MapWrites(
                    name: map.name, sortedWrites: Array(map.writes[writeStart..<write]),
                    sortedRemoves: Array(map.removes[removeStart..<remove]))
            }
            while write < map.writes.count || remove < map.removes.count {
                if bytes >= byteCount {
                    if write > writeStart || remove > removeStart { maps.append(part()) }
                    frames.append(WriteSet(sorted: maps))
                    (writeStart, removeStart) = (write, remove)
                    maps = []
                    bytes = 0
                }
                let takesWrite =
                    write < map.writes.count
                    && (remove == map.removes.count
                        || ByteOrder.precedes(map.writes[write].key, map.removes[remove]))
                if takesWrite {
                    bytes += 16 + map.writes[write].key.count + map.writes[write].value.count
                    write += 1
                } else {
                    bytes += 8 + map.removes[remove].count
                    remove += 1
                }
            }
            if write > writeStart || remove > removeStart { maps.append(part()) }
        }
        if !maps.isEmpty || frames.isEmpty { frames.append(WriteSet(sorted: maps)) }
        return frames
    }
}
