import FoundationEssentials
import Identity
import Ledger
import Testing

/// Ledgers that CCF itself wrote, in the shared data folder.
enum SharedLedgers {
    static let names = ["acme_containing_service", "cose_flipflop_service", "eol_service"]

    static let root =
        (ProcessInfo.processInfo.environment["ENTENTE_SHARED_DATA"] ?? "../shared/data") + "/ccf-ledgers"

    static var areThere: Bool { FileManager.default.fileExists(atPath: root) }

    static func files(_ name: String) throws -> [String: [UInt8]] {
        let folder = "\(root)/\(name)/ledger"
        var files: [String: [UInt8]] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            files[file] = [UInt8](data)
        }
        return files
    }

    static func service(_ name: String) throws -> X509Certificate {
        let data = FileManager.default.contents(atPath: "\(root)/\(name)/service_cert.pem") ?? Data()
        return try X509Certificate(pem: String(decoding: data, as: UTF8.self))
    }

    static func verify(_ files: [String: [UInt8]], trusted: X509Certificate? = nil) -> LedgerReport {
        LedgerVerifier.verify(files: Array(files.keys), trusted: trusted) { files[$0] ?? [] }
    }
}

@Suite(.enabled(if: SharedLedgers.areThere, "no CCF ledgers at \(SharedLedgers.root)"))
struct SharedLedgerTests {
    /// What PyPI ccf 7.0.22 says at its full level: over all files, and over committed chunks.
    @Test(arguments: [
        ("acme_containing_service", "2.22", "2.20", 22, 8), ("cose_flipflop_service", "2.46", "2.46", 46, 23),
        ("eol_service", "10.500", "10.493", 500, 85),
    ]) func agreesWithTheIndependentReader(
        name: String, last: String, committed: String, entries: Int, signatures: Int
    ) throws {
        let report = SharedLedgers.verify(try SharedLedgers.files(name), trusted: try SharedLedgers.service(name))
        #expect(report.fault == nil, "\(report.fault?.description ?? "")")
        #expect(report.lastVerified?.description == last)
        #expect(report.lastCommitted?.description == committed)
        #expect(report.entryCount == entries)
        #expect(report.signatureCount == signatures)
        #expect(report.unsignedTailCount == 0)
        #expect(!report.isEntente)
        #expect(report.serviceStatus == .open)
    }

    /// Bits before the last signature entry, at sampled places; those in that entry are covered by no root, and CCF
    /// alone could check its tag.
    @Test(arguments: [("acme_containing_service", 100), ("cose_flipflop_service", 60), ("eol_service", 12)])
    func findsFlippedBits(name: String, count: Int) throws {
        let files = try SharedLedgers.files(name)
        var random = SplitMix(state: 7)
        let last = try #require(files.keys.max { (ChunkName($0)?.start ?? 0) < (ChunkName($1)?.start ?? 0) })
        for _ in 0..<count {
            let file = try #require(files.keys.sorted().randomElement(using: &random))
            var bytes = try #require(files[file])
            let end = file == last ? try lastEntryOffset(bytes) : bytes.count
            let bit = Int.random(in: 0..<end * 8, using: &random)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            var damaged = files
            damaged[file] = bytes
            #expect(!SharedLedgers.verify(damaged).isGood, "bit \(bit) of \(file)")
        }
    }

    @Test func refusesAnotherService() throws {
        let files = try SharedLedgers.files("acme_containing_service")
        let report = SharedLedgers.verify(files, trusted: try SharedLedgers.service("eol_service"))
        #expect(report.fault?.error == .untrusted(""))
    }

    private func lastEntryOffset(_ bytes: [UInt8]) throws -> Int {
        var offset = ChunkLayout.headerByteCount
        let end = ChunkLayout.tableOffset(bytes).flatMap { $0 == 0 ? nil : Int($0) } ?? bytes.count
        while true {
            let next = try offset + EntryHeader(bytes, at: offset).entryByteCount
            if next >= end { return offset }
            offset = next
        }
    }
}
