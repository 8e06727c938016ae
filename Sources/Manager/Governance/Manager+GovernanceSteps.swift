import Attestation
import Consensus
import Constitution
import Identity
import Ledger
import Primitives
import Store

// What the primary does with governance messages and with time: each step becomes one entry, in the one order of all.
extension Manager {
    /// The constitution that the next entry meets: on the primary the latest one, committed or not.
    var latestConstitution: Constitution {
        isPrimary ? governance.latest?.constitution ?? constitution : constitution
    }

    /// Takes all messages that wait, and what time has decided. While a batch executes the next seqno is promised to it,
    /// so they wait for its end.
    mutating func takeGovernance() {
        guard mayPropose, phase == .active, fitness.storage.isGood, executing == nil, raft?.view != nil else { return }
        let time = max(clock.wall, ledgerTime)
        do {
            var state = try latestGovernance()
            if let due = state.due(after: governance.lastStep), due <= time {
                let outcome = state.advance(in: governanceContext(time))
                guard outcome.isEmpty || propose(outcome, state, time) else { return }
                governance.lastStep = time
            }
            while let number = governance.queue.first {
                guard take(number, time) else { return }
                governance.queue.removeAll { $0 == number }
            }
        } catch {
            stop("governance in the ledger can't be read: \(error)")
        }
    }

    private mutating func latestGovernance() throws -> Governance {
        if let latest = governance.latest { return latest }
        let state = try Governance(reading: store.latest)
        governance.latest = state
        return state
    }

    private func governanceContext(_ time: UInt64) -> GovernanceContext {
        let live =
            channels.values.map { LiveNode(nodeID: $0.id, code: $0.code) }
            + [LiveNode(nodeID: node.id, code: settings.code)]
        return GovernanceContext(
            place: LedgerPlace(view: raft?.view ?? 0, seqno: lastSeqno + 1, time: time), root: ledger.tree.root.bytes,
            live: live.sorted { $0.nodeID < $1.nodeID })
    }

    /// Decides one message; false when this node can't now.
    private mutating func take(_ number: UInt64, _ time: UInt64) -> Bool {
        guard let work = governance.works[number], var state = governance.latest else { return true }
        if work.call.isRepeated, let record = state.answer(toRepeated: work.call.message, in: store.latest) {
            settleGovernance(number, GovernanceAnswer(status: 200, body: record.json.serialized()), lastSeqno)
            return true
        }
        do {
            let outcome = try state.take(
                work.call.message, from: work.call.session, by: work.call.route, in: governanceContext(time))
            guard propose(outcome, state, time) else { return false }
            governance.lastStep = time
            let body = outcome.proposal?.json ?? .object(JSONObject())
            settleGovernance(number, GovernanceAnswer(status: 200, body: body.serialized()), lastSeqno)
        } catch {
            log(
                .info, "a governance message was refused",
                [("kind", work.call.kind), ("code", error.code.rawValue), ("reason", error.reason)])
            // What it was judged by may not be committed yet; only what is committed is told.
            settleGovernance(number, GovernanceAnswer(error), governance.lastEntry)
        }
        return true
    }

    private mutating func settleGovernance(_ number: UInt64, _ answer: GovernanceAnswer, _ seqno: UInt64) {
        var answer = answer
        if answer.status == 200 { answer.id = transactionID(at: seqno) }
        guard seqno > appliedSeqno else { return concludeGovernance(number, answer) }
        governance.works[number]?.place = .undecided(seqno: seqno)
        governance.atCommit[seqno, default: []].append((number, answer))
    }

    /// Makes the entry of a step; false when consensus does not take it.
    private mutating func propose(_ outcome: GovernanceOutcome, _ state: Governance, _ time: UInt64) -> Bool {
        guard let view = raft?.view else { return false }
        let id = TransactionID(view: view, seqno: lastSeqno + 1)
        do {
            let entry = try ledger.makeAdministrative(
                id, public: renewalWrites(outcome), private: outcome.writes, kind: .data, time: time)
            step(.propose([entry]))
        } catch {
            stop("a governance entry can't be made: \(error)")
            return false
        }
        // A leadership that is being handed over takes nothing; the message goes to the next primary.
        guard isPrimary, lastSeqno == id.seqno else { return false }
        governance.latest = state
        governance.lastEntry = id.seqno
        unsigned.entryAppended(now: clock.monotonic)
        for event in outcome.events { logGovernance(event, id) }
        signIfDue()
        return true
    }

    private mutating func logGovernance(_ event: GovernanceOutcome.Event, _ id: TransactionID) {
        switch event {
        case .proposed(let record):
            log(.info, "a proposal was made", [("proposal", record.id), ("by", record.proposer), ("entry", "\(id)")])
        case .voted(let proposalID, let member, let vote):
            log(
                .info, "a member voted",
                [("proposal", proposalID), ("member", member), ("vote", vote.rawValue), ("entry", "\(id)")])
        case .closed(let record):
            log(
                .info, "a proposal was closed",
                [("proposal", record.id), ("state", record.state.rawValue), ("entry", "\(id)")])
        case .changed(let version):
            log(
                .info, "the constitution will change when this entry is committed",
                [("version", String(version.number)), ("digest", version.digest), ("entry", "\(id)")])
        }
    }

    /// Certificates that an accepted proposal has made anew.
    private mutating func renewalWrites(_ outcome: GovernanceOutcome) throws -> WriteSet {
        var writes = WriteSet()
        let next = outcome.constitution ?? latestConstitution
        for renewal in outcome.renewals {
            let validity = UInt64(renewal.days) * 86_400_000
            for entry in next.nodes where renewal.nodes?.contains(entry.nodeID) ?? true {
                guard nodeCertificate(of: entry.nodeID) != nil else { continue }
                let certificate = try endorse(entry.publicKey, nodeID: entry.nodeID, validity: validity)
                writes.merge(CCFMaps.trustedNode(entry.nodeID, certificate: certificate, address: entry.address))
            }
            guard renewal.network else { continue }
            let request = certificateRequest(next.name, .authority(pathLength: 0), validity: validity)
            let key = try SigningKey(rawRepresentation: sealed.networkKey)
            let certificate = try X509Certificate.selfSigned(request, key: key)
            writes.merge(CCFMaps.service(status: "Open", certificate: certificate.pem))
        }
        return writes
    }
}
