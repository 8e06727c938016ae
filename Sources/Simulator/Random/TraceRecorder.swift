import Consensus

/// Writes down what each node of a simulated cluster did, one JSON object a line, for the validation against the
/// specification (`spec/README.md`, "Traces", says what the fields mean).
package struct TraceRecorder: Sendable {
    /// What happened so far.
    package private(set) var lines: [String] = []
    /// Nothing is written after so many lines.
    private let linesMax: Int
    /// Nodes whose next step is their first since their process began, and how it began.
    private var starts: [PeerID: String] = [:]

    package init(linesMax: Int) { self.linesMax = linesMax }

    /// Nodes whose disks hold the same entries and the same seal before anything happens.
    mutating func found(_ nodes: [PeerID], _ entries: [LogEntry], _ seal: HardState) {
        write([("event", "\"found\""), ("nodes", Self.list(nodes)), ("entries", Self.text(entries)), seals(seal)])
    }

    /// A process begins; its first step, which follows, is written as an event of its own.
    mutating func started(_ node: PeerID, _ start: RaftStart) {
        switch start {
        case .genesis(let configuration, let view):
            starts[node] = "\"genesis\",\"from\":\(view),\"founders\":\(Self.text(configuration))"
        case .joining: starts[node] = "\"join\""
        case .snapshot, .restart: starts[node] = "\"restart\""
        }
    }

    /// The power of a node failed when so many of its queued writes and seals had reached the disk.
    mutating func crashed(_ node: PeerID, writes: Int, seals: Int) {
        write([("event", "\"crash\""), ("node", "\"\(node)\""), ("writes", "\(writes)"), ("seals", "\(seals)")])
    }

    /// A node took an input and is now in this state; it has retired if there is no `raft` any more.
    mutating func stepped(_ node: PeerID, _ input: RaftInput, _ raft: Raft?, _ disk: SimulatedDisk) {
        guard lines.count < linesMax else { return }
        var fields = [("event", "\"tick\"")]
        if let start = starts.removeValue(forKey: node) {
            fields = [("event", start)]
        } else {
            switch input {
            case .received(let message, let peer): fields = Self.text(message, from: peer)
            case .propose(let entries): fields = [("event", "\"propose\""), ("entries", Self.text(entries))]
            case .logPersisted: fields = [("event", "\"synced\"")]
            case .hardStatePersisted: fields = [("event", "\"sealed\"")]
            case .snapshotInstalled(let index):
                fields = [("event", "\"snapshot\""), ("position", Self.text(index.last))]
            case .tick, .entriesLoaded, .compacted, .snapshotFailed, .transferLeadership, .read, .campaign,
                .restartAuthorized:
                break
            }
        }
        write(fields + [("node", "\"\(node)\"")] + state(raft) + state(disk))
    }

    private mutating func write(_ fields: [(name: String, value: String)]) {
        guard lines.count < linesMax else { return }
        lines.append("{" + fields.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}")
    }

    // MARK: States

    private func state(_ raft: Raft?) -> [(String, String)] {
        guard let raft else { return [("role", "\"retired\"")] }
        let role =
            switch raft.role {
            case .follower, .preCandidate: "follower"
            case .candidate: "candidate"
            case .leader: "leader"
            }
        return [
            ("role", raft.isRefusing ? "\"refusing\"" : "\"\(role)\""), ("view", "\(raft.view)"),
            ("vote", Self.text(raft.hardState.vote)), ("last", Self.text(raft.last)), ("durable", "\(raft.durable)"),
            ("commit", "\(raft.commit)"), ("held", "\(raft.isRestarting)"),
            ("active", "[\(raft.configurations.map { "\($0.seqno)" }.joined(separator: ","))]"),
            ("counted", "[\(raft.acknowledged.map { "[\"\($0.peer)\",\($0.seqno)]" }.joined(separator: ","))]"),
        ]
    }

    private func state(_ disk: SimulatedDisk) -> [(String, String)] {
        let pending = disk.pendingCounts
        return [
            ("disk", Self.text(disk.entries.last?.position ?? disk.base)), ("writes", "\(pending.log)"),
            seals(disk.seal ?? HardState()), ("seals", "\(pending.seals)"),
        ]
    }

    private func seals(_ seal: HardState) -> (String, String) {
        ("seal", "[\(seal.view),\(Self.text(seal.vote)),\(seal.commit)]")
    }

    // MARK: Texts

    private static func text(_ message: RaftMessage, from peer: PeerID) -> [(String, String)] {
        let head = [("from", "\"\(peer)\""), ("in", "\(message.view)")]
        switch message.body {
        case .append(let append):
            return [("event", "\"append\"")] + head + [
                ("previous", text(append.previous)), ("entries", text(append.entries)), ("point", "\(append.commit)"),
            ]
        case .appendResponse(let response):
            return [("event", response.accepted ? "\"ack\"" : "\"nack\"")] + head + [
                ("counts", "\(response.counts)"), ("end", "\(response.seqno)"),
            ]
        case .voteRequest(let request):
            return [("event", request.isPreVote ? "\"preask\"" : "\"ask\"")] + head + [
                ("signature", text(request.lastSignature))
            ]
        case .voteResponse(let response):
            return [("event", response.isPreVote ? "\"pregrant\"" : "\"grant\"")] + head + [
                ("campaign", "\(response.campaign)"), ("granted", "\(response.granted)"),
                ("committed", text(response.committed)), ("settled", text(response.settled)),
            ]
        case .timeoutNow: return [("event", "\"successor\"")] + head
        case .restartQuery: return [("event", "\"query\"")] + head
        case .restartAnswer(let answer):
            return [("event", "\"answer\"")] + head + [("committed", text(answer.committed))]
        }
    }

    private static func text(_ entries: [LogEntry]) -> String {
        let texts = entries.map { entry in
            switch entry.kind {
            case .data: "[\(entry.view),\"d\"]"
            case .signature: "[\(entry.view),\"s\"]"
            case .configuration(let configuration): "[\(entry.view),\"c\",\(text(configuration))]"
            }
        }
        return "[\(texts.joined(separator: ","))]"
    }

    private static func text(_ configuration: Configuration) -> String {
        "{\"voters\":\(list(configuration.voters)),\"learners\":\(list(configuration.learners)),"
            + "\"replication\":\(configuration.quorums.replication),\"election\":\(configuration.quorums.election),"
            + "\"settled\":\(configuration.settled)}"
    }

    private static func text(_ vote: Vote) -> String {
        switch vote {
        case .free: "\"free\""
        case .spent: "\"spent\""
        case .given(let candidate): "\"\(candidate)\""
        }
    }

    private static func text(_ position: LogPosition) -> String { "[\(position.view),\(position.seqno)]" }

    private static func list(_ ids: [PeerID]) -> String { "[\(ids.map { "\"\($0)\"" }.joined(separator: ","))]" }
}

extension ClusterSimulation {
    /// Whether some host puts a disk back in this run: the specification has no such hosts.
    package var rollsBack: Bool { profile.rollbackOnce }
}
