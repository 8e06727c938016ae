import ArgumentParser
import Dispatch
import Foundation
import Synchronization

/// The command line. Commands that only wait for a child process run on the main thread, before any other is started, so
/// that signals come to them alone; the others run as tasks.
@main
enum Program {
    static func main() {
        do {
            var command = try Entente.parseAsRoot()
            guard let task = command as? any AsyncParsableCommand else { return try command.run() }
            run(task)
        } catch {
            Entente.exit(withError: error)
        }
    }

    private static func run(_ command: any AsyncParsableCommand) {
        let box = CommandBox(command)
        Task.detached {
            do {
                try await box.run()
                Entente.exit()
            } catch {
                Entente.exit(withError: error)
            }
        }
        dispatchMain()
    }

    /// Carries a parsed command to its task; nobody else touches it after that.
    private final class CommandBox: @unchecked Sendable {
        private var command: any AsyncParsableCommand
        init(_ command: any AsyncParsableCommand) { self.command = command }
        func run() async throws { try await command.run() }
    }
}

/// The root command.
struct Entente: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entente",
        abstract:
            "A confidential consortium ledger: organisations that do not trust one another run one ledger together.",
        version: "0.1.0",
        subcommands: [
            Up.self, Node.self, Genesis.self, ConstitutionCommand.self, Actor.self, Member.self, GovernanceCommand.self,
            GatewayCommand.self, Network.self,
            LedgerCommand.self, ReceiptCommand.self, Attest.self, EVMCommand.self, Replay.self, Bench.self,
            Simulate.self,
        ])
}

/// A mistake of the user, in words that say what to do.
struct UserError: Error, CustomStringConvertible, LocalizedError {
    let description: String
    init(_ description: String) { self.description = description }
    var errorDescription: String? { description }
}

/// Reads a file as bytes, or says which one could not be read.
func readFile(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw UserError("can't read \(path)") }
    return [UInt8](data)
}

/// Reads a file as text.
func readText(_ path: String) throws -> String {
    guard let text = String(validating: try readFile(path), as: UTF8.self) else {
        throw UserError("\(path) is not UTF-8 text")
    }
    return text
}

/// Writes a file, for its owner only when it is secret.
func writeFile(_ path: String, _ bytes: [UInt8], secret: Bool = false) throws {
    let attributes: [FileAttributeKey: Any] = secret ? [.posixPermissions: 0o600] : [:]
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: attributes) else {
        throw UserError("can't write \(path)")
    }
}

extension Process {
    /// Starts the process with no signal blocked: threads of the pool have all of them blocked, and a child inherits that.
    func runUnblocked() throws {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}

/// Writes a line to standard error.
func note(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
}
