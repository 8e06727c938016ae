public import Identity
public import Primitives

/// A receipt as a COSE_Sign1 by the service (draft-ietf-scitt-receipts-ccf-profile): the root signature with the inclusion
/// proof in the unprotected header, and, for one transaction, the batch proof under the label `entente.batch`.
public struct CoseReceipt: Sendable, Hashable {
    /// The verifiable data structure CCF_LEDGER_SHA256.
    public static let ccfLedgerSHA256: UInt64 = 2

    static let batchLabel = "entente.batch"

    /// The root signature with the proofs.
    public let message: CoseSign1
    /// What the leaf is made of.
    public let leafComponents: LeafComponents
    /// The way from the leaf to the root.
    public let path: MerklePath
    /// The transaction's place in the batch, when the receipt is for one transaction.
    public let batch: BatchProof?

    /// A receipt for the entry at `seqno` under a signature that covers it.
    /// - Returns: nil when the tree can't prove that leaf any more, the signature does not cover it, or it has no COSE
    ///   form.
    public init?(
        tree: MerkleTree, seqno: UInt64, components: LeafComponents, signature: RootSignature,
        batch: BatchProof? = nil
    ) {
        guard let cose = signature.cose, var message = try? CoseSign1(cose),
            let path = tree.path(index: seqno, count: signature.id.seqno)
        else { return nil }
        let proof = CBOR.map([
            .init(
                .integer(1),
                .array([
                    .bytes(components.writeSetDigest.bytes), .text(components.commitEvidence),
                    .bytes(components.claimsDigest.bytes),
                ])), .init(.integer(2), path.cbor),
        ])
        var unprotected: [CBOR.Pair] = [
            .init(
                .integer(CoseSign1.Label.proofs),
                .map([.init(.integer(CoseSign1.Label.inclusion), .array([.bytes(proof.encoded())]))]))
        ]
        if let batch { unprotected.append(.init(.text(Self.batchLabel), batch.cbor)) }
        message.unprotected = .map(unprotected)
        self.message = message
        leafComponents = components
        self.path = path
        self.batch = batch
    }

    /// The receipt's bytes.
    public func encoded() -> [UInt8] { message.encoded() }

    /// Reads a receipt with one inclusion proof.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init(_ bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count <= ReceiptLimits.byteCountMax else { throw .tooLarge("a receipt of \(bytes.count) bytes") }
        do { message = try CoseSign1(bytes) } catch { throw .malformed("the receipt: \(error)") }
        guard
            let proofs = message.unprotected[CoseSign1.Label.proofs]?[CoseSign1.Label.inclusion]?.arrayValue,
            proofs.count == 1, let proofBytes = proofs[0].bytesValue, let proof = try? CBOR.decode(proofBytes),
            let leaf = proof[1]?.arrayValue, leaf.count == 3,
            let writes = leaf[0].bytesValue.flatMap({ Bytes32($0) }), let evidence = leaf[1].textValue,
            let claims = leaf[2].bytesValue.flatMap({ Bytes32($0) }),
            let path = proof[2].flatMap(MerklePath.init(cbor:))
        else { throw .malformed("the receipt has no inclusion proof of CCF's profile") }
        leafComponents = LeafComponents(writeSetDigest: writes, commitEvidence: evidence, claimsDigest: claims)
        self.path = path
        if let item = message.unprotected[Self.batchLabel] {
            guard let proof = BatchProof(cbor: item) else { throw .malformed("the receipt's transaction") }
            batch = proof
        } else {
            batch = nil
        }
    }

    /// The root that the receipt leads to.
    public var root: Bytes32 { path.root(from: leafComponents.leaf) }

    /// The entry that the commit evidence names.
    public var id: TransactionID? { Receipt.transaction(ofEvidence: leafComponents.commitEvidence) }

    /// Checks the path and the service's signature, that the headers are those of CCF's profile and name this key, and
    /// the batch proof.
    /// - Parameter claimsDigest: what the entry must claim, if the caller knows.
    /// - Throws: ``LedgerError/badReceipt(_:file:line:)``.
    public func verify(service: PublicKey, claimsDigest: Bytes32? = nil) throws(LedgerError) {
        guard message.keyID == Array(service.id.utf8) else { throw .badReceipt("the receipt is of another service") }
        guard
            message.protected[CoseSign1.Label.verifiableDataStructure] == .unsigned(Self.ccfLedgerSHA256),
            message.payload == nil
        else { throw .badReceipt("the receipt is not of CCF's profile") }
        do { try message.verify(key: service, detached: root.bytes) } catch {
            throw .badReceipt("the service's signature is not over this root")
        }
        try Receipt.check(claimsDigest, leafComponents.claimsDigest, batch)
    }
}

extension MerklePath {
    var cbor: CBOR {
        .array(steps.map { .array([.bool($0.isLeft), .bytes($0.hash.bytes)]) })
    }

    init?(cbor: CBOR) {
        guard let items = cbor.arrayValue, items.count <= Self.stepCountMax else { return nil }
        var steps: [MerkleStep] = []
        for item in items {
            guard let pair = item.arrayValue, pair.count == 2, case .bool(let isLeft) = pair[0],
                let hash = pair[1].bytesValue.flatMap({ Bytes32($0) })
            else { return nil }
            steps.append(MerkleStep(isLeft: isLeft, hash: hash))
        }
        self.init(steps)
    }
}

extension BatchProof {
    var cbor: CBOR {
        .array([
            .unsigned(UInt64(index)), .unsigned(UInt64(count)), .bytes(salt), .bytes(digest.bytes), path.cbor,
        ])
    }

    init?(cbor: CBOR) {
        guard let parts = cbor.arrayValue, parts.count == 5,
            let index = parts[0].integerValue.flatMap({ UInt32(exactly: $0) }),
            let count = parts[1].integerValue.flatMap({ UInt32(exactly: $0) }), let salt = parts[2].bytesValue,
            let digest = parts[3].bytesValue.flatMap({ Bytes32($0) }), let path = MerklePath(cbor: parts[4])
        else { return nil }
        self.init(index: index, count: count, salt: salt, digest: digest, path: path)
    }
}
