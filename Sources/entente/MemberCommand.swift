import ArgumentParser
import Constitution
import Foundation
import Identity
import NodeConfiguration
import Primitives

/// `entente member`.
struct Member: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Propose, vote, withdraw: what members sign.",
        subcommands: [
            Actor.Initialise.self, Propose.self, CastVote.self, Withdraw.self, Prepare.self, Finish.self, Submit.self,
        ])

    /// `entente member propose`.
    struct Propose: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign a proposal and bring it to the network.",
            discussion: "`entente constitution simulate` tries it before; docs/governance.md lists the actions.")
        @Argument(help: "The proposal, YAML or JSON.")
        var file: String
        @OptionGroup var signing: SigningOptions
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let payload = try await Member.payload(file, client)
            let prepared = PreparedMessage(.proposal, payload, certificate: try signing.certificate(network))
            let message = try signing.sign(prepared.unsigned, network)
            let made = try await client.post("/gov/members/proposals:create", message)
            Member.report(made, json, network)
        }
    }

    /// `entente member vote`.
    struct CastVote: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "vote", abstract: "Vote on an open proposal; a later vote replaces an earlier one.")
        @Argument(help: "The proposal's id, or its beginning.")
        var proposal: String
        @Argument(help: "for, against or abstain.")
        var vote: String
        @OptionGroup var signing: SigningOptions
        @OptionGroup var network: GovernanceOptions
        @Option(help: "The member, when the session is another's.")
        var member: String?
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard Vote(rawValue: vote) != nil else { throw ValidationError("A vote is for, against or abstain.") }
        }

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let id = try await Member.find(proposal, client)
            let payload: JSON = ["ballot": .string(vote)]
            let prepared = PreparedMessage(
                .ballot, payload.serialized(), proposalID: id, certificate: try signing.certificate(network))
            let message = try signing.sign(prepared.unsigned, network)
            let path = try await Member.path(prepared, member, client)
            Member.report(try await client.post(path, message), json, network)
        }
    }

    /// `entente member withdraw`.
    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take an own open proposal back.")
        @Argument(help: "The proposal's id, or its beginning.")
        var proposal: String
        @OptionGroup var signing: SigningOptions
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let id = try await Member.find(proposal, client)
            let prepared = PreparedMessage(
                .withdrawal, [], proposalID: id, certificate: try signing.certificate(network))
            let message = try signing.sign(prepared.unsigned, network)
            Member.report(
                try await client.post(try await Member.path(prepared, nil, client), message), json, network)
        }
    }

    /// The signed JSON of a proposal file, bound to this network.
    static func payload(_ file: String, _ client: GovernanceClient) async throws -> [UInt8] {
        var proposal = try ProposalDocument(path: absolute(file)).proposal
        let network = try await client.get("/gov/service/constitution")["networkId"]?.string
        guard proposal.network == nil || proposal.network == network else {
            throw UserError("\(file) is meant for another network")
        }
        proposal.network = network
        return proposal.json.serialized()
    }

    /// The id of a proposal by its beginning.
    static func find(_ text: String, _ client: GovernanceClient) async throws -> String {
        if Constitution.isNetworkID(text) { return text }
        let all = try await client.get("/gov/members/proposals")["value"]?.array ?? []
        let found = all.compactMap { $0["proposalId"]?.string }.filter { $0.hasPrefix(text) }
        guard found.count == 1, let id = found.first, !text.isEmpty else {
            throw UserError(
                found.isEmpty
                    ? "there is no proposal \(text)…; `entente governance list` shows them"
                    : "\(found.count) proposals begin with \(text)")
        }
        return id
    }

    /// Where a message goes.
    static func path(
        _ message: PreparedMessage, _ member: String?, _ client: GovernanceClient
    ) async throws -> String {
        let proposal = "/gov/members/proposals/\(message.proposalID ?? "")"
        switch message.kind {
        case .proposal: return "/gov/members/proposals:create"
        case .withdrawal: return proposal + ":withdraw"
        case .ballot:
            var signer = member
            if signer == nil { signer = try await client.get("/gov/self")["memberId"]?.string }
            guard let signer else { throw UserError("who votes is not known; name it with --member") }
            return "\(proposal)/ballots/\(signer):submit"
        }
    }

    /// Says how the proposal stands and what comes next.
    static func report(_ made: (body: JSON, transaction: String), _ json: Bool, _ network: GovernanceOptions) {
        if json { return ConstitutionCommand.printJSON(made.body) }
        let id = made.body["proposalId"]?.string ?? ""
        let state = made.body["proposalState"]?.string ?? ""
        print("Proposal \(id) is \(state) (transaction \(made.transaction)).")
        if let reason = made.body["failure"]?["reason"]?.string { print("  \(reason)") }
        switch state {
        case "Open":
            print("Next: each member: entente member vote \(id.prefix(12)) for \(network.written)")
        case "Accepted":
            print("Next: entente network show \(network.written)")
        default:
            print("Next: entente governance show \(id.prefix(12)) \(network.written)")
        }
    }
}
