import Attestation
import Constitution
import Identity
import Primitives
import Testing

@Suite("Validation of constitutions")
struct ValidationTests {
    private func expect(
        _ problem: ConstitutionError, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout ConstitutionDocument) throws -> Void
    ) throws {
        var document = try Sample.document()
        try change(&document)
        let problems = document.problems()
        #expect(problems.contains(problem), "\(problems)", sourceLocation: sourceLocation)
        #expect(throws: ConstitutionError.self, sourceLocation: sourceLocation) { try Constitution(genesis: document) }
    }

    @Test("the sample has no problem")
    func sample() throws {
        #expect(try Sample.document().problems().isEmpty)
    }

    @Test("an empty document has them all at once")
    func empty() {
        let problems = ConstitutionDocument(name: "").problems()
        for path in ["name", "members", "nodes", "tee.platforms"] {
            #expect(problems.contains { $0.path == path }, "\(path)")
        }
    }

    @Test("actors")
    func actors() throws {
        try expect(.missing("members", "")) { document in
            for index in document.actors.indices { document.actors[index].role = .participant }
        }
        try expect(.duplicate("participants[bank-a].id", "")) { $0.actors[3].id = "bank-a" }
        try expect(.malformed("members[0].id", "")) { $0.actors[0].id = "Bank A" }
        try expect(.missing("members[bank-a].certificates", "")) { $0.actors[0].certificates = [] }
        try expect(.malformed("members[bank-a].certificates[0]", "")) { $0.actors[0].certificates[0].der.removeLast() }
        try expect(.duplicate("members[bank-b].certificates[1]", "")) {
            $0.actors[1].certificates.append($0.actors[0].certificates[0])
        }
        try expect(.duplicate("members[bank-b].certificates[1]", "")) {
            // Another certificate of the same key.
            $0.actors[1].certificates.append(
                .init(kind: .endEntity, der: try certificate("x", key: Sample.ownerKey(0)).der))
        }
        try expect(.malformed("members[bank-a].certificates[0]", "")) {
            $0.actors[0].certificates[0].kind = .organisation
        }
        try expect(.outOfRange("members[bank-a].certificates", "")) {
            $0.actors[0].certificates = Array(repeating: $0.actors[0].certificates[0], count: 17)
        }
        try expect(.outOfRange("members", "")) { document in
            for index in 0..<1025 { document.actors.append(Actor(id: "a\(index)", role: .member, certificates: [])) }
        }
    }

    @Test("nodes")
    func nodes() throws {
        try expect(.missing("nodes", "")) { $0.nodes = [] }
        try expect(.unknown("nodes[0].owner", "")) { document in
            document.actors.remove(at: 0)
        }
        try expect(.duplicate("nodes[1].address", "")) { document in
            document.nodes[1] = try NodeTuple(
                owner: "bank-b", address: "127.0.0.1:9000", publicKey: Sample.nodeKey(1).publicKey.spki
            ).signed(by: Sample.ownerKey(1))
        }
        try expect(.duplicate("nodes[1].publicKey", "")) { document in
            document.nodes[1] = try NodeTuple(
                owner: "bank-b", address: "127.0.0.1:9001", publicKey: Sample.nodeKey(0).publicKey.spki
            ).signed(by: Sample.ownerKey(1))
        }
        for address in [
            "", "host", "host:", ":1", "host:0", "host:65536", "host:01", "ho st:1", "[::1:1", "a..b:1", "-a:1",
            "http://a:1",
        ] {
            try expect(.malformed("nodes[1].address", "")) { document in
                document.nodes[1] = try NodeTuple(
                    owner: "bank-b", address: address, publicKey: Sample.nodeKey(1).publicKey.spki
                ).signed(by: Sample.ownerKey(1))
            }
        }
        try expect(.malformed("nodes[1].publicKey", "")) { document in
            document.nodes[1] = try NodeTuple(owner: "bank-b", address: "a:1", publicKey: [1, 2]).signed(
                by: Sample.ownerKey(1))
        }
    }

    @Test("tuples must be signed by their owner, over all their parts")
    func signatures() throws {
        let tuple = try NodeTuple(
            owner: "bank-b", address: "127.0.0.1:9001", publicKey: Sample.nodeKey(1).publicKey.spki)
        let signature = try tuple.signed(by: Sample.ownerKey(1)).signature
        try expect(.badSignature("nodes[1].signature", "")) {
            $0.nodes[1] = try tuple.signed(by: Sample.ownerKey(0))
        }
        try expect(.badSignature("nodes[1].signature", "")) { $0.nodes[1] = NodeEntry(tuple: tuple, signature: []) }
        try expect(.badSignature("nodes[1].signature", "")) {
            var other = tuple
            other.address = "127.0.0.1:9009"
            $0.nodes[1] = NodeEntry(tuple: other, signature: signature)
        }
        try expect(.badSignature("nodes[1].signature", "")) {
            var other = tuple
            other.owner = "bank-c"
            $0.nodes[1] = NodeEntry(tuple: other, signature: signature)
        }
        try expect(.badSignature("nodes[1].signature", "")) {
            var other = tuple
            other.publicKey = try Sample.nodeKey(5).publicKey.spki
            $0.nodes[1] = NodeEntry(tuple: other, signature: signature)
        }
    }

    @Test("code and platforms")
    func manifests() throws {
        try expect(.missing("code", "")) { $0.code.entries = [] }
        try expect(.missing("code", "")) { $0.code.entries.removeLast() }
        try expect(.malformed("code[0].measurement", "")) { $0.code.entries[0].measurement = [1] }
        try expect(.duplicate("code[2].measurement", "")) { $0.code.entries.append($0.code.entries[0]) }
        try expect(.unknown("code[0].platform", "")) {
            $0.code.entries[0].platform = .sgx
        }
        try expect(.malformed("code[0].name", "")) { $0.code.entries[0].name = "a\nb" }
        try expect(.missing("tee.platforms", "")) { $0.tee.rules = [] }
        try expect(.missing("code", "")) { $0.tee.rules.append(.init(platform: .tdx)) }
        try expect(.duplicate("tee.platforms[1]", "")) { $0.tee.rules.append(.init(platform: .software)) }
        try expect(.malformed("tee.platforms[0].minimumTCB", "")) { $0.tee.rules[0].minimumTCB = [1] }
        try expect(.malformed("tee.softwareKeys[0].key", "")) { $0.tee.softwareKeys[0].key[1] ^= 1 }
        try expect(.unknown("tee.softwareKeys[0].owner", "")) { $0.tee.softwareKeys[0].owner = "nobody" }
        try expect(.duplicate("tee.softwareKeys[1].key", "")) {
            $0.tee.softwareKeys[1].key = $0.tee.softwareKeys[0].key
        }
        try expect(.missing("tee.softwareKeys", "")) { $0.tee.softwareKeys.removeLast() }
    }

    @Test("policies, quorums and numbers")
    func policies() throws {
        try expect(.unsafe("voting.standard", "")) { $0.voting.standard.rule = .atLeast(4) }
        try expect(.unsafe("voting.standard", "")) { $0.voting.standard.rule = .atLeast(0) }
        try expect(.unsafe("voting.actions.set_voting_policy", "")) {
            $0.voting.exceptions[0].policy.rule = .atLeast(9)
        }
        try expect(.duplicate("voting.actions.set_voting_policy", "")) {
            $0.voting.exceptions.append($0.voting.exceptions[0])
        }
        try expect(.unsafe("consensus.quorums", "")) { $0.consensus.electionQuorum = .nodes(1) }
        try expect(.unsafe("consensus.quorums", "")) {
            $0.consensus.replicationQuorum = .nodes(1)
            $0.consensus.electionQuorum = .nodes(2)
        }
        try expect(.unsafe("consensus.quorums", "")) { $0.consensus.replicationQuorum = .nodes(4) }
        try expect(.unsafe("consensus.electionTimeoutMilliseconds", "")) { $0.parameters.heartbeatMilliseconds = 251 }
        for row in Parameters.table {
            try expect(.outOfRange(row.name, "")) { $0.parameters[keyPath: row.path] = row.range.upperBound + 1 }
            if row.range.lowerBound > 0 {
                try expect(.outOfRange(row.name, "")) { $0.parameters[keyPath: row.path] = row.range.lowerBound - 1 }
            }
            #expect(row.range.contains(Parameters()[keyPath: row.path]), "\(row.name)")
        }
        #expect(Parameters.table.map(\.name) == Parameters.table.map(\.name).sorted())
    }

    @Test("adapters")
    func adapters() throws {
        try expect(.duplicate("adapters[1].endpoint", "")) { $0.adapters[1].endpoint = "main" }
        try expect(.malformed("adapters[0].endpoint", "")) { $0.adapters[0].endpoint = "a/b" }
        try expect(.malformed("adapters[0].endpoint", "")) { $0.adapters[0].endpoint = "gov" }
        try expect(.malformed("adapters[0].kind", "")) { $0.adapters[0].kind = "" }
        try expect(.malformed("adapters[0].settings", "")) { $0.adapters[0].settings = Array("[]".utf8) }
        try expect(.malformed("adapters[0].settings", "")) { $0.adapters[0].settings = Array("{".utf8) }
        try expect(.outOfRange("adapters", "")) { document in
            for index in 0..<64 { document.adapters.append(Adapter(kind: "k", endpoint: "e\(index)")) }
        }
    }

    @Test("services outside")
    func outside() throws {
        let place = "adapters[1].outside[0]"
        for name in ["", "Rates", "a b", String(repeating: "a", count: 33)] {
            try expect(.malformed("\(place).name", "")) { $0.adapters[1].outside[0].name = name }
        }
        for url in [
            "", "http://rates.example", "https://", "https://rates.example:0/", "https://rates.example:x/",
            "https://user@rates.example/", "https://rates.example/#a", "https://rates.example/a b",
            "https://-a.example",
            "https://127.0.0.1:8443/", "https://[::1]:8443/", "https://rates.example:8443/\u{e9}",
            "https://rates.example/" + String(repeating: "a", count: 1_024),
        ] {
            try expect(.malformed("\(place).url", "")) { $0.adapters[1].outside[0].url = url }
        }
        try expect(.malformed("\(place).authorities", "")) { $0.adapters[1].outside[0].authorities = [] }
        try expect(.malformed("\(place).authorities", "")) { $0.adapters[1].outside[0].authorities = [[0x30, 0]] }
        try expect(.malformed("\(place).timeoutMilliseconds", "")) {
            $0.adapters[1].outside[0].timeoutMilliseconds = 20_001
        }
        try expect(.malformed("\(place).answerBytesMax", "")) { $0.adapters[1].outside[0].answerByteCountMax = 0 }
        try expect(.duplicate("adapters[1].outside[1].name", "")) {
            $0.adapters[1].outside.append($0.adapters[1].outside[0])
        }
        try expect(.outOfRange("adapters[0].outside", "")) { document in
            let service = document.adapters[1].outside[0]
            document.adapters[0].outside = Array(repeating: service, count: 65)
        }
    }

    @Test("a service's place is read from its URL")
    func places() {
        func place(_ url: String) -> OutsideService.Place? {
            OutsideService(name: "a", url: url, authorities: []).place
        }
        for (url, host, port, target) in [
            ("https://rates.example", "rates.example", 443, "/"),
            ("https://rates.example:8443/quote?of=EUR", "rates.example", 8443, "/quote?of=EUR"),
            ("https://localhost?x=/", "localhost", 443, "/?x=/"), ("https://a1.b/x:y", "a1.b", 443, "/x:y"),
        ] {
            #expect(place(url)?.host == host && place(url)?.port == UInt16(port) && place(url)?.target == target)
        }
    }

    @Test("unknown entries can't hide known ones or leave the constitution's maps")
    func unknown() throws {
        for (map, key) in [
            (ConstitutionMaps.parameters, "replay"), (ConstitutionMaps.members, "bank-x"), ("public:x", "a"),
            (ConstitutionMaps.policies, "standard"),
        ] {
            var document = try Sample.document()
            document.unknown = [.init(map: map, key: Array(key.utf8), value: [1, 1])]
            #expect(throws: ConstitutionError.self) { try Constitution(genesis: document) }
        }
    }

    @Test("quorums are safe at every size, and as asked where that is safe")
    func quorums() {
        let choices = (0...6).map { ConsensusSettings.Quorum($0 == 0 ? "auto" : String($0)) ?? .automatic }
        for n in 1...9 {
            for replication in choices {
                for election in choices {
                    let settings = ConsensusSettings(replicationQuorum: replication, electionQuorum: election)
                    let (r, e) = settings.quorums(voters: n)
                    #expect((1...n).contains(r) && (1...n).contains(e), "\(n) \(replication) \(election)")
                    #expect(r + e > n && 2 * e > n, "\(n) \(replication) \(election)")
                    if case .nodes(let asked) = replication { #expect(r == min(Int(asked), n)) }
                }
            }
        }
        #expect(ConsensusSettings().quorums(voters: 5) == (3, 3))
        #expect(ConsensusSettings(replicationQuorum: .nodes(2)).quorums(voters: 5) == (2, 4))
        #expect(ConsensusSettings(electionQuorum: .nodes(4)).quorums(voters: 5) == (2, 4))
    }

    @Test("voting rules are read, written and counted")
    func rules() throws {
        for (text, rule, needed) in [
            ("unanimous", VotingRule.unanimous, 5), ("majority", .majority, 3), ("2 of N", .atLeast(2), 2),
            ("one of N", .atLeast(1), 1),
        ] {
            #expect(try VotingRule(text, path: "") == rule)
            #expect(try VotingRule(rule.description, path: "") == rule)
            let members = ["a", "b", "c", "d", "e"]
            for count in 0...5 {
                let votes = Dictionary(members.prefix(count).map { ($0, Vote.yes) }, uniquingKeysWith: { $1 })
                #expect(rule.passes(votes, members: members) == (count >= needed))
            }
        }
        for text in ["", "most", "2 of 3", "-1 of N", "2of N", "99999999999 of N"] {
            #expect(throws: ConstitutionError.malformed("x", "")) { try VotingRule(text, path: "x") }
        }
        let policies = VotingPolicies(
            standard: .majority, exceptions: [.init(action: .setNode, rule: .atLeast(1))])
        #expect(policies.policy(for: .setNode).rule == .atLeast(1))
        #expect(policies.policy(for: .removeNode).rule == .majority)
    }
}
