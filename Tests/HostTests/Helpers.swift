import Glibc
import Host
import Testing

/// A fresh folder, removed with the object.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/entente-host-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HostError.system("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if let directory = try? Directory(path: path), let names = try? directory.list() {
            for name in names where unlinkat(directory.descriptor, name, 0) != 0 { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }

    func directory() throws -> Directory { try Directory(path: path) }
}

/// The helper process of these tests, with the socket on which it answers.
final class Probe {
    let child: ChildProcess
    let socket: CInt
    private var unread: [UInt8] = []

    /// Path of the helper, which is built beside the test program.
    static func path() throws -> String {
        var own = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &own, own.count - 1)
        let path = String(decoding: own[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex) + "/SandboxProbe"
    }

    init(_ arguments: [String], descriptors: [CInt] = []) throws {
        let path = try Self.path()
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw HostError.system("opening \(path)") }
        let (ours, theirs) = try Descriptor.streamPair()
        defer { close(theirs) }
        child = try ChildProcess(
            executable: File(descriptor: opened, name: path), arguments: [path] + arguments, environment: [],
            descriptors: [theirs] + descriptors, diesWithThread: false)
        socket = ours
    }

    deinit { close(socket) }

    /// The next line it says; nil when it has ended, or says nothing for a long time.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: 0x0a) {
                defer { unread.removeSubrange(...end) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 20_000) > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(socket, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            unread += bytes[..<count]
        }
    }

    /// All lines until it ends.
    func lines() -> [String] {
        var lines: [String] = []
        while let line = line() { lines.append(line) }
        return lines
    }

    /// Skips lines until one begins with `prefix`.
    func line(beginning prefix: String) -> String? {
        while let line = line() { if line.hasPrefix(prefix) { return line } }
        return nil
    }

    /// Waits for its end.
    func end() -> ProcessEnd? {
        var entry = pollfd(fd: child.watch, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 20_000) > 0 else { return nil }
        return child.poll()
    }
}

/// A reproducible source of bytes for malformed input (SplitMix64).
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
