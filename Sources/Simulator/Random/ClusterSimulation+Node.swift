import Consensus

// One node and what its core asks for.
extension ClusterSimulation {
    func handle(_ event: Event) {
        switch event {
        case .deliver(let to, let from, let life, let message, let testimony):
            deliver(message, to: to, from: from, life: life, testimony)
        case .tick(let node):
            guard nodes[node].nextTick <= now else { return }
            nodes[node].nextTick = .max
            step(node, .tick)
        case .logSynced(let node, let life):
            guard nodes[node].life == life, nodes[node].raft != nil else { return }
            nodes[node].isSyncingLog = false
            if let ticket = nodes[node].disk.endLogSync() {
                note("\(nodes[node].id) has its log on disk", 3, UInt64(node), ticket)
                step(node, .logPersisted(ticket: ticket))
            }
            if nodes[node].disk.hasPendingLog { beginSync(node) }
        case .sealSynced(let node, let life):
            guard nodes[node].life == life, nodes[node].raft != nil else { return }
            nodes[node].isSyncingSeal = false
            if let ticket = nodes[node].disk.syncSeal() {
                note("\(nodes[node].id) has sealed", 4, UInt64(node), ticket)
                sealed(node)
                step(node, .hardStatePersisted(ticket: ticket))
            }
        case .loaded(let node, let life, let peer, let from, let count):
            guard nodes[node].life == life else { return }
            let entries = nodes[node].disk.load(from: from, count: count)
            note("\(nodes[node].id) loaded \(entries.count) entries from \(from)", 5, UInt64(node), from)
            step(node, .entriesLoaded(peer: peer, from: from, entries: entries))
        case .snapshotArrives(let to, let from): installSnapshot(at: to, from: from)
        case .becameLeader(let node, let life):
            guard nodes[node].life == life else { return }
            propose(node, [.data, .signature])
        case .settle(let node, let life, let seqno):
            guard nodes[node].life == life, let raft = nodes[node].raft,
                raft.committedConfiguration?.seqno == seqno, let newest = raft.configurations.last?.configuration
            else { return }
            propose(node, [.configuration(newest.settled(at: seqno)), .signature])
        case .restart(let node):
            guard nodes[node].raft == nil, !nodes[node].isRetired else { return }
            restart(node)
        default: handleFault(event)
        }
    }

    private func deliver(_ message: RaftMessage, to: Int, from: Int, life: Int, _ testimony: [Testimony]) {
        guard nodes[to].raft != nil else { return }
        let sender = nodes[from].id
        let wasRestarting = nodes[to].raft?.isRestarting ?? false
        note("\(nodes[to].id) gets \(Self.describe(message)) of \(sender)", 2, UInt64(to), UInt64(from))
        witness(message, at: to, from: from, testimony)
        step(to, .received(message, from: sender))
        switch message.body {
        case .restartQuery(let query): checkQuery(query, at: to, from: from, life: life)
        case .restartAnswer(let answer): checkAnswer(answer, at: to, wasRestarting: wasRestarting)
        case .appendResponse:
            guard let raft = nodes[to].raft, raft.isLeader else { return }
            oracle.acknowledged(raft, peer: sender, by: nodes[from].raft, disk: nodes[from].disk)
        default: break
        }
    }

    /// Gives a node an input, does what it asks for, checks what it did.
    func step(_ node: Int, _ input: RaftInput) {
        guard nodes[node].raft != nil else { return }
        steps += 1
        var effects: [RaftEffect] = []
        swap(&effects, &self.effects)
        effects.removeAll(keepingCapacity: true)
        nodes[node].raft?.step(input, now: now, into: &effects)
        for effect in effects {
            perform(effect, node)
            if oracle.violation != nil { break }
        }
        swap(&effects, &self.effects)
        recorder?.stepped(nodes[node].id, input, nodes[node].raft, nodes[node].disk)
        guard let raft = nodes[node].raft else { return }
        if raft.view < nodes[node].view {
            oracle.violated("MonoTerm", "\(raft.id) goes from view \(nodes[node].view) to \(raft.view)")
        }
        nodes[node].view = raft.view
        let deadline = max(raft.deadline, now + 1)
        if deadline < nodes[node].nextTick {
            nodes[node].nextTick = deadline
            events.add(.tick(node), at: deadline)
        }
    }

    private func perform(_ effect: RaftEffect, _ node: Int) {
        let id = nodes[node].id
        switch effect {
        case .send(let message, let peer): transmit(message, from: node, to: peer)
        case .persistHardState(let state, let ticket):
            nodes[node].disk.queue(state, ticket: ticket)
            guard !nodes[node].isSyncingSeal else { return }
            nodes[node].isSyncingSeal = true
            events.add(.sealSynced(node, life: nodes[node].life), at: syncTime())
        case .append(let entries, let ticket):
            for entry in entries {
                oracle.appended(entry, after: nodes[node].tail, by: id)
                nodes[node].tail = entry.position
            }
            write(node, .append(entries), ticket)
        case .truncate(let seqno, let ticket):
            note("\(id) truncates to \(seqno)", 6, UInt64(node), seqno)
            if seqno < nodes[node].committed {
                oracle.violated(
                    "CommittedLogAppendOnly", "\(id) truncates to \(seqno), committed \(nodes[node].committed)")
            }
            nodes[node].tail = nodes[node].raft?.index.position(at: seqno) ?? .zero
            write(node, .truncate(to: seqno), ticket)
        case .resetLog(let position, let ticket):
            guard let raft = nodes[node].raft else { return }
            let configurations = raft.index.configurations.filter { $0.seqno <= position.seqno }
            nodes[node].tail = position
            write(node, .reset(to: position, configurations), ticket)
        case .commit(let seqno): committed(node, seqno)
        case .becameLeader(let view):
            elections += 1
            note("\(id) leads view \(view)", 7, UInt64(node), view)
            if let raft = nodes[node].raft { oracle.becameLeader(raft) }
            events.add(.becameLeader(node, life: nodes[node].life), at: now)
        case .following(let view, let leader): note("\(id) follows \(leader ?? "nobody") in view \(view)", 8, view)
        case .loadEntries(let peer, let from, _, let count):
            events.add(
                .loaded(node, life: nodes[node].life, peer: peer, from: from, count: min(count, 50)),
                at: syncTime())
        case .needSnapshot(let peer):
            note("\(id) needs a snapshot for \(peer)", 9, UInt64(node))
            if let to = place(of: peer) {
                events.add(.snapshotArrives(at: to, from: node), at: now + 5_000 + random.below(200_000))
            }
        case .caughtUp, .configurationsChanged: break
        case .configurationCommitted(let seqno, let removed):
            if !removed.isEmpty {
                events.add(.settle(node, life: nodes[node].life, seqno: seqno), at: now)
            }
        case .retired: retire(node)
        case .readReady(let read, let seqno):
            reads += 1
            if let floor = readFloors.removeValue(forKey: read) { oracle.read(seqno, floor: floor, by: id) }
        case .readFailed(let read): readFloors[read] = nil
        case .proposalRejected(let reason): note("\(id) rejects a proposal: \(reason)", 10, UInt64(node))
        case .restartConfirmed:
            confirmed(node)
            note("\(id) is confirmed", 11, UInt64(node))
        case .awaitingMembers: note("\(id) waits for members", 12, UInt64(node))
        case .rolledBack(let reason):
            note("\(id) refuses: \(reason)", 13, UInt64(node))
            rollbacksRecognised += 1
            if !nodes[node].wasRolledBack { oracle.violated("Restart", "\(id) is called rolled back: \(reason)") }
        case .halted(let reason):
            note("\(id) halts: \(reason)", 23, UInt64(node))
            // A log that was put back may be another one than the network's; then it is right to stop.
            if !nodes[node].wasRolledBack { oracle.violated("Halt", "\(id): \(reason)") }
        }
    }

    private func write(_ node: Int, _ operation: SimulatedDisk.Operation, _ ticket: UInt64) {
        nodes[node].disk.queue(operation, ticket: ticket)
        beginSync(node)
    }

    private func beginSync(_ node: Int) {
        guard !nodes[node].isSyncingLog else { return }
        nodes[node].isSyncingLog = true
        nodes[node].disk.beginLogSync()
        events.add(.logSynced(node, life: nodes[node].life), at: syncTime())
    }

    private func syncTime() -> UInt64 {
        let stall: UInt64 = random.below(1000) < profile.stallPermille && !isHealed ? 700_000 : 0
        return now + stall + profile.syncMin + random.below((isHealed ? 0 : profile.syncSpread) + 1)
    }

    private func transmit(_ message: RaftMessage, from: Int, to peer: PeerID) {
        guard let to = place(of: peer) else { return }
        guard blocked[from][to] == 0 else { return }
        var copies = 1
        if !isHealed {
            if random.below(1000) < profile.lossPermille { return }
            if random.below(1000) < profile.duplicationPermille { copies = 2 }
        }
        let testimony = testimony(of: from, message)
        for _ in 0..<copies {
            var delay = profile.delayMin + random.below((isHealed ? 0 : profile.delaySpread) + 1)
            if !isHealed, random.below(1000) < profile.stragglerPermille { delay += random.below(3_000_000) }
            events.add(
                .deliver(to: to, from: from, life: nodes[from].life, message, testimony), at: now + delay)
        }
    }

    private func committed(_ node: Int, _ seqno: UInt64) {
        guard let raft = nodes[node].raft else { return }
        let from = nodes[node].committed
        note("\(raft.id) commits \(seqno)", 14, UInt64(node), seqno)
        nodes[node].committed = seqno
        let nodes = self.nodes
        oracle.committed(raft, from: from, to: seqno) { id, position in
            nodes.first { $0.id == id }?.disk.holds(position) ?? false
        }
    }

    private func installSnapshot(at to: Int, from: Int) {
        guard let source = nodes[from].raft, blocked[from][to] == 0, nodes[to].raft != nil else { return }
        guard let position = source.index.position(at: source.commit), source.commit > 0 else { return }
        let configurations = source.index.configurations.filter { $0.seqno <= source.commit }
        note("\(nodes[to].id) installs a snapshot up to \(position)", 15, UInt64(to), position.seqno)
        step(to, .snapshotInstalled(LogIndex(snapshot: position, configurations: configurations)))
    }

    // MARK: What managers do

    /// Proposes entries of these kinds if the node leads.
    func propose(_ node: Int, _ kinds: [LogEntry.Kind]) {
        guard let raft = nodes[node].raft, raft.isLeader else { return }
        var kinds = kinds
        if raft.lastSeqno == 0, let founding = raft.configurations.first {
            kinds = [.configuration(founding.configuration), .signature]
        }
        var entries: [LogEntry] = []
        for kind in kinds {
            counter += 1
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: counter >> (8 * UInt64($0))) }
            entries.append(
                LogEntry(view: raft.view, seqno: raft.lastSeqno + 1 + UInt64(entries.count), kind: kind, bytes: bytes))
        }
        step(node, .propose(entries))
    }

    static func describe(_ message: RaftMessage) -> String {
        switch message.body {
        case .append(let append):
            "append \(append.previous)+\(append.entries.count) commit \(append.commit) in view \(message.view)"
        case .appendResponse(let response):
            response.accepted
                ? "ack \(response.seqno) in view \(message.view)"
                : "nack \(response.seqno) (try \(response.agreement)) in view \(message.view)"
        case .voteRequest(let request):
            "\(request.isPreVote ? "pre-vote" : "vote") request with \(request.lastSignature) in view \(message.view)"
        case .voteResponse(let response):
            "\(response.granted ? "yes" : "no") to \(response.isPreVote ? "pre-" : "")vote \(response.campaign)"
        case .timeoutNow: "timeout-now in view \(message.view)"
        case .restartQuery(let query): "restart query with \(query.last) in view \(message.view)"
        case .restartAnswer(let answer):
            "restart answer in view \(message.view)\(answer.objection.map { ", objecting: \($0)" } ?? "")"
        }
    }
}
