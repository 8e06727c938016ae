import ArgumentParser
import Constitution
import Foundation
import Host
import NodeConfiguration
import Primitives

extension ConstitutionCommand {
    /// `entente constitution simulate`.
    struct Simulate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try a proposal with given votes, without adopting it.",
            discussion: """
                Votes are MEMBER=for, MEMBER=against or MEMBER=abstain with commas between, each with @TIME behind it when it \
                comes later, such as bank-b=for@36h (units d, h, m, s). Exit code 0 when the proposal is accepted, 1 when not.
                """)
        @Option(help: "A genesis file or genesis YAML.")
        var constitution: String
        @Option(help: "The proposal, YAML or JSON.")
        var proposal: String
        @Option(help: "Who proposes.")
        var proposer: String
        @Option(help: "Votes.")
        var votes = ""
        @Option(help: "How long to wait after the proposal, such as 3d.")
        var until = "0s"
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let constitution = try Constitution(genesis: ConstitutionCommand.document(self.constitution))
            let document = try ProposalDocument(path: absolute(proposal))
            let ballots = try votes.split(separator: ",").map { try Self.ballot(String($0)) }
            let end = max(try Self.milliseconds(until), ballots.map(\.after).max() ?? 0)
            let trial = Simulation(
                of: document.proposal.json.serialized(), by: proposer, votes: ballots, on: constitution,
                at: HostClock.wallMilliseconds(), until: end)
            let lines = trial.difference.lines(from: constitution.document, to: trial.constitution.document)
            let isAccepted = trial.record?.state == .accepted
            if json {
                ConstitutionCommand.printJSON([
                    "accepted": .bool(isAccepted),
                    "steps": .array(
                        trial.steps.map {
                            ["afterMilliseconds": .integer(Int64(clamping: $0.after)), "text": .string($0.text)]
                        }),
                    "proposal": trial.record?.json ?? .null,
                    "refusal": trial.refusal.map { .string("\($0)") } ?? .null,
                    "differences": ConstitutionCommand.json(lines),
                ])
            } else {
                for action in document.proposal.actions {
                    let policy = constitution.voting.policy(for: action.kind)
                    print("\(action.kind.rawValue): \(policy.words)")
                }
                for step in trial.steps { print("  \(Self.text(step.after)): \(step.text)") }
                if isAccepted {
                    print("Accepted. It would change:")
                    for line in lines { print("  \(line)") }
                } else if trial.record?.state == .open {
                    print("Still open: these votes decide nothing yet.")
                }
            }
            if !isAccepted { throw ExitCode(1) }
        }

        private static func ballot(_ text: String) throws -> Simulation.Ballot {
            let parts = text.split(separator: "@", maxSplits: 1)
            let words = (parts.first ?? "").split(separator: "=")
            guard words.count == 2, let vote = Vote(rawValue: String(words[1])) else {
                throw UserError("\(text) is no vote; write MEMBER=for, MEMBER=against or MEMBER=abstain")
            }
            let after = parts.count == 2 ? try milliseconds(String(parts[1])) : 0
            return .init(member: String(words[0]), vote: vote, after: after)
        }

        private static func milliseconds(_ text: String) throws -> UInt64 {
            let units: [Character: UInt64] = ["d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000]
            guard let unit = text.last.flatMap({ units[$0] }), let number = UInt32(text.dropLast()) else {
                throw UserError("\(text) is no time; write a number and d, h, m or s")
            }
            return UInt64(number) * unit
        }

        private static func text(_ milliseconds: UInt64) -> String {
            let seconds = milliseconds / 1000
            return seconds % 86_400 == 0 && seconds > 0
                ? "after \(seconds / 86_400) d"
                : seconds % 3600 == 0 && seconds > 0 ? "after \(seconds / 3600) h" : "after \(seconds) s"
        }
    }
}
