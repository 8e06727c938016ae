public import Attestation
internal import Crypto
public import Identity
internal import Primitives

/// What an owner signs about a validating node: "a signed tuple that includes the member's identity, the address of the
/// physical node, and the public key corresponding to the private key generated within the enclave" (white paper).
public struct NodeTuple: Sendable, Hashable {
    /// The actor whom the node belongs to.
    public var owner: ActorID
    /// Where other nodes reach it, `host:port`.
    public var address: String
    /// The node's public key, SPKI in DER.
    public var publicKey: [UInt8]

    /// A tuple.
    public init(owner: ActorID, address: String, publicKey: [UInt8]) {
        self.owner = owner
        self.address = address
        self.publicKey = publicKey
    }

    /// What the owner signs: "entente vn tuple v1" ‖ 0, then owner, address and public key, each behind its `u32` length.
    /// A key in another device signs these bytes with ECDSA and the curve's own hash.
    public var signedBytes: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.raw("entente vn tuple v1".utf8)
        writer.integer(UInt8(0))
        writer.text(owner)
        writer.text(address)
        writer.blob(publicKey)
        return writer.bytes
    }

    /// Signs the tuple with a key of the owner.
    /// - Throws: `IdentityError.signing`.
    public func signed(by key: SigningKey) throws(IdentityError) -> NodeEntry {
        NodeEntry(tuple: self, signature: try key.rawSignature(message: signedBytes))
    }
}

/// A validating node of the VN list: the tuple and its owner's signature.
public struct NodeEntry: Sendable, Hashable {
    /// What was signed.
    public let tuple: NodeTuple
    /// r ‖ s of a key of the owner's certificates over ``NodeTuple/signedBytes``.
    public let signature: [UInt8]
    /// Lower-case hex SHA-256 of the public key.
    public let nodeID: String

    /// An entry. Nothing is verified here; ``ConstitutionDocument/problems()`` does.
    public init(tuple: NodeTuple, signature: [UInt8]) {
        self.tuple = tuple
        self.signature = signature
        nodeID = Hex.encode(Array(SHA256.hash(data: tuple.publicKey)))
    }

    /// The actor whom the node belongs to.
    public var owner: ActorID { tuple.owner }
    /// Where other nodes reach it, `host:port`.
    public var address: String { tuple.address }
    /// The node's public key, SPKI in DER.
    public var publicKey: [UInt8] { tuple.publicKey }
    /// The address without port and brackets.
    public var host: String { Names.split(address: address)?.host ?? address }
    /// The port of the address, 0 if it has none.
    public var port: UInt16 { Names.split(address: address)?.port ?? 0 }

    /// Whether a key of one of the owner's certificates signed the tuple.
    public func isSigned(by owner: Actor) -> Bool {
        guard owner.id == tuple.owner else { return false }
        let message = tuple.signedBytes
        return owner.certificates.contains {
            (try? X509Certificate(der: $0.der))?.publicKey.verifies(rawSignature: signature, message: message) == true
        }
    }
}
