import Attestation
import Constitution
import Identity
import NodeConfiguration
import Primitives

/// A constitution of two banks, whose files are the seeds of the targets for governance and configuration.
enum FuzzConstitution {
    static let banks = ["bank-a", "bank-b"]

    static func document() throws -> ConstitutionDocument {
        var document = ConstitutionDocument(name: "two banks")
        for (index, bank) in banks.enumerated() {
            let owner = try FuzzKeys.key(UInt8(10 + index))
            let certificate = try X509Certificate.selfSigned(FuzzKeys.request(bank, .actor), key: owner)
            document.actors.append(
                Actor(id: bank, role: .member, certificates: [.init(kind: .endEntity, der: certificate.der)]))
            document.nodes.append(
                try NodeTuple(
                    owner: bank, address: "127.0.0.1:\(9000 + index)",
                    publicKey: FuzzKeys.key(UInt8(20 + index)).publicKey.spki
                ).signed(by: owner))
            document.tee.softwareKeys.append(
                .init(owner: bank, key: try PlatformKey.x963(FuzzKeys.key(UInt8(30 + index)).publicKey)))
        }
        document.tee.rules = [.init(platform: .software)]
        for (role, byte) in [(CodeManifest.Role.manager, UInt8(1)), (.worker, 2)] {
            document.code.entries.append(
                .init(
                    name: "entente-\(role)", version: "0.1.0", role: role, platform: .software,
                    measurement: [UInt8](repeating: byte, count: 32)))
        }
        document.adapters = [Adapter(kind: "ethereum", endpoint: "main", settings: Array(#"{"genesis":{}}"#.utf8))]
        return document
    }

    static let actions = #"""
        {"title":"much","ballot":"for","actions":[
        {"name":"set_open","args":{"open":true}},{"name":"remove_member","args":{"id":"bank-b"}},
        {"name":"set_parameters","args":{"batch.delayMicroseconds":7}},
        {"name":"set_platform","args":{"platform":"tdx"}},{"name":"remove_parameters","args":{"names":["batch.transactionsMax"]}},
        {"name":"set_voting_policy","args":{"action":"set_node","policy":{"rule":{"if":{"proposer":"owner",
        "ownerNodes":{"atMost":3}},"then":"no vote","else":"majority"},"deadline":"7 days"}}},
        {"name":"remove_adapter","args":{"endpoint":"main"}}]}
        """#

    static let policies = [
        "majority", "2 of N", "more than 1/2 of votes", "turnout 50%", "66% of members",
        #"{"rule":{"all":["majority",{"any":[{"veto":["bank-a"]},"unanimous"]}]},"deadline":"2 days","open":"1 hour","propose":"actors"}"#,
        #"{"rule":{"if":{"proposer":"owner","owner":"member","codeEndorsed":"majority"},"then":"never","else":"1 of N"}}"#,
    ]

    static let proposalYAML = """
        title: Much at once
        ballot: for
        actions:
          - remove_member: bank-c
          - set_open: false
          - set_parameters: {batch.delayMicroseconds: 7, consensus.restart: members}
          - remove_parameters: [batch.transactionsMax]
          - set_voting_policy:
              action: set_node
              policy:
                rule: {if: {proposer: owner, ownerNodes: {atMost: 3}}, then: no vote, else: majority}
                deadline: 7 days
          - {name: set_open, args: {open: true}}
        """

    static let policyYAML = """
        platform: tdx
        at: 1970-01-01T00:01:00Z
        collateral: cache
        needsCollateral: false
        minimumTCB: "0102"
        measurements: ["aa", "bb"]
        requirements:
          statuses: [UpToDate, OutOfDate]
          evaluationNumberMin: 18
          claims: [{name: body.isvsvn, atLeast: 2}, {name: host_data, among: ["00"]}]
        """

    static let nodeYAML = """
        name: node 7
        data: /data
        listeners:
          application: {address: "[::1]:1", limits: {bodyBytesMax: 2000, requestsMax: 5}}
          node: {address: 10.0.0.1:7, publicAddress: node.example:443}
        network: {found: true, genesis: g.bin, peers: [a.example:7, "10.0.0.2:7"]}
        isolation: inline
        platform: {kind: software, folder: keys}
        log: {level: debug, format: json}
        """

    static func genesisYAML() throws -> String {
        """
        name: two banks
        members: [{id: bank-a, certificates: bank-a.pem}, {id: bank-b, certificates: [bank-b.pem]}]
        nodes: [n.json]
        code:
          - {name: entente-manager, version: 0.1.0, role: manager, measurement: \(String(repeating: "01", count: 32))}
          - {name: entente-worker, version: 0.1.0, role: worker, measurement: \(String(repeating: "02", count: 32))}
        tee:
          platforms: [software]
          softwareKeys: [{owner: bank-a, key: "\(Hex.encode(try PlatformKey.x963(FuzzKeys.key(30).publicKey)))"}]
        voting: {standard: 2 of N, actions: {set_voting_policy: unanimous}}
        batch: {transactionsMax: 250}
        consensus: {heartbeatMilliseconds: 20, restart: members}
        adapters:
          - {kind: ethereum, settings: {genesis: {config: {chainId: 1337}}, note: "12", rate: 1.5, list: [1, true, ~]}}
        """
    }

    /// The file of a node as its owner signed it.
    static func nodeFile() throws -> [UInt8] {
        let node = try FuzzKeys.key(20).publicKey
        let (manager, worker) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
        let evidence = try SoftwareEvidence.sign(
            measurement: manager, reportData: ReportData.initial(nodeKey: node.spki, workerMeasurement: worker),
            platformKey: FuzzKeys.key(30))
        let identity: JSON = [
            "nodeID": .string(node.id), "publicKey": .string(node.pem), "platform": "software",
            "managerMeasurement": .string(Hex.encode(manager)), "workerMeasurement": .string(Hex.encode(worker)),
            "evidence": .string(Hex.encode(evidence.bytes)),
        ]
        var file = try NodeTupleFile(identity: identity.serialized(), owner: "bank-a", address: "127.0.0.1:9000")
        try file.sign(with: FuzzKeys.key(10))
        return file.json
    }
}

/// Files in memory.
struct FuzzFiles: FileAccess {
    var contents: [String: [UInt8]] = [:]

    func read(_ path: String, limit: Int) throws(ConfigurationError) -> [UInt8] {
        guard let bytes = contents[path], bytes.count <= limit else {
            throw ConfigurationError("there is no file \(path)")
        }
        return bytes
    }

    func kind(of path: String) -> FileKind { contents[path] == nil ? .missing : .file }
}
