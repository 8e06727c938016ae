import Attestation
import Constitution
import Identity
import Primitives
import Store
import Testing

@Suite("Refusals that protect")
struct GovernanceRefusalTests {
    /// Proposes, and gives the reason of the refusal.
    private func refusal(
        _ actions: [ProposedAction], _ change: (inout TestNetwork) throws -> Void = { _ in },
        document: (inout ConstitutionDocument) throws -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        var network = try TestNetwork(document)
        try change(&network)
        let before = network.governance.proposals
        let error = #expect(throws: GovernanceError(.invalidProposal), sourceLocation: sourceLocation) {
            try network.propose(actions)
        }
        #expect(network.governance.proposals == before, sourceLocation: sourceLocation)
        return error?.reason ?? ""
    }

    private func removal(_ bank: Int) throws -> [ProposedAction] {
        let document = try Sample.document()
        return [
            .removeNode(nodeID: document.nodes[bank].nodeID), .removeActor(Sample.bank(bank), .member),
        ]
    }

    @Test("no member is left")
    func noMember() throws {
        let all = try removal(0) + removal(1) + [.removeActor("bank-c", .member)]
        #expect(try refusal(all).contains("at least one member"))
    }

    @Test("a policy that nobody could meet")
    func unmeetable() throws {
        #expect(
            try refusal([.setVotingPolicy(.setOpen, VotingPolicy(rule: .atLeast(4)))]).contains("nobody can meet"))
        #expect(try refusal([.setVotingPolicy(nil, VotingPolicy(rule: .never))]).contains("nobody can meet"))
        #expect(
            try refusal([.setVotingPolicy(.setOpen, VotingPolicy(rule: .count(1, of: ["supplier"])))])
                .contains("nobody can meet"))
        #expect(
            try refusal([.setVotingPolicy(.setOpen, VotingPolicy(rule: .majority, proposers: .listed(["bank-x"])))])
                .contains("nobody may propose"))
        #expect(
            try refusal([
                .setVotingPolicy(
                    .setOpen,
                    VotingPolicy(
                        rule: .when(.open(true), then: .never, otherwise: .all([.majority, .atLeast(9)]))))
            ]).contains("nobody can meet"))
    }

    @Test("a removal after which a policy could not be met")
    func unmeetableAfterwards() throws {
        let rule: (inout ConstitutionDocument) -> Void = { $0.voting.standard.rule = .atLeast(3) }
        #expect(try refusal(removal(2), document: rule).contains("nobody can meet"))
        // With a change of the policy in the same proposal it works.
        var network = try TestNetwork(rule)
        let made = try network.propose(
            removal(2) + [.setVotingPolicy(nil, VotingPolicy(rule: .atLeast(2)))], ballot: .yes)
        try network.vote(.yes, on: made.id, by: 1)
        #expect(try network.vote(.yes, on: made.id, by: 2)?.state == .accepted)
        let veto: (inout ConstitutionDocument) -> Void = {
            $0.voting.standard.rule = .all([.majority, .count(1, of: ["bank-c"])])
        }
        #expect(try refusal(removal(2), document: veto).contains("nobody can meet"))
    }

    @Test("quorums that would not be safe")
    func quorums() throws {
        let pair: ProposedAction = .setParameters([
            .init(name: "consensus.replicationQuorum", value: 1), .init(name: "consensus.electionQuorum", value: 2),
        ])
        #expect(try refusal([pair]).contains("not safe"))
        #expect(
            try refusal([.setParameters([.init(name: "consensus.replicationQuorum", value: 4)])])
                .contains("4 of 3 nodes"))
        // Removing a node makes a quorum of three impossible.
        let three: (inout ConstitutionDocument) -> Void = { $0.consensus.replicationQuorum = .nodes(3) }
        let node = try Sample.document().nodes[0].nodeID
        #expect(try refusal([.removeNode(nodeID: node)], document: three).contains("3 of 2 nodes"))
    }

    @Test("fewer live VNs than consensus needs")
    func liveNodes() throws {
        let ids = try Sample.document().nodes.map(\.nodeID)
        func live(_ some: [Int], code: NodeCode? = nil) -> (inout TestNetwork) -> Void {
            { network in network.live = some.map { LiveNode(nodeID: ids[$0], code: code) } }
        }
        // Node 2 is down; without node 0 only one of two would be left.
        #expect(try refusal([.removeNode(nodeID: ids[0])], live([0, 1])).contains("consensus needs 2 of 2"))
        // Removing the one that is down is fine.
        var network = try TestNetwork()
        live([0, 1])(&network)
        #expect(try network.propose([.removeNode(nodeID: ids[2])]).state == .open)
        // A node that was replaced is not there until it has caught up.
        let next = try Sample.node(5, of: 0, port: 9000)
        #expect(
            try refusal([.replaceNode(nodeID: ids[0], with: next)], live([0, 1])).contains("consensus needs 2 of 2"))
        // Code that all of them run must stay on the manifest, or they could not reconnect.
        let code = NodeCode(
            platform: .software, manager: [UInt8](repeating: 1, count: 32), worker: [UInt8](repeating: 2, count: 32))
        let swap: [ProposedAction] = [
            .addCode(Sample.code(.manager, 9)),
            .removeCode(.manager, .software, measurement: [UInt8](repeating: 1, count: 32)),
        ]
        #expect(try refusal(swap, live([0, 1, 2], code: code)).contains("0 of the VNs"))
    }

    @Test("what was fine when proposed fails when it is applied, and nothing changes")
    func failedLater() throws {
        let ids = try Sample.document().nodes.map(\.nodeID)
        var network = try TestNetwork()
        network.live = ids.map { LiveNode(nodeID: $0) }
        let made = try network.propose([.removeNode(nodeID: ids[0])], ballot: .yes)
        network.live = [LiveNode(nodeID: ids[0]), LiveNode(nodeID: ids[1])]
        let before = network.constitution
        let record = try #require(try network.vote(.yes, on: made.id, by: 1))
        #expect(record.state == .failed)
        #expect(record.reason.contains("consensus needs"))
        #expect(network.constitution == before)
        try network.check()
    }

    @Test("removing what is not there, adding what is, changing nothing")
    func noChange() throws {
        let document = try Sample.document()
        let some: [(ProposedAction, String)] = [
            (.removeActor("bank-x", .member), "no member bank-x"),
            (.removeActor("supplier", .member), "no member supplier"),
            (.removeNode(nodeID: String(repeating: "0", count: 64)), "no node"),
            (.setNode(NodeRequest(entry: document.nodes[0])), "on the VN list"),
            (.setOpen(true), "open already"),
            (.setVotingPolicy(nil, VotingPolicy(rule: .majority)), "nothing would change"),
            (.removeVotingPolicy(.setOpen), "no policy of its own"), (.removeAdapter(endpoint: "none"), "no adapter"),
            (.setAdapter(document.adapters[0]), "upgrade_adapter"),
            (.upgradeAdapter(Adapter(kind: "ethereum", endpoint: "none")), "no adapter none"),
            (.removeCode(.worker, .software, measurement: [9]), "no such entry"),
            (.removePlatform(.tdx), "does not list"),
            (.removePlatform(.software), "does not list software"),
            (.removeSoftwareKey(.init(owner: "bank-a", key: [4])), "no such platform key"),
            (.setSoftwareKey(document.tee.softwareKeys[0]), "is on the TEE manifest"),
            (.removeEntry(map: "x", key: [1]), "no such entry"), (.removeParameters(["name"]), "no default"),
            (.setParameters([.init(name: "batch.transactionsMax", value: 0)]), "from 1 to"),
            (.setParameters([.init(name: "batch.transactionsMax", value: "many")]), "whole number"),
            (.setPlatform(.init(platform: .tdx)), "tdx takes a manager and a worker"),
            (
                .addCode(.init(name: "x", version: "1", role: .manager, platform: .software, measurement: [1])),
                "32 bytes"
            ),
            (.removeActor("bank-a", .member), "no actor of the owner"),
            (
                .setActor(Actor(id: "supplier", role: .member, certificates: document.actors[0].certificates)),
                "participant"
            ),
            (
                .setActor(Actor(id: "thief", role: .member, certificates: document.actors[0].certificates)),
                "also that of"
            ),
        ]
        for (action, reason) in some {
            let found = try refusal([action])
            #expect(found.contains(reason), "\(action.kind.rawValue): \(found)")
        }
    }

    @Test("evidence that a proposal brings must hold")
    func evidence() throws {
        var node = try Sample.node(4, of: 0)
        node.managerMeasurement[0] = 9
        #expect(try refusal([.setNode(node)]).contains("other code"))
        node = try Sample.node(4, of: 0)
        node.workerMeasurement[0] = 9
        #expect(try refusal([.setNode(node)]).contains("another key or another worker"))
        node = try Sample.node(4, of: 0)
        node.evidence = try Sample.node(5, of: 0).evidence
        #expect(try refusal([.setNode(node)]).contains("another key"))
        #expect(try refusal([.setNode(try Sample.node(4, of: 0, manager: 7))]).contains("code manifest"))
        // The platform key of another owner vouches for nothing.
        node = try Sample.node(4, of: 0)
        node.entry = try NodeTuple(owner: "bank-b", address: "127.0.0.1:9004", publicKey: node.entry.publicKey)
            .signed(by: Sample.ownerKey(1))
        #expect(try !refusal([.setNode(node)]).isEmpty)
        // A tuple that its owner did not sign.
        node = try Sample.node(4, of: 0)
        node.entry = NodeEntry(tuple: node.entry.tuple, signature: [UInt8](repeating: 1, count: 64))
        #expect(try refusal([.setNode(node)]).contains("no key of bank-a signed"))
    }
}

@Suite("Automatic votes")
struct AutomaticVoteTests {
    private func ready(_ name: String) throws -> VotingPolicy {
        try #require(ReadyPolicy.all.first { $0.name == name }).policy
    }

    private func network(_ action: GovernanceAction, _ name: String) throws -> TestNetwork {
        let policy = try ready(name)
        return try TestNetwork { $0.voting.exceptions.append(.init(action: action, policy: policy)) }
    }

    @Test("each member adds up to three VNs of its own while they run endorsed code")
    func ownNodes() throws {
        var network = try network(.setNode, "own-nodes")
        // Each bank has one already.
        #expect(try network.propose([.setNode(try Sample.node(4, of: 0))]).state == .accepted)
        #expect(try network.propose([.setNode(try Sample.node(5, of: 0))]).state == .accepted)
        #expect(try network.propose([.setNode(try Sample.node(6, of: 0))]).state == .open)
        #expect(network.constitution.nodes.count == 5)
        #expect(network.last.events.count == 1)
        // Two at once count together; another's node, and one without evidence, take a vote.
        #expect(
            try network.propose([.setNode(try Sample.node(7, of: 1)), .setNode(try Sample.node(8, of: 1))], by: 1).state
                == .accepted)
        #expect(try network.propose([.setNode(try Sample.node(9, of: 2))], by: 1).state == .open)
        #expect(try network.propose([.setNode(try Sample.node(10, of: 2, withEvidence: false))], by: 2).state == .open)
        // Nobody voted, and the ledger says so.
        let history = try ConstitutionHistory(reading: network.store.latest)
        #expect(history.versions.map(\.ballots.count) == [0, 0, 0])
        #expect(history.versions.map(\.proposer) == ["bank-a", "bank-a", "bank-b"])
        try network.check()
    }

    @Test("code counts as endorsed by those who voted for it, not by being listed")
    func endorsement() throws {
        let own = try ready("own-nodes")
        var network = try TestNetwork { document in
            document.voting.exceptions += [
                .init(action: .setNode, policy: own), .init(action: .addCode, rule: .atLeast(1)),
            ]
        }
        // One member lists code; that is no majority.
        try network.propose([.addCode(Sample.code(.manager, 5))], by: 0, ballot: .yes)
        #expect(network.constitution.code.entries.count == 3)
        #expect(try network.propose([.setNode(try Sample.node(4, of: 0, manager: 5))]).state == .open)
        // Listing and adding in one proposal does not help either.
        #expect(
            try network.propose(
                [.addCode(Sample.code(.manager, 6)), .setNode(try Sample.node(5, of: 0, manager: 6))], ballot: .yes
            ).state == .open)
        try network.check()

        var endorsed = try TestNetwork { $0.voting.exceptions.append(.init(action: .setNode, policy: own)) }
        let code = try endorsed.propose([.addCode(Sample.code(.manager, 5))], by: 0, ballot: .yes)
        try endorsed.vote(.yes, on: code.id, by: 1)
        #expect(try endorsed.propose([.setNode(try Sample.node(4, of: 0, manager: 5))]).state == .accepted)
        // The endorsement goes with the entry.
        let gone = try endorsed.propose([.removeNode(nodeID: Sample.node(4, of: 0).entry.nodeID)], ballot: .yes)
        try endorsed.vote(.yes, on: gone.id, by: 1)
        let removal = try endorsed.propose(
            [.removeCode(.manager, .software, measurement: [UInt8](repeating: 5, count: 32))], ballot: .yes)
        #expect(endorsed.store.latest.count(GovernanceMaps.endorsements) == 1)
        try endorsed.vote(.yes, on: removal.id, by: 1)
        #expect(endorsed.store.latest.count(GovernanceMaps.endorsements) == 0)
        try endorsed.check()
    }

    @Test("a restarted VN with approved code replaces its old instance")
    func restartedNode() throws {
        var network = try network(.replaceNode, "restarted-node")
        let old = network.constitution.nodes.filter { $0.owner == "bank-b" }[0]
        let port = Int(old.port)
        // At another address, of another owner, proposed by another: these take a vote.
        #expect(
            try network.propose([.replaceNode(nodeID: old.nodeID, with: try Sample.node(4, of: 1, port: 9999))], by: 1)
                .state == .open)
        #expect(
            try network.propose([.replaceNode(nodeID: old.nodeID, with: try Sample.node(5, of: 0, port: port))], by: 0)
                .state == .open)
        #expect(
            try network.propose([.replaceNode(nodeID: old.nodeID, with: try Sample.node(6, of: 1, port: port))], by: 0)
                .state == .open)
        #expect(
            try network.propose([.replaceNode(nodeID: old.nodeID, with: try Sample.node(7, of: 1, port: port))], by: 1)
                .state == .accepted)
        #expect(network.constitution.nodes.count == 3)
        #expect(network.constitution.node(old.nodeID) == nil)
        // The others raced for the same entry.
        #expect(network.governance.proposals.map(\.state) == [.dropped, .dropped, .dropped, .accepted])
        try network.check()
    }

    @Test("an automatic decision does not wait for a time to open")
    func noWait() throws {
        var policy = try ready("own-nodes")
        policy.openMilliseconds = 86_400_000
        var network = try TestNetwork { $0.voting.exceptions.append(.init(action: .setNode, policy: policy)) }
        #expect(try network.propose([.setNode(try Sample.node(4, of: 0))]).state == .accepted)
    }

    @Test("small tuning takes one member, within bounds")
    func tuning() throws {
        var network = try network(.setParameters, "small-tuning")
        let policy = try ready("small-tuning")
        try network.propose([.setVotingPolicy(.removeParameters, policy)], ballot: .yes)
        for bank in [1, 2] { try network.vote(.yes, on: network.governance.proposals[0].id, by: bank) }
        func set(_ values: [(String, JSON)]) -> [ProposedAction] {
            [.setParameters(values.map { .init(name: $0.0, value: $0.1) })]
        }
        #expect(try network.propose(set([("batch.delayMicroseconds", 9000)]), ballot: .yes).state == .accepted)
        #expect(try network.propose(set([("batch.delayMicroseconds", 60_000)]), ballot: .yes).state == .open)
        #expect(
            try network.propose(set([("batch.transactionsMax", 90), ("signature.entriesMax", 3)]), ballot: .yes).state
                == .open)
        #expect(
            try network.propose(
                [.removeParameters(["batch.transactionsMax", "batch.delayMicroseconds"])], ballot: .yes
            ).state == .accepted)
        #expect(network.constitution.parameters.batchDelayMicroseconds == 5000)
    }

    @Test("every ready policy is sound in the sample's network")
    func library() throws {
        #expect(Set(ReadyPolicy.all.map(\.name)).count == ReadyPolicy.all.count)
        for ready in ReadyPolicy.all {
            #expect(try VotingPolicy(text: ready.policy.text, path: "") == ready.policy)
            for action in ready.actions.isEmpty ? [.setMember] : ready.actions {
                var document = try Sample.document()
                document.voting.exceptions.removeAll { $0.action == action }
                document.voting.exceptions.append(.init(action: action, policy: ready.policy))
                #expect(document.problems().isEmpty, "\(ready.name)")
            }
        }
    }
}
