import AdapterKit
import Consensus
import Constitution
import Ledger

// A leader whose worker is gone or whose disk takes no writes keeps the whole network waiting, while another node could
// lead at once. Nodes tell each other whether they could, and a leader that can't hands over to one that can.
extension Manager {
    /// Why this node had better not lead; nil if it may.
    private var unfitness: String? {
        if !fitness.storage.isGood { return "its disk takes no writes" }
        guard !constitution.adapters.isEmpty, let since = fitness.workerMissingSince else { return nil }
        // One that is only behind, or starts with its node, is waited for as long as an election could take.
        let patience = fitness.workerDied && worker.state != .filling ? 0 : electionTimeoutMicroseconds
        return clock.monotonic >= since + patience ? "its worker is being rebuilt" : nil
    }

    private var electionTimeoutMicroseconds: UInt64 { UInt64(constitution.electionTimeoutMilliseconds) * 1_000 }

    /// Notes whether the worker serves, tells peers when this node's fitness changed, and hands over if need be.
    mutating func watchFitness() {
        if worker.isReady {
            fitness.workerMissingSince = nil
            fitness.workerDied = false
        } else if fitness.workerMissingSince == nil {
            fitness.workerMissingSince = clock.monotonic
        }
        let isFit = canLead
        if isFit != fitness.told {
            fitness.told = isFit
            for peer in channels.keys.sorted() { send(.fitness(isFit), to: peer) }
        }
        handOverIfUnfit()
    }

    private var canLead: Bool {
        phase == .active && fitness.storage.isGood && (worker.isReady || constitution.adapters.isEmpty)
    }

    /// Tells a peer whose channel is new.
    mutating func tellFitness(to peer: PeerID) { send(.fitness(fitness.told), to: peer) }

    /// A peer says whether it could lead.
    mutating func receiveFitness(_ isFit: Bool, from peer: PeerID) {
        if isFit { fitness.peers.insert(peer) } else { fitness.peers.remove(peer) }
    }

    /// Hands leadership to the fit peer that has most of the log, if this node is not fit and one is. A batch that executes
    /// comes first: its entry could not be proposed any more.
    private mutating func handOverIfUnfit() {
        guard isPrimary, executing == nil, let raft, !raft.isTransferring, let reason = unfitness,
            let voters = configuration?.voters
        else { return }
        let fit = raft.acknowledged.filter { peer, _ in
            voters.contains(peer) && channels[peer] != nil && fitness.peers.contains(peer)
        }
        // Without its seal this node can't vote for the next leader.
        if !fitness.storage.isGood, fit.count < configuration?.quorums.election ?? .max { return }
        var best: (peer: PeerID, seqno: UInt64)?
        for each in fit where each.seqno + raft.settings.catchUpLag >= lastSeqno && each.seqno > best?.seqno ?? 0 {
            best = each
        }
        guard let best else { return }
        if unsigned.count > 0 { sign() }
        guard isPrimary else { return }
        fitness.handOvers += 1
        log(.warning, "this node hands its leadership over", [("to", best.peer), ("reason", reason)])
        step(.transferLeadership(to: best.peer))
    }

    /// Whether consensus takes proposals of this node: not while leadership is handed over.
    var mayPropose: Bool { isPrimary && raft?.isTransferring == false }

    // MARK: The disk

    /// The disk stopped taking writes, or takes them again.
    mutating func storageChanged(to state: StorageState) {
        guard state != fitness.storage else { return }
        let before = fitness.storage
        fitness.storage = state
        fitness.heldByteCount = 0
        switch state {
        case .good:
            log(.info, "the disk takes writes again; the node goes on")
        case .full(let reason):
            log(
                .error, "the disk is full: the node takes no writes and goes on by itself when there is room",
                [("reason", reason), ("do", "make room on the file system of the data folder")])
        case .failed(let reason):
            log(
                .error, "the disk failed: the node takes no writes and starts anew when the disk works",
                [
                    ("reason", reason),
                    ("do", "look at the disk; what is read goes on meanwhile, what is committed is safe"),
                ]
            )
        }
        if before.isGood {
            fitness.storageSince = clock.monotonic
            fitness.storageFailures += 1
        }
        watchFitness()
    }

    /// Those who have waited for the disk long enough are told: what was not executed is refused, of the rest the outcome
    /// is unknown here.
    mutating func watchStorage() {
        guard !fitness.storage.isGood, clock.monotonic >= fitness.storageSince + Fitness.patienceMicroseconds else {
            return
        }
        if isPrimary { for item in queues.drain() { settle(item, .invalid(.noStorage)) } }
        for number in works.keys.sorted() {
            guard let work = works[number], case .client(let token, _) = work.origin, clients[token] != nil,
                work.deadline + Fitness.patienceMicroseconds <= clock.monotonic + settings.requestTimeoutMicroseconds
            else { continue }
            refuse(
                token, .timedOut,
                "this node's disk takes no writes; the outcome is unknown here, ask another node by transaction id")
        }
    }

    /// Whether a leader's entries may wait in memory for a disk that takes none.
    mutating func mayHold(_ entries: [LogEntry]) -> Bool {
        guard !fitness.storage.isGood, !entries.isEmpty else { return true }
        for entry in entries { fitness.heldByteCount += entry.bytes.count }
        return fitness.heldByteCount <= Fitness.heldByteCountMax
    }

    /// What a client that wants to write is told while the disk takes nothing.
    var storageRefusal: String {
        "this node's disk takes no writes (\(fitness.storage.word)); ask another node"
    }
}

extension Rejection {
    /// Nothing was done, since the node could not keep it.
    static let noStorage = Rejection(code: -32005, message: "the node's disk takes no writes; send it again later")
}
