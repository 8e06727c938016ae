/// What any node remembers of a peer, for the day that the peer restarts (see Raft+Restart).
struct PeerMemory: Sendable {
    let id: PeerID
    /// Highest view in which it took part.
    var view: UInt64 = 0
    /// Highest view in which it gave us its vote.
    var votedForUs: UInt64 = 0
    /// The last that it acknowledged to some leader, an entry of that leader's log, and in which view.
    var acknowledged = LogPosition.zero
    var acknowledgedIn: UInt64 = 0
    /// The last of these that was committed in that view or before: every later leader holds it, so it was never cut. (What
    /// commits only later proves nothing: the peer may have cut it before, following a leader in between.)
    var kept = LogPosition.zero
}

extension Raft {
    /// Remembers that a peer takes part in `view`: that view is in its seal. A node that is restarting promises nothing,
    /// so what it says is not remembered.
    mutating func remember(_ peer: PeerID, view: UInt64) {
        if let place = memories.firstIndex(where: { $0.id == peer }) {
            memories[place].view = max(memories[place].view, view)
        } else if memories.count < 2 * Configuration.nodesMax {
            var memory = PeerMemory(id: peer)
            memory.view = view
            memories.append(memory)
        }
    }

    /// Remembers a vote that was given to this node.
    mutating func rememberVote(of peer: PeerID, view: UInt64) {
        guard let place = memories.firstIndex(where: { $0.id == peer }) else { return }
        memories[place].votedForUs = max(memories[place].votedForUs, view)
    }

    /// Remembers what a node acknowledged to the leader of `view`, be that this node or the one that tells it; `commit` is
    /// that leader's commit point.
    mutating func remember(_ acknowledgement: Acknowledgement, in view: UInt64, commit: UInt64) {
        guard acknowledgement.peer != id else { return }
        remember(acknowledgement.peer, view: view)
        guard let place = memories.firstIndex(where: { $0.id == acknowledgement.peer }) else { return }
        let position = acknowledgement.position
        let known = memories[place]
        if view > known.acknowledgedIn || (view == known.acknowledgedIn && position.seqno > known.acknowledged.seqno) {
            memories[place].acknowledged = position
            memories[place].acknowledgedIn = view
        }
        let last = position.seqno <= commit ? position : index.holds(position) ? index.position(at: commit) : nil
        if let last, last.seqno > known.kept.seqno { memories[place].kept = last }
    }

    /// The leader's commit point has moved on since acknowledgements came.
    mutating func rememberCommitted() {
        for memory in memories where memory.acknowledgedIn == view {
            remember(Acknowledgement(peer: memory.id, position: memory.acknowledged), in: view, commit: commit)
        }
    }

    /// What a leader tells everyone with a heartbeat. In a large network each heartbeat names the next few nodes.
    var acknowledgements: [Acknowledgement] {
        guard !settings.faults.contains(.keepsAcknowledgements) else { return [] }
        var all: [Acknowledgement] = []
        if durable > 0, let position = index.position(at: durable) {
            all.append(Acknowledgement(peer: id, position: position))
        }
        let known = memories.filter { $0.acknowledgedIn == view }
        let room = RaftMessage.acknowledgementsMax - 1
        let start = known.count > room ? Int(round % UInt64(known.count)) * room % known.count : 0
        for offset in 0..<min(room, known.count) {
            let memory = known[(start + offset) % known.count]
            all.append(Acknowledgement(peer: memory.id, position: memory.acknowledged))
        }
        return all
    }

    /// What speaks against a restarted peer that claims to have been found like this.
    ///
    /// None of it is true of an honest node. A view is sealed before anything is said in it. Within a view a log is
    /// never cut behind what was acknowledged, and a later view is in the seal before its leader's cuts are on disk
    /// (``RaftEffect``). What was committed when it was acknowledged is never cut.
    package func objection(to claim: RestartClaim, of peer: PeerID) -> RollbackReason? {
        guard let memory = memories.first(where: { $0.id == peer }) else { return nil }
        if claim.view < memory.view { return .viewBehindPeer }
        if claim.view == memory.votedForUs, claim.vote != .given(id) { return .voteForgotten }
        let mayBeCut = claim.view > memory.acknowledgedIn && !settings.faults.contains(.remembersWhatWasCut)
        if !mayBeCut, !claim.last.reaches(memory.acknowledged) { return .logBehindPeer }
        guard !settings.faults.contains(.forgetsWhatIsCommitted) else { return nil }
        if settings.faults.contains(.countsLaterCommits), index.holds(memory.acknowledged),
            let position = index.position(at: min(memory.acknowledged.seqno, commit)), !claim.last.reaches(position)
        {
            return .logBehindPeer
        }
        return claim.last.reaches(memory.kept) ? nil : .logBehindPeer
    }
}
