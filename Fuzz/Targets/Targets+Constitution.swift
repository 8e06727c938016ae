import Constitution
import Identity
import Primitives
import Store

extension FuzzTarget {
    static let constitution: [FuzzTarget] = [
        genesisFile, proposal, votingPolicy, governanceMessage, governanceMaps, recordedMessage, nodeSettings,
        certificateFilter,
    ]

    static let genesisFile = FuzzTarget("genesis-file", byteCountMax: 16_384) {
        [("two-banks", GenesisFile.encode(try FuzzConstitution.document()))]
    } check: { bytes in
        let document = try GenesisFile.decode(bytes)
        _ = try? Constitution(genesis: document)
    }

    static let proposal = FuzzTarget("proposal") {
        [("much", Array(FuzzConstitution.actions.utf8))]
    } check: { bytes in
        let proposal = try Proposal(json: bytes)
        let written = proposal.json.serialized()
        guard try Proposal(json: written) == proposal else {
            throw FuzzFinding("a proposal is another when read again")
        }
    }

    static let votingPolicy = FuzzTarget("voting-policy") {
        FuzzConstitution.policies.enumerated().map { ("policy-\($0)", Array($1.utf8)) }
    } check: { bytes in
        let policy = try VotingPolicy(text: fuzzText(bytes), path: "policy")
        _ = (policy.rule.description, policy.rule.words)
        let again: VotingPolicy
        do { again = try VotingPolicy(text: policy.text, path: "policy") } catch {
            throw FuzzFinding("a policy is refused when read again: \(error)")
        }
        guard again == policy else { throw FuzzFinding("a policy is another when read again") }
    }

    private static func ballots() throws -> [(name: String, bytes: [UInt8])] {
        let certificate = try X509Certificate(der: network.get().actors[0].certificates[0].der)
        let id = String(repeating: "ab", count: 32)
        func sign(_ kind: GovernanceMessage.Kind, _ payload: String, _ proposal: String?) throws -> [UInt8] {
            try GovernanceMessage.sign(
                kind, payload: Array(payload.utf8), proposalID: proposal, signedAt: FuzzKeys.now / 1000,
                certificate: certificate, key: FuzzKeys.key(10))
        }
        let actions = #"{"actions":[{"name":"set_open","args":{"open":false}}]}"#
        return [
            ("proposal", try sign(.proposal, actions, nil)),
            ("much", try sign(.proposal, FuzzConstitution.actions, nil)),
            ("ballot", try sign(.ballot, #"{"ballot":"for"}"#, id)), ("withdrawal", try sign(.withdrawal, "", id)),
        ]
    }

    private static let context = GovernanceContext(
        place: LedgerPlace(view: 2, seqno: 9, time: FuzzKeys.now), root: [UInt8](repeating: 1, count: 32), live: nil)

    static let governanceMessage = FuzzTarget("governance-message", byteCountMax: 8192, seeds: { try ballots() }) {
        bytes in
        let message = try GovernanceMessage(bytes)
        let constitution = try network.get()
        _ = try? message.signer(in: constitution, session: [], at: FuzzKeys.now)
        if message.kind == .proposal { _ = try? Proposal(json: message.payload) }
        // The whole way, as far as the signature lets it.
        var governance = try Governance(reading: constitution.writeSet())
        _ = try? governance.take(bytes, from: [], by: .init(), in: context)
    }

    private static let network = Result { try Constitution(genesis: FuzzConstitution.document()) }

    /// The network's private maps, as another node wrote them.
    static let governanceMaps = FuzzTarget("governance-maps", byteCountMax: 16_384) {
        var writes = try network.get().writeSet()
        let plain = writes.encoded()
        var governance = try Governance(reading: writes)
        let message = try ballots().first?.bytes ?? []
        writes.merge(try governance.take(message, from: [], by: .init(), in: context).writes)
        return [("constitution", plain), ("proposed", writes.encoded())]
    } check: { bytes in
        let governance = try Governance(reading: WriteSet.decode(bytes))
        let written = governance.constitution.writeSet()
        guard try Constitution(reading: written).writeSet() == written else {
            throw FuzzFinding("a constitution is another when read again")
        }
    }

    static let recordedMessage = FuzzTarget("recorded-message") {
        [("message", [1, 2, 0, 0, 0, 7, 8, 1, 0, 0, 0, 1, 0, 0, 0, 9])]
    } check: { bytes in
        _ = try RecordedMessage(record: bytes)
    }

    static let nodeSettings = FuzzTarget("node-settings") {
        let door = NodeSettings.Listener(publicAddress: "127.0.0.1:1", limits: ListenerLimits())
        let settings = NodeSettings(
            name: "n1", application: door, administration: door, node: door, peers: ["a:1"], genesis: [1, 2],
            networkID: String(repeating: "0f", count: 32))
        return [("n1", settings.encoded)]
    } check: { bytes in
        try FuzzFinding.unless(NodeSettings(decoding: bytes).encoded, is: bytes, "node settings")
    }

    static let certificateFilter = FuzzTarget("certificate-filter") {
        [("both", Array(#"{"subject":{"OU":"Settlement"},"names":["email:*@trading.bank-b.example","dns:a"]}"#.utf8))]
    } check: { bytes in
        let filter = try CertificateFilter(json: JSON(parsing: bytes), path: "filter")
        guard try CertificateFilter(json: filter.json, path: "filter") == filter else {
            throw FuzzFinding("a filter is another when read again")
        }
    }
}
