import ArgumentParser
import Constitution
import Foundation
import Identity
import NodeConfiguration
import Primitives

// Signing apart: what is to be signed is written, carried to where the key is, and comes back.
extension Member {
    /// `entente member prepare`.
    struct Prepare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write what is to be signed elsewhere: a proposal, a vote or a withdrawal.",
            discussion: """
                prepare propose FILE, prepare vote PROPOSAL for|against|abstain, prepare withdraw PROPOSAL. The output has \
                what `entente member finish` needs; OUTPUT.tbs has the bytes to be signed.
                """)
        @Argument(help: "propose, vote or withdraw.")
        var what: String
        @Argument(help: "The proposal file, or the proposal's id.")
        var subject: String
        @Argument(help: "for, against or abstain.")
        var vote: String?
        @Option(help: "Where to write it.")
        var output: String
        @OptionGroup var signing: SigningOptions
        @OptionGroup var network: GovernanceOptions

        func run() async throws {
            let client = try network.client()
            defer { client.close() }
            let certificate = try signing.certificate(network)
            let prepared: PreparedMessage
            switch what {
            case "propose":
                prepared = PreparedMessage(
                    .proposal, try await Member.payload(subject, client), certificate: certificate)
            case "vote":
                guard let vote, Vote(rawValue: vote) != nil else {
                    throw ValidationError("A vote is for, against or abstain.")
                }
                let payload: JSON = ["ballot": .string(vote)]
                prepared = PreparedMessage(
                    .ballot, payload.serialized(), proposalID: try await Member.find(subject, client),
                    certificate: certificate)
            case "withdraw":
                prepared = PreparedMessage(
                    .withdrawal, [], proposalID: try await Member.find(subject, client), certificate: certificate)
            default: throw ValidationError("What is propose, vote or withdraw.")
            }
            try writeFile(output, prepared.json.serialized())
            try writeFile(output + ".tbs", prepared.unsigned.bytesToSign)
            print(
                """
                Wrote \(output), and the bytes to be signed to \(output).tbs. The message counts for seven days from now.
                Next: sign \(output).tbs with ECDSA and the hash of the key's curve, then
                  entente member finish \(output) --signature SIGNATURE --output message.cose
                """)
        }
    }

    /// `entente member finish`.
    struct Finish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a signature that was made elsewhere to a prepared message.")
        @Argument(help: "What `entente member prepare` wrote.")
        var prepared: String
        @Option(help: "File with the signature: r and s, or DER; raw or in base64.")
        var signature: String
        @Option(help: "Where to write the message.")
        var output: String

        func run() throws {
            let message = try PreparedMessage(path: prepared)
            let signature = SigningOptions.signature(try readFile(signature))
            do { try writeFile(output, message.unsigned.signed(with: signature)) } catch let error as IdentityError {
                throw UserError("the signature does not fit: \(error.reason)")
            }
            print("Wrote \(output).\nNext: entente member submit \(output)")
        }
    }

    /// `entente member submit`.
    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a signed message to the network, its own or another member's.")
        @Argument(help: "The message, COSE_Sign1.")
        var message: String
        @Option(help: "The member who signed a vote, when the session is another's.")
        var member: String?
        @OptionGroup var network: GovernanceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let bytes = try readFile(message)
            let parsed: GovernanceMessage
            do { parsed = try GovernanceMessage(bytes) } catch { throw UserError("\(message): \(error.reason)") }
            let client = try network.client()
            defer { client.close() }
            let proposal = "/gov/members/proposals/\(parsed.proposalID ?? "")"
            let path: String
            switch parsed.kind {
            case .proposal: path = "/gov/members/proposals:create"
            case .withdrawal: path = proposal + ":withdraw"
            case .ballot:
                var signer = member
                if signer == nil { signer = try await client.get("/gov/self")["memberId"]?.string }
                path = "\(proposal)/ballots/\(signer ?? ""):submit"
            }
            Member.report(try await client.post(path, bytes), json, network)
        }
    }
}
