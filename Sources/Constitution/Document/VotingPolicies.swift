/// How many members must agree. Evaluation belongs to proposals, which build on this.
public enum VotingRule: Sendable, Hashable, CustomStringConvertible {
    /// All members.
    case unanimous
    /// More than half of the members.
    case majority
    /// At least so many members ("M of N", "one of N").
    case atLeast(UInt32)

    /// Parses `unanimous`, `majority` or `M of N` with M a number and N the letter.
    /// - Throws: ``ConstitutionError/malformed(_:_:)`` at `path`.
    public init(_ text: String, path: String) throws(ConstitutionError) {
        switch text.lowercased() {
        case "unanimous": self = .unanimous
        case "majority": self = .majority
        case "one of n": self = .atLeast(1)
        case let text:
            let words = text.split(separator: " ")
            guard words.count == 3, words[1] == "of", words[2] == "n", let count = UInt32(words[0]) else {
                throw .malformed(path, "a rule is `unanimous`, `majority` or `M of N`, such as `2 of N`")
            }
            self = .atLeast(count)
        }
    }

    /// The text that ``init(_:path:)`` reads.
    public var description: String {
        switch self {
        case .unanimous: "unanimous"
        case .majority: "majority"
        case .atLeast(let count): "\(count) of N"
        }
    }

    /// How many of so many members must agree.
    public func needed(of members: Int) -> Int {
        switch self {
        case .unanimous: members
        case .majority: members / 2 + 1
        case .atLeast(let count): Int(count)
        }
    }
}

/// What members can decide on. One table: policies, documents and proposals take their names from it.
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
    /// Changes the TEE manifest.
    case setPlatforms = "set_platforms"
    /// Changes who must agree to what.
    case setVotingPolicy = "set_voting_policy"
    /// Changes network parameters, consensus settings among them.
    case setParameters = "set_parameters"
    /// Adds, changes or removes an adapter.
    case setAdapters = "set_adapters"
    /// Renews certificates of nodes and of the network.
    case renewCertificates = "renew_certificates"
    /// Opens the network to transactions, or closes it.
    case setOpen = "set_open"
}

/// Who must agree to what.
public struct VotingPolicies: Sendable, Hashable {
    /// The rule of one action.
    public struct Exception: Sendable, Hashable {
        /// The action.
        public var action: GovernanceAction
        /// Its rule.
        public var rule: VotingRule

        /// An exception.
        public init(action: GovernanceAction, rule: VotingRule) {
            self.action = action
            self.rule = rule
        }
    }

    /// The rule of every action that has none of its own.
    public var standard: VotingRule
    /// Actions with a rule of their own, each once.
    public var exceptions: [Exception]

    /// Policies.
    public init(standard: VotingRule = .majority, exceptions: [Exception] = []) {
        self.standard = standard
        self.exceptions = exceptions
    }

    /// The rule of an action.
    public func rule(for action: GovernanceAction) -> VotingRule {
        exceptions.first { $0.action == action }?.rule ?? standard
    }
}
