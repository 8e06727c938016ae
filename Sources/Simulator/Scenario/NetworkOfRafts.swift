public import Consensus

/// A few consensus cores whose network, disks and time are in the caller's hand: nothing is delivered, synced or timed
/// but on request. For tests of the core and of what is built on it; ``ScenarioRunner`` is its command language.
public struct NetworkOfRafts: Sendable {
    /// A message on its way.
    public struct Letter: Sendable {
        /// Sender.
        public let from: PeerID
        /// Receiver.
        public let to: PeerID
        /// Content.
        public let message: RaftMessage
    }

    /// One node and what belongs to it.
    public struct Node: Sendable {
        /// The core; nil while the node is down.
        public internal(set) var raft: Raft?
        /// What outlives it.
        public internal(set) var disk = SimulatedDisk()
        var savedDisk: SimulatedDisk?
        /// Whether writes and seals reach the disk at once.
        public var syncsLog = true
        /// Whether seals do.
        public var syncsSeal = true
        /// How far its clock is ahead of the network's.
        var ahead: Microseconds = 0
        var committed: UInt64 = 0
        var tail = LogPosition.zero
    }

    /// Dials of all nodes that start from now on.
    public var settings: RaftSettings
    /// The time of all.
    public private(set) var now: Microseconds = 0
    /// Messages on their way, oldest first.
    public var letters: [Letter] = []
    /// Nodes in the order of their first start.
    public private(set) var ids: [PeerID] = []
    /// What happened since the caller last emptied it, in words.
    public var events: [String] = []
    /// What must hold.
    public private(set) var oracle = Oracle()

    private var nodes: [PeerID: Node] = [:]
    private var cuts: Set<[PeerID]> = []
    private var starts: UInt64 = 0
    private var counter: UInt64 = 0

    /// No nodes yet.
    public init(settings: RaftSettings = RaftSettings()) { self.settings = settings }

    /// A node, if there is one of this id.
    public subscript(id: PeerID) -> Node? {
        get { nodes[id] }
        set { nodes[id] = newValue }
    }

    // MARK: Nodes

    /// Lets a node found a network.
    public mutating func found(by id: PeerID) {
        guard let configuration = try? Configuration(voters: [id]) else { return }
        start(id, .genesis(configuration, view: 2))
    }

    /// Lets a node join: it waits to be called.
    public mutating func join(_ id: PeerID) { start(id, .joining) }

    /// Starts nodes whose disks hold the same two committed entries: a configuration of them all and a signature.
    public mutating func begin(_ configuration: Configuration) {
        let entries = [
            LogEntry(view: 2, seqno: 1, kind: .configuration(configuration), bytes: []),
            LogEntry(view: 2, seqno: 2, kind: .signature, bytes: []),
        ]
        oracle.found(on: entries)
        let all = configuration.voters + configuration.learners
        for id in all {
            var node = Node()
            node.disk = SimulatedDisk(entries: entries, seal: HardState(view: 2, committed: entries[1].position))
            nodes[id] = node
            start(id, node.disk.restart())
        }
        deliver()
    }

    /// Starts a node.
    public mutating func start(_ id: PeerID, _ start: RaftStart) {
        starts += 1
        if !ids.contains(id) { ids.append(id) }
        var node = nodes[id] ?? Node()
        let raft = Raft(id: id, settings: settings, start: start, seed: starts)
        node.raft = raft
        node.committed = raft.commit
        node.tail = raft.last
        nodes[id] = node
        step(id, .tick)
    }

    /// Cuts the power: what was not synced is gone.
    public mutating func crash(_ id: PeerID) {
        nodes[id]?.disk.crash(keepingLog: 0, seals: 0)
        nodes[id]?.raft = nil
    }

    /// Starts a node from its disk.
    public mutating func restart(_ id: PeerID) {
        guard let node = nodes[id], node.raft == nil else { return }
        start(id, node.disk.restart())
    }

    /// Keeps a copy of the disk for ``rollBack(_:)``.
    public mutating func save(_ id: PeerID) {
        let disk = nodes[id]?.disk
        nodes[id]?.savedDisk = disk
    }

    /// Crashes the node and puts its disk back to the copy, its seal too unless `keepsSeal`.
    public mutating func rollBack(_ id: PeerID, keepsSeal: Bool = false) {
        crash(id)
        guard let node = nodes[id], let saved = node.savedDisk else { return }
        oracle.trustsDisks = false
        nodes[id]?.disk = keepsSeal ? saved.sealed(node.disk.seal) : saved
    }

    /// Drops entries up to the commit point from a node's disk.
    public mutating func compact(_ id: PeerID) {
        guard let index = snapshot(of: id) else { return }
        nodes[id]?.disk.compact(to: index)
        step(id, .compacted(first: index.lastSeqno + 1))
    }

    /// What a snapshot of this node's committed state would carry for consensus.
    public func snapshot(of id: PeerID) -> LogIndex? {
        guard let raft = nodes[id]?.raft, let position = raft.index.position(at: raft.commit) else { return nil }
        return LogIndex(
            snapshot: position, configurations: raft.index.configurations.filter { $0.seqno <= raft.commit })
    }

    // MARK: Network

    /// Stops messages from one node to another.
    public mutating func cut(_ from: PeerID, _ to: PeerID) { cuts.insert([from, to]) }

    /// Opens a link both ways.
    public mutating func mend(_ from: PeerID, _ to: PeerID) {
        cuts.remove([from, to])
        cuts.remove([to, from])
    }

    /// Lets time go by for one node alone.
    public mutating func tick(_ id: PeerID, _ span: Microseconds) {
        nodes[id]?.ahead += span
        step(id, .tick)
    }

    /// Opens all links.
    public mutating func mend() { cuts.removeAll() }

    /// Delivers messages that satisfy `matches`, and those that they cause, until there are none; returns how many.
    @discardableResult
    public mutating func deliver(where matches: (Letter) -> Bool = { _ in true }, rounds: Int = 1000) -> Int {
        var delivered = 0
        for _ in 0..<rounds {
            let batch = letters.filter(matches)
            guard !batch.isEmpty else { break }
            letters.removeAll(where: matches)
            for letter in batch {
                delivered += 1
                step(letter.to, .received(letter.message, from: letter.from))
            }
        }
        return delivered
    }

    // MARK: Time and work

    /// Lets time go by, `quantum` at a time; `delivering` also brings every message at once.
    public mutating func run(for span: Microseconds, quantum: Microseconds = 10_000, delivering: Bool = true) {
        let end = now + span
        while now < end {
            now = min(end, now + quantum)
            for id in ids {
                guard let node = nodes[id], let raft = node.raft, raft.deadline <= now + node.ahead else { continue }
                step(id, .tick)
            }
            if delivering { deliver() }
        }
    }

    /// The node that leads the highest view.
    public var leader: PeerID? {
        ids.filter { nodes[$0]?.raft?.isLeader ?? false }.max {
            (nodes[$0]?.raft?.view ?? 0) < (nodes[$1]?.raft?.view ?? 0)
        }
    }

    /// Proposes entries of these kinds at a node, with bytes of their own.
    public mutating func propose(_ id: PeerID, _ kinds: [LogEntry.Kind]) {
        guard let raft = nodes[id]?.raft else { return }
        var entries: [LogEntry] = []
        for kind in kinds {
            counter += 1
            entries.append(
                LogEntry(
                    view: raft.view, seqno: raft.lastSeqno + 1 + UInt64(entries.count), kind: kind,
                    bytes: [UInt8(truncatingIfNeeded: counter)]))
        }
        step(id, .propose(entries))
    }

    /// Syncs what a node has written so far.
    public mutating func sync(_ id: PeerID) {
        nodes[id]?.disk.beginLogSync()
        if let ticket = nodes[id]?.disk.endLogSync() { step(id, .logPersisted(ticket: ticket)) }
    }

    /// Syncs what a node has sealed so far.
    public mutating func seal(_ id: PeerID) {
        guard let ticket = nodes[id]?.disk.syncSeal() else { return }
        step(id, .hardStatePersisted(ticket: ticket))
        // What had to wait for the seal.
        if nodes[id]?.syncsLog ?? false, nodes[id]?.disk.hasPendingLog ?? false { sync(id) }
    }

    /// Gives a node an input and does what it asks for.
    public mutating func step(_ id: PeerID, _ input: RaftInput) {
        guard nodes[id]?.raft != nil else { return }
        let ahead = nodes[id]?.ahead ?? 0
        let effects = nodes[id]?.raft?.step(input, now: now + ahead) ?? []
        for effect in effects { perform(effect, id) }
        if nodes[id]?.syncsSeal ?? false, nodes[id]?.disk.hasPendingSeal ?? false { seal(id) }
        if nodes[id]?.syncsLog ?? false, nodes[id]?.disk.hasPendingLog ?? false { sync(id) }
    }

    private mutating func perform(_ effect: RaftEffect, _ id: PeerID) {
        switch effect {
        case .send(let message, let peer):
            if !cuts.contains([id, peer]) { letters.append(Letter(from: id, to: peer, message: message)) }
        case .persistHardState(let state, let ticket): nodes[id]?.disk.queue(state, ticket: ticket)
        case .append(let entries, let ticket):
            for entry in entries {
                oracle.appended(entry, after: nodes[id]?.tail ?? .zero, by: id)
                nodes[id]?.tail = entry.position
            }
            nodes[id]?.disk.queue(.append(entries), ticket: ticket)
        case .truncate(let seqno, let ticket):
            events.append("\(id) truncates to \(seqno)")
            let tail = nodes[id]?.raft?.index.position(at: seqno) ?? .zero
            nodes[id]?.tail = tail
            nodes[id]?.disk.queue(.truncate(to: seqno), ticket: ticket)
        case .resetLog(let position, let ticket):
            events.append("\(id) starts its log after \(position)")
            nodes[id]?.tail = position
            let configurations = nodes[id]?.raft?.index.configurations.filter { $0.seqno <= position.seqno } ?? []
            nodes[id]?.disk.queue(.reset(to: position, configurations), ticket: ticket)
        case .commit(let seqno):
            events.append("\(id) commits \(seqno)")
            if let node = nodes[id], let raft = node.raft {
                let nodes = self.nodes
                oracle.committed(raft, from: node.committed, to: seqno) { nodes[$0]?.disk.holds($1) ?? false }
                self.nodes[id]?.committed = seqno
            }
        case .becameLeader(let view):
            events.append("\(id) leads view \(view)")
            if let raft = nodes[id]?.raft { oracle.becameLeader(raft) }
        case .following(let view, let leader): events.append("\(id) follows \(leader ?? "nobody") in view \(view)")
        case .loadEntries(let peer, let from, _, let count):
            let entries = nodes[id]?.disk.load(from: from, count: count) ?? []
            step(id, .entriesLoaded(peer: peer, from: from, entries: entries))
        default: events.append("\(id) \(Self.describe(effect))")
        }
    }

    private static func describe(_ effect: RaftEffect) -> String {
        switch effect {
        case .needSnapshot(let peer): "needs a snapshot for \(peer)"
        case .caughtUp(let peer): "sees \(peer) caught up"
        case .configurationsChanged(let all): "goes by \(all.map(ScenarioRunner.describe).joined(separator: " and "))"
        case .configurationCommitted(let seqno, let removed):
            "has committed configuration \(seqno)\(removed.isEmpty ? "" : ", without \(removed.joined(separator: " "))")"
        case .retired: "is retired"
        case .readReady(let id, let seqno): "answers read \(id) at \(seqno)"
        case .readFailed(let id): "fails read \(id)"
        case .proposalRejected(let reason): "rejects a proposal: \(reason)"
        case .restartConfirmed: "is confirmed"
        case .awaitingMembers: "waits for members"
        case .rolledBack(let reason): "was rolled back: \(reason)"
        case .halted(let reason): "halts: \(reason)"
        default: "\(effect)"
        }
    }
}
