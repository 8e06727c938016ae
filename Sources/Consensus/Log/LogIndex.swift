/// A configuration and where in the log it stands.
public struct PlacedConfiguration: Hashable, Sendable {
    /// Seqno of its entry; 0 for the one that a network is founded with.
    public let seqno: UInt64
    /// The configuration.
    public let configuration: Configuration

    /// A placed configuration.
    public init(seqno: UInt64, configuration: Configuration) {
        self.seqno = seqno
        self.configuration = configuration
    }
}

/// What consensus knows of the whole log without holding its bytes: where each view starts, where the signatures of the
/// uncommitted part and the configurations in force are. Its size depends on the number of views, not of entries.
///
/// At a restart the shell makes one by going once through the ledger (``append(_:kind:)``).
public struct LogIndex: Sendable {
    /// The entry before the first one known: `.zero`, or the snapshot's last.
    public private(set) var base: LogPosition
    /// Seqno of the last entry.
    public private(set) var lastSeqno: UInt64
    private var views: [LogPosition] = []
    private var signatures: Trail<UInt64> = Trail()
    /// From the oldest that may still matter, by seqno.
    public private(set) var configurations: [PlacedConfiguration] = []

    /// An empty log.
    public init() {
        base = .zero
        lastSeqno = 0
    }

    /// A log that begins after a snapshot, which ends with the committed signature entry at `position`.
    /// `configurations` are those in force or not yet settled there (``configurations``).
    public init(snapshot position: LogPosition, configurations: [PlacedConfiguration]) {
        base = position
        lastSeqno = position.seqno
        views = [position]
        signatures.append(position.seqno)
        self.configurations = configurations
    }

    /// An empty log of a network that is about to be founded by `configuration`.
    init(genesis configuration: Configuration) {
        self.init()
        configurations = [PlacedConfiguration(seqno: 0, configuration: configuration)]
    }

    /// Position of the last entry.
    public var last: LogPosition { LogPosition(view: views.last?.view ?? 0, seqno: lastSeqno) }

    /// Position of the last signature entry, `.zero` if there is none.
    public var lastSignature: LogPosition {
        guard let seqno = signatures.last else { return .zero }
        return LogPosition(view: view(at: seqno) ?? 0, seqno: seqno)
    }

    /// View of the entry at `seqno`; 0 for seqno 0 of a log without snapshot, nil if the entry is not known.
    public func view(at seqno: UInt64) -> UInt64? {
        if seqno == base.seqno { return base.view }
        guard seqno > base.seqno, seqno <= lastSeqno else { return nil }
        var index = views.count - 1
        while index > 0, views[index].seqno > seqno { index -= 1 }
        return views[index].view
    }

    /// Position of the entry at `seqno`, if known.
    public func position(at seqno: UInt64) -> LogPosition? {
        view(at: seqno).map { LogPosition(view: $0, seqno: seqno) }
    }

    /// Whether the log holds this very entry.
    public func holds(_ position: LogPosition) -> Bool { view(at: position.seqno) == position.view }

    /// Whether the log can be the one that was sealed with `committed`; a view of 0 is not known.
    func holds(sealed committed: LogPosition) -> Bool {
        guard lastSeqno >= committed.seqno else { return false }
        return committed.seqno < base.seqno || committed.view == 0 || holds(committed)
    }

    /// The last known entry that is neither after `position` nor of a later view: where a log that holds `position` may
    /// agree with this one.
    public func agreement(with position: LogPosition) -> LogPosition {
        var end = min(position.seqno, lastSeqno)
        for run in views.reversed() where run.seqno <= end {
            if run.view <= position.view { return LogPosition(view: run.view, seqno: end) }
            guard run.seqno > 0 else { break }
            end = run.seqno - 1
        }
        return base.seqno <= end ? base : .zero
    }

    /// The last signature entry at or before `seqno`, if it is still remembered.
    func signature(atMost seqno: UInt64) -> UInt64? {
        var index = signatures.count - 1
        while index >= 0 {
            if signatures[index] <= seqno { return signatures[index] }
            index -= 1
        }
        return nil
    }

    /// Adds the next entry.
    public mutating func append(_ position: LogPosition, kind: LogEntry.Kind) {
        precondition(position.seqno == lastSeqno + 1, "entry \(position) does not follow \(last)")
        precondition(position.view >= last.view, "entry \(position) has an earlier view than \(last)")
        if position.view != views.last?.view { views.append(position) }
        lastSeqno = position.seqno
        switch kind {
        case .data: break
        case .signature: signatures.append(position.seqno)
        case .configuration(let configuration):
            configurations.append(PlacedConfiguration(seqno: position.seqno, configuration: configuration))
        }
    }

    /// Cuts everything after `seqno`.
    public mutating func truncate(to seqno: UInt64) {
        precondition(seqno >= base.seqno, "truncating to \(seqno), before \(base)")
        guard seqno < lastSeqno else { return }
        lastSeqno = seqno
        while let run = views.last, run.seqno > seqno { views.removeLast() }
        while let signature = signatures.last, signature > seqno { signatures.removeLast() }
        while let placed = configurations.last, placed.seqno > seqno { configurations.removeLast() }
    }

    /// Forgets what no decision needs any more once everything up to `commit` is committed.
    public mutating func forget(before commit: UInt64) {
        while signatures.count > 1, signatures[1] <= commit { signatures.removeFirst() }
        let settled = configurations.lazy.filter { $0.seqno <= commit }.last?.configuration.settled ?? 0
        while configurations.count > 1, configurations[0].seqno < settled, configurations[1].seqno <= commit {
            configurations.removeFirst()
        }
    }

    /// The newest configuration at or before `commit`.
    func committedConfiguration(_ commit: UInt64) -> PlacedConfiguration? {
        configurations.last { $0.seqno <= commit }
    }

    /// The configurations that must each agree, oldest first: the newest committed one and all after it, up to `end`.
    /// What an entry of the log calls settled counts as committed.
    func active(commit: UInt64, end: UInt64 = .max) -> [PlacedConfiguration] {
        let known = configurations.lazy.filter { $0.seqno <= end }.map(\.configuration.settled).max() ?? 0
        let committed = committedConfiguration(max(commit, known))?.seqno ?? 0
        return configurations.filter { $0.seqno >= committed && $0.seqno <= end }
    }
}
