public import Consensus

/// A node's disk and seal: what was synced, and what is still on its way there.
///
/// Log and seal are two files. Each takes its operations in order; a crash keeps any prefix of what was not synced, but no
/// log operation without the seals that were asked for before it (see `RaftEffect`).
public struct SimulatedDisk: Sendable {
    enum Operation: Sendable {
        case append([LogEntry])
        case truncate(to: UInt64)
        case reset(to: LogPosition, [PlacedConfiguration])
    }

    /// The entry before the first one on disk.
    public private(set) var base = LogPosition.zero
    private var baseConfigurations: [PlacedConfiguration] = []
    /// Synced entries after `base`.
    public private(set) var entries: [LogEntry] = []
    /// The synced seal.
    public private(set) var seal: HardState?

    private var pendingLog: [(operation: Operation, ticket: UInt64, seals: UInt64)] = []
    /// How many seals were ever asked for, and how many of them are synced.
    private(set) var sealsAsked: UInt64 = 0
    private(set) var sealsSynced: UInt64 = 0
    private var pendingSeal: [(state: HardState, ticket: UInt64)] = []
    /// How many of the pending log operations the sync under way covers: those queued before it began.
    private var syncing = 0

    /// An empty disk.
    public init() {}

    /// A disk on which these entries and this seal are synced.
    public init(entries: [LogEntry], seal: HardState) {
        self.entries = entries
        self.seal = seal
    }

    /// Whether something waits for a sync.
    public var hasPendingLog: Bool { !pendingLog.isEmpty }
    /// Whether a seal waits.
    public var hasPendingSeal: Bool { !pendingSeal.isEmpty }
    /// Last synced seqno.
    public var lastSeqno: UInt64 { base.seqno + UInt64(entries.count) }

    mutating func queue(_ operation: Operation, ticket: UInt64) {
        pendingLog.append((operation, ticket, sealsAsked))
    }

    mutating func queue(_ state: HardState, ticket: UInt64) {
        sealsAsked += 1
        pendingSeal.append((state, ticket))
    }

    /// Begins a sync of all that is queued now.
    mutating func beginLogSync() { syncing = pendingLog.count }

    /// Ends the sync; returns the last ticket that it covered, nil if seals must come first.
    mutating func endLogSync() -> UInt64? {
        let covered = pendingLog.prefix(syncing).prefix { $0.seals <= sealsSynced }
        let ticket = covered.last?.ticket
        for pending in covered { apply(pending.operation) }
        pendingLog.removeFirst(covered.count)
        syncing = 0
        return ticket
    }

    /// Syncs all seals that are queued; returns the last ticket.
    mutating func syncSeal() -> UInt64? {
        let last = pendingSeal.last
        if let last { seal = last.state }
        sealsSynced += UInt64(pendingSeal.count)
        pendingSeal.removeAll(keepingCapacity: true)
        return last?.ticket
    }

    /// Power off: of what was not synced, at most the first `log` operations and the first `seals` seals reached the disk.
    /// Returns how many operations did: none goes ahead of the seals that were asked for before it.
    @discardableResult
    mutating func crash(keepingLog log: Int, seals: Int) -> Int {
        if let last = pendingSeal.prefix(seals).last { seal = last.state }
        sealsSynced += UInt64(min(seals, pendingSeal.count))
        let kept = pendingLog.prefix(log).prefix { $0.seals <= sealsSynced }
        for pending in kept { apply(pending.operation) }
        let count = kept.count
        pendingLog.removeAll()
        pendingSeal.removeAll()
        sealsAsked = sealsSynced
        syncing = 0
        return count
    }

    /// What would be left of the disk if the power failed now and nothing more reached it.
    func crashed() -> SimulatedDisk {
        var copy = self
        copy.crash(keepingLog: 0, seals: 0)
        return copy
    }

    /// What a node that is started on this disk promised, as far as the disk knows; nil if it never sealed.
    var claim: RestartClaim? {
        guard let seal else { return nil }
        let view = entries.last?.view ?? base.view
        return RestartClaim(view: seal.view, vote: seal.vote, last: LogPosition(view: view, seqno: lastSeqno))
    }

    /// The same disk with another seal.
    func sealed(_ seal: HardState?) -> SimulatedDisk {
        var copy = self
        copy.seal = seal
        return copy
    }

    var pendingCounts: (log: Int, seals: Int) { (pendingLog.count, pendingSeal.count) }

    private mutating func apply(_ operation: Operation) {
        switch operation {
        case .append(let new): entries.append(contentsOf: new)
        case .truncate(let seqno): entries.removeLast(Int(lastSeqno - min(lastSeqno, seqno)))
        case .reset(let position, let configurations):
            base = position
            baseConfigurations = configurations
            entries.removeAll()
        }
    }

    /// Drops entries up to `seqno`, a committed signature entry that is synced.
    mutating func compact(to index: LogIndex) {
        let seqno = index.lastSeqno
        guard seqno > base.seqno, seqno <= lastSeqno else { return }
        entries.removeFirst(Int(seqno - base.seqno))
        base = index.base
        baseConfigurations = index.configurations
    }

    /// Whether this very entry is synced; what a snapshot covers counts.
    public func holds(_ position: LogPosition) -> Bool {
        if position.seqno <= base.seqno { return true }
        guard position.seqno <= lastSeqno else { return false }
        return entries[Int(position.seqno - base.seqno) - 1].view == position.view
    }

    /// Synced entries from `seqno`, at most `count`; none if it was compacted away.
    func load(from seqno: UInt64, count: Int) -> [LogEntry] {
        guard seqno > base.seqno, seqno <= lastSeqno else { return [] }
        let start = Int(seqno - base.seqno) - 1
        return Array(entries[start..<min(entries.count, start + count)])
    }

    /// What a restarting node reads: its seal and the index of its log.
    func restart() -> RaftStart {
        var index = base == .zero ? LogIndex() : LogIndex(snapshot: base, configurations: baseConfigurations)
        for entry in entries { index.append(entry.position, kind: entry.kind) }
        return .restart(seal ?? HardState(), index)
    }
}
