import Attestation
import Constitution
import Identity
import Primitives
import Store
import Testing

@Suite("Checks, differences and trials of constitutions")
struct ConstitutionAnalysisTests {
    private func findings(_ change: (inout ConstitutionDocument) throws -> Void) throws -> [String] {
        var document = try Sample.document()
        document.voting.exceptions = []
        try change(&document)
        return PolicyCheck(document).findings().map(\.description)
    }

    private func policy(_ text: String) throws -> VotingPolicy { VotingPolicy(rule: try rule(text)) }

    @Test("sound policies have no findings")
    func sound() throws {
        #expect(try findings { _ in }.isEmpty)
        #expect(try findings { $0.voting.standard.rule = .unanimous }.isEmpty)
    }

    @Test("policies that can never pass")
    func never() throws {
        for text in [
            "4 of N", "never", #"{"count":2,"of":["bank-a","bank-x"]}"#, #"{"weight":9,"of":{"bank-a":4,"bank-b":4}}"#,
            #"{"all":["majority","never"]}"#, #"{"if":{"open":true},"then":"5 of N","else":"never"}"#,
        ] {
            let found = try findings { $0.voting.standard = try policy(text) }
            #expect(
                found.count == 1 && found[0].hasPrefix("error: voting.standard: nobody can meet it"),
                "\(text): \(found)")
        }
        // A case that never passes is fine when the other does.
        #expect(
            try !findings { document in
                document.voting.exceptions = [
                    .init(
                        action: .setOpen, policy: try policy(#"{"if":{"open":true},"then":"majority","else":"never"}"#))
                ]
            }.contains { $0.hasPrefix("error") })
    }

    @Test("parts that are dominated by others")
    func dominated() throws {
        for (text, part) in [
            (#"{"any":["unanimous","majority"]}"#, "all members agree"),
            (#"{"all":["majority","one of N"]}"#, "one member agrees"),
            (#"{"any":["2 of N","majority"]}"#, "more than half of the members agree"),
            (#"{"all":["majority",{"any":["one of N",{"count":1,"of":["bank-a"]}]}]}"#, "bank-a agrees"),
            (#"{"all":["unanimous",{"veto":["bank-a"]}]}"#, "bank-a does not vote against it"),
        ] {
            let found = try findings { $0.voting.standard = try policy(text) }
            #expect(found.contains { $0.contains("`\(part)` is dominated by") }, "\(text): \(found)")
        }
        #expect(
            try !findings { $0.voting.standard = try policy(#"{"any":["unanimous",{"count":1,"of":["bank-a"]}]}"#) }
                .contains { $0.contains("never counts") && $0.contains("bank-a agrees` is") })
        #expect(
            try findings { document in
                document.voting.standard = try policy(#"{"if":{"open":true},"then":"majority","else":"2 of N"}"#)
            }.contains { $0.contains("come to the same") })
    }

    @Test("policies that can be voted away, or outvoted by new members")
    func bypassed() throws {
        let weak = try findings {
            $0.voting.exceptions = [.init(action: .setVotingPolicy, rule: .atLeast(1))]
        }
        #expect(weak.contains { $0.contains("voting.standard: dominated by voting.actions.set_voting_policy") })
        let drop = try findings {
            $0.voting.exceptions = [.init(action: .setVotingPolicy, rule: .unanimous)]
        }
        #expect(drop.contains { $0.contains("dominated by voting.standard: more than half") })
        let admit = try findings {
            $0.voting.exceptions = [.init(action: .setMember, rule: .atLeast(1))]
        }
        #expect(admit.contains { $0.contains("dominated by voting.actions.set_member") })
    }

    @Test("names of nobody, and silence that blocks")
    func names() throws {
        let strangers = try findings {
            $0.voting.standard = try policy(#"{"all":["majority",{"veto":["bank-a","bank-x","supplier"]}]}"#)
        }
        #expect(strangers.contains { $0.contains("bank-x is no actor") })
        #expect(strangers.contains { $0.contains("supplier is no member and has no vote") })
        let silent = try findings { $0.voting.standard = try policy(#"{"veto":["bank-c"]}"#) }
        #expect(silent.contains { $0.contains("bank-c, holds a proposal up for ever") })
        let limited = try findings {
            $0.voting.standard = VotingPolicy(
                rule: try rule(#"{"veto":["bank-c"]}"#), deadlineMilliseconds: 86_400_000)
        }
        #expect(!limited.contains { $0.contains("for ever") })
    }

    @Test("large networks are compared by groups, and what is too much is left alone")
    func comparison() throws {
        let document = try Sample.document()
        var large = document
        for index in 0..<97 {
            large.actors.append(Actor(id: "m\(index)", role: .member, certificates: []))
        }
        large.voting = VotingPolicies(standard: .any([.unanimous, .majority]))
        // The members have no certificates, which is another matter than the policies.
        #expect(PolicyCheck(large).findings().contains { $0.reason.contains("`all members agree` is dominated") })
        large.voting.standard.rule = .any(
            (0..<12).map { .count(1, of: ["m\($0)"]) } + [.all([.count(1, of: ["m0"]), .majority])])
        #expect(!PolicyCheck(large).findings().contains { $0.severity == .error })
    }

    @Test("differences are told entry by entry, and make the one of the other")
    func difference() throws {
        let before = try Sample.document()
        var after = before
        after.actors.append(try Sample.member(3))
        after.nodes.removeLast()
        after.parameters.batchDelayMicroseconds = 9
        after.voting.standard.rule = .atLeast(2)
        after.isOpen = false
        after.adapters[0].settings = Array("{}".utf8)
        let difference = ConstitutionDifference(from: before, to: after)
        let lines = difference.lines(from: before.sorted(), to: after.sorted()).map(\.description)
        #expect(lines.count == 6)
        #expect(lines.contains { $0.hasPrefix("+ member bank-d: certificates ") })
        #expect(lines.contains { $0.hasPrefix("- VN ") && $0.hasSuffix("bank-c at 127.0.0.1:9002") })
        #expect(lines.contains("~ parameter batch.delayMicroseconds: 5000 -> 9"))
        #expect(lines.contains("~ standard voting policy: majority -> 2 of N"))
        #expect(lines.contains("+ closed to transactions"))
        #expect(lines.contains { $0.hasPrefix("~ adapter main: ethereum, settings ") })
        var writes = try Constitution(genesis: before).writeSet()
        writes.merge(difference.writes)
        #expect(try Constitution(reading: writes).document == after.sorted())
        #expect(ConstitutionDifference(from: before, to: before).isEmpty)
    }

    @Test("every action is written as it is read")
    func actions() throws {
        let document = try Sample.document()
        let node = try Sample.node(4, of: 0)
        let id = node.entry.nodeID
        let key = document.tee.softwareKeys[0]
        let some: [ProposedAction] = [
            .setActor(try Sample.member(3)), .setActor(document.actors[3]), .removeActor("bank-a", .member),
            .removeActor("supplier", .participant), .setNode(node), .setNode(NodeRequest(entry: node.entry)),
            .removeNode(nodeID: id), .replaceNode(nodeID: id, with: node), .addCode(Sample.code(.worker, 3)),
            .removeCode(.worker, .software, measurement: [1, 2]), .setPlatform(.init(platform: .tdx, minimumTCB: [1])),
            .removePlatform(.sgx), .setSoftwareKey(key), .removeSoftwareKey(key),
            .setVotingPolicy(nil, VotingPolicy(rule: .majority)),
            .setVotingPolicy(.setOpen, VotingPolicy(rule: .atLeast(1), proposers: .actors, deadlineMilliseconds: 1000)),
            .removeVotingPolicy(.setOpen), .setParameters([.init(name: "consensus.restart", value: "members")]),
            .removeParameters(["consensus.restart"]), .setAdapter(document.adapters[0]),
            .upgradeAdapter(document.adapters[1]), .removeAdapter(endpoint: "main"),
            .renewCertificates(.init(nodes: nil, network: true, days: 30)),
            .renewCertificates(.init(nodes: [id], network: false, days: 1)), .setOpen(false),
            .removeEntry(map: "x", key: [1]),
        ]
        #expect(Set(some.map(\.kind)).count == GovernanceAction.allCases.count)
        for action in some { #expect(try ProposedAction(json: action.json, path: "a") == action) }
        let proposal = Proposal(
            actions: some, title: "All of it", network: String(repeating: "a", count: 64), ballot: .no)
        #expect(try Proposal(json: proposal.json.serialized()) == proposal)
    }

    @Test("every policy of the document can be added, changed and removed")
    func everyPart() throws {
        // One member decides all at once, so that each change shows alone.
        var network = try TestNetwork { document in
            document.voting = VotingPolicies(standard: .atLeast(1))
            document.unknown = [.init(map: ConstitutionMaps.parameters, key: Array("later".utf8), value: [1, 2])]
        }
        let before = network.constitution.document
        let node = try Sample.node(4, of: 0)
        let some: [(ProposedAction, (ConstitutionDocument) -> Bool)] = [
            (.setActor(try Sample.member(3, role: .participant)), { $0.participants.count == 2 }),
            (.removeActor("bank-d", .participant), { $0.participants.count == 1 }),
            (.setActor(try Sample.member(3)), { $0.members.count == 4 }),
            (.removeActor("bank-d", .member), { $0.members.count == 3 }),
            (.setNode(node), { $0.nodes.count == 4 }),
            (
                .replaceNode(nodeID: node.entry.nodeID, with: try Sample.node(5, of: 0, port: 9004)),
                { $0.nodes.count == 4 && !$0.nodes.contains(node.entry) }
            ),
            (.removeNode(nodeID: try Sample.node(5, of: 0).entry.nodeID), { $0.nodes == before.nodes }),
            (.addCode(Sample.code(.combined, 7)), { $0.code.entries.count == 3 }),
            (
                .removeCode(.combined, .software, measurement: [UInt8](repeating: 7, count: 32)),
                { $0.code == before.code }
            ),
            (
                .setSoftwareKey(.init(owner: "supplier", key: try PlatformKey.x963(key(90).publicKey))),
                { $0.tee.softwareKeys.count == 4 }
            ),
            (
                .removeSoftwareKey(.init(owner: "supplier", key: try PlatformKey.x963(key(90).publicKey))),
                { $0.tee == before.tee }
            ),
            (
                .setVotingPolicy(.setOpen, VotingPolicy(rule: .atLeast(1), proposers: .actors)),
                { $0.voting.exceptions.count == 1 }
            ),
            (.removeVotingPolicy(.setOpen), { $0.voting == before.voting }),
            (.setParameters([.init(name: "name", value: "four banks")]), { $0.name == "four banks" }),
            (
                .setParameters([
                    .init(name: "consensus.restart", value: "members"),
                    .init(name: "consensus.replicationQuorum", value: 2),
                ]), { $0.consensus.restart == .members && $0.consensus.replicationQuorum == .nodes(2) }
            ),
            (
                .removeParameters(["consensus.restart", "consensus.replicationQuorum"]),
                { $0.consensus == before.consensus }
            ),
            (.setAdapter(Adapter(kind: "ethereum", endpoint: "third")), { $0.adapters.count == 3 }),
            (
                .upgradeAdapter(Adapter(kind: "quorum", endpoint: "third")),
                { $0.adapters.map(\.kind) == ["ethereum", "ethereum", "quorum"] }
            ),
            (.removeAdapter(endpoint: "third"), { $0.adapters == before.adapters }),
            (.setOpen(false), { !$0.isOpen }), (.setOpen(true), { $0.isOpen }),
            (.removeEntry(map: ConstitutionMaps.parameters, key: Array("later".utf8)), { $0.unknown.isEmpty }),
        ]
        for (index, (action, holds)) in some.enumerated() {
            let record = try network.propose([action], ballot: .yes)
            #expect(record.state == .accepted, "\(action.kind.rawValue): \(record.reason)")
            #expect(holds(network.constitution.document), "\(action.kind.rawValue)")
            try network.check()
            #expect(try ConstitutionHistory(reading: network.store.latest).versions.count == index + 1)
        }
        // Each version can be shown again.
        let history = try ConstitutionHistory(reading: network.store.latest)
        for (index, (action, holds)) in some.enumerated() {
            let then = try history.constitution(version: UInt64(index + 1))
            #expect(holds(then.document), "\(action.kind.rawValue)")
            #expect(then.digest == history.versions[index].digest)
        }
        #expect(try history.constitution(version: 0).document == before)
        #expect(throws: ConstitutionError.self) { try history.constitution(version: 99) }
        var damaged = network.store.latest.contents
        damaged.remove([0, 0, 0, 0, 0, 0, 0, 3], in: GovernanceMaps.versions)
        #expect(throws: ConstitutionError.self) { try ConstitutionHistory(reading: damaged) }
    }

    @Test("a trial says what would come of a proposal")
    func simulation() throws {
        var document = try Sample.document()
        document.voting.standard = VotingPolicy(rule: .majority, deadlineMilliseconds: 86_400_000)
        let constitution = try Constitution(genesis: document)
        let proposal = Proposal(actions: [.setOpen(false)], title: "Close").json.serialized()
        func trial(_ ballots: [Simulation.Ballot], by proposer: String = "bank-a", until end: UInt64 = 0) -> Simulation
        {
            Simulation(of: proposal, by: proposer, votes: ballots, on: constitution, at: now, until: end)
        }
        let accepted = trial([.init(member: "bank-a", vote: .yes), .init(member: "bank-b", vote: .yes, after: 0)])
        #expect(accepted.record?.state == .accepted)
        #expect(!accepted.constitution.document.isOpen)
        #expect(accepted.difference.entries.count == 1)
        #expect(
            accepted.steps.map(\.text).prefix(4) == [
                "bank-a proposes: Close", "bank-a votes for", "bank-b votes for", "the proposal is Accepted",
            ])
        let open = trial([.init(member: "bank-a", vote: .yes)], until: 1000)
        #expect(open.record?.state == .open)
        #expect(open.constitution == constitution)
        let expired = trial([.init(member: "bank-a", vote: .yes)], until: 90_000_000)
        #expect(expired.record?.state == .expired)
        #expect(expired.steps.last?.after == 86_400_000)
        // A vote can change, and one that comes too late or from nobody is told.
        let changed = trial(
            [
                .init(member: "bank-a", vote: .yes), .init(member: "bank-a", vote: .no, after: 5),
                .init(member: "bank-x", vote: .yes, after: 6), .init(member: "bank-b", vote: .no, after: 7),
                .init(member: "bank-c", vote: .yes, after: 8),
            ], until: 9)
        #expect(changed.record?.state == .rejected)
        #expect(changed.steps.contains { $0.text.contains("no actor bank-x") })
        #expect(changed.steps.contains { $0.text.contains("vote of bank-c refused") })
        #expect(trial([], by: "supplier").refusal == GovernanceError(.notAuthorised))
        #expect(trial([], by: "bank-x").refusal == GovernanceError(.notAuthenticated))
        let nothing = Simulation(
            of: Array("{}".utf8), by: "bank-a", votes: [], on: constitution, at: now, until: 0)
        #expect(nothing.refusal == GovernanceError(.invalidProposal))
    }
}
