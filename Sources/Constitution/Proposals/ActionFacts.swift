internal import Attestation
internal import Primitives

/// What conditions ask about one action of a proposal.
struct ActionFacts {
    let action: ProposedAction
    let code: NodeCode?
    let proposer: Actor
    let proposal: Proposal
    let before: ConstitutionDocument
    let after: ConstitutionDocument
    let endorsements: Endorsements

    /// Whether a condition holds.
    func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let conditions): return conditions.allSatisfy(holds)
        case .any(let conditions): return conditions.contains(where: holds)
        case .not(let condition): return !holds(condition)
        case .proposer(let parties): return holds(parties, of: proposer.id)
        case .proposerIsOwner: return !owners.isEmpty && owners.allSatisfy { $0 == proposer.id }
        case .owner(let parties): return !owners.isEmpty && owners.allSatisfy { holds(parties, of: $0) }
        case .ownerNodes(let bound):
            return !owners.isEmpty
                && owners.allSatisfy { owner in bound.holds(after.nodes.count { $0.owner == owner }) }
        case .codeEndorsed(let rule): return isEndorsed(rule)
        case .keeps(let traits): return traits.allSatisfy(keeps)
        case .platform(let platforms): return platform.map { platforms.contains($0) } ?? false
        case .parameters(let bounds): return isWithin(bounds)
        case .actions(let bound): return bound.holds(proposal.actions.count)
        case .onlyWith(let kinds): return proposal.actions.allSatisfy { kinds.contains($0.kind) }
        case .members(let bound): return bound.holds(before.members.count)
        case .participants(let bound): return bound.holds(before.participants.count)
        case .nodes(let bound): return bound.holds(before.nodes.count)
        case .open(let isOpen): return before.isOpen == isOpen
        }
    }

    /// The actors whose things the action changes; none for what belongs to all.
    private var owners: [String] {
        switch action {
        case .setActor(let actor): [actor.id]
        case .removeActor(let id, _): [id]
        case .setNode(let node): [node.entry.owner]
        case .removeNode(let id): before.nodes.first { $0.nodeID == id }.map { [$0.owner] } ?? []
        case .replaceNode(let id, let node):
            [node.entry.owner] + (before.nodes.first { $0.nodeID == id }.map { [$0.owner] } ?? [])
        case .setSoftwareKey(let key), .removeSoftwareKey(let key): [key.owner]
        case .renewCertificates(let renewal) where !renewal.network:
            before.nodes.filter { renewal.nodes?.contains($0.nodeID) ?? true }.map(\.owner)
        default: []
        }
    }

    private var platform: Platform? {
        switch action {
        case .setNode, .replaceNode: code?.platform
        case .addCode(let entry): entry.platform
        case .removeCode(_, let platform, _): platform
        case .setPlatform(let rule): rule.platform
        case .removePlatform(let platform): platform
        case .setSoftwareKey, .removeSoftwareKey: .software
        default: nil
        }
    }

    private func holds(_ parties: Condition.Parties, of id: String) -> Bool {
        switch parties {
        case .member: before.actors.contains { $0.id == id && $0.isMember }
        case .participant: before.actors.contains { $0.id == id && !$0.isMember }
        case .actor: before.actors.contains { $0.id == id }
        case .listed(let ids): ids.contains(id)
        }
    }

    /// The manifest in force counts, not the one that the proposal would make: nobody endorses its own code this way.
    private func isEndorsed(_ rule: VotingRule) -> Bool {
        guard let entries = code?.entries(in: before.code) else { return false }
        let members = before.members.map(\.id)
        return entries.allSatisfy { entry in
            let votes = Dictionary(
                endorsements.endorsers(of: entry, members: members).map { ($0, Vote.yes) }, uniquingKeysWith: { $1 })
            return rule.passes(votes, members: members)
        }
    }

    private func keeps(_ trait: Condition.NodeTrait) -> Bool {
        guard case .replaceNode(let id, let node) = action, let old = before.nodes.first(where: { $0.nodeID == id })
        else { return false }
        switch trait {
        case .owner: return old.owner == node.entry.owner
        case .address: return old.address == node.entry.address
        }
    }

    private func isWithin(_ bounds: [Condition.ParameterBound]) -> Bool {
        let names: [String]
        switch action {
        case .setParameters(let values): names = values.map(\.name)
        case .removeParameters(let removed): names = removed
        default: return false
        }
        return names.allSatisfy { name in
            guard let bound = bounds.first(where: { $0.name == name }) else { return false }
            guard bound.atLeast != nil || bound.atMost != nil else { return true }
            guard case .integer(let value)? = Setting(name: name)?.value(in: after), let number = UInt64(exactly: value)
            else { return false }
            return number >= bound.atLeast ?? 0 && number <= bound.atMost ?? .max
        }
    }
}

/// Which members brought code into the manifest. Code of the genesis has no record: whoever founded or joined the network
/// accepted it, so all members count.
struct Endorsements: Sendable {
    private var records: [String: [String]] = [:]

    init(reading maps: some AdministrativeMaps) throws(ConstitutionError) {
        for (key, value) in maps.entries(ofMap: GovernanceMaps.endorsements) {
            let members: [String]
            do {
                var reader = try GovernanceRecord.reader(value)
                members = try reader.list(limit: Limits.actorsMax) { reader throws(ByteReaderError) in
                    try reader.text(limit: 64)
                }
                try reader.finish()
            } catch { throw .malformed(GovernanceMaps.endorsements, "a record can't be read: \(error)") }
            records[String(decoding: key, as: UTF8.self)] = members
        }
    }

    /// Endorsements of a network that never changed its code.
    init() {}

    mutating func set(_ members: [String], at key: String) { records[key] = members }

    /// Whether there was a record.
    mutating func remove(_ key: String) -> Bool { records.removeValue(forKey: key) != nil }

    func endorsers(of entry: CodeManifest.Entry, members: [String]) -> [String] {
        records[ConstitutionDocument.key(entry)] ?? members
    }
}
