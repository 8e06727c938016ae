import Consensus
import Ledger
import Manager

// What hosts, operators and misfortune do, and how it ends.
extension NodeSimulation {
    func planFaults() {
        for event in [
            Event.crash, .partition, .pause, .crashWorker, .fillDisk, .jumpClock, .stop,
        ] { plan(event) }
        let half = faultMicroseconds / 2
        if profile.rotOnce { events.add(.rot, at: now + half / 2 + random.below(half + 1)) }
        if profile.rollbackOnce {
            events.add(.save, at: now + random.below(half + 1))
            events.add(.rollback, at: now + half + random.below(half / 2 + 1))
        }
        if profile.lieOnce {
            events.add(.lie, at: now + random.below(half + 1))
            events.add(.failLiar, at: now + half + random.below(half / 2 + 1))
        }
    }

    private func plan(_ event: Event) {
        let mean: UInt64?
        switch event {
        case .crash: mean = profile.crashEvery
        case .partition: mean = profile.partitionEvery
        case .pause: mean = profile.pauseEvery
        case .crashWorker: mean = profile.workerCrashEvery
        case .fillDisk: mean = profile.fullDiskEvery
        case .jumpClock: mean = profile.clockJumpEvery
        case .stop: mean = profile.transferEvery
        default: mean = nil
        }
        if let mean { events.add(event, at: around(mean)) }
    }

    func handleFault(_ event: Event) {
        switch event {
        case .mend(let from, let to):
            for left in from { for right in to { blocked[left][right] = max(0, blocked[left][right] - 1) } }
            return
        case .freeDisk(let node):
            machines[node].ledgerVolume.isFull = false
            machines[node].snapshotVolume.isFull = false
            return
        case .heal: return heal()
        case .checkRest: return checkRest()
        default: break
        }
        guard !isHealed else { return }
        switch event {
        case .crash: crashSome()
        case .partition: partition()
        case .pause: pause()
        case .crashWorker: crashWorker()
        case .fillDisk: fillDisk()
        case .jumpClock: jumpClock()
        case .stop: stopSome()
        case .rot: rot()
        case .save: saved = machines.map(\.backup)
        case .rollback: rollBack()
        case .lie: beginToLie()
        case .flush: flush()
        case .failLiar: failLiar()
        default: break
        }
        plan(event)
    }

    private var up: [Int] { machines.indices.filter { machines[$0].manager != nil } }

    private func some(_ nodes: [Int]) -> Int? { nodes.isEmpty ? nil : nodes[Int(random.below(UInt64(nodes.count)))] }

    private var leader: Int? { some(up.filter { machines[$0].manager?.isLeading == true }) }

    // MARK: Processes

    private func crashSome() {
        let victims: [Int]
        switch random.below(8) {
        case 0: victims = up
        case 1: victims = up.filter { _ in random.below(2) == 0 }
        case 2, 3: victims = leader.map { [$0] } ?? []
        default: victims = some(up).map { [$0] } ?? []
        }
        for victim in victims {
            let takesPower = random.below(100) < profile.powerPercent
            count(takesPower ? "power failures" : "kills")
            kill(victim, takingPower: takesPower)
            events.add(.restart(victim), at: now + 10_000 + random.below(1_500_000))
        }
    }

    /// A clean stop: the node hands its leadership over and finishes what its disk has to do.
    private func stopSome() {
        guard let node = some(up) else { return }
        count("clean stops")
        note("n\(node) is told to stop", 40, UInt64(node))
        feed(node, [.shutdown])
        events.add(.stopped(node, life: machines[node].life), at: now + 50_000 + random.below(200_000))
    }

    func finishStop(_ node: Int) {
        guard machines[node].manager != nil else { return }
        if !machines[node].isDiskBusy {
            let (ticket, _) = (try? run(node, machines[node].jobs, reports: false)) ?? (nil, nil)
            if ticket != nil { try? machines[node].ledger?.sync() }
        }
        endProcess(node)
        events.add(.restart(node), at: now + 10_000 + random.below(500_000))
    }

    private func pause() {
        guard let node = some(up) else { return }
        count("pauses")
        let time = 100_000 + random.below(3_000_000)
        note("n\(node) stands still for \(time / 1000) ms", 41, UInt64(node), time)
        machines[node].pausedUntil = now + time
    }

    private func crashWorker() {
        guard let node = some(up.filter { machines[$0].worker != nil }) else { return }
        if random.below(5) == 0 {
            count("worker hangs")
            note("n\(node)'s worker hangs", 42, UInt64(node))
            machines[node].isWorkerHung = true
        } else {
            count("worker crashes")
            note("n\(node)'s worker dies", 43, UInt64(node))
            dropWorker(node)
            feed(node, [.workerDied(reason: "it died")])
            bringWorker(node)
        }
    }

    // MARK: Disks

    private func fillDisk() {
        guard let node = some(Array(machines.indices)), !machines[node].ledgerVolume.isFull else { return }
        count("full disks")
        note("n\(node)'s disk is full", 44, UInt64(node))
        machines[node].ledgerVolume.isFull = true
        machines[node].snapshotVolume.isFull = true
        events.add(.freeDisk(node), at: now + 300_000 + random.below(1_500_000))
    }

    /// One disk at most is not to be trusted; what it holds proves nothing from then on.
    private func suspect(_ node: Int) {
        machines[node].isSuspect = true
        oracle.trustsDisks = false
    }

    private func rot() {
        guard let node = some(Array(machines.indices)), rotten == nil else { return }
        let isSnapshot = random.below(3) == 0
        let volume = isSnapshot ? machines[node].snapshotVolume : machines[node].ledgerVolume
        let files = volume.names.filter { !$0.hasSuffix(".ignored") }
        guard !files.isEmpty else { return }
        let file = files[Int(random.below(UInt64(files.count)))]
        guard let bytes = try? volume.bytes(of: file), !bytes.isEmpty else { return }
        let offset = Int(random.below(UInt64(bytes.count)))
        let bit = UInt8(random.below(8))
        count("rotten bits")
        note("a bit of \(file) of n\(node) rots at \(offset)", 45, UInt64(node), UInt64(offset))
        volume.rot(file, at: offset, bit: bit)
        rotten = (node, file, offset, bit, isSnapshot)
        suspect(node)
    }

    /// The host puts a node's files back to an older state.
    private func rollBack() {
        guard let node = some(Array(machines.indices)), saved.indices.contains(node) else { return }
        count("rollbacks")
        let kind = random.below(4)
        note("n\(node) is rolled back, kind \(kind)", 46, UInt64(node), kind)
        kill(node, takingPower: false)
        if kind != 1 {
            machines[node].ledgerVolume.restore(saved[node].ledger)
            machines[node].snapshotVolume.restore(saved[node].snapshots)
        }
        if kind != 0 { machines[node].seal = saved[node].seal }
        machines[node].view = 0
        suspect(node)
        events.add(.restart(node), at: now + 10_000 + random.below(500_000))
    }

    private func beginToLie() {
        guard let node = some(Array(machines.indices)) else { return }
        liar = node
        note("n\(node)'s disk begins to lie", 47, UInt64(node))
        machines[node].ledgerVolume.beginToLie()
        machines[node].snapshotVolume.beginToLie()
        machines[node].sealTruth = machines[node].seal
        oracle.trustsDisks = false
        events.add(.flush, at: now + 100_000)
    }

    private func flush() {
        guard let liar else { return }
        // Seldom enough to have something to lose.
        if random.below(4) == 0 {
            machines[liar].ledgerVolume.flush()
            machines[liar].snapshotVolume.flush()
            machines[liar].sealTruth = machines[liar].seal
        }
        events.add(.flush, at: now + 100_000)
    }

    /// The power of the liar fails, often that of all.
    private func failLiar() {
        guard let liar else { return }
        count("lies found out")
        let victims = random.below(2) == 0 ? Array(machines.indices) : [liar]
        for node in victims {
            if machines[node].manager != nil { kill(node, takingPower: true) } else { failPower(node) }
            events.add(.restart(node), at: now + 10_000 + random.below(1_000_000))
        }
        suspect(liar)
        machines[liar].view = 0
    }

    // MARK: Clocks and partitions

    private func jumpClock() {
        guard let node = some(Array(machines.indices)) else { return }
        count("clock jumps")
        machines[node].wallOffset = wallOffset(random.below(3) == 0 ? 7_000 : profile.wallSpread)
        note("n\(node)'s clock is \(machines[node].wallOffset) ms ahead", 48, UInt64(node))
    }

    private func partition() {
        let all = Array(machines.indices)
        var left = all.filter { _ in random.below(2) == 0 }
        if random.below(2) == 0 { left = [all[Int(random.below(UInt64(all.count)))]] }
        if random.below(3) == 0, let leader { left = [leader] }
        let right = all.filter { !left.contains($0) }
        let until = now + 50_000 + random.below(2_500_000)
        let direction = random.below(4)
        count("partitions")
        note("partition between \(left) and \(right), kind \(direction)", 49, direction)
        if direction != 0 { block(left, right, until: until) }
        if direction != 1 { block(right, left, until: until) }
        if random.below(3) == 0 {
            for one in left { for other in right { breakChannel(one, other, within: 2_000_000) } }
        }
    }

    private func block(_ from: [Int], _ to: [Int], until: UInt64) {
        for left in from { for right in to { blocked[left][right] += 1 } }
        events.add(.mend(from, to), at: until)
    }

    // MARK: The end

    private func heal() {
        note("all faults end", 50)
        isHealed = true
        healedAt = now
        liar = nil
        for place in blocked.indices { blocked[place] = blocked[place].map { _ in 0 } }
        for node in machines.indices {
            machines[node].ledgerVolume.isFull = false
            machines[node].snapshotVolume.isFull = false
            machines[node].pausedUntil = 0
            machines[node].wallOffset = 0
            // Whoever hangs is killed by its operator.
            if machines[node].isWorkerHung, machines[node].manager != nil {
                dropWorker(node)
                feed(node, [.workerDied(reason: "it hung")])
                bringWorker(node)
            }
            if machines[node].manager == nil {
                // An operator who knows that a disk is bad does not use it.
                events.add(.restart(node), at: now + 1_000)
            }
        }
        events.add(.checkRest, at: now + 500_000)
    }

    /// Nodes that must be there in the end: all whose disks are what they were.
    private var sound: [Int] { machines.indices.filter { !machines[$0].isSuspect } }

    private func checkRest() {
        let quorum = Int(profile.replication ?? UInt32(profile.nodes / 2 + 1))
        if sound.count < quorum {
            // The others rightly wait rather than go on without what only the bad disk may have.
            if now > healedAt + 10_000_000 {
                refusals += 1
                isAtRest = true
            } else {
                events.add(.checkRest, at: now + 500_000)
            }
            return
        }
        guard now < healedAt + Self.restWithin else {
            let waiting = clients.compactMap(\.operation)
            return oracle.violated(
                "Liveness",
                "no rest within \(Self.restWithin / 1_000_000) s, operations \(waiting) wait: " + describeNodes())
        }
        if isQuiet {
            if hasAskedFinalReads {
                if finalReads.isEmpty { isAtRest = true }
            } else {
                hasAskedFinalReads = true
                askFinalReads(sound)
            }
        }
        events.add(.checkRest, at: now + 100_000)
    }

    /// Every client has got what it asked for, and all nodes have it.
    private var isQuiet: Bool {
        guard clients.allSatisfy({ $0.operation == nil && $0.doneAfterHeal >= 3 }) else { return false }
        let goal = UInt64(prefix.entries.count)
        guard sound.count(where: { machines[$0].manager?.isLeading == true }) <= 1 else { return false }
        return sound.allSatisfy { node in
            guard let manager = machines[node].manager, manager.answersReads, manager.isMember else { return false }
            return manager.raft?.commit == goal && machines[node].log.last?.position.seqno == goal
        }
    }
}
