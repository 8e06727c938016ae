// Replication as the leader sees it.
extension Raft {
    mutating func propose(_ entries: [LogEntry]) {
        guard role == .leader, case .normal = phase else { return reject(.notLeader) }
        guard transfer == nil else { return reject(.transferring) }
        var expected = lastSeqno
        var founding = index.configurations.first.flatMap { $0.seqno == 0 && lastSeqno == 0 ? $0.configuration : nil }
        for entry in entries {
            expected += 1
            guard entry.view == view, entry.seqno == expected else { return reject(.outOfOrder) }
            guard case .configuration(let configuration) = entry.kind else { continue }
            let isFounding = founding?.voters == configuration.voters && founding?.quorums == configuration.quorums
            founding = nil
            let known = committedConfiguration?.seqno ?? 0
            guard isFounding || hasCommittedInView, configuration.settled <= known else {
                return reject(.configurationTooEarly)
            }
        }
        append(entries)
        for place in progress.indices { replicate(place) }
    }

    private mutating func reject(_ reason: ProposalRejection) { out.append(.proposalRejected(reason)) }

    mutating func leaderTick() {
        if now >= quorumDeadline {
            quorumDeadline = now + settings.electionTimeoutMax
            let since = now - min(now, settings.electionTimeoutMax)
            guard isAgreed(by: { $0.heardAt >= since }, needed: { $0.replication }) else {
                becomeFollower()
                return
            }
        }
        if let pending = transfer, now >= pending.deadline { transfer = nil }
        if now >= heartbeatDeadline { broadcastHeartbeat() }
    }

    /// Lets everyone hear from the leader, and asks everyone to answer.
    mutating func broadcastHeartbeat() {
        round += 1
        heartbeatDeadline = now + settings.heartbeat
        if progress.contains(where: { $0.departsAfter != nil && now >= $0.departsBy }) { dropDeparted() }
        rememberCommitted()
        let acknowledged = acknowledgements
        for place in progress.indices {
            if case .snapshot(let since) = progress[place].state, now >= since + settings.snapshotRetry {
                askSnapshot(place)
            }
            sendEmpty(place, round: round, acknowledged: acknowledged)
            replicate(place)
        }
    }

    /// Streams what the peer lacks, as far as its windows allow.
    mutating func replicate(_ place: Int) {
        while progress[place].state == .streaming, !progress[place].isLoading {
            let next = progress[place].next
            guard next <= lastSeqno, progress[place].inflight.count < settings.inflightMessagesMax,
                progress[place].inflightBytes < settings.inflightBytesMax
            else { return }
            guard next >= window.first else { return load(place) }
            let batch = window.take(
                from: next, bytesMax: settings.appendBytesMax, entriesMax: settings.appendEntriesMax)
            guard sendEntries(batch.entries, bytes: batch.bytes, to: place) else { return askSnapshot(place) }
        }
    }

    private mutating func load(_ place: Int) {
        let next = progress[place].next
        guard next >= firstAvailable else { return askSnapshot(place) }
        progress[place].isLoading = true
        out.append(
            .loadEntries(
                peer: progress[place].id, from: next, bytesMax: settings.appendBytesMax,
                entriesMax: settings.appendEntriesMax))
    }

    private mutating func askSnapshot(_ place: Int) {
        progress[place].state = .snapshot(since: now)
        out.append(.needSnapshot(peer: progress[place].id))
    }

    mutating func entriesLoaded(_ peer: PeerID, from: UInt64, entries: [LogEntry]) {
        guard role == .leader, let place = progress.firstIndex(where: { $0.id == peer }), progress[place].isLoading
        else { return }
        progress[place].isLoading = false
        guard progress[place].state == .streaming else { return }
        if progress[place].next == from {
            guard !entries.isEmpty else { return askSnapshot(place) }
            var expected = from
            var bytes = 0
            for entry in entries {
                // What the disk gave is not this log: never pass it on.
                guard entry.seqno == expected, index.view(at: expected) == entry.view else {
                    return askSnapshot(place)
                }
                expected += 1
                bytes += entry.bytes.count
            }
            guard sendEntries(entries, bytes: bytes, to: place) else { return askSnapshot(place) }
        }
        replicate(place)
    }

    mutating func snapshotFailed(_ peer: PeerID) {
        guard role == .leader, let place = progress.firstIndex(where: { $0.id == peer }),
            case .snapshot = progress[place].state
        else { return }
        progress[place].probe(from: progress[place].next)
    }

    /// False if the log does not reach back so far.
    private mutating func sendEntries(_ entries: [LogEntry], bytes: Int, to place: Int) -> Bool {
        guard let previous = index.position(at: progress[place].next - 1) else { return false }
        let append = AppendEntries(
            previous: previous, entries: entries, commit: commit, round: 0, attempt: progress[place].attempt)
        progress[place].next = append.end + 1
        progress[place].commitSent = commit
        progress[place].sent(end: append.end, bytes: bytes)
        send(.append(append), to: progress[place].id)
        return true
    }

    private mutating func sendEmpty(_ place: Int, round: UInt64, acknowledged: [Acknowledgement] = []) {
        let previous: LogPosition
        switch progress[place].state {
        case .probing, .streaming: previous = index.position(at: progress[place].next - 1) ?? .zero
        case .snapshot: previous = .zero
        }
        progress[place].commitSent = commit
        send(
            .append(
                AppendEntries(
                    previous: previous, entries: [], commit: commit, round: round, attempt: progress[place].attempt,
                    acknowledged: acknowledged)),
            to: progress[place].id)
    }

    mutating func onAppendResponse(_ response: AppendResponse, view peerView: UInt64, from peer: PeerID) {
        if peerView > view { return enter(view: peerView) }
        guard role == .leader, peerView == view, let place = progress.firstIndex(where: { $0.id == peer }) else {
            return
        }
        if response.counts {
            progress[place].heardAt = now
            progress[place].roundAnswered = max(progress[place].roundAnswered, min(response.round, round))
        }
        progress[place].commitKnown = max(progress[place].commitKnown, min(response.commit, commit))
        if response.accepted {
            guard response.seqno <= lastSeqno else { return }
            accepted(response, place)
        } else {
            refused(response, place)
        }
        guard role == .leader else { return }
        checkReads()
        if progress.contains(where: { $0.departsAfter.map { [known = $0.commitKnown] in known >= $0 } ?? false }) {
            dropDeparted()
        }
    }

    private mutating func accepted(_ response: AppendResponse, _ place: Int) {
        let seqno = response.seqno
        progress[place].received(seqno)
        let isNews = response.counts && seqno > progress[place].match
        if isNews { progress[place].match = seqno }
        switch progress[place].state {
        case .probing: if response.attempt == progress[place].attempt { progress[place].state = .streaming }
        case .streaming: break
        case .snapshot: if seqno + 1 >= firstAvailable { progress[place].state = .streaming }
        }
        if isNews {
            if let position = index.position(at: seqno) {
                let acknowledgement = Acknowledgement(peer: progress[place].id, position: position)
                remember(acknowledgement, in: view, commit: commit)
            }
            advanceCommit()
            guard role == .leader else { return }
        }
        guard place < progress.count else { return }
        checkCaughtUp(place)
        pushTransfer()
        replicate(place)
    }

    private mutating func refused(_ response: AppendResponse, _ place: Int) {
        let agreement = index.agreement(with: response.agreement)
        if settings.faults.contains(.commitsOnNack) {
            progress[place].match = max(progress[place].match, agreement.seqno)
            advanceCommit()
        }
        // Old news: a NACK never takes back what was acknowledged, and only the present guess can be refused.
        guard response.seqno > progress[place].match, response.attempt == progress[place].attempt else { return }
        switch progress[place].state {
        case .probing: guard response.seqno == progress[place].next - 1 else { return }
        case .streaming: guard response.seqno < progress[place].next else { return }
        case .snapshot: return
        }
        progress[place].probe(from: min(agreement.seqno, response.seqno - 1) + 1)
        sendEmpty(place, round: round, acknowledged: acknowledgements)
    }

    /// Commits up to the last signature of this view that every active configuration holds durably.
    mutating func advanceCommit() {
        guard role == .leader, !tallies.isEmpty else { return }
        var agreed = UInt64.max
        for tally in tallies { agreed = min(agreed, tally.durable(own: durable, progress)) }
        guard agreed > commit else { return }
        if settings.faults.contains(.commitsUnsigned) {
            guard index.view(at: agreed) == view else { return }
            return commitAndTell(agreed)
        }
        guard let signature = index.signature(atMost: agreed), signature > commit else { return }
        guard index.view(at: signature) == view || settings.faults.contains(.commitsPreviousViews) else { return }
        commitAndTell(signature)
    }

    private mutating func commitAndTell(_ seqno: UInt64) {
        setCommit(seqno)
        guard role == .leader else { return }
        startReadBatch()
        for place in progress.indices where progress[place].commitSent < commit {
            replicate(place)
            if progress[place].commitSent < commit { sendEmpty(place, round: 0) }
        }
        retireAsLeader()
    }
}
