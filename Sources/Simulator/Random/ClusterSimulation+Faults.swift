import Consensus

// What clients, operators, hosts and misfortune do.
extension ClusterSimulation {
    func handleFault(_ event: Event) {
        if isHealed {
            switch event {
            case .propose, .read, .heal, .checkRest, .mend: break
            default: return
            }
        }
        switch event {
        case .propose:
            if let leader = someLeader() {
                var kinds: [LogEntry.Kind] = Array(repeating: .data, count: 1 + Int(random.below(3)))
                if random.below(3) == 0 || isHealed { kinds.append(.signature) }
                propose(leader, kinds)
            }
        case .read:
            if let leader = someLeader() {
                counter += 1
                readFloors[counter] = oracle.committed.count
                step(leader, .read(id: counter))
            }
        case .crash: crashSome()
        case .partition: partition()
        case .mend(let from, let to):
            for left in from { for right in to { blocked[left][right] = max(0, blocked[left][right] - 1) } }
        case .reconfigure: reconfigure()
        case .transfer: if let leader = someLeader() { step(leader, .transferLeadership(to: nil)) }
        case .compact: compact()
        case .save:
            for node in nodes.indices {
                nodes[node].oldDisk = nodes[node].disk.crashed()
                let isSealed = nodes[node].disk.sealsSynced >= nodes[node].claimedBy
                nodes[node].oldClaim = isSealed ? nodes[node].claim : nil
            }
        case .rollback: rollBack()
        case .authorize(let node, let life):
            // Members look at the machine before they let it go on.
            if nodes[node].life == life, !nodes[node].wasRolledBack { step(node, .restartAuthorized) }
        case .heal: heal()
        case .checkRest: checkRest()
        default: break
        }
        if !isHealed || restGoal == nil { plan(event) }
    }

    private func someLeader() -> Int? {
        let leaders = nodes.indices.filter { nodes[$0].raft?.isLeader ?? false }
        return leaders.isEmpty ? nil : leaders[Int(random.below(UInt64(leaders.count)))]
    }

    private var upNodes: [Int] { nodes.indices.filter { nodes[$0].raft != nil } }

    // MARK: Crashes

    private func crashSome() {
        let up = upNodes
        guard !up.isEmpty else { return }
        let victims: [Int]
        switch random.below(8) {
        case 0: victims = up
        case 1: victims = up.filter { _ in random.below(2) == 0 }
        default: victims = [up[Int(random.below(UInt64(up.count)))]]
        }
        for victim in victims {
            crash(victim)
            events.add(.restart(victim), at: now + 10_000 + random.below(2_000_000))
        }
    }

    func crash(_ node: Int) {
        crashes += 1
        let pending = nodes[node].disk.pendingCounts
        let log = Int(random.below(UInt64(pending.log) + 1))
        let seals = Int(random.below(UInt64(pending.seals) + 1))
        let writes = nodes[node].disk.crash(keepingLog: log, seals: seals)
        crashed(node)
        recorder?.crashed(nodes[node].id, writes: writes, seals: seals)
        nodes[node].raft = nil
        nodes[node].life += 1
        note("\(nodes[node].id) crashes, keeps log to \(nodes[node].disk.lastSeqno)", 16, UInt64(node))
    }

    func restart(_ node: Int) {
        let disk = nodes[node].disk
        // A node that had promised nothing yet starts anew; a founder that had written nothing founds again.
        if disk.seal == nil, disk.lastSeqno == 0 {
            if profile.startsFromGenesis, node == 0, oracle.committed.isEmpty,
                let configuration = try? Configuration(voters: [nodes[node].id])
            {
                return startNode(node, .genesis(configuration, view: 2))
            }
            return startNode(node, .joining)
        }
        if profile.startsFromGenesis, node == 0, disk.lastSeqno == 0, oracle.committed.isEmpty,
            let configuration = try? Configuration(voters: [nodes[node].id])
        {
            return startNode(node, .genesis(configuration, view: (disk.seal?.view ?? 1) + 1))
        }
        startNode(node, disk.restart())
        events.add(.authorize(node, life: nodes[node].life), at: now + 1_000_000 + random.below(2_000_000))
    }

    /// The host puts a node's disk and seal back to an older state while it is down.
    private func rollBack() {
        let candidates = nodes.indices.filter { nodes[$0].oldDisk != nil && !nodes[$0].isRetired }
        guard !candidates.isEmpty else { return }
        let node = candidates[Int(random.below(UInt64(candidates.count)))]
        guard let old = nodes[node].oldDisk else { return }
        if nodes[node].raft != nil { crash(node) }
        let what = random.below(4)
        note(
            "\(nodes[node].id) is rolled back from \(nodes[node].disk.lastSeqno) to \(old.lastSeqno), kind \(what)", 17,
            UInt64(node), what)
        let seal = nodes[node].disk.seal
        switch what {
        case 0: nodes[node].disk = old.sealed(seal)
        case 1: nodes[node].disk = nodes[node].disk.sealed(old.seal)
        default: nodes[node].disk = old
        }
        if what != 0 { nodes[node].claim = nodes[node].oldClaim }
        nodes[node].claimedBy = 0
        nodes[node].wasRolledBack = true
        nodes[node].view = 0
        oracle.trustsDisks = false
        events.add(.restart(node), at: now + 10_000 + random.below(1_000_000))
    }

    func retire(_ node: Int) {
        note("\(nodes[node].id) is retired", 18, UInt64(node))
        // Gone for good: if anyone still needed it, the cluster would not come to rest.
        nodes[node].raft = nil
        nodes[node].isRetired = true
        nodes[node].life += 1
    }

    // MARK: Partitions

    private func partition() {
        let all = Array(nodes.indices)
        var left = all.filter { _ in random.below(2) == 0 }
        if random.below(2) == 0 { left = [all[Int(random.below(UInt64(all.count)))]] }
        // Often the leader: that is where it hurts.
        if random.below(3) == 0, let leader = someLeader() { left = [leader] }
        let right = all.filter { !left.contains($0) }
        let until = now + 50_000 + random.below(3_000_000)
        let direction = random.below(4)
        note("partition between \(left) and \(right), kind \(direction)", 19, direction)
        if direction != 0 { block(left, right, until: until) }
        if direction != 1 { block(right, left, until: until) }
    }

    private func block(_ from: [Int], _ to: [Int], until: UInt64) {
        for left in from { for right in to { blocked[left][right] += 1 } }
        events.add(.mend(from, to), at: until)
    }

    // MARK: Membership and storage

    private func reconfigure() {
        guard let leader = someLeader(), let raft = nodes[leader].raft, raft.hasCommittedInView,
            let current = raft.configurations.last?.configuration
        else { return }
        // Who was once left out never comes back: a new instance has a new id.
        let usable = nodes.indices.filter { !removed.contains(nodes[$0].id) || current.contains(nodes[$0].id) }
        var voters = current.voters
        var learners = current.learners
        switch random.below(5) {
        case 0, 1:
            if nodes.count < Self.nodesMax, usable.count < 7 { learners.append(nodes[spawn()].id) }
        case 2:
            voters += learners
            learners = []
        case 3:
            if voters.count > 1 { voters.remove(at: Int(random.below(UInt64(voters.count)))) }
        default:
            voters = usable.filter { _ in random.below(2) == 0 }.map { nodes[$0].id }
            learners = []
        }
        let policy: QuorumPolicy =
            random.below(3) == 0 ? .replication(1 + Int(random.below(UInt64(max(1, voters.count))))) : .majority
        let settled = raft.committedConfiguration?.seqno ?? 0
        guard
            let next = try? Configuration(
                voters: voters, learners: learners, policy: policy, settled: settled), next != current
        else { return }
        for id in current.voters + current.learners where !next.contains(id) { removed.insert(id) }
        reconfigurations += 1
        note("\(raft.id) proposes voters \(next.voters), learners \(next.learners), \(policy)", 20, UInt64(leader))
        propose(leader, random.below(3) == 0 ? [.configuration(next)] : [.configuration(next), .signature])
    }

    private func spawn() -> Int {
        let node = addNode()
        startNode(node, .joining)
        return node
    }

    private func compact() {
        guard !nodes.isEmpty else { return }
        let node = Int(random.below(UInt64(nodes.count)))
        guard let raft = nodes[node].raft, raft.commit <= nodes[node].disk.lastSeqno,
            let position = raft.index.position(at: raft.commit), nodes[node].disk.holds(position)
        else { return }
        let configurations = raft.index.configurations.filter { $0.seqno <= raft.commit }
        note("\(raft.id) compacts to \(position)", 21, UInt64(node))
        nodes[node].disk.compact(to: LogIndex(snapshot: position, configurations: configurations))
        step(node, .compacted(first: position.seqno + 1))
    }

    // MARK: The end

    private func heal() {
        note("all faults end", 22)
        isHealed = true
        healedAt = now
        restGoal = oracle.committed.count + 4
        for place in blocked.indices { blocked[place] = blocked[place].map { _ in 0 } }
        for node in nodes.indices where nodes[node].raft == nil && !nodes[node].isRetired { restart(node) }
        events.add(.checkRest, at: now + 500_000)
    }

    /// At rest: one leader of the newest view, the goal committed, and everyone in its configuration as far as it is.
    private func checkRest() {
        for node in upNodes where nodes[node].raft?.isRestarting ?? false && !nodes[node].wasRolledBack {
            step(node, .restartAuthorized)
        }
        if isQuiet {
            isAtRest = true
            return
        }
        if nodes.contains(where: \.wasRolledBack), now >= healedAt + Self.restWithin / 4 {
            // A disk that lost what it had shown to others may have held the only copy of something committed: then the
            // others rightly wait for their members, rather than serve a shorter history.
            refusals += 1
            isAtRest = true
            return
        }
        guard now < healedAt + Self.restWithin else {
            return oracle.violated("Liveness", "no rest within \(Self.restWithin / 1_000_000) s: " + describeNodes())
        }
        if let leader = nodes.indices.first(where: { nodes[$0].raft?.isLeader ?? false }),
            oracle.committed.count < restGoal ?? 0 || (nodes[leader].raft?.configurations.count ?? 0) > 1
        {
            propose(leader, [.data, .signature])
        }
        events.add(.checkRest, at: now + 200_000)
    }

    private var isQuiet: Bool {
        guard oracle.committed.count >= restGoal ?? .max else { return false }
        let goal = UInt64(oracle.committed.count)
        let leaders = nodes.indices.filter { nodes[$0].raft?.isLeader ?? false }
        guard leaders.count == 1, let leader = nodes[leaders[0]].raft, leader.commit == goal,
            leader.configurations.count == 1, let newest = leader.configurations.last?.configuration
        else { return false }
        return (newest.voters + newest.learners).allSatisfy { id in
            guard let node = place(of: id) else { return false }
            if nodes[node].wasRolledBack { return true }
            return nodes[node].raft?.commit == goal
        }
    }

    private func describeNodes() -> String {
        nodes.map { node in
            guard let raft = node.raft else { return "\(node.id) down\(node.isRetired ? " (retired)" : "")" }
            return "\(node.id) \(raft.role) view \(raft.view) log \(raft.last) durable \(raft.durable)"
                + " commit \(raft.commit) signature \(raft.index.lastSignature) barrier \(raft.barrier)\(raft.isRestarting ? " restarting" : "")\(raft.isRefusing ? " refusing" : "")"
                + " \(raft.configurations.map { "\($0.seqno):\($0.configuration.voters)/\($0.configuration.learners)" })"
        }.joined(separator: "; ")
    }
}
