import Attestation
import Constitution
import Identity
import NodeConfiguration
import Primitives
import Testing

let year: UInt64 = 365 * 86_400_000
let now: UInt64 = 1_800_000_000_000

/// A key that depends on nothing but a number.
func key(_ number: UInt8) throws -> SigningKey {
    try SigningKey(rawRepresentation: [UInt8](repeating: number, count: 31) + [1])
}

/// Files in memory.
struct Files: FileAccess {
    var contents: [String: [UInt8]] = [:]
    var folders: Set<String> = []

    func read(_ path: String, limit: Int) throws(ConfigurationError) -> [UInt8] {
        guard let bytes = contents[path] else { throw ConfigurationError("there is no file \(path)") }
        guard bytes.count <= limit else { throw ConfigurationError("\(path) is over \(limit) bytes") }
        return bytes
    }

    func kind(of path: String) -> FileKind {
        contents[path] != nil ? .file : folders.contains(path) ? .folder : .missing
    }

    mutating func set(_ path: String, _ text: String) { contents[path] = Array(text.utf8) }
}

/// The problems that a piece of code throws.
func problems(_ body: () throws -> Void) -> [ConfigurationProblem] {
    do {
        try body()
        return []
    } catch { return (error as? ConfigurationError)?.problems ?? [.init(path: "?", reason: "\(error)")] }
}

/// The files of three founders in `/genesis`.
struct Founders {
    static let banks = ["bank-a", "bank-b", "bank-c"]
    static let manager = [UInt8](repeating: 0xaa, count: 32)
    static let worker = [UInt8](repeating: 0xbb, count: 32)

    var files = Files()
    var yaml = ""

    static func ownerKey(_ index: Int) throws -> SigningKey { try key(UInt8(10 + index)) }
    static func nodeKey(_ index: Int) throws -> SigningKey { try key(UInt8(20 + index)) }
    static func platformKey(_ index: Int) throws -> SigningKey { try key(UInt8(30 + index)) }

    /// What a manager leaves in the data folder.
    static func identity(_ index: Int) throws -> [UInt8] {
        let spki = try nodeKey(index).publicKey
        let evidence = try SoftwareEvidence.sign(
            measurement: manager, reportData: ReportData.initial(nodeKey: spki.spki, workerMeasurement: worker),
            platformKey: platformKey(index))
        let json: JSON = [
            "nodeID": .string(spki.id), "publicKey": .string(spki.pem), "platform": "software",
            "managerMeasurement": .string(Hex.encode(manager)), "workerMeasurement": .string(Hex.encode(worker)),
            "evidence": .string(Hex.encode(evidence.bytes)),
        ]
        return json.serialized()
    }

    static func nodeFile(_ index: Int) throws -> NodeTupleFile {
        try NodeTupleFile(identity: identity(index), owner: banks[index], address: "127.0.0.1:\(9000 + index)")
    }

    init() throws {
        var keys = ""
        for (index, bank) in Self.banks.enumerated() {
            let certificate = try X509Certificate.selfSigned(
                CertificateRequest(
                    commonName: bank, purpose: .actor, serial: [1, UInt8(index)], notBefore: now - year,
                    notAfter: now + year), key: Self.ownerKey(index))
            files.set("/genesis/\(bank).pem", certificate.pem)
            var file = try Self.nodeFile(index)
            try file.sign(with: Self.ownerKey(index))
            files.contents["/genesis/\(bank).json"] = file.json
            let point = Hex.encode(try PlatformKey.x963(Self.platformKey(index).publicKey))
            keys += "\n    - {owner: \(bank), key: \"\(point)\"}"
        }
        yaml = """
            name: three banks
            members:
              - {id: bank-a, certificates: bank-a.pem}
              - id: bank-b
                certificates: [bank-b.pem]
              - {id: bank-c, certificates: [bank-c.pem]}
            nodes: [bank-a.json, bank-b.json, bank-c.json]
            code:
              - {name: entente-manager, version: 0.1.0, role: manager, measurement: \(Hex.encode(Self.manager))}
              - {name: entente-worker, version: 0.1.0, role: worker, measurement: \(Hex.encode(Self.worker))}
            tee:
              platforms: [software]
              softwareKeys:\(keys)
            voting:
              standard: 2 of N
              actions: {set_voting_policy: unanimous}
            batch: {transactionsMax: 250}
            consensus: {heartbeatMilliseconds: 20, replicationQuorum: 2, restart: members}
            adapters:
              - kind: ethereum
                settings: {genesis: {config: {chainId: 1337}}, note: "12", rate: 1.5, coinbase: 0x01, list: [1, true, ~]}
              - {kind: ethereum, endpoint: second, settingsFile: second.json}

            """
        files.set("/genesis/second.json", #"{"batchMax": 7}"#)
        files.set("/genesis/genesis.yaml", yaml)
    }

    /// The constitution of a changed YAML.
    func constitution(_ change: (String) -> String = { $0 }) throws -> Constitution {
        try GenesisDocument(yaml: change(yaml), folder: "/genesis", files: files).constitution()
    }
}
