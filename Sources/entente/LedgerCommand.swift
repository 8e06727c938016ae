import ArgumentParser
import Foundation
import Identity
import Ledger
import Primitives
import Store

/// `entente ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Verify, show and repair a ledger folder.",
        subcommands: [Verify.self, Show.self, Repair.self])

    /// The ledger folder that a path means, and its files; a node's data folder is taken for the ledger in it.
    static func files(_ path: String) throws -> (folder: String, names: [String]) {
        let manager = FileManager.default
        var folder = absolute(path)
        var isFolder: ObjCBool = false
        if manager.fileExists(atPath: folder + "/ledger", isDirectory: &isFolder), isFolder.boolValue {
            folder += "/ledger"
        }
        guard let names = try? manager.contentsOfDirectory(atPath: folder) else {
            throw UserError("\(path) is no folder that can be read")
        }
        guard names.contains(where: { ChunkName($0) != nil }) else {
            throw UserError("\(path) holds no ledger chunk (ledger_START…)")
        }
        return (folder, names)
    }

    /// The committed snapshots beside a ledger folder or in it, with the paths of their files.
    static func snapshots(_ folder: String) -> [SnapshotName: String] {
        var found: [SnapshotName: String] = [:]
        for place in [folder, (folder as NSString).deletingLastPathComponent + "/snapshots"] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] {
                if let snapshot = SnapshotName(name) { found[snapshot] = "\(place)/\(name)" }
            }
        }
        return found
    }

    /// Parses a snapshot file, however large.
    static func open(_ path: String) throws -> SnapshotFile {
        guard let file = FileHandle(forReadingAtPath: path) else { throw UserError("\(path) can't be read") }
        let size = try file.seekToEnd()
        return try SnapshotFile(byteCount: Int(clamping: size)) { offset, count in
            try file.seek(toOffset: UInt64(offset))
            return [UInt8](try file.read(upToCount: count) ?? Data())
        }
    }

    /// `entente ledger verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every entry, Merkle root, signature and certificate of a ledger.",
            discussion: """
                Exit code 0 when all is good up to the last signature, 1 when not. A ledger that does not reach back to its \
                first entry is verified from a snapshot on, which is looked for in the folder and in `snapshots` beside it.
                """)
        @Argument(help: "The ledger folder, or a node's data folder.")
        var folder: String
        @Option(help: "The network's certificate (PEM) that the ledger must end with.")
        var networkCertificate: String?
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let trusted = try networkCertificate.map { try X509Certificate(pem: readText($0)) }
            let (path, names) = try LedgerCommand.files(folder)
            let snapshots = LedgerCommand.snapshots(path)
            let report = LedgerVerifier.verify(
                files: names, trusted: trusted, snapshots: Array(snapshots.keys),
                openSnapshot: { try LedgerCommand.open(snapshots[$0] ?? "") }, read: { try readFile("\(path)/\($0)") })
            if json {
                let value: JSON = [
                    "good": .bool(report.isGood),
                    "last_verified": report.lastVerified.map { .string("\($0)") } ?? .null,
                    "entries": .integer(Int64(report.entryCount)), "signatures": .integer(Int64(report.signatureCount)),
                    "chunks": .integer(Int64(report.chunkCount)),
                    "starts_after": report.startsAfter.map { .string("\($0)") } ?? .null,
                    "unsigned_tail": .integer(Int64(report.unsignedTailCount)),
                    "empty_chunks": .array(report.emptyChunks.map { .string($0) }),
                    "fault": report.fault.map { .string("\($0)") } ?? .null,
                ]
                print(String(decoding: value.serialized(), as: UTF8.self))
            } else {
                if let id = report.startsAfter {
                    print("starts after  the snapshot at \(id), which has a good receipt")
                }
                print("chunks        \(report.chunkCount)")
                print("entries       \(report.entryCount)")
                print("signatures    \(report.signatureCount)")
                print("last verified \(report.lastVerified.map { "\($0)" } ?? "none")")
                if report.unsignedTailCount > 0 {
                    print("unsigned tail \(report.unsignedTailCount) entries after the last signature, not vouched for")
                }
                for name in report.emptyChunks {
                    print("empty chunk   \(name): without an entry, as a crash may leave it; nothing is lost")
                }
                if let fault = report.fault { print("FAULT         \(fault)") }
                print(report.isGood ? "good" : "NOT GOOD")
            }
            if !report.isGood { throw ExitCode(1) }
        }
    }

    /// `entente ledger show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the entries and their public maps.")
        @Argument(help: "The ledger folder, or a node's data folder.")
        var folder: String
        @Option(help: "First entry to show.")
        var from: UInt64 = 1
        @Option(help: "How many entries to show.")
        var count: Int = .max
        @Flag(help: "Show the values of public maps.")
        var values = false

        func run() throws {
            var left = count
            let print = Printer(from: from, values: values)
            let (path, names) = try LedgerCommand.files(folder)
            let chunks = names.compactMap { ChunkName($0) }.sorted { $0.start < $1.start }
            if let first = chunks.first?.start, first > 1 {
                Swift.print("the ledger begins with entry \(first)")
                for name in LedgerCommand.snapshots(path).keys.sorted() { Swift.print("beside it: \(name)") }
            }
            for chunk in chunks {
                let bytes = try readFile("\(path)/\(chunk.fileName)")
                var offset = 8
                while left > 0, let header = try? EntryHeader(bytes, at: offset) {
                    let end = offset + header.entryByteCount
                    let entry = try LedgerEntry(Array(bytes[offset..<end]), form: .ccf)
                    offset = end
                    guard header.id.seqno >= from else { continue }
                    print.show(entry)
                    left -= 1
                }
            }
        }
    }

    private struct Printer {
        let from: UInt64
        let values: Bool

        func show(_ entry: LedgerEntry) {
            let kind = entry.kind == .signature ? "signature" : "data"
            Swift.print("\(entry.id)  \(kind)  \(entry.bytes.count) bytes, \(entry.privateDomain.count) private")
            for map in entry.tables.maps {
                Swift.print("    \(map.name): \(map.writes.count) written, \(map.removes.count) removed")
                guard values else { continue }
                for write in map.writes { Swift.print("        \(text(write.key)) = \(text(write.value))") }
            }
        }

        private func text(_ bytes: [UInt8]) -> String {
            if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A }) {
                return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
            }
            return "0x" + Hex.encode(bytes.count > 64 ? Array(bytes[..<64]) : bytes) + (bytes.count > 64 ? "…" : "")
        }
    }
}

/// `entente receipt`.
struct ReceiptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Verify receipts.", subcommands: [Verify.self])

    /// `entente receipt verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a receipt, in JSON or COSE form.", discussion: "Exit code 0 when it is good, 1 when not.")
        @Argument(help: "The receipt.")
        var file: String
        @Option(help: "The network's certificate, PEM.")
        var networkCertificate: String

        func run() throws {
            let bytes = try readFile(file)
            let service = try X509Certificate(pem: readText(networkCertificate))
            do {
                let id: TransactionID?
                let batch: BatchProof?
                if bytes.first == UInt8(ascii: "{") {
                    let receipt = try Receipt(json: bytes)
                    try receipt.verify(service: service)
                    (id, batch) = (receipt.id, receipt.batch)
                } else {
                    let receipt = try CoseReceipt(bytes)
                    try receipt.verify(service: service.publicKey)
                    (id, batch) = (receipt.id, receipt.batch)
                }
                let place = batch.map { ".\($0.index)" } ?? ""
                print("good: transaction \(id.map { "\($0)" } ?? "a signature entry")\(place)")
            } catch {
                print("NOT GOOD: \(error)")
                throw ExitCode(1)
            }
        }
    }
}
