import AdapterKit
import Consensus
import Constitution
import Ledger
import Primitives
import Store

// A new worker gets the state of the newest snapshot, frame by frame, then the entries since.
extension Manager {
    /// The adapters are made and at their genesis, or have a state that counts no more.
    mutating func startRestore() {
        worker.clear()
        let usable = snapshots.listings.last {
            snapshots.open.contains($0.name) && !snapshots.unusable.contains($0.name)
        }
        guard let listing = usable, listing.name.seqno <= lastSeqno, !constitution.adapters.isEmpty else {
            guard ledger.index.base.seqno == 0 || ledgerBeginsAtFirstEntry else {
                return stop("no snapshot can be restored, and the ledger does not reach back to the first entry")
            }
            worker.state = .filling
            return fillWorker()
        }
        worker.state = .restoring
        worker.restore = (listing, 0, 1)
        for adapter in constitution.adapters {
            send(.beginRestore(endpoint: adapter.endpoint), for: .restoring(isLast: false))
        }
        effects.append(.snapshot(.frame(listing.name, index: 0)))
    }

    private var ledgerBeginsAtFirstEntry: Bool { ledgerOnDisk?.lowerBound == 1 }

    /// A frame was read: its maps go to the adapters whose they are.
    mutating func restoreWorker(_ name: SnapshotName, _ index: Int, _ count: Int, _ writes: WriteSet) {
        guard worker.state == .restoring, let restore = worker.restore, restore.snapshot.name == name,
            restore.frame == index
        else { return }
        worker.restore = (restore.snapshot, index + 1, count)
        var parts: [(endpoint: String, part: SnapshotPart)] = []
        for map in writes.maps {
            guard let adapter = constitution.adapters.first(where: { OpenedEntry.isMap(map.name, of: $0.endpoint) })
            else { continue }
            parts.append(
                (
                    adapter.endpoint,
                    SnapshotPart(map: map.name, records: map.writes.map { .init(key: $0.key, value: $0.value) })
                ))
        }
        guard !parts.isEmpty else { return restoreNextFrame() }
        for (place, each) in parts.enumerated() {
            send(
                .restore(endpoint: each.endpoint, each.part),
                for: .restoring(isLast: place == parts.count - 1))
        }
    }

    /// The worker has taken a frame, or there was nothing in it for anyone.
    mutating func restoreNextFrame() {
        guard worker.state == .restoring, let restore = worker.restore else { return }
        let name = restore.snapshot.name
        guard restore.frame >= restore.count else {
            return effects.append(.snapshot(.frame(name, index: restore.frame)))
        }
        if worker.seqno == name.seqno {
            worker.restore = nil
            worker.state = .filling
            if settings.faults.contains(.skipsEntryAfterRestore), worker.seqno < appliedSeqno { worker.seqno += 1 }
            log(.info, "the worker was restored from a snapshot", [("snapshot", "\(name)")])
            return fillWorker()
        }
        guard let id = transactionID(at: name.seqno) else {
            return restoreFailed(name, "the entry where it stands is not known")
        }
        worker.seqno = name.seqno
        worker.committed = name.seqno
        for (place, adapter) in constitution.adapters.enumerated() {
            send(
                .endRestore(endpoint: adapter.endpoint, id),
                for: .restoring(isLast: place == constitution.adapters.count - 1))
        }
    }

    /// The worker can't be restored from this snapshot: a fresh one tries an older snapshot, or the ledger.
    mutating func restoreFailed(_ name: SnapshotName, _ reason: String) {
        guard worker.restore?.snapshot.name == name else { return }
        log(.error, "a worker can't be restored from a snapshot", [("snapshot", "\(name)"), ("reason", reason)])
        snapshots.unusable.insert(name)
        rejectWorker("restoring failed")
    }
}
