/// A hash table from keys to the places of their records, where the keys are in the records alone: about 7 bytes an
/// entry, where a Dictionary would take 60.
///
/// The caller gives the hash of a key (a seeded one: keys come from outside) and the comparison. Split into shards that
/// grow one by one, so that no insertion waits for the move of the whole table.
struct IndexTable: Sendable {
    private struct Shard: Sendable {
        /// Record number + 1; 0 is free, `tombstone` was removed. The count is a power of two, or zero.
        var slots: [UInt32] = []
        /// Slots that are not free, tombstones included.
        var used = 0
        var live = 0
    }

    private var shards: [Shard]
    private static let tombstone = UInt32.max
    private static let shardBits = 8

    init() { shards = Array(repeating: Shard(), count: 1 << IndexTable.shardBits) }

    /// The record with the key of this hash for which `matches` is true.
    @inline(__always)
    func find(hash: Int, matches: (Int) -> Bool) -> Int? {
        let bits = UInt(bitPattern: hash)
        let shard = Int(bits & UInt(shards.count - 1))
        let mask = shards[shard].slots.count - 1
        guard mask >= 0 else { return nil }
        var place = Int(bits >> UInt(IndexTable.shardBits)) & mask
        while true {
            let slot = shards[shard].slots[place]
            if slot == 0 { return nil }
            if slot != IndexTable.tombstone, matches(Int(slot) - 1) { return Int(slot) - 1 }
            place = (place + 1) & mask
        }
    }

    /// Adds a record whose key is not in the table. `rehash` gives the hash of any record in it.
    mutating func insert(hash: Int, record: Int, rehash: (Int) -> Int) {
        precondition(record < Int(UInt32.max) - 1, "a table holds at most 2^32 - 2 records")
        let bits = UInt(bitPattern: hash)
        let shard = Int(bits & UInt(shards.count - 1))
        if (shards[shard].used + 1) * 4 > shards[shard].slots.count * 3 { grow(shard, rehash) }
        IndexTable.place(UInt32(record) + 1, bits, in: &shards[shard])
    }

    /// Removes a record that is in the table.
    mutating func remove(hash: Int, record: Int) {
        let bits = UInt(bitPattern: hash)
        let shard = Int(bits & UInt(shards.count - 1))
        let mask = shards[shard].slots.count - 1
        precondition(mask >= 0, "record \(record) is not in the table")
        var place = Int(bits >> UInt(IndexTable.shardBits)) & mask
        while shards[shard].slots[place] != UInt32(record) + 1 {
            precondition(shards[shard].slots[place] != 0, "record \(record) is not in the table")
            place = (place + 1) & mask
        }
        shards[shard].slots[place] = IndexTable.tombstone
        shards[shard].live -= 1
    }

    private static func place(_ slot: UInt32, _ bits: UInt, in shard: inout Shard) {
        let mask = shard.slots.count - 1
        var place = Int(bits >> UInt(IndexTable.shardBits)) & mask
        while shard.slots[place] != 0, shard.slots[place] != IndexTable.tombstone { place = (place + 1) & mask }
        if shard.slots[place] == 0 { shard.used += 1 }
        shard.slots[place] = slot
        shard.live += 1
    }

    /// Makes room, by doubling or, if tombstones fill the shard, by sweeping them out.
    private mutating func grow(_ index: Int, _ rehash: (Int) -> Int) {
        let old = shards[index].slots
        var size = max(old.count, 4)
        while (shards[index].live + 1) * 2 > size { size *= 2 }
        var shard = Shard(slots: Array(repeating: 0, count: size))
        for slot in old where slot != 0 && slot != IndexTable.tombstone {
            IndexTable.place(slot, UInt(bitPattern: rehash(Int(slot) - 1)), in: &shard)
        }
        shards[index] = shard
    }
}
