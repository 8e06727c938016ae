import AdapterKit
import Consensus
import Ledger
import Manager
import Primitives

// The threads beside the manager: its disk, its snapshots, its worker. What they do is what `ManagerRuntime` does.
extension NodeSimulation {
    // MARK: The ledger's files and the seal

    func queue(_ node: Int, _ job: Machine.DiskJob) {
        machines[node].jobs.append(job)
        wakeDisk(node)
    }

    private func wakeDisk(_ node: Int) {
        guard !machines[node].isDiskBusy, !machines[node].jobs.isEmpty else { return }
        machines[node].isDiskBusy = true
        events.add(.diskBegins(node, life: machines[node].life), at: now + 1 + random.below(profile.syncMin))
    }

    /// All that waits is written; appends that wait together share one sync.
    func beginDisk(_ node: Int) {
        let jobs = machines[node].jobs
        machines[node].jobs = []
        do {
            let (ticket, committed) = try run(node, jobs, reports: true)
            guard machines[node].manager != nil else { return }
            if ticket == nil, committed == nil {
                machines[node].isDiskBusy = false
                return wakeDisk(node)
            }
            let stall: UInt64 = random.below(1000) < profile.stallPermille && !isHealed ? 700_000 : 0
            let time = stall + profile.syncMin + random.below((isHealed ? 0 : profile.syncSpread) + 1)
            events.add(
                .diskSynced(node, life: machines[node].life, ticket: ticket, committed: committed), at: now + time)
        } catch {
            diskFailed(node, error)
        }
    }

    func endDisk(_ node: Int, _ ticket: UInt64?, _ committed: UInt64?) {
        do {
            if let ticket {
                try machines[node].ledger?.sync()
                machines[node].synced = machines[node].written
                machines[node].syncedBase = machines[node].writtenBase
                feed(node, [.logPersisted(ticket: ticket)])
            }
            if let committed { try machines[node].ledger?.commit(to: committed) }
        } catch {
            return diskFailed(node, error)
        }
        machines[node].isDiskBusy = false
        wakeDisk(node)
    }

    private func diskFailed(_ node: Int, _ error: any Error) {
        note("n\(node) stops, its disk failed: \(error)", 14, UInt64(node))
        if !machines[node].isSuspect, !machines[node].ledgerVolume.isFull {
            oracle.violated("Disk", "n\(node): \(error)")
        }
        endProcess(node)
        events.add(.restart(node), at: now + 300_000 + random.below(500_000))
    }

    /// Does disk jobs in order. Returns what is to be reported after the sync.
    func run(
        _ node: Int, _ jobs: [Machine.DiskJob], reports: Bool
    ) throws -> (ticket: UInt64?, committed: UInt64?) {
        var ticket: UInt64?
        var committed: UInt64?
        func tell(_ input: ManagerInput) { if reports { feed(node, [input]) } }
        for job in jobs {
            guard machines[node].ledger != nil else { break }
            switch job {
            case .append(let entries, let number):
                try machines[node].ledger?.append(try entries.map { try LedgerEntry($0.bytes) })
                machines[node].written += entries.map(\.position)
                ticket = number
            case .truncate(let seqno, let number):
                // What a cut takes from the disk is not on it any more, whatever is synced later.
                try machines[node].ledger?.rollback(to: seqno)
                let keep = Int(max(seqno, machines[node].writtenBase) - machines[node].writtenBase)
                machines[node].written = Array(machines[node].written.prefix(keep))
                let syncedKeep = Int(max(seqno, machines[node].syncedBase) - machines[node].syncedBase)
                machines[node].synced = Array(machines[node].synced.prefix(syncedKeep))
                ticket = number
            case .reset(let seqno, let number):
                try machines[node].ledger?.restart(firstSeqno: seqno + 1)
                machines[node].written = []
                machines[node].writtenBase = seqno
                machines[node].synced = []
                machines[node].syncedBase = seqno
                ticket = number
                committed = nil
            case .survey:
                guard let ledger = machines[node].ledger else { break }
                for range in ledger.missing {
                    tell(.ledgerDamaged(LedgerDamage(seqnos: range, isReplaceable: true, reason: "it is missing")))
                }
                if ledger.isTailDamaged {
                    let cut = ledger.nextSeqno..<UInt64.max
                    tell(.ledgerDamaged(LedgerDamage(seqnos: cut, isReplaceable: true, reason: "it was cut off")))
                }
                tell(.ledgerFound(ledger.firstSeqno..<ledger.nextSeqno))
            case .commit(let seqno): committed = seqno
            case .read(let first, let last, let bytesMax, let purpose):
                do {
                    tell(.entries(try read(node, first, last, bytesMax), for: purpose))
                } catch {
                    tell(.ledgerDamaged(try setAside(node, first, "\(error)")))
                    tell(.entries([], for: purpose))
                }
            case .setAside(let seqno):
                tell(.ledgerDamaged(try setAside(node, seqno, "it does not verify")))
            case .restore(let range, let entries):
                try machines[node].ledger?.restore(range, entries: entries)
                tell(.chunkRestored(range))
            case .seal(let bytes, let number):
                if machines[node].ledgerVolume.isFull { throw LedgerError.storage("no space left on device") }
                machines[node].seal = bytes
                tell(.sealed(ticket: number))
            }
        }
        return (ticket, committed)
    }

    private func setAside(_ node: Int, _ seqno: UInt64, _ reason: String) throws -> LedgerDamage {
        let range = try machines[node].ledger?.setAside(chunkOf: seqno)
        return LedgerDamage(seqnos: range ?? seqno..<seqno + 1, isReplaceable: range != nil, reason: reason)
    }

    private func read(_ node: Int, _ first: UInt64, _ last: UInt64, _ bytesMax: Int) throws -> [StoredEntry] {
        guard let ledger = machines[node].ledger else { return [] }
        let end = min(last, ledger.nextSeqno - 1)
        guard first >= ledger.firstSeqno, first <= end else { return [] }
        return try ledger.read(first..<end + 1, byteCountMax: bytesMax).enumerated().map { offset, bytes in
            StoredEntry(seqno: first + UInt64(offset), bytes: bytes)
        }
    }

    // MARK: Snapshots

    func queue(_ node: Int, _ job: SnapshotJob) {
        machines[node].snapshotJobs.append(job)
        wakeSnapshots(node)
    }

    private func wakeSnapshots(_ node: Int) {
        guard !machines[node].areSnapshotsBusy else { return }
        machines[node].areSnapshotsBusy = true
        events.add(.snapshotsWork(node, life: machines[node].life), at: now + 10 + random.below(profile.syncMin + 1))
    }

    /// One job, or the next slice of the snapshot in the making.
    func workOnSnapshots(_ node: Int) {
        var reports: [SnapshotReport] = []
        if machines[node].snapshotJobs.isEmpty {
            reports = machines[node].snapshots?.advance() ?? []
        } else {
            let job = machines[node].snapshotJobs.removeFirst()
            reports = machines[node].snapshots?.perform(job) ?? []
        }
        let life = machines[node].life
        for report in reports where machines[node].life == life {
            check(report, node)
            feed(node, [.snapshot(report)])
        }
        guard machines[node].life == life else { return }
        machines[node].areSnapshotsBusy = false
        if !machines[node].snapshotJobs.isEmpty || machines[node].snapshots?.isBusy == true { wakeSnapshots(node) }
    }

    /// All nodes get the same snapshot.
    private func check(_ report: SnapshotReport, _ node: Int) {
        switch report {
        case .made(let seqno, let digest, _):
            count("snapshots")
            let own = Fingerprint.of(digest.bytes)
            note("n\(node) made a snapshot at \(seqno)", 15, UInt64(node), seqno, own)
            if let other = prefix.snapshots[seqno], other != own {
                oracle.violated("SnapshotEquality", "n\(node) makes another snapshot at \(seqno)")
            }
            prefix.snapshots[seqno] = own
        case .opened(let snapshot): note("n\(node) opened \(snapshot.name)", 16, UInt64(node), snapshot.name.seqno)
        case .stopped(let reason):
            note("n\(node) makes no more snapshots: \(reason)", 17, UInt64(node))
            if !machines[node].isSuspect, !machines[node].snapshotVolume.isFull {
                oracle.violated("Snapshots", "n\(node) makes no more: \(reason)")
            }
        case .refused(let name, let reason):
            note("n\(node) can't use \(name): \(reason)", 18, UInt64(node))
        default: break
        }
    }

    // MARK: The worker

    func bringWorker(_ node: Int) {
        events.add(
            .workerArrives(node, life: machines[node].life), at: now + 5_000 + random.below(10 * profile.workerSpread))
    }

    func openWorker(_ node: Int) {
        dropWorker(node)
        machines[node].worker = KeyValueAdapter.host(watch: watch)
        feed(node, [.workerReady])
    }

    func dropWorker(_ node: Int) {
        machines[node].workerLife += 1
        machines[node].worker = nil
        machines[node].frames = []
        machines[node].isWorkerHung = false
        machines[node].isWorkerBusy = false
    }

    func wakeWorker(_ node: Int) {
        guard machines[node].worker != nil, !machines[node].isWorkerBusy, !machines[node].isWorkerHung else {
            // Without a worker nobody takes what is sent to it.
            if machines[node].worker == nil { machines[node].frames = [] }
            return
        }
        machines[node].isWorkerBusy = true
        events.add(
            .workerServes(node, workerLife: machines[node].workerLife),
            at: now + 20 + random.below(isHealed ? 100 : profile.workerSpread))
    }

    func serveWorker(_ node: Int, _ life: Int) {
        guard machines[node].workerLife == life, let worker = machines[node].worker else { return }
        guard !machines[node].isWorkerHung else { return }
        let frames = machines[node].frames
        machines[node].frames = []
        machines[node].isWorkerBusy = false
        do {
            let asked = try frames.map { try WorkerFrame<WorkerRequest>(decoding: $0) }
            let replies = worker.handle(asked.map(\.message))
            var inputs: [ManagerInput] = []
            for (request, reply) in zip(asked, replies) {
                check(reply, node)
                let bytes = WorkerFrame(number: request.number, reply).encoded()
                inputs.append(.workerReply(try WorkerFrame<WorkerReply>(decoding: bytes)))
            }
            checkStates(node)
            guard oracle.violation == nil else { return }
            if !inputs.isEmpty { feed(node, inputs) }
        } catch {
            oracle.violated("Worker", "n\(node): \(error)")
        }
        if machines[node].workerLife == life, !machines[node].frames.isEmpty { wakeWorker(node) }
    }

    /// No request to a worker of ours may fail: it has all that came before, in order.
    private func check(_ reply: WorkerReply, _ node: Int) {
        guard case .failed(let reason) = reply, !machines[node].isSuspect else { return }
        oracle.violated("Worker", "n\(node)'s worker could not serve a request: \(reason)")
    }

    /// After the same entry all workers have the same state.
    private func checkStates(_ node: Int) {
        for (seqno, digest) in watch.seen {
            fingerprint.take(digest)
            if let other = prefix.states[seqno], other != digest {
                oracle.violated("StateMachine", "n\(node)'s state after \(seqno) is another")
            }
            prefix.states[seqno] = digest
        }
        watch.seen = []
    }
}
