internal import Crypto
internal import Glibc

/// The measurement of an executable on the `software` platform: SHA-256 over the digests of the executable, of its
/// program loader and of each library it loads.
///
/// Digest input: the text "entente software measurement v1" and a zero byte; the executable's SHA-256; then, sorted by
/// name, for each library and the loader: `u32` length of the name (little-endian), the name as the executable asks
/// for it, the file's SHA-256. Paths don't enter, so the same files measure the same on every machine.
public struct Measurement: Hashable, Sendable {
    /// A file that was measured.
    public struct Part: Hashable, Sendable {
        /// Name by which it is asked for.
        public let name: String
        /// Where it was found; not part of the digest.
        public let path: String
        /// SHA-256 of its content.
        public let digest: [UInt8]
        let device: UInt64
        let inode: UInt64
    }

    /// The measurement, 32 bytes.
    public let digest: [UInt8]
    /// The executable.
    public let executable: Part
    /// The libraries and the program loader, sorted by name.
    public let libraries: [Part]

    private static let systemFolders = [
        "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
        "/lib64", "/usr/lib64", "/lib", "/usr/lib",
    ]
    private static let librariesMax = 256

    /// Measures the executable at `path`, and gives it open, so that the file that runs is the file that was read.
    /// - Throws: ``HostError``; a library that can't be found is one.
    public static func take(path: String) throws(HostError) -> (measurement: Measurement, executable: File) {
        let file = try openFile(path)
        let elf = try ELFFile(file)
        let executable = try part(name: "executable", path: path, file: file)
        var found: [String: Part] = [:]
        var pending: [(name: String, searchPath: [String])] = elf.needed.map { ($0, folders(elf, path)) }
        if let interpreter = elf.interpreter {
            let name = interpreter.split(separator: "/").last.map(String.init) ?? interpreter
            found[name] = try part(name: name, path: interpreter, file: openFile(interpreter))
        }
        while let (name, searchPath) = pending.popLast() {
            guard found[name] == nil else { continue }
            guard found.count < librariesMax else { throw .corrupt("\(path) needs too many libraries") }
            let (place, library) = try locate(name, searchPath, for: path)
            found[name] = try part(name: name, path: place, file: library)
            let inner = try ELFFile(library)
            for next in inner.needed { pending.append((next, folders(inner, place) + searchPath)) }
        }
        let libraries = found.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return (Measurement(executable: executable, libraries: libraries), file)
    }

    private init(executable: Part, libraries: [Part]) {
        self.executable = executable
        self.libraries = libraries
        digest = Self.digest(executable: executable.digest, libraries: libraries.map { ($0.name, $0.digest) })
    }

    /// The digest of parts, as documented at ``Measurement``; `libraries` sorted by name.
    public static func digest(executable: [UInt8], libraries: [(name: String, digest: [UInt8])]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("entente software measurement v1".utf8) + [0])
        hash.update(data: executable)
        for (name, digest) in libraries {
            let name = Array(name.utf8)
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: name.count).littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: name)
            hash.update(data: digest)
        }
        return Array(hash.finalize())
    }

    /// Checks that every file that process `process` has mapped for execution is one that was measured.
    /// - Throws: ``HostError`` naming the first one that was not.
    func check(process: pid_t) throws(HostError) {
        let maps = try Directory(path: "/proc/\(process)").readAll("maps", limit: 16 << 20)
        let known = Set((libraries + [executable]).map { [$0.device, $0.inode] })
        for line in maps.split(separator: 0x0a) {
            // address permissions offset device inode path
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1].contains("x"), fields[5].drop(while: { $0 == " " }).hasPrefix("/") else {
                continue
            }
            let numbers = fields[3].split(separator: ":").compactMap { UInt64($0, radix: 16) }
            guard numbers.count == 2, let inode = UInt64(fields[4]) else { continue }
            let device = Self.device(major: numbers[0], minor: numbers[1])
            guard known.contains([device, inode]) else {
                throw .platform("the process runs code that was not measured: \(fields[5])")
            }
        }
    }

    /// As glibc's `gnu_dev_makedev`.
    private static func device(major: UInt64, minor: UInt64) -> UInt64 {
        (major & 0xfff) << 8 | (major & 0xffff_f000) << 32 | (minor & 0xff) | (minor & 0xffff_ff00) << 12
    }

    private static func part(name: String, path: String, file: File) throws(HostError) -> Part {
        var hash = SHA256()
        var offset = 0
        while true {
            let bytes = try file.read(at: offset, count: 1 << 20)
            if bytes.isEmpty { break }
            hash.update(data: bytes)
            offset += bytes.count
        }
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else { throw .system("looking at \(path)") }
        return Part(
            name: name, path: path, digest: Array(hash.finalize()), device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino))
    }

    private static func folders(_ elf: ELFFile, _ path: String) -> [String] {
        let origin = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return elf.searchPath.map { folder in
            for name in ["$ORIGIN", "${ORIGIN}"] where folder.hasPrefix(name) {
                return origin + folder.dropFirst(name.count)
            }
            return folder
        }
    }

    private static func locate(
        _ name: String, _ searchPath: [String], for path: String
    ) throws(HostError) -> (path: String, file: File) {
        if name.utf8.contains(UInt8(ascii: "/")) { return (name, try openFile(name)) }
        for folder in searchPath + systemFolders {
            do throws(HostError) {
                return ("\(folder)/\(name)", try openFile("\(folder)/\(name)"))
            } catch {
                guard error.isNotFound || error.errorNumber == ENOTDIR else { throw error }
            }
        }
        throw .configuration("\(path) needs \(name), which is in none of the usual folders")
    }

    private static func openFile(_ path: String) throws(HostError) -> File {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening \(path)") }
        return File(descriptor: descriptor, name: path)
    }
}
