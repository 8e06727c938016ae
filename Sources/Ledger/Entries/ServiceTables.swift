public import Identity
public import Primitives
public import Store

/// Status of the service, as `service.info` tells verifiers.
public enum ServiceStatus: String, Sendable, Hashable {
    /// Set up by its members, not open to users.
    case opening = "Opening"
    /// Open.
    case open = "Open"
    /// Waiting for shares that recover the private state.
    case waitingForRecoveryShares = "WaitingForRecoveryShares"
    /// Recovering the public state, under a new identity.
    case recovering = "Recovering"

    /// Whether verifiers accept `next` after this status. `Opening` may follow anything, as recovery may begin at any
    /// point, and a status may be written again, with a renewed certificate.
    public func allows(_ next: ServiceStatus) -> Bool {
        if next == .opening || next == self { return true }
        return switch self {
        case .opening: next == .open || next == .waitingForRecoveryShares
        case .recovering: next == .waitingForRecoveryShares
        case .waitingForRecoveryShares: next == .open
        case .open: next == .recovering
        }
    }
}

/// Status of a node, as `nodes.info` tells verifiers.
public enum NodeStatus: String, Sendable, Hashable {
    /// Known, but not part of the network.
    case pending = "Pending"
    /// May sign.
    case trusted = "Trusted"
    /// On its way out; may sign until its row is removed.
    case retired = "Retired"
}

/// The public maps that verifiers read, written: what genesis, a change of the service, and the coming and going of nodes
/// put into the ledger. Each function adds to a write set, so that one entry can carry several.
public enum ServiceTables {
    /// Writes the status and certificate of the service: in genesis as `opening`, later `open`, and again with each
    /// renewal of the certificate.
    public static func setService(
        _ status: ServiceStatus, certificate: X509Certificate, in writes: inout WriteSet
    ) {
        let value: JSON = ["cert": .string(certificate.pem), "status": .string(status.rawValue)]
        writes.put(value.serialized(), at: Tables.singleton, in: Tables.service)
    }

    /// Writes a node's status. Must be `trusted` before the node signs a root.
    public static func setNode(_ nodeID: String, _ status: NodeStatus, in writes: inout WriteSet) {
        let value: JSON = ["status": .string(status.rawValue)]
        writes.put(value.serialized(), at: Array(nodeID.utf8), in: Tables.nodes)
    }

    /// Writes the certificate that the service issued to a node, as raw PEM.
    public static func endorse(_ nodeID: String, certificate: X509Certificate, in writes: inout WriteSet) {
        writes.put(Array(certificate.pem.utf8), at: Array(nodeID.utf8), in: Tables.endorsedCertificates)
    }

    /// Removes a node that will not sign again.
    public static func removeNode(_ nodeID: String, in writes: inout WriteSet) {
        writes.remove(Array(nodeID.utf8), in: Tables.nodes)
        writes.remove(Array(nodeID.utf8), in: Tables.endorsedCertificates)
    }

    /// Writes the digest of a snapshot. The entry must claim the same digest, so that its receipt proves the snapshot.
    public static func setSnapshotEvidence(seqno: UInt64, digest: Bytes32, in writes: inout WriteSet) {
        let value: JSON = ["hash": .string("\(digest)"), "version": .integer(Int64(clamping: seqno))]
        writes.put(value.serialized(), at: Tables.singleton, in: Tables.snapshotEvidence)
    }

    /// Reads what ``setSnapshotEvidence(seqno:digest:in:)`` wrote; nil where a set writes no evidence, or none that can be
    /// read.
    public static func snapshotEvidence(_ writes: WriteSet) -> (seqno: UInt64, digest: Bytes32)? {
        guard let value = writes[Tables.snapshotEvidence]?[Tables.singleton], let json = try? JSON(parsing: value),
            let seqno = json["version"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let digest = json["hash"]?.string.flatMap({ Bytes32(hex: $0) })
        else { return nil }
        return (seqno, digest)
    }

    /// Everything that genesis needs to be verifiable: the service, opening, and its first node, trusted and endorsed.
    public static func genesis(service: X509Certificate, nodeID: String, node: X509Certificate) -> WriteSet {
        var writes = WriteSet()
        setService(.opening, certificate: service, in: &writes)
        setNode(nodeID, .trusted, in: &writes)
        endorse(nodeID, certificate: node, in: &writes)
        return writes
    }

    static func service(_ value: [UInt8]) -> (status: ServiceStatus, certificate: String)? {
        guard let json = try? JSON(parsing: value), let certificate = json["cert"]?.string,
            let status = json["status"]?.string.flatMap(ServiceStatus.init(rawValue:))
        else { return nil }
        return (status, certificate)
    }

    /// Status of a node, and the self-signed certificate that CCF 1 kept here.
    static func node(_ value: [UInt8]) -> (status: NodeStatus, certificate: String?)? {
        guard let json = try? JSON(parsing: value),
            let status = json["status"]?.string.flatMap(NodeStatus.init(rawValue:))
        else { return nil }
        return (status, json["cert"]?.string)
    }
}
