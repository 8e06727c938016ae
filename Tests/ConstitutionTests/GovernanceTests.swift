import Attestation
import Constitution
import Identity
import Primitives
import Store
import Testing

private let day: UInt64 = 86_400_000

@Suite("Proposals and votes")
struct GovernanceTests {
    private func delay(_ value: Int64) -> ProposedAction {
        .setParameters([.init(name: "batch.delayMicroseconds", value: .integer(value))])
    }

    @Test("a majority changes a parameter, and the ledger says who decided")
    func majority() throws {
        var network = try TestNetwork()
        let before = network.constitution
        let made = try network.propose([delay(7000)], title: "Slower batches")
        #expect(made.state == .open)
        #expect(made.id.count == 64)
        #expect(network.constitution == before)
        #expect(try network.vote(.yes, on: made.id, by: 0)?.state == .open)
        let record = try #require(try network.vote(.yes, on: made.id, by: 2))
        #expect(record.state == .accepted)
        #expect(record.ballots.map(\.member) == ["bank-a", "bank-c"])
        #expect(network.constitution.parameters.batchDelayMicroseconds == 7000)
        #expect(network.constitution.networkID == before.networkID)
        try network.check()
        let history = try ConstitutionHistory(reading: network.store.latest)
        #expect(history.versions.map(\.proposalID) == [made.id])
        #expect(history.versions[0].title == "Slower batches")
        #expect(history.versions[0].ballots.map(\.vote) == [.yes, .yes])
        #expect(history.versions[0].place.seqno == network.seqno)
        #expect(try history.constitution(at: network.seqno - 1).constitution == before)
        #expect(try history.constitution(at: network.seqno - 1).version == nil)
        #expect(try history.constitution(at: network.seqno).constitution == network.constitution)
        #expect(try Governance.proposal(made.id, in: network.store.latest).actions == [delay(7000)])
        // The message stands in the ledger as it was signed.
        let kept = try #require(network.store.latest.get(GovernanceMaps.history, Array("bank-c".utf8)))
        let message = try GovernanceMessage(RecordedMessage(record: kept).bytes)
        #expect(message.kind == .ballot && message.proposalID == made.id)
        #expect(try message.signer(in: before, session: [], at: now).actor.id == "bank-c")
    }

    @Test("enough votes against, or abstentions, reject")
    func rejected() throws {
        var network = try TestNetwork()
        let one = try network.propose([delay(7000)])
        try network.vote(.no, on: one.id, by: 0)
        #expect(try network.vote(.abstain, on: one.id, by: 1)?.state == .rejected)
        #expect(throws: GovernanceError(.notOpen)) { try network.vote(.yes, on: one.id, by: 2) }
        #expect(try ConstitutionHistory(reading: network.store.latest).versions.isEmpty)
        try network.check()
    }

    @Test("a vote can change while the proposal is open")
    func changedVote() throws {
        var network = try TestNetwork()
        let made = try network.propose([delay(7000)], ballot: .yes)
        #expect(made.ballots.map(\.vote) == [.yes])
        #expect(try network.vote(.no, on: made.id, by: 0)?.ballots.map(\.vote) == [.no])
        #expect(try network.vote(.yes, on: made.id, by: 1)?.state == .open)
        #expect(try network.vote(.yes, on: made.id, by: 0)?.state == .accepted)
        try network.check()
    }

    @Test("only the proposer withdraws, and only what is open")
    func withdrawn() throws {
        var network = try TestNetwork()
        let made = try network.propose([delay(7000)])
        let other = try network.sign(.withdrawal, [], made.id, by: 1)
        #expect(throws: GovernanceError(.notAuthorised)) { try network.take(other) }
        let own = try network.sign(.withdrawal, [], made.id, by: 0)
        #expect(try network.take(own)?.state == .withdrawn)
        #expect(throws: GovernanceError(.notOpen)) { try network.take(own) }
        try network.check()
    }

    @Test("time decides: not before it opens, at the deadline with the votes that are there")
    func deadlines() throws {
        func network(_ rule: VotingRule) throws -> TestNetwork {
            try TestNetwork {
                $0.voting.standard = VotingPolicy(rule: rule, openMilliseconds: day, deadlineMilliseconds: 3 * day)
            }
        }
        var early = try network(.atLeast(1))
        let one = try early.propose([delay(1)], ballot: .yes)
        #expect(one.state == .open)
        #expect(early.governance.due(after: early.time) == one.created.time + day)
        try early.pass(day - 2000)
        #expect(early.governance.record(of: one.id)?.state == .open)
        try early.pass(2000)
        #expect(early.governance.record(of: one.id)?.state == .accepted)
        #expect(early.governance.due(after: early.time) == nil)
        try early.check()

        var silent = try network(.veto(1, by: nil))
        let two = try silent.propose([delay(2)], by: 1)
        try silent.pass(2 * day)
        #expect(silent.governance.record(of: two.id)?.state == .open)
        try silent.pass(day)
        #expect(silent.governance.record(of: two.id)?.state == .accepted)
        #expect(silent.governance.record(of: two.id)?.ballots.isEmpty == true)

        var late = try network(.majority)
        let three = try late.propose([delay(3)], ballot: .yes)
        late.time += 3 * day
        // A vote that comes too late finds the proposal closed.
        #expect(throws: GovernanceError(.notOpen)) { try late.vote(.yes, on: three.id, by: 1) }
        try late.pass(0)
        #expect(late.governance.record(of: three.id)?.state == .expired)
        try late.check()
    }

    @Test("a change of the voting policy is judged by the old one, the next vote by the new one")
    func votingPolicy() throws {
        var network = try TestNetwork()  // set_voting_policy is unanimous
        let other = try network.propose([delay(5)], by: 1, ballot: .yes)
        let unrelated = try network.propose([.setOpen(false)], by: 2, ballot: .yes)
        let change = try network.propose(
            [.setVotingPolicy(.setParameters, VotingPolicy(rule: .atLeast(1)))], ballot: .yes)
        try network.vote(.yes, on: change.id, by: 1)
        #expect(network.governance.record(of: change.id)?.state == .open)
        #expect(try network.vote(.yes, on: change.id, by: 2)?.state == .accepted)
        // What was voted on under the old policy is not counted under the new one.
        #expect(network.governance.record(of: other.id)?.state == .dropped)
        #expect(network.governance.record(of: other.id)?.reason.contains("policy of set_parameters") == true)
        #expect(network.governance.record(of: unrelated.id)?.state == .open)
        #expect(try network.propose([delay(6)], ballot: .yes).state == .accepted)
        // And back to the standard, by the policy of its own action.
        let back = try network.propose([.removeVotingPolicy(.setParameters)], ballot: .yes)
        #expect(try network.vote(.yes, on: back.id, by: 1)?.state == .accepted)
        #expect(try network.propose([delay(7)], ballot: .yes).state == .open)
        try network.check()
    }

    @Test("several actions are one change: each policy must be met, each action sees those before it")
    func atomic() throws {
        var network = try TestNetwork()
        let both: [ProposedAction] = [
            .setActor(try Sample.member(3)),
            .setSoftwareKey(.init(owner: "bank-d", key: try PlatformKey.x963(Sample.platformKey(3).publicKey))),
            .setNode(try Sample.node(3, of: 3)), .setVotingPolicy(.setOpen, VotingPolicy(rule: .atLeast(2))),
        ]
        // The node alone, or before its owner's platform key is known, is refused.
        #expect(throws: GovernanceError(.invalidProposal)) { try network.propose([both[2]]) }
        #expect(throws: GovernanceError(.invalidProposal)) { try network.propose([both[0], both[2]]) }
        let made = try network.propose(both, ballot: .yes)
        try network.vote(.yes, on: made.id, by: 1)
        #expect(network.governance.record(of: made.id)?.state == .open)  // set_voting_policy is unanimous
        #expect(network.constitution.members.count == 3)
        #expect(try network.vote(.yes, on: made.id, by: 2)?.state == .accepted)
        #expect(network.constitution.members.map(\.id) == ["bank-a", "bank-b", "bank-c", "bank-d"])
        #expect(network.constitution.nodes.count == 4)
        // The new member votes from now on, under its own key; two of four are no majority.
        let next = try network.propose([delay(9)], by: 3, ballot: .yes)
        try network.vote(.yes, on: next.id, by: 0)
        #expect(network.governance.record(of: next.id)?.state == .open)
        #expect(try network.vote(.yes, on: next.id, by: 1)?.state == .accepted)
        try network.check()
    }

    @Test("of two proposals for the same entry the second is dropped")
    func race() throws {
        var network = try TestNetwork()
        let one = try network.propose([delay(1)], by: 0, ballot: .yes)
        let two = try network.propose([delay(2)], by: 1, ballot: .yes)
        let three = try network.propose(
            [.setParameters([.init(name: "batch.transactionsMax", value: 50)])], by: 2, ballot: .yes)
        #expect(try network.vote(.yes, on: one.id, by: 2)?.state == .accepted)
        let loser = try #require(network.governance.record(of: two.id))
        #expect(loser.state == .dropped)
        #expect(loser.reason.contains("batch.delayMicroseconds") && loser.reason.contains(one.id))
        #expect(network.governance.record(of: three.id)?.state == .open)
        #expect(throws: GovernanceError(.notOpen)) { try network.vote(.yes, on: two.id, by: 2) }
        #expect(network.constitution.parameters.batchDelayMicroseconds == 1)
        try network.check()
    }

    @Test("removing a member takes its votes and proposals, and can decide others")
    func removedMember() throws {
        var network = try TestNetwork {
            $0.voting.exceptions = []; $0.nodes.removeLast()
        }
        let own = try network.propose([delay(1)], by: 2)
        let half = try network.propose(
            [.setParameters([.init(name: "batch.transactionsMax", value: 50)])], by: 0, ballot: .abstain)
        try network.vote(.yes, on: half.id, by: 2)
        let unanimous = try network.propose(
            [.setParameters([.init(name: "signature.entriesMax", value: 50)])], by: 0, ballot: .yes)
        let removal = try network.propose([.removeActor("bank-c", .member)], ballot: .yes)
        #expect(try network.vote(.yes, on: removal.id, by: 1)?.state == .accepted)
        #expect(network.constitution.members.map(\.id) == ["bank-a", "bank-b"])
        // Its platform key went with it.
        #expect(!network.constitution.tee.softwareKeys.contains { $0.owner == "bank-c" })
        #expect(network.governance.record(of: own.id)?.state == .dropped)
        // An abstention of two members rejects: more than half can't be reached any more.
        #expect(network.governance.record(of: half.id)?.state == .rejected)
        #expect(network.governance.record(of: half.id)?.ballots.map(\.member) == ["bank-a"])
        #expect(network.governance.record(of: unanimous.id)?.state == .open)
        #expect(throws: GovernanceError(.notAuthenticated)) {
            let certificate = try X509Certificate(der: Sample.document().members[2].certificates[0].der)
            try network.take(
                GovernanceMessage.sign(
                    .ballot, payload: Array(#"{"ballot":"for"}"#.utf8), proposalID: unanimous.id,
                    signedAt: network.time / 1000, certificate: certificate, key: Sample.ownerKey(2)))
        }
        try network.check()
    }

    @Test("one acceptance can make another")
    func cascade() throws {
        var network = try TestNetwork { document in
            document.voting = VotingPolicies(
                standard: .majority, exceptions: [.init(action: .removeMember, rule: .count(1, of: ["bank-a"]))])
            document.nodes.removeAll { $0.owner != "bank-a" }
        }
        let waiting = try network.propose([delay(4)], by: 0, ballot: .yes)
        try network.vote(.no, on: waiting.id, by: 1)
        #expect(network.governance.record(of: waiting.id)?.state == .open)
        try network.propose([.removeActor("bank-b", .member), .removeActor("bank-c", .member)], ballot: .yes)
        // Alone, bank-a is the majority.
        #expect(network.governance.record(of: waiting.id)?.state == .accepted)
        let history = try ConstitutionHistory(reading: network.store.latest)
        #expect(history.versions.count == 2)
        #expect(history.versions[0].place == history.versions[1].place)
        #expect(try history.constitution(at: network.seqno).version?.number == 2)
        try network.check()
    }

    @Test("who may propose is policy; participants never vote")
    func proposers() throws {
        var network = try TestNetwork { document in
            document.actors.append(try Sample.member(3, role: .participant))
            document.voting.exceptions += [
                .init(action: .setNode, policy: VotingPolicy(rule: .majority, proposers: .actors)),
                .init(action: .setOpen, policy: VotingPolicy(rule: .atLeast(1), proposers: .listed(["bank-d"]))),
            ]
        }
        #expect(throws: GovernanceError(.notAuthorised)) { try network.propose([self.delay(1)], by: 3) }
        #expect(throws: GovernanceError(.notAuthorised)) { try network.propose([.setOpen(false)], by: 0) }
        #expect(throws: GovernanceError(.notAuthorised)) {
            try network.propose([.setOpen(false), self.delay(1)], by: 3)
        }
        #expect(throws: GovernanceError(.notAuthorised)) { try network.propose([.setOpen(false)], by: 3, ballot: .yes) }
        let made = try network.propose([.setOpen(false)], by: 3)
        #expect(throws: GovernanceError(.notAuthorised)) { try network.vote(.yes, on: made.id, by: 3) }
        #expect(try network.vote(.yes, on: made.id, by: 0)?.state == .accepted)
        #expect(!network.constitution.document.isOpen)
        // A node of an existing actor, proposed by another.
        #expect(try network.propose([.setNode(try Sample.node(4, of: 1))], by: 3).state == .open)
        try network.check()
    }

    @Test("certificates are renewed by a vote")
    func renewals() throws {
        var network = try TestNetwork { $0.voting.standard.rule = .atLeast(1) }
        let node = network.constitution.nodes[0].nodeID
        try network.propose([.renewCertificates(.init(nodes: [node], network: true, days: 90))], ballot: .yes)
        #expect(network.last.renewals == [.init(nodes: [node], network: true, days: 90)])
        let keys = network.store.latest.pairs(GovernanceMaps.renewals).map { String(decoding: $0.key, as: UTF8.self) }
        #expect(keys == [node, "network"].sorted())
        // Nothing of the constitution changed, so there is no version.
        #expect(try ConstitutionHistory(reading: network.store.latest).versions.isEmpty)
        #expect(throws: GovernanceError(.invalidProposal)) {
            try network.propose([
                .renewCertificates(.init(nodes: [String(repeating: "0", count: 64)], network: false, days: 9))
            ])
        }
        try network.check()
    }

    @Test("old closed proposals leave the state, versions stay")
    func pruning() throws {
        var network = try TestNetwork { $0.voting.standard.rule = .atLeast(1) }
        for index in 0..<(GovernanceLimits.closedMax + 4) {
            network.time += day
            try network.propose([delay(Int64(index % 2 + 1))], by: index % 3, ballot: .yes)
        }
        #expect(network.governance.proposals.count == GovernanceLimits.closedMax)
        #expect(network.store.latest.count(GovernanceMaps.proposals) == GovernanceLimits.closedMax)
        #expect(network.store.latest.count(GovernanceMaps.recentProposals) <= 9)
        let history = try ConstitutionHistory(reading: network.store.latest)
        #expect(history.versions.count == GovernanceLimits.closedMax + 4)
        for version in [0, 1, 100, 255] as [UInt64] {
            let expected: UInt64 = version == 0 ? 5000 : 2 - version % 2
            #expect(try history.constitution(version: version).parameters.batchDelayMicroseconds == expected)
        }
        try network.check()
    }
}

extension GovernanceError {
    /// For comparison: errors are equal by their kind.
    init(_ code: Code) { self.init(code, "") }
}
