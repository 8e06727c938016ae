import Consensus
import Constitution

extension Constitution {
    /// How so many voters count, made safe for any number while a network grows.
    func quorumPolicy(voters: Int) -> QuorumPolicy {
        guard !consensus.isAutomatic else { return .majority }
        let (replication, election) = consensus.quorums(voters: voters)
        return .flexible(replication: replication, election: election)
    }

    /// The dials that the whole network agrees on.
    var raftSettings: RaftSettings {
        var settings = RaftSettings()
        settings.heartbeat = heartbeatMilliseconds * 1_000
        settings.electionTimeoutMin = electionTimeoutMilliseconds * 1_000
        settings.electionTimeoutMax = electionTimeoutMilliseconds * 2_000
        settings.restartSealed = restartsSealed
        return settings
    }
}
