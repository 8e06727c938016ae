import AdapterKit
import Consensus
import Constitution
import Identity
import Ledger
import Primitives
import Store

extension Manager {
    /// First step of a node's life.
    mutating func begin() {
        effects.append(.snapshot(.list))
        switch start {
        case .found:
            do {
                try foundNetwork()
            } catch {
                stop("the network can't be founded: \(error)")
            }
        case .join:
            waitsFor = Self.waitsForContact
            log(.info, "joining", [("network", constitution.networkID)])
        case .restart:
            waitsFor = "reads its own ledger"
            log(.info, "reading the ledger")
            effects.append(.surveyLedger)
        }
    }

    // MARK: Founding

    /// Makes the network's identity and the first epoch's key, and starts consensus alone.
    private mutating func foundNetwork() throws {
        let key = try SigningKey(rawRepresentation: random.next(32))
        let request = certificateRequest(constitution.name, .authority(pathLength: 0))
        sealed.networkKey = key.rawRepresentation
        sealed.networkCertificate = try X509Certificate.selfSigned(request, key: key).pem
        sealed.epochKeys = [EpochKey(epoch: 1, key: random.next(32))]
        sealed.nodeCertificate = try endorse(node.key.publicKey.spki, nodeID: node.id)
        log(.info, "founding", [("network", constitution.networkID)])
        startConsensus(
            .genesis(try Configuration(voters: [node.id], policy: constitution.quorumPolicy(voters: 1)), view: 2))
    }

    /// The entries that only a founder writes: the constitution, its own admission, the open service.
    mutating func proposeGenesis(view: UInt64) throws {
        let configuration = try Configuration(voters: [node.id], policy: constitution.quorumPolicy(voters: 1))
        guard let entry = constitution.nodes.first(where: { $0.nodeID == node.id }) else {
            throw ManagerError.membership("the founder is not on the VN list of its own genesis")
        }
        var writes = ConfigurationMap.writes(configuration)
        writes.merge(
            CCFMaps.trustedNode(node.id, certificate: sealed.nodeCertificate, address: entry.address))
        writes.merge(CCFMaps.service(status: "Opening", certificate: sealed.networkCertificate))
        try propose(
            public: writes, private: constitution.writeSet(), kind: .configuration(configuration), view: view)
        try propose(
            public: CCFMaps.service(status: "Open", certificate: sealed.networkCertificate), private: WriteSet(),
            kind: .data, view: view)
    }

    /// The first entry of a leadership.
    mutating func proposeFirstEntry() {
        guard let view = raft?.view else { return }
        do {
            if lastSeqno == 0 {
                try proposeGenesis(view: view)
                becomeActive()
            } else {
                try propose(public: WriteSet(), private: WriteSet(), kind: .data, view: view)
            }
        } catch {
            stop("the first entry of a leadership can't be made: \(error)")
        }
    }

    private mutating func propose(
        public publicWrites: WriteSet, private privateWrites: WriteSet, kind: LogEntry.Kind, view: UInt64
    ) throws {
        let entry = try ledger.makeAdministrative(
            TransactionID(view: view, seqno: lastSeqno + 1), public: publicWrites, private: privateWrites, kind: kind,
            time: max(clock.wall, ledgerTime))
        unsigned.entryAppended(now: clock.monotonic)
        step(.propose([entry]))
    }

    // MARK: Restart

    mutating func readForRecovery(from first: UInt64) {
        effects.append(.read(first: first, last: .max, bytesMax: settings.readBytesMax, for: .recovery))
    }

    /// The next entries of this node's own ledger; none: all were read.
    mutating func recover(_ stored: [StoredEntry]) {
        guard phase == .recovering, raft == nil else { return }
        guard !stored.isEmpty else { return waitsForRepair() ? () : finishRecovery() }
        // Each chunk that is put back asks for what follows, so two answers may hold the same entries.
        let stored = stored.filter { $0.seqno > lastSeqno }
        guard !stored.isEmpty else { return }
        for (index, each) in stored.enumerated() {
            do {
                try take(try ledger.logEntry(each.bytes))
            } catch {
                return recoveryFailed(at: index, of: stored, error)
            }
            // What the seal knows as committed needs no undo.
            if each.seqno <= sealed.hardState.commit {
                if let opened = ledger.recent[each.seqno] { collectForSnapshots(opened) }
                store.commit(to: each.seqno)
                ledger.commit(upTo: each.seqno)
                ledger.forgetRecent(before: each.seqno)
            }
        }
        readForRecovery(from: lastSeqno + 1)
    }

    private mutating func finishRecovery() {
        log(.info, "the ledger was read", [("entries", String(lastSeqno))])
        guard !sealed.networkKey.isEmpty else {
            phase = .joining
            waitsFor = Self.waitsForContact
            return
        }
        guard nodeCertificate(of: node.id) != nil else {
            phase = .joining
            waitsFor = "was let in, takes over the ledger"
            return startConsensus(.restart(sealed.hardState, ledger.index))
        }
        waitsFor = "waits for its peers to confirm what is committed"
        recovered = ledger.index.lastSignature
        serve()
        if settings.faults.contains(.forgetsSeal) { sealed.hardState = HardState() }
        startConsensus(.restart(sealed.hardState, ledger.index))
    }

    /// A restarted node serves its clients once it knows as committed what may have been committed before: its own last
    /// signature, or anything of a later view, whose leader holds all of that.
    mutating func resumeIfCaughtUp() {
        guard phase == .recovering, let recovered, let view = ledger.index.view(at: appliedSeqno),
            appliedSeqno >= recovered.seqno || view > recovered.view
        else { return }
        becomeActive()
    }

    /// Consensus comes to life.
    mutating func startConsensus(_ start: RaftStart) {
        let seed = random.next(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var dials = constitution.raftSettings
        dials.windowBytesMax = settings.entryWindowBytes
        dials.faults = settings.raftFaults
        raft = Raft(id: node.id, settings: dials, start: start, seed: seed)
        reloadConstitution()
        step(.tick)
        tellConsensusOfSnapshots()
    }
}
