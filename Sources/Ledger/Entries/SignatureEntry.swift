public import Identity
public import Primitives
public import Store

/// A signed Merkle root as a signature entry carries it: both of CCF's forms, and the tree since the last one.
///
/// The entry at seqno S signs the root over leaves 0 to S - 1. A node signs with its own key; the COSE form is signed
/// with the service's key, so that a verifier need know nothing but the service.
public struct RootSignature: Sendable, Hashable {
    /// The signature entry's own name.
    public let id: TransactionID
    /// The signed root.
    public let root: Bytes32
    /// The signing node's id, lower-case hexadecimal.
    public let nodeID: String
    /// The node's ECDSA signature over the root, in DER.
    public let signature: [UInt8]
    /// The node's certificate, PEM.
    public let certificate: String?
    /// The COSE_Sign1 over the root, detached; older ledgers have none.
    public let cose: [UInt8]?

    /// What the COSE form says about its issuer, beside the root.
    public struct Claims: Sendable, Hashable {
        /// `iss`: the network's name.
        public var issuer: String
        /// `sub`: what the ledger is about.
        public var subject: String
        /// `iat`: seconds since 1970, by ledger time.
        public var issuedAt: UInt64

        /// Claims as given.
        public init(issuer: String, subject: String, issuedAt: UInt64) {
            self.issuer = issuer
            self.subject = subject
            self.issuedAt = issuedAt
        }
    }

    /// Signs the root of `tree`, whose next leaf is that of the entry `id`.
    /// - Throws: ``LedgerError/outOfRange(_:file:line:)`` when `id` does not follow the tree's last leaf,
    ///   ``LedgerError/badSignature(_:file:line:)`` when the library would not sign.
    public static func sign(
        _ tree: MerkleTree, id: TransactionID, nodeKey: SigningKey, nodeCertificate: X509Certificate,
        serviceKey: SigningKey, claims: Claims
    ) throws(LedgerError) -> RootSignature {
        guard id.seqno == tree.count else { throw .outOfRange("a signature at \(id) over \(tree.count) leaves") }
        let root = tree.root
        do {
            let headers: [CBOR.Pair] = [
                .init(.integer(CoseSign1.Label.keyID), .bytes(Array(serviceKey.publicKey.id.utf8))),
                .init(
                    .integer(CoseSign1.Label.claims),
                    .map([
                        .init(.integer(1), .text(claims.issuer)), .init(.integer(2), .text(claims.subject)),
                        .init(.integer(6), .unsigned(claims.issuedAt)),
                    ])),
                .init(.integer(CoseSign1.Label.verifiableDataStructure), .unsigned(CoseReceipt.ccfLedgerSHA256)),
                .init(.text("ccf.v1"), .map([.init(.text("txid"), .text("\(id)"))])),
            ]
            return RootSignature(
                id: id, root: root, nodeID: nodeKey.publicKey.id,
                signature: try nodeKey.signature(digest: root.bytes), certificate: nodeCertificate.pem,
                cose: try CoseSign1.sign(payload: root.bytes, headers: headers, isDetached: true, key: serviceKey)
                    .encoded())
        } catch { throw .badSignature("\(error)") }
    }

    /// The public maps of a signature entry.
    /// - Parameter treeBytes: ``MerkleTree/serialized(from:)`` from the last signature on.
    public func tables(tree treeBytes: [UInt8]?) -> WriteSet {
        var object = JSONObject()
        if let certificate { object.append("cert", .string(certificate)) }
        object.append("node", .string(nodeID))
        object.append("root", .string("\(root)"))
        object.append("seqno", .integer(Int64(clamping: id.seqno)))
        object.append("sig", .string(Base64.encode(signature)))
        object.append("view", .integer(Int64(clamping: id.view)))
        var maps = [map(Tables.signatures, JSON.object(object).serialized())]
        if let cose { maps.append(map(Tables.coseSignatures, JSON.string(Base64.encode(cose)).serialized())) }
        if let treeBytes { maps.append(map(Tables.tree, treeBytes)) }
        return WriteSet(maps)
    }

    /// Reads the signature maps of an entry; nil when it has none.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``.
    public init?(tables: WriteSet) throws(LedgerError) {
        let cose = try Self.cose(tables)
        guard let value = tables[Tables.signatures]?[Tables.singleton] else {
            guard let cose else { return nil }
            self = try Self(coseOnly: cose)
            return
        }
        guard let json = try? JSON(parsing: value), let node = json["node"]?.string,
            let rootText = json["root"]?.string, let root = Bytes32(hex: rootText), "\(root)" == rootText,
            let view = json["view"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let seqno = json["seqno"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let signature = json["sig"]?.string.flatMap(Base64.decode)
        else { throw .malformed("the signature map does not hold a signature") }
        id = TransactionID(view: view, seqno: seqno)
        self.root = root
        nodeID = node
        self.signature = signature
        certificate = json["cert"]?.string
        self.cose = cose
    }

    private init(
        id: TransactionID, root: Bytes32, nodeID: String, signature: [UInt8], certificate: String?, cose: [UInt8]?
    ) {
        self.id = id
        self.root = root
        self.nodeID = nodeID
        self.signature = signature
        self.certificate = certificate
        self.cose = cose
    }

    /// A signature entry of CCF's COSE-only mode: no node signed, and the root is the verifier's to compute.
    private init(coseOnly cose: [UInt8]) throws(LedgerError) {
        let id = try Self.transaction(ofCose: cose)
        self.init(id: id, root: .zero, nodeID: "", signature: [], certificate: nil, cose: cose)
    }

    /// Whether a node signed, as everywhere but in CCF's COSE-only mode.
    public var isSignedByNode: Bool { !nodeID.isEmpty }

    private static func cose(_ tables: WriteSet) throws(LedgerError) -> [UInt8]? {
        guard let value = tables[Tables.coseSignatures]?[Tables.singleton] else { return nil }
        guard let bytes = (try? JSON(parsing: value))?.string.flatMap(Base64.decode) else {
            throw .malformed("the COSE signature map does not hold base64")
        }
        return bytes
    }

    /// The transaction that a COSE root signature names in its protected header.
    static func transaction(ofCose bytes: [UInt8]) throws(LedgerError) -> TransactionID {
        guard let message = try? CoseSign1(bytes), let text = message.protected["ccf.v1"]?["txid"]?.textValue,
            let id = TransactionID(text)
        else { throw .malformed("the COSE signature names no transaction") }
        return id
    }

    private func map(_ name: String, _ value: [UInt8]) -> MapWrites {
        MapWrites(name: name, writes: [.init(key: Tables.singleton, value: value)])
    }
}
