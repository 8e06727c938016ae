import ArgumentParser
import Constitution
import Foundation
import NodeConfiguration

/// `entente genesis`.
struct Genesis: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the genesis constitution of a network.",
        discussion: """
            Reads a YAML file beside the actors' certificates and the signed node files, checks all of it, and writes \
            the genesis file that every node of the network names in its node.yaml. Its SHA-256 is the network's id.
            """)
    @Argument(help: "The genesis YAML; `--sample` prints one.")
    var file: String?
    @Option(help: "Where to write the genesis file.")
    var output = "genesis.entente"
    @Flag(help: "Print a genesis YAML with every setting and what it means.")
    var sample = false

    func run() throws {
        if sample { return print(GenesisDocument.sampleYAML) }
        guard let file else { throw ValidationError("Name the genesis YAML, or use --sample.") }
        let constitution = try GenesisDocument(path: absolute(file)).constitution()
        try writeFile(output, constitution.genesisFile)
        print("Network \(constitution.name): \(constitution.members.count) members, \(constitution.nodes.count) nodes")
        print("Network id \(constitution.networkID)")
        print("Wrote \(output). Next: name it as network.genesis in each node.yaml, let one node found the network.")
    }
}
