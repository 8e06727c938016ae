import AdapterKit
import Attestation
import Consensus
import Constitution
import Ledger
import Primitives

/// One resource of the node's own HTTP interface. Paths and shapes are CCF's where the concept is the same.
struct Resource: Sendable {
    /// HTTP method.
    let method: String
    /// Path on the administration listener, and on the application listener where it starts with `/app/` or `/node/`.
    let path: String
    /// What it is, for the generated API description.
    let summary: String
    /// Makes the answer, now or later; the texts are what stands in the path's braces.
    let answer: @Sendable (inout Manager, ClientRequest, [String]) -> Void

    private init(
        method: String, path: String, summary: String,
        answer: @escaping @Sendable (inout Manager, ClientRequest) -> Void
    ) {
        self.init(at: path, method, summary) { manager, request, _ in answer(&manager, request) }
    }

    init(
        at path: String, _ method: String, _ summary: String,
        answer: @escaping @Sendable (inout Manager, ClientRequest, [String]) -> Void
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.answer = answer
    }

    /// What stands in the braces of this resource's path in another; nil when that is none of it.
    func values(in other: String) -> [String]? {
        guard path.contains("{") else { return path == other ? [] : nil }
        let own = path.split(separator: "/")
        let given = other.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard own.count == given.count else { return nil }
        var values: [String] = []
        for (template, text) in zip(own, given) {
            guard template.hasPrefix("{"), let end = template.firstIndex(of: "}") else {
                guard template == text else { return nil }
                continue
            }
            let suffix = template[template.index(after: end)...]
            let value = text.dropLast(suffix.count)
            guard text.hasSuffix(suffix), !value.isEmpty, !value.contains(":") else { return nil }
            values.append(String(value))
        }
        return values
    }

    /// The whole interface, in one table.
    static let all: [Resource] = own + governance

    private static let own: [Resource] = [
        Resource(method: "GET", path: "/node/state", summary: "state of this node") { $0.answerState($1) },
        Resource(method: "GET", path: "/node/network", summary: "the network and its primary") {
            $0.answerNetwork($1)
        },
        Resource(method: "GET", path: "/node/network/nodes", summary: "nodes of the VN list") { $0.answerNodes($1) },
        Resource(method: "GET", path: "/node/consensus", summary: "what consensus knows") { $0.answerConsensus($1) },
        Resource(method: "GET", path: "/node/commit", summary: "last committed transaction") { $0.answerCommit($1) },
        Resource(method: "GET", path: "/node/tx", summary: "status of a transaction") { $0.answerStatus($1) },
        Resource(method: "GET", path: "/node/receipt", summary: "receipt of an entry or of one transaction") {
            $0.startReceipt($1)
        },
        Resource(method: "GET", path: "/node/ledger/entries", summary: "committed entries as they stand in the ledger")
        {
            $0.startEntries($1)
        },
        Resource(method: "GET", path: "/node/version", summary: "version of the software") { $0.answerVersion($1) },
        Resource(method: "GET", path: "/node/metrics", summary: "counters") { $0.startMetrics($1) },
        Resource(method: "GET", path: "/node/api", summary: "this table") { $0.answerInterface($1) },
        Resource(method: "GET", path: "/app/commit", summary: "last committed transaction") { $0.answerCommit($1) },
        Resource(method: "GET", path: "/app/tx", summary: "status of a transaction") { $0.answerStatus($1) },
        Resource(method: "GET", path: "/app/receipt", summary: "receipt of an entry or of one transaction") {
            $0.startReceipt($1)
        },
    ]
}

extension Manager {
    /// A request for the node's own interface.
    mutating func administrate(_ request: ClientRequest) {
        let known = Resource.all.compactMap { resource in resource.values(in: request.path).map { (resource, $0) } }
        guard !known.isEmpty else { return refuse(request.token, .notFound, "no such resource") }
        guard let (resource, values) = known.first(where: { $0.0.method == request.method }) else {
            return refuse(request.token, .methodNotAllowed, "this resource does not take \(request.method)")
        }
        if request.path.hasPrefix("/gov/"), !checkGovernanceVersion(request) { return }
        resource.answer(&self, request, values)
    }

    mutating func answer(_ request: ClientRequest, _ body: JSON, reflects: TransactionID? = nil) {
        respond(request.token, ClientResponse(reflects: reflects, body: body.serialized()))
    }

    mutating func answerState(_ request: ClientRequest) {
        var state: JSON = [
            "node_id": .string(node.id), "state": .string(phase.word), "primary": .bool(isPrimary),
            "view": .integer(Int64(clamping: raft?.view ?? 0)), "last_seqno": .integer(Int64(clamping: lastSeqno)),
            "commit_seqno": .integer(Int64(clamping: appliedSeqno)), "worker": .string("\(worker.state)"),
            "primary_id": primary.map { .string($0) } ?? .null,
            "member": .bool(configuration?.voters.contains(node.id) == true),
            "storage": .string(fitness.storage.word),
        ]
        if case .object(var members) = state {
            if let reason { members.append("reason", .string(reason)) }
            if let reason = fitness.storage.reason { members.append("storage_reason", .string(reason)) }
            state = .object(members)
        }
        answer(request, state)
    }

    /// Why the node is not active.
    private var reason: String? {
        switch phase {
        case .stopped(let reason): reason
        case .joining, .recovering: waitsFor
        case .active: nil
        }
    }

    mutating func answerNetwork(_ request: ClientRequest) {
        answer(
            request,
            [
                "network_id": .string(constitution.networkID), "name": .string(constitution.name),
                "service_status": .string(serviceStatus),
                "service_certificate": .string(sealed.networkCertificate),
                "current_view": .integer(Int64(clamping: raft?.view ?? 0)),
                "primary_id": primary.map { .string($0) } ?? .null,
                "weakest_platform": constitution.weakestPlatform.map { .string($0.rawValue) } ?? .null,
            ])
    }

    /// CCF's words, and `Closed` while members have closed the network to transactions.
    var serviceStatus: String { phase != .active ? "Opening" : constitution.isOpen ? "Open" : "Closed" }

    mutating func answerNodes(_ request: ClientRequest) {
        let configuration = self.configuration
        let nodes = constitution.nodes.map { entry -> JSON in
            let role =
                configuration?.voters.contains(entry.nodeID) == true
                ? "Trusted" : configuration?.learners.contains(entry.nodeID) == true ? "Learner" : "Pending"
            let code = entry.nodeID == node.id ? settings.code : channels[entry.nodeID]?.code
            return [
                "node_id": .string(entry.nodeID), "status": .string(role), "primary": .bool(entry.nodeID == primary),
                "platform": code.map { .string($0.platform.rawValue) } ?? .null,
                "measurement": code.map { .string(Hex.encode($0.manager)) } ?? .null,
                "owner": .string(entry.owner), "address": .string(entry.address),
                "connected": .bool(entry.nodeID == node.id || channels[entry.nodeID] != nil),
            ]
        }
        answer(request, ["nodes": .array(nodes)])
    }

    mutating func answerConsensus(_ request: ClientRequest) {
        guard let raft, let configuration else { return refuse(request.token, .notReady, "the node is \(phase.word)") }
        answer(
            request,
            [
                "details": [
                    "current_view": .integer(Int64(clamping: raft.view)),
                    "primary_id": primary.map { .string($0) } ?? .null,
                    "leadership_state": .string(isPrimary ? "Leader" : "Follower"),
                    "configs": [
                        [
                            "voters": .array(configuration.voters.map { .string($0) }),
                            "learners": .array(configuration.learners.map { .string($0) }),
                        ]
                    ],
                ]
            ])
    }

    mutating func answerCommit(_ request: ClientRequest) {
        answer(request, ["transaction_id": .string("\(commitID)")], reflects: commitID)
    }

    /// CCF's four states of a transaction: unknown, pending, committed, invalid.
    mutating func answerStatus(_ request: ClientRequest) {
        guard let text = request.parameter("transaction_id"), let id = parse(text)?.entry else {
            return refuse(request.token, .badRequest, "transaction_id must be view.seqno or view.seqno.index")
        }
        let status: String
        if let known = transactionID(at: id.seqno), id.seqno <= appliedSeqno {
            status = known.view == id.view ? "Committed" : "Invalid"
        } else if transactionID(at: id.seqno)?.view == id.view {
            status = "Pending"
        } else {
            // A later view has started: nothing new of an earlier one can come beyond what its log had.
            status = id.view < commitID.view ? "Invalid" : "Unknown"
        }
        answer(request, ["transaction_id": .string(text), "status": .string(status)], reflects: commitID)
    }

    /// `view.seqno` or `view.seqno.index`.
    func parse(_ text: String) -> (entry: TransactionID, index: UInt32?)? {
        if let id = TransactionID(text) { return (id, nil) }
        if let id = BatchTransactionID(text) { return (id.entry, id.index) }
        return nil
    }

    mutating func answerVersion(_ request: ClientRequest) {
        answer(request, ["entente_version": .string(Version.text), "unsafe": .bool(constitution.replay)])
    }

    /// The worker's processor time is part of the metrics, so it is asked first, if it can answer.
    mutating func startMetrics(_ request: ClientRequest) {
        if worker.isReady {
            send(.measure, for: .times(request.token))
        } else {
            answerMetrics(request.token, workerTimes: [])
        }
    }

    /// - Parameter workerTimes: nanoseconds of the worker by stage; empty if it did not tell.
    mutating func answerMetrics(_ token: RequestToken, workerTimes: [UInt64]) {
        var lines = ""
        for (name, help, value) in [
            ("entente_entries_committed_total", "Entries committed since start.", counters.entries),
            ("entente_transactions_committed_total", "Transactions committed since start.", counters.transactions),
            ("entente_worker_restarts_total", "Workers that ended and were rebuilt.", counters.workerRestarts),
            ("entente_outside_calls_total", "Questions to services outside the network.", counters.outsideCalls),
            (
                "entente_outside_failures_total", "Questions to services outside without a good answer.",
                counters.outsideFailures
            ),
            (
                "entente_manager_restarts_total", "Managers that died and were started again by this launcher.",
                settings.managerRestarts
            ),
            ("entente_commit_seqno", "Seqno of the last committed entry.", appliedSeqno),
            ("entente_last_seqno", "Seqno of the last entry.", lastSeqno),
            (
                "entente_snapshot_seqno", "Seqno of the newest committed snapshot.", snapshots.newest?.name.seqno ?? 0
            ),
            ("entente_requests_waiting", "Client requests without an answer.", UInt64(clients.count)),
            ("entente_transactions_queued", "Transactions that wait for a batch.", UInt64(queues.count)),
            ("entente_channels", "Open channels to other nodes.", UInt64(channels.count)),
            (
                "entente_ledger_chunks_missing", "Chunks of the ledger that are damaged and not replaced yet.",
                UInt64(repair.missing.count)
            ),
            ("entente_ledger_repairs_total", "Damaged parts of the ledger that were replaced.", repair.repairedCount),
            ("entente_storage_writable", "1 while the disk takes writes.", fitness.storage.isGood ? 1 : 0),
            (
                "entente_storage_failures_total", "Times that the disk stopped taking writes.", fitness.storageFailures
            ),
            (
                "entente_leadership_hand_overs_total",
                "Times that this node gave up leading for want of worker or disk.",
                fitness.handOvers
            ),
        ] {
            let kind = name.hasSuffix("_total") ? "counter" : "gauge"
            lines += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n\(name) \(value)\n"
        }
        let name = "entente_stage_cpu_nanoseconds_total"
        lines += "# HELP \(name) Processor time of manager and worker since start, by stage.\n# TYPE \(name) counter\n"
        for (stage, own) in zip(Stage.allCases, meter.nanoseconds) {
            let place = Int(stage.rawValue)
            let all = own &+ (place < workerTimes.count ? workerTimes[place] : 0)
            lines += "\(name){stage=\"\(stage.label)\"} \(all)\n"
        }
        respond(token, ClientResponse(contentType: "text/plain; version=0.0.4", body: Array(lines.utf8)))
    }

    mutating func answerInterface(_ request: ClientRequest) {
        let paths = Resource.all.map { resource -> JSONObject.Member in
            .init(
                name: resource.path,
                value: .object(
                    JSONObject([
                        .init(name: resource.method.lowercased(), value: ["summary": .string(resource.summary)])
                    ])))
        }
        answer(
            request,
            [
                "openapi": "3.0.3", "info": ["title": "Entente node", "version": .string(Version.text)],
                "paths": .object(JSONObject(paths)),
            ])
    }
}

/// What this build calls itself.
public enum Version {
    /// `entente/` and the version of CHANGELOG.md.
    public static let text = "entente/0.1.0"
}

/// Totals since the start of the process.
struct Counters: Sendable {
    var entries: UInt64 = 0
    var transactions: UInt64 = 0
    var workerRestarts: UInt64 = 0
    var outsideCalls: UInt64 = 0
    var outsideFailures: UInt64 = 0
}
