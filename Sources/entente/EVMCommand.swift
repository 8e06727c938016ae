import ArgumentParser
import Conformance
import EVM
import EthereumAdapter
import Foundation
import Primitives
import Synchronization

/// `entente evm`.
struct EVMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evm", abstract: "Run the Ethereum virtual machine and its public tests.",
        subcommands: [StateTests.self])

    /// `entente evm statetest`.
    struct StateTests: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "statetest",
            abstract:
                "Run public Ethereum test files: state, transaction, blockchain, VM, RLP, trie and precompile tests.",
            discussion: """
                A file's shape says what it tests. Archives (.tar, .tar.gz, .tar.xz) are unpacked by tar into a temporary
                folder. Exit code 0 when every case that applies passes, 1 when one does not.
                """)
        @Argument(help: "Files, folders with .json files, or archives of such folders.")
        var paths: [String]
        @Option(help: "Run only files whose path contains this text.")
        var filter: String?
        @Option(help: "Run only the cases of one fork, as the files call it (Frontier … Osaka).")
        var fork: String?
        @Option(help: "Files run at a time.")
        var jobs = ProcessInfo.processInfo.activeProcessorCount
        @Flag(help: "Print JSON: the counts, and each case that failed.")
        var json = false

        func validate() throws {
            if let fork, Fork(caseName: fork) == nil { throw ValidationError("no fork is called \(fork)") }
            guard (1...256).contains(jobs) else { throw ValidationError("--jobs is from 1 to 256") }
        }

        func run() throws {
            let sources = try paths.map { try TestSource($0) }
            defer { sources.forEach { $0.remove() } }
            let files = sources.flatMap(\.files).filter { filter.map($0.label.contains) ?? true }
            guard !files.isEmpty else { throw UserError("no test file (*.json) is among these paths") }
            let summary = TestSummary.run(files, fork: fork.flatMap { Fork(caseName: $0) }, jobs: jobs)
            print(json ? String(decoding: summary.json.serialized(), as: UTF8.self) : summary.text)
            if !summary.failures.isEmpty { throw ExitCode(1) }
        }
    }
}

/// What a path on the command line holds.
private struct TestSource {
    /// A file to run, and what it is called in reports.
    struct File: Sendable {
        let path: String
        let label: String
    }

    let files: [File]
    /// Temporary folders of archives.
    private let unpacked: [String]

    init(_ path: String) throws {
        let full = absolute(path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) else {
            throw UserError("\(path): no such file or folder")
        }
        if isFolder.boolValue {
            // A folder of archives is run as if they were unpacked in it.
            let archives = try FileManager.default.contentsOfDirectory(atPath: full).filter(Self.isArchive).sorted()
            var found = Self.jsonFiles(full)
            var folders: [String] = []
            for archive in archives {
                let folder = try Self.unpack(full + "/" + archive)
                folders.append(folder)
                found += Self.jsonFiles(folder).map { File(path: $0.path, label: archive + "/" + $0.label) }
            }
            files = found
            unpacked = folders
        } else if Self.isArchive(full) {
            let folder = try Self.unpack(full)
            unpacked = [folder]
            files = Self.jsonFiles(folder)
        } else {
            unpacked = []
            files = [File(path: full, label: path)]
        }
    }

    func remove() {
        for folder in unpacked { try? FileManager.default.removeItem(atPath: folder) }
    }

    private static func isArchive(_ path: String) -> Bool {
        [".tar", ".tar.gz", ".tgz", ".tar.xz"].contains { path.hasSuffix($0) }
    }

    private static func jsonFiles(_ folder: String) -> [File] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".json") && !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
            .sorted()
            .map { File(path: folder + "/" + $0, label: $0) }
    }

    private static func unpack(_ archive: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "entente-evm-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "xf", archive, "-C", folder, "--no-same-owner"]
        try tar.run()
        tar.waitUntilExit()
        guard tar.terminationStatus == 0 else { throw UserError("tar can't unpack \(archive)") }
        return folder
    }
}

/// What became of many files.
private struct TestSummary: Sendable {
    struct Row: Hashable, Comparable {
        let kind: TestFile.Kind
        let fork: Fork?

        static func < (left: Row, right: Row) -> Bool {
            if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
            return (left.fork.map { Int($0.rawValue) } ?? -1) < (right.fork.map { Int($0.rawValue) } ?? -1)
        }
    }
    struct Counts {
        var passed = 0
        var failed = 0
        var notApplicable = 0
    }

    private(set) var rows: [Row: Counts] = [:]
    private(set) var reasons: [String: Int] = [:]
    private(set) var failures: [(file: String, name: String, fork: Fork?, problem: String)] = []
    private var fileCount = 0

    static func run(_ files: [TestSource.File], fork: Fork?, jobs: Int) -> TestSummary {
        let shared = Mutex((summary: TestSummary(), next: 0, told: 0))
        let showsProgress = isatty(STDERR_FILENO) == 1
        DispatchQueue.concurrentPerform(iterations: min(jobs, files.count)) { _ in
            while let index = shared.withLock({ state -> Int? in
                guard state.next < files.count else { return nil }
                defer { state.next += 1 }
                return state.next
            }) {
                let part = TestSummary(of: files[index], fork: fork)
                let (done, failed) = shared.withLock { state in
                    state.summary.merge(part)
                    return (state.summary.fileCount, state.summary.failures.count)
                }
                if showsProgress, done % 20 == 0 || done == files.count {
                    FileHandle.standardError.write(
                        Data("\r\(done) of \(files.count) files, \(failed) failures ".utf8))
                }
            }
        }
        if showsProgress { note("") }
        return shared.withLock { state in
            state.summary.failures.sort { ($0.file, $0.name) < ($1.file, $1.name) }
            return state.summary
        }
    }

    private init() {}

    private init(of file: TestSource.File, fork: Fork?) {
        fileCount = 1
        do {
            let name = file.label.split(separator: "/").last.map(String.init) ?? file.label
            let test = try TestFile(readFile(file.path), name: name)
            try test.run(fork: fork) { outcome in
                let row = Row(kind: test.kind, fork: outcome.fork)
                switch outcome.verdict {
                case .passed: rows[row, default: Counts()].passed += 1
                case .notApplicable(let why):
                    rows[row, default: Counts()].notApplicable += 1
                    reasons[why, default: 0] += 1
                case .failed(let problem):
                    rows[row, default: Counts()].failed += 1
                    failures.append((file.label, outcome.name, outcome.fork, problem))
                }
            }
        } catch {
            failures.append((file.label, "", nil, "can't be run: \(error)"))
        }
    }

    private mutating func merge(_ other: TestSummary) {
        fileCount += other.fileCount
        for (row, counts) in other.rows {
            rows[row, default: Counts()].passed += counts.passed
            rows[row, default: Counts()].failed += counts.failed
            rows[row, default: Counts()].notApplicable += counts.notApplicable
        }
        for (reason, count) in other.reasons { reasons[reason, default: 0] += count }
        failures += other.failures
    }

    var text: String {
        var lines = [Self.line("suite", "fork", "passed", "failed", "not applicable")]
        var all = Counts()
        for row in rows.keys.sorted() {
            let counts = rows[row] ?? Counts()
            lines.append(
                Self.line(
                    row.kind.rawValue, row.fork.map { "\($0)" } ?? "", "\(counts.passed)", "\(counts.failed)",
                    counts.notApplicable == 0 ? "" : "\(counts.notApplicable)"))
            all.passed += counts.passed
            all.failed += counts.failed
            all.notApplicable += counts.notApplicable
        }
        lines.append(
            Self.line("all", "\(fileCount) files", "\(all.passed)", "\(all.failed)", "\(all.notApplicable)"))
        for reason in reasons.keys.sorted() { lines.append("not applicable, \(reasons[reason] ?? 0): \(reason)") }
        if !failures.isEmpty { lines.append("") }
        for failure in failures.prefix(50) {
            lines.append(
                "FAILED \(failure.file) \(failure.name) \(failure.fork.map { "\($0)" } ?? ""): \(failure.problem)")
        }
        if failures.count > 50 { lines.append("and \(failures.count - 50) more") }
        return lines.joined(separator: "\n")
    }

    private static func line(_ suite: String, _ fork: String, _ numbers: String...) -> String {
        func left(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        func right(_ text: String) -> String { String(repeating: " ", count: max(1, 15 - text.count)) + text }
        return left(suite, 20) + left(fork, 18) + numbers.map(right).joined()
    }

    var json: JSON {
        let suites = rows.keys.sorted().map { row -> JSON in
            let counts = rows[row] ?? Counts()
            return [
                "suite": .string(row.kind.rawValue), "fork": row.fork.map { .string("\($0)") } ?? .null,
                "passed": .integer(Int64(counts.passed)), "failed": .integer(Int64(counts.failed)),
                "notApplicable": .integer(Int64(counts.notApplicable)),
            ]
        }
        let failed = failures.map { failure -> JSON in
            [
                "file": .string(failure.file), "name": .string(failure.name),
                "fork": failure.fork.map { .string("\($0)") } ?? .null, "problem": .string(failure.problem),
            ]
        }
        return ["files": .integer(Int64(fileCount)), "suites": .array(suites), "failures": .array(failed)]
    }
}
