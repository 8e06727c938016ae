import Attestation
import Constitution
import Foundation
import Identity
import Primitives
import Store
import Testing

/// Proposals, votes, withdrawals and time at random, against a model that was written apart. After each step both must say
/// the same: which error, which proposals are how, what the constitution is.
@Suite("Governance against a model")
struct GovernanceRandomTests {
    private static let day: UInt64 = 86_400_000

    /// Policies and their JSON, which the model does not read.
    private static let policies: [(GovernanceModel.Policy, String)] = [
        (.init(rule: .majority), #""majority""#), (.init(rule: .unanimous), #""unanimous""#),
        (.init(rule: .atLeast(1)), #""1 of N""#), (.init(rule: .atLeast(2)), #""2 of N""#),
        (.init(rule: .share(2, 3, more: false)), #""2/3 of members""#),
        (.init(rule: .share(1, 4, more: true)), #""more than 1/4 of members""#),
        (.init(rule: .count(2, [0, 1, 3])), #"{"count":2,"of":["bank-a","bank-b","bank-d"]}"#),
        (.init(rule: .weight(5, [0: 3, 2: 2, 4: 4])), #"{"weight":5,"of":{"bank-a":3,"bank-c":2,"bank-e":4}}"#),
        (
            .init(rule: .all([.majority, .veto(1, [1])]), deadline: 2 * day),
            #"{"rule":{"all":["majority",{"veto":["bank-b"]}]},"deadline":"2 days"}"#
        ),
        (
            .init(rule: .all([.ofVotes(2, 3), .turnout(50, 100)]), deadline: day),
            #"{"rule":{"all":["2/3 of votes","turnout 50%"]},"deadline":"1 day"}"#
        ),
        (
            .init(rule: .veto(2, nil), open: day / 24, deadline: day / 2),
            #"{"rule":{"veto":"members","count":2},"open":"1 hour","deadline":"12 hours"}"#
        ),
        (
            .init(rule: .any([.unanimous, .all([.atLeast(2), .count(1, [0])])])),
            #"{"any":["unanimous",{"all":["2 of N",{"count":1,"of":["bank-a"]}]}]}"#
        ),
        (
            .init(rule: .when(.ownNodes(2), .noVote, .majority)),
            #"{"if":{"proposer":"owner","ownerNodes":{"atMost":2},"codeEndorsed":"majority"},"then":"no vote","else":"majority"}"#
        ),
        (
            .init(rule: .when(.delayAtMost(3), .atLeast(1), .majority)),
            #"{"if":{"parameters":[{"name":"batch.delayMicroseconds","atMost":3}]},"then":"1 of N","else":"majority"}"#
        ),
        (
            .init(rule: .when(.open, .majority, .when(.membersAtLeast(3), .atLeast(2), .unanimous)), open: 3_600_000),
            #"{"rule":{"if":{"open":true},"then":"majority","else":{"if":{"members":{"atLeast":3}},"then":"2 of N","else":"unanimous"}},"open":"1 hour"}"#
        ),
        (
            .init(
                rule: .when(.proposerIsOwner, .atLeast(1), .when(.alone, .majority, .unanimous)), proposers: [0, 1, 2]),
            #"{"rule":{"if":{"proposer":"owner"},"then":"1 of N","else":{"if":{"actions":{"atMost":1}},"then":"majority","else":"unanimous"}},"propose":["bank-a","bank-b","bank-c"]}"#
        ),
        (.init(rule: .never), #""never""#), (.init(rule: .atLeast(4)), #""4 of N""#),
    ]

    private static let parameters = ["batch.delayMicroseconds", "batch.transactionsMax", "signature.entriesMax"]
    private static let banks = 5
    private static let nodes = 10

    /// What takes keys, made once: signatures differ from one time to the next.
    private struct Cast {
        var members: [Actor] = []
        var keys: [TEEManifest.SoftwareKey] = []
        /// By number and owner, with evidence and without.
        var nodes: [[(NodeRequest, NodeRequest)]] = []

        init() throws {
            for bank in 0..<GovernanceRandomTests.banks {
                members.append(try Sample.member(bank))
                keys.append(
                    .init(owner: Sample.bank(bank), key: try PlatformKey.x963(Sample.platformKey(bank).publicKey)))
            }
            for number in 0..<GovernanceRandomTests.nodes {
                nodes.append(
                    try (0..<GovernanceRandomTests.banks).map { bank in
                        let node = try Sample.node(number, of: bank)
                        return (node, NodeRequest(entry: node.entry))
                    })
            }
        }

        func document(standard: Int) throws -> ConstitutionDocument {
            var document = try Sample.document()
            document.actors = Array(members.prefix(3))
            document.nodes = (0..<3).map { nodes[$0][$0].0.entry }
            document.tee.softwareKeys = Array(keys.prefix(3))
            document.voting = VotingPolicies(standard: try policy(standard))
            for name in GovernanceRandomTests.parameters {
                guard let row = Parameters.table.first(where: { $0.name == name }) else { continue }
                document.parameters[keyPath: row.path] = 1
            }
            return document
        }

        func policy(_ index: Int) throws -> VotingPolicy {
            try VotingPolicy(json: JSON(parsing: Array(GovernanceRandomTests.policies[index].1.utf8)), path: "policy")
        }

        func json(_ action: GovernanceModel.Action) throws -> JSON {
            let action: ProposedAction =
                switch action {
                case .set(let parameter, let value):
                    .setParameters([
                        .init(name: GovernanceRandomTests.parameters[parameter], value: .integer(Int64(value)))
                    ])
                case .open(let isOpen): .setOpen(isOpen)
                case .addMember(let one): .setActor(members[one])
                case .removeMember(let one): .removeActor(Sample.bank(one), .member)
                case .addKey(let one): .setSoftwareKey(keys[one])
                case .addNode(let node, let owner, let evidence):
                    .setNode(evidence ? nodes[node][owner].0 : nodes[node][owner].1)
                case .removeNode(let node): .removeNode(nodeID: nodes[node][0].0.entry.nodeID)
                case .policy(let kind, let index):
                    .setVotingPolicy(kind.flatMap { GovernanceRandomTests.action($0) }, try policy(index))
                case .dropPolicy(let kind): .removeVotingPolicy(GovernanceRandomTests.action(kind))
                }
            return action.json
        }
    }

    private static func action(_ kind: GovernanceModel.Kind) -> GovernanceAction {
        switch kind {
        case .setParameters: .setParameters
        case .setOpen: .setOpen
        case .setMember: .setMember
        case .removeMember: .removeMember
        case .setSoftwareKey: .setSoftwareKey
        case .setNode: .setNode
        case .removeNode: .removeNode
        case .setVotingPolicy: .setVotingPolicy
        case .removeVotingPolicy: .removeVotingPolicy
        }
    }

    private static func word(_ ballot: GovernanceModel.Ballot) -> Vote {
        switch ballot {
        case .yes: .yes
        case .no: .no
        case .abstain: .abstain
        }
    }

    /// One run.
    private struct Run {
        let cast: Cast
        var random: Random
        var model: GovernanceModel
        var network: TestNetwork
        /// Ids in the model's order.
        var ids: [String] = []
        var payloads: [([UInt8], [UInt8], [GovernanceModel.Action], GovernanceModel.Ballot?, Int)] = []
        var counts: [String: Int] = [:]
        var steps = 0

        init(seed: UInt64, cast: Cast) throws {
            self.cast = cast
            random = Random(state: seed)
            // Each of the policies that three members can meet is the standard of some runs.
            let standard = Int(seed % 16)
            network = try TestNetwork(cast.document(standard: standard))
            model = GovernanceModel(
                policies: GovernanceRandomTests.policies.map(\.0),
                state: .init(
                    members: [0, 1, 2], keys: [0, 1, 2], nodes: [0: 0, 1: 1, 2: 2], parameters: [1, 1, 1],
                    standard: standard))
        }

        mutating func some<T>(_ values: [T]) -> T { values[random.below(values.count)] }

        mutating func action() -> GovernanceModel.Action {
            let bank = random.below(GovernanceRandomTests.banks)
            let node = random.below(GovernanceRandomTests.nodes)
            switch random.below(14) {
            case 0...3: return .set(parameter: random.below(3), to: 1 + random.below(5))
            case 4: return .open(random.below(2) == 0)
            case 5, 6: return .addMember(bank)
            case 7: return .addKey(bank)
            case 8, 9: return .addNode(node, of: bank, evidence: random.below(3) > 0)
            case 10: return .removeNode(node)
            case 11: return .policy(nil, random.below(GovernanceRandomTests.policies.count))
            case 12:
                return .policy(some(GovernanceModel.Kind.allCases), random.below(GovernanceRandomTests.policies.count))
            default: return .dropPolicy(some(GovernanceModel.Kind.allCases))
            }
        }

        mutating func actions() -> [GovernanceModel.Action] {
            let bank = random.below(GovernanceRandomTests.banks)
            // Whole admissions and removals come often enough to happen.
            switch random.below(14) {
            case 0, 2: return [.addMember(bank), .addKey(bank), .addNode(random.below(10), of: bank, evidence: true)]
            case 1:
                return model.state.nodes.filter { $0.value == bank }.keys.sorted().map { .removeNode($0) }
                    + [.removeMember(bank)]
            default: return (0...(random.below(3) / 2)).map { _ in action() }
            }
        }

        mutating func step() throws {
            steps += 1
            let now = network.time
            var signedAt = network.time / 1000
            switch random.below(40) {
            case 0: signedAt -= 8 * 86_400
            case 1: signedAt += 301
            case 2...5: signedAt -= UInt64(random.below(20))
            default: break
            }
            let live: Set<Int>? =
                random.below(4) > 0 ? nil : Set(model.state.nodes.keys.sorted().filter { _ in random.below(8) > 0 })
            network.live = live.map { $0.sorted().map { LiveNode(nodeID: cast.nodes[$0][0].0.entry.nodeID) } }
            // Mostly members, now and then someone who is none.
            let one =
                random.below(6) == 0 ? random.below(GovernanceRandomTests.banks) : some(model.state.members.sorted())
            let kind = random.below(100)
            let outcome: (GovernanceError.Code?, GovernanceError.Code?)
            if kind < 35 || ids.isEmpty {
                outcome = try propose(by: one, signedAt, now, live)
                counts["proposals", default: 0] += 1
            } else if kind < 85 {
                let index = random.below(10) == 0 ? random.below(ids.count) : openIndex()
                let ballot = some([GovernanceModel.Ballot.yes, .yes, .yes, .no, .abstain])
                let expected = model.vote(ballot, on: index, by: one, signedAt: signedAt, now: now, live: live)
                let signed = SignedStep(actor: cast.members[one], signedAt: signedAt, digest: [])
                let id = ids[index]
                outcome = (
                    expected,
                    try take { network throws(GovernanceError) in
                        try network.governance.vote(
                            GovernanceRandomTests.word(ballot), on: id, signed, network.context())
                    }
                )
                counts["votes", default: 0] += 1
            } else if kind < 90 {
                let index = openIndex()
                let expected = model.withdraw(index, by: one, signedAt: signedAt, now: now, live: live)
                let signed = SignedStep(actor: cast.members[one], signedAt: signedAt, digest: [])
                let id = ids[index]
                outcome = (
                    expected,
                    try take { network throws(GovernanceError) in
                        try network.governance.withdraw(id, signed, network.context())
                    }
                )
            } else {
                let jump = some([1000, 60_000, 3_600_000, 5 * 3_600_000, 86_400_000]) as UInt64
                network.time += jump
                model.pass(now: network.time, live: live)
                try network.apply(network.governance.advance(in: network.context()))
                outcome = (nil, nil)
            }
            network.time += some([200, 1000, 1000, 2000, 30_000]) as UInt64
            if let error = outcome.1 { counts[error.rawValue, default: 0] += 1 }
            try #require(outcome.0 == outcome.1, "step \(steps)")
            try compare()
        }

        private func openIndexes() -> [Int] { model.proposals.indices.filter { model.proposals[$0].state == "Open" } }

        private mutating func openIndex() -> Int {
            let open = openIndexes()
            return open.isEmpty ? random.below(ids.count) : some(open)
        }

        private mutating func propose(
            by one: Int, _ signedAt: UInt64, _ now: UInt64, _ live: Set<Int>?
        ) throws -> (GovernanceError.Code?, GovernanceError.Code?) {
            // Now and then the same message again.
            if random.below(30) == 0, let old = payloads.last {
                let expected = model.propose(
                    old.2, by: old.4, ballot: old.3, signedAt: signedAt, digest: old.0, now: now, live: live)
                let signed = SignedStep(actor: cast.members[old.4], signedAt: signedAt, digest: old.0)
                let found = try take { network throws(GovernanceError) in
                    try network.governance.propose(old.1, signed, network.context())
                }
                if expected == nil { try note() }
                return (expected, found)
            }
            let actions = actions()
            let ballot: GovernanceModel.Ballot? = random.below(2) == 0 ? .yes : nil
            let digest = random.bytes(32)
            var object = JSONObject([.init(name: "actions", value: .array(try actions.map(cast.json)))])
            if ballot != nil { object.append("ballot", "for") }
            let payload = JSON.object(object).serialized()
            payloads = [(digest, payload, actions, ballot, one)]
            let expected = model.propose(
                actions, by: one, ballot: ballot, signedAt: signedAt, digest: digest, now: now, live: live)
            let signed = SignedStep(actor: cast.members[one], signedAt: signedAt, digest: digest)
            let found = try take { network throws(GovernanceError) in
                try network.governance.propose(payload, signed, network.context())
            }
            if expected == nil, found == nil { try note() }
            return (expected, found)
        }

        private mutating func note() throws { ids.append(try #require(network.governance.proposals.last?.id)) }

        private mutating func take(
            _ body: (inout TestNetwork) throws(GovernanceError) -> GovernanceOutcome
        ) throws -> GovernanceError.Code? {
            do {
                let outcome = try body(&network)
                try network.apply(outcome)
                return nil
            } catch let error as GovernanceError { return error.code }
        }

        /// Everything that both know.
        private func compare() throws {
            let message: Comment = "step \(steps)"
            let state = model.state
            let document = network.constitution.document
            try #require(document.members.map(\.id) == state.members.sorted().map { Sample.bank($0) }, message)
            let owners = document.nodes.map { node in "\(node.nodeID) \(node.owner)" }.sorted()
            try #require(
                owners
                    == state.nodes.map { "\(cast.nodes[$0.key][0].0.entry.nodeID) \(Sample.bank($0.value))" }.sorted(),
                message)
            for (index, name) in GovernanceRandomTests.parameters.enumerated() {
                try #require(
                    Setting(name: name)?.value(in: document) == .integer(Int64(state.parameters[index])), message)
            }
            try #require(document.isOpen == state.isOpen, message)
            try #require(document.voting.exceptions.count == state.policies.count, message)
            let records = network.governance.proposals.suffix(40)
            try #require(network.governance.proposals.count { $0.state == .open } == openIndexes().count, message)
            for (record, index) in zip(records.reversed(), ids.indices.reversed()) {
                let proposal = model.proposals[index]
                try #require(record.id == ids[index] && record.state.rawValue == proposal.state, message)
                guard record.state == .open else { continue }
                let ballots = record.ballots.map { "\($0.member) \($0.vote.rawValue)" }
                try #require(
                    ballots
                        == proposal.ballots.sorted { $0.key < $1.key }.map {
                            "\(Sample.bank($0.key)) \(GovernanceRandomTests.word($0.value).rawValue)"
                        }, message)
            }
        }

        mutating func finish() throws {
            try network.check()
            let history = try ConstitutionHistory(reading: network.store.latest)
            #expect(history.versions.count == model.versions)
            for state in ["Accepted", "Rejected", "Dropped", "Failed", "Expired", "Withdrawn", "Open"] {
                counts[state] = model.proposals.filter { $0.state == state }.count
            }
        }
    }

    @Test("the same outcome as the model, step by step")
    func random() throws {
        let total = ProcessInfo.processInfo.environment["ENTENTE_GOVERNANCE_STEPS"].flatMap { Int($0) } ?? 20_000
        let cast = try Cast()
        var counts: [String: Int] = [:]
        var done = 0
        var seed: UInt64 = 1
        let start = ContinuousClock.now
        while done < total {
            var run = try Run(seed: seed, cast: cast)
            do {
                for _ in 0..<min(400, total - done) { try run.step() }
                try run.finish()
            } catch {
                Issue.record("seed \(seed), step \(run.steps): \(error)")
                return
            }
            done += run.steps
            counts.merge(run.counts) { $0 + $1 }
            seed += 1
        }
        let text = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print("governance: \(done) random steps in \(ContinuousClock.now - start): \(text)")
        for outcome in ["Accepted", "Rejected", "Dropped", "Expired", "Withdrawn", "ProposalReplay", "ProposalNotOpen"]
        {
            #expect(counts[outcome, default: 0] > 0, "\(outcome) never came")
        }
    }
}
