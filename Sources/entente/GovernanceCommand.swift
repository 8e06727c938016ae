import ArgumentParser
import Constitution
import Foundation
import NodeConfiguration
import Primitives

/// `entente governance`.
struct GovernanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "governance", abstract: "See what members propose and decide in a running network.",
        subcommands: [List.self, Show.self, Watch.self, ConstitutionNow.self])

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    static func line(_ proposal: JSON) -> String {
        let votes = (proposal["votes"]?.object?.members ?? []).map { "\($0.name)=\($0.value.string ?? "")" }
        return pad(String((proposal["proposalId"]?.string ?? "").prefix(12)), 14)
            + pad(proposal["proposalState"]?.string ?? "", 11) + pad(proposal["proposerId"]?.string ?? "", 12)
            + pad(votes.isEmpty ? "-" : votes.joined(separator: ","), 30) + (proposal["title"]?.string ?? "")
    }

    /// `entente governance list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the proposals, oldest first.")
        @Flag(help: "Only those on which votes are taken.")
        var open = false
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let all = try await client.get("/gov/members/proposals", open ? "state=Open" : "")
            if json { return ConstitutionCommand.printJSON(all) }
            let proposals = all["value"]?.array ?? []
            print("proposal      state      proposer    votes                         title")
            for proposal in proposals { print(GovernanceCommand.line(proposal)) }
            let waiting = proposals.filter { $0["proposalState"]?.string == "Open" }
            if let first = waiting.first?["proposalId"]?.string {
                print("Next: entente governance show \(first.prefix(12)) \(network.written)")
            } else {
                print("No proposal is open. Next: entente member propose FILE \(network.written)")
            }
        }
    }

    /// `entente governance show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a proposal, what it wants and who voted how.")
        @Argument(help: "The proposal's id, or its beginning.")
        var proposal: String
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let id = try await Member.find(proposal, client)
            let record = try await client.get("/gov/members/proposals/\(id)")
            let wants = try await client.get("/gov/members/proposals/\(id)/actions")
            if json {
                return ConstitutionCommand.printJSON(["proposal": record, "actions": wants["actions"] ?? .null])
            }
            print(YAMLText.text(record), terminator: "")
            print(YAMLText.text(["actions": wants["actions"] ?? .null]), terminator: "")
            if record["proposalState"]?.string == "Open" {
                print("# Next: entente member vote \(id.prefix(12)) for|against|abstain \(network.written)")
            }
        }
    }

    /// `entente governance watch`.
    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what happens in governance, as it is committed, until Ctrl-C.")
        @Option(help: "End when this proposal is closed.")
        var proposal: String?
        @Option(help: "End after so many seconds.")
        var seconds: Int?
        @Option(help: "Begin after this seqno; 0 for all that the node remembers, and its present end if not given.")
        var since: UInt64?
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print one JSON object a line.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            var next = since ?? 0
            if since == nil, proposal == nil {
                next = UInt64(clamping: try await client.get("/gov/events", "since=0")["next"]?.integer ?? 0)
            }
            let end = seconds.map { ContinuousClock.now + .seconds($0) }
            while end.map({ ContinuousClock.now < $0 }) ?? true {
                let left = end.map { max(1, Int(($0 - ContinuousClock.now).components.seconds)) } ?? 20
                let answer = try await client.get("/gov/events", "since=\(next)&wait=\(min(20, left))", timeout: 40)
                for event in answer["value"]?.array ?? [] {
                    // Not print, which keeps lines back when the output is no terminal.
                    let line = json ? String(decoding: event.serialized(), as: UTF8.self) : Self.words(event)
                    FileHandle.standardOutput.write(Data((line + "\n").utf8))
                    if let proposal, let state = event["proposal"]?["proposalState"]?.string, state != "Open",
                        event["proposal"]?["proposalId"]?.string?.hasPrefix(proposal) == true
                    {
                        return
                    }
                }
                next = UInt64(clamping: answer["next"]?.integer ?? Int64(clamping: next))
            }
        }

        private static func words(_ event: JSON) -> String {
            let place = event["transactionId"]?.string ?? ""
            if let proposal = event["proposal"] {
                return GovernanceCommand.pad(place, 10) + GovernanceCommand.line(proposal)
            }
            let version = event["version"]
            return GovernanceCommand.pad(place, 10)
                + "the constitution has version \(version?["version"]?.integer ?? 0), digest \(version?["digest"]?.string ?? "")"
        }
    }

    /// `entente governance constitution`.
    struct ConstitutionNow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "constitution",
            abstract: "Show the constitution in force, or that of a past transaction, and who voted for it.")
        @Option(help: "A transaction id, such as 2.17.")
        var at: String?
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let shown = try await client.get(
                "/gov/service/constitution", at.map { "transaction_id=\($0)" } ?? "")
            if json { return ConstitutionCommand.printJSON(shown) }
            print("# Network \(shown["networkId"]?.string ?? ""), digest \(shown["digest"]?.string ?? "")")
            print(YAMLText.text(["version": shown["version"] ?? .null]), terminator: "")
            print(YAMLText.text(shown["constitution"] ?? .null), terminator: "")
        }
    }
}
