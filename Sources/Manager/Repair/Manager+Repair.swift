import Consensus
import Constitution
import Identity
import Ledger
import Primitives

// Entries that this node's disk has lost come from other nodes: a committed chunk as a whole, verified by the signatures in
// it before it takes its place; the end of the ledger entry by entry, before consensus starts, each verified as any that
// comes from a leader. What this node acknowledged and no peer knows as committed does not come back; the restart rule
// then refuses this node, as it must.
extension Manager {
    // MARK: Finding out

    /// Entries can't be read.
    mutating func receive(_ damage: LedgerDamage) {
        guard damage.isReplaceable else {
            log(
                .error, "a part of the newest ledger file can't be read",
                [("entry", String(damage.seqnos.lowerBound)), ("reason", damage.reason)])
            if phase == .recovering { stopForLedger(at: damage.seqnos.lowerBound, damage.reason) }
            return
        }
        if damage.isTail {
            repair.isTailMissing = true
        } else if repair.missing.contains(damage.seqnos) {
            return
        } else {
            repair.missing.append(damage.seqnos)
            repair.missing.sort { $0.lowerBound < $1.lowerBound }
        }
        log(
            .error, "a part of the ledger is damaged and is fetched from another node",
            [
                ("first", String(damage.seqnos.lowerBound)),
                ("last", damage.isTail ? "the last" : String(damage.seqnos.upperBound - 1)), ("reason", damage.reason),
            ])
        if phase == .recovering { waitsFor = "a part of the ledger is damaged here; waits for another node to give it" }
        fetchMissing()
    }

    /// At a start: an entry of this node's own ledger is not what it must be.
    mutating func recoveryFailed(at index: Int, of stored: [StoredEntry], _ error: any Error) {
        let seqno = stored[index].seqno
        if isForeign(stored[index...]) {
            return stop(
                "entry \(seqno) of the ledger folder is of another network: move the files of that network out of the "
                    + "folder, put this node's own back or fetch them with `entente ledger repair`, and start again")
        }
        guard hasOtherNodes, repair.rejected.insert(seqno).inserted else { return stopForLedger(at: seqno, "\(error)") }
        effects.append(.setAsideChunk(seqno: seqno))
    }

    private var hasOtherNodes: Bool { constitution.nodes.contains { $0.nodeID != node.id } }

    private mutating func stopForLedger(at seqno: UInt64, _ reason: String) {
        stop(
            "entry \(seqno) of this node's ledger can't be used: \(reason); restore the ledger folder, or fetch what is "
                + "missing with `entente ledger repair`, and start again")
    }

    /// Whether the first signature among these entries is by another network's service.
    private func isForeign(_ stored: ArraySlice<StoredEntry>) -> Bool {
        guard let own = try? X509Certificate(pem: sealed.networkCertificate).publicKey.id else { return false }
        for each in stored {
            guard let entry = try? LedgerEntry(each.bytes), entry.kind == .signature,
                let cose = (try? RootSignature(tables: entry.tables))?.cose, let message = try? CoseSign1(cose)
            else { continue }
            return message.keyID != Array(own.utf8)
        }
        return false
    }

    /// At a start, all that could be read is read. Whether something more has to come first.
    mutating func waitsForRepair() -> Bool {
        if let range = repair.missing(lastSeqno + 1) {
            guard hasOtherNodes else {
                stopForLedger(at: range.lowerBound, "its chunk is damaged, and there is no other node")
                return true
            }
            waitsFor =
                "entries \(range.lowerBound) to \(range.upperBound - 1) are damaged here; waits for another node to give them"
            fetchMissing()
            return true
        }
        guard repair.isTailMissing, hasOtherNodes else { return false }
        repair.isTailDue = true
        waitsFor =
            "the end of the ledger is damaged here; waits for another node to give what follows entry \(lastSeqno)"
        fetchTail()
        return true
    }

    // MARK: Fetching

    /// Goes on with what is due; called again and again.
    mutating func watchRepair() {
        if let fetch = repair.fetch, clock.monotonic >= fetch.deadline { repair.fetch = nil }
        if let tail = repair.tail, clock.monotonic >= tail.deadline { repair.tail = nil }
        fetchMissing()
        if repair.isTailDue { fetchTail() }
    }

    private mutating func nextPeer() -> PeerID? {
        let peers = channels.keys.sorted()
        guard !peers.isEmpty else { return nil }
        repair.turn += 1
        return peers[repair.turn % peers.count]
    }

    private mutating func fetchMissing() {
        // What the start waits for comes first.
        guard repair.fetch == nil, !repair.missing.isEmpty, fitness.storage.isGood, !sealed.networkCertificate.isEmpty,
            let range = repair.missing(lastSeqno + 1) ?? repair.missing.first, let peer = nextPeer()
        else { return }
        guard let service = try? X509Certificate(pem: sealed.networkCertificate) else { return }
        repair.fetch = RepairState.Fetch(
            range: range, verifier: ChunkVerifier(first: range.lowerBound, service: service), peer: peer, deadline: 0)
        pullEntries()
    }

    private mutating func pullEntries() {
        guard let fetch = repair.fetch else { return }
        repair.fetch?.deadline = clock.monotonic + RepairState.timeoutMicroseconds
        send(.entriesPull(first: fetch.verifier.nextSeqno, last: fetch.range.upperBound - 1), to: fetch.peer)
    }

    private mutating func fetchTail() {
        guard repair.tail == nil, !repair.isTailComplete, fitness.storage.isGood, let peer = nextPeer() else { return }
        pullTail(peer)
    }

    private mutating func pullTail(_ peer: PeerID) {
        repair.tail = (peer, clock.monotonic + RepairState.timeoutMicroseconds)
        send(.entriesPull(first: lastSeqno + 1, last: .max), to: peer)
    }

    /// A peer gives entries; none if it has none.
    mutating func receiveEntries(_ first: UInt64, _ entries: [[UInt8]], _ isEnd: Bool, from peer: PeerID) {
        if let tail = repair.tail, tail.peer == peer, first == lastSeqno + 1 {
            return receiveTail(entries, isEnd, from: peer)
        }
        guard var fetch = repair.fetch, fetch.peer == peer, first == fetch.verifier.nextSeqno else { return }
        guard !entries.isEmpty else {
            // The next one is asked soon, by the clock, so that nobody is flooded where no peer has it.
            repair.fetch?.deadline = clock.monotonic + RepairState.timeoutMicroseconds / 10
            return
        }
        do {
            for entry in entries where fetch.verifier.nextSeqno < fetch.range.upperBound {
                try fetch.verifier.add(entry)
                fetch.entries.append(entry)
                fetch.byteCount += entry.count
            }
            guard fetch.byteCount <= RepairState.rangeByteCountMax else {
                throw ManagerError.ledger("the chunk is too large to be fetched by a running node")
            }
            repair.fetch = fetch
            guard fetch.verifier.nextSeqno == fetch.range.upperBound else { return pullEntries() }
            guard fetch.verifier.isComplete else {
                throw ManagerError.ledger("the chunk does not end with a signature")
            }
            effects.append(.restoreChunk(fetch.range, fetch.entries))
            repair.fetch?.entries = []
            repair.fetch?.deadline = clock.monotonic + RepairState.timeoutMicroseconds
        } catch {
            log(
                .warning, "entries of a peer can't replace the damaged ones",
                [("peer", peer), ("first", String(fetch.range.lowerBound)), ("reason", "\(error)")])
            repair.fetch = nil
        }
    }

    /// The chunk is in its place again.
    mutating func chunkRestored(_ range: Range<UInt64>) {
        repair.missing.removeAll { $0 == range }
        if repair.fetch?.range == range { repair.fetch = nil }
        repair.repairedCount += 1
        log(
            .info, "a damaged part of the ledger was replaced",
            [("first", String(range.lowerBound)), ("last", String(range.upperBound - 1))])
        if phase == .recovering, raft == nil, range.contains(lastSeqno + 1) { readForRecovery(from: lastSeqno + 1) }
        fillWorker()
        fetchMissing()
    }

    private mutating func receiveTail(_ entries: [[UInt8]], _ isEnd: Bool, from peer: PeerID) {
        guard phase == .recovering, raft == nil else { return }
        guard !entries.isEmpty else {
            if isEnd {
                repair.isTailComplete = true
                repair.tail = nil
                tailWritten()
            } else {
                repair.tail?.deadline = clock.monotonic + RepairState.timeoutMicroseconds / 10
            }
            return
        }
        var taken: [LogEntry] = []
        for bytes in entries {
            do {
                let entry = try ledger.logEntry(bytes)
                try take(entry)
                taken.append(entry)
            } catch {
                return stopForLedger(at: lastSeqno + 1, "what another node gave for it does not verify: \(error)")
            }
        }
        repair.tailTicket += 1
        effects.append(.append(taken, ticket: repair.tailTicket))
        pullTail(peer)
    }

    /// What came is on the disk up to this ticket.
    mutating func tailPersisted(_ ticket: UInt64) {
        repair.tailPersisted = max(repair.tailPersisted, ticket)
        tailWritten()
    }

    private mutating func tailWritten() {
        guard repair.isTailMissing, repair.isTailComplete, repair.tailPersisted >= repair.tailTicket,
            phase == .recovering, raft == nil
        else { return }
        repair.isTailMissing = false
        repair.isTailDue = false
        repair.repairedCount += 1
        log(.info, "the end of the ledger was fetched from other nodes", [("entries", String(lastSeqno))])
        readForRecovery(from: lastSeqno + 1)
    }

    // MARK: Giving

    /// The last entry that may be given. When all nodes start at once nobody knows yet what is committed, and those that are
    /// sound may wait for the word of the one that is not: then what a signature covers is given for a chunk, whose
    /// signatures and place in the tree the receiver checks.
    private func givenEnd(upTo last: UInt64) -> UInt64? {
        if phase == .active { return appliedSeqno }
        guard phase == .recovering, raft != nil, last < .max else { return nil }
        return max(appliedSeqno, ledger.index.lastSignature.seqno)
    }

    /// A peer has lost entries. What is committed is no secret to a node of the network.
    mutating func giveEntries(first: UInt64, last: UInt64, to peer: PeerID) {
        guard configuration?.contains(peer) == true, first > 0, first <= last, let end = givenEnd(upTo: last),
            phase == .active || first <= end
        else { return send(.entriesPart(first: first, [], isEnd: false), to: peer) }
        guard first <= end else { return send(.entriesPart(first: first, [], isEnd: true), to: peer) }
        guard repair.serving.insert(peer).inserted else { return }
        effects.append(
            .read(
                first: first, last: min(last, end), bytesMax: NodeMessage.entriesByteCount,
                for: .repair(peer: peer, first: first)))
    }
}
