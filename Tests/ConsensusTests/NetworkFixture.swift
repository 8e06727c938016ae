import Consensus
import Simulator

enum NetworkFixture {
    /// Three voters n1, n2, n3 with two committed entries and no leader.
    static func three(_ settings: RaftSettings = RaftSettings()) -> NetworkOfRafts {
        var network = NetworkOfRafts(settings: settings)
        if let configuration = try? Configuration(voters: ["n1", "n2", "n3"]) { network.begin(configuration) }
        return network
    }
}
