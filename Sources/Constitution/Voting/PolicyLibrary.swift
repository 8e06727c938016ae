/// A policy that is ready to be used: what `entente constitution policies` prints, and docs/governance.md explains.
public struct ReadyPolicy: Sendable, Hashable {
    /// Its name.
    public let name: String
    /// For which actions it is meant; all, when empty.
    public let actions: [GovernanceAction]
    /// When to use it.
    public let summary: String
    /// The policy.
    public let policy: VotingPolicy

    /// All of them.
    public static let all: [ReadyPolicy] = [
        ReadyPolicy(
            name: "majority", actions: [], summary: "the usual case: more than half of the members",
            policy: VotingPolicy(rule: .majority)),
        ReadyPolicy(
            name: "two-thirds", actions: [], summary: "for what should take more than a bare majority",
            policy: VotingPolicy(rule: share(2, 3))),
        ReadyPolicy(
            name: "unanimous", actions: [.setVotingPolicy, .removeVotingPolicy],
            summary: "for the rules themselves; one member that is gone blocks it",
            policy: VotingPolicy(rule: .unanimous)),
        ReadyPolicy(
            name: "one-objection", actions: [.removeMember, .removeParticipant],
            summary: "a majority, and at most one member is against: the one that it is about can't block it alone",
            policy: VotingPolicy(rule: .all([.majority, .veto(2, by: nil)]), deadlineMilliseconds: 14 * day)),
        ReadyPolicy(
            name: "two-members", actions: [.removeNode, .setOpen],
            summary: "two pairs of eyes, for what must be quick", policy: VotingPolicy(rule: .atLeast(2))),
        ReadyPolicy(
            name: "no-objection", actions: [.renewCertificates],
            summary: "done after three days unless a member objects",
            policy: VotingPolicy(rule: .veto(1, by: nil), deadlineMilliseconds: 3 * day)),
        ReadyPolicy(
            name: "of-those-who-vote", actions: [],
            summary:
                "for large consortia: two thirds of the votes, when half of the members took part within two weeks",
            policy: VotingPolicy(
                rule: .all([shareOfVotes(2, 3), turnout(50, 100)]), deadlineMilliseconds: 14 * day)),
        ReadyPolicy(
            name: "time-to-read", actions: [.addCode, .upgradeAdapter],
            summary: "a majority, but nobody is rushed: a day at least, two weeks at most",
            policy: VotingPolicy(rule: .majority, openMilliseconds: day, deadlineMilliseconds: 14 * day)),
        ReadyPolicy(
            name: "own-nodes", actions: [.setNode],
            summary:
                "the paper's example: each member adds up to three VNs of its own without a vote while they run code that a "
                + "majority endorsed; others take a majority",
            policy: VotingPolicy(
                rule: .when(
                    .all([
                        .proposerIsOwner, .owner(.member), .ownerNodes(.init(atMost: 3)), .codeEndorsed(by: .majority),
                    ]), then: .noVote, otherwise: .majority), proposers: .actors)),
        ReadyPolicy(
            name: "restarted-node", actions: [.replaceNode],
            summary:
                "a restarted VN with approved code replaces its old instance without a vote, at the same address and of the "
                + "same owner; others take a majority",
            policy: VotingPolicy(
                rule: .when(
                    .all([.proposerIsOwner, .keeps([.owner, .address]), .codeEndorsed(by: .majority)]), then: .noVote,
                    otherwise: .majority), proposers: .actors)),
        ReadyPolicy(
            name: "own-certificates", actions: [.setMember, .setParticipant],
            summary: "an actor rolls its own certificates over with the consent of one member; others take a majority",
            policy: VotingPolicy(
                rule: .when(.proposerIsOwner, then: .atLeast(1), otherwise: .majority), proposers: .actors)),
        ReadyPolicy(
            name: "small-tuning", actions: [.setParameters],
            summary: "batching is tuned by one member within bounds; every other parameter takes a majority",
            policy: VotingPolicy(
                rule: .when(
                    .parameters([
                        .init(name: "batch.delayMicroseconds", atMost: 50_000),
                        .init(name: "batch.transactionsMax", atLeast: 10, atMost: 1000),
                    ]), then: .atLeast(1), otherwise: .majority))),
    ]

    private static let day: UInt64 = 86_400_000

    private static func share(_ numerator: UInt32, _ denominator: UInt32) -> VotingRule {
        Share(numerator, of: denominator).map { .share($0) } ?? .unanimous
    }

    private static func shareOfVotes(_ numerator: UInt32, _ denominator: UInt32) -> VotingRule {
        Share(numerator, of: denominator).map { .shareOfVotes($0) } ?? .unanimous
    }

    private static func turnout(_ numerator: UInt32, _ denominator: UInt32) -> VotingRule {
        Share(numerator, of: denominator).map { .turnout($0) } ?? .unanimous
    }
}
