import AdapterKit
import Consensus
import Identity
import Ledger
import Manager

/// One node: what is on its disk, and the process that runs on it, if one does.
struct Machine {
    enum DiskJob {
        case append([LogEntry], ticket: UInt64)
        case truncate(to: UInt64, ticket: UInt64)
        case reset(to: UInt64, ticket: UInt64)
        case survey
        case read(first: UInt64, last: UInt64, bytesMax: Int, for: ReadPurpose)
        case seal([UInt8], ticket: UInt64)
        case commit(seqno: UInt64)
        case setAside(seqno: UInt64)
        case restore(Range<UInt64>, [[UInt8]])
    }

    /// The whole disk at an earlier time.
    struct Backup {
        let ledger: Volume.Image
        let snapshots: Volume.Image
        let seal: [UInt8]
    }

    let node: NodeIdentity

    // The disk.
    let ledgerVolume: Volume
    let snapshotVolume: Volume
    var seal: [UInt8]
    /// What a disk that lies has kept of the seal.
    var sealTruth: [UInt8]?

    // The process. Events of an earlier life are void.
    var life = 0
    var manager: Manager?
    var ledger: LedgerFiles<VolumeStorage>?
    var snapshots: SnapshotFiles<VolumeStorage>?
    var worker: AdapterHost?
    var workerLife = 0
    var isWorkerHung = false
    var isWorkerBusy = false
    var frames: [[UInt8]] = []
    var jobs: [DiskJob] = []
    var isDiskBusy = false
    var snapshotJobs: [SnapshotJob] = []
    var areSnapshotsBusy = false
    var nextTick = UInt64.max
    var pausedUntil: UInt64 = 0
    var isServing = false

    // Clocks.
    /// Parts in a million by which the monotonic clock is fast.
    var drift: Int64 = 0
    var bootedAt: UInt64 = 0
    /// Milliseconds by which the wall clock is ahead.
    var wallOffset: Int64 = 0

    // What is known of it from outside.
    /// The log as the manager wants it, after `logBase`.
    var log: [Placed] = []
    var logBase: UInt64 = 0
    /// What its disk has, as far as jobs are done, and how much of that a power failure can't take.
    var written: [LogPosition] = []
    var writtenBase: UInt64 = 0
    var synced: [LogPosition] = []
    var syncedBase: UInt64 = 0
    var committed: UInt64 = 0
    var view: UInt64 = 0
    var ledView: UInt64 = 0
    var isLate = false
    /// Its disk is not what it was: it may refuse.
    var isSuspect = false
    var hasRefused = false

    struct Placed {
        let position: LogPosition
        let digest: UInt64
        let bytes: [UInt8]
    }

    init(node: NodeIdentity, seed: UInt64) {
        self.node = node
        ledgerVolume = Volume(seed: seed)
        snapshotVolume = Volume(seed: seed ^ 1)
        seal = SealedState(nodeKey: node.key.rawRepresentation).encoded()
    }

    var backup: Backup { Backup(ledger: ledgerVolume.image, snapshots: snapshotVolume.image, seal: seal) }

    /// Whether this very entry is safe on its disk; what a snapshot covers counts.
    func holds(_ position: LogPosition) -> Bool {
        if position.seqno <= syncedBase { return true }
        let place = Int(position.seqno - syncedBase) - 1
        return place < synced.count && synced[place] == position
    }

    func entry(at seqno: UInt64) -> Placed? {
        guard seqno > logBase, seqno - logBase <= UInt64(log.count) else { return nil }
        return log[Int(seqno - logBase) - 1]
    }

    mutating func cutLog(to seqno: UInt64) {
        log.removeLast(log.count - Int(min(UInt64(log.count), max(seqno, logBase) - logBase)))
    }

    /// The two clocks at simulated time `now`.
    func clock(at now: UInt64) -> ClockReading {
        let elapsed = Int64(now - bootedAt)
        return ClockReading(
            monotonic: 1_000_000 + UInt64(elapsed + elapsed * drift / 1_000_000),
            wall: UInt64(Int64(NodeSimulation.epoch + now / 1_000) + wallOffset))
    }

    /// How long it takes in simulated time until the monotonic clock shows `deadline`.
    func wait(until deadline: UInt64, at now: UInt64) -> UInt64 {
        let reading = clock(at: now).monotonic
        guard deadline > reading else { return 1 }
        let wait = min(deadline - reading, 1_000_000)
        return wait * 1_000_000 / UInt64(1_000_000 + drift) + 1
    }
}

/// A manager's random bytes, from the seed.
struct SimulatedRandomness: RandomBytes, Sendable {
    var random: SplitMix64

    mutating func next(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
    }
}

/// What is committed, as far as any node knows: the bytes of each entry, and what was seen of snapshots and states.
struct CommittedPrefix {
    /// `entries[i]` is seqno i + 1.
    var entries: [Machine.Placed] = []
    /// Digests of snapshots by where they stand.
    var snapshots: [UInt64: UInt64] = [:]
    /// Digests of workers' states by the entry that wrote them.
    var states: [UInt64: UInt64] = [:]
}
