import Consensus

/// What one seed's run is like: its network, its disks, its faults, its membership. Drawn from the seed.
struct Profile: Sendable {
    var nodes: Int
    var startsFromGenesis: Bool
    var policy: QuorumPolicy
    var settings: RaftSettings

    // Network; chances in 1/1000, times in microseconds.
    var lossPermille: UInt64
    var duplicationPermille: UInt64
    var delayMin: Microseconds
    var delaySpread: Microseconds
    var stragglerPermille: UInt64

    // Disks.
    var syncMin: Microseconds
    var syncSpread: Microseconds
    var stallPermille: UInt64

    // Mean times between events; nil for never.
    var crashEvery: Microseconds?
    var partitionEvery: Microseconds?
    var reconfigureEvery: Microseconds?
    var transferEvery: Microseconds?
    var compactEvery: Microseconds?
    var rollbackOnce: Bool
    var proposeEvery: Microseconds
    var readEvery: Microseconds?

    init(_ random: inout SplitMix64) {
        func oneIn(_ n: UInt64, _ random: inout SplitMix64) -> Bool { random.below(n) == 0 }
        func pick<T>(_ values: [T], _ random: inout SplitMix64) -> T { values[Int(random.below(UInt64(values.count)))] }

        nodes = pick([3, 3, 3, 5, 5, 4], &random)
        startsFromGenesis = oneIn(4, &random)
        rollbackOnce = oneIn(4, &random)
        policy = .majority
        if nodes == 5, oneIn(2, &random) { policy = pick([.replication(2), .replication(4)], &random) }

        settings = RaftSettings()
        settings.heartbeat = 50_000
        settings.electionTimeoutMin = pick([150_000, 300_000, 500_000], &random)
        settings.electionTimeoutMax = 2 * settings.electionTimeoutMin
        settings.inflightMessagesMax = pick([2, 8, 256], &random)
        settings.appendEntriesMax = pick([2, 10, 1024], &random)
        settings.windowBytesMax = pick([0, 200, 1 << 20], &random)
        settings.catchUpLag = 8
        settings.snapshotRetry = 2_000_000
        settings.restartSealed = !rollbackOnce && !oneIn(4, &random)

        lossPermille = pick([0, 0, 10, 100, 300], &random)
        duplicationPermille = pick([0, 10, 100], &random)
        delayMin = pick([100, 1_000, 10_000], &random)
        delaySpread = pick([200, 5_000, 40_000], &random)
        stragglerPermille = pick([0, 5, 50], &random)
        syncMin = pick([100, 2_000], &random)
        syncSpread = pick([200, 10_000, 60_000], &random)
        stallPermille = pick([0, 5], &random)

        crashEvery = pick([nil, 500_000, 2_000_000], &random)
        partitionEvery = pick([nil, 700_000, 2_000_000], &random)
        // A node that is put back to a time before its peers became its peers can't be recognised by them.
        reconfigureEvery = rollbackOnce ? nil : pick([nil, 300_000, 1_000_000, 2_500_000], &random)
        if startsFromGenesis, reconfigureEvery == nil { startsFromGenesis = false }
        transferEvery = pick([nil, nil, 1_000_000], &random)
        compactEvery = rollbackOnce ? nil : pick([nil, 1_000_000], &random)
        proposeEvery = pick([5_000, 20_000, 60_000], &random)
        readEvery = pick([50_000, 200_000], &random)
    }

    /// Spares the run some kinds of trouble.
    mutating func leave(out trouble: Trouble) {
        if trouble.contains(.loss) { lossPermille = 0 }
        if trouble.contains(.duplicates) { duplicationPermille = 0 }
        if trouble.contains(.stragglers) { stragglerPermille = 0 }
        if trouble.contains(.stalls) { stallPermille = 0 }
        if trouble.contains(.crashes) { crashEvery = nil }
        if trouble.contains(.partitions) { partitionEvery = nil }
        if trouble.contains(.reconfigurations) { reconfigureEvery = nil }
        if trouble.contains(.transfers) { transferEvery = nil }
        if trouble.contains(.compactions) { compactEvery = nil }
        if trouble.contains(.rollbacks) { rollbackOnce = false }
        if trouble.contains(.reads) { readEvery = nil }
    }
}
