import ArgumentParser
import Bench
import Foundation
import Primitives

/// `entente replay`.
struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run real Ethereum blocks through a network, and compare with what Ethereum made of them.",
        discussion: """
            Each block's environment and pre-state are loaded, its signed transactions are executed in order as one batch, \
            and every node's result is compared: gas, per-transaction gas, bloom, state root, each change of the state, \
            and from Byzantium on status and receipts root. The network must allow replay in its genesis; one that is \
            started for this does. Exit code 0 when all blocks agree, 1 when one differs, 2 when a file or folder can't \
            be used, 3 when the network can't.
            """)
    @Argument(help: "Folder with blocks/*.json.gz or with such files; or files.")
    var paths: [String]
    @Flag(help: "Run on the EVM alone, without a network.")
    var local = false
    @Option(help: "Only files whose name contains this, or whose fork is called so.")
    var filter: String?
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var network: NetworkOptions

    func run() async throws {
        var files: [String] = []
        do {
            for path in paths { files += try ReplayFolder(path).paths }
        } catch {
            note("Error: \(error)")
            throw ExitCode(2)
        }
        let summary: ReplaySummary
        do {
            summary = local ? try await replayLocally(files) : try await replayThroughNetwork(files)
        } catch {
            note("Error: \(error)")
            throw ExitCode(3)
        }
        if json {
            print(String(decoding: summary.json.serialized(), as: UTF8.self))
        } else {
            print(summary.text, terminator: "")
        }
        if summary.verdicts.isEmpty, summary.unusable.isEmpty {
            note("Error: no file is left by --filter \(filter ?? "")")
        }
        if summary.exitCode != 0 { throw ExitCode(summary.exitCode) }
    }

    private func replayLocally(_ files: [String]) async throws -> ReplaySummary {
        let runner = LocalReplay()
        return try await replay(files, place: "EVM alone") { runner.run($0) }
    }

    private func replayThroughNetwork(_ files: [String]) async throws -> ReplaySummary {
        // Without a single usable file no network is needed to say so.
        guard files.contains(where: { (try? ReplayFolder.read($0)) != nil }) else {
            return try await replay(files, place: "no network") { throw UserError("\($0.name) became readable") }
        }
        return try await network.withNetwork(replay: true) { network in
            let runner = try NetworkReplay(network)
            defer { runner.close() }
            return try await replay(files, place: "\(network.nodes.count) nodes") { try await runner.run($0) }
        }
    }

    private func replay(
        _ files: [String], place: String, _ run: (ReplayFile) async throws -> ReplayVerdict
    ) async throws -> ReplaySummary {
        var summary = ReplaySummary(place: place)
        let screen = ReplayScreen(total: files.count, isQuiet: json)
        for (index, path) in files.enumerated() {
            let file: ReplayFile
            do {
                file = try ReplayFolder.read(path)
            } catch {
                if filter == nil || matches(path, fork: nil) {
                    summary.add(unusable: path, reason: "\(error)")
                    screen.show(index + 1, "\(path) can't be used")
                }
                continue
            }
            guard matches(file.name, fork: file.replay.forkName) else { continue }
            let verdict = try await run(file)
            summary.add(verdict)
            screen.show(
                index + 1,
                "block \(verdict.number) \(verdict.fork), \(verdict.transactions) tx: \(verdict.agrees ? "agrees" : "DIFFERS")"
            )
        }
        screen.end()
        return summary
    }

    private func matches(_ name: String, fork: String?) -> Bool {
        guard let filter else { return true }
        let file = name.split(separator: "/").last.map(String.init) ?? name
        return file.contains(filter) || fork?.lowercased() == filter.lowercased()
    }
}

/// Progress on standard error: a bar on a terminal, plain lines elsewhere.
private struct ReplayScreen {
    let bar: ProgressBar
    let isQuiet: Bool
    let isTerminal = isatty(STDERR_FILENO) == 1

    init(total: Int, isQuiet: Bool) {
        bar = ProgressBar(total: total)
        self.isQuiet = isQuiet
    }

    func show(_ done: Int, _ line: String) {
        if isTerminal {
            write("\r\u{1B}[K" + bar.line(done, line))
        } else if !isQuiet {
            write(line + "\n")
        }
    }

    func end() { if isTerminal { write("\r\u{1B}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
