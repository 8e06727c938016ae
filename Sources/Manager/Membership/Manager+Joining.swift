public import Attestation
import Consensus
import Constitution
import Identity
import Ledger
import Primitives

/// What a joiner knows of the constitution that it is about to live under. Its owner has approved that before the node
/// asks for keys or data: with the genesis file that it was given, or by a signed ``NodeApproval``.
struct JoinState: Sendable {
    /// Digest of the genesis file that the owner put into the configuration; nil when there is none.
    var approvedDigest: String?
    /// What nodes of the network say is in force, and no approval fits yet.
    var offered: Constitution?
    /// What the owner signed last.
    var approval: NodeApproval?
    private(set) var approvalBytes: [UInt8] = []
    /// The constitution was approved; from here on peers are judged by it.
    var isAdopted = false

    /// True when these bytes are new.
    mutating func take(_ bytes: [UInt8]) -> Bool {
        guard bytes != approvalBytes else { return false }
        approvalBytes = bytes
        return true
    }
}

extension Manager {
    /// By what other nodes are judged: a joiner whose owner has approved no constitution yet knows the network's id alone.
    public var peerRule: PeerRule {
        phase == .joining && sealed.networkKey.isEmpty && !joining.isAdopted
            ? .networkOnly(constitution.networkID) : .policy(constitution.admissionPolicy)
    }

    /// Whether the node has not been let in yet.
    public var awaitsAdmission: Bool { phase == .joining && sealed.networkKey.isEmpty }

    /// Whether an owner's approval may be what the node waits for.
    public var wantsApproval: Bool { awaitsAdmission && !joining.isAdopted }

    /// Asks a peer on the way in: first for the constitution, then to be let in.
    mutating func askToJoin(_ peer: PeerID) {
        guard sealed.networkKey.isEmpty else { return }
        guard joining.isAdopted else {
            if waitsFor == Self.waitsForContact { waitsFor = "asked \(peer) for the constitution, no answer yet" }
            return send(.constitutionWanted(known: knownConstitution?.digest ?? ""), to: peer)
        }
        guard channels[peer]?.isClaimed == false else { return }
        send(
            .join(
                JoinRequest(
                    address: settings.address, publicKey: node.key.publicKey.spki, constitution: constitution.digest)),
            to: peer)
    }

    private var knownConstitution: Constitution? { joining.offered ?? (constitution.isKnown ? constitution : nil) }

    /// A node that is let in by the handshake asks what is in force.
    mutating func answerConstitutionWanted(_ known: String, from peer: PeerID) {
        guard phase == .active, constitution.node(peer) != nil else { return }
        send(.constitution(known == constitution.digest ? [] : constitution.genesisFile), to: peer)
    }

    /// A peer says what is in force; empty: what this node named.
    mutating func receiveConstitution(_ bytes: [UInt8], from peer: PeerID) {
        guard phase == .joining, sealed.networkKey.isEmpty else { return }
        let offered: Constitution
        if bytes.isEmpty {
            guard let known = knownConstitution else { return }
            offered = known
        } else {
            do {
                offered = try Constitution(file: bytes, networkID: constitution.networkID)
            } catch {
                log(.warning, "a constitution that can't be read", [("peer", peer), ("error", "\(error)")])
                return effects.append(.disconnect(peer, reason: "malformed constitution"))
            }
        }
        if joining.isAdopted, offered.digest == constitution.digest { return }
        guard offered.node(node.id)?.publicKey == node.key.publicKey.spki else {
            waitsFor = "waits to be put on the VN list by the members' vote"
            return
        }
        joining.isAdopted = false
        joining.offered = offered
        considerOffer()
    }

    /// The owner's word came.
    mutating func receiveApproval(_ bytes: [UInt8]) {
        guard wantsApproval, joining.take(bytes) else { return }
        do {
            joining.approval = try NodeApproval(bytes)
        } catch {
            return log(.warning, "an approval that can't be read", [("error", "\(error)")])
        }
        considerOffer()
    }

    private mutating func considerOffer() {
        guard let offered = joining.offered else { return }
        let digest = offered.digest
        if digest == joining.approvedDigest { return adopt(offered) }
        var problem: String?
        if let approval = joining.approval {
            do {
                try approval.check(nodeID: node.id, by: offered, at: clock.wall)
                return adopt(offered)
            } catch { problem = error.reason }
        }
        let reason =
            "its owner has to approve the constitution \(digest): `entente node approve` shows it"
            + (problem.map { " (the approval that is there does not do: \($0))" } ?? "")
        guard waitsFor != reason else { return }
        waitsFor = reason
        log(
            .info, "the owner's approval is due", [("constitution", digest)] + (problem.map { [("problem", $0)] } ?? [])
        )
        effects.append(.offerConstitution(offered.genesisFile))
    }

    /// Everything from here on is by the constitution that the owner approved. Channels of before are closed: peers are
    /// judged by it now.
    private mutating func adopt(_ approved: Constitution) {
        let wasJudgedByIt = constitution.isKnown && constitution.digest == approved.digest
        constitution = approved
        joining.isAdopted = true
        joining.offered = nil
        sealed.constitution = approved.genesisFile
        effects.append(.seal(sealed.encoded(), ticket: 0))
        waitsFor = "its constitution is approved, asks to be let in"
        log(.info, "the constitution is approved", [("digest", approved.digest)])
        reloadConstitution()
        nextDial = clock.monotonic
        for peer in channels.keys.sorted() {
            if channels[peer]?.isClaimed == true || !wasJudgedByIt {
                effects.append(.disconnect(peer, reason: "to be judged by the constitution"))
            } else {
                askToJoin(peer)
            }
        }
    }

    /// A handshake ended badly: a joiner says so to those who ask.
    mutating func peerRefused(_ reason: String, isByPeer: Bool) {
        guard phase == .joining, sealed.networkKey.isEmpty, !joining.isAdopted, joining.offered == nil else { return }
        waitsFor = isByPeer ? "not let in by a node: \(reason)" : "a node was refused: \(reason)"
    }
}
