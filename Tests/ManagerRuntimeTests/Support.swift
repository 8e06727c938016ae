import Consensus
import Glibc
import Host
import Ledger
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization
import Testing

/// A fresh folder, removed with the object.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/entente-runtime-XXXXXX".utf8CString)
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

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// What came from another thread, in order, to be waited for.
final class Heard<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    var all: [Value] { values.withLock { $0 } }
    func add(_ value: Value) { values.withLock { $0.append(value) } }

    /// Waits, not for ever, until something of what came satisfies `condition`.
    func first(where condition: (Value) -> Bool) async -> Value? {
        for _ in 0..<10_000 {
            if let found = all.first(where: condition) { return found }
            try? await Task.sleep(for: .milliseconds(1))
        }
        return nil
    }
}

/// Entries as a leader makes them.
enum TestEntries {
    /// Every tenth is a signature entry, by its maps alone: chunks end there.
    static func signed(_ seqnos: ClosedRange<UInt64>, size: Int) throws -> [LogEntry] {
        try make(seqnos, size: size) { $0 % 10 == 0 }
    }

    static func make(
        _ seqnos: ClosedRange<UInt64>, view: UInt64 = 2, size: Int = 40, isSignature: (UInt64) -> Bool = { _ in false }
    ) throws -> [LogEntry] {
        let cipher = try EntryCipher(
            session: SessionKey(epoch: 1, bytes: [UInt8](repeating: 7, count: 32)), networkID: Array("n".utf8),
            leadership: Leadership(
                epoch: 1, view: view, nodeID: [UInt8](repeating: 0, count: 32),
                bootNonce: [UInt8](repeating: 1, count: 16)))
        return try seqnos.map { seqno in
            let writes = WriteSet([
                MapWrites(
                    name: isSignature(seqno) ? Tables.signatures : "public:test",
                    writes: [.init(key: [1], value: [UInt8](repeating: 5, count: size))])
            ])
            let entry = try cipher.publicEntry(
                EntryContents(id: TransactionID(view: view, seqno: seqno), tables: writes))
            return LogEntry(view: view, seqno: seqno, kind: .data, bytes: entry.bytes)
        }
    }
}
