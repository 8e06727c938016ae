import ArgumentParser
import Constitution
import Foundation
import Host
import Identity
import NodeConfiguration
import Primitives

extension Node {
    /// `entente node approve`.
    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve the constitution under which a node is about to take part, as its owner.",
            discussion: """
                A node that joins fetches the constitution from the network and waits. Without --digest this shows it; \
                compare the digest with what members say, then run it again with the digest.
                """)
        @OptionGroup var options: Options
        @Option(help: "The digest that is approved.")
        var digest: String?
        @OptionGroup var signing: SigningOptions

        func run() throws {
            let configuration = try options.load()
            let path = configuration.dataFolder + "/constitution.entente"
            guard FileManager.default.fileExists(atPath: path) else {
                throw UserError(
                    "the node has fetched no constitution yet. Next: start it with `entente node run`; it fetches it once "
                        + "members have put it on the VN list")
            }
            var network = configuration.networkID
            if network.isEmpty { network = try Constitution(genesis: readFile(configuration.genesisFile)).networkID }
            let constitution = try Constitution(file: readFile(path), networkID: network)
            let identity = try JSON(parsing: readFile(configuration.dataFolder + "/identity.json"))
            guard let nodeID = identity["nodeID"]?.string, let entry = constitution.node(nodeID) else {
                throw UserError("the node is not on the VN list of that constitution")
            }
            guard let digest else {
                let document = constitution.document
                print(YAMLText.text(document.json), terminator: "")
                print("# Who decides what: standard: \(document.voting.standard.words)")
                for exception in document.voting.exceptions {
                    print("#   \(exception.action.rawValue): \(exception.policy.words)")
                }
                print("# Network \(network); this node belongs to \(entry.owner)")
                print("# Digest  \(constitution.digest)")
                print("# Next: compare the digest with what members say (entente governance constitution), then")
                print("#   entente node approve --config \(options.config) --digest \(constitution.digest) \\")
                print("#     --signing-certificate \(entry.owner).pem --signing-key \(entry.owner).key")
                return
            }
            guard digest == constitution.digest else {
                throw UserError("the constitution that the node has fetched has the digest \(constitution.digest)")
            }
            let unsigned = NodeApproval.unsigned(
                nodeID: nodeID, constitution: constitution, signedAt: HostClock.wallMilliseconds() / 1_000,
                certificate: try signing.certificate(nil))
            let message = try signing.sign(unsigned, nil)
            do {
                try NodeApproval(message).check(
                    nodeID: nodeID, by: constitution, at: HostClock.wallMilliseconds())
            } catch { throw UserError("the node would not take this approval: \(error.reason)") }
            let name = configuration.dataFolder + "/approval.cose"
            try writeFile(name + ".new", message)
            _ = try? FileManager.default.removeItem(atPath: name)
            try FileManager.default.moveItem(atPath: name + ".new", toPath: name)
            print("Approved. Next: nothing; the node goes on by itself within a second.")
        }
    }
}
