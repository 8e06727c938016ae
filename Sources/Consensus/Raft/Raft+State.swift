// Views, the seal, the disk: what every part of the node leans on.
extension Raft {
    /// Queues the hard state for sealing; messages from now on wait for it.
    mutating func persistHardState() {
        hardTicket += 1
        let signature = index.signature(atMost: min(commit, durable)) ?? 0
        if signature >= hardState.commit, let position = index.position(at: signature) {
            hardState.committed = position
        }
        out.append(.persistHardState(hardState, ticket: hardTicket))
    }

    mutating func hardStatePersisted(_ ticket: UInt64) {
        hardTicketDurable = max(hardTicketDurable, min(ticket, hardTicket))
        while let next = held.first, next.ticket <= hardTicketDurable {
            out.append(.send(next.message, to: next.peer))
            held.removeFirst()
        }
        // The own vote counts like any other: once it can't be forgotten.
        if role == .candidate, hardTicketDurable == hardTicket { grant(from: id) }
    }

    /// Sends a message in the own view, after the seal that it depends on.
    mutating func send(_ body: RaftMessage.Body, to peer: PeerID) {
        let message = RaftMessage(view: view, body: body)
        if hardTicketDurable < hardTicket, !settings.faults.contains(.sendsBeforeSeal) {
            // A seal that never comes must not eat the memory; messages may get lost at any time.
            guard held.count < 4096 else { return }
            held.append((hardTicket, peer, message))
        } else {
            out.append(.send(message, to: peer))
        }
    }

    /// Enters a later view as a follower. While restarting, the vote there is spent: this node may have been in that
    /// view before and have forgotten.
    mutating func enter(view: UInt64) {
        hardState.view = view
        if case .restarting(var restart) = phase {
            // What was asked in an earlier view is about a state that is not ours any more.
            restart.nonce = random.next()
            phase = .restarting(restart)
            hardState.vote = .spent
        } else {
            hardState.vote = .free
        }
        persistHardState()
        verified = commit
        becomeFollower()
    }

    /// Follows in the present view.
    mutating func becomeFollower() {
        if role == .leader {
            failReads()
            progress.removeAll()
            transfer = nil
        }
        role = .follower
        leader = nil
        votes.removeAll()
        resetElectionTimer()
    }

    mutating func resetElectionTimer() {
        let spread = settings.electionTimeoutMax - min(settings.electionTimeoutMin, settings.electionTimeoutMax)
        electionDeadline = now + settings.electionTimeoutMin + random.below(spread + 1)
    }

    /// A leader of this view was heard not long ago; nobody is helped by an election.
    var hearsLeader: Bool {
        role == .leader || (leader != nil && now < heardLeaderAt + settings.electionTimeoutMin)
    }

    /// Adds entries that follow the log's last one.
    mutating func append(_ entries: [LogEntry]) {
        guard let last = entries.last else { return }
        var hasConfiguration = false
        for entry in entries {
            index.append(entry.position, kind: entry.kind)
            window.append(entry)
            if case .configuration = entry.kind { hasConfiguration = true }
        }
        logTicket += 1
        writes.append((logTicket, last.seqno))
        out.append(.append(entries, ticket: logTicket))
        if hasConfiguration { refreshConfigurations() }
    }

    /// Cuts everything after `seqno`, which is not committed.
    mutating func truncate(to seqno: UInt64) {
        let configurationsBefore = index.configurations.count
        index.truncate(to: seqno)
        window.truncate(to: seqno)
        durable = min(durable, seqno)
        settled = min(settled, seqno)
        // A write that is still under way must not vouch for other entries that take the place of those it was about.
        if !settings.faults.contains(.trustsOldSync) {
            for place in 0..<writes.count where writes[place].end > seqno { writes[place].end = seqno }
        }
        logTicket += 1
        writes.append((logTicket, seqno))
        out.append(.truncate(to: seqno, ticket: logTicket))
        if index.configurations.count != configurationsBefore { refreshConfigurations() }
    }

    mutating func logPersisted(_ ticket: UInt64) {
        let before = durable
        while let write = writes.first, write.ticket <= ticket {
            durable = max(durable, min(write.end, lastSeqno))
            writes.removeFirst()
        }
        guard durable > before else { return }
        window.evict(over: settings.windowBytesMax, durable: durable)
        if role == .leader {
            advanceCommit()
        } else if let leader, verified > before {
            acknowledge(to: leader, round: 0)
        }
    }

    /// Moves the commit point to the signature entry at `seqno`.
    mutating func setCommit(_ seqno: UInt64) {
        let before = commit
        commit = seqno
        verified = max(verified, seqno)
        out.append(.commit(upTo: seqno))
        let crossed = index.configurations.contains { $0.seqno > before && $0.seqno <= seqno }
        if crossed { configurationsCommitted() }
        if role == .leader, !hasReportedConfiguration || crossed { reportConfiguration() }
        index.forget(before: seqno)
        if crossed {
            refreshConfigurations()
            checkRetirement()
        }
    }

    /// A peer says that `position` is committed. That is a fact about any log that holds it.
    mutating func learnCommitted(_ position: LogPosition) {
        guard role != .leader, position.seqno > commit, index.holds(position),
            index.signature(atMost: position.seqno) == position.seqno
        else { return }
        setCommit(position.seqno)
    }

    /// A peer says that the configuration at `position` is committed.
    mutating func learnSettled(_ position: LogPosition) {
        guard role != .leader, position.seqno > max(commit, settled), index.holds(position),
            index.configurations.contains(where: { $0.seqno == position.seqno })
        else { return }
        settled = position.seqno
        refreshConfigurations()
    }
}
