import Consensus

// Who has seen what others promised: the truth about rollbacks that the restart rule is held against. It is taken from
// the messages that arrived and from the disks, not from what the cores remember.

/// What one node has seen another one promise, in its present life.
struct Witness: Sendable {
    var view: UInt64 = 0
    var votedForUsIn: UInt64 = 0
    var acknowledged = LogPosition.zero
    var acknowledgedIn: UInt64 = 0
    /// Acknowledged to a leader that had committed it.
    var kept = LogPosition.zero

    mutating func saw(_ position: LogPosition, in view: UInt64, commit: UInt64) {
        self.view = max(self.view, view)
        if position.seqno <= commit, position.seqno > kept.seqno { kept = position }
        guard view > acknowledgedIn || (view == acknowledgedIn && position.seqno > acknowledged.seqno) else { return }
        acknowledged = position
        acknowledgedIn = view
    }
}

/// What a leader knows of the acknowledgements in its view when it sends a heartbeat.
struct Testimony: Sendable {
    let node: Int
    let position: LogPosition
}

extension ClusterSimulation {
    /// What a heartbeat that is sent now must bring its receiver to know.
    func testimony(of leader: Int, _ message: RaftMessage) -> [Testimony] {
        guard case .append(let append) = message.body, append.round > 0, let raft = nodes[leader].raft
        else { return [] }
        var all: [Testimony] = []
        if let own = raft.index.position(at: raft.durable), own.seqno > 0 {
            all.append(Testimony(node: leader, position: own))
        }
        for node in nodes.indices {
            guard let witness = nodes[leader].witnesses[node], witness.acknowledgedIn == message.view else { continue }
            all.append(Testimony(node: node, position: witness.acknowledged))
        }
        return all
    }

    /// A message is about to reach its receiver, which sees what it promises.
    func witness(_ message: RaftMessage, at to: Int, from: Int, _ testimony: [Testimony]) {
        guard let raft = nodes[to].raft, !raft.isRefusing else { return }
        var seen = nodes[to].witnesses[from] ?? Witness()
        switch message.body {
        case .append, .voteRequest, .timeoutNow: seen.view = max(seen.view, message.view)
        case .voteResponse(let response):
            seen.view = max(seen.view, message.view)
            if response.granted, !response.isPreVote, response.campaign == message.view {
                seen.votedForUsIn = max(seen.votedForUsIn, message.view)
            }
        case .appendResponse(let response):
            guard response.counts else { return }
            seen.view = max(seen.view, message.view)
            let isCounted = raft.isLeader && raft.view == message.view && response.accepted
            if isCounted, raft.acknowledged.contains(where: { $0.peer == nodes[from].id }),
                let position = raft.index.position(at: response.seqno), position.seqno > 0
            {
                seen.saw(position, in: message.view, commit: raft.commit)
            }
        case .restartAnswer(let answer): if !answer.isRestarting { seen.view = max(seen.view, message.view) }
        case .restartQuery: return
        }
        nodes[to].witnesses[from] = seen
        guard case .append(let append) = message.body else { return }
        for fact in testimony where fact.node != to {
            nodes[to].witnesses[fact.node, default: Witness()].saw(
                fact.position, in: message.view, commit: append.commit)
        }
    }

    /// What `witness` has seen `node` promise and `node`, as its process was started, does not show.
    private func contradiction(_ witness: Int, _ node: Int) -> String? {
        guard let seen = nodes[witness].witnesses[node], let claim = nodes[node].claim, let raft = nodes[witness].raft
        else { return nil }
        if claim.view < seen.view { return "was in view \(seen.view)" }
        if claim.view == seen.votedForUsIn, claim.vote != .given(raft.id) {
            return "voted in view \(seen.votedForUsIn)"
        }
        func shows(_ position: LogPosition) -> Bool {
            claim.last.seqno >= position.seqno && claim.last.view >= position.view
        }
        if claim.view == seen.acknowledgedIn, !shows(seen.acknowledged) {
            return "acknowledged \(seen.acknowledged) in that view"
        }
        return shows(seen.kept) ? nil : "acknowledged \(seen.kept), which was committed"
    }

    /// A restart query arrives: whoever has seen more must object, and honest nodes show all that was seen.
    func checkQuery(_ query: RestartQuery, at to: Int, from: Int, life: Int) {
        guard nodes[from].life == life, nodes[from].raft?.isRestarting ?? false, let raft = nodes[to].raft,
            !raft.isRefusing
        else { return }
        if query.claim != nodes[from].claim {
            let truth = nodes[from].claim.map { "\($0.view), \($0.last)" } ?? "nothing"
            oracle.violated(
                "Restart", "\(nodes[from].id) claims \(query.claim.view), \(query.claim.last), was found with \(truth)")
        }
        nodes[from].start = query.start
        guard let contradiction = contradiction(to, from) else { return }
        if !nodes[from].wasRolledBack {
            oracle.violated("Restart", "honest \(nodes[from].id) does not show that it \(contradiction)")
        }
        if raft.objection(to: query.claim, of: nodes[from].id) == nil {
            oracle.violated(
                "Restart", "\(nodes[to].id) has seen that \(nodes[from].id) \(contradiction), and is silent")
        }
    }

    /// An answer has arrived: an objection to anything that this process asked ends it.
    func checkAnswer(_ answer: RestartAnswer, at node: Int, wasRestarting: Bool) {
        guard wasRestarting, answer.objection != nil, answer.start == nodes[node].start else { return }
        if !(nodes[node].raft?.isRefusing ?? true) {
            oracle.violated("Restart", "\(nodes[node].id) ignores an objection")
        }
    }

    // MARK: What a node is judged by

    /// Called when a node starts again: the truth of what it was found with, which an unconfirmed restart does not change.
    func found(_ node: Int) {
        nodes[node].confirmedBy = nil
        guard nodes[node].claim == nil else { return }
        nodes[node].claim = nodes[node].disk.claim
        nodes[node].claimedBy = nodes[node].disk.sealsAsked + 1
    }

    /// Called after a crash. A claim that was not sealed yet is made anew from the disk.
    func crashed(_ node: Int) {
        sealed(node)
        if nodes[node].disk.sealsSynced < nodes[node].claimedBy { nodes[node].claim = nil }
    }

    /// Called when a restart is confirmed, the seal that says so being asked for.
    func confirmed(_ node: Int) { nodes[node].confirmedBy = nodes[node].disk.sealsAsked }

    /// Called when something was sealed: a node whose confirmation is sealed is bound by what it does from now on.
    func sealed(_ node: Int) {
        guard let seal = nodes[node].confirmedBy, seal <= nodes[node].disk.sealsSynced else { return }
        nodes[node].claim = nil
    }
}
