import Consensus
import Ledger

/// A folder on a simulated disk. What was written and not synced may be lost or torn when the power fails, each
/// file by itself; a disk may be full, and bits may rot. One thread only.
final class Volume {
    private enum Write {
        case bytes(at: Int, [UInt8])
        case cut(to: Int)
    }

    private struct File {
        var now: [UInt8] = []
        /// What a power failure leaves at least; nil if not even the name is sure.
        var synced: [UInt8]?
        var writes: [Write] = []
    }

    /// Contents at one moment.
    typealias Image = [String: [UInt8]]

    private var files: [String: File] = [:]
    private var random: SplitMix64
    var isFull = false
    /// What a disk that lies about syncs has really kept; nil for an honest disk.
    private var truth: Image?

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    var names: [String] { files.keys.sorted() }
    var image: Image { files.mapValues(\.now) }

    func bytes(of name: String) throws -> [UInt8] {
        guard let file = files[name] else { throw LedgerError.storage("no file \(name)") }
        return file.now
    }

    /// Whether all of a file is safe from a power failure.
    func isSynced(_ name: String) -> Bool { files[name]?.writes.isEmpty ?? true && files[name]?.synced != nil }

    func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        var bytes = bytes
        let isShort = isFull
        if isShort { bytes = Array(bytes.prefix(Int(random.below(UInt64(bytes.count) + 1)))) }
        if !bytes.isEmpty {
            var file = files[name] ?? File()
            files[name] = nil
            Self.apply(.bytes(at: offset, bytes), to: &file.now)
            file.writes.append(.bytes(at: offset, bytes))
            files[name] = file
        }
        if isShort { throw LedgerError.storage("no space left on device") }
    }

    func cut(_ name: String, to count: Int) throws {
        guard var file = files[name] else { throw LedgerError.storage("no file \(name)") }
        guard count < file.now.count else { return }
        files[name] = nil
        Self.apply(.cut(to: count), to: &file.now)
        file.writes.append(.cut(to: count))
        files[name] = file
    }

    func rename(_ name: String, to newName: String) throws {
        guard let file = files.removeValue(forKey: name) else { throw LedgerError.storage("no file \(name)") }
        files[newName] = file
    }

    func remove(_ name: String) throws {
        guard files.removeValue(forKey: name) != nil else { throw LedgerError.storage("no file \(name)") }
    }

    func sync(_ name: String) throws {
        guard var file = files.removeValue(forKey: name) else { throw LedgerError.storage("no file \(name)") }
        file.synced = file.now
        file.writes.removeAll()
        files[name] = file
    }

    private static func apply(_ write: Write, to file: inout [UInt8]) {
        switch write {
        case .bytes(let offset, let bytes):
            if file.count < offset { file.append(contentsOf: repeatElement(0, count: offset - file.count)) }
            let overlap = min(file.count - offset, bytes.count)
            file.replaceSubrange(offset..<offset + overlap, with: bytes[..<overlap])
            file.append(contentsOf: bytes[overlap...])
        case .cut(let count): file.removeLast(file.count - min(file.count, count))
        }
    }

    // MARK: Misfortune

    /// The power fails. Of what was not synced in a file, some first writes are left and perhaps a piece of the next.
    func failPower() {
        if let truth { return restore(truth) }
        for name in names {
            guard let file = files[name] else { continue }
            var left = file.synced ?? []
            var exists = file.synced != nil
            var isOver = false
            for write in file.writes where !isOver {
                switch random.below(4) {
                case 0: isOver = true
                case 1:
                    if case .bytes(let offset, let bytes) = write {
                        let count = Int(random.below(UInt64(bytes.count) + 1))
                        Self.apply(.bytes(at: offset, Array(bytes[..<count])), to: &left)
                        exists = true
                    }
                    isOver = true
                default:
                    Self.apply(write, to: &left)
                    exists = true
                }
            }
            files[name] = exists ? File(now: left, synced: left) : nil
        }
    }

    /// The disk goes on from an earlier state.
    func restore(_ image: Image) { files = image.mapValues { File(now: $0, synced: $0) } }

    /// From now on syncs are lies: only what ``flush()`` covers is kept.
    func beginToLie() { truth = image }

    /// What a lying disk has is on it now.
    func flush() { if truth != nil { truth = image } }

    /// Flips a bit.
    func rot(_ name: String, at offset: Int, bit: UInt8) {
        guard let file = files[name], offset < file.now.count else { return }
        files[name]?.now[offset] ^= 1 << bit
        if let synced = file.synced, offset < synced.count { files[name]?.synced?[offset] ^= 1 << bit }
    }
}

/// A ``Volume`` as the ledger's and the snapshots' files see it.
struct VolumeStorage: LedgerStorage {
    let volume: Volume

    func list() throws -> [String] { volume.names }
    func size(of name: String) throws -> Int { try volume.bytes(of: name).count }

    func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
        let bytes = try volume.bytes(of: name)
        guard offset >= 0, offset <= bytes.count, count >= 0 else {
            throw LedgerError.storage("a read outside \(name)")
        }
        return Array(bytes[offset..<min(bytes.count, offset + count)])
    }

    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        try volume.write(bytes, to: name, at: offset)
    }

    mutating func truncate(_ name: String, to count: Int) throws { try volume.cut(name, to: count) }
    mutating func rename(_ name: String, to newName: String) throws { try volume.rename(name, to: newName) }
    mutating func remove(_ name: String) throws { try volume.remove(name) }
    mutating func sync(_ name: String) throws { try volume.sync(name) }
}
