package import Host
internal import Ledger
internal import NIOConcurrencyHelpers

/// Chunk files in a folder of the data folder.
package struct FolderStorage: LedgerStorage {
    private let folder: Directory
    private var open: [String: File] = [:]
    private var reserved: [String: Int] = [:]
    /// Disk space is asked for in steps of this size, so that most appends don't change a file's extent.
    private static let reserveStep = 8 << 20

    private let faults: DiskFaults?

    /// The files of `folder`.
    package init(_ folder: Directory, faults: DiskFaults? = nil) {
        self.folder = folder
        self.faults = faults
    }

    package func list() throws -> [String] { try folder.list() }

    package func size(of name: String) throws -> Int {
        guard let size = try folder.size(name) else { throw LedgerError.storage("no file \(name)") }
        return size
    }

    package func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
        try faults?.check(.read)
        if let file = open[name] { return try file.read(at: offset, count: count) }
        return try folder.open(name).read(at: offset, count: count)
    }

    package mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        try faults?.check(.write)
        let file = try writable(name)
        let end = offset + bytes.count
        // What is only written again needs no room.
        if try end > (reserved[name] ?? file.size()) {
            let step = end + Self.reserveStep
            do {
                try file.reserve(at: offset, count: step - offset)
            } catch {
                // What could be reserved of it is given back: on a full disk others need it more.
                try? file.truncate(to: file.size())
                reserved[name] = nil
                throw error
            }
            reserved[name] = step
        }
        try file.write(bytes, at: offset)
    }

    package mutating func truncate(_ name: String, to count: Int) throws {
        try writable(name).truncate(to: count)
        reserved[name] = count
    }

    package mutating func rename(_ name: String, to newName: String) throws {
        // Only a chunk that gets no more entries is renamed: what is still reserved for it is given back, or each chunk
        // would keep a whole step of disk space for ever.
        try writable(name).truncate(to: size(of: name))
        open[name] = nil
        reserved[name] = nil
        try folder.rename(name, to: newName)
    }

    package mutating func remove(_ name: String) throws {
        open[name] = nil
        reserved[name] = nil
        try folder.remove(name)
    }

    package mutating func sync(_ name: String) throws {
        try faults?.check(.sync)
        try writable(name).sync()
    }

    private mutating func writable(_ name: String) throws -> File {
        if let file = open[name] { return file }
        let isNew = try folder.size(name) == nil
        let file = try folder.open(name, writing: true, create: true)
        if isNew { try folder.sync() }
        open[name] = file
        return file
    }
}

/// Makes the operations of a ``FolderStorage`` fail, for tests.
package final class DiskFaults: Sendable {
    /// What can fail.
    package enum Operation: Sendable, Hashable {
        case read, write, sync
    }

    private let failing = NIOLockedValueBox<[Operation: CInt]>([:])

    /// No faults.
    package init() {}

    /// From now on `operation` fails with this `errno`; nil ends that.
    package func set(_ operation: Operation, _ errorNumber: CInt?) {
        failing.withLockedValue { $0[operation] = errorNumber }
    }

    func check(_ operation: Operation) throws(HostError) {
        guard let errorNumber = failing.withLockedValue({ $0[operation] }) else { return }
        throw operation == .sync ? .sync("a fault", errorNumber) : .system("a fault", errorNumber)
    }
}
