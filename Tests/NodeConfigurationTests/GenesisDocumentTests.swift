import Attestation
import Constitution
import Identity
import NodeConfiguration
import Primitives
import Store
import Testing

@Suite("Genesis YAML")
struct GenesisDocumentTests {
    let founders: Founders

    init() throws { founders = try Founders() }

    @Test("from YAML over genesis file, write sets and store to the same constitution")
    func roundTrip() throws {
        let constitution = try GenesisDocument(path: "/genesis/genesis.yaml", files: founders.files).constitution()
        #expect(constitution.name == "three banks")
        #expect(constitution.members.map(\.id) == Founders.banks)
        #expect(constitution.nodes.count == 3)
        #expect(constitution.voting.standard.rule == .atLeast(2))
        #expect(constitution.voting.policy(for: .setVotingPolicy).rule == .unanimous)
        #expect(constitution.batchTransactionsMax == 250)
        #expect(constitution.heartbeatMilliseconds == 20)
        #expect(!constitution.restartsSealed)
        #expect(constitution.consensus.replicationQuorum == .nodes(2))
        #expect(constitution.adapters.map(\.endpoint) == ["ethereum", "second"])
        #expect(
            String(decoding: constitution.adapters[0].settings, as: UTF8.self)
                == #"{"genesis":{"config":{"chainId":1337}},"note":"12","rate":1.5,"coinbase":"0x01","list":[1,true,null]}"#
        )
        #expect(String(decoding: constitution.adapters[1].settings, as: UTF8.self) == #"{"batchMax": 7}"#)

        let fromFile = try Constitution(genesis: constitution.genesisFile)
        var store = Store()
        try store.apply(fromFile.writeSet(), at: 1)
        #expect(try Constitution(reading: store.latest) == constitution)
        #expect(try founders.constitution().networkID == constitution.networkID)
    }

    @Test("the sample is well-formed and shows every parameter and action")
    func sample() throws {
        let text = GenesisDocument.sampleYAML
        for row in Parameters.table { #expect(text.contains("  \(row.name.split(separator: ".")[1]): ")) }
        for action in GovernanceAction.allCases { #expect(text.contains(action.rawValue)) }
        // Everything but the files that it names is understood.
        let found = problems { _ = try GenesisDocument(yaml: text, folder: "/none", files: Files()) }
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.reason.hasPrefix("there is no file") || $0.path.hasSuffix(".key") }, "\(found)")
    }

    @Test(
        "problems of form have path and line",
        arguments: [
            ("bank-b.pem", "none.pem", "members[1].certificates[0]", 5),
            ("bank-b.json", "bank-b.pem", "nodes[1]", 7),
            ("role: manager", "role: boss", "code[0].role", 9),
            ("role: manager,", "", "code[0].role", 9),
            ("standard: 2 of N", "standard: some", "voting.standard", 18),
            ("set_voting_policy", "set_mood", "voting.actions.set_mood", 19),
            ("transactionsMax: 250", "transactionsMax: 0", "batch.transactionsMax", 20),
            ("replicationQuorum: 2", "replicationQuorum: none", "consensus.replicationQuorum", 21),
            ("restart: members", "restart: maybe", "consensus.restart", 21),
            ("heartbeatMilliseconds", "heartbeat", "consensus.heartbeat", 21),
            ("second.json", "third.json", "adapters[1].settingsFile", 25),
            ("endpoint: second,", "settings: {a: 1},", "adapters[1].settingsFile", 25),
            ("platforms: [software]", "platforms: [enclave]", "tee.platforms[0]", 12),
            (
                "platforms: [software]", "platforms: [{platform: tdx, requirements: {statuses: [Fine]}}]",
                "tee.platforms[0].requirements", 12
            ),
            (
                "platforms: [software]", "platforms: [{platform: tdx, requirements: {allowsDebug: true}}]",
                "tee.platforms[0].requirements", 12
            ),
            ("name: three banks", "title: three banks", "name", 1),
            ("voting:", "voting_policy:", "voting_policy", 17),
        ])
    func form(_ old: String, _ new: String, _ path: String, _ line: Int) {
        let found = problems {
            _ = try founders.constitution {
                $0.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false).joined(separator: new)
            }
        }
        #expect(found.contains { $0.path == path && $0.line == line }, "\(found)")
    }

    @Test("problems of sense are told all together")
    func sense() {
        let found = problems {
            _ = try founders.constitution {
                $0.replacing("standard: 2 of N", with: "standard: 9 of N").replacing(
                    "replicationQuorum: 2", with: "replicationQuorum: 8")
            }
        }
        #expect(found.map(\.path) == ["voting.standard", "consensus.quorums"])
    }

    @Test("nodes whose code or platform is not listed are refused")
    func admission() {
        let other = Hex.encode([UInt8](repeating: 0xcc, count: 32))
        for code in [Founders.manager, Founders.worker] {
            let found = problems {
                _ = try founders.constitution { $0.replacing(Hex.encode(code), with: other) }
            }
            #expect(found.count == 3)
            #expect(found.allSatisfy { $0.path.hasPrefix("nodes[") && $0.reason.contains("code manifest") }, "\(found)")
        }
        let swapped = problems {
            _ = try founders.constitution {
                $0.replacing("owner: bank-a", with: "owner: x").replacing("owner: bank-b", with: "owner: bank-a")
                    .replacing("owner: x", with: "owner: bank-b")
            }
        }
        #expect(swapped.map(\.path) == ["nodes[0].evidence", "nodes[1].evidence"])
    }

    @Test("certificates may be DER, and garbage is none")
    func certificates() throws {
        var founders = founders
        let pem = String(decoding: founders.files.contents["/genesis/bank-a.pem"] ?? [], as: UTF8.self)
        founders.files.contents["/genesis/bank-a.pem"] = try X509Certificate(pem: pem).der
        #expect(try founders.constitution() == self.founders.constitution())
        for garbage: [UInt8] in [[], [0x30, 0x82], [0xff, 0xfe], Array("hello".utf8)] {
            founders.files.contents["/genesis/bank-a.pem"] = garbage
            #expect(problems { _ = try founders.constitution() }.map(\.path).contains("members[0].certificates[0]"))
        }
    }
}

@Suite("Node files")
struct NodeTupleFileTests {
    @Test("are made of what the manager left, signed by the owner, read back")
    func life() throws {
        var file = try Founders.nodeFile(0)
        try file.check()
        #expect(file.tuple.address == "127.0.0.1:9000")
        #expect(file.nodeID == (try Founders.nodeKey(0).publicKey.id))
        #expect(problems { _ = try file.entry() }.map(\.path) == ["signature"])
        #expect(try NodeTupleFile(json: file.json) == file)
        try file.sign(with: Founders.ownerKey(0))
        #expect(try NodeTupleFile(json: file.json) == file)
        let key = try Founders.ownerKey(0).publicKey
        #expect(key.verifies(rawSignature: try file.entry().signature, message: file.signedBytes))

        // The same step with a key in another device.
        var other = try Founders.nodeFile(0)
        let signature = try Founders.ownerKey(0).rawSignature(message: other.signedBytes)
        try other.finish(signature: signature, by: key)
        #expect(other.signature == signature)
        #expect(!problems { try other.finish(signature: signature, by: Founders.ownerKey(1).publicKey) }.isEmpty)
    }

    @Test("with other contents than their evidence are not signed")
    func lies() throws {
        let good = try Founders.nodeFile(0)
        var file = good
        file.managerMeasurement[0] ^= 1
        #expect(problems { try file.check() }.map(\.path) == ["managerMeasurement"])
        file = good
        file.workerMeasurement[0] ^= 1
        #expect(problems { try file.check() }.map(\.path) == ["evidence"])
        file = good
        file.tuple.publicKey = try Founders.nodeKey(1).publicKey.spki
        #expect(problems { try file.check() }.map(\.path) == ["evidence"])
        file = good
        file.evidence.bytes[200] ^= 1
        #expect(problems { try file.sign(with: Founders.ownerKey(0)) }.map(\.path) == ["evidence"])
        file = good
        file.evidence.platform = .sgx
        #expect(problems { try file.check() }.map(\.path) == ["evidence"])
    }

    @Test("of the wrong form are refused, and never trap")
    func form() throws {
        var file = try Founders.nodeFile(0)
        try file.sign(with: Founders.ownerKey(0))
        let text = String(decoding: file.json, as: UTF8.self)
        for (old, new, path) in [
            ("\"version\":1", "\"version\":2", "version"), ("\"owner\"", "\"holder\"", "owner"),
            ("\"platform\":\"software\"", "\"platform\":\"cloud\"", "platform"),
            ("\"platform\":\"software\"", "\"platform\":7", "platform"),
            ("\"evidence\":\"01", "\"evidence\":\"0", "evidence"), ("\"nodeID\":\"", "\"nodeID\":\"0", "nodeID"),
            ("PUBLIC KEY", "PRIVATE KEY", "publicKey"), ("\"platformKey\":\"04", "\"platformKey\":\"05", "platformKey"),
            ("{\"version\"", "{\"extra\":1,\"version\"", "extra"),
            ("\"signature\":\"", "\"signature\":\"?", "signature"),
        ] {
            let found = problems { _ = try NodeTupleFile(json: Array(text.replacing(old, with: new).utf8)) }
            #expect(found.map(\.path) == [path], "\(found)")
        }
        let bytes = file.json
        for count in stride(from: 0, to: bytes.count - 1, by: 3) {
            #expect(!problems { _ = try NodeTupleFile(json: Array(bytes.prefix(count))) }.isEmpty)
        }
        var state: UInt64 = 13
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        for _ in 0..<2_000 {
            var changed = bytes
            for _ in 0...below(3) { changed[below(changed.count)] = UInt8(below(256)) }
            if let file = try? NodeTupleFile(json: changed) { _ = try? file.check() }
        }
    }
}
