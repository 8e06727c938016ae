/// Who must agree to what.
public struct VotingPolicies: Sendable, Hashable {
    /// The policy of one action.
    public struct Exception: Sendable, Hashable {
        /// The action.
        public var action: GovernanceAction
        /// Its policy.
        public var policy: VotingPolicy

        /// An exception.
        public init(action: GovernanceAction, policy: VotingPolicy) {
            self.action = action
            self.policy = policy
        }

        /// An exception with a rule alone.
        public init(action: GovernanceAction, rule: VotingRule) {
            self.init(action: action, policy: VotingPolicy(rule: rule))
        }
    }

    /// The policy of every action that has none of its own.
    public var standard: VotingPolicy
    /// Actions with a policy of their own, each once.
    public var exceptions: [Exception]

    /// Policies.
    public init(standard: VotingPolicy, exceptions: [Exception] = []) {
        self.standard = standard
        self.exceptions = exceptions
    }

    /// Policies of which the standard is a rule alone.
    public init(standard: VotingRule = .majority, exceptions: [Exception] = []) {
        self.init(standard: VotingPolicy(rule: standard), exceptions: exceptions)
    }

    /// The policy of an action.
    public func policy(for action: GovernanceAction) -> VotingPolicy {
        exceptions.first { $0.action == action }?.policy ?? standard
    }
}
