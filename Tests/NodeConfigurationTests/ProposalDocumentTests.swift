import Attestation
import Constitution
import Identity
import NodeConfiguration
import Primitives
import Testing

@Suite("Proposals in YAML")
struct ProposalDocumentTests {
    let founders: Founders

    init() throws { founders = try Founders() }

    private func proposal(_ yaml: String) throws -> Proposal {
        try ProposalDocument(yaml: yaml, folder: "/genesis", files: founders.files).proposal
    }

    @Test("short forms become what is signed")
    func forms() throws {
        let proposal = try proposal(
            """
            title: Much at once
            ballot: for
            actions:
              - set_member: {id: bank-d, certificates: [bank-a.pem], organisations: []}
              - set_node: bank-b.json
              - replace_node: {nodeID: "\(String(repeating: "ab", count: 32))", node: bank-c.json}
              - remove_member: bank-c
              - remove_node: "\(String(repeating: "cd", count: 32))"
              - set_open: false
              - set_platform: tdx
              - set_parameters: {batch.delayMicroseconds: 7, consensus.restart: members}
              - remove_parameters: [batch.transactionsMax]
              - set_voting_policy:
                  action: set_node
                  policy:
                    rule: {if: {proposer: owner, ownerNodes: {atMost: 3}}, then: no vote, else: majority}
                    deadline: 7 days
              - upgrade_adapter: {kind: ethereum, endpoint: second, settingsFile: second.json}
              - {name: set_open, args: {open: true}}
            """)
        #expect(proposal.title == "Much at once")
        #expect(proposal.ballot == .yes)
        #expect(
            proposal.actions.map(\.kind) == [
                .setMember, .setNode, .replaceNode, .removeMember, .removeNode, .setOpen, .setPlatform, .setParameters,
                .removeParameters, .setVotingPolicy, .upgradeAdapter, .setOpen,
            ])
        guard case .setActor(let actor) = proposal.actions[0], case .setNode(let node) = proposal.actions[1],
            case .setVotingPolicy(.setNode?, let policy) = proposal.actions[9],
            case .upgradeAdapter(let adapter) = proposal.actions[10]
        else {
            Issue.record("another form")
            return
        }
        #expect(actor.certificates.count == 1)
        #expect(try X509Certificate(der: actor.certificates[0].der).commonName == "bank-a")
        #expect(node.entry.owner == "bank-b" && node.evidence != nil)
        #expect(node.managerMeasurement == Founders.manager)
        #expect(policy.deadlineMilliseconds == 7 * 86_400_000)
        #expect(policy.rule.text == nil)
        #expect(adapter.settings == Array(#"{"batchMax":7}"#.utf8))
        #expect(try Proposal(json: proposal.json.serialized()) == proposal)
    }

    @Test("a node file that a node made is proposed as it is")
    func trial() throws {
        let constitution = try founders.constitution()
        // The same node again is refused, for the right reason: all of the file was understood.
        let again = try proposal("actions: [{set_node: bank-b.json}]")
        let trial = Simulation(
            of: again.json.serialized(), by: "bank-a", votes: [], on: constitution, at: now, until: 0)
        #expect(trial.refusal?.reason.contains("is on the VN list") == true)
    }

    @Test(
        "problems name their place",
        arguments: [
            ("{}", "actions"), ("actions: []", "actions"), ("actions: [set_open]", "actions[0]"),
            ("actions: [{set_mood: good}]", "actions[0].set_mood"),
            ("actions: [{set_open: false, remove_member: bank-a}]", "actions[0]"),
            ("actions: [{set_open: maybe}]", "actions[0].args.open"),
            ("actions: [{set_node: none.json}]", "actions[0].set_node"),
            ("actions: [{set_member: {id: d, certificates: [none.pem]}}]", "actions[0].set_member.certificates[0]"),
            ("actions: [{set_open: false}]\nvotes: 3", "votes"),
            ("actions: [{set_open: false}]\nballot: yes", "proposal.ballot"),
        ])
    func refused(_ yaml: String, _ path: String) {
        let found = problems { _ = try proposal(yaml) }
        #expect(found.contains { $0.path == path }, "\(found)")
    }

    @Test("a constitution written as YAML reads back as the same values")
    func yaml() throws {
        let json = try founders.constitution {
            $0.replacing("standard: 2 of N", with: "standard: {all: [majority, {veto: [bank-a]}]}")
        }
        .document.json
        for value in [
            json,
            [
                "text": "yes", "empty": "", "number": "12", "list": [], "object": [:],
                "nested": [[1, 2], [["a": nil]]],
                "odd name: x": "#", "lines": "a\nb\n", "block": "-----BEGIN X-----\nAA\n-----END X-----\n",
                "true": true,
                "quote": "\"\\\u{7}",
            ] as JSON,
        ] {
            let text = YAMLText.text(value)
            #expect(try YAMLText.json(of: text) == value, "\(text)")
        }
    }

    @Test("policies of a genesis can be sections")
    func policies() throws {
        let constitution = try founders.constitution {
            $0.replacing(
                "standard: 2 of N",
                with: "standard: {rule: {all: [majority, {veto: [bank-a]}]}, propose: actors, deadline: 2 days}")
        }
        #expect(constitution.voting.standard.rule == .all([.majority, .veto(1, by: ["bank-a"])]))
        #expect(constitution.voting.standard.proposers == .actors)
        let found = problems {
            _ = try founders.constitution { $0.replacing("standard: 2 of N", with: "standard: {all: [most]}") }
        }
        #expect(found.contains { $0.path == "voting.standard.all[0]" && $0.line == 18 }, "\(found)")
    }
}
