import ArgumentParser
import Attestation
import Foundation
import Host
import NodeConfiguration
import Primitives

/// `entente attest`.
struct Attest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest", abstract: "Verify evidence of trusted execution environments.",
        subcommands: [Verify.self])

    /// `entente attest verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify evidence against a policy, or run a file of cases, and say why.",
            discussion: """
                Nothing is fetched: certificates, revocation lists and Intel's statements come from the folder that the \
                policy names as its collateral, or --collateral. Exit code 0 when all is as it should be, 1 when not.
                """)
        @Argument(
            help:
                "The evidence: an SNP report (with the host's certificates after it), a quote, or bare software evidence."
        )
        var file: String?
        @Option(help: "The policy, YAML or JSON.")
        var policy: String?
        @Option(help: "A file of cases to run.")
        var cases: String?
        @Option(help: "The platform; found by the form of the evidence if not given.")
        var platform: String?
        @Option(help: "Folder with the makers' certificates, lists and statements.")
        var collateral: String?
        @Option(help: "The time at which to verify, such as 2026-03-16T22:06:09Z; the policy's, or now, if not given.")
        var at: String?
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard (file == nil) != (cases == nil) else { throw ValidationError("give either a FILE or --cases") }
            if file != nil, policy == nil { throw ValidationError("a FILE is verified against a --policy") }
            if cases != nil, policy != nil || platform != nil || collateral != nil || at != nil {
                throw ValidationError("a case says itself by what it is verified")
            }
        }

        func run() throws {
            if let cases { return try run(cases: cases) }
            if let file, let policy { try run(file, policy) }
        }

        // MARK: One piece of evidence

        private func run(_ file: String, _ policyPath: String) throws {
            let settings = try EvidencePolicyFile(path: absolute(policyPath))
            let evidence = Evidence(platform: try platform(settings), bytes: try readFile(file))
            let report = evidence.examine(
                policy: settings.policy, collateral: try cache(settings), at: try time(settings))
            if json {
                print(String(decoding: report.json.serialized(), as: UTF8.self))
            } else {
                for check in report.checks { print(check) }
                if let claims = report.claims {
                    print("\nclaims\(report.isAccepted ? "" : " (not to be believed)")")
                    print("    code                    \(Hex.encode(claims.measurement))")
                    for field in claims.fields {
                        let name = field.name.padding(
                            toLength: max(24, field.name.count + 1), withPad: " ", startingAt: 0)
                        print("    \(name)\(field.text)")
                    }
                }
                print(
                    report.isAccepted
                        ? "\naccepted" : "\nREFUSED: \(report.failures.map(\.detail).joined(separator: "; "))")
            }
            if !report.isAccepted { throw ExitCode(1) }
        }

        private func platform(_ settings: EvidencePolicyFile) throws -> Platform {
            if let platform {
                guard let named = Platform(rawValue: platform) else {
                    let names = Platform.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UserError("\(platform) is no platform; these are: \(names)")
                }
                return named
            }
            if let named = settings.platform { return named }
            guard let file, let found = Platform(evidence: try readFile(file)) else {
                throw UserError("the form of the evidence is not known; name its platform with --platform")
            }
            return found
        }

        private func time(_ settings: EvidencePolicyFile) throws -> UInt64 {
            guard let at else { return settings.time ?? HostClock.wallMilliseconds() }
            guard let time = CivilTime.parse(at) else {
                throw UserError("--at takes a time such as 2026-03-16T22:06:09Z")
            }
            return time
        }

        private func cache(_ settings: EvidencePolicyFile) throws -> Collateral {
            guard let folder = collateral.map(absolute) ?? settings.collateral else { return Collateral() }
            return try Collateral(files: try FolderTree.read(folder, limit: Collateral.itemByteCountMax))
        }

        // MARK: Cases

        private func run(cases path: String) throws {
            let all = try EvidenceCase.all(in: try readFile(path))
            let folder = (absolute(path) as NSString).deletingLastPathComponent
            var different = 0
            for each in all {
                let outcome = each.run { try readFile("\(folder)/\($0)") }
                guard !outcome.differences.isEmpty else { continue }
                different += 1
                if !json { for difference in outcome.differences { print("DIFFERS  \(each.id): \(difference)") } }
            }
            if json {
                let value: JSON = ["cases": .integer(Int64(all.count)), "different": .integer(Int64(different))]
                print(String(decoding: value.serialized(), as: UTF8.self))
            } else {
                print("\(all.count) cases, \(different == 0 ? "all as stated" : "\(different) not as stated")")
            }
            if different > 0 { throw ExitCode(1) }
        }
    }
}

extension ClaimField {
    fileprivate var text: String { value.string ?? String(decoding: value.serialized(), as: UTF8.self) }
}

extension EvidenceReport {
    /// For programs: outcome, steps, claims.
    fileprivate var json: JSON {
        let steps = checks.map { check -> JSON in
            [
                "check": .string(check.kind.rawValue), "outcome": .string(check.outcome.rawValue),
                "detail": .string(check.detail),
            ]
        }
        var members: [JSONObject.Member] = []
        if let claims {
            members.append(.init(name: "code", value: .string(Hex.encode(claims.measurement))))
            for field in claims.fields { members.append(.init(name: field.name, value: field.value)) }
        }
        return [
            "platform": .string(platform.rawValue), "accepted": .bool(isAccepted), "checks": .array(steps),
            "claims": claims == nil ? .null : .object(JSONObject(members)),
        ]
    }
}
