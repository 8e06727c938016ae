public import Identity
public import Primitives

/// CCF's receipt: proof that an entry is in the ledger, signed by a node that the service endorses. With a batch proof it
/// is a receipt for one transaction.
public struct Receipt: Sendable, Hashable {
    /// What the leaf is made of; nil in a receipt for a signature entry, which proves the root itself.
    public let leafComponents: LeafComponents?
    /// The way from the leaf to the signed root.
    public let path: MerklePath
    /// The signed root of a receipt for a signature entry.
    public let signedRoot: Bytes32?
    /// The node's ECDSA signature over the root, in DER.
    public let signature: [UInt8]
    /// The signing node's id.
    public let nodeID: String
    /// The signing node's certificate, PEM.
    public let certificate: String
    /// Certificates from the one that endorses the node's to the one before the service's current, PEM.
    public let serviceEndorsements: [String]
    /// The transaction's place in the batch, when the receipt is for one transaction.
    public let batch: BatchProof?

    /// A receipt for the entry at `seqno` under a signature that covers it.
    /// - Returns: nil when the tree can't prove that leaf any more, or the signature does not cover it or has no node's
    ///   certificate.
    public init?(
        tree: MerkleTree, seqno: UInt64, components: LeafComponents, signature: RootSignature,
        serviceEndorsements: [String] = [], batch: BatchProof? = nil
    ) {
        guard let certificate = signature.certificate, signature.isSignedByNode,
            let path = tree.path(index: seqno, count: signature.id.seqno)
        else { return nil }
        self.init(
            leafComponents: components, path: path, signedRoot: nil, signature: signature.signature,
            nodeID: signature.nodeID, certificate: certificate, serviceEndorsements: serviceEndorsements, batch: batch)
    }

    /// A receipt for a signature entry itself; nil when no node's certificate is with it.
    public init?(signature: RootSignature, serviceEndorsements: [String] = []) {
        guard let certificate = signature.certificate, signature.isSignedByNode else { return nil }
        self.init(
            leafComponents: nil, path: MerklePath([]), signedRoot: signature.root, signature: signature.signature,
            nodeID: signature.nodeID, certificate: certificate, serviceEndorsements: serviceEndorsements, batch: nil)
    }

    init(
        leafComponents: LeafComponents?, path: MerklePath, signedRoot: Bytes32?, signature: [UInt8], nodeID: String,
        certificate: String, serviceEndorsements: [String], batch: BatchProof?
    ) {
        self.leafComponents = leafComponents
        self.path = path
        self.signedRoot = signedRoot
        self.signature = signature
        self.nodeID = nodeID
        self.certificate = certificate
        self.serviceEndorsements = serviceEndorsements
        self.batch = batch
    }

    /// The root that the receipt leads to.
    public var root: Bytes32 {
        if let leafComponents { path.root(from: leafComponents.leaf) } else { signedRoot ?? .zero }
    }

    /// The entry that the commit evidence names; nil in a receipt for a signature entry. A node gave the evidence out
    /// only once the entry was committed.
    public var id: TransactionID? {
        guard let leafComponents else { return nil }
        return Self.transaction(ofEvidence: leafComponents.commitEvidence)
    }

    static func transaction(ofEvidence evidence: String) -> TransactionID? {
        let parts = evidence.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "ce" else { return nil }
        return TransactionID(parts[1])
    }

    /// Checks everything that can be checked with the service's certificate alone: the path, the node's signature, that
    /// the node's certificate belongs to the node id, that the service endorses it, and the batch proof.
    /// - Parameter claimsDigest: what the entry must claim, if the caller knows.
    /// - Throws: ``LedgerError/badReceipt(_:file:line:)``.
    public func verify(service: X509Certificate, claimsDigest: Bytes32? = nil) throws(LedgerError) {
        let node: X509Certificate
        var endorsements: [X509Certificate] = []
        do {
            node = try X509Certificate(pem: certificate)
            for pem in serviceEndorsements { endorsements.append(try X509Certificate(pem: pem)) }
        } catch { throw .badReceipt("a certificate: \(error)") }
        guard node.publicKey.id == nodeID else { throw .badReceipt("the certificate is not the signing node's") }
        guard node.publicKey.verifies(derSignature: signature, digest: root.bytes) else {
            throw .badReceipt("the node's signature is not over this root")
        }
        var endorsed = node
        for issuer in endorsements + [service] {
            guard endorsed.isSigned(by: issuer.publicKey) else {
                throw .badReceipt("the service does not endorse the node's certificate")
            }
            endorsed = issuer
        }
        try Self.check(claimsDigest, leafComponents?.claimsDigest, batch)
    }

    static func check(
        _ expected: Bytes32?, _ claimsDigest: Bytes32?, _ batch: BatchProof?
    ) throws(LedgerError) {
        if let expected, expected != claimsDigest { throw .badReceipt("the entry claims something else") }
        if let batch, batch.claimsDigest != claimsDigest {
            throw .badReceipt("the transaction is not in the entry's batch")
        }
    }
}
