import Attestation
import Constitution
import Identity
import Primitives
import Store
import Testing

/// A network of the sample's three banks whose primary takes steps, as a manager would: each outcome is applied to a
/// store, and what is in memory is compared with what the store gives back.
struct TestNetwork {
    var store = Store()
    var governance: Governance
    var seqno: UInt64 = 1
    var time: UInt64 = now
    var live: [LiveNode]?
    /// The last outcome.
    var last = GovernanceOutcomeBox()

    /// A document's network.
    init(_ document: ConstitutionDocument) throws {
        let constitution = try Constitution(genesis: document)
        try store.apply(constitution.writeSet(), at: 1)
        governance = try Governance(reading: store.latest)
    }

    init(_ change: (inout ConstitutionDocument) throws -> Void = { _ in }) throws {
        var document = try Sample.document()
        try change(&document)
        try self.init(document)
    }

    var constitution: Constitution { governance.constitution }

    mutating func context() -> GovernanceContext {
        GovernanceContext(
            place: LedgerPlace(view: 2, seqno: seqno + 1, time: time),
            root: [UInt8](repeating: UInt8(seqno & 255), count: 32),
            live: live)
    }

    @discardableResult
    mutating func apply(_ outcome: GovernanceOutcome) throws -> ProposalRecord? {
        if !outcome.writes.isEmpty {
            seqno += 1
            try store.apply(outcome.writes, at: seqno)
            store.commit(to: seqno)
        }
        #expect(outcome.writes.maps.allSatisfy { !$0.isPublic })
        last.events = outcome.events
        last.renewals = outcome.renewals
        return outcome.proposal
    }

    /// Takes a signed message.
    @discardableResult
    mutating func take(
        _ bytes: [UInt8], session: [[UInt8]] = [], route: Governance.Route = .init()
    ) throws -> ProposalRecord? {
        time += 1000
        return try apply(governance.take(bytes, from: session, by: route, in: context()))
    }

    mutating func pass(_ milliseconds: UInt64) throws {
        time += milliseconds
        try apply(governance.advance(in: context()))
    }

    /// A bank proposes.
    @discardableResult
    mutating func propose(
        _ actions: [ProposedAction], by bank: Int = 0, title: String = "", ballot: Vote? = nil
    ) throws -> ProposalRecord {
        let proposal = Proposal(actions: actions, title: title, network: constitution.networkID, ballot: ballot)
        let message = try sign(.proposal, proposal.json.serialized(), by: bank)
        return try #require(try take(message))
    }

    @discardableResult
    mutating func vote(_ vote: Vote, on id: String, by bank: Int) throws -> ProposalRecord? {
        try take(try sign(.ballot, Array(#"{"ballot":"\#(vote.rawValue)"}"#.utf8), id, by: bank))
    }

    /// A message signed with a bank's key at the time of its coming.
    func sign(
        _ kind: GovernanceMessage.Kind, _ payload: [UInt8], _ id: String? = nil, by bank: Int, at seconds: UInt64? = nil
    ) throws -> [UInt8] {
        let actor = try #require(constitution.actor(Sample.bank(bank)))
        return try GovernanceMessage.sign(
            kind, payload: payload, proposalID: id, signedAt: seconds ?? time / 1000 + 1,
            certificate: X509Certificate(der: actor.certificates[0].der), key: Sample.ownerKey(bank))
    }

    /// Whether the store says what memory says.
    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let read = try Governance(reading: store.latest)
        #expect(read.constitution == governance.constitution, sourceLocation: sourceLocation)
        #expect(read.proposals == governance.proposals, sourceLocation: sourceLocation)
        let history = try ConstitutionHistory(reading: store.latest)
        #expect(history.current == governance.constitution, sourceLocation: sourceLocation)
        #expect(
            try history.constitution(version: 0).networkID == constitution.networkID, sourceLocation: sourceLocation)
    }
}

/// What the last step brought about.
struct GovernanceOutcomeBox {
    var events: [GovernanceOutcome.Event] = []
    var renewals: [CertificateRenewal] = []
}

extension Sample {
    /// Ids of banks beyond the three of the document.
    static func bank(_ index: Int) -> String { "bank-\(["a", "b", "c", "d", "e", "f"][index])" }

    /// A bank's entry, as a new member.
    static func member(_ index: Int, role: Actor.Role = .member) throws -> Actor {
        Actor(
            id: bank(index), role: role,
            certificates: [.init(kind: .endEntity, der: try certificate(bank(index), key: ownerKey(index)).der)])
    }

    /// A node of a bank with evidence of its code.
    static func node(
        _ number: Int, of bank: Int, port: Int? = nil, manager: UInt8 = 1, worker: UInt8 = 2, withEvidence: Bool = true
    ) throws -> NodeRequest {
        let key = try nodeKey(number)
        let entry = try NodeTuple(
            owner: Sample.bank(bank), address: "127.0.0.1:\(port ?? 9000 + number)", publicKey: key.publicKey.spki
        ).signed(by: ownerKey(bank))
        guard withEvidence else { return NodeRequest(entry: entry) }
        let measurement = [UInt8](repeating: manager, count: 32)
        let workerMeasurement = [UInt8](repeating: worker, count: 32)
        let evidence = try SoftwareEvidence.sign(
            measurement: measurement,
            reportData: ReportData.initial(nodeKey: entry.publicKey, workerMeasurement: workerMeasurement),
            platformKey: platformKey(bank))
        return NodeRequest(
            entry: entry, evidence: evidence.evidence, managerMeasurement: measurement,
            workerMeasurement: workerMeasurement)
    }

    static func code(_ role: CodeManifest.Role, _ byte: UInt8) -> CodeManifest.Entry {
        .init(
            name: "entente-\(role)", version: "0.2.0", role: role, platform: .software,
            measurement: [UInt8](repeating: byte, count: 32))
    }
}
