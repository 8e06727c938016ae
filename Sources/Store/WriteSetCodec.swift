/// Bounds of a decoded write set: outside bytes may not make the decoder hold more.
public struct WriteSetLimits: Sendable, Hashable {
    /// Maps in a set.
    public var mapCountMax: Int
    /// Bytes of a map's name.
    public var nameBytesMax: Int
    /// Bytes of a key.
    public var keyBytesMax: Int
    /// Bytes of a value.
    public var valueBytesMax: Int
    /// Writes and removals of all maps together.
    public var changeCountMax: Int

    /// Limits with the defaults of the house.
    public init(
        mapCountMax: Int = 1 << 12, nameBytesMax: Int = 256, keyBytesMax: Int = 1 << 16,
        valueBytesMax: Int = 1 << 26, changeCountMax: Int = 1 << 22
    ) {
        self.mapCountMax = mapCountMax
        self.nameBytesMax = nameBytesMax
        self.keyBytesMax = keyBytesMax
        self.valueBytesMax = valueBytesMax
        self.changeCountMax = changeCountMax
    }

    /// The defaults.
    public static let standard = WriteSetLimits()
}

/// How strictly a decoder reads CCF's map layout.
public enum WriteSetForm: Sendable, Hashable {
    /// Exactly what ``WriteSet/encoded()`` writes: one byte form for each set.
    case canonical
    /// What CCF itself writes: any read version, maps without a change.
    case ccf
}

extension WriteSet {
    /// The set in CCF's map layout: for each map `{u64 length, name} u64 read version (0) u64 read count (0) u64 n ×
    /// {u64 length, key, u64 length, value} u64 n × {u64 length, key}`, little-endian.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// Bytes that ``encoded()`` will give.
    public var encodedCount: Int {
        var count = 0
        for map in maps {
            count += 40 + map.name.utf8.count
            for write in map.writes { count += 16 + write.key.count + write.value.count }
            for key in map.removes { count += 8 + key.count }
        }
        return count
    }

    /// Appends ``encoded()`` to `bytes`.
    public func encode(into bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + encodedCount)
        for map in maps {
            Layout.append(Array(map.name.utf8), to: &bytes)
            Layout.append(0, to: &bytes)
            Layout.append(0, to: &bytes)
            Layout.append(UInt64(map.writes.count), to: &bytes)
            for write in map.writes {
                Layout.append(write.key, to: &bytes)
                Layout.append(write.value, to: &bytes)
            }
            Layout.append(UInt64(map.removes.count), to: &bytes)
            for key in map.removes { Layout.append(key, to: &bytes) }
        }
    }

    /// Decodes the map layout from the whole of `bytes` or the part in `range`.
    /// - Throws: ``StoreError/malformed(_:file:line:)`` or ``StoreError/tooLarge(_:file:line:)``, with the offset.
    public static func decode(
        _ bytes: [UInt8], in range: Range<Int>? = nil, form: WriteSetForm = .canonical,
        limits: WriteSetLimits = .standard
    ) throws(StoreError) -> WriteSet {
        var reader = Layout(bytes, range ?? 0..<bytes.count)
        var maps: [MapWrites] = []
        var changesLeft = limits.changeCountMax
        while !reader.isAtEnd {
            guard maps.count < limits.mapCountMax else {
                throw .tooLarge("more than \(limits.mapCountMax) maps at byte \(reader.offset)")
            }
            let map = try decodeMap(&reader, form, limits, &changesLeft)
            if let last = maps.last, !last.name.utf8.lexicographicallyPrecedes(map.name.utf8) {
                throw .malformed("maps out of order before byte \(reader.offset)")
            }
            if map.isEmpty {
                guard form == .ccf else { throw .malformed("map without a change before byte \(reader.offset)") }
            }
            maps.append(map)
        }
        return WriteSet(sorted: maps)
    }

    private static func decodeMap(
        _ reader: inout Layout, _ form: WriteSetForm, _ limits: WriteSetLimits, _ changesLeft: inout Int
    ) throws(StoreError) -> MapWrites {
        let at = reader.offset
        let nameBytes = try reader.blob(limit: limits.nameBytesMax)
        guard let name = String(validating: nameBytes, as: UTF8.self), !name.isEmpty else {
            throw .malformed("map name at byte \(at) is empty or no UTF-8")
        }
        let readVersion = try reader.integer()
        guard form == .ccf || readVersion == 0 else { throw .malformed("read version after byte \(at) is not 0") }
        guard try reader.integer() == 0 else { throw .malformed("read count after byte \(at) is not 0") }
        let writeCount = try reader.count(minimumBytes: 16, limit: changesLeft)
        changesLeft -= writeCount
        var writes: [MapWrites.Write] = []
        writes.reserveCapacity(writeCount)
        for _ in 0..<writeCount {
            let at = reader.offset
            let key = try reader.blob(limit: limits.keyBytesMax)
            let value = try reader.blob(limit: limits.valueBytesMax)
            if let last = writes.last, !ByteOrder.precedes(last.key, key) {
                throw .malformed("keys out of order at byte \(at)")
            }
            writes.append(MapWrites.Write(key: key, value: value))
        }
        let removeCount = try reader.count(minimumBytes: 8, limit: changesLeft)
        changesLeft -= removeCount
        var removes: [[UInt8]] = []
        removes.reserveCapacity(removeCount)
        var behind = 0
        for _ in 0..<removeCount {
            let at = reader.offset
            let key = try reader.blob(limit: limits.keyBytesMax)
            if let last = removes.last, !ByteOrder.precedes(last, key) {
                throw .malformed("removed keys out of order at byte \(at)")
            }
            while behind < writes.count, ByteOrder.precedes(writes[behind].key, key) { behind += 1 }
            if behind < writes.count, writes[behind].key == key {
                throw .malformed("key at byte \(at) is both written and removed")
            }
            removes.append(key)
        }
        return MapWrites(name: name, sortedWrites: writes, sortedRemoves: removes)
    }
}
