import Consensus
import Constitution

/// What one seed's run of whole nodes is like. Times in microseconds, chances in 1/1000.
struct NodeProfile: Sendable {
    var nodes: Int
    /// Replication quorum; nil for a majority.
    var replication: UInt32?
    /// Some disk may lose in silence what it acknowledged: the quorums are such that one may.
    var losesSilently: Bool

    // Network.
    /// Node channels keep the order and lose nothing until they break, as TLS does; else any message may be lost, doubled
    /// or late.
    var isStream: Bool
    var lossPermille: UInt64
    var duplicationPermille: UInt64
    var delayMin: UInt64
    var delaySpread: UInt64
    var stragglerPermille: UInt64

    // Disks, workers, clocks.
    var syncMin: UInt64
    var syncSpread: UInt64
    var stallPermille: UInt64
    var workerSpread: UInt64
    /// Monotonic clocks run fast or slow by up to so many parts in a million.
    var driftMax: UInt64
    /// Wall clocks differ by up to so many milliseconds.
    var wallSpread: UInt64

    // Mean times between events; nil for never.
    var crashEvery: UInt64?
    /// How many of a hundred crashes take the power too.
    var powerPercent: UInt64
    var partitionEvery: UInt64?
    var pauseEvery: UInt64?
    var workerCrashEvery: UInt64?
    var fullDiskEvery: UInt64?
    var clockJumpEvery: UInt64?
    var transferEvery: UInt64?
    var rotOnce: Bool
    /// A disk goes back to an earlier state, or lies about its syncs until it does.
    var rollbackOnce: Bool
    var lieOnce: Bool
    /// Some nodes come only in the middle of it all.
    var joinsLate: Bool

    // Clients.
    var clients: Int
    var thinkMean: UInt64
    var keys: UInt64

    // What the constitution says.
    var snapshotInterval: UInt64
    var chunkBytes: Int
    var electionTimeoutMilliseconds: UInt64
    var batchMax: UInt64
    var signatureEntriesMax: UInt64
    var windowBytes: Int

    init(_ random: inout SplitMix64) {
        func oneIn(_ n: UInt64, _ random: inout SplitMix64) -> Bool { random.below(n) == 0 }
        func pick<T>(_ values: [T], _ random: inout SplitMix64) -> T { values[Int(random.below(UInt64(values.count)))] }

        nodes = pick([3, 3, 3, 4, 5], &random)
        let silent = oneIn(5, &random)
        losesSilently = silent
        replication = nil
        if silent { replication = [3: 3, 4: 3, 5: 4][nodes] }
        isStream = !oneIn(3, &random)
        lossPermille = pick([0, 0, 10, 100, 200], &random)
        duplicationPermille = pick([0, 10, 100], &random)
        delayMin = pick([100, 1_000, 10_000], &random)
        delaySpread = pick([200, 5_000, 30_000], &random)
        stragglerPermille = pick([0, 5, 30], &random)
        syncMin = pick([100, 2_000], &random)
        syncSpread = pick([200, 10_000, 50_000], &random)
        stallPermille = pick([0, 5], &random)
        workerSpread = pick([100, 2_000, 20_000], &random)
        driftMax = pick([0, 500, 50_000], &random)
        wallSpread = pick([0, 50, 400], &random)

        crashEvery = pick([nil, 600_000, 2_000_000], &random)
        powerPercent = pick([0, 30, 100], &random)
        partitionEvery = pick([nil, 700_000, 2_000_000], &random)
        pauseEvery = pick([nil, nil, 2_000_000], &random)
        workerCrashEvery = pick([nil, 400_000, 1_500_000], &random)
        fullDiskEvery = pick([nil, nil, 3_000_000], &random)
        clockJumpEvery = pick([nil, 1_000_000], &random)
        transferEvery = pick([nil, nil, 1_500_000], &random)
        rotOnce = !silent && oneIn(4, &random)
        rollbackOnce = silent && oneIn(2, &random)
        lieOnce = silent && !rollbackOnce
        // A disk that goes back to when its node was the whole network can't be recognised by anyone.
        joinsLate = oneIn(4, &random) && !silent && !rotOnce

        clients = pick([3, 5, 8], &random)
        thinkMean = pick([20_000, 60_000, 200_000], &random)
        keys = pick([1, 2, 6], &random)

        snapshotInterval = pick([10, 25, 60, 10_000], &random)
        chunkBytes = pick([1, 8_000, 5_000_000], &random)
        electionTimeoutMilliseconds = pick([150, 300, 500], &random)
        batchMax = pick([1, 5, 100], &random)
        signatureEntriesMax = pick([1, 4, 16], &random)
        windowBytes = pick([0, 4_000, 1 << 20], &random)
    }

    /// Spares the run some kinds of trouble.
    mutating func leave(out trouble: Trouble) {
        if trouble.contains(.loss) { lossPermille = 0 }
        if trouble.contains(.duplicates) { duplicationPermille = 0 }
        if trouble.contains(.stragglers) { stragglerPermille = 0 }
        if trouble.contains(.stalls) { stallPermille = 0 }
        if trouble.contains(.crashes) { crashEvery = nil }
        if trouble.contains(.partitions) { partitionEvery = nil }
        if trouble.contains(.transfers) { transferEvery = nil }
        if trouble.contains(.compactions) { snapshotInterval = 10_000 }
        if trouble.contains(.rollbacks) {
            rollbackOnce = false
            lieOnce = false
        }
        if trouble.contains(.power) { powerPercent = 0 }
        if trouble.contains(.pauses) { pauseEvery = nil }
        if trouble.contains(.workers) { workerCrashEvery = nil }
        if trouble.contains(.fullDisks) { fullDiskEvery = nil }
        if trouble.contains(.rot) { rotOnce = false }
        if trouble.contains(.joins) { joinsLate = false }
        if trouble.contains(.clocks) {
            clockJumpEvery = nil
            driftMax = 0
            wallSpread = 0
        }
    }
}
