import ArgumentParser
import Foundation
import Identity
import Ledger
import Primitives

extension LedgerCommand {
    /// `entente ledger repair`.
    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch what is damaged or missing in a stopped node's ledger.",
            discussion: """
                Every committed chunk is verified by the signatures in it. One that is not what it must be is set aside as \
                NAME.damaged; what is missing is fetched from other ledger folders (--from) or from nodes (--node), verified \
                in the same way, whoever it comes from, and put in its place. Signed entries that others have behind the \
                end are added. In the end the whole ledger is verified as by `entente ledger verify`.

                Exit code 0 when the ledger is whole, 1 when something is still missing or wrong, 2 when --dry-run finds \
                something that a run without it would mend.
                """)
        @Argument(help: "The ledger folder, or a node's data folder. The node must not run.")
        var folder: String
        @Option(help: "A ledger or data folder to take entries from; may be given several times.")
        var from: [String] = []
        @Option(
            help: "A node to take entries from: its application or administration listener, host:port; may be repeated."
        )
        var node: [String] = []
        @Option(help: "With --node: an actor's certificate, PEM.")
        var certificate: String?
        @Option(help: "With --node: the actor's key, PEM.")
        var key: String?
        @Option(help: "The network's certificate, PEM; by default network.pem of the data folder.")
        var networkCertificate: String?
        @Flag(help: "Change nothing; say what would be done.")
        var dryRun = false
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard node.isEmpty || (certificate != nil && key != nil) else {
                throw ValidationError("--node needs --certificate and --key.")
            }
        }

        func run() async throws {
            let path = try Self.ledger(folder)
            if !dryRun { try Self.checkStopped(path) }
            let service = try service(beside: path)
            let (sources, close) = try sources(service)
            defer { close() }
            var repair = try LedgerRepair(
                LedgerFolder(path, isReadOnly: dryRun), service: service, sources: sources)
            try await repair.run()
            let snapshots = LedgerCommand.snapshots(path)
            let storage = repair.files.storage
            let report = LedgerVerifier.verify(
                files: try storage.list(), trusted: service, snapshots: Array(snapshots.keys),
                openSnapshot: { try LedgerCommand.open(snapshots[$0] ?? "") },
                read: { try storage.read($0, at: 0, count: storage.size(of: $0)) })
            show(repair, report)
            if !report.isGood || !repair.isWhole { throw ExitCode(1) }
            if dryRun, !repair.findings.isEmpty { throw ExitCode(2) }
        }

        /// The ledger folder that a path means, which may have no chunk left.
        private static func ledger(_ path: String) throws -> String {
            let folder = absolute(path)
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: folder + "/ledger", isDirectory: &isFolder), isFolder.boolValue {
                return folder + "/ledger"
            }
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw UserError("\(path) is no folder")
            }
            return folder
        }

        /// Two that write the same files would spoil them.
        private static func checkStopped(_ ledger: String) throws {
            let file = (ledger as NSString).deletingLastPathComponent + "/manager.pid"
            guard let text = try? readText(file),
                let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)),
                let name = try? readText("/proc/\(process)/comm"), name.hasPrefix("entente")
            else { return }
            throw UserError("the node runs (process \(process)): stop it first, or look with --dry-run")
        }

        private func service(beside ledger: String) throws -> X509Certificate {
            let beside = (ledger as NSString).deletingLastPathComponent + "/network.pem"
            guard let path = networkCertificate ?? (FileManager.default.fileExists(atPath: beside) ? beside : nil)
            else {
                throw UserError("name the network's certificate with --network-certificate")
            }
            return try X509Certificate(pem: readText(path))
        }

        private func sources(_ service: X509Certificate) throws -> ([any LedgerSource], () -> Void) {
            var sources: [any LedgerSource] = try from.map { try FolderSource($0) }
            guard let certificate, let key, !node.isEmpty else { return (sources, {}) }
            let client = try NodeClient(
                certificate: readFile(certificate), key: readFile(key), networkCertificate: Array(service.pem.utf8))
            sources += node.map { NodeSource(name: $0, client: client) }
            return (sources, { client.close() })
        }

        private func show(_ repair: LedgerRepair, _ report: LedgerReport) {
            if json {
                let findings = repair.findings.map { finding -> JSON in
                    [
                        "first": .integer(Int64(clamping: finding.first)),
                        "last": finding.last.map { .integer(Int64(clamping: $0)) } ?? .null,
                        "problem": .string(finding.problem), "source": finding.source.map { .string($0) } ?? .null,
                    ]
                }
                let value: JSON = [
                    "whole": .bool(report.isGood && repair.isWhole), "dry_run": .bool(dryRun),
                    "findings": .array(findings), "notes": .array(repair.notes.map { .string($0) }),
                    "last_verified": report.lastVerified.map { .string("\($0)") } ?? .null,
                    "fault": report.fault.map { .string("\($0)") } ?? .null,
                ]
                return print(String(decoding: value.serialized(), as: UTF8.self))
            }
            for note in repair.notes { print("note     \(note)") }
            for finding in repair.findings {
                let range = "entries \(finding.first) to \(finding.last.map(String.init) ?? "the end")"
                print("\(range): \(finding.problem)")
                let done = dryRun ? "can be fetched from" : "fetched from"
                print("         \(finding.source.map { "\(done) \($0)" } ?? "NOBODY HAS THEM")")
            }
            if repair.findings.isEmpty { print("nothing is missing") }
            print("last verified \(report.lastVerified.map { "\($0)" } ?? "none")")
            if let fault = report.fault { print("FAULT    \(fault)") }
            print(report.isGood && repair.isWhole ? (dryRun ? "can be made whole" : "whole") : "NOT WHOLE")
        }
    }
}
