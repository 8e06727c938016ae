internal import Crypto
public import Identity
internal import Primitives

/// An owner's word that its node may take part in a network under a constitution: a COSE_Sign1 as ``GovernanceMessage``,
/// of the type `node_approval`, whose payload names node, network and the constitution's digest.
///
/// Before a node has it, it downloads and processes nothing. It is judged by the constitution that it approves: the node
/// must be on the VN list there, and the signer be the owner. A host that makes up both a constitution and an owner of its own
/// gains a node without the network's keys: those come from nodes that hold the network's identity key alone.
public struct NodeApproval: Sendable, Hashable {
    /// Bytes of the message at most.
    public static let byteCountMax = 1 << 17
    private static let type = "node_approval"

    /// The node.
    public let nodeID: String
    /// The network.
    public let networkID: String
    /// ``Constitution/digest`` of what is approved.
    public let digest: String
    private let message: CoseSign1
    private let keyID: String
    private let chain: [[UInt8]]

    /// Reads an approval; ``check(by:at:)`` verifies it.
    /// - Throws: ``GovernanceError``.
    public init(_ bytes: [UInt8]) throws(GovernanceError) {
        guard bytes.count <= Self.byteCountMax else {
            throw GovernanceError(.tooLarge, "an approval of \(bytes.count) bytes")
        }
        do { message = try CoseSign1(bytes, limits: CBOR.Limits(depthMax: 8, itemCountMax: 64)) } catch {
            throw GovernanceError(.malformed, "no COSE_Sign1: \(error.reason)")
        }
        guard message.protected[GovernanceMessage.Header.type]?.textValue == Self.type, let payload = message.payload,
            let key = message.keyID, let keyID = String(validating: key, as: UTF8.self),
            let json = try? JSON(parsing: payload, limits: JSONLimits(bytesMax: 4_096, depthMax: 4, valuesMax: 16)),
            let node = json["node"]?.string, let network = json["network"]?.string,
            let digest = json["constitution"]?.string
        else { throw GovernanceError(.malformed, "the message is no approval of a constitution for a node") }
        (nodeID, networkID, self.digest, self.keyID) = (node, network, digest, keyID)
        chain = try GovernanceMessage.chain(
            message.protected[GovernanceMessage.Header.chain] ?? message.unprotected[GovernanceMessage.Header.chain])
    }

    /// What an owner signs: the message without its signature.
    public static func unsigned(
        nodeID: String, constitution: Constitution, signedAt: UInt64, certificate: X509Certificate
    ) -> UnsignedMessage {
        let payload: JSON = [
            "constitution": .string(constitution.digest), "network": .string(constitution.networkID),
            "node": .string(nodeID),
        ]
        return UnsignedMessage(
            type: type, payload: payload.serialized(), signedAt: signedAt, certificate: certificate)
    }

    /// Whether it lets the node take part under the constitution.
    /// - Parameter time: milliseconds since 1970.
    /// - Throws: ``GovernanceError`` with what is wrong.
    public func check(nodeID: String, by constitution: Constitution, at time: UInt64) throws(GovernanceError) {
        guard self.nodeID == nodeID, networkID == constitution.networkID else {
            throw GovernanceError(.notAuthorised, "the approval is for another node or network")
        }
        guard digest == constitution.digest else {
            throw GovernanceError(.notAuthorised, "the approval is of another constitution: \(digest.prefix(16))…")
        }
        guard let owner = constitution.node(nodeID)?.owner else {
            throw GovernanceError(.notAuthorised, "the node is not on the VN list of the constitution")
        }
        let listed = (constitution.actor(owner)?.certificates ?? []).filter { $0.kind == .endEntity }.map { [$0.der] }
        let isKeyID = { (der: [UInt8]) in Hex.encode(Array(SHA256.hash(data: der))) == keyID }
        guard let chain = (listed + [chain]).first(where: { $0.first.map(isKeyID) ?? false }) else {
            throw GovernanceError(.notAuthenticated, "the key id names no certificate of \(owner)")
        }
        do {
            let actor = try constitution.resolveActor(certificateChain: chain, at: time)
            guard actor.id == owner else { throw GovernanceError(.notAuthorised, "\(actor.id) does not own the node") }
            try message.verify(key: X509Certificate(der: chain[0]).publicKey)
        } catch let error as GovernanceError { throw error } catch {
            throw GovernanceError(.notAuthenticated, "\(error)")
        }
    }
}
