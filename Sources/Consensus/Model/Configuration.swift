/// How many voters make a quorum.
///
/// Raft needs two things: a leader must see all that earlier leaders committed (`election + replication > n`), and a
/// view must have one leader (`2 * election > n`). Flexible Paxos (Howard, Malkhi, Spiegelman 2016) has only the first;
/// (2, 4) of 5 satisfies it and breaks Raft.
public enum QuorumPolicy: Hashable, Sendable {
    /// More than half for both.
    case majority
    /// So many to commit, so many to elect.
    case flexible(replication: Int, election: Int)
    /// So many to commit; the smallest safe number to elect.
    case replication(Int)
}

/// The quorum sizes of one configuration.
public struct QuorumSizes: Hashable, Sendable {
    /// Voters that must hold an entry durably before it is committed (q_r).
    public let replication: Int
    /// Voters that must grant a vote (q_e).
    public let election: Int

    /// The sizes that `policy` gives for `voters` voters, or nil if they are not safe.
    public init?(_ policy: QuorumPolicy, voters n: Int) {
        guard n > 0 else { return nil }
        switch policy {
        case .majority:
            replication = n / 2 + 1
            election = n / 2 + 1
        case .flexible(let replication, let election):
            self.replication = replication
            self.election = election
        case .replication(let replication):
            guard (1...n).contains(replication) else { return nil }
            self.replication = replication
            election = max(n - replication + 1, n / 2 + 1)
        }
        guard (1...n).contains(replication), (1...n).contains(election) else { return nil }
        guard election + replication > n, 2 * election > n else { return nil }
    }
}

/// A set of nodes: who votes, who only learns, how votes are counted.
///
/// It is in force from the moment that its entry is appended, together with every configuration before it, until the
/// entry is committed; then the earlier ones drop out. So any set may follow any set (joint consensus, thesis section
/// 4.3, with the leave step taken at commit as in CCF).
public struct Configuration: Hashable, Sendable {
    /// Most nodes that one configuration may name.
    public static let nodesMax = 1024

    /// Nodes that vote and acknowledge, sorted.
    public let voters: [PeerID]
    /// Nodes that only receive the log, sorted; none of them is a voter.
    public let learners: [PeerID]
    /// How votes are counted.
    public let policy: QuorumPolicy
    /// The sizes that `policy` gives for these voters.
    public let quorums: QuorumSizes
    /// Seqno of the newest configuration that its writer knew to be committed, 0 for none. Whoever holds this entry
    /// need not ask nodes of older configurations any more: once it is committed, nodes that it leaves out are retired
    /// for good, since every future leader knows. See ``RaftEffect/configurationCommitted(seqno:removed:)``.
    public let settled: UInt64

    /// A configuration; ids are sorted here.
    /// - Throws: ``ConsensusError`` when there is no voter, an id is named twice or is empty, there are too many, or
    ///   the quorums are not safe.
    public init(
        voters: [PeerID], learners: [PeerID] = [], policy: QuorumPolicy = .majority, settled: UInt64 = 0
    ) throws(ConsensusError) {
        guard !voters.isEmpty else { throw .configuration("no voter") }
        guard voters.count + learners.count <= Self.nodesMax else { throw .configuration("too many nodes") }
        let all = (voters + learners).sorted()
        for (left, right) in zip(all, all.dropFirst()) where left == right {
            throw .configuration("a node is named twice")
        }
        guard all.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 256 }) else { throw .configuration("a bad node id") }
        guard let quorums = QuorumSizes(policy, voters: voters.count) else { throw .configuration("unsafe quorums") }
        self.voters = voters.sorted()
        self.learners = learners.sorted()
        self.policy = policy
        self.quorums = quorums
        self.settled = settled
    }

    /// The same set, with another ``settled``.
    public func settled(at seqno: UInt64) -> Configuration {
        Configuration(copying: self, settled: seqno)
    }

    private init(copying other: Configuration, settled: UInt64) {
        voters = other.voters
        learners = other.learners
        policy = other.policy
        quorums = other.quorums
        self.settled = settled
    }

    /// Whether `id` votes or learns here.
    public func contains(_ id: PeerID) -> Bool { voters.contains(id) || learners.contains(id) }
}
