internal import Glibc

/// The files of one folder, reached through its descriptor: names never leave the folder, and the same code runs under
/// a sandbox that lets through nothing else. All calls block; none belongs on an event loop.
public final class Directory: Sendable {
    /// The folder's descriptor, closed with the object.
    public let descriptor: CInt

    /// Takes over the descriptor of a folder.
    public init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Opens a folder by path.
    /// - Throws: ``HostError``.
    public convenience init(path: String) throws(HostError) {
        self.init(descriptor: try Descriptor.openFolder(path))
    }

    deinit { Descriptor.close(descriptor) }

    /// A name must be one path component, so that nothing from outside can point elsewhere.
    private func check(_ name: String) throws(HostError) {
        guard !name.isEmpty, name != ".", name != "..", name.utf8.count <= 255, !name.utf8.contains(0),
            !name.utf8.contains(UInt8(ascii: "/"))
        else { throw .configuration("\"\(name)\" is not a file name") }
    }

    /// Opens a folder within, making it if asked.
    /// - Throws: ``HostError``.
    public func folder(_ name: String, create: Bool = false) throws(HostError) -> Directory {
        try check(name)
        if create {
            guard mkdirat(descriptor, name, 0o700) == 0 || errno == EEXIST else {
                throw .system("making folder \(name)")
            }
            try sync()
        }
        let opened = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard opened >= 0 else { throw .system("opening folder \(name)") }
        return Directory(descriptor: opened)
    }

    /// Names of everything in the folder, sorted by their bytes.
    /// - Throws: ``HostError``.
    public func list() throws(HostError) -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .system("reading a folder") }
        guard let stream = fdopendir(copy) else {
            let failure = errno
            Descriptor.close(copy)
            throw .system("reading a folder", failure)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system("reading a folder") }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Size of a file in bytes, nil if there is none.
    /// - Throws: ``HostError``.
    public func size(_ name: String) throws(HostError) -> Int? {
        try check(name)
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw .system("looking at \(name)")
        }
        return Int(status.st_size)
    }

    /// Whole content of a file of at most `limit` bytes.
    /// - Throws: ``HostError``; ``HostError/isNotFound`` when there is none.
    public func read(_ name: String, limit: Int = 1 << 30) throws(HostError) -> [UInt8] {
        let file = try open(name)
        let size = try file.size()
        guard size <= limit else { throw .tooLarge("\(name) has \(size) bytes, over \(limit)") }
        return try file.read(at: 0, count: size)
    }

    /// Whole content of a file that does not tell its size, as those of /proc.
    /// - Throws: ``HostError``.
    func readAll(_ name: String, limit: Int) throws(HostError) -> [UInt8] {
        let file = try open(name)
        var bytes: [UInt8] = []
        while true {
            let part = try file.read(at: bytes.count, count: 64 << 10)
            if part.isEmpty { return bytes }
            bytes += part
            guard bytes.count <= limit else { throw .tooLarge("\(name) is over \(limit) bytes") }
        }
    }

    /// Opens a file for reading and, if asked, writing; made when `create` says so, for its owner only.
    /// - Throws: ``HostError``; ``HostError/isNotFound`` when there is none.
    public func open(_ name: String, writing: Bool = false, create: Bool = false) throws(HostError) -> File {
        try check(name)
        var flags = O_CLOEXEC | O_NOFOLLOW
        flags |= writing || create ? O_RDWR : O_RDONLY
        if create { flags |= O_CREAT }
        let opened = openat(descriptor, name, flags, 0o600)
        guard opened >= 0 else { throw .system("opening \(name)") }
        return File(descriptor: opened, name: name)
    }

    /// Replaces a file as a whole, or makes it: after a crash there is the old content or the new one, never a mixture.
    /// Returns when the new content is on disk.
    /// - Throws: ``HostError``.
    public func replace(_ name: String, with bytes: [UInt8]) throws(HostError) {
        try check(name)
        let temporary = "\(name).new"
        try check(temporary)
        let file = try open(temporary, create: true)
        try file.truncate(to: 0)
        try file.write(bytes, at: 0)
        try file.syncAll()
        try rename(temporary, to: name)
    }

    /// Renames a file, replacing what has the new name, and makes that durable.
    /// - Throws: ``HostError``.
    public func rename(_ name: String, to newName: String) throws(HostError) {
        try check(name)
        try check(newName)
        guard renameat(descriptor, name, descriptor, newName) == 0 else {
            throw .system("renaming \(name) to \(newName)")
        }
        try sync()
    }

    /// Removes a file and makes that durable; a file that does not exist is no error.
    /// - Throws: ``HostError``.
    public func remove(_ name: String) throws(HostError) {
        try check(name)
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw .system("removing \(name)") }
        try sync()
    }

    /// Makes the folder's names durable.
    /// - Throws: ``HostError``.
    public func sync() throws(HostError) {
        guard fsync(descriptor) == 0 else { throw .sync("fsync of a folder", errno) }
    }
}
