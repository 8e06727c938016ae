/// How nodes agree.
public struct ConsensusSettings: Sendable, Hashable {
    /// The protocol; a later version adds others.
    public enum Engine: String, Sendable, Hashable, CaseIterable {
        /// Raft: nodes may crash, not lie.
        case raft
    }

    /// Size of a quorum.
    public enum Quorum: Sendable, Hashable, CustomStringConvertible {
        /// The smallest safe one.
        case automatic
        /// So many nodes.
        case nodes(UInt32)

        /// `auto` or the number.
        public var description: String {
            switch self {
            case .automatic: "auto"
            case .nodes(let count): String(count)
            }
        }

        /// Parses ``description``.
        public init?(_ text: String) {
            if text == "auto" {
                self = .automatic
            } else if let count = UInt32(text), count > 0 {
                self = .nodes(count)
            } else {
                return nil
            }
        }
    }

    /// What happens when a majority restarts together with intact seals.
    public enum Restart: String, Sendable, Hashable, CaseIterable {
        /// The network trusts the seals and goes on by itself.
        case sealed
        /// Members decide.
        case members
    }

    /// The protocol.
    public var engine: Engine
    /// Nodes that must have an entry on disk before it is committed.
    public var replicationQuorum: Quorum
    /// Nodes that must vote for a leader.
    public var electionQuorum: Quorum
    /// What happens when a majority restarts together.
    public var restart: Restart

    /// Settings.
    public init(
        engine: Engine = .raft, replicationQuorum: Quorum = .automatic, electionQuorum: Quorum = .automatic,
        restart: Restart = .sealed
    ) {
        self.engine = engine
        self.replicationQuorum = replicationQuorum
        self.electionQuorum = electionQuorum
        self.restart = restart
    }

    /// Whether both sizes are left to the protocol.
    public var isAutomatic: Bool { replicationQuorum == .automatic && electionQuorum == .automatic }

    /// The quorums of a network with so many voters, always safe: `election + replication > n` and `2 * election > n`.
    ///
    /// A network that is still smaller than a size asked for takes all its nodes; a pair that is not safe at this number
    /// is raised on the election's side.
    public func quorums(voters n: Int) -> (replication: Int, election: Int) {
        let half = n / 2 + 1
        let wantedElection: Int? =
            switch electionQuorum {
            case .automatic: nil
            case .nodes(let count): min(Int(count), n)
            }
        let replication: Int =
            switch replicationQuorum {
            case .automatic: max(1, wantedElection.map { n - $0 + 1 } ?? half)
            case .nodes(let count): min(Int(count), n)
            }
        return (replication, min(n, max(wantedElection ?? 0, n - replication + 1, half)))
    }

    /// Why the sizes are not safe for `n` voters as they are written; nil when they are.
    func problem(voters n: Int) -> String? {
        for case .nodes(let count) in [replicationQuorum, electionQuorum] where Int(count) > n {
            return "a quorum of \(count) of \(n) nodes"
        }
        let (replication, election) = quorums(voters: n)
        if case .nodes(let asked) = electionQuorum, Int(asked) != election {
            return "an election quorum of \(asked) is not safe: with \(n) nodes and a replication quorum of "
                + "\(replication) it takes \(election)"
        }
        return nil
    }
}
