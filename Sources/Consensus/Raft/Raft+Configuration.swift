// Who counts: derived from the configurations in the log, from the moment that they are appended.
extension Raft {
    /// Times and the restart rule that the network agreed on anew; what is under way goes on by the old ones.
    public mutating func setDials(_ dials: RaftSettings) {
        settings.heartbeat = dials.heartbeat
        settings.electionTimeoutMin = dials.electionTimeoutMin
        settings.electionTimeoutMax = dials.electionTimeoutMax
        settings.restartSealed = dials.restartSealed
    }

    /// Each voter of `configurations` once, sorted.
    func voters(of configurations: [PlacedConfiguration]) -> [PeerID] {
        var ids: [PeerID] = []
        for placed in configurations { ids.append(contentsOf: placed.configuration.voters) }
        return Self.sortedOnce(ids)
    }

    private static func sortedOnce(_ ids: [PeerID]) -> [PeerID] {
        var sorted: [PeerID] = []
        for id in ids.sorted() where sorted.last != id { sorted.append(id) }
        return sorted
    }

    /// Looks at the log's configurations again after they changed.
    mutating func refreshConfigurations() {
        let before = activeConfigurations
        activeConfigurations = index.active(commit: max(commit, settled))
        if settings.faults.contains(.skipsJointPhase) { activeConfigurations = activeConfigurations.suffix(1) }
        if before != activeConfigurations {
            out.append(.configurationsChanged(activeConfigurations.map(\.configuration)))
        }
        if settings.faults.contains(.retiresEarly), role != .leader,
            let newest = activeConfigurations.last, !newest.configuration.contains(id),
            before.contains(where: { $0.configuration.contains(id) })
        {
            phase = .refusing
        }
        guard role == .leader else { return }
        refreshProgress()
        makeTallies()
    }

    /// Everyone who is in a configuration that some node may still go by gets the log.
    private mutating func refreshProgress() {
        var ids: [PeerID] = []
        for placed in index.configurations {
            ids.append(contentsOf: placed.configuration.voters)
            ids.append(contentsOf: placed.configuration.learners)
        }
        let wanted = Self.sortedOnce(ids)
        var kept: [Progress] = []
        for var peer in progress {
            if wanted.contains(peer.id) {
                peer.departsAfter = nil
            } else if peer.departsAfter == nil {
                peer.departsAfter = commit
                peer.departsBy = now + 10 * settings.electionTimeoutMax
            }
            kept.append(peer)
        }
        for peer in wanted where peer != id && !kept.contains(where: { $0.id == peer }) {
            kept.append(Progress(id: peer, next: lastSeqno + 1, now: now))
        }
        progress = kept.sorted { $0.id < $1.id }
    }

    mutating func dropDeparted() {
        progress.removeAll { peer in
            guard let last = peer.departsAfter else { return false }
            return peer.commitKnown >= last || now >= peer.departsBy
        }
        makeTallies()
    }

    private mutating func makeTallies() {
        var sets = activeConfigurations.map { ($0.configuration.voters, $0.configuration.quorums) }
        if settings.faults.contains(.unionTally), sets.count > 1 {
            let union = voters(of: activeConfigurations)
            if let quorums = QuorumSizes(.majority, voters: union.count) { sets = [(union, quorums)] }
        }
        tallies = sets.map { voters, quorums in
            Tally(
                quorums: quorums, voterCount: voters.count,
                places: voters.compactMap { voter in progress.firstIndex { $0.id == voter } },
                countsSelf: voters.contains(id))
        }
    }

    /// Whether in each active configuration enough voters satisfy `holds`.
    func isAgreed(by holds: (Progress) -> Bool, needed: (Tally) -> Int) -> Bool {
        tallies.allSatisfy { $0.count(progress, holds) >= needed($0) }
    }

    func isAgreed(by holds: (Progress) -> Bool, needed: (QuorumSizes) -> Int) -> Bool {
        isAgreed(by: holds, needed: { (tally: Tally) in needed(tally.quorums) })
    }

    /// The commit point went over a configuration: earlier ones do not count any more.
    mutating func configurationsCommitted() {
        activeConfigurations = index.active(commit: max(commit, settled))
        noteMembership()
    }

    /// Only a committed membership can end: a configuration that was cut again says nothing.
    mutating func noteMembership() {
        let committed = index.configurations.prefix { $0.seqno <= commit }
        if committed.contains(where: { $0.configuration.contains(id) }) { wasMember = true }
    }

    /// Tells the shell of the newest committed configuration, and whom it removed for as long as that is not settled.
    mutating func reportConfiguration() {
        guard let placed = committedConfiguration else { return }
        hasReportedConfiguration = true
        var removed: [PeerID] = []
        for old in index.configurations where old.seqno < placed.seqno {
            for peer in old.configuration.voters + old.configuration.learners
            where old.seqno >= placed.configuration.settled && !placed.configuration.contains(peer) {
                removed.append(peer)
            }
        }
        out.append(.configurationCommitted(seqno: placed.seqno, removed: Self.sortedOnce(removed)))
    }

    /// A follower that no configuration names any more, and that no future leader will ask, is done.
    mutating func checkRetirement() {
        guard role != .leader, isSettledOut else { return }
        wasMember = false
        out.append(.retired)
    }

    private var isSettledOut: Bool {
        wasMember && !index.configurations.contains { $0.configuration.contains(id) }
    }

    /// The same for a leader, which first passes on what it knows.
    mutating func retireAsLeader() {
        guard role == .leader, isSettledOut else { return }
        if let newest = activeConfigurations.last?.configuration {
            let heirs = progress.filter { newest.voters.contains($0.id) }
            if var best = heirs.first {
                for heir in heirs where heir.match > best.match { best = heir }
                send(.timeoutNow, to: best.id)
            }
        }
        becomeFollower()
        wasMember = false
        out.append(.retired)
    }

    /// Says once in a view that a learner may become a voter.
    mutating func checkCaughtUp(_ place: Int) {
        guard !progress[place].isCaughtUp, progress[place].match >= commit,
            progress[place].match + settings.catchUpLag >= lastSeqno,
            let newest = activeConfigurations.last?.configuration, newest.learners.contains(progress[place].id)
        else { return }
        progress[place].isCaughtUp = true
        out.append(.caughtUp(peer: progress[place].id))
    }
}
