import AdapterKit
import Attestation
import Consensus
import Constitution
import Ledger
import Store

// What a change of the constitution does to this node once it is committed.
extension Manager {
    /// What a removed node may still say before its channel is closed: long enough to hear of its own removal.
    static let farewellMicroseconds: UInt64 = 1_000_000

    /// The constitution in force: from committed entries. A joiner goes by the one that its owner approved until its ledger
    /// has come so far.
    mutating func reloadConstitution() {
        governance.history = nil
        if lastSeqno > 0, phase != .joining {
            let isCommitted = store.committed.count(ConstitutionMaps.network) > 0
            // A restarted node that knows nothing of its own to be committed goes by what its ledger says.
            let view = isCommitted ? store.committed : store.latest
            do {
                let before = constitution
                constitution = try Constitution(reading: view)
                if before != constitution { constitutionChanged(from: before) }
            } catch {
                return stop("the constitution in the ledger can't be read: \(error)")
            }
        }
        var limits = Batcher<WorkItem>.Limits()
        limits.transactionsMax = constitution.batchTransactionsMax
        limits.delayMaxMicroseconds = constitution.batchDelayMicroseconds
        for item in queues.configure(endpoints: constitution.adapters.map(\.endpoint), limits: limits) {
            settle(item, .invalid(.noAdapter))
        }
        unsigned.entriesMax = constitution.signatureEntriesMax
        unsigned.delayMax = constitution.signatureDelayMicroseconds
        raft?.setDials(constitution.raftSettings)
    }

    private mutating func constitutionChanged(from before: Constitution) {
        membershipIsUnchecked = true
        guard before.isKnown else { return }
        log(.info, "the constitution in force changed", [("digest", constitution.digest)])
        checkOwnCode()
        checkChannels(before)
        if before.document.actors != constitution.document.actors { effects.append(.checkSessions) }
        if before.adapters != constitution.adapters, worker.isOpen {
            effects.append(.restartWorker(reason: "the adapters of the constitution changed"))
            workerDied(reason: "the adapters of the constitution changed")
        }
    }

    /// A node whose code is approved no longer takes no part: its peers would refuse it at the next handshake.
    private mutating func checkOwnCode() {
        guard let code = settings.code, !constitution.admits(code), constitution.node(node.id) != nil else { return }
        stop("the constitution does not approve this node's code or platform any more; start it with approved code")
    }

    /// Channels to peers that a handshake of today would refuse, or might, are closed: who may come back is verified anew.
    private mutating func checkChannels(_ before: Constitution) {
        for peer in channels.keys.sorted() {
            guard let channel = channels[peer] else { continue }
            guard let entry = constitution.node(peer) else {
                // A restarted node has judged its peers by the genesis until it had read its ledger.
                if phase == .recovering { effects.append(.disconnect(peer, reason: "removed from the VN list")) }
                continue
            }
            let owner = entry.owner
            var reason: String?
            if owner != channel.owner { reason = "it belongs to another owner now" }
            if let code = channel.code, !constitution.admits(code) { reason = "its code is not approved any more" }
            if let platform = channel.code?.platform,
                before.tee.rule(for: platform) != constitution.tee.rule(for: platform)
            {
                reason = "the rules for its platform changed"
            }
            let keys = { (tee: TEEManifest) in tee.softwareKeys.filter { $0.owner == owner } }
            if keys(before.tee) != keys(constitution.tee) { reason = "the platform keys of its owner changed" }
            guard let reason else { continue }
            log(.info, "a channel is closed to be verified anew", [("peer", peer), ("reason", reason)])
            effects.append(.disconnect(peer, reason: reason))
        }
    }

    /// Peers that are on no list and in no configuration any more are let go of, after they had time to hear why.
    mutating func dismissRemovedPeers() {
        guard phase == .active else { return }
        for peer in channels.keys.sorted() {
            guard constitution.node(peer) == nil,
                raft?.configurations.contains(where: { $0.configuration.contains(peer) }) != true
            else {
                leaving[peer] = nil
                continue
            }
            let due = leaving[peer] ?? clock.monotonic + Self.farewellMicroseconds
            leaving[peer] = due
            guard due <= clock.monotonic else { continue }
            leaving[peer] = nil
            log(.info, "a node that was removed is let go of", [("peer", peer)])
            effects.append(.disconnect(peer, reason: "removed from the VN list"))
        }
    }

    /// What a peer that is being removed may still say: consensus, which has to finish with it.
    func mayTalk(_ peer: PeerID) -> Bool { constitution.node(peer) != nil || phase == .joining }

    /// A certificate that was made anew is shown from now on.
    mutating func takeRenewedCertificates(_ opened: OpenedEntry) {
        takeCertificates(
            own: opened.administrative[Tables.endorsedCertificates]?[Array(node.id.utf8)],
            service: opened.administrative[Tables.service]?[Tables.singleton])
    }

    /// The same after a snapshot, which passes over the entries that made them.
    mutating func takeCertificatesOfSnapshot() {
        takeCertificates(
            own: store.committed.get(Tables.endorsedCertificates, Array(node.id.utf8)),
            service: store.committed.get(Tables.service, Tables.singleton))
    }

    private mutating func takeCertificates(own: [UInt8]?, service: [UInt8]?) {
        let service = service.flatMap(CCFMaps.certificate)
        var isNew = false
        if let own, case let pem = String(decoding: own, as: UTF8.self), pem != sealed.nodeCertificate {
            sealed.nodeCertificate = pem
            isNew = true
        }
        if let service, service != sealed.networkCertificate {
            sealed.networkCertificate = service
            isNew = true
        }
        guard isNew, phase == .active else { return }
        effects.append(.seal(sealed.encoded(), ticket: 0))
        log(.info, "certificates were renewed")
        serve()
    }
}

extension Constitution {
    /// Whether code may run here.
    func admits(_ code: NodeCode) -> Bool {
        guard tee.rule(for: code.platform) != nil else { return false }
        return (try? self.code.admit(platform: code.platform, manager: code.manager, worker: code.worker)) != nil
    }
}
