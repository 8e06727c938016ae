import AdapterKit
import Consensus
import Ledger
import Primitives
import Store

// Where a node that restarts begins to read: after its newest snapshot that can be used, else at the first entry.
extension Manager {
    /// Both the files of the ledger and the snapshots are known: chooses where to begin.
    mutating func continueRecovery() {
        guard phase == .recovering, raft == nil, case .restart = start, ledgerOnDisk != nil, snapshots.isListed,
            lastSeqno == 0
        else { return }
        guard let newest = snapshots.newest else { return recoverFromTheFirstEntry() }
        do {
            effects.append(.snapshot(.open(newest.name, try snapshotAccess())))
        } catch {
            stop("this node's network certificate can't be read: \(error)")
        }
    }

    private mutating func recoverFromTheFirstEntry() {
        guard let seqnos = ledgerOnDisk, seqnos.lowerBound == 1 else {
            return stop(
                "the ledger begins with entry \(ledgerOnDisk?.lowerBound ?? 0), and no snapshot before it can be used; "
                    + "restore the ledger folder or remove the node's data and let it join again")
        }
        readForRecovery(from: 1)
    }

    /// A snapshot can't be used: the next older one, or the ledger from its first entry.
    mutating func refuseSnapshot(_ name: SnapshotName, _ reason: String) {
        guard snapshots.newest?.name == name else { return }
        log(.error, "a snapshot of this node can't be used", [("snapshot", "\(name)"), ("reason", reason)])
        snapshots.listings.removeLast()
        snapshots.open.remove(name)
        effects.append(.snapshot(.setAside(name)))
        continueRecovery()
    }

    /// A snapshot of this node is verified by its receipt. The ledger must go on from it, and if it has the evidence, that
    /// must be the same.
    mutating func consider(_ snapshot: OpenedSnapshot) {
        guard let seqnos = ledgerOnDisk, snapshots.newest?.name == snapshot.name else { return }
        guard seqnos.lowerBound <= snapshot.id.seqno + 1 else {
            return refuseSnapshot(snapshot.name, "the ledger begins with entry \(seqnos.lowerBound)")
        }
        snapshots.candidate = snapshot
        if seqnos.contains(snapshot.name.evidence) {
            effects.append(
                .read(
                    first: snapshot.name.evidence, last: snapshot.name.evidence, bytesMax: 1,
                    for: .snapshotEvidence(snapshot.name)))
        } else {
            begin(from: snapshot)
        }
    }

    /// The entry that must be the evidence was read back.
    mutating func checkEvidence(of name: SnapshotName, _ stored: [StoredEntry]) {
        guard let snapshot = snapshots.candidate, snapshot.name == name else { return }
        // Where the evidence is damaged, the receipt alone speaks for the snapshot, as where it is gone.
        if repair.missing(name.evidence) != nil { return begin(from: snapshot) }
        guard let bytes = stored.first?.bytes, let entry = try? LedgerEntry(bytes), entry.id.seqno == name.evidence,
            let evidence = ServiceTables.snapshotEvidence(entry.tables), evidence.seqno == name.seqno,
            evidence.digest == snapshot.digest, entry.claimsDigest == snapshot.digest
        else {
            snapshots.candidate = nil
            return refuseSnapshot(name, "entry \(name.evidence) of the ledger is not its evidence")
        }
        begin(from: snapshot)
    }

    private mutating func begin(from snapshot: OpenedSnapshot) {
        snapshots.candidate = nil
        guard let seqnos = ledgerOnDisk else { return }
        do {
            let (ledger, store, time) = try state(from: snapshot)
            adopt(snapshot, ledger, store, time)
        } catch {
            return refuseSnapshot(snapshot.name, "\(error)")
        }
        guard phase == .recovering else { return }
        appliedSeqno = snapshot.id.seqno
        log(.info, "starting from a snapshot", [("snapshot", "\(snapshot.name)")])
        // After a crash the snapshot may be on the disk and the last entries before it, or the empty ledger after one that
        // was installed, not.
        if seqnos.upperBound <= snapshot.id.seqno {
            ledgerOnDisk = snapshot.id.seqno + 1..<snapshot.id.seqno + 1
            effects.append(.resetLog(to: snapshot.id.seqno, ticket: 0))
        }
        readForRecovery(from: snapshot.id.seqno + 1)
    }
}
