public import Attestation

/// Something that is true or false of a proposed action and of the constitution, and is known as soon as the action is
/// proposed: what automatic decisions and cases of a rule depend on. Like a rule it always ends.
public indirect enum Condition: Sendable, Hashable {
    /// Each of these holds.
    case all([Condition])
    /// At least one of these holds.
    case any([Condition])
    /// The other one does not hold.
    case not(Condition)
    /// The proposer is one of these.
    case proposer(Parties)
    /// The proposer owns what the action is about: its own node, platform key or certificates.
    case proposerIsOwner
    /// The actor that the action is about, or that owns the node that it is about, is one of these.
    case owner(Parties)
    /// That actor's nodes, counted after the whole proposal.
    case ownerNodes(Bound)
    /// The action brings a node whose evidence shows code of the manifest in force, and the members that brought this
    /// code into the manifest satisfy the rule.
    case codeEndorsed(by: VotingRule)
    /// The node that takes another's place has the same of these.
    case keeps([NodeTrait])
    /// The node's evidence, the code or the platform entry is of one of these platforms.
    case platform([Platform])
    /// All network parameters that the action sets are among these and within bounds.
    case parameters([ParameterBound])
    /// Actions of the proposal.
    case actions(Bound)
    /// All actions of the proposal are of these kinds.
    case onlyWith([GovernanceAction])
    /// Members now.
    case members(Bound)
    /// Participants now.
    case participants(Bound)
    /// Nodes of the VN list now.
    case nodes(Bound)
    /// Whether the network is open to transactions.
    case open(Bool)

    /// Some actors.
    public enum Parties: Sendable, Hashable {
        /// Any member.
        case member
        /// Any participant.
        case participant
        /// Any actor.
        case actor
        /// These.
        case listed([ActorID])
    }

    /// What a node keeps when it takes another's place.
    public enum NodeTrait: String, Sendable, Hashable, CaseIterable {
        /// Its owner.
        case owner
        /// Its address.
        case address
    }

    /// Bounds of a number, both of them inclusive.
    public struct Bound: Sendable, Hashable {
        /// The least, if any.
        public var atLeast: UInt32?
        /// The most, if any.
        public var atMost: UInt32?

        /// Bounds.
        public init(atLeast: UInt32? = nil, atMost: UInt32? = nil) {
            self.atLeast = atLeast
            self.atMost = atMost
        }

        func holds(_ number: Int) -> Bool { number >= Int(atLeast ?? 0) && number <= Int(atMost ?? .max) }
    }

    /// A network parameter, and between what it may be set.
    public struct ParameterBound: Sendable, Hashable {
        /// Its name in ``Parameters/table``, or of another setting.
        public var name: String
        /// The least, if any.
        public var atLeast: UInt64?
        /// The most, if any.
        public var atMost: UInt64?

        /// A bound.
        public init(name: String, atLeast: UInt64? = nil, atMost: UInt64? = nil) {
            self.name = name
            self.atLeast = atLeast
            self.atMost = atMost
        }
    }
}
