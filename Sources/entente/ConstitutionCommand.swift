import ArgumentParser
import Constitution
import Foundation
import Host
import NodeConfiguration
import Primitives

/// `entente constitution`.
struct ConstitutionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "constitution",
        abstract: "Read, check, compare and try constitutions; all of it without a network.",
        discussion: "A FILE is a genesis file, or the genesis YAML that it is made from.",
        subcommands: [Show.self, Check.self, Difference.self, Simulate.self, Policies.self])

    /// The document in a file, not validated where it is a YAML.
    static func document(_ path: String) throws -> ConstitutionDocument {
        let bytes = try readFile(path)
        if bytes.starts(with: Array("entente genesis".utf8)) { return try Constitution(genesis: bytes).document }
        return try GenesisDocument(path: absolute(path)).document
    }

    static func printJSON(_ json: JSON) { print(String(decoding: json.serialized(), as: UTF8.self)) }

    /// `entente constitution show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a constitution as one readable document.")
        @Argument(help: "A genesis file or genesis YAML.")
        var file: String
        @Flag(help: "Print JSON instead of YAML.")
        var json = false

        func run() throws {
            let constitution = try Constitution(genesis: ConstitutionCommand.document(file))
            let document = constitution.document
            if json { return ConstitutionCommand.printJSON(document.json) }
            print("# Network id \(constitution.networkID)")
            print(
                "# \(document.members.count) members, \(document.participants.count) participants, \(document.nodes.count) VNs"
            )
            print("# Who decides what:")
            print("#   standard: \(document.voting.standard.words)")
            for exception in document.voting.exceptions {
                print("#   \(exception.action.rawValue): \(exception.policy.words)")
            }
            print(YAMLText.text(document.json), terminator: "")
        }
    }

    /// `entente constitution check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find policies that can never pass, lock everyone out, or are dominated by others.",
            discussion: "Exit code 0 when there is no error; warnings don't count.")
        @Argument(help: "A genesis file or genesis YAML.")
        var file: String
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let document = try ConstitutionCommand.document(file)
            let findings = PolicyCheck(document).findings()
            let policies = Set(findings.map(\.path))
            let others = document.problems().filter { !policies.contains($0.path) }
            if json {
                let rows =
                    findings.map { Self.row($0.severity.rawValue, $0.path, $0.reason) }
                    + others.map { Self.row("error", $0.path, $0.reason) }
                ConstitutionCommand.printJSON(["findings": .array(rows)])
            } else {
                for finding in findings { print(finding) }
                for problem in others { print("error: \(problem)") }
                let isFine = findings.isEmpty && others.isEmpty
                if isFine { print("No errors and no warnings.") }
            }
            if !others.isEmpty || findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
        }

        private static func row(_ severity: String, _ path: String, _ reason: String) -> JSON {
            ["severity": .string(severity), "path": .string(path), "reason": .string(reason)]
        }
    }

    /// `entente constitution diff`.
    struct Difference: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff", abstract: "Say what is different between two constitutions.",
            discussion: "Exit code 0 when nothing is, 1 when something is.")
        @Argument(help: "The older genesis file or genesis YAML.")
        var before: String
        @Argument(help: "The newer one.")
        var after: String
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let old = try ConstitutionCommand.document(before)
            let new = try ConstitutionCommand.document(after)
            let lines = ConstitutionDifference(from: old, to: new).lines(from: old, to: new)
            ConstitutionCommand.printLines(lines, json: json)
            if !lines.isEmpty { throw ExitCode(1) }
        }
    }

    static func printLines(_ lines: [DifferenceLine], json: Bool) {
        if json { return printJSON(["differences": Self.json(lines)]) }
        for line in lines { print(line) }
        if lines.isEmpty { print("Nothing is different.") }
    }

    static func json(_ lines: [DifferenceLine]) -> JSON {
        .array(
            lines.map {
                [
                    "subject": .string($0.subject), "before": $0.before.map { .string($0) } ?? .null,
                    "after": $0.after.map { .string($0) } ?? .null,
                ]
            })
    }

    /// `entente constitution policies`.
    struct Policies: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print voting policies that are ready to be used.")
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            if json {
                return ConstitutionCommand.printJSON([
                    "policies": .array(
                        ReadyPolicy.all.map {
                            [
                                "name": .string($0.name), "summary": .string($0.summary),
                                "actions": .array($0.actions.map { .string($0.rawValue) }), "policy": $0.policy.json,
                                "words": .string($0.policy.words),
                            ]
                        })
                ])
            }
            for ready in ReadyPolicy.all {
                let actions =
                    ready.actions.isEmpty ? "any action" : ready.actions.map(\.rawValue).joined(separator: ", ")
                print("# \(ready.name), for \(actions): \(ready.summary)")
                print("# \(ready.policy.words)")
                let key = ready.actions.first?.rawValue ?? "standard"
                print(YAMLText.text(.object(JSONObject([.init(name: key, value: ready.policy.json)]))))
            }
        }
    }
}
