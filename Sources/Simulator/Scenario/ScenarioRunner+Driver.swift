import Consensus

/// The commands of CCF's Raft driver (`tests/raft_scenarios`), one a line, words separated by commas, so that such files
/// run here line by line. They print nothing but the states that they ask for, and `FAILED` where an assertion does not
/// hold.
///
/// | command | does |
/// |---|---|
/// | `start_node,N`, `nodes,N,…`, `create_new_node,N` | a founder with its configuration; a founded network; a joiner |
/// | `trust_node(s),VIEW,N,…`, `swap_node(s),VIEW,in,N,…,out,N,…`, `replicate_new_configuration,VIEW,N,…` | propose a configuration at the leader of VIEW, if there is one |
/// | `cleanup_nodes,VIEW,N,…` | settle the last committed configuration |
/// | `replicate,VIEW,TEXT`, `emit_signature,VIEW` | one entry at the leader of VIEW |
/// | `periodic_one,N,MS`, `periodic_all,MS` | the clock of one node, or of each |
/// | `dispatch_one,N`, `dispatch_all`, `dispatch_all_once`, `dispatch_single,FROM,TO` | deliver |
/// | `drop_pending,FROM`, `drop_pending_to,FROM,TO`, `shuffle_one,FROM`, `shuffle_all` | messages on their way |
/// | `connect`, `reconnect`, `disconnect` with `A,B`; `disconnect_node,N`, `reconnect_node,N` | links, both ways |
/// | `state_one,N`, `state_all`, `summarise_log,N`, `summarise_logs_all` | print |
/// | `assert_is_primary,N`, `assert_is_backup,N`, `assert_is_candidate,N`, `assert_detail,N,KEY,VALUE`, `assert_!detail,…` | role; keys: leadership_state, current_view, membership_state, primary_id, retirement_phase |
/// | `assert_commit_idx,N,SEQNO`, `assert_commit_safety,N`, `assert_state_sync` | commit points and logs |
/// | `assert_config,N,SEQNO,N,…`, `assert_absent_config,N,SEQNO` | active configurations |
/// | `assert_is_retired,N` | not among the voters any more |
/// | `nominate_successor,N` | hand the leadership over |
/// | `summarise_messages,FROM,TO` | print what is on its way |
/// | `loop_until_sync` | let time go by until all voters agree, at most a minute |
/// | `pre_vote_enabled,true` | nothing: candidates always ask first |
/// | `====…` | the rest of the file is not run |
///
/// docs/scenarios.md has this table with what each command means here. What differs: all nodes are connected until they are disconnected; a node that hears its leader refuses a candidate
/// (the clocks of its voters have to go on too); timeouts are exactly 100 ms, heartbeats 10 ms.
extension ScenarioRunner {
    static let driverCommands: Set<String> = [
        "start_node", "nodes", "create_new_node", "trust_node", "trust_nodes", "swap_node", "swap_nodes",
        "replicate_new_configuration", "cleanup_nodes", "replicate", "emit_signature", "periodic_one", "periodic_all",
        "dispatch_one", "dispatch_all", "dispatch_all_once", "dispatch_single", "drop_pending", "drop_pending_to",
        "shuffle_one", "shuffle_all", "connect", "reconnect", "disconnect", "disconnect_node", "reconnect_node",
        "state_one", "state_all", "summarise_log", "summarise_logs_all", "assert_is_primary", "assert_is_backup",
        "assert_is_candidate", "assert_detail", "assert_!detail", "assert_commit_idx", "assert_commit_safety",
        "assert_state_sync", "assert_config", "assert_absent_config", "assert_is_retired", "loop_until_sync",
        "nominate_successor", "summarise_messages", "pre_vote_enabled",
    ]

    /// The words of a driver command; nil if the line is none.
    static func driverWords(_ line: String) -> [String]? {
        let code = line.prefix { $0 != "#" }.split(separator: " ").joined(separator: " ")
        let words = code.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard let name = words.first, driverCommands.contains(name) else { return nil }
        return words
    }

    /// Runs a driver command; returns what it prints.
    mutating func drive(_ words: [String]) -> [String] {
        let arguments = Array(words.dropFirst())
        let first = arguments.first ?? ""
        let second = arguments.dropFirst().first ?? ""
        switch words[0] {
        case "start_node":
            useDriverTimes()
            network.found(by: first)
            if let founding = network[first]?.raft?.configurations.last?.configuration {
                network.propose(first, [.configuration(founding)])
            }
        case "nodes":
            useDriverTimes()
            if let configuration = try? Configuration(voters: arguments) { network.begin(configuration) }
        case "create_new_node": network.join(first)
        case "trust_node", "trust_nodes": reconfigure(first, joining: Array(arguments.dropFirst()), leaving: [])
        case "swap_node": reconfigure(first, joining: Array(arguments.dropFirst(2)), leaving: [second])
        case "swap_nodes":
            let parts = Self.swapped(Array(arguments.dropFirst()))
            reconfigure(first, joining: parts.joining, leaving: parts.leaving)
        case "replicate_new_configuration":
            if let leader = leader(of: first), let newest = network[leader]?.raft?.configurations.last {
                let wanted = Array(arguments.dropFirst())
                let leaving = newest.configuration.voters.filter { !wanted.contains($0) }
                reconfigure(first, joining: wanted, leaving: leaving)
            }
        case "cleanup_nodes":
            if let leader = leader(of: first), let raft = network[leader]?.raft,
                let committed = raft.committedConfiguration, let newest = raft.configurations.last
            {
                network.propose(leader, [.configuration(newest.configuration.settled(at: committed.seqno))])
            }
        case "replicate": if let leader = leader(of: first) { network.propose(leader, [.data]) }
        case "emit_signature": if let leader = leader(of: first) { network.propose(leader, [.signature]) }
        case "periodic_one": network.tick(first, Self.milliseconds(second))
        case "periodic_all": for id in network.ids { network.tick(id, Self.milliseconds(first)) }
        case "dispatch_one": network.deliver(where: { $0.from == first }, rounds: 1)
        case "dispatch_all": network.deliver()
        case "dispatch_all_once": network.deliver(rounds: 1)
        case "dispatch_single":
            if let place = network.letters.firstIndex(where: { $0.from == first && $0.to == second }) {
                let letter = network.letters.remove(at: place)
                network.step(letter.to, .received(letter.message, from: letter.from))
            }
        case "drop_pending": network.letters.removeAll { $0.from == first }
        case "drop_pending_to": network.letters.removeAll { $0.from == first && $0.to == second }
        case "shuffle_one": shuffle { $0.from == first }
        case "shuffle_all": shuffle { _ in true }
        case "connect", "reconnect": network.mend(first, second)
        case "disconnect": disconnect(first, second)
        case "disconnect_node": for id in network.ids where id != first { disconnect(first, id) }
        case "reconnect_node": for id in network.ids where id != first { network.mend(first, id) }
        case "state_one": return [state(first)]
        case "state_all": return network.ids.map(state)
        case "summarise_log": return [log(first)]
        case "summarise_logs_all": return network.ids.map(log)
        case "nominate_successor": network.step(first, .transferLeadership(to: nil))
        case "summarise_messages":
            return network.letters.filter { $0.from == first && $0.to == second }.map(Self.describe)
        case "pre_vote_enabled":
            return first == "true" ? [] : ["FAILED pre_vote_enabled,\(first): candidates always ask first"]
        case "loop_until_sync":
            for _ in 0..<600 where !isInSync { network.run(for: 100_000) }
            return isInSync ? [] : ["FAILED \(words.joined(separator: ","))"]
        default:
            guard let found = mismatch(words[0], arguments) else { return [] }
            return ["FAILED \(words.joined(separator: ",")): \(found)"]
        }
        return []
    }

    private mutating func useDriverTimes() {
        network.settings.heartbeat = 10_000
        network.settings.electionTimeoutMin = 100_000
        network.settings.electionTimeoutMax = 100_000
    }

    private static func milliseconds(_ text: String) -> Microseconds { (UInt64(text) ?? 0) * 1_000 }

    private func leader(of view: String) -> PeerID? {
        network.ids.first { id in
            guard let raft = network[id]?.raft else { return false }
            return raft.isLeader && String(raft.view) == view
        }
    }

    private static func swapped(_ words: [String]) -> (joining: [PeerID], leaving: [PeerID]) {
        var joining: [PeerID] = []
        var leaving: [PeerID] = []
        var joins = true
        for word in words {
            switch word {
            case "in": joins = true
            case "out": joins = false
            default: if joins { joining.append(word) } else { leaving.append(word) }
            }
        }
        return (joining, leaving)
    }

    private mutating func reconfigure(_ view: String, joining: [PeerID], leaving: [PeerID]) {
        for id in joining where network[id] == nil { network.join(id) }
        guard let leader = leader(of: view), let newest = network[leader]?.raft?.configurations.last?.configuration
        else { return }
        let voters = newest.voters.filter { !leaving.contains($0) && !joining.contains($0) } + joining
        guard let next = try? Configuration(voters: voters) else { return }
        network.propose(leader, [.configuration(next)])
    }

    private mutating func disconnect(_ first: PeerID, _ second: PeerID) {
        network.cut(first, second)
        network.cut(second, first)
        network.letters.removeAll {
            ($0.from == first && $0.to == second) || ($0.from == second && $0.to == first)
        }
    }

    /// Another order of some messages, the same in each run.
    private mutating func shuffle(_ matches: (NetworkOfRafts.Letter) -> Bool) {
        var random = SplitMix64(seed: UInt64(network.letters.count))
        let places = network.letters.indices.filter { matches(network.letters[$0]) }
        for (place, other) in zip(places, places.shuffled(using: &random)) { network.letters.swapAt(place, other) }
    }

    // MARK: Assertions

    /// Whether the voters of the newest configuration agree; who has left does not hear of everything any more.
    private var isInSync: Bool {
        let all = network.ids.compactMap { network[$0]?.raft }
        guard let newest = all.max(by: { ($0.view, $0.commit) < ($1.view, $1.commit) }),
            let configuration = newest.configurations.last?.configuration
        else { return true }
        let rafts = all.filter { configuration.voters.contains($0.id) }
        guard let first = rafts.first else { return true }
        return rafts.allSatisfy { $0.last == first.last && $0.commit == first.commit && $0.view == first.view }
    }

    /// What is there instead of what is asserted; nil if that holds.
    private func mismatch(_ name: String, _ arguments: [String]) -> String? {
        if name == "assert_state_sync" {
            return isInSync ? nil : network.ids.map(state).joined(separator: "; ")
        }
        let id = arguments.first ?? ""
        guard let raft = network[id]?.raft else { return "no such node" }
        let second = arguments.dropFirst().first ?? ""
        let third = arguments.dropFirst(2).first ?? ""
        switch name {
        case "assert_is_primary": return raft.role == .leader ? nil : "\(raft.role)"
        case "assert_is_backup": return raft.role == .follower ? nil : "\(raft.role)"
        case "assert_is_candidate":
            return raft.role == .candidate || raft.role == .preCandidate ? nil : "\(raft.role)"
        case "assert_detail": return detail(second, raft) == third ? nil : detail(second, raft) ?? "no such detail"
        case "assert_!detail": return detail(second, raft) != third ? nil : third
        case "assert_is_retired":
            return detail("membership_state", raft) == "Retired" ? nil : "it is a voter"
        case "assert_commit_idx": return String(raft.commit) == second ? nil : String(raft.commit)
        case "assert_commit_safety":
            let position = raft.index.position(at: raft.commit) ?? .zero
            let holders = network.ids.count { network[$0]?.disk.holds(position) ?? false }
            return holders * 2 > network.ids.count ? nil : "on \(holders) disks"
        case "assert_config":
            let wanted = arguments.dropFirst(2).sorted()
            let placed = raft.configurations.first { String($0.seqno) == second }
            return placed?.configuration.voters == wanted ? nil : "\(placed?.configuration.voters ?? [])"
        case "assert_absent_config":
            return raft.configurations.contains { String($0.seqno) == second } ? "it is there" : nil
        default: return "unknown assertion"
        }
    }

    private func isVoter(_ raft: Raft) -> Bool {
        raft.configurations.last?.configuration.voters.contains(raft.id) ?? false
    }

    /// How far the configuration without this node has come: in the log, signed, committed, and known as committed by
    /// whoever may lead.
    private func retirementPhase(_ raft: Raft) -> String? {
        guard !isVoter(raft), let entries = network[raft.id]?.disk.entries else { return nil }
        let placed = entries.filter { if case .configuration = $0.kind { true } else { false } }
        // Settling repeats the configuration: the first one since the last with the node in it is its retirement.
        let without = placed.reversed().prefix { entry in
            guard case .configuration(let configuration) = entry.kind else { return false }
            return !configuration.voters.contains(raft.id)
        }
        guard let retirement = without.last, without.count < placed.count else { return nil }
        let isSettled = without.contains { entry in
            guard case .configuration(let configuration) = entry.kind else { return false }
            return configuration.settled >= retirement.seqno && entry.seqno <= raft.commit
        }
        if isSettled { return "RetiredCommitted" }
        if retirement.seqno <= raft.commit { return "Completed" }
        return entries.contains { $0.kind == .signature && $0.seqno > retirement.seqno } ? "Signed" : "Ordered"
    }

    private func detail(_ key: String, _ raft: Raft) -> String? {
        switch key {
        case "leadership_state":
            switch raft.role {
            case .leader: "Leader"
            case .follower: raft.leader == nil && !isVoter(raft) ? "None" : "Follower"
            case .preCandidate: "PreVoteCandidate"
            case .candidate: "Candidate"
            }
        case "current_view": String(raft.view)
        case "primary_id": raft.leader ?? "null"
        case "membership_state": isVoter(raft) ? "Active" : "Retired"
        case "retirement_phase": retirementPhase(raft) ?? "null"
        default: nil
        }
    }
}
