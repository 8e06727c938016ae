import Constitution
import Foundation
import Host
import Identity
import NodeConfiguration
import Primitives

/// Makes the files of a development network as their owners would: keys, node tuples, the genesis.
struct DevelopmentFounding {
    let folder: String
    let count: Int
    let replay: Bool
    let isolation: NodeConfiguration.Isolation
    let alloc: [(String, String)]
    /// Further lines of the genesis YAML.
    let parameters: String

    func found() throws {
        guard (1...DevelopmentNetwork.organisations.count).contains(count) else {
            throw UserError("a development network has 1 to \(DevelopmentNetwork.organisations.count) nodes")
        }
        try FileManager.default.createDirectory(atPath: folder + "/actors", withIntermediateDirectories: true)
        let owners = Array(DevelopmentNetwork.organisations.prefix(count))
        for owner in owners {
            let (certificate, key) = try DevelopmentIdentity.make(owner, days: 365)
            try writeFile("\(folder)/actors/\(owner).key", Array(key.pem.utf8), secret: true)
            try writeFile("\(folder)/actors/\(owner).pem", Array(certificate.pem.utf8))
        }
        var tuples: [NodeTupleFile] = []
        var peers: [String] = []
        let ports = try freePorts(count * 3)
        for (index, owner) in owners.enumerated() {
            let node = "\(folder)/node\(index + 1)"
            try FileManager.default.createDirectory(atPath: node, withIntermediateDirectories: true)
            let own = Array(ports[index * 3..<index * 3 + 3])
            try writeFile(node + "/node.yaml", Array(yaml(index, own, peers).utf8))
            peers.append("127.0.0.1:\(own[2])")
            tuples.append(try initialise(node, owner))
        }
        let genesis = folder + "/genesis.yaml"
        try writeFile(genesis, Array(try genesisYAML(owners, tuples).utf8))
        let constitution = try GenesisDocument(path: genesis).constitution()
        try writeFile(folder + "/genesis.entente", constitution.genesisFile)
    }

    private func yaml(_ index: Int, _ ports: [UInt16], _ peers: [String]) -> String {
        """
        name: node\(index + 1)
        data: data
        listeners:
          application: {address: "127.0.0.1:\(ports[0])", limits: {connectionsMax: 2048, bodyBytesMax: 67108864}}
          administration: {address: "127.0.0.1:\(ports[1])"}
          node: {address: "127.0.0.1:\(ports[2])"}
        network:
          found: \(index == 0)
          genesis: ../genesis.entente
          peers: [\(peers.map { "\"\($0)\"" }.joined(separator: ", "))]
        platform: {kind: software, folder: platform}
        isolation: \(isolation.rawValue)

        """
    }

    /// Runs `entente node init` and signs what it gives as the owner.
    private func initialise(_ node: String, _ owner: String) throws -> NodeTupleFile {
        let process = Process()
        process.executableURL = URL(filePath: NodeLauncher.ownPath)
        process.arguments = [
            "node", "init", "--config", node + "/node.yaml", "--owner", owner, "--output", node + "/tuple.json",
        ]
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.runUnblocked()
        let said = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw UserError("a node can't be initialised:\n" + String(decoding: said, as: UTF8.self))
        }
        var tuple = try NodeTupleFile(json: readFile(node + "/tuple.json"))
        try tuple.sign(with: SigningKey(pem: readText("\(folder)/actors/\(owner).key")))
        try writeFile(node + "/tuple.json", tuple.json)
        return tuple
    }

    private func genesisYAML(_ owners: [String], _ tuples: [NodeTupleFile]) throws -> String {
        let accounts =
            (DevelopmentAccounts.all.map { ($0.address, DevelopmentAccounts.balance) } + alloc)
            .map { "        \"\($0.0)\": {balance: \"\($0.1)\"}" }.joined(separator: "\n")
        let members = owners.map { "  - {id: \($0), certificates: [actors/\($0).pem]}" }.joined(separator: "\n")
        let nodes = owners.indices.map { "node\($0 + 1)/tuple.json" }.joined(separator: ", ")
        var code: [String] = []
        let managers = (isolation == .inline ? ("node", "combined") : ("manager", "manager"))
        for ((name, role), measurements) in [
            (managers, tuples.map(\.managerMeasurement)), (("worker", "worker"), tuples.map(\.workerMeasurement)),
        ] {
            for measurement in Set(measurements.map { Hex.encode($0) }).sorted() where !measurement.isEmpty {
                code.append(
                    "  - {name: entente-\(name), version: 0.1.0, role: \(role), measurement: \"\(measurement)\"}")
            }
        }
        let keys = try zip(owners, tuples).map { owner, tuple in
            "    - {owner: \(owner), key: \"\(Hex.encode(try tuple.platformKey()))\"}"
        }
        return """
            # A development network. The keys of its funded accounts are known to everybody.
            name: development
            members:
            \(members)
            nodes: [\(nodes)]
            code:
            \(code.joined(separator: "\n"))
            tee:
              platforms: [software]
              softwareKeys:
            \(keys.joined(separator: "\n"))
            voting: {standard: majority}
            replay: \(replay)
            \(parameters)
            adapters:
              - kind: ethereum
                endpoint: ethereum
                settings:
                  genesis:
                    config: {chainId: 1337, homesteadBlock: 0, eip150Block: 0, eip155Block: 0, eip158Block: 0,
                      byzantiumBlock: 0, constantinopleBlock: 0, petersburgBlock: 0, istanbulBlock: 0,
                      berlinBlock: 0, londonBlock: 0, terminalTotalDifficulty: 0, shanghaiTime: 0, cancunTime: 0}
                    gasLimit: "0x5f5e100"
                    alloc:
            \(accounts.split(separator: "\n").map { "              " + $0.drop { $0 == " " } }.joined(separator: "\n"))

            """
    }

    /// Ports that were free a moment ago.
    private func freePorts(_ count: Int) throws -> [UInt16] {
        var open: [CInt] = []
        defer { for descriptor in open { Descriptor.close(descriptor) } }
        return try (0..<count).map { _ in
            let descriptor = try Descriptor.listen(host: "127.0.0.1", port: 0)
            open.append(descriptor)
            return try Descriptor.port(of: descriptor)
        }
    }

    /// The nodes of a network that is there, by their configurations.
    static func existing(_ folder: String) throws -> [DevelopmentNetwork.Node] {
        var nodes: [DevelopmentNetwork.Node] = []
        while FileManager.default.fileExists(atPath: "\(folder)/node\(nodes.count + 1)/node.yaml") {
            let path = "\(folder)/node\(nodes.count + 1)"
            let configuration = try NodeConfiguration(path: path + "/node.yaml")
            nodes.append(
                .init(
                    name: configuration.name, application: configuration.application.address,
                    administration: configuration.administration.address, folder: path))
        }
        guard !nodes.isEmpty else { throw UserError("\(folder) holds no network; name an empty folder to found one") }
        return nodes
    }
}
