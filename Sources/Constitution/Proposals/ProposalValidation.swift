public import Attestation
internal import Primitives

/// A proposal against the constitution in force: the document that it would make, after every check that protects a
/// network from itself. Made when something is proposed, and again when it is applied.
struct ProposalValidation {
    let before: Constitution
    let after: ConstitutionDocument
    /// What it changes.
    let difference: ConstitutionDifference
    /// Code of the nodes that the actions bring, as their evidence shows it; nil for other actions and without evidence.
    let codes: [NodeCode?]

    /// Validates.
    /// - Parameters:
    ///   - live: nodes that take part now; nil when that is not known, as away from a network.
    ///   - time: ledger time in milliseconds.
    /// - Throws: ``ConstitutionError``.
    init(
        _ proposal: Proposal, _ before: Constitution, live: [LiveNode]?, time: UInt64,
        judge: EvidenceJudge = .builtIn
    ) throws(ConstitutionError) {
        if let network = proposal.network, network != before.networkID {
            throw .unknown("network", "the proposal is meant for another network")
        }
        self.before = before
        after = try proposal.applied(to: before.document)
        difference = ConstitutionDifference(from: before.document, to: after)
        codes = try Self.codes(proposal, after, time, judge)
        guard !difference.isEmpty || proposal.actions.contains(where: { $0.kind == .renewCertificates }) else {
            throw .duplicate("actions", "nothing would change")
        }
        if let problem = after.problems().first { throw problem }
        guard GenesisFile.encode(after).count <= GenesisFile.byteCountMax else {
            throw .outOfRange("actions", "the constitution would be over \(GenesisFile.byteCountMax) bytes")
        }
        if let live { try Self.check(live, before.document, after) }
    }

    /// What the evidence of new nodes shows. Evidence that is there must hold: false evidence is no small thing.
    private static func codes(
        _ proposal: Proposal, _ after: ConstitutionDocument, _ time: UInt64, _ judge: EvidenceJudge
    ) throws(ConstitutionError) -> [NodeCode?] {
        var codes: [NodeCode?] = []
        for (index, action) in proposal.actions.enumerated() {
            guard let node = action.node, node.evidence != nil else {
                codes.append(nil)
                continue
            }
            let path = "actions[\(index)].args.evidence"
            let code: NodeCode
            do { code = try judge.judge(node, after.tee, time) } catch { throw .unsafe(path, error.reason) }
            guard code.entries(in: after.code) != nil else {
                throw .unsafe(path, "the node runs code that the code manifest does not list")
            }
            codes.append(code)
        }
        return codes
    }

    /// Whether enough of the nodes that take part now go on taking part for consensus to commit the change. New nodes
    /// count only when they have caught up, which needs a network that runs.
    private static func check(
        _ live: [LiveNode], _ before: ConstitutionDocument, _ after: ConstitutionDocument
    ) throws(ConstitutionError) {
        let old = Set(before.nodes.map(\.nodeID))
        let kept = after.nodes.filter { old.contains($0.nodeID) }.map(\.nodeID)
        let staying = live.filter { node in
            guard kept.contains(node.nodeID) else { return false }
            guard let code = node.code else { return true }
            return code.entries(in: after.code) != nil && after.tee.rule(for: code.platform) != nil
        }
        let quorums = after.consensus.quorums(voters: max(1, kept.count))
        let needed = max(quorums.replication, quorums.election)
        guard staying.count >= needed else {
            throw .unsafe(
                "nodes",
                "\(staying.count) of the VNs that take part now would be left with approved code; consensus needs "
                    + "\(needed) of \(kept.count)")
        }
    }
}

/// Judges the evidence of a node that a proposal brings.
public struct EvidenceJudge: Sendable {
    /// Gives the code that the evidence shows, by a TEE manifest at a ledger time in milliseconds.
    public let judge: @Sendable (NodeRequest, TEEManifest, UInt64) throws(AttestationError) -> NodeCode

    /// A judge, for platforms that need collateral which the constitution does not hold.
    public init(_ judge: @escaping @Sendable (NodeRequest, TEEManifest, UInt64) throws(AttestationError) -> NodeCode) {
        self.judge = judge
    }

    /// Judges by the TEE manifest alone.
    public static let builtIn = EvidenceJudge { (node, tee, time) throws(AttestationError) in
        try node.code(tee: tee, at: time)
    }
}
