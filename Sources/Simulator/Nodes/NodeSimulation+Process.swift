import AdapterKit
import Consensus
import Ledger
import Manager

// One node's process: how it starts and stops, what it is told, and what it wants done.
extension NodeSimulation {
    func handle(_ event: Event) {
        switch event {
        case .deliver(let to, _, _, _), .connected(let to, _, _, _), .disconnected(let to, _, _), .tick(let to),
            .diskBegins(let to, _), .diskSynced(let to, _, _, _), .snapshotsWork(let to, _), .workerArrives(let to, _),
            .workerServes(let to, _), .request(let to, _):
            // A process that stands still finds all that came meanwhile when it goes on.
            if machines[to].pausedUntil > now { return events.add(event, at: machines[to].pausedUntil) }
        default: break
        }
        switch event {
        case .deliver(let to, let from, let channel, let bytes): deliver(bytes, to: to, from: from, channel)
        case .connected(let node, let peer, let life, let channel): connected(node, peer, life, channel)
        case .disconnected(let node, let peer, let channel): disconnected(node, peer, channel)
        case .tick(let node):
            guard machines[node].nextTick <= now else { return }
            machines[node].nextTick = .max
            feed(node, [.tick])
        case .diskBegins(let node, let life): if machines[node].life == life { beginDisk(node) }
        case .diskSynced(let node, let life, let ticket, let committed):
            if machines[node].life == life { endDisk(node, ticket, committed) }
        case .snapshotsWork(let node, let life): if machines[node].life == life { workOnSnapshots(node) }
        case .workerArrives(let node, let life):
            guard machines[node].life == life, machines[node].manager != nil else { return }
            openWorker(node)
        case .workerServes(let node, let life): serveWorker(node, life)
        case .request(let node, let request): take(request, at: node)
        case .response(let token, let response): receive(token, response)
        case .timeout(let token): timeOut(token)
        case .think(let client): think(client)
        case .restart(let node): if machines[node].manager == nil { startProcess(node) }
        case .stopped(let node, let life): if machines[node].life == life { finishStop(node) }
        case .checkGrowth: checkGrowth()
        default: handleFault(event)
        }
    }

    // MARK: Life

    func startProcess(_ node: Int) {
        machines[node].life += 1
        machines[node].bootedAt = now
        machines[node].nextTick = .max
        do {
            let ledger = try LedgerFiles(
                opening: VolumeStorage(volume: machines[node].ledgerVolume), firstSeqno: nil,
                chunkByteCount: profile.chunkBytes)
            let sealed = try SealedState(decoding: machines[node].seal)
            let start: ManagerStart =
                !sealed.networkKey.isEmpty ? .restart(sealed) : node == 0 ? .found : .join(sealed)
            let secret = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
            let snapshots = try SnapshotFiles(
                VolumeStorage(volume: machines[node].snapshotVolume), secret: secret, frameByteCount: 2_048,
                runByteCount: 1_024)
            try mirror(node, ledger)
            machines[node].manager = try Manager(
                settings: settings(node), node: machines[node].node, constitution: constitution, start: start,
                random: SimulatedRandomness(random: SplitMix64(seed: random.next())))
            machines[node].ledger = ledger
            machines[node].snapshots = snapshots
            for line in ledger.healing { note("n\(node) mends: \(line)", 2, UInt64(node)) }
        } catch {
            note("n\(node) can't start: \(error)", 3, UInt64(node))
            if !machines[node].isSuspect, !machines[node].ledgerVolume.isFull {
                oracle.violated("Start", "n\(node) can't start: \(error)")
            }
            events.add(.restart(node), at: now + 1_000_000)
            return
        }
        machines[node].committed = 0
        machines[node].ledView = 0
        machines[node].view = 0
        let last = machines[node].logBase + UInt64(machines[node].log.count)
        note("n\(node) starts with entries to \(last)", 4, UInt64(node))
        feed(node, [.begin])
        bringWorker(node)
    }

    private func settings(_ node: Int) -> ManagerSettings {
        var settings = ManagerSettings()
        settings.address = Self.address(node)
        settings.snapshotPartBytes = 900
        settings.snapshotPartTimeoutMicroseconds = 500_000
        settings.entryWindowBytes = profile.windowBytes
        settings.requestTimeoutMicroseconds = 3_000_000
        settings.workerSilenceMicroseconds = 1_000_000
        settings.faults = faults
        settings.raftFaults = raftFaults
        return settings
    }

    /// What the files hold is the log that the process starts with.
    private func mirror(_ node: Int, _ ledger: LedgerFiles<VolumeStorage>) throws {
        machines[node].logBase = ledger.firstSeqno - 1
        machines[node].log = []
        var isSafe = true
        machines[node].synced = []
        machines[node].syncedBase = machines[node].logBase
        let volume = machines[node].ledgerVolume
        let chunks = volume.names.compactMap { ChunkName($0) }.sorted { $0.start < $1.start }
        for seqno in ledger.firstSeqno..<ledger.nextSeqno {
            let bytes: [UInt8]
            do { bytes = try ledger.read(seqno) } catch {
                // A node that starts from a snapshot does not notice.
                if !machines[node].isSuspect { oracle.violated("Disk", "n\(node) has lost entry \(seqno): \(error)") }
                bytes = []
            }
            let id = try? LedgerEntry(bytes).id
            let position = LogPosition(view: id?.view ?? 0, seqno: seqno)
            if id == nil { isSafe = false }
            machines[node].log.append(.init(position: position, digest: Fingerprint.of(bytes), bytes: bytes))
            if let chunk = chunks.last(where: { $0.start <= seqno }), !volume.isSynced(chunk.fileName) {
                isSafe = false
            }
            if isSafe { machines[node].synced.append(position) }
        }
        machines[node].written = machines[node].log.map(\.position)
        machines[node].writtenBase = machines[node].logBase
    }

    /// The process ends at once. Peers notice sooner or later.
    func kill(_ node: Int, takingPower: Bool) {
        guard machines[node].manager != nil else { return }
        crashes += 1
        note("n\(node) is killed\(takingPower ? ", power and all" : "")", 5, UInt64(node), takingPower ? 1 : 0)
        if !takingPower, !machines[node].isDiskBusy {
            // Its disk thread may have been quicker than the kill.
            let done = Int(random.below(UInt64(machines[node].jobs.count) + 1))
            _ = try? run(node, Array(machines[node].jobs.prefix(done)), reports: false)
        }
        endProcess(node)
        if takingPower { failPower(node) }
    }

    func failPower(_ node: Int) {
        machines[node].ledgerVolume.failPower()
        machines[node].snapshotVolume.failPower()
        if let seal = machines[node].sealTruth {
            // What a lying disk has lost, peers may know.
            machines[node].isSuspect = true
            machines[node].seal = seal
        }
    }

    func endProcess(_ node: Int) {
        machines[node].life += 1
        machines[node].workerLife += 1
        machines[node].manager = nil
        machines[node].ledger = nil
        machines[node].snapshots = nil
        machines[node].worker = nil
        machines[node].isWorkerHung = false
        machines[node].isWorkerBusy = false
        machines[node].frames = []
        machines[node].jobs = []
        machines[node].isDiskBusy = false
        machines[node].snapshotJobs = []
        machines[node].areSnapshotsBusy = false
        machines[node].pausedUntil = 0
        machines[node].isServing = false
        for peer in machines.indices where channels[node][peer] != 0 {
            let channel = channels[node][peer]
            channels[node][peer] = 0
            events.add(.disconnected(peer, from: node, channel: channel), at: now + 1_000 + random.below(400_000))
        }
    }

    // MARK: Steps

    /// Gives the manager inputs that came together, does what it wants, checks what it is.
    func feed(_ node: Int, _ inputs: [ManagerInput]) {
        guard machines[node].manager != nil else { return }
        steps += inputs.count
        let life = machines[node].life
        let clock = machines[node].clock(at: now)
        let effects = machines[node].manager?.handle(inputs, at: clock) ?? []
        for effect in effects where machines[node].life == life && oracle.violation == nil { perform(effect, node) }
        guard machines[node].life == life, oracle.violation == nil else { return }
        examine(node, clock)
        guard let deadline = machines[node].manager?.deadline, deadline < .max else { return }
        let at = now + machines[node].wait(until: deadline, at: now)
        if at < machines[node].nextTick {
            machines[node].nextTick = at
            events.add(.tick(node), at: at)
        }
    }

    private func perform(_ effect: ManagerEffect, _ node: Int) {
        switch effect {
        case .respond(let token, let response): answer(token, response)
        case .send(let peer, let bytes): if let to = place(of: peer) { transmit(bytes, from: node, to: to) }
        case .dial(let address):
            if let to = machines.indices.first(where: { Self.address($0) == address }) { dial(node, to) }
        case .disconnect(let peer, let reason):
            oracle.violated("Protocol", "n\(node) closes its channel to \(place(of: peer) ?? -1): \(reason)")
        case .worker(let frame):
            machines[node].frames.append(frame.encoded())
            wakeWorker(node)
        case .restartWorker(let reason):
            note("n\(node) ends its worker: \(reason)", 6, UInt64(node))
            if !machines[node].isSuspect, !machines[node].isWorkerHung {
                oracle.violated("Worker", "n\(node) ends its worker: \(reason)")
            }
            dropWorker(node)
            bringWorker(node)
        case .append(let entries, let ticket):
            for entry in entries { append(entry, node) }
            queue(node, .append(entries, ticket: ticket))
        case .truncate(let seqno, let ticket):
            note("n\(node) truncates to \(seqno)", 7, UInt64(node), seqno)
            if seqno < machines[node].committed {
                oracle.violated(
                    "CommittedLogAppendOnly", "n\(node) truncates to \(seqno), committed \(machines[node].committed)")
            }
            machines[node].cutLog(to: seqno)
            queue(node, .truncate(to: seqno, ticket: ticket))
        case .resetLog(let seqno, let ticket):
            note("n\(node) begins its log after \(seqno)", 8, UInt64(node), seqno)
            machines[node].log = []
            machines[node].logBase = seqno
            queue(node, .reset(to: seqno, ticket: ticket))
        case .surveyLedger: queue(node, .survey)
        case .snapshot(let job): queue(node, job)
        case .read(let first, let last, let bytesMax, let purpose):
            queue(node, .read(first: first, last: last, bytesMax: bytesMax, for: purpose))
        case .seal(let bytes, let ticket): queue(node, .seal(bytes, ticket: ticket))
        case .committed(let seqno): queue(node, .commit(seqno: seqno))
        case .setAsideChunk(let seqno): queue(node, .setAside(seqno: seqno))
        case .restoreChunk(let range, let entries): queue(node, .restore(range, entries))
        case .ask(let request): oracle.violated("Protocol", "n\(node) asks outside: \(request.number)")
        case .checkSessions, .offerConstitution: break
        case .serve: machines[node].isServing = true
        case .log(let line): log(line, node)
        case .halt(let reason): oracle.violated("Halt", "n\(node): \(reason)")
        }
    }

    private func log(_ line: LogLine, _ node: Int) {
        let fields = line.fields.map { " \($0.name)=\($0.value.prefix(80))" }.joined()
        note("n\(node) says: \(line.message)\(fields)", 9, UInt64(node), Fingerprint.of(line.message.utf8))
        guard !machines[node].isSuspect else { return }
        switch line.message {
        case "this node's snapshot differs from the primary's; it makes no more until it is started again",
            "a snapshot of this node can't be used", "a worker can't be restored from a snapshot",
            "a snapshot gets no receipt", "a peer sent a malformed message",
            "a peer sent a malformed consensus message",
            "a membership change can't be proposed":
            oracle.violated("Log", "n\(node) says: \(line.message)\(fields)")
        default: break
        }
    }

    private func append(_ entry: LogEntry, _ node: Int) {
        let machine = machines[node]
        let base = machine.manager?.raft?.index.base ?? .zero
        let previous = machine.log.last?.position ?? (machine.logBase == base.seqno ? base : .zero)
        oracle.appended(entry, after: previous, by: "n\(node)")
        let digest = Fingerprint.of(entry.bytes)
        machines[node].log.append(.init(position: entry.position, digest: digest, bytes: entry.bytes))
        note("n\(node) appends \(entry.position) \(Self.word(entry.kind))", 10, UInt64(node), entry.seqno, digest)
    }

    private static func word(_ kind: LogEntry.Kind) -> String {
        switch kind {
        case .data: "data"
        case .signature: "signature"
        case .configuration(let configuration): "configuration of \(configuration.voters.count) voters"
        }
    }

    // MARK: What must hold

    private func examine(_ node: Int, _ clock: ClockReading) {
        guard let manager = machines[node].manager else { return }
        if case .stopped(let reason) = manager.phase, !machines[node].hasRefused {
            machines[node].hasRefused = true
            rollbacksRecognised += 1
            note("n\(node) stops: \(reason)", 11, UInt64(node))
            if !machines[node].isSuspect { oracle.violated("Stop", "n\(node) stops: \(reason)") }
        }
        guard let raft = manager.raft, !raft.isRefusing else { return }
        if raft.view < machines[node].view {
            oracle.violated("MonoTerm", "n\(node) goes from view \(machines[node].view) to \(raft.view)")
        }
        machines[node].view = raft.view
        if raft.isLeader, raft.view != machines[node].ledView {
            machines[node].ledView = raft.view
            elections += 1
            note("n\(node) leads view \(raft.view)", 12, UInt64(node), raft.view)
            oracle.becameLeader(raft)
        }
        // An own clock that was set back says nothing about what was taken before.
        if !raft.isLeader, manager.ledgerTime > Self.epoch + now / 1_000 + Self.clockBoundMilliseconds + 3_500 {
            oracle.violated(
                "LedgerTime", "n\(node) took time \(manager.ledgerTime) at \(clock.wall), beyond every clock's bound")
        }
        commit(node, raft)
    }

    /// Entries that became committed here must be those that all others committed, byte for byte.
    private func commit(_ node: Int, _ raft: Raft) {
        let from = machines[node].committed
        guard raft.commit != from else { return }
        note("n\(node) commits \(raft.commit)", 13, UInt64(node), raft.commit)
        let machines = machines
        let known = from == 0 ? min(raft.commit, UInt64(prefix.entries.count)) : from
        oracle.committed(raft, from: known, to: raft.commit) { id, position in
            machines.first { $0.node.id == id }?.holds(position) ?? false
        }
        var seqno = max(from, machines[node].logBase)
        while seqno < raft.commit, oracle.violation == nil {
            seqno += 1
            guard let entry = machines[node].entry(at: seqno) else {
                return oracle.violated("CommittedPrefix", "n\(node) commits \(seqno) without its bytes")
            }
            if seqno <= UInt64(prefix.entries.count) {
                let other = prefix.entries[Int(seqno) - 1]
                if other.digest != entry.digest, !entry.bytes.isEmpty {
                    oracle.violated(
                        "CommittedPrefix", "n\(node) commits \(entry.position), others another \(other.position)")
                }
            } else {
                prefix.entries.append(entry)
            }
        }
        self.machines[node].committed = raft.commit
    }
}
