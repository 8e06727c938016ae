// ReadIndex (thesis section 6.4): a leader that a quorum still follows knows everything that was committed before the
// question came. Clocks are not trusted, so there are no lease reads.
extension Raft {
    mutating func read(_ read: UInt64) {
        guard role == .leader, case .normal = phase else {
            out.append(.readFailed(id: read))
            return
        }
        if settings.faults.contains(.readsWithoutQuorum) {
            out.append(.readReady(id: read, seqno: commit))
            return
        }
        readsWaiting.append(read)
        startReadBatch()
    }

    /// One round of heartbeats serves all reads that came before it. A leader that has committed nothing of its own view
    /// does not know yet what earlier leaders committed; its reads wait.
    mutating func startReadBatch() {
        guard readBatch == nil, !readsWaiting.isEmpty, hasCommittedInView else { return }
        readBatch = (round + 1, commit, readsWaiting)
        readsWaiting.removeAll()
        broadcastHeartbeat()
        checkReads()
    }

    mutating func checkReads() {
        guard let batch = readBatch else { return }
        // Enough to meet every election quorum: no later leader can have been elected before they answered.
        let isConfirmed = isAgreed(
            by: { $0.roundAnswered >= batch.round },
            needed: { (tally: Tally) in tally.voterCount - tally.quorums.election + 1 })
        guard isConfirmed else { return }
        readBatch = nil
        for id in batch.ids { out.append(.readReady(id: id, seqno: batch.seqno)) }
        startReadBatch()
    }

    mutating func failReads() {
        for id in (readBatch?.ids ?? []) + readsWaiting { out.append(.readFailed(id: id)) }
        readBatch = nil
        readsWaiting.removeAll()
    }
}
