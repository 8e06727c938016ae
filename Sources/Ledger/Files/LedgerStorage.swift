/// What chunk files are kept in: a directory of named byte files. The host implements it over a directory descriptor; it
/// may preallocate, so that a file may end in zeros that nobody wrote.
///
/// Whatever is written may be lost in a crash, in any order, until ``sync(_:)`` returns.
public protocol LedgerStorage {
    /// Names of all files, in any order.
    func list() throws -> [String]
    /// Size of a file in bytes, preallocated zeros included.
    func size(of name: String) throws -> Int
    /// Reads up to `count` bytes from `offset`: fewer only at the end of the file.
    func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8]
    /// Writes `bytes` at `offset`, making the file or extending it when need be.
    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws
    /// Cuts a file.
    mutating func truncate(_ name: String, to count: Int) throws
    /// Gives a file another name, which must be durable when this returns.
    mutating func rename(_ name: String, to newName: String) throws
    /// Removes a file, durably.
    mutating func remove(_ name: String) throws
    /// Makes what was written to a file durable, its existence included.
    mutating func sync(_ name: String) throws
}

/// Storage in memory, for tests and simulation. It can crash: what was not synced is then lost or torn.
public struct MemoryLedgerStorage: LedgerStorage, Sendable {
    /// Contents by name, as the running process sees them.
    public private(set) var files: [String: [UInt8]] = [:]
    private var durable: [String: [UInt8]] = [:]

    /// No files.
    public init() {}

    /// Files with these contents, all durable.
    public init(files: [String: [UInt8]]) {
        self.files = files
        durable = files
    }

    /// Names of all files.
    public func list() throws -> [String] { files.keys.sorted() }

    /// Size of a file.
    public func size(of name: String) throws -> Int { try contents(name).count }

    /// Reads a part of a file.
    public func read(_ name: String, at offset: Int, count: Int) throws -> [UInt8] {
        let bytes = try contents(name)
        guard offset >= 0, offset <= bytes.count, count >= 0 else {
            throw LedgerError.storage("a read outside \(name)")
        }
        return Array(bytes[offset..<min(bytes.count, offset + count)])
    }

    /// Writes into a file.
    public mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws {
        var file = files.removeValue(forKey: name) ?? []
        if file.count < offset { file.append(contentsOf: repeatElement(0, count: offset - file.count)) }
        let overlap = min(file.count - offset, bytes.count)
        file.replaceSubrange(offset..<offset + overlap, with: bytes[..<overlap])
        file.append(contentsOf: bytes[overlap...])
        files[name] = file
    }

    /// Cuts a file.
    public mutating func truncate(_ name: String, to count: Int) throws {
        let bytes = try contents(name)
        files[name] = Array(bytes.prefix(count))
    }

    /// Renames a file.
    public mutating func rename(_ name: String, to newName: String) throws {
        files[newName] = try contents(name)
        files[name] = nil
        durable[newName] = durable[name]
        durable[name] = nil
    }

    /// Removes a file.
    public mutating func remove(_ name: String) throws {
        files[name] = nil
        durable[name] = nil
    }

    /// Makes a file durable.
    public mutating func sync(_ name: String) throws {
        durable[name] = try contents(name)
    }

    /// What a crash leaves: each file as it was synced last, and of what was written since then what `tear` picks.
    /// - Parameter tear: from the file's name, its durable and its current contents, what is left of it.
    public func crashed(
        tear: (_ name: String, _ durable: [UInt8], _ current: [UInt8]) -> [UInt8] = { _, durable, _ in durable }
    ) -> MemoryLedgerStorage {
        var left: [String: [UInt8]] = [:]
        for name in Set(files.keys).union(durable.keys).sorted() {
            if durable[name] == nil, files[name] == nil { continue }
            let bytes = tear(name, durable[name] ?? [], files[name] ?? [])
            if durable[name] != nil || !bytes.isEmpty { left[name] = bytes }
        }
        return MemoryLedgerStorage(files: left)
    }

    private func contents(_ name: String) throws -> [UInt8] {
        guard let bytes = files[name] else { throw LedgerError.storage("no file \(name)") }
        return bytes
    }
}
