package import Consensus

/// Runs scenario files: commands to a ``NetworkOfRafts`` and what must come of them, in the manner of etcd's
/// datadriven tests.
///
/// | command | does |
/// |---|---|
/// | `set inflight= batch= window= lag= restart=` | dials of nodes that start later |
/// | `begin N… learners= replication= election=` | nodes with two committed entries: a configuration, a signature |
/// | `found N`, `join N…` | a founder; nodes that wait to be called |
/// | `campaign N`, `elect N` | stand for election; stand, win and commit |
/// | `propose N data sign …` | entries at a leader |
/// | `configure N VOTERS… learners= replication= settled=`, `settle N` | a signed configuration; settle the last one |
/// | `deliver`, `drop`, `duplicate`, `delay` with `from= to= kind= rounds=` | messages on their way |
/// | `reverse`, `letters` | turn their order round; list them |
/// | `cut A-B A>B …`, `isolate N`, `mend` | links |
/// | `tick MS`, `run MS` | time without and with delivery |
/// | `hold N… what=log/seal`, `release N…`, `sync N…`, `seal N…` | when disks sync |
/// | `crash N…`, `restart N…`, `save N…`, `rollback N… only=log` | power and hosts |
/// | `authorize N`, `transfer N TO`, `read N ID`, `compact N`, `snapshot FROM TO…` | the rest of the inputs |
/// | `state`, `log N…`, `configurations N…` | print |
///
/// Lines in the form of CCF's Raft driver are understood too: ScenarioRunner+Driver.swift has the table.
///
/// A file is a sequence of blocks, separated by empty lines:
///
///     # comment
///     command argument key=value
///     ----
///     what it printed
///
/// A block of driver commands needs no answer: it fails where an assertion does.
public struct ScenarioRunner {
    /// What a file gave.
    public struct Outcome: Sendable {
        /// The file with what each block printed this time.
        public let rewritten: String
        /// One line for each block that printed something else than the file says, with its line number.
        public let differences: [String]
    }

    var network = NetworkOfRafts()

    /// A runner without nodes.
    public init() {}

    /// A runner whose nodes have known bugs.
    package init(faults: RaftFault) { network.settings.faults = faults }

    /// Runs a whole file.
    public mutating func run(_ text: String) -> Outcome {
        var rewritten: [String] = []
        var differences: [String] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var at = 0
        while at < lines.count {
            let line = lines[at]
            guard !line.isEmpty, !line.hasPrefix("#") else {
                rewritten.append(line)
                at += 1
                continue
            }
            let start = at
            var commands: [String] = []
            while at < lines.count, !lines[at].isEmpty, lines[at] != "----" {
                commands.append(lines[at])
                at += 1
            }
            var expected: [String] = []
            var isAnswered = false
            if at < lines.count, lines[at] == "----" {
                isAnswered = true
                at += 1
                while at < lines.count, !lines[at].isEmpty {
                    expected.append(lines[at])
                    at += 1
                }
            }
            var printed: [String] = []
            for command in commands where !command.hasPrefix("#") { printed += execute(command) }
            let failures = printed.filter { $0.hasPrefix("FAILED") || $0.hasPrefix("VIOLATION") }
            for failure in failures { differences.append("line \(start + 1): \(failure)") }
            if !isAnswered, commands.allSatisfy({ $0.hasPrefix("#") || Self.driverWords($0) != nil }) {
                rewritten += commands + failures
                continue
            }
            if printed.isEmpty { printed = ["ok"] }
            rewritten += commands + ["----"] + printed
            if printed != expected {
                differences.append(
                    "line \(start + 1), \(commands.last ?? ""): expected \(expected), printed \(printed)")
            }
        }
        return Outcome(rewritten: rewritten.joined(separator: "\n"), differences: differences)
    }

    /// Runs one command; returns what it prints.
    public mutating func execute(_ line: String) -> [String] {
        if let words = Self.driverWords(line) {
            let printed = drive(words)
            return printed + (network.oracle.violation.map { ["VIOLATION \($0)"] } ?? [])
        }
        var words = line.split(separator: " ").map(String.init)
        guard !words.isEmpty else { return [] }
        let name = words.removeFirst()
        var options: [String: String] = [:]
        var arguments: [String] = []
        for word in words {
            if let equals = word.firstIndex(of: "=") {
                options[String(word[..<equals])] = String(word[word.index(after: equals)...])
            } else {
                arguments.append(word)
            }
        }
        network.events.removeAll()
        let printed = perform(name, arguments, options)
        var output = network.events + printed
        if let violation = network.oracle.violation { output.append("VIOLATION \(violation)") }
        return output
    }

    private mutating func perform(_ name: String, _ arguments: [String], _ options: [String: String]) -> [String] {
        let first = arguments.first ?? ""
        switch name {
        case "set": return set(options)
        case "begin":
            guard let configuration = configuration(arguments, options) else { return ["bad configuration"] }
            network.begin(configuration)
            network.events.removeAll()
        case "found": network.found(by: first)
        case "join": arguments.forEach { network.join($0) }
        case "campaign": network.step(first, .campaign)
        case "elect":
            network.step(first, .campaign)
            network.deliver()
            network.propose(first, [.data, .signature])
            network.deliver()
        case "propose": network.propose(first, arguments.dropFirst().map { $0 == "sign" ? .signature : .data })
        case "configure":
            guard let configuration = configuration(Array(arguments.dropFirst()), options) else {
                return ["bad configuration"]
            }
            network.propose(first, [.configuration(configuration), .signature])
        case "settle": settle(first)
        case "deliver":
            let rounds = options["rounds"].flatMap { Int($0) } ?? 1000
            network.deliver(where: { Self.matches($0, options) }, rounds: rounds)
        case "drop": network.letters.removeAll { Self.matches($0, options) }
        case "duplicate": network.letters += network.letters.filter { Self.matches($0, options) }
        case "reverse": network.letters.reverse()
        case "delay":
            let delayed = network.letters.filter { Self.matches($0, options) }
            network.letters.removeAll { Self.matches($0, options) }
            network.letters += delayed
        case "cut": cut(arguments)
        case "isolate": isolate(first)
        case "mend": network.mend()
        case "tick": network.run(for: milliseconds(first), delivering: false)
        case "run": network.run(for: milliseconds(first))
        case "sync": arguments.forEach { network.sync($0) }
        case "seal": arguments.forEach { network.seal($0) }
        case "hold": hold(arguments, options, false)
        case "release": hold(arguments, options, true)
        case "crash": arguments.forEach { network.crash($0) }
        case "restart": arguments.forEach { network.restart($0) }
        case "save": arguments.forEach { network.save($0) }
        case "rollback": arguments.forEach { network.rollBack($0, keepsSeal: options["only"] == "log") }
        case "authorize": network.step(first, .restartAuthorized)
        case "transfer": network.step(first, .transferLeadership(to: arguments.dropFirst().first))
        case "read": network.step(first, .read(id: arguments.dropFirst().first.flatMap { UInt64($0) } ?? 1))
        case "compact": network.compact(first)
        case "snapshot":
            if let index = network.snapshot(of: first) {
                arguments.dropFirst().forEach { network.step($0, .snapshotInstalled(index)) }
            }
        case "state": return (arguments.isEmpty ? network.ids : arguments).map(state)
        case "log": return arguments.map(log)
        case "letters": return network.letters.filter { Self.matches($0, options) }.map(Self.describe)
        case "configurations":
            return arguments.map { id in
                let all = network[id]?.raft?.configurations ?? []
                return "\(id): " + all.map { "\($0.seqno) \(Self.describe($0.configuration))" }.joined(separator: ", ")
            }
        default: return ["unknown command \(name)"]
        }
        return []
    }

    // MARK: Commands

    private mutating func set(_ options: [String: String]) -> [String] {
        for key in options.keys.sorted() {
            let value = options[key] ?? ""
            switch key {
            case "restart": network.settings.restartSealed = value == "sealed"
            case "inflight": network.settings.inflightMessagesMax = Int(value) ?? 256
            case "batch": network.settings.appendEntriesMax = Int(value) ?? 1024
            case "window": network.settings.windowBytesMax = Int(value) ?? 1 << 20
            case "lag": network.settings.catchUpLag = UInt64(value) ?? 64
            default: return ["unknown setting \(key)"]
            }
        }
        return []
    }

    private func configuration(_ voters: [String], _ options: [String: String]) -> Configuration? {
        let learners = options["learners"].map { $0.split(separator: ",").map(String.init) } ?? []
        var policy = QuorumPolicy.majority
        if let replication = options["replication"].flatMap({ Int($0) }) {
            policy = .replication(replication)
            if let election = options["election"].flatMap({ Int($0) }) {
                policy = .flexible(replication: replication, election: election)
            }
        }
        let settled = options["settled"].flatMap { UInt64($0) } ?? 0
        return try? Configuration(voters: voters, learners: learners, policy: policy, settled: settled)
    }

    private mutating func settle(_ id: PeerID) {
        guard let raft = network[id]?.raft, let committed = raft.committedConfiguration,
            let newest = raft.configurations.last
        else { return }
        network.propose(id, [.configuration(newest.configuration.settled(at: committed.seqno)), .signature])
    }

    private mutating func hold(_ arguments: [String], _ options: [String: String], _ syncs: Bool) {
        for id in arguments {
            if options["what"] != "seal" { network[id]?.syncsLog = syncs }
            if options["what"] != "log" { network[id]?.syncsSeal = syncs }
            if syncs {
                network.seal(id)
                network.sync(id)
            }
        }
    }

    /// `a-b` both ways, `a>b` one way.
    private mutating func cut(_ links: [String]) {
        for link in links {
            let ends = link.split(whereSeparator: { $0 == "-" || $0 == ">" }).map(String.init)
            guard ends.count == 2 else { continue }
            network.cut(ends[0], ends[1])
            if link.contains("-") { network.cut(ends[1], ends[0]) }
        }
    }

    private mutating func isolate(_ id: PeerID) {
        for other in network.ids where other != id {
            network.cut(id, other)
            network.cut(other, id)
        }
    }

    private func milliseconds(_ text: String) -> Microseconds { (UInt64(text) ?? 0) * 1000 }

    // MARK: Printing

    func state(_ id: PeerID) -> String {
        guard let raft = network[id]?.raft else { return "\(id) down" }
        let flags = (raft.isRestarting ? " restarting" : "") + (raft.isRefusing ? " refusing" : "")
        return "\(id) \(raft.role) view \(raft.view) log \(raft.last) durable \(raft.durable) commit \(raft.commit)"
            + " leader \(raft.leader ?? "-")" + flags
    }

    /// Views and kinds of all entries on disk: `3d` is data of view 3; `s` signature, `c` configuration.
    func log(_ id: PeerID) -> String {
        guard let disk = network[id]?.disk else { return "\(id) unknown" }
        let entries = disk.entries.map { entry in
            switch entry.kind {
            case .data: "\(entry.view)d"
            case .signature: "\(entry.view)s"
            case .configuration: "\(entry.view)c"
            }
        }
        return "\(id): " + (disk.base == .zero ? "" : "after \(disk.base) ") + entries.joined(separator: " ")
    }

    static func describe(_ configuration: Configuration) -> String {
        let voters = configuration.voters.joined(separator: " ")
        let learners = configuration.learners.isEmpty ? "" : " + " + configuration.learners.joined(separator: " ")
        return "(\(voters)\(learners))"
    }

    static func describe(_ letter: NetworkOfRafts.Letter) -> String {
        "\(letter.from)->\(letter.to) \(ClusterSimulation.describe(letter.message))"
    }

    private static func matches(_ letter: NetworkOfRafts.Letter, _ options: [String: String]) -> Bool {
        if let from = options["from"], from != letter.from { return false }
        if let to = options["to"], to != letter.to { return false }
        guard let kind = options["kind"] else { return true }
        switch letter.message.body {
        case .append(let append): return kind == "append" || (kind == "heartbeat" && append.entries.isEmpty)
        case .appendResponse(let response):
            return kind == "response" || kind == (response.accepted ? "ack" : "nack")
        case .voteRequest: return kind == "vote"
        case .voteResponse: return kind == "grant"
        case .timeoutNow: return kind == "timeout"
        case .restartQuery: return kind == "query"
        case .restartAnswer: return kind == "answer"
        }
    }
}
