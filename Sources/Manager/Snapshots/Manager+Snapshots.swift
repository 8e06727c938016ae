import AdapterKit
import Consensus
import Constitution
import Ledger
import Primitives
import Store

// Every node makes its own snapshots. The primary marks a signature entry; when that is committed, each node takes the
// state after it, and all get the same bytes. The primary records the digest in an evidence entry; when that is committed,
// each node that has the same digest adds the receipt, which makes the file worth something to others.
extension Manager {
    /// Whether the signature that is made now shall be one after which a snapshot is made.
    var isSnapshotDue: Bool {
        guard snapshots.isIdle, raft?.hasCommittedInView == true, lastSeqno > ledger.lastSnapshotPoint else {
            return false
        }
        return lastSeqno + 1 - ledger.lastSnapshotPoint >= constitution.snapshotIntervalEntries
            || ledger.byteCountSincePoint >= constitution.snapshotIntervalBytes
    }

    /// Takes the changes of entries that are committed now. Comes before anything forgets them.
    mutating func collectForSnapshots(_ entries: ClosedRange<UInt64>) {
        guard !snapshots.isStopped else { return }
        for seqno in entries {
            guard let opened = ledger.recent[seqno] else { continue }
            collectForSnapshots(opened)
            if let signature = opened.signature, opened.isSnapshotPoint { startSnapshot(opened.id, signature) }
        }
    }

    /// Takes the changes of one committed entry.
    mutating func collectForSnapshots(_ opened: OpenedEntry) {
        let changes = snapshots.collect(opened)
        if !changes.isEmpty { effects.append(.snapshot(.collect(changes))) }
    }

    /// Takes the state after a committed signature entry.
    private mutating func startSnapshot(_ id: TransactionID, _ signature: WriteSet) {
        guard snapshots.collected == id.seqno, !snapshots.isStopped else { return }
        guard snapshots.making == nil else {
            return log(.warning, "no snapshot: the last one is still being made", [("at", "\(id)")])
        }
        // The evidence of one that was made before can't come any more: it is for the last point only.
        discardMadeSnapshot()
        snapshots.evidence = nil
        do {
            guard let point = ledger.snapshotPoint(at: id.seqno) else {
                throw ManagerError.ledger("the entry is not remembered")
            }
            guard let key = sealed.epochKeys.first(where: { $0.epoch == snapshots.epoch }) else {
                throw ManagerError.ledger("no session key for epoch \(snapshots.epoch)")
            }
            let view = try store.view(at: id.seqno)
            let maps = view.mapNames.filter { $0.hasPrefix(MapWrites.publicPrefix) }
                .map { MapWrites(name: $0, writes: view.pairs($0)) }
            let job = SnapshotPoint(
                id: id, leaf: point.leaf, viewHistory: point.viewHistory,
                publicState: WriteSet(maps).merging(signature).merging(SnapshotMap.writes(point.configurations)),
                session: try SessionKey(epoch: key.epoch, bytes: key.key), networkID: Array(constitution.networkID.utf8)
            )
            snapshots.making = id.seqno
            effects.append(.snapshot(.make(job, changes: snapshots.takeChanges())))
        } catch {
            log(.warning, "no snapshot can be made", [("at", "\(id)"), ("reason", "\(error)")])
        }
    }

    private mutating func discardMadeSnapshot() {
        guard let made = snapshots.made else { return }
        snapshots.made = nil
        effects.append(.snapshot(.discard(seqno: made.seqno)))
    }

    /// The primary records what it made, once.
    mutating func proposeSnapshotEvidence() {
        guard isPrimary, phase == .active, executing == nil, let made = snapshots.made, let raft,
            raft.hasCommittedInView, !raft.isTransferring, made.seqno == ledger.lastSnapshotPoint
        else { return }
        if let last = evidence(in: store.latest), last.seqno >= made.seqno { return }
        do {
            var writes = WriteSet()
            ServiceTables.setSnapshotEvidence(seqno: made.seqno, digest: made.digest, in: &writes)
            let entry = try ledger.makeAdministrative(
                TransactionID(view: raft.view, seqno: lastSeqno + 1), public: writes, private: WriteSet(), kind: .data,
                time: max(clock.wall, ledgerTime), claims: made.digest)
            unsigned.entryAppended(now: clock.monotonic)
            step(.propose([entry]))
        } catch {
            log(.warning, "the evidence of a snapshot can't be proposed", [("reason", "\(error)")])
        }
    }

    private func evidence(in view: StoreView) -> (seqno: UInt64, digest: Bytes32)? {
        guard let value = view.get(Tables.snapshotEvidence, Tables.singleton) else { return nil }
        var writes = WriteSet()
        writes.put(value, at: Tables.singleton, in: Tables.snapshotEvidence)
        return ServiceTables.snapshotEvidence(writes)
    }

    /// An entry is committed: it may be the evidence of the snapshot that this node made, or is still making.
    mutating func noteSnapshotEvidence(_ opened: OpenedEntry) {
        guard let found = ServiceTables.snapshotEvidence(opened.administrative) else { return }
        snapshots.evidence = SnapshotState.Evidence(
            entry: opened.id.seqno, seqno: found.seqno, digest: found.digest)
        matchSnapshotEvidence()
    }

    private mutating func matchSnapshotEvidence() {
        guard let made = snapshots.made, let evidence = snapshots.evidence, evidence.seqno == made.seqno else { return }
        snapshots.evidence = nil
        guard evidence.digest == made.digest else {
            snapshots.isStopped = true
            discardMadeSnapshot()
            return log(
                .error, "this node's snapshot differs from the primary's; it makes no more until it is started again",
                [("seqno", String(made.seqno)), ("own", "\(made.digest)"), ("primary", "\(evidence.digest)")])
        }
        effects.append(
            .read(
                first: evidence.entry, last: min(appliedSeqno, evidence.entry + 4_096), bytesMax: NodeMessage.bytesMax,
                for: .snapshotReceipt(SnapshotName(seqno: made.seqno, evidence: evidence.entry))))
    }

    /// The evidence and what follows were read back: makes the receipt, the same on every node.
    mutating func addSnapshotReceipt(_ name: SnapshotName, _ stored: [StoredEntry]) {
        guard let made = snapshots.made, made.seqno == name.seqno else { return }
        snapshots.made = nil
        do {
            guard let first = stored.first else { throw ManagerError.ledger("the evidence can't be read back") }
            let entry = try LedgerEntry(first.bytes)
            guard entry.id.seqno == name.evidence, entry.claimsDigest == made.digest,
                let components = try ledger.components(of: entry, keys: sealed.epochKeys)
            else { throw ManagerError.ledger("the evidence is another") }
            guard let (signature, tree) = try coveringSignature(stored),
                let receipt = CoseReceipt(
                    tree: tree, seqno: name.evidence, components: components, signature: signature)
            else { throw ManagerError.ledger("no signature covers the evidence") }
            let taken = snapshots.beingTaken(at: clock.monotonic)
            effects.append(.snapshot(.commit(name, receipt: receipt.encoded(), keeping: taken)))
        } catch {
            log(.warning, "a snapshot gets no receipt", [("snapshot", "\(name)"), ("reason", "\(error)")])
            effects.append(.snapshot(.discard(seqno: name.seqno)))
        }
    }

    /// The first signature after the first of some entries, and the tree that it carries.
    func coveringSignature(_ stored: [StoredEntry]) throws -> (RootSignature, MerkleTree)? {
        for next in stored.dropFirst() {
            let tables = try LedgerEntry(next.bytes).tables
            guard let signature = try RootSignature(tables: tables), let bytes = tables[Tables.tree]?[Tables.singleton]
            else { continue }
            return (signature, try MerkleTree(serialized: bytes))
        }
        return nil
    }

    // MARK: What the folder reports

    /// The snapshot folder has done something.
    mutating func receive(_ report: SnapshotReport) {
        switch report {
        case .listed(let listings):
            guard case .restart = start else { return }
            snapshots.listings = listings
            snapshots.isListed = true
            continueRecovery()
        case .opened(let snapshot):
            snapshots.open.insert(snapshot.name)
            if phase == .recovering, raft == nil { consider(snapshot) } else { install(snapshot) }
        case .refused(let name, let reason):
            if phase == .recovering, raft == nil {
                refuseSnapshot(name, reason)
            } else {
                transferFailed(name, reason)
            }
        case .made(let seqno, let digest, let byteCount):
            guard snapshots.making == seqno else { return }
            snapshots.making = nil
            snapshots.made = SnapshotState.Made(seqno: seqno, digest: digest)
            log(.info, "a snapshot is made", [("seqno", String(seqno)), ("bytes", String(byteCount))])
            matchSnapshotEvidence()
            proposeSnapshotEvidence()
            signIfDue()
        case .committed(let listing):
            snapshots.open.insert(listing.name)
            add(listing)
            log(.info, "a snapshot is committed", [("name", "\(listing.name)"), ("bytes", String(listing.byteCount))])
            tellConsensusOfSnapshots()
        case .stopped(let reason):
            snapshots.isStopped = true
            snapshots.making = nil
            snapshots.made = nil
            _ = snapshots.takeChanges()
            log(.error, "no more snapshots are made until the node is started again", [("reason", reason)])
        case .frame(let name, let index, let count, let writes): restoreWorker(name, index, count, writes)
        case .frameFailed(let name, let index, let reason): restoreFailed(name, "frame \(index): \(reason)")
        case .chunk(let name, let offset, let bytes, let peer):
            snapshots.serving.remove(peer)
            send(.snapshotPart(name, offset: offset, bytes), to: peer)
        case .gone(let name, let peer):
            snapshots.serving.remove(peer)
            send(.snapshotGone(name), to: peer)
        case .received(let name, let next): transferWritten(name, next: next)
        case .receiveFailed(let name, let reason): transferFailed(name, reason)
        }
    }

    /// A committed snapshot more; the folder keeps as many as this.
    mutating func add(_ listing: SnapshotListing) {
        snapshots.listings.removeAll { $0.name == listing.name }
        snapshots.listings.append(listing)
        snapshots.listings.sort { $0.name < $1.name }
        let taken = snapshots.beingTaken(at: clock.monotonic)
        for old in snapshots.listings.dropLast(SnapshotListing.keptCount) where !taken.contains(old.name) {
            snapshots.listings.removeAll { $0.name == old.name }
            snapshots.open.remove(old.name)
            snapshots.unusable.remove(old.name)
        }
    }

    /// Who lacks everything gets a snapshot as soon as there is one, who lacks what the last but one covers too; others
    /// are better served with entries.
    mutating func tellConsensusOfSnapshots() {
        guard !snapshots.listings.isEmpty else { return }
        let covered = snapshots.listings.dropLast().last?.name.seqno ?? 1
        step(.compacted(first: covered + 1))
    }
}
