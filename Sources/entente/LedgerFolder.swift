import Host
import Ledger

/// A ledger folder of a node that does not run; or one that is only looked at, whose changes stay in memory.
struct LedgerFolder: LedgerStorage {
    private let directory: Directory
    private let isReadOnly: Bool
    /// What a folder that is only looked at would hold; nil: the file would be gone.
    private var changed: [String: [UInt8]?] = [:]

    init(_ path: String, isReadOnly: Bool) throws {
        directory = try Directory(path: path)
        self.isReadOnly = isReadOnly
    }

    func list() throws -> [String] {
        var names = Set(try directory.list())
        for (name, bytes) in changed { if bytes == nil { names.remove(name) } else { names.insert(name) } }
        return names.sorted()
    }

    func size(of name: String) throws -> Int {
        if let change = changed[name] { return try present(change, name).count }
        guard let size = try directory.size(name) else { throw LedgerError.storage("no file \(name)") }
        return size
    }

    func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
        guard let change = changed[name] else { return try directory.open(name).read(at: offset, count: count) }
        let bytes = try present(change, name)
        return Array(bytes.dropFirst(offset).prefix(count))
    }

    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        guard isReadOnly else {
            return try directory.open(name, writing: true, create: true).write(bytes, at: offset)
        }
        try change(name, creating: true) { file in
            if file.count < offset + bytes.count {
                file += [UInt8](repeating: 0, count: offset + bytes.count - file.count)
            }
            file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
    }

    mutating func truncate(_ name: String, to count: Int) throws {
        guard isReadOnly else { return try directory.open(name, writing: true).truncate(to: count) }
        try change(name) { $0 = Array($0.prefix(count)) }
    }

    mutating func rename(_ name: String, to newName: String) throws {
        guard isReadOnly else { return try directory.rename(name, to: newName) }
        changed[newName] = try read(name, at: 0, count: size(of: name))
        changed[name] = .some(nil)
    }

    mutating func remove(_ name: String) throws {
        guard isReadOnly else { return try directory.remove(name) }
        changed[name] = .some(nil)
    }

    mutating func sync(_ name: String) throws {
        guard !isReadOnly else { return }
        try directory.open(name, writing: true).syncAll()
        try directory.sync()
    }

    private mutating func change(_ name: String, creating: Bool = false, _ body: (inout [UInt8]) -> Void) throws {
        var bytes: [UInt8] = []
        if try list().contains(name) {
            bytes = try read(name, at: 0, count: size(of: name))
        } else if !creating {
            throw LedgerError.storage("no file \(name)")
        }
        body(&bytes)
        changed[name] = bytes
    }

    private func present(_ change: [UInt8]?, _ name: String) throws -> [UInt8] {
        guard let change else { throw LedgerError.storage("no file \(name)") }
        return change
    }
}
