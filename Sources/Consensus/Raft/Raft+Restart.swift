// The restart rule: a node that comes back with its seal is the same instance, but the host may have given it an old
// seal or an old disk. Until its peers have confirmed otherwise it neither votes nor acknowledges; it keeps up with the
// log without being counted.
//
// What could go wrong if a node N that was rolled back took part again:
//  (1) it votes twice in a view; (2) it votes for a log that lacks what it acknowledged; (3) a leader goes on counting
//  an acknowledgement that N has lost.
//
// The rule. N asks all voters of its configurations and of those that its best informed peer goes by; whoever is asked takes up N's view, and N takes up the highest view
// that it hears, its vote there being spent. Answers count only from N's present view. Let R be the peers that answered.
//  - A peer that remembers a later view, a vote or an acknowledgement of N that N does not show objects: N refuses.
//  - If one of R leads the view, its memory of N's acknowledgements in this view is complete; in earlier views no member
//    of R acknowledges any more.
//  - If one of R hears a leader that is not in R, N waits. If none does but some have voted, a leader may be in the
//    making, and N goes to the next view, asking again. Now nobody in R has voted there.
//  - R is *enough* when it meets every replication and election quorum that N can have been part of, N left out:
//    n - min(q_r, q_e) + 1 peers. With `restart: sealed` a quorum including N is, after a grace time in which whoever
//    knows better would have objected: the seals are trusted as a majority's word.
// Against (1): votes of the views up to the present one are spent, and a leader of the present view, if any, was
// elected by a quorum that met R before N asked. Against (3): see above. Against (2): N votes only for candidates whose
// last signature is at least the highest that R showed (`barrier`): whatever was committed with N's help is durable on
// a member of R. With `restart: sealed` the barrier is only R's highest *committed* entry, since a signature that dies
// with its only holder must not block elections for ever.
//
// So a rolled-back node is recognised where anyone alive remembers, and can do no harm where R is enough. What is left:
// a rollback to before the node knew its peers (a network of one) can't be noticed by peers that do not exist.

/// The state of a restart under way.
struct RestartRound: Sendable {
    var nonce: UInt64
    /// Next time to ask again.
    var deadline: Microseconds
    var startedAt: Microseconds
    var isAuthorized = false
    var hasAskedMembers = false
    /// The configurations of the peer whose oldest active one is the newest, and so knows more of earlier ones to be
    /// out of force: a node that was away long may know none of those who count now.
    var known: [PlacedConfiguration] = []
    var answers: [(peer: PeerID, view: UInt64, at: Microseconds, answer: RestartAnswer)] = []
}

extension Raft {
    mutating func beginRestart(_ sealed: HardState) {
        guard index.lastSeqno >= sealed.commit else { return refuseAsRolledBack(.logBehindSeal) }
        if settings.faults.contains(.skipsRestartRule) {
            out.append(.restartConfirmed)
            return
        }
        phase = .restarting(RestartRound(nonce: random.next(), deadline: now + 2 * settings.heartbeat, startedAt: now))
        askPeers()
        evaluateRestart()
    }

    mutating func restartTick() {
        guard case .restarting(var restart) = phase else { return }
        if now >= restart.deadline {
            restart.deadline = now + 2 * settings.heartbeat
            let isStuck = now >= restart.startedAt + 10 * settings.electionTimeoutMax
            if isStuck, !restart.hasAskedMembers, !settings.restartSealed, !restart.isAuthorized {
                restart.hasAskedMembers = true
                out.append(.awaitingMembers)
            }
            phase = .restarting(restart)
            askPeers()
        }
        evaluateRestart()
    }

    mutating func authorizeRestart() {
        guard case .restarting(var restart) = phase else {
            // Nobody can show any more what a peer once showed; members accept the log as it is.
            barrier = .zero
            return
        }
        restart.isAuthorized = true
        phase = .restarting(restart)
        evaluateRestart()
    }

    /// A leader or a candidate spoke to a node that may not follow or vote yet: perhaps one that its configurations do not
    /// name.
    mutating func askAtRestart(_ peer: PeerID) {
        guard case .restarting(let restart) = phase else { return }
        guard !restart.answers.contains(where: { $0.peer == peer && $0.view == view }) else { return }
        send(.restartQuery(restartQuery(restart.nonce)), to: peer)
    }

    private mutating func askPeers() {
        guard case .restarting(let restart) = phase else { return }
        for peer in voters(of: index.configurations + restart.known) where peer != id {
            send(.restartQuery(restartQuery(restart.nonce)), to: peer)
        }
    }

    private func restartQuery(_ nonce: UInt64) -> RestartQuery {
        RestartQuery(nonce: nonce, vote: hardState.vote, last: index.last)
    }

    /// Says what this node knows of a restarted peer. A node that is itself restarting answers from its seal.
    mutating func onRestartQuery(_ query: RestartQuery, view peerView: UInt64, from peer: PeerID) {
        let objection = objection(to: query, view: peerView, from: peer)
        if peerView > view { enter(view: peerView) }
        if leader == peer {
            // It can't lead any more: no need to wait until its silence is noticed.
            leader = nil
        }
        if role == .leader, let place = progress.firstIndex(where: { $0.id == peer }), objection == nil {
            progress[place].probe(from: min(query.last.seqno, lastSeqno) + 1)
        }
        let answer = RestartAnswer(
            nonce: query.nonce, objection: objection, isRestarting: isRestarting, isLeader: role == .leader,
            hearsLeader: hearsLeader, hasVoted: hasGivenVote, lastSignature: durableSignature,
            committed: index.position(at: commit) ?? .zero,
            configurations: Array(activeConfigurations.prefix(RaftMessage.configurationsMax)))
        send(.restartAnswer(answer), to: peer)
    }

    /// What is not on disk may be lost, and would then stand in the way of elections for ever.
    private var durableSignature: LogPosition {
        index.signature(atMost: durable).flatMap { index.position(at: $0) } ?? .zero
    }

    private var hasGivenVote: Bool {
        if case .given = hardState.vote { return true }
        return false
    }

    private func objection(to query: RestartQuery, view peerView: UInt64, from peer: PeerID) -> RollbackReason? {
        guard let memory = memories.first(where: { $0.id == peer }) else { return nil }
        // The query itself was remembered on arrival, so an equal view is the least there can be.
        if peerView < memory.view { return .viewBehindPeer }
        if peerView == memory.votedForUs, query.vote != .given(id) { return .voteForgotten }
        if peerView == memory.acknowledgedIn, query.last.seqno < memory.acknowledged { return .logBehindPeer }
        // Whatever it acknowledged and is committed since can't have been cut by a later leader.
        if query.last.seqno < min(memory.acknowledged, commit) { return .logBehindPeer }
        return nil
    }

    mutating func onRestartAnswer(_ answer: RestartAnswer, view peerView: UInt64, from peer: PeerID) {
        guard case .restarting(var restart) = phase, answer.nonce == restart.nonce else { return }
        if let reason = answer.objection { return refuseAsRolledBack(reason) }
        learnCommitted(answer.committed)
        restart.answers.removeAll { $0.peer == peer }
        restart.answers.append((peer, peerView, now, answer))
        if (answer.configurations.first?.seqno ?? 0) > restart.known.first?.seqno ?? 0 {
            restart.known = answer.configurations
        }
        phase = .restarting(restart)
        if peerView > view {
            enter(view: peerView)
            askPeers()
        }
        evaluateRestart()
    }

    private mutating func evaluateRestart() {
        guard case .restarting(let restart) = phase else { return }
        let trustsSeals = settings.restartSealed || restart.isAuthorized
        // A peer that has fallen silent must not go on vouching for a leader that it once heard.
        let oldest = now - min(now, settings.electionTimeoutMax)
        let counted = restart.answers.filter {
            $0.view == view && $0.at >= oldest && (trustsSeals || !$0.answer.isRestarting)
        }
        let leading = counted.first { $0.answer.isLeader }
        guard isEnough(counted.map(\.peer), restart, trustsSeals: trustsSeals, isLed: leading != nil) else { return }
        if leading == nil {
            if counted.contains(where: { $0.answer.hearsLeader }) { return }
            if counted.contains(where: { $0.answer.hasVoted }) {
                enter(view: view + 1)
                return askPeers()
            }
        }
        let voters = voters(of: effectiveConfigurations(restart))
        for (peer, _, _, answer) in counted where voters.contains(peer) {
            barrier = max(barrier, trustsSeals ? answer.committed : answer.lastSignature)
        }
        confirmRestart(leading?.peer)
    }

    private func effectiveConfigurations(_ restart: RestartRound) -> [PlacedConfiguration] {
        let isBehind = (restart.known.first?.seqno ?? 0) > activeConfigurations.first?.seqno ?? 0
        return isBehind ? restart.known : activeConfigurations
    }

    private func isEnough(_ peers: [PeerID], _ restart: RestartRound, trustsSeals: Bool, isLed: Bool) -> Bool {
        let active = effectiveConfigurations(restart)
        let isGraceOver = now >= restart.startedAt + settings.electionTimeoutMax
        // A node that knows no configuration can ask nobody. Its leader, if there is one, calls within the grace time.
        guard !active.isEmpty else { return isLed || (trustsSeals && isGraceOver) }
        return active.allSatisfy { placed in
            let voters = placed.configuration.voters
            let quorums = placed.configuration.quorums
            let others = voters.count - (voters.contains(id) ? 1 : 0)
            let answered = voters.count { peers.contains($0) }
            let strict = voters.count - min(quorums.replication, quorums.election) + 1
            if answered >= min(strict, others) { return true }
            let quorum = max(quorums.replication, quorums.election)
            return trustsSeals && isGraceOver && answered + (voters.count - others) >= quorum
        }
    }

    private mutating func confirmRestart(_ leading: PeerID?) {
        phase = .normal
        if hardState.vote == .free {
            hardState.vote = .spent
            persistHardState()
        }
        leader = leading
        heardLeaderAt = now
        resetElectionTimer()
        out.append(.restartConfirmed)
    }

    mutating func refuseAsRolledBack(_ reason: RollbackReason) {
        phase = .refusing
        out.append(.rolledBack(reason))
    }
}
