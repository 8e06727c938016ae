/// One active configuration as a leader counts it: where in `progress` its voters stand.
struct Tally: Sendable {
    let quorums: QuorumSizes
    let voterCount: Int
    /// Places of the voters in the leader's `progress`.
    let places: [Int]
    /// Whether the leader itself is a voter.
    let countsSelf: Bool

    /// The highest seqno that a replication quorum holds durably.
    func durable(own: UInt64, _ progress: [Progress]) -> UInt64 {
        // Few voters: counting for each candidate is cheaper than sorting, and allocates nothing.
        if places.count <= 16 {
            var best: UInt64 = 0
            if countsSelf, count(own, own, progress) >= quorums.replication { best = own }
            for place in places {
                let value = progress[place].match
                if value > best, count(value, own, progress) >= quorums.replication { best = value }
            }
            return best
        }
        var values = places.map { progress[$0].match }
        if countsSelf { values.append(own) }
        guard values.count >= quorums.replication else { return 0 }
        values.sort(by: >)
        return values[quorums.replication - 1]
    }

    private func count(_ value: UInt64, _ own: UInt64, _ progress: [Progress]) -> Int {
        var count = countsSelf && own >= value ? 1 : 0
        for place in places where progress[place].match >= value { count += 1 }
        return count
    }

    /// Voters for which `holds` is true; the leader counts.
    func count(_ progress: [Progress], _ holds: (Progress) -> Bool) -> Int {
        var count = countsSelf ? 1 : 0
        for place in places where holds(progress[place]) { count += 1 }
        return count
    }
}
