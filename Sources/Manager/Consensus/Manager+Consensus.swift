import AdapterKit
import Consensus
import Constitution
import Ledger
import Primitives
import Store

extension Manager {
    /// Gives consensus an input and carries out what it wants, in order.
    mutating func step(_ input: RaftInput) {
        guard raft != nil else { return }
        let before = meter.enter(.replicate)
        defer { meter.enter(before) }
        let wanted = raft?.step(input, now: clock.monotonic) ?? []
        for effect in wanted { perform(effect) }
    }

    mutating func perform(_ effect: RaftEffect) {
        switch effect {
        case .send(let message, let peer):
            send(.consensus(message.encoded()), to: peer)
        case .persistHardState(let state, let ticket):
            sealed.hardState = state
            effects.append(.seal(sealed.encoded(), ticket: ticket))
        case .append(let entries, let ticket):
            append(entries, ticket: ticket)
        case .truncate(let seqno, let ticket):
            truncate(to: seqno)
            effects.append(.truncate(to: seqno, ticket: ticket))
        case .resetLog(let position, let ticket): resetLog(to: position, ticket: ticket)
        case .commit(let seqno):
            commit(upTo: seqno)
        case .becameLeader(let view):
            lead(view)
        case .following(let view, let leader):
            follow(leader, view: view)
        case .loadEntries(let peer, let from, let bytesMax, let entriesMax):
            let last = min(lastSeqno, from &+ UInt64(clamping: entriesMax) &- 1)
            effects.append(.read(first: from, last: last, bytesMax: bytesMax, for: .catchUp(peer: peer, first: from)))
        case .needSnapshot(let peer): offerSnapshot(to: peer)
        case .caughtUp(let peer):
            membershipChanges.append(.promote(peer))
            proposeMembershipChange()
        case .configurationsChanged(let configurations):
            let voters = configurations.last.map { $0.voters.count } ?? 0
            let learners = configurations.last.map { $0.learners.count } ?? 0
            log(.info, "the configuration changed", [("voters", String(voters)), ("learners", String(learners))])
        case .configurationCommitted(let seqno, let removed):
            membershipIsUnchecked = true
            if !removed.isEmpty { membershipChanges.append(.settle(seqno)) }
            proposeMembershipChange()
        case .retired:
            stop("this node was removed from the network")
        case .readReady, .readFailed:
            // Reads are served from committed state; nobody asks consensus about one.
            break
        case .proposalRejected(let why):
            log(.warning, "a proposal was not taken", [("reason", "\(why)")])
        case .restartConfirmed:
            log(.info, "the restart is confirmed by peers")
        case .awaitingMembers:
            log(.warning, "a majority restarted together; the constitution leaves going on to the members")
        case .halted(let reason):
            stop("consensus stopped: \(reason)")
        case .rolledBack(let reason):
            stop("the sealed state or the disk of this node is older than what it promised: \(reason)")
        }
    }

    /// Entries that consensus put at the end of the log.
    private mutating func append(_ entries: [LogEntry], ticket: UInt64) {
        for entry in entries {
            do {
                try take(entry)
            } catch {
                return stop("entry \(entry.view).\(entry.seqno) can't be verified: \(error)")
            }
        }
        effects.append(.append(entries, ticket: ticket))
    }

    /// Checks an entry and makes it part of the latest state: tree, administrative maps, ledger time.
    mutating func take(_ entry: LogEntry) throws {
        let before = meter.enter(.apply)
        defer { meter.enter(before) }
        let view = store.latest
        let opened = try ledger.take(entry, keys: sealed.epochKeys) { peer in
            view.get(Tables.endorsedCertificates, Array(peer.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        if let time = opened.time {
            guard time >= ledgerTime else { throw ManagerError.ledgerTime("goes backwards") }
            ledgerTime = time
        }
        try store.apply(opened.administrative, at: entry.seqno)
    }

    /// Entries after `seqno` never happened.
    private mutating func truncate(to seqno: UInt64) {
        let lost = (seqno + 1)..<(lastSeqno + 1)
        ledger.truncate(to: seqno)
        do {
            try store.rollback(to: seqno)
        } catch {
            return stop("committed entries would be taken back: \(error)")
        }
        let record = store.latest.get(ManagerMaps.entry, Tables.singleton)
        ledgerTime = record.flatMap { try? EntryRecord(decoding: $0) }?.time ?? 0
        if worker.seqno > seqno, let id = transactionID(at: seqno) {
            worker.seqno = seqno
            if worker.isReady, !settings.faults.contains(.leavesWorkerAhead) { send(.rollback(id), for: .state) }
        }
        // What was in those entries can never be committed any more, so it is safe to send it again.
        var items: [WorkItem] = []
        for gone in lost {
            if settings.faults.contains(.keepsCutOutcomes) { continue }
            items += (outcomesAtCommit.removeValue(forKey: gone) ?? []).map(\.item)
            pendingJoins[gone] = nil
        }
        sendAgain(items)
        governanceTruncated(to: seqno)
    }

    /// Everything up to `seqno` is committed: state moves forward, those who wait are answered.
    private mutating func commit(upTo seqno: UInt64) {
        guard seqno > appliedSeqno else { return }
        let before = meter.enter(.apply)
        defer { meter.enter(before) }
        let first = appliedSeqno + 1
        collectForSnapshots(first...seqno)
        appliedSeqno = seqno
        store.commit(to: seqno)
        ledger.commit(upTo: seqno)
        effects.append(.committed(seqno: seqno))
        var changesConstitution = false
        var admitted: [PeerID] = []
        for each in first...seqno {
            guard let opened = ledger.recent[each] else { continue }
            counters.entries += 1
            counters.transactions += UInt64(opened.transactionCount)
            if isPrimary {
                if opened.transactionCount > 0 { uncommittedBatches = max(0, uncommittedBatches - 1) }
                if opened.isSignature { unsigned.signaturesInFlight = max(0, unsigned.signaturesInFlight - 1) }
            }
            if opened.endpoint == nil, !opened.isSignature {
                changesConstitution = changesConstitution || opened.changesConstitution
                noteGovernance(opened)
                takeRenewedCertificates(opened)
            }
            noteSnapshotEvidence(opened)
            if let peer = pendingJoins.removeValue(forKey: each) { admitted.append(peer) }
        }
        sealCommitted(first...seqno)
        bringWorkerToCommit()
        ledger.forgetRecent(before: seqno)
        meter.enter(.transport)
        releaseOutcomes(upTo: seqno)
        releaseCommitWaits()
        releaseApplyWaits()
        releaseGovernance(upTo: seqno)
        releaseGovernanceWatches()
        // What was decided is told before the change takes effect, which may end sessions or this node.
        if changesConstitution { reloadConstitution() }
        if case .stopped = phase { return }
        for peer in admitted { welcome(peer) }
        if phase == .joining { joinIfAdmitted() }
        resumeIfCaughtUp()
        if isPrimary { proposeMembershipChange() }
    }

    /// Brings the seal up to date with what is committed. Consensus seals at changes of view only; a node that restarts goes
    /// by the seal: in which configurations it counts, and whether its ledger is whole.
    private mutating func sealCommitted(_ entries: ClosedRange<UInt64>) {
        guard let raft, !raft.isRestarting, !raft.isRefusing, raft.durable >= entries.upperBound,
            let position = raft.index.position(at: entries.upperBound), position.seqno > sealed.hardState.commit
        else { return }
        let isDue = position.seqno >= sealed.hardState.commit + Self.sealedLagMax
        guard isDue || raft.committedConfiguration.map({ entries.contains($0.seqno) }) == true else { return }
        sealed.hardState.committed = position
        // Nothing waits for it: ticket 0 is older than all of consensus.
        effects.append(.seal(sealed.encoded(), ticket: 0))
    }

    /// Entries that may be committed here without the seal's knowing.
    static let sealedLagMax: UInt64 = 256

    /// Hands newly committed entries to the worker, from memory if they are there, else by way of the ledger.
    private mutating func bringWorkerToCommit() {
        guard worker.isReady else { return fillWorker() }
        while worker.seqno < appliedSeqno {
            guard let opened = ledger.recent[worker.seqno + 1] else {
                worker.state = .filling
                return fillWorker()
            }
            applyToWorker(opened)
        }
        tellWorkerCommitted(upTo: appliedSeqno)
    }

    /// The id of the entry at a seqno of this node's log.
    func transactionID(at seqno: UInt64) -> TransactionID? {
        ledger.id(at: seqno)
    }

    /// Seqno of the last entry of the log.
    var lastSeqno: UInt64 { ledger.lastSeqno }

    /// Id of the last entry that is committed and applied here.
    var commitID: TransactionID { transactionID(at: appliedSeqno) ?? TransactionID(view: 0, seqno: 0) }

    /// What a peer says.
    mutating func receive(_ bytes: [UInt8], from peer: PeerID) {
        guard channels[peer] != nil else { return }
        let message: NodeMessage
        do {
            message = try NodeMessage(decoding: bytes)
        } catch {
            log(.warning, "a peer sent a malformed message", [("peer", peer), ("error", "\(error)")])
            effects.append(.disconnect(peer, reason: "malformed message"))
            return
        }
        if channels[peer]?.isClaimed == true {
            // A peer that was held against no constitution says which one is in force, and nothing else.
            if case .constitution(let bytes) = message { receiveConstitution(bytes, from: peer) }
            return
        }
        switch message {
        case .consensus(let bytes): receiveConsensus(bytes, from: peer)
        case .forward(let number, let endpoint, let submissions):
            guard mayTalk(peer), isPrimary else { return send(.declined(number: number, .notPrimary), to: peer) }
            guard works.count < settings.requestsWaitingMax else {
                return send(.declined(number: number, .busy), to: peer)
            }
            guard fitness.storage.isGood else {
                // Another node leads soon; if none can, the client hears that nothing was done.
                let isLate = clock.monotonic >= fitness.storageSince + Fitness.patienceMicroseconds
                return send(.declined(number: number, isLate ? .busy : .notPrimary), to: peer)
            }
            begin(.peer(peer, number: number), endpoint: endpoint, submissions)
        case .decided(let number, let outcomes): decided(number, outcomes, by: peer)
        case .declined(let number, let why):
            if governance.works[number] != nil {
                governanceDeclined(number, why, by: peer)
            } else {
                declined(number, why, by: peer)
            }
        case .govern(let number, let call):
            guard mayTalk(peer) else { return send(.declined(number: number, .notPrimary), to: peer) }
            receiveGovernance(call, number: number, from: peer)
        case .governed(let number, let answer): governed(number, answer, by: peer)
        case .constitutionWanted(let known): answerConstitutionWanted(known, from: peer)
        case .constitution(let bytes): receiveConstitution(bytes, from: peer)
        case .join(let request): receiveJoin(request, from: peer)
        case .welcome(let grant): receiveWelcome(grant, from: peer)
        case .refused(let reason, let address): receiveRefusal(reason, address, from: peer)
        case .snapshotOffer(let offer): receiveOffer(offer, from: peer)
        case .snapshotPull(let name, let offset, let byteCount):
            servePart(of: name, offset: offset, byteCount: byteCount, to: peer)
        case .snapshotPart(let name, let offset, let bytes): receivePart(of: name, offset: offset, bytes, from: peer)
        case .snapshotGone(let name): snapshotGone(name, from: peer)
        case .snapshotRefused(let name): snapshotRefused(name, by: peer)
        case .fitness(let isFit): receiveFitness(isFit, from: peer)
        case .entriesPull(let first, let last): giveEntries(first: first, last: last, to: peer)
        case .entriesPart(let first, let entries, let isEnd): receiveEntries(first, entries, isEnd, from: peer)
        }
    }

    private mutating func receiveConsensus(_ bytes: [UInt8], from peer: PeerID) {
        // A node that restarts can't tell yet who was removed while it was away: only who is listed and counted has a say.
        // One that is active lets go of removed peers by itself, after it has finished with them.
        guard
            phase != .recovering || mayTalk(peer)
                || raft?.configurations.contains(where: { $0.configuration.contains(peer) }) == true
        else { return }
        let before = meter.enter(.replicate)
        defer { meter.enter(before) }
        let message: RaftMessage
        do {
            message = try RaftMessage(decoding: bytes)
        } catch {
            log(.warning, "a peer sent a malformed consensus message", [("peer", peer), ("error", "\(error)")])
            effects.append(.disconnect(peer, reason: "malformed consensus message"))
            return
        }
        // Ledger time never goes backwards, so the last entry that says one speaks for all.
        if case .append(let append) = message.body, let last = append.entries.last(where: { $0.kind != .signature }) {
            guard isPlausible(last) else {
                return log(.warning, "a leader's ledger time is beyond the bound; entries refused", [("peer", peer)])
            }
        }
        if case .append(let append) = message.body, !mayHold(append.entries) { return }
        step(.received(message, from: peer))
    }

    /// Whether an entry's ledger time is not beyond this node's own clock by more than the constitution allows.
    private mutating func isPlausible(_ entry: LogEntry) -> Bool {
        let before = meter.enter(.apply)
        defer { meter.enter(before) }
        guard entry.seqno > lastSeqno, !settings.faults.contains(.believesAnyTime),
            let time = ledger.time(of: entry, keys: sealed.epochKeys)
        else { return true }
        return time <= clock.wall + constitution.clockBoundMilliseconds
    }

    /// Entries that were read back.
    mutating func receive(_ stored: [StoredEntry], for purpose: ReadPurpose) {
        switch purpose {
        case .recovery:
            recover(stored)
        case .worker(let first):
            fillWorker(with: stored, from: first)
        case .catchUp(let peer, let first):
            var entries: [LogEntry] = []
            for each in stored {
                guard let entry = try? ledger.logEntry(each.bytes) else { break }
                entries.append(entry)
            }
            step(.entriesLoaded(peer: peer, from: first, entries: entries))
        case .snapshotEvidence(let name): checkEvidence(of: name, stored)
        case .snapshotReceipt(let name): addSnapshotReceipt(name, stored)
        case .receipt(let token): answerReceipt(token, stored)
        case .history(let token): answerHistory(token, stored)
        case .entries(let token): answerEntries(token, stored)
        case .repair(let peer, let first):
            repair.serving.remove(peer)
            send(.entriesPart(first: first, stored.map(\.bytes), isEnd: false), to: peer)
        }
    }
}
