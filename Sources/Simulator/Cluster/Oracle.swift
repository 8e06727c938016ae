public import Consensus

/// What must hold in every state of a cluster, checked as it happens and in constant time per event. The names are those
/// of ccfraft's list of invariants.
public struct Oracle: Sendable {
    private struct Written: Sendable {
        let previous: LogPosition
        let kind: LogEntry.Kind
        let digest: UInt64
    }

    /// The first rule that was broken, and how.
    public private(set) var violation: String?
    /// The committed log as far as any node knows it; `committed[i]` is seqno i + 1.
    public private(set) var committed: [LogPosition] = []
    /// Whether some disk was put back to an older state: then what disks hold proves nothing.
    public var trustsDisks = true
    /// Nothing is recorded: for scripts in which a history is lost, to see what the nodes make of it.
    var isSilent = false

    private var leaders: [UInt64: PeerID] = [:]
    private var written: [LogPosition: Written] = [:]
    private var configurations: [PlacedConfiguration] = []

    /// Nothing has happened yet.
    public init() {}

    /// Records that a rule was broken; the first one stays.
    public mutating func violated(_ rule: String, _ detail: @autoclosure () -> String) {
        if violation == nil, !isSilent { violation = rule + ": " + detail() }
    }

    /// The newest committed configuration.
    public var committedConfiguration: PlacedConfiguration? { configurations.last }

    /// Takes these entries, which every node starts with, as committed.
    mutating func found(on entries: [LogEntry]) {
        var previous = LogPosition.zero
        for entry in entries {
            appended(entry, after: previous, by: "")
            committed.append(entry.position)
            if case .configuration(let configuration) = entry.kind {
                configurations.append(PlacedConfiguration(seqno: entry.seqno, configuration: configuration))
            }
            previous = entry.position
        }
    }

    /// LogMatching, SignatureInv: an entry is the same everywhere, with the same one before it; a view begins after a
    /// signature.
    mutating func appended(_ entry: LogEntry, after previous: LogPosition, by node: PeerID) {
        guard entry.seqno == previous.seqno + 1, entry.view >= previous.view else {
            return violated("MonoLog", "\(node) appends \(entry.position) after \(previous)")
        }
        let digest = Self.digest(entry)
        if let known = written[entry.position] {
            if known.previous != previous || known.digest != digest || known.kind != entry.kind {
                violated("LogMatching", "\(node) holds another \(entry.position), after \(previous)")
            }
            return
        }
        written[entry.position] = Written(previous: previous, kind: entry.kind, digest: digest)
        guard entry.view != previous.view, previous != .zero else { return }
        if written[previous]?.kind != .signature {
            violated("SignatureInv", "\(node) starts view \(entry.view) after \(previous), which is no signature")
        }
    }

    private static func digest(_ entry: LogEntry) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in entry.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    /// ElectionSafety, LeaderCompleteness.
    mutating func becameLeader(_ raft: Raft) {
        if let other = leaders[raft.view], other != raft.id {
            violated("ElectionSafety", "\(other) and \(raft.id) lead view \(raft.view)")
        }
        leaders[raft.view] = raft.id
        if let last = committed.last, !raft.index.holds(last), raft.index.base.seqno < last.seqno {
            violated("LeaderCompleteness", "\(raft.id) leads view \(raft.view) without \(last)")
        }
    }

    /// CommittedLogAppendOnly, state machine safety, CommitCommittableIndices, NeverCommitEntryPrevTerms, QuorumLog.
    ///
    /// - Parameter holds: Whether a node's disk surely holds an entry.
    mutating func committed(
        _ raft: Raft, from: UInt64, to: UInt64, holds: (PeerID, LogPosition) -> Bool
    ) {
        guard to >= from else { return violated("CommittedLogAppendOnly", "\(raft.id) goes from \(from) to \(to)") }
        let known = UInt64(committed.count)
        var seqno = max(from, raft.index.base.seqno)
        while seqno < to {
            seqno += 1
            guard let position = raft.index.position(at: seqno) else {
                return violated("Commit", "\(raft.id) commits \(seqno) without having it")
            }
            if seqno <= UInt64(committed.count) {
                if committed[Int(seqno) - 1] != position {
                    let other = committed[Int(seqno) - 1]
                    return violated("StateMachineSafety", "\(raft.id) commits \(position), others \(other)")
                }
                continue
            }
            let count = committed.count
            guard seqno == UInt64(count) + 1 else {
                return violated("Commit", "\(raft.id) commits \(position), unknown before \(count)")
            }
            committed.append(position)
        }
        guard to > known, let last = raft.index.position(at: to) else { return checkConfiguration(raft, at: to) }
        let counted = recordConfigurations(raft, from: known, to: to)
        checkConfiguration(raft, at: to)
        // A leader that has just retired itself is a follower by now.
        guard raft.isLeader else { return }
        guard written[last]?.kind == .signature else {
            return violated("CommitCommittableIndices", "\(raft.id) commits at \(last), which is no signature")
        }
        guard last.view == raft.view else {
            return violated("NeverCommitEntryPrevTerms", "\(raft.id) in view \(raft.view) commits at \(last)")
        }
        guard trustsDisks else { return }
        for placed in counted {
            let holders = placed.configuration.voters.count { holds($0, last) }
            if holders < placed.configuration.quorums.replication {
                violated(
                    "QuorumLog",
                    "\(raft.id) commits \(last), on \(holders) disks of \(placed.configuration.voters) at"
                        + " \(placed.seqno) (\(placed.configuration.quorums.replication) needed)")
            }
        }
    }

    /// LogConfigurationConsistent: who commits something knows the newest configuration up to there.
    private mutating func checkConfiguration(_ raft: Raft, at commit: UInt64) {
        guard let newest = configurations.last(where: { $0.seqno <= commit }) else { return }
        let known = raft.index.configurations.last { $0.seqno <= commit }
        guard known?.seqno != newest.seqno else { return }
        violated(
            "LogConfigurationConsistent",
            "\(raft.id) commits \(commit) and goes by \(known?.seqno ?? 0), not by \(newest.seqno)")
    }

    /// Remembers the configurations that became committed; returns those that had to agree to it.
    private mutating func recordConfigurations(
        _ raft: Raft, from: UInt64, to: UInt64
    ) -> [PlacedConfiguration] {
        var counted = Array(configurations.suffix(1))
        for placed in raft.index.configurations where placed.seqno > from && placed.seqno <= to {
            counted.append(placed)
            configurations.append(placed)
        }
        return counted
    }

    /// ReplicationInv: what a leader counts for a peer is on that peer's disk, unless a later leader has cut it.
    mutating func acknowledged(_ leader: Raft, peer: PeerID, by raft: Raft?, disk: SimulatedDisk) {
        guard trustsDisks, let seqno = leader.acknowledged.first(where: { $0.peer == peer })?.seqno, seqno > 0 else {
            return
        }
        guard seqno <= leader.lastSeqno, let position = leader.index.position(at: seqno) else {
            if leader.index.base.seqno < seqno {
                violated("ReplicationInv", "\(leader.id) counts \(seqno) of \(peer), beyond its own log")
            }
            return
        }
        let view = max(raft?.view ?? 0, disk.seal?.view ?? 0)
        guard view <= leader.view, !disk.holds(position) else { return }
        violated("ReplicationInv", "\(leader.id) counts \(position) of \(peer), whose disk lacks it")
    }

    /// A linearizable read reflects all that was committed when it was asked.
    mutating func read(_ seqno: UInt64, floor: Int, by node: PeerID) {
        if seqno < UInt64(floor) { violated("Linearizability", "\(node) reads at \(seqno), committed were \(floor)") }
    }
}
