internal import Identity

/// What the constitution in force says about who may be a node: the part that admission needs.
public struct AdmissionPolicy: Sendable, Hashable {
    /// A node of the VN list.
    public struct Node: Sendable, Hashable {
        /// Lower-case hex SHA-256 of the public key.
        public var nodeID: String
        /// The actor whom it belongs to.
        public var owner: ActorID
        /// Its public key, SPKI in DER.
        public var publicKey: [UInt8]

        /// A listed node.
        public init(nodeID: String, owner: ActorID, publicKey: [UInt8]) {
            self.nodeID = nodeID
            self.owner = owner
            self.publicKey = publicKey
        }
    }

    /// 64 lower-case hexadecimal digits.
    public var networkID: String
    /// The VN list.
    public var nodes: [Node]
    /// The code that may run.
    public var code: CodeManifest
    /// The platforms that are welcome.
    public var tee: TEEManifest
    /// What makers publish about their platforms, from this node's operator; no part of the constitution.
    public var collateral: Collateral

    /// A policy.
    public init(
        networkID: String, nodes: [Node], code: CodeManifest, tee: TEEManifest, collateral: Collateral = .init()
    ) {
        self.networkID = networkID
        self.nodes = nodes
        self.code = code
        self.tee = tee
        self.collateral = collateral
    }
}

/// By what a node judges its peer.
public enum PeerRule: Sendable, Hashable {
    /// By a constitution that it holds.
    case policy(AdmissionPolicy)
    /// It joins and knows nothing of the network but its id (64 lower-case hexadecimal digits). The handshake then
    /// proves that the peer holds its node key on this channel and shows fresh, whole evidence; by whose platform and
    /// code is to be judged by ``ClaimedPeer/verify(by:at:)`` once the constitution was fetched and its digest compared
    /// with the id.
    case networkOnly(String)

    /// What this node's operator has from the makers of platforms; nothing before there is a constitution.
    var collateral: Collateral {
        switch self {
        case .policy(let policy): policy.collateral
        case .networkOnly: Collateral()
        }
    }

    /// The network in question.
    public var networkID: String {
        switch self {
        case .policy(let policy): policy.networkID
        case .networkOnly(let id): id
        }
    }
}

/// A peer whose key, platform, code and freshness were verified against a constitution.
public struct VerifiedPeer: Sendable, Hashable {
    /// Lower-case hex SHA-256 of its public key.
    public let nodeID: String
    /// The actor whom it belongs to.
    public let owner: ActorID
    /// Its platform.
    public let platform: Platform
    /// Measurement of its manager.
    public let measurement: [UInt8]
    /// Measurement of its worker, empty when the worker is part of the manager.
    public let workerMeasurement: [UInt8]
}

/// A peer that proved its key on this channel and showed whole, fresh evidence, but was held against no constitution.
public struct ClaimedPeer: Sendable, Hashable {
    /// Lower-case hex SHA-256 of its public key.
    public let nodeID: String
    /// Its public key, SPKI in DER.
    public let publicKey: [UInt8]
    /// Its evidence.
    public let evidence: Evidence
    /// What the evidence claims.
    public let claims: EvidenceClaims
    /// Measurement of its worker, empty when the worker is part of the manager.
    public let workerMeasurement: [UInt8]

    /// Judges the peer by a constitution: it must be on the VN list with this key, its evidence be by a platform that
    /// is listed for its owner, and its code be approved.
    /// - Parameter time: milliseconds since 1970.
    /// - Throws: ``HandshakeRefusal``.
    public func verify(by policy: AdmissionPolicy, at time: UInt64) throws(HandshakeRefusal) -> VerifiedPeer {
        guard let node = policy.nodes.first(where: { $0.nodeID == nodeID }), node.publicKey == publicKey else {
            throw HandshakeRefusal(.notListed, "node \(nodeID) is not on the VN list")
        }
        do {
            let verified = try evidence.verify(
                at: time, manifest: policy.tee, owner: node.owner, collateral: policy.collateral)
            try policy.code.admit(
                platform: verified.claims.platform, manager: verified.claims.measurement, worker: workerMeasurement)
            return VerifiedPeer(
                nodeID: nodeID, owner: node.owner, platform: verified.claims.platform,
                measurement: verified.claims.measurement, workerMeasurement: workerMeasurement)
        } catch let error { throw HandshakeRefusal(error) }
    }
}

/// How a handshake ended well.
public enum HandshakePeer: Sendable, Hashable {
    /// The peer satisfies the constitution.
    case verified(VerifiedPeer)
    /// This end knows no constitution yet.
    case claimed(ClaimedPeer)

    /// The peer's node id.
    public var nodeID: String {
        switch self {
        case .verified(let peer): peer.nodeID
        case .claimed(let peer): peer.nodeID
        }
    }
}
