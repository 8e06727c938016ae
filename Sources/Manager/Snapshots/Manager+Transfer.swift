import AdapterKit
import Consensus
import Constitution
import Identity
import Ledger
import Primitives
import Store

// A node that needs what no log can give it any more gets a snapshot. The primary offers, the node pulls part after part,
// so that it is never sent more than it can take; any peer that has the file can go on where another ended. Nothing of
// what the node has is replaced before the whole is verified.
extension Manager {
    // MARK: Giving

    /// Consensus says that a peer needs entries that are gone. It asks again while the peer does not come on.
    mutating func offerSnapshot(to peer: PeerID) {
        guard let newest = snapshots.newest else {
            return log(.error, "a peer needs entries that are gone, and there is no snapshot", [("peer", peer)])
        }
        guard channels[peer] != nil else { return step(.snapshotFailed(peer: peer)) }
        log(.info, "a peer is offered a snapshot", [("peer", peer), ("snapshot", "\(newest.name)")])
        send(.snapshotOffer(newest), to: peer)
    }

    /// A peer pulls. One part at a time is read for each.
    mutating func servePart(of name: SnapshotName, offset: UInt64, byteCount: UInt32, to peer: PeerID) {
        guard configuration?.contains(peer) == true, snapshots.listings.contains(where: { $0.name == name }) else {
            return send(.snapshotGone(name), to: peer)
        }
        snapshots.notePull(name, at: clock.monotonic)
        guard snapshots.serving.insert(peer).inserted else { return }
        effects.append(
            .snapshot(
                .read(
                    name, offset: offset, byteCount: min(Int(byteCount), NodeMessage.snapshotPartBytesMax), peer: peer))
        )
    }

    /// The peer can't use it; consensus tries entries once more.
    mutating func snapshotRefused(_ name: SnapshotName, by peer: PeerID) {
        guard isPrimary, configuration?.contains(peer) == true else { return }
        log(.warning, "a peer refused a snapshot", [("peer", peer), ("snapshot", "\(name)")])
        step(.snapshotFailed(peer: peer))
    }

    // MARK: Taking

    /// The primary has a snapshot for this node.
    mutating func receiveOffer(_ offer: SnapshotListing, from peer: PeerID) {
        guard peer == primary, !isPrimary, raft != nil, !sealed.networkCertificate.isEmpty,
            offer.name.seqno > appliedSeqno, snapshots.installing == nil
        else { return }
        if let (name, until) = snapshots.refused, name == offer.name, clock.monotonic < until { return }
        guard offer.byteCount > 0, offer.byteCount <= settings.snapshotBytesMax else {
            log(.warning, "a snapshot is too large", [("peer", peer), ("bytes", String(offer.byteCount))])
            return send(.snapshotRefused(offer.name), to: peer)
        }
        if let transfer = snapshots.transfer {
            if transfer.stage == .disk { return }
            if transfer.name == offer.name, transfer.byteCount == offer.byteCount {
                // The same file from wherever it comes: goes on where it stopped, unless it is going on.
                guard transfer.peer != peer || clock.monotonic >= transfer.deadline else { return }
                snapshots.transfer?.peer = peer
                return pull()
            }
            // One that still comes in is not given up for a newer one.
            if channels[transfer.peer] != nil, clock.monotonic < transfer.deadline { return }
        }
        log(
            .info, "taking a snapshot from a peer",
            [("peer", peer), ("snapshot", "\(offer.name)"), ("bytes", String(offer.byteCount))])
        snapshots.transfer = SnapshotTransfer(name: offer.name, byteCount: offer.byteCount, peer: peer)
        pull()
    }

    private mutating func pull() {
        guard var transfer = snapshots.transfer else { return }
        transfer.stage = .part
        transfer.deadline = clock.monotonic + settings.snapshotPartTimeoutMicroseconds
        snapshots.transfer = transfer
        let due = partByteCount(transfer, at: transfer.next)
        send(.snapshotPull(transfer.name, offset: transfer.next, byteCount: UInt32(due)), to: transfer.peer)
    }

    private func partByteCount(_ transfer: SnapshotTransfer, at offset: UInt64) -> UInt64 {
        min(UInt64(min(settings.snapshotPartBytes, NodeMessage.snapshotPartBytesMax)), transfer.byteCount - offset)
    }

    /// A part came. It must be the one that was asked for, and of the size that was.
    mutating func receivePart(of name: SnapshotName, offset: UInt64, _ bytes: [UInt8], from peer: PeerID) {
        guard let transfer = snapshots.transfer, transfer.name == name, transfer.peer == peer, transfer.stage == .part,
            transfer.next == offset
        else { return }
        let due = partByteCount(transfer, at: offset)
        guard UInt64(bytes.count) == due else {
            transferFailed(name, "a part of \(bytes.count) bytes where \(due) are due")
            effects.append(.disconnect(peer, reason: "a part of a snapshot has the wrong size"))
            return
        }
        snapshots.transfer?.stage = .disk
        effects.append(.snapshot(.receive(name, offset: offset, bytes)))
    }

    /// A part is on the disk: the next one, or the end.
    mutating func transferWritten(_ name: SnapshotName, next: UInt64) {
        guard let transfer = snapshots.transfer, transfer.name == name, transfer.stage == .disk else { return }
        snapshots.transfer?.next = next
        guard next == transfer.byteCount else { return pull() }
        do {
            effects.append(
                .snapshot(.accept(name, byteCount: transfer.byteCount, try snapshotAccess())))
        } catch {
            transferFailed(name, "\(error)")
        }
    }

    /// What it takes to open this network's snapshots.
    func snapshotAccess() throws -> SnapshotAccess {
        SnapshotAccess(
            networkID: Array(constitution.networkID.utf8),
            sessions: try sealed.epochKeys.map { try SessionKey(epoch: $0.epoch, bytes: $0.key) },
            service: try .init(pem: sealed.networkCertificate), ownPrefix: ManagerMaps.prefix)
    }

    /// What came is no snapshot of this network, or can't be kept.
    mutating func transferFailed(_ name: SnapshotName, _ reason: String) {
        guard let transfer = snapshots.transfer, transfer.name == name else { return }
        snapshots.transfer = nil
        snapshots.refused = (name, clock.monotonic + 60_000_000)
        log(
            .warning, "a snapshot from a peer can't be used",
            [("peer", transfer.peer), ("snapshot", "\(name)"), ("reason", reason)])
        send(.snapshotRefused(name), to: transfer.peer)
    }

    /// The peer has it no more; the primary offers another.
    mutating func snapshotGone(_ name: SnapshotName, from peer: PeerID) {
        guard let transfer = snapshots.transfer, transfer.name == name, transfer.peer == peer, transfer.stage == .part
        else { return }
        snapshots.transfer = nil
        log(.info, "a peer does not have a snapshot any more", [("peer", peer), ("snapshot", "\(name)")])
        send(.snapshotRefused(name), to: peer)
    }

    /// Asks again for what does not come.
    mutating func expireTransfer() {
        guard let transfer = snapshots.transfer else { return }
        // Entries may have come meanwhile after all.
        if transfer.name.seqno <= appliedSeqno, transfer.stage == .part {
            snapshots.transfer = nil
            return
        }
        guard transfer.stage == .part, clock.monotonic >= transfer.deadline else { return }
        pull()
    }

    // MARK: Taking the ledger's place

    /// A snapshot is verified and on the disk: consensus decides whether it is still wanted.
    mutating func install(_ snapshot: OpenedSnapshot) {
        guard snapshots.transfer?.name == snapshot.name else { return }
        add(SnapshotListing(name: snapshot.name, byteCount: snapshot.byteCount))
        do {
            let (ledger, store, time) = try state(from: snapshot)
            snapshots.transfer = nil
            snapshots.installing = (snapshot, ledger, store, time)
            step(.snapshotInstalled(ledger.index))
            snapshots.installing = nil
            tellConsensusOfSnapshots()
        } catch {
            snapshots.listings.removeAll { $0.name == snapshot.name }
            snapshots.open.remove(snapshot.name)
            effects.append(.snapshot(.setAside(snapshot.name)))
            transferFailed(snapshot.name, "\(error)")
        }
    }

    /// The manager's own state at a snapshot.
    func state(from snapshot: OpenedSnapshot) throws -> (LedgerState, Store, UInt64) {
        let ledger = try LedgerState(networkID: constitution.networkID, snapshot: snapshot)
        let isForgetful = settings.faults.contains(.snapshotForgetsAnswers)
        let own = WriteSet(snapshot.ownMaps.maps.filter { !isForgetful || $0.name != RequestMap.answers })
        let store = Store(
            schema: RequestMap.schema, contents: snapshot.publicState.merging(own), seqno: snapshot.id.seqno)
        guard try Constitution(reading: store.latest).networkID == constitution.networkID else {
            throw ManagerError.ledger("the snapshot is of another network")
        }
        guard let record = store.latest.get(ManagerMaps.entry, Tables.singleton) else {
            throw ManagerError.ledger("the snapshot has no ledger time")
        }
        return (ledger, store, try EntryRecord(decoding: record).time)
    }

    /// Consensus dropped the whole log: what was in it counts no more, the snapshot's state takes its place.
    mutating func resetLog(to position: LogPosition, ticket: UInt64) {
        guard let (snapshot, ledger, store, time) = snapshots.installing, snapshot.id.seqno == position.seqno else {
            return stop("a snapshot was installed that nobody asked for")
        }
        adopt(snapshot, ledger, store, time)
        ledgerOnDisk = position.seqno + 1..<position.seqno + 1
        effects.append(.resetLog(to: position.seqno, ticket: ticket))
        log(.info, "a snapshot was installed", [("snapshot", "\(snapshot.name)")])
        // Whether the entries of these were among those that the network has, only the network knows.
        let items = outcomesAtCommit.keys.sorted().flatMap { outcomesAtCommit[$0] ?? [] }.map(\.item)
        outcomesAtCommit = [:]
        pendingJoins = [:]
        sendAgain(items)
        for answers in governance.atCommit.values {
            for (number, _) in answers { governance.works[number]?.call.isRepeated = true }
        }
        governanceTruncated(to: 0)
        if worker.isOpen { startRestore() }
    }

    /// Takes over the state at a snapshot, and what follows from it.
    mutating func adopt(_ snapshot: OpenedSnapshot, _ ledger: LedgerState, _ store: Store, _ time: UInt64) {
        self.ledger = ledger
        self.store = store
        ledgerTime = time
        snapshots.rebase(on: snapshot)
        effects.append(.snapshot(.rebase(snapshot.name)))
        reloadConstitution()
        takeCertificatesOfSnapshot()
    }
}
