import AdapterKit
import Consensus
import Constitution
package import Identity
import Ledger
import Primitives
import Store

/// A change of the set of nodes that consensus counts, in the order in which the primary proposes them.
enum MembershipChange: Sendable, Hashable {
    /// A node that was let in learns.
    case learn(PeerID)
    /// A learner that is caught up votes.
    case promote(PeerID)
    /// Nodes that the constitution does not list any more leave.
    case remove([PeerID])
    /// Votes are counted in another way.
    case recount
    /// The configuration at the seqno is committed; nodes that it removed may retire.
    case settle(UInt64)
}

extension Manager {
    /// An attested channel to a peer is open.
    mutating func peerConnected(_ node: VerifiedNode) {
        channels[node.id] = node
        leaving[node.id] = nil
        log(
            .info, "channel open",
            [("peer", node.id), ("owner", node.owner), ("measurement", node.measurement)])
        if node.isClaimed, !wantsApproval {
            // Its handshake began before there was a constitution to judge it by.
            effects.append(.disconnect(node.id, reason: "to be judged by the constitution"))
            nextDial = clock.monotonic
            return
        }
        if phase == .joining { askToJoin(node.id) }
        tellFitness(to: node.id)
        if raft != nil { step(.tick) }
        if node.id == primary {
            rerouteWork(forwardedTo: nil)
            rerouteGovernance()
        }
    }

    /// It is gone; what was forwarded on it waits for the next primary.
    mutating func peerDisconnected(_ peer: PeerID) {
        guard channels.removeValue(forKey: peer) != nil else { return }
        fitness.peers.remove(peer)
        log(.info, "channel closed", [("peer", peer)])
        leaving[peer] = nil
        governancePeerGone(peer)
        for number in works.keys.sorted() where works[number]?.place == .forwarded(to: peer) {
            works[number]?.place = .waiting
        }
        for number in works.keys.sorted() {
            if case .peer(peer, _)? = works[number]?.origin, works[number]?.place != .here { works[number] = nil }
        }
    }

    mutating func send(_ message: NodeMessage, to peer: PeerID) {
        guard channels[peer] != nil else { return }
        effects.append(.send(peer, message.encoded()))
    }

    /// Opens channels that are missing: to every node of the VN list, or to the configured addresses before it is known.
    mutating func dialPeers() {
        guard clock.monotonic >= nextDial else { return }
        nextDial = clock.monotonic + 300_000
        var addresses = constitution.nodes.filter { $0.nodeID != node.id && channels[$0.nodeID] == nil }
            .map(\.address)
        if phase == .joining, channels.isEmpty { addresses += settings.peers.filter { !addresses.contains($0) } }
        for address in addresses where address != settings.address { effects.append(.dial(address: address)) }
        if phase == .joining { for peer in channels.keys.sorted() { askToJoin(peer) } }
    }

    /// A node asks to be let in. The channel has proved its key, its code and its place on the VN list; what is left is
    /// to make it a learner.
    mutating func receiveJoin(_ request: JoinRequest, from peer: PeerID) {
        guard isPrimary else {
            let address = primary.flatMap { id in constitution.nodes.first { $0.nodeID == id }?.address }
            return send(.refused(reason: "this node does not lead", primary: address), to: peer)
        }
        guard let entry = constitution.nodes.first(where: { $0.nodeID == peer }),
            request.publicKey == entry.publicKey
        else { return send(.refused(reason: "not on the VN list", primary: nil), to: peer) }
        guard request.address == entry.address else {
            return send(.refused(reason: "the address is not the one that its owner signed", primary: nil), to: peer)
        }
        guard request.constitution == constitution.digest else {
            send(.constitution(constitution.genesisFile), to: peer)
            return send(
                .refused(
                    reason: "the constitution in force is another than its owner approved", primary: nil), to: peer)
        }
        if configuration?.contains(peer) == true {
            // Its admission may be an entry that is not committed yet; it asks again.
            welcome(peer)
            return
        }
        guard !membershipChanges.contains(.learn(peer)) else { return }
        membershipChanges.append(.learn(peer))
        proposeMembershipChange()
    }

    /// The newest set of nodes that consensus counts.
    var configuration: Configuration? { raft?.configurations.last?.configuration }

    /// Proposes the next change once the one before is committed.
    mutating func proposeMembershipChange() {
        guard mayPropose, executing == nil, let raft, raft.hasCommittedInView, raft.configurations.count == 1,
            let current = configuration, let change = nextMembershipChange(current)
        else { return }
        do {
            let next: Configuration
            switch change {
            case .learn(let peer):
                guard !current.contains(peer), latestConstitution.node(peer) != nil else { return }
                next = try Configuration(
                    voters: current.voters, learners: current.learners + [peer],
                    policy: constitution.quorumPolicy(voters: current.voters.count))
            case .promote(let peer):
                guard current.learners.contains(peer) else { return }
                next = try Configuration(
                    voters: current.voters + [peer], learners: current.learners.filter { $0 != peer },
                    policy: constitution.quorumPolicy(voters: current.voters.count + 1))
            case .remove(let peers):
                let voters = current.voters.filter { !peers.contains($0) }
                next = try Configuration(
                    voters: voters, learners: current.learners.filter { !peers.contains($0) },
                    policy: constitution.quorumPolicy(voters: voters.count))
            case .recount:
                next = try Configuration(
                    voters: current.voters, learners: current.learners,
                    policy: constitution.quorumPolicy(voters: current.voters.count))
            case .settle(let seqno):
                next = current.settled(at: seqno)
            }
            var writes = ConfigurationMap.writes(next)
            if case .remove(let peers) = change { for peer in peers { writes.merge(CCFMaps.retiredNode(peer)) } }
            if case .learn(let peer) = change { writes.merge(try admissionWrites(peer)) }
            if case .learn(let peer) = change { pendingJoins[lastSeqno + 1] = peer }
            let entry = try ledger.makeAdministrative(
                TransactionID(view: raft.view, seqno: lastSeqno + 1), public: writes, private: WriteSet(),
                kind: .configuration(next), time: max(clock.wall, ledgerTime))
            unsigned.entryAppended(now: clock.monotonic)
            step(.propose([entry]))
            signIfDue()
        } catch {
            log(.error, "a membership change can't be proposed", [("change", "\(change)"), ("error", "\(error)")])
        }
    }

    /// What the constitution in force wants comes first: who is not on the VN list leaves, votes count as it says.
    private mutating func nextMembershipChange(_ current: Configuration) -> MembershipChange? {
        if membershipIsUnchecked {
            let listed = Set(constitution.nodes.map(\.nodeID))
            let unlisted = (current.voters + current.learners).filter { !listed.contains($0) }
            // Without one that stays nobody could go on; those who come in their place have to catch up first.
            let canLeave = current.voters.contains(where: listed.contains)
            if !unlisted.isEmpty, canLeave {
                log(.info, "nodes leave", [("nodes", unlisted.joined(separator: ", "))])
                return .remove(unlisted)
            }
            if current.policy != constitution.quorumPolicy(voters: current.voters.count) { return .recount }
            membershipIsUnchecked = !unlisted.isEmpty
        }
        return membershipChanges.isEmpty ? nil : membershipChanges.removeFirst()
    }

    /// The public entries that make a node known to everyone who verifies the ledger.
    private mutating func admissionWrites(_ peer: PeerID) throws -> WriteSet {
        guard let entry = constitution.nodes.first(where: { $0.nodeID == peer }) else {
            throw ManagerError.membership("\(peer) is not on the VN list")
        }
        let certificate = try endorse(entry.publicKey, nodeID: peer)
        return CCFMaps.trustedNode(peer, certificate: certificate, address: entry.address)
    }

    /// A certificate for a node key, signed by the network.
    /// - Parameter validity: milliseconds; nil for what is usual.
    mutating func endorse(_ publicKey: [UInt8], nodeID: PeerID, validity: UInt64? = nil) throws -> String {
        let authority = try X509Certificate(pem: sealed.networkCertificate)
        let host = constitution.node(nodeID)?.host
        let request = certificateRequest(
            nodeID, .node, names: host.map { [Self.alternativeName($0)] } ?? [], validity: validity)
        return try X509Certificate.issue(
            request, for: PublicKey(spki: publicKey), issuer: authority,
            issuerKey: SigningKey(rawRepresentation: sealed.networkKey)
        ).pem
    }

    /// A request for a certificate that is valid from an hour ago, since clocks differ.
    mutating func certificateRequest(
        _ name: String, _ purpose: CertificateRequest.Purpose, names: [CertificateRequest.AlternativeName] = [],
        validity: UInt64? = nil
    ) -> CertificateRequest {
        var serial = random.next(16)
        serial[0] = serial[0] & 0x7F | 0x40
        return CertificateRequest(
            commonName: name, purpose: purpose, serial: serial, notBefore: clock.wall - min(clock.wall, 3_600_000),
            notAfter: clock.wall + (validity ?? settings.certificateValidityMilliseconds), alternativeNames: names)
    }

    /// The name that a certificate carries for a host: its address if it is one.
    package static func alternativeName(_ host: String) -> CertificateRequest.AlternativeName {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        if parts.count == 4, !parts.contains(nil) { return .ip(parts.compactMap { $0 }) }
        return .dns(host)
    }

    /// The node's admission is committed: it gets the keys.
    mutating func welcome(_ peer: PeerID) {
        guard isPrimary, constitution.node(peer) != nil,
            let certificate = store.committed.get(Tables.endorsedCertificates, Array(peer.utf8))
        else { return }
        let grant = JoinGrant(
            networkKey: sealed.networkKey, networkCertificate: sealed.networkCertificate,
            nodeCertificate: String(decoding: certificate, as: UTF8.self), epochKeys: sealed.epochKeys)
        log(.info, "a node was let in", [("peer", peer)])
        send(.welcome(grant), to: peer)
    }

    /// What a joiner waits for before it has spoken to any node.
    static let waitsForContact = "no node of the network was reached yet"

    /// The certificate that the ledger holds for a node.
    func nodeCertificate(of peer: PeerID) -> String? {
        store.latest.get(Tables.endorsedCertificates, Array(peer.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// This node is let in.
    mutating func receiveWelcome(_ grant: JoinGrant, from peer: PeerID) {
        // Its owner may have another constitution to approve by now; the node asks again after that.
        guard awaitsAdmission, joining.isAdopted else { return }
        do {
            let authority = try X509Certificate(pem: grant.networkCertificate)
            let own = try X509Certificate(pem: grant.nodeCertificate)
            guard own.publicKey == node.key.publicKey, own.isSigned(by: authority.publicKey),
                try SigningKey(rawRepresentation: grant.networkKey).publicKey == authority.publicKey
            else { throw ManagerError.membership("a grant whose keys don't fit") }
        } catch {
            return log(.warning, "a welcome can't be used", [("peer", peer), ("error", "\(error)")])
        }
        sealed.networkKey = grant.networkKey
        sealed.networkCertificate = grant.networkCertificate
        sealed.nodeCertificate = grant.nodeCertificate
        sealed.epochKeys = grant.epochKeys
        effects.append(.seal(sealed.encoded(), ticket: 0))
        waitsFor = "was let in by \(peer), takes over the ledger"
        log(.info, "this node was let in", [("by", peer)])
        startConsensus(.joining)
    }

    /// Not let in by this peer.
    mutating func receiveRefusal(_ reason: String, _ address: String?, from peer: PeerID) {
        guard phase == .joining else { return }
        waitsFor = "not let in by \(peer): \(reason)"
        log(.info, "not let in yet", [("peer", peer), ("reason", reason)])
        if let address, address != settings.address { effects.append(.dial(address: address)) }
    }

    /// A joiner serves once its own admission is committed in its ledger.
    mutating func joinIfAdmitted() {
        guard nodeCertificate(of: node.id) != nil else { return }
        becomeActive()
    }

    /// The node is part of the network: clients may come.
    mutating func becomeActive() {
        guard phase != .active else { return }
        phase = .active
        waitsFor = ""
        sealed.constitution = []
        reloadConstitution()
        log(.info, "active", [("seqno", String(lastSeqno)), ("network", constitution.networkID)])
        serve()
        openWorkerIfPossible()
    }

    /// Opens the client listeners, once the node has a certificate.
    mutating func serve() {
        guard !sealed.nodeCertificate.isEmpty else { return }
        effects.append(
            .serve(certificate: sealed.nodeCertificate, networkCertificate: sealed.networkCertificate))
    }
}
