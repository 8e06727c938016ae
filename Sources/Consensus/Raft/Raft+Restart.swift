// The restart rule: a node that comes back with its seal is the same instance, but the host may have given it an old
// seal or an old disk. Until its peers have confirmed otherwise it neither votes nor acknowledges; it keeps up with the
// log without being counted.
//
// What could go wrong if a node N that was rolled back took part again:
//  (1) it votes twice in a view; (2) it votes for a log that lacks what it acknowledged; (3) a leader goes on counting
//  an acknowledgement that N has lost.
//
// The rule. N asks all voters of its configurations and of those that its best informed peer goes by, and whoever leads
// or stands for election; whoever is asked takes up N's view, and N takes up the highest view that it hears, its vote
// there being spent. Answers count only from N's present view. Let R be the peers that answered.
//  - N is judged by its *claim*: what its seal and its disk held when its process started. What it does while it is
//    restarting promises nothing, so peers don't remember it, and the claim stays in the seal until the restart is
//    confirmed: neither the view that a quick leader takes N to, nor the entries that it brings, nor a second crash
//    make an old state look newer.
//  - A peer that remembers a later view, a vote or an acknowledgement of N that the claim does not show objects, and N
//    refuses, whichever of its questions that answers. Leaders tell everyone with their heartbeats what was acknowledged
//    to them (PeerMemory), so this does not depend on one node's memory.
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
    /// Names this process start.
    var start: UInt64
    /// Names the view in which was asked.
    var nonce: UInt64
    /// What this node is judged by.
    var claim: RestartClaim
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
        guard index.holds(sealed: sealed.committed) else { return refuseAsRolledBack(.logBehindSeal) }
        if settings.faults.contains(.skipsRestartRule) {
            hardState.claim = nil
            persistHardState()
            out.append(.restartConfirmed)
            return
        }
        var claim = RestartClaim(view: sealed.view, vote: sealed.vote, last: index.last)
        if let earlier = sealed.claim {
            // Stopped again before it was confirmed. Only a leader of a later view can have cut the log since.
            guard sealed.view > earlier.view || index.last.reaches(earlier.last) else {
                return refuseAsRolledBack(.logBehindSeal)
            }
            claim = earlier
        }
        phase = .restarting(
            RestartRound(
                start: random.next(), nonce: random.next(), claim: claim, deadline: now + 2 * settings.heartbeat,
                startedAt: now))
        hardState.claim = settings.faults.contains(.forgetsClaim) ? nil : claim
        persistHardState()
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
        send(.restartQuery(query(restart)), to: peer)
    }

    private mutating func askPeers() {
        guard case .restarting(let restart) = phase else { return }
        for peer in asked(restart) { send(.restartQuery(query(restart)), to: peer) }
    }

    private func asked(_ restart: RestartRound) -> [PeerID] {
        voters(of: index.configurations + restart.known).filter { $0 != id }
    }

    private func query(_ restart: RestartRound) -> RestartQuery {
        var claim = restart.claim
        if settings.faults.contains(.claimMoves) {
            claim = RestartClaim(view: view, vote: hardState.vote, last: index.last)
        }
        return RestartQuery(start: restart.start, nonce: restart.nonce, claim: claim, last: index.last)
    }

    /// Says what this node knows of a restarted peer. A node that is itself restarting answers from its seal.
    mutating func onRestartQuery(_ query: RestartQuery, view peerView: UInt64, from peer: PeerID) {
        let objection = objection(to: query.claim, of: peer)
        if peerView > view { enter(view: peerView) }
        if leader == peer {
            // It can't lead any more: no need to wait until its silence is noticed.
            leader = nil
        }
        if role == .leader, let place = progress.firstIndex(where: { $0.id == peer }), objection == nil {
            progress[place].probe(from: min(query.last.seqno, lastSeqno) + 1)
        }
        let answer = RestartAnswer(
            start: query.start, nonce: query.nonce, objection: objection, isRestarting: isRestarting,
            isLeader: role == .leader, hearsLeader: hearsLeader, hasVoted: hasGivenVote,
            lastSignature: durableSignature, committed: index.position(at: commit) ?? .zero,
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

    mutating func onRestartAnswer(_ answer: RestartAnswer, view peerView: UInt64, from peer: PeerID) {
        guard case .restarting(var restart) = phase, answer.start == restart.start else { return }
        let isCurrent = answer.nonce == restart.nonce
        if let reason = answer.objection, isCurrent || !settings.faults.contains(.objectionsGoStale) {
            return refuseAsRolledBack(reason)
        }
        guard isCurrent else { return }
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
        // Enough not to do harm; but whoever else is there may remember more, and gets the time to say so.
        let isHeardOut = asked(restart).allSatisfy { peer in restart.answers.contains { $0.peer == peer } }
        guard isHeardOut || now >= restart.startedAt + settings.electionTimeoutMin else { return }
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
        hardState.claim = nil
        if hardState.vote == .free { hardState.vote = .spent }
        persistHardState()
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
