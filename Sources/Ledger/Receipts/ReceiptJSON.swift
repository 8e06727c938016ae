internal import Identity
public import Primitives

/// Bounds of receipts from anyone.
enum ReceiptLimits {
    static let byteCountMax = 1 << 20
    static let endorsementCountMax = 64
}

extension Receipt {
    /// The receipt in CCF's JSON form, with the batch proof as a further member `transaction`.
    public var json: JSON {
        var object = JSONObject()
        object.append("cert", .string(certificate))
        if let leafComponents {
            object.append(
                "leaf_components",
                [
                    "claims_digest": .string("\(leafComponents.claimsDigest)"),
                    "commit_evidence": .string(leafComponents.commitEvidence),
                    "write_set_digest": .string("\(leafComponents.writeSetDigest)"),
                ])
        } else {
            object.append("leaf", .string("\(root)"))
        }
        object.append("node_id", .string(nodeID))
        object.append("proof", path.json)
        if !serviceEndorsements.isEmpty {
            object.append("service_endorsements", .array(serviceEndorsements.map { .string($0) }))
        }
        object.append("signature", .string(Base64.encode(signature)))
        if let batch { object.append("transaction", batch.json) }
        return .object(object)
    }

    /// Reads CCF's JSON form.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init(json bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count <= ReceiptLimits.byteCountMax else { throw .tooLarge("a receipt of \(bytes.count) bytes") }
        guard let json = try? JSON(parsing: bytes), let certificate = json["cert"]?.string,
            let signature = json["signature"]?.string.flatMap(Base64.decode),
            let path = json["proof"].flatMap(MerklePath.init(json:))
        else { throw .malformed("the receipt lacks a certificate, a signature or a proof") }
        var components: LeafComponents?
        var signedRoot: Bytes32?
        if let parts = json["leaf_components"] {
            guard let evidence = parts["commit_evidence"]?.string,
                let writes = Bytes32(strictHex: parts["write_set_digest"])
            else { throw .malformed("the receipt's leaf components") }
            var claims = Bytes32.zero
            if let claimed = parts["claims_digest"] {
                guard let digest = Bytes32(strictHex: claimed) else { throw .malformed("the receipt's claims digest") }
                claims = digest
            }
            components = LeafComponents(writeSetDigest: writes, commitEvidence: evidence, claimsDigest: claims)
        } else {
            guard let root = Bytes32(strictHex: json["leaf"]), path.steps.isEmpty else {
                throw .malformed("the receipt has neither leaf components nor a leaf that is the root")
            }
            signedRoot = root
        }
        var endorsements: [String] = []
        if let list = json["service_endorsements"] {
            guard let array = list.array, array.count <= ReceiptLimits.endorsementCountMax else {
                throw .malformed("the receipt's service endorsements")
            }
            for item in array {
                guard let pem = item.string else { throw .malformed("the receipt's service endorsements") }
                endorsements.append(pem)
            }
        }
        var batch: BatchProof?
        if let transaction = json["transaction"] {
            guard let proof = BatchProof(json: transaction) else { throw .malformed("the receipt's transaction") }
            batch = proof
        }
        let nodeID: String
        if let id = json["node_id"] {
            guard let text = id.string else { throw .malformed("the receipt's node id") }
            nodeID = text
        } else {
            // Older receipts leave it out; it follows from the certificate.
            nodeID = (try? X509Certificate(pem: certificate))?.publicKey.id ?? ""
        }
        self.init(
            leafComponents: components, path: path, signedRoot: signedRoot, signature: signature, nodeID: nodeID,
            certificate: certificate, serviceEndorsements: endorsements, batch: batch)
    }
}

extension MerklePath {
    var json: JSON {
        .array(steps.map { [$0.isLeft ? "left" : "right": .string("\($0.hash)")] })
    }

    init?(json: JSON) {
        guard let items = json.array, items.count <= Self.stepCountMax else { return nil }
        var steps: [MerkleStep] = []
        for item in items {
            guard let object = item.object, object.members.count == 1, let member = object.members.first,
                member.name == "left" || member.name == "right", let hash = Bytes32(strictHex: member.value)
            else { return nil }
            steps.append(MerkleStep(isLeft: member.name == "left", hash: hash))
        }
        self.init(steps)
    }
}

extension BatchProof {
    var json: JSON {
        [
            "count": .integer(Int64(count)), "digest": .string("\(digest)"), "index": .integer(Int64(index)),
            "proof": path.json, "salt": .string(Hex.encode(salt)),
        ]
    }

    init?(json: JSON) {
        guard let index = json["index"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let count = json["count"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let digest = Bytes32(strictHex: json["digest"]), let path = json["proof"].flatMap(MerklePath.init(json:)),
            let saltText = json["salt"]?.string, let salt = Hex.decode(saltText), Hex.encode(salt) == saltText
        else { return nil }
        self.init(index: index, count: count, salt: salt, digest: digest, path: path)
    }
}

extension Bytes32 {
    /// 64 lower-case hexadecimal digits and nothing else.
    init?(strictHex json: JSON?) {
        guard let text = json?.string, let value = Bytes32(hex: text), "\(value)" == text else { return nil }
        self = value
    }
}
