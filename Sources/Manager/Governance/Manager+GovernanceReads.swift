import Constitution
import Ledger
import Primitives
import Store

// What the governance interface shows: always committed state.
extension Manager {
    /// The version of CCF's governance interface whose shapes these are.
    static let governanceVersion = "2024-07-01"

    /// Whether the request names the version of the interface that is spoken here; refuses it otherwise.
    mutating func checkGovernanceVersion(_ request: ClientRequest) -> Bool {
        guard let version = request.parameter("api-version") else {
            respond(
                request.token,
                Self.error(
                    400, "MissingApiVersionParameter", "the parameter api-version=\(Self.governanceVersion) is missing")
            )
            return false
        }
        guard version == Self.governanceVersion else {
            respond(
                request.token,
                Self.error(
                    400, "UnsupportedApiVersionValue", "the only api-version here is \(Self.governanceVersion)"))
            return false
        }
        return true
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> ClientResponse {
        let body: JSON = ["error": ["code": .string(code), "message": .string(message)]]
        return ClientResponse(status: status, body: body.serialized())
    }

    private mutating func withGovernance(_ request: ClientRequest, _ body: (Governance) throws -> ClientResponse) {
        guard phase == .active else {
            return refuse(request.token, .notReady, "the node is \(phase.word)", retryAfter: 1)
        }
        do {
            var response = try body(Governance(reading: store.committed, constitution: constitution))
            response.reflects = commitID
            respond(request.token, response)
        } catch {
            log(.error, "governance in the ledger can't be read", [("error", "\(error)")])
            refuse(request.token, .internalError, "governance in the ledger can't be read")
        }
    }

    private mutating func withProposal(
        _ request: ClientRequest, _ id: String, _ body: (ProposalRecord) throws -> ClientResponse
    ) {
        withGovernance(request) { state in
            guard let record = state.record(of: id) else {
                return Self.error(
                    404, "ProposalNotFound", "there is no proposal of this id, or it is only in the ledger")
            }
            return try body(record)
        }
    }

    mutating func answerProposals(_ request: ClientRequest) {
        let wanted = request.parameter("state")
        withGovernance(request) { state in
            let records = state.proposals.filter { wanted == nil || $0.state.rawValue == wanted }
            let body: JSON = ["value": .array(records.map(\.json))]
            return ClientResponse(body: body.serialized())
        }
    }

    mutating func answerProposal(_ request: ClientRequest, _ id: String) {
        withProposal(request, id) { ClientResponse(body: $0.json.serialized()) }
    }

    mutating func answerProposalActions(_ request: ClientRequest, _ id: String) {
        let maps = store.committed
        withProposal(request, id) { record in
            ClientResponse(body: try Governance.proposal(record.id, in: maps).json.serialized())
        }
    }

    mutating func answerBallot(_ request: ClientRequest, _ id: String, _ member: String) {
        withProposal(request, id) { record in
            guard let vote = record.vote(of: member) else {
                return Self.error(404, "BallotNotFound", "\(member) has no vote on this proposal")
            }
            let body: JSON = ["ballot": .string(vote.rawValue)]
            return ClientResponse(body: body.serialized())
        }
    }

    /// The constitution in force, that of a past transaction with `transaction_id`, or a numbered one with `version`.
    mutating func answerConstitution(_ request: ClientRequest) {
        guard phase == .active else {
            return refuse(request.token, .notReady, "the node is \(phase.word)", retryAfter: 1)
        }
        do {
            let history = try committedHistory()
            var shown = history.current
            var version = history.versions.last
            if let text = request.parameter("transaction_id") {
                guard let id = parse(text)?.entry, id.seqno <= appliedSeqno, transactionID(at: id.seqno) == id else {
                    return refuse(request.token, .notCommitted, "transaction \(text.prefix(64)) is not committed here")
                }
                (shown, version) = try history.constitution(at: id.seqno)
            } else if let text = request.parameter("version") {
                guard let number = UInt64(text), number <= UInt64(history.versions.count) else {
                    return refuse(request.token, .badRequest, "there are versions 0 to \(history.versions.count)")
                }
                shown = try history.constitution(version: number)
                version = number == 0 ? nil : history.versions[Int(number) - 1]
            }
            let body: JSON = [
                "networkId": .string(shown.networkID), "digest": .string(shown.digest),
                "version": version?.json ?? ["version": 0], "constitution": shown.document.json,
            ]
            respond(request.token, ClientResponse(reflects: commitID, body: body.serialized()))
        } catch {
            log(.error, "the constitution's history can't be read", [("error", "\(error)")])
            refuse(request.token, .internalError, "the constitution's history can't be read")
        }
    }

    /// The constitution's versions, read once for each.
    private mutating func committedHistory() throws -> ConstitutionHistory {
        if let history = governance.history { return history }
        let history = try ConstitutionHistory(reading: store.committed)
        governance.history = history
        return history
    }

    mutating func answerConstitutionVersions(_ request: ClientRequest) {
        let history = Result { try committedHistory() }
        withGovernance(request) { _ in
            let history = try history.get()
            let body: JSON = ["value": .array(history.versions.map(\.json))]
            return ClientResponse(body: body.serialized())
        }
    }

    // MARK: Events

    /// Notes what a committed entry did in governance, as every node sees it in the entry's writes.
    mutating func noteGovernance(_ opened: OpenedEntry) {
        let place = "\(opened.id)"
        for write in opened.administrative[GovernanceMaps.proposalsInfo]?.writes ?? [] {
            let id = String(decoding: write.key, as: UTF8.self)
            guard let record = try? ProposalRecord(id: id, record: write.value) else { continue }
            governance.events.add(
                ["transactionId": .string(place), "kind": "proposal", "proposal": record.json], at: opened.id.seqno)
        }
        for write in opened.administrative[GovernanceMaps.versions]?.writes ?? [] {
            guard let version = try? ConstitutionVersion(key: write.key, record: write.value) else { continue }
            governance.events.add(
                ["transactionId": .string(place), "kind": "constitution", "version": version.json],
                at: opened.id.seqno)
        }
    }

    /// Events after `since` (a seqno, 0 for all that are kept); with `wait`, seconds, the answer comes with the first event.
    mutating func startEvents(_ request: ClientRequest) {
        guard let since = UInt64(request.parameter("since") ?? "0"),
            let wait = UInt64(request.parameter("wait") ?? "0"), wait <= 60
        else { return refuse(request.token, .badRequest, "since takes a seqno, wait takes 0 to 60 seconds") }
        guard wait > 0, governance.events.after(since).isEmpty, governance.events.waiting.count < 256 else {
            return answerEvents(request.token, since)
        }
        governance.events.waiting.append((request.token, since, clock.monotonic + wait * 1_000_000))
    }

    private mutating func answerEvents(_ token: RequestToken, _ since: UInt64) {
        let body: JSON = [
            "value": .array(governance.events.after(since)),
            "next": .integer(Int64(clamping: max(since, appliedSeqno))),
        ]
        respond(token, ClientResponse(reflects: commitID, body: body.serialized()))
    }

    /// Answers those who watch and for whom there is something now.
    mutating func releaseGovernanceWatches() {
        guard let newest = governance.events.kept.last?.seqno,
            governance.events.waiting.contains(where: { $0.since < newest })
        else { return }
        let ready = governance.events.waiting.filter { !governance.events.after($0.since).isEmpty }
        guard !ready.isEmpty else { return }
        governance.events.waiting.removeAll { waiting in ready.contains { $0.token == waiting.token } }
        for each in ready { answerEvents(each.token, each.since) }
    }

    mutating func expireGovernanceWatches() {
        let now = clock.monotonic
        let over = governance.events.waiting.filter { $0.deadline <= now }
        guard !over.isEmpty else { return }
        governance.events.waiting.removeAll { $0.deadline <= now }
        for each in over { answerEvents(each.token, each.since) }
    }
}
