import Consensus
import Manager

/// How long a commit takes, by where the nodes stand and how many must have it: whole nodes with delays between regions.
public struct WideArea: Sendable {
    /// A line of the table.
    public struct Row: Sendable {
        /// Regions and how many nodes each has; the leader stands in the first.
        public let placement: String
        /// Nodes that must have an entry, and votes that a leader needs.
        public let quorums: String
        /// Milliseconds from the leader's taking of a write to its answer: the median and the longest of all writes.
        public let median: Double
        /// The longest.
        public let longest: Double
    }

    /// Round trips in milliseconds that are assumed between regions; 0.5 within one.
    public static let roundTrips: [(from: String, to: String, milliseconds: Double)] = [
        ("east", "west", 62), ("east", "europe", 76), ("east", "asia", 165), ("west", "europe", 136),
        ("west", "asia", 105), ("europe", "asia", 220),
    ]

    private static let placements: [[(region: String, count: Int)]] = [
        [("east", 9)], [("east", 3), ("west", 3), ("europe", 3)], [("east", 5), ("west", 2), ("europe", 2)],
        [("europe", 3), ("east", 3), ("asia", 3)], [("asia", 1), ("east", 4), ("europe", 4)],
    ]

    /// Nine nodes in each placement, with majorities and with smaller and larger replication quorums.
    /// - Parameter writes: writes that are measured, one after the other.
    public static func table(writes: Int = 20) -> [Row] {
        var rows: [Row] = []
        for placement in placements {
            let regions = placement.flatMap { Array(repeating: $0.region, count: $0.count) }
            let delays = regions.map { from in regions.map { to in oneWay(from, to) } }
            let name = placement.map { "\($0.count) \($0.region)" }.joined(separator: ", ")
            for replication in [nil, 3, 7] as [UInt32?] {
                guard
                    let network = NodeSimulation.script(nodes: regions.count, replication: replication, delays: delays)
                else { continue }
                var times = (0..<writes).compactMap { _ in network.timeOfWrite(at: 0) }.sorted()
                if times.isEmpty { times = [0] }
                let size = regions.count
                let stored = Int(replication ?? UInt32(size / 2 + 1))
                rows.append(
                    Row(
                        placement: name, quorums: "\(stored) of \(size), \(max(size - stored + 1, size / 2 + 1)) votes",
                        median: Double(times[times.count / 2]) / 1_000, longest: Double(times[times.count - 1]) / 1_000)
                )
            }
        }
        return rows
    }

    private static func oneWay(_ from: String, _ to: String) -> UInt64 {
        guard from != to else { return 250 }
        let trip = roundTrips.first { ($0.from, $0.to) == (from, to) || ($0.from, $0.to) == (to, from) }
        return UInt64((trip?.milliseconds ?? 0.5) * 500)
    }
}

extension NodeSimulation {
    /// Microseconds from a node's taking of a write to its answer; nil without an acknowledgement.
    func timeOfWrite(at node: Int) -> UInt64? {
        let token = history.nextToken
        guard write(at: node, milliseconds: 10_000) != nil, let taken = takenAt[token], let answered = answeredAt[token]
        else { return nil }
        return answered - taken
    }
}
