import Glibc
import Primitives

/// The shared archives of official tests, unpacked once a process into a folder of their own.
enum Archives {
    /// Where shared data lies: `ENTENTE_SHARED_DATA`, or beside the package.
    static var shared: String {
        if let path = getenv("ENTENTE_SHARED_DATA") { return String(cString: path) }
        var parts = #filePath.split(separator: "/")
        parts.removeLast(4)
        return "/" + parts.joined(separator: "/") + "/shared/data"
    }

    /// The folder of an unpacked archive; nil, after saying so, where the data is absent.
    static func folder(_ name: String) -> String? {
        let archive = "\(shared)/evm-tests/\(name).tar.xz"
        guard access(archive, R_OK) == 0 else {
            print("skipped: no \(archive)")
            return nil
        }
        var template = Array(("/tmp/entente-evm-tests-" + String(repeating: "X", count: 6)).utf8CString)
        guard let made = mkdtemp(&template) else { return nil }
        let folder = String(cString: made)
        return spawn(["tar", "xf", archive, "-C", folder]) ? folder : nil
    }

    static func remove(_ folder: String) { _ = spawn(["rm", "-rf", folder]) }

    /// All `.json` files below a folder, in order of their names.
    static func files(_ folder: String) -> [String] {
        var found: [String] = []
        var open = [folder]
        while let path = open.popLast() {
            guard let directory = opendir(path) else { continue }
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name == "." || name == ".." { continue }
                if entry.pointee.d_type == UInt8(DT_DIR) {
                    open.append(path + "/" + name)
                } else if name.hasSuffix(".json") {
                    found.append(path + "/" + name)
                }
            }
            closedir(directory)
        }
        return found.sorted()
    }

    static func read(_ path: String) throws -> JSON {
        guard let file = fopen(path, "rb") else { throw FixtureError(description: "can't open \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try JSON(parsing: bytes)
    }

    private static func spawn(_ arguments: [String]) -> Bool {
        var pid: pid_t = 0
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        guard posix_spawnp(&pid, arguments[0], nil, nil, &pointers, environ) == 0 else { return false }
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid && status == 0
    }
}
