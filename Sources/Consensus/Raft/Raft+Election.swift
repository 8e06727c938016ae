// Elections: PreVote first (thesis section 9.6), loyalty to a living leader, logs compared by their last signature.
extension Raft {
    /// Configurations that a candidate must win: those of the log it would lead with, which ends at its last signature.
    var electionConfigurations: [PlacedConfiguration] {
        let last = index.lastSignature.seqno
        let active = index.active(commit: max(commit, settled), end: max(last, commit))
        if settings.faults.contains(.skipsJointPhase) { return active.suffix(1) }
        return active.isEmpty ? Array(activeConfigurations.prefix(1)) : active
    }

    /// Whether this node may stand: a voter of some active configuration, with the log that its voters may insist on.
    var isElectable: Bool {
        guard index.lastSignature >= barrier else { return false }
        return electionConfigurations.contains { $0.configuration.voters.contains(id) }
    }

    /// Asks whether an election would be won, without disturbing anyone.
    mutating func startPreVote() {
        // Without this a candidate would go on refusing others for a leader that it itself has given up.
        let given = leader
        becomeFollower()
        if settings.faults.contains(.preVoteKeepsLeader), let given {
            leader = given
            heardLeaderAt = now
        }
        role = .preCandidate
        votes = [id]
        ask(isPreVote: true, isTransfer: false)
        tallyVotes()
    }

    mutating func startElection(isTransfer: Bool) {
        becomeFollower()
        hardState.view += 1
        hardState.vote = .given(id)
        persistHardState()
        verified = commit
        role = .candidate
        ask(isPreVote: false, isTransfer: isTransfer)
    }

    private mutating func ask(isPreVote: Bool, isTransfer: Bool) {
        let request = VoteRequest(isPreVote: isPreVote, isTransfer: isTransfer, lastSignature: index.lastSignature)
        for peer in voters(of: electionConfigurations) where peer != id {
            send(.voteRequest(request), to: peer)
        }
    }

    mutating func onVoteRequest(_ request: VoteRequest, view candidateView: UInt64, from peer: PeerID) {
        // Who wants the vote of a restarting node goes by a configuration that names it, and may be the only one who can
        // say which: those that the node itself knows may all be retired.
        if isRestarting { askAtRestart(peer) }
        guard case .normal = phase else { return }
        let isUpToDate =
            request.lastSignature >= max(index.lastSignature, barrier) || settings.faults.contains(.votesForAnyLog)
        if request.isPreVote {
            guard candidateView < .max else { return }
            let granted = candidateView + 1 > view && !hearsLeader && isUpToDate
            return answer(isPreVote: true, campaign: candidateView + 1, granted: granted, to: peer)
        }
        if candidateView > view {
            guard !hearsLeader || request.isTransfer else { return }
            enter(view: candidateView)
        }
        var granted = false
        if candidateView == view, isUpToDate, role == .follower {
            switch hardState.vote {
            case .free: granted = true
            case .given(let candidate): granted = candidate == peer || settings.faults.contains(.votesTwice)
            case .spent: break
            }
        }
        if granted {
            if hardState.vote == .free {
                hardState.vote = .given(peer)
                persistHardState()
            }
            resetElectionTimer()
        }
        answer(isPreVote: false, campaign: candidateView, granted: granted, to: peer)
    }

    private mutating func answer(isPreVote: Bool, campaign: UInt64, granted: Bool, to peer: PeerID) {
        let committed = index.position(at: commit) ?? .zero
        send(
            .voteResponse(
                VoteResponse(
                    isPreVote: isPreVote, campaign: campaign, granted: granted, committed: committed,
                    settled: activeConfigurations.first.flatMap { index.position(at: $0.seqno) } ?? .zero)),
            to: peer)
    }

    mutating func onVoteResponse(_ response: VoteResponse, view peerView: UInt64, from peer: PeerID) {
        learnCommitted(response.committed)
        learnSettled(response.settled)
        if peerView > view { return enter(view: peerView) }
        guard response.granted else { return }
        if response.isPreVote {
            guard role == .preCandidate, response.campaign == view + 1 else { return }
            grant(from: peer)
        } else {
            if response.campaign == peerView { rememberVote(of: peer, view: peerView) }
            guard role == .candidate, response.campaign == view else { return }
            grant(from: peer)
        }
    }

    mutating func grant(from peer: PeerID) {
        guard !votes.contains(peer) else { return }
        votes.append(peer)
        tallyVotes()
    }

    private mutating func tallyVotes() {
        let configurations = electionConfigurations
        guard !configurations.isEmpty else { return }
        let faults = settings.faults
        let isWon: Bool
        if faults.contains(.unionTally) {
            let union = voters(of: configurations)
            isWon = granted(union) * 2 > union.count
        } else {
            isWon = configurations.allSatisfy { placed in
                let voters = placed.configuration.voters
                let quorums = placed.configuration.quorums
                let needed =
                    faults.contains(.electsWithTooFew) ? voters.count - quorums.replication + 1 : quorums.election
                return granted(voters) >= needed
            }
        }
        guard isWon else { return }
        if role == .preCandidate { startElection(isTransfer: false) } else { becomeLeader() }
    }

    private func granted(_ voters: [PeerID]) -> Int { voters.count { votes.contains($0) } }

    private mutating func becomeLeader() {
        role = .leader
        leader = id
        votes.removeAll()
        let end = max(index.lastSignature.seqno, commit)
        if end < lastSeqno, !settings.faults.contains(.keepsUnsignedTail) { truncate(to: end) }
        progress.removeAll()
        transfer = nil
        round = 0
        readBatch = nil
        hasReportedConfiguration = false
        heartbeatDeadline = now
        quorumDeadline = now + settings.electionTimeoutMax
        refreshConfigurations()
        out.append(.becameLeader(view: view))
    }

    // MARK: Handing over

    mutating func transferLeadership(to wanted: PeerID?) {
        guard role == .leader, transfer == nil, let newest = activeConfigurations.last?.configuration else { return }
        let candidates = progress.filter { newest.voters.contains($0.id) && (wanted == nil || $0.id == wanted) }
        // The first of the best, so that the choice does not depend on anything but ids and acknowledgements.
        guard var best = candidates.first else { return }
        for candidate in candidates where candidate.match > best.match { best = candidate }
        transfer = (best.id, now + settings.electionTimeoutMax, false)
        pushTransfer()
    }

    /// Tells the successor to stand as soon as it holds every signature.
    mutating func pushTransfer() {
        guard let pending = transfer, !pending.isAsked, let peer = progress.first(where: { $0.id == pending.target }),
            peer.match >= index.lastSignature.seqno
        else { return }
        transfer?.isAsked = true
        send(.timeoutNow, to: peer.id)
    }

    mutating func onTimeoutNow(view leaderView: UInt64, from peer: PeerID) {
        guard case .normal = phase, leaderView == view, role == .follower, leader == peer, isElectable else { return }
        startElection(isTransfer: true)
    }
}
