import AdapterKit
import EVM
import Primitives
import Store

/// The adapter's maps in the ledger. ``StateDiff``'s writes name maps `ethereum.…`; here the prefix is the endpoint's
/// name, so that one network can have several chains.
///
/// A snapshot is the sum of all write sets, without the genesis state, which comes from the settings. So what the
/// genesis has is never removed but overwritten with an empty value, which stands for absence.
struct StateMaps {
    let blocks: String
    let replay: String
    private let prefix: String
    private let genesis: StateDiff

    /// Key of the one value in the replay map.
    static let replayKey: [UInt8] = [0]

    init(prefix: String, genesis: StateDiff) {
        self.prefix = prefix
        self.genesis = genesis
        blocks = prefix + "blocks"
        replay = prefix + "replay"
    }

    /// Key of a block: its height, big-endian, so that keys are in order of height.
    static func blockKey(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    /// The writes of a block.
    func writeSet(_ diff: StateDiff, block number: UInt64, record: [UInt8], replay: [UInt8]? = nil) -> WriteSet {
        var maps = [MapWrites(name: blocks, writes: [.init(key: Self.blockKey(number), value: record)])]
        var current = ""
        var writes: [MapWrites.Write] = []
        var removes: [[UInt8]] = []
        func close() {
            guard !writes.isEmpty || !removes.isEmpty else { return }
            maps.append(MapWrites(name: own(current), writes: writes, removes: removes))
            writes = []
            removes = []
        }
        for write in diff.writes {
            if write.map != current {
                close()
                current = write.map
            }
            if let value = write.value {
                writes.append(.init(key: write.key, value: value))
            } else if isInGenesis(write.map, write.key) {
                writes.append(.init(key: write.key, value: []))
            } else {
                removes.append(write.key)
            }
        }
        close()
        if let replay {
            maps.append(MapWrites(name: self.replay, writes: [.init(key: Self.replayKey, value: replay)]))
        }
        return WriteSet(maps)
    }

    /// Reads the state changes of a write set back.
    func diff(_ writes: WriteSet) throws(AdapterError) -> StateDiff {
        var found: [StateWrite] = []
        for map in writes.maps where map.name != blocks && map.name != replay {
            let name = try foreign(map.name)
            for write in map.writes { found.append(stateWrite(name, write.key, write.value)) }
            for key in map.removes { found.append(StateWrite(map: name, key: key, value: nil)) }
        }
        return try diff(found)
    }

    /// Reads the state of a part of a snapshot.
    func diff(_ part: SnapshotPart) throws(AdapterError) -> StateDiff {
        let name = try foreign(part.map)
        return try diff(part.records.map { stateWrite(name, $0.key, $0.value) })
    }

    private func diff(_ writes: [StateWrite]) throws(AdapterError) -> StateDiff {
        do {
            return try StateDiff(writes: writes)
        } catch {
            throw .malformed("state write: \(error)")
        }
    }

    private func stateWrite(_ map: String, _ key: [UInt8], _ value: [UInt8]) -> StateWrite {
        // Empty is absence, but an account's or slot's value is never empty otherwise.
        StateWrite(map: map, key: key, value: value.isEmpty && map != StateWrite.Map.code ? nil : value)
    }

    private func isInGenesis(_ map: String, _ key: [UInt8]) -> Bool {
        switch map {
        case StateWrite.Map.accounts: Address(key).map { genesis.accounts[$0] != nil } ?? false
        case StateWrite.Map.storage:
            if let address = Address(key.prefix(20)), let slot = Bytes32(key.dropFirst(20)) {
                genesis.storage[StorageKey(address, slot)] != nil
            } else {
                false
            }
        default: false
        }
    }

    private static let standardPrefix = "ethereum."

    private func own(_ map: String) -> String { prefix + map.dropFirst(Self.standardPrefix.count) }

    private func foreign(_ map: String) throws(AdapterError) -> String {
        guard map.hasPrefix(prefix) else { throw .malformed("write set: a map of another adapter") }
        return Self.standardPrefix + map.dropFirst(prefix.count)
    }
}
