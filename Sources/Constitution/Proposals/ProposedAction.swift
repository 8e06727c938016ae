public import Attestation
public import Primitives

/// One change that a proposal makes.
public enum ProposedAction: Sendable, Hashable {
    /// Adds or changes a member or participant, as its role says.
    case setActor(Actor)
    /// Removes a member or participant.
    case removeActor(ActorID, Actor.Role)
    /// Adds a node.
    case setNode(NodeRequest)
    /// Removes a node.
    case removeNode(nodeID: String)
    /// Puts a node in the place of another.
    case replaceNode(nodeID: String, with: NodeRequest)
    /// Adds or describes code.
    case addCode(CodeManifest.Entry)
    /// Removes code.
    case removeCode(CodeManifest.Role, Platform, measurement: [UInt8])
    /// Adds or changes a platform.
    case setPlatform(TEEManifest.Rule)
    /// Removes a platform.
    case removePlatform(Platform)
    /// Lists a platform key.
    case setSoftwareKey(TEEManifest.SoftwareKey)
    /// Removes a platform key.
    case removeSoftwareKey(TEEManifest.SoftwareKey)
    /// Sets the policy of an action, or the standard one (nil).
    case setVotingPolicy(GovernanceAction?, VotingPolicy)
    /// Gives an action the standard policy.
    case removeVotingPolicy(GovernanceAction)
    /// Sets named values.
    case setParameters([Value])
    /// Gives named values their defaults.
    case removeParameters([String])
    /// Adds an adapter.
    case setAdapter(Adapter)
    /// Changes a running adapter.
    case upgradeAdapter(Adapter)
    /// Removes an adapter.
    case removeAdapter(endpoint: String)
    /// Renews certificates.
    case renewCertificates(CertificateRenewal)
    /// Opens or closes the network.
    case setOpen(Bool)
    /// Removes an entry that this build does not know.
    case removeEntry(map: String, key: [UInt8])

    /// A named value.
    public struct Value: Sendable, Hashable {
        /// Name of a ``Setting``.
        public var name: String
        /// What it shall be.
        public var value: JSON

        /// A value.
        public init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// Its kind, which says by what policy it is judged.
    public var kind: GovernanceAction {
        switch self {
        case .setActor(let actor): actor.isMember ? .setMember : .setParticipant
        case .removeActor(_, let role): role == .member ? .removeMember : .removeParticipant
        case .setNode: .setNode
        case .removeNode: .removeNode
        case .replaceNode: .replaceNode
        case .addCode: .addCode
        case .removeCode: .removeCode
        case .setPlatform: .setPlatform
        case .removePlatform: .removePlatform
        case .setSoftwareKey: .setSoftwareKey
        case .removeSoftwareKey: .removeSoftwareKey
        case .setVotingPolicy: .setVotingPolicy
        case .removeVotingPolicy: .removeVotingPolicy
        case .setParameters: .setParameters
        case .removeParameters: .removeParameters
        case .setAdapter: .setAdapter
        case .upgradeAdapter: .upgradeAdapter
        case .removeAdapter: .removeAdapter
        case .renewCertificates: .renewCertificates
        case .setOpen: .setOpen
        case .removeEntry: .removeEntry
        }
    }

    /// The node that it brings, if it brings one.
    var node: NodeRequest? {
        switch self {
        case .setNode(let node), .replaceNode(_, let node): node
        default: nil
        }
    }
}

/// Certificates that are to be made anew.
public struct CertificateRenewal: Sendable, Hashable {
    /// Ids of nodes; nil for all of the VN list.
    public var nodes: [String]?
    /// Whether the network's own certificate is renewed.
    public var network: Bool
    /// Days for which the new certificates are valid, 1 to 3660.
    public var days: UInt32

    /// A renewal.
    public init(nodes: [String]?, network: Bool, days: UInt32) {
        self.nodes = nodes
        self.network = network
        self.days = days
    }
}
