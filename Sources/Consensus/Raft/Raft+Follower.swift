// Replication as a follower sees it.
extension Raft {
    mutating func onAppend(_ append: AppendEntries, view leaderView: UInt64, from peer: PeerID) {
        guard append.isWellFormed(in: leaderView) else { return }
        for acknowledgement in append.acknowledged {
            remember(acknowledgement, in: leaderView, commit: append.commit)
        }
        if leaderView < view {
            // A leader of the past learns that it is one.
            return refuse(append, to: peer)
        }
        if leaderView > view { enter(view: leaderView) }
        // A restarting node keeps up with the log, so that it learns who its peers are now; it does not count.
        if isRestarting { askAtRestart(peer) }
        guard role != .leader else { return halt("two leaders in one view") }
        if role != .follower { becomeFollower() }
        leader = peer
        attempt = append.attempt
        heardLeaderAt = now
        resetElectionTimer()

        // Committed entries are every later leader's too, so an older `previous` needs no look.
        guard append.previous.seqno <= commit || index.holds(append.previous) else {
            return refuse(append, to: peer)
        }
        guard agreesOnCommit(append) else { return halt("a leader contradicts what is committed") }
        if settings.faults.contains(.truncatesEarly), append.end < lastSeqno, append.end > commit {
            verified = min(verified, append.end)
            truncate(to: append.end)
        }
        guard take(append) else { return }
        verified = max(verified, append.end)
        let known = min(append.commit, verified)
        if known > commit, let signature = index.signature(atMost: known) ?? unsigned(known), signature > commit {
            setCommit(signature)
        }
        if append.round > 0 || (!append.entries.isEmpty && durable >= append.end) {
            acknowledge(to: peer, round: append.round)
        } else if settings.faults.contains(.acknowledgesBeforeSync), !append.entries.isEmpty {
            acknowledge(to: peer, round: append.round)
        }
    }

    private func unsigned(_ seqno: UInt64) -> UInt64? { settings.faults.contains(.commitsUnsigned) ? seqno : nil }

    /// What `append` has at the commit point, if it reaches it, must be what is committed here.
    private func agreesOnCommit(_ append: AppendEntries) -> Bool {
        guard append.previous.seqno <= commit, append.end >= commit else { return true }
        let offset = Int(commit - append.previous.seqno)
        let claimed = offset == 0 ? append.previous.view : append.entries[offset - 1].view
        return index.view(at: commit) == claimed
    }

    /// Appends what is new in `append`, cutting what contradicts it.
    private mutating func take(_ append: AppendEntries) -> Bool {
        guard append.end > commit else { return true }
        if append.previous.seqno == lastSeqno {
            self.append(append.entries)
            return true
        }
        guard
            let start = append.entries.firstIndex(where: { entry in
                entry.seqno > commit && index.view(at: entry.seqno) != entry.view
            })
        else { return true }
        let first = append.entries[start]
        guard first.seqno <= lastSeqno + 1 else { return true }
        if first.seqno <= lastSeqno {
            guard first.seqno > verified else {
                halt("a leader contradicts itself")
                return false
            }
            truncate(to: first.seqno - 1)
        }
        self.append(Array(append.entries[start...]))
        return true
    }

    /// Tells the leader how far its log is here, on disk. Never more than what it is known to have sent in this view:
    /// the own log may be longer and differ.
    mutating func acknowledge(to peer: PeerID, round: UInt64) {
        var seqno = min(durable, verified)
        if settings.faults.contains(.acknowledgesLogEnd) { seqno = durable }
        if settings.faults.contains(.acknowledgesBeforeSync) { seqno = verified }
        send(
            .appendResponse(
                AppendResponse(
                    accepted: true, counts: !isRestarting, seqno: seqno, agreement: .zero, round: round,
                    attempt: attempt, commit: commit)
            ),
            to: peer)
    }

    private mutating func refuse(_ append: AppendEntries, to peer: PeerID) {
        let agreement = index.agreement(with: append.previous)
        send(
            .appendResponse(
                AppendResponse(
                    accepted: false, counts: !isRestarting, seqno: append.previous.seqno, agreement: agreement,
                    round: append.round, attempt: append.attempt,
                    commit: commit)),
            to: peer)
    }

    /// Takes the place of the log, if the snapshot goes further than what is known here to be committed.
    mutating func installSnapshot(_ snapshot: LogIndex) {
        guard role != .leader, snapshot.lastSeqno > commit else { return }
        if snapshot.last.view > view { enter(view: snapshot.last.view) }
        if index.holds(snapshot.last) {
            // Nothing to replace: the log already has it.
            verified = max(verified, snapshot.lastSeqno)
            if let signature = index.signature(atMost: snapshot.lastSeqno), signature > commit { setCommit(signature) }
            return
        }
        // What is on disk, and may have been promised in this view, goes on another way than what is committed: then the
        // view is over. A node that stayed in it with another log would look as if it had forgotten.
        if snapshot.last.view < view, let position = index.position(at: durable), !snapshot.last.reaches(position),
            view < .max
        {
            enter(view: view + 1)
        }
        index = snapshot
        if settings.faults.contains(.snapshotForgetsConfiguration) {
            index = LogIndex(snapshot: snapshot.last, configurations: [])
        }
        window = EntryWindow(after: snapshot.lastSeqno)
        durable = 0
        for place in 0..<writes.count { writes[place].end = 0 }
        logTicket += 1
        writes.append((logTicket, snapshot.lastSeqno))
        firstAvailable = snapshot.lastSeqno + 1
        commit = snapshot.lastSeqno
        verified = commit
        out.append(.resetLog(to: snapshot.last, ticket: logTicket))
        out.append(.commit(upTo: commit))
        refreshConfigurations()
    }
}
