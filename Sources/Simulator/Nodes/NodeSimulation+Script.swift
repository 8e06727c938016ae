import Consensus
import Identity
package import Ledger
import Manager

// Networks without faults of their own, for scripts that bring one fault after the other.
extension NodeProfile {
    /// Nothing happens by itself.
    static func quiet(nodes: Int, replication: UInt32?) -> NodeProfile {
        var random = SplitMix64(seed: 1)
        var profile = NodeProfile(&random)
        profile.leave(out: Trouble(rawValue: .max))
        profile.nodes = nodes
        profile.replication = replication
        profile.isStream = true
        (profile.delayMin, profile.delaySpread) = (500, 500)
        (profile.syncMin, profile.syncSpread, profile.workerSpread) = (500, 500, 500)
        (profile.clients, profile.keys) = (1, 1)
        (profile.snapshotInterval, profile.chunkBytes) = (10_000, 5_000_000)
        (profile.electionTimeoutMilliseconds, profile.batchMax, profile.signatureEntriesMax) = (300, 100, 16)
        return profile
    }
}

extension NodeSimulation {
    /// A network that has grown to so many nodes; nil if it does not.
    /// - Parameters:
    ///   - replication: nodes that must have an entry on disk; nil for a majority.
    ///   - delays: microseconds from each node to each.
    package static func script(
        nodes: Int, replication: UInt32? = nil, delays: [[UInt64]] = []
    ) -> NodeSimulation? {
        var profile = NodeProfile.quiet(nodes: nodes, replication: replication)
        if !delays.isEmpty {
            // Elections must not overtake messages.
            (profile.delaySpread, profile.electionTimeoutMilliseconds) = (50, 2_000)
        }
        let simulation = NodeSimulation(
            SimulationPlan(seed: 1, model: .nodes), profile, SplitMix64(seed: UInt64(nodes)), keepsTrace: true,
            faults: [], raftFaults: [])
        simulation.delays = delays
        simulation.statuses = [:]
        SigningKey.withDerivedNonces { simulation.start() }
        return simulation.advance(milliseconds: 30_000) { simulation.isGrown } ? simulation : nil
    }

    /// Lets time go by until something holds; whether it did.
    @discardableResult
    package func advance(milliseconds: UInt64, until condition: () -> Bool = { false }) -> Bool {
        let end = now + milliseconds * 1_000
        return SigningKey.withDerivedNonces {
            while oracle.violation == nil, !condition(), let event = events.next() {
                guard event.time <= end else {
                    events.add(event.payload, at: event.time)
                    now = end
                    return condition()
                }
                now = event.time
                handle(event.payload)
            }
            return condition()
        }
    }

    /// The first rule that was broken.
    package var violation: String? { oracle.violation }

    /// The nodes may lose a part of their history from now on.
    package func expectLoss() { oracle.isSilent = true }

    /// Adds 1 at a node; the transaction when it is acknowledged, nil if it is not in time.
    package func write(at node: Int, milliseconds: UInt64 = 5_000) -> TransactionID? {
        let number = history.operations.count
        history.operations.append(
            .init(
                kind: .write(.add(key: 0, 1)), client: 0, requestID: KeyValueOperation.bytes(UInt64(number)),
                floor: history.acknowledged))
        clients[0].operation = number
        attempt(number, at: node)
        advance(milliseconds: milliseconds) { !history.operations[number].claims.isEmpty }
        clients[0].operation = nil
        return history.operations[number].claims.first?.id
    }

    /// The HTTP status of a read that asks for at least a transaction; 0 without an answer in time.
    package func read(at node: Int, atLeast: TransactionID, milliseconds: UInt64 = 10_000) -> Int {
        let number = history.operations.count
        history.operations.append(
            .init(
                kind: .read(key: 0), client: 0, requestID: nil, floor: history.acknowledged, atLeast: atLeast))
        let token = history.nextToken
        attempt(number, at: node)
        advance(milliseconds: milliseconds) { statuses?[token] != nil }
        return statuses?[token] ?? 0
    }

    /// The node that leads, as far as one does.
    package var leaderNode: Int? { machines.firstIndex { $0.manager?.isLeading == true } }

    /// Why a node has stopped; nil if it has not.
    package func refusal(of node: Int) -> String? {
        if case .stopped(let reason)? = machines[node].manager?.phase { return reason }
        return nil
    }

    /// Whether a node serves clients.
    package func isActive(_ node: Int) -> Bool { machines[node].manager?.phase == .active }

    /// From now on a disk keeps nothing of what it says it has synced.
    package func lie(_ node: Int) {
        machines[node].ledgerVolume.beginToLie()
        machines[node].snapshotVolume.beginToLie()
        machines[node].sealTruth = machines[node].seal
        machines[node].isSuspect = true
        oracle.trustsDisks = false
    }

    /// Nodes lose their power, or just their processes.
    package func stop(_ nodes: [Int], takingPower: Bool) {
        for node in nodes { kill(node, takingPower: takingPower) }
    }

    /// A node that is down loses the files of its ledger, not its seal.
    package func destroyLedger(of node: Int) {
        machines[node].ledgerVolume.restore([:])
        machines[node].isSuspect = true
        oracle.trustsDisks = false
    }

    /// Nodes start again.
    package func restart(_ nodes: [Int]) {
        SigningKey.withDerivedNonces { for node in nodes { startProcess(node) } }
    }

    /// A node hears nobody and is heard by nobody, or is back.
    package func isolate(_ node: Int, _ isIsolated: Bool) {
        for other in machines.indices where other != node {
            blocked[node][other] = isIsolated ? 1 : 0
            blocked[other][node] = isIsolated ? 1 : 0
        }
    }

    /// Holds what clients were told against the ledger; the first rule that is broken.
    package func judge() -> String? {
        judgeHistory()
        return oracle.violation
    }
}
