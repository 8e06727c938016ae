/// What members can decide on. One table: policies, documents, proposals and docs/governance.md take their names from
/// it.
public enum GovernanceAction: String, Sendable, Hashable, CaseIterable {
    /// Adds a member or changes its certificates.
    case setMember = "set_member"
    /// Removes a member.
    case removeMember = "remove_member"
    /// Adds a participant or changes its certificates.
    case setParticipant = "set_participant"
    /// Removes a participant.
    case removeParticipant = "remove_participant"
    /// Adds a node to the VN list.
    case setNode = "set_node"
    /// Removes a node from the VN list.
    case removeNode = "remove_node"
    /// Puts a new instance in the place of a node.
    case replaceNode = "replace_node"
    /// Adds an entry to the code manifest.
    case addCode = "add_code"
    /// Removes an entry from the code manifest.
    case removeCode = "remove_code"
    /// Adds a platform to the TEE manifest or changes what is asked of it.
    case setPlatform = "set_platform"
    /// Removes a platform from the TEE manifest.
    case removePlatform = "remove_platform"
    /// Lists a platform key of an owner.
    case setSoftwareKey = "set_software_key"
    /// Removes a platform key of an owner.
    case removeSoftwareKey = "remove_software_key"
    /// Changes who must agree to what.
    case setVotingPolicy = "set_voting_policy"
    /// Gives an action the standard policy again.
    case removeVotingPolicy = "remove_voting_policy"
    /// Changes network parameters, consensus settings among them.
    case setParameters = "set_parameters"
    /// Gives network parameters their defaults again.
    case removeParameters = "remove_parameters"
    /// Adds an adapter.
    case setAdapter = "set_adapter"
    /// Gives a running adapter new settings or another kind.
    case upgradeAdapter = "upgrade_adapter"
    /// Removes an adapter.
    case removeAdapter = "remove_adapter"
    /// Renews certificates of nodes and of the network.
    case renewCertificates = "renew_certificates"
    /// Opens the network to transactions, or closes it.
    case setOpen = "set_open"
    /// Removes an entry that this build does not know.
    case removeEntry = "remove_entry"

    /// What it does, in a few words.
    public var summary: String {
        switch self {
        case .setMember: "adds a member or changes its certificates"
        case .removeMember: "removes a member and its platform keys"
        case .setParticipant: "adds a participant or changes its certificates"
        case .removeParticipant: "removes a participant and its platform keys"
        case .setNode: "adds a node to the VN list"
        case .removeNode: "removes a node from the VN list"
        case .replaceNode: "puts a new instance in the place of a node"
        case .addCode: "adds an entry to the code manifest"
        case .removeCode: "removes an entry from the code manifest"
        case .setPlatform: "adds a platform to the TEE manifest or changes what is asked of it"
        case .removePlatform: "removes a platform from the TEE manifest"
        case .setSoftwareKey: "lists a platform key of an owner"
        case .removeSoftwareKey: "removes a platform key of an owner"
        case .setVotingPolicy: "changes who must agree to what"
        case .removeVotingPolicy: "gives an action the standard policy again"
        case .setParameters: "changes network parameters, consensus settings among them"
        case .removeParameters: "gives network parameters their defaults again"
        case .setAdapter: "adds an adapter"
        case .upgradeAdapter: "gives a running adapter new settings or another kind"
        case .removeAdapter: "removes an adapter"
        case .renewCertificates: "renews certificates of nodes and of the network"
        case .setOpen: "opens the network to transactions, or closes it"
        case .removeEntry: "removes an entry that this build does not know"
        }
    }
}
