public import Attestation
internal import Identity
internal import Primitives

/// A node as a proposal brings it: the tuple that its owner signed, and what its platform says about its code. The JSON
/// form is that of the file that `entente node init` makes and the owner signs.
public struct NodeRequest: Sendable, Hashable {
    /// The entry for the VN list.
    public var entry: NodeEntry
    /// What the platform says about the code that made the node's key; nil when the proposal brings none.
    public var evidence: Evidence?
    /// Measurement of the manager, as the file says.
    public var managerMeasurement: [UInt8]
    /// Measurement of the worker, as the file says; empty when it is part of the manager.
    public var workerMeasurement: [UInt8]

    /// A node.
    public init(
        entry: NodeEntry, evidence: Evidence? = nil, managerMeasurement: [UInt8] = [], workerMeasurement: [UInt8] = []
    ) {
        self.entry = entry
        self.evidence = evidence
        self.managerMeasurement = managerMeasurement
        self.workerMeasurement = workerMeasurement
    }

    private static let names = [
        "version", "owner", "address", "nodeID", "publicKey", "platform", "platformKey", "managerMeasurement",
        "workerMeasurement", "evidence", "signature",
    ]

    init(json: JSON, path: String) throws(ConstitutionError) {
        let fields = try ActionFields(json, path, names: Self.names)
        if let version = fields.optional("version"), version.integer != 1 {
            throw .unsupported("\(path).version", "a node of another version")
        }
        let tuple = NodeTuple(
            owner: try fields.actor("owner"), address: try fields.text("address", limit: 262),
            publicKey: try fields.pem("publicKey", label: "PUBLIC KEY"))
        guard let signature = Base64.decode(try fields.text("signature", limit: 256)) else {
            throw .malformed("\(path).signature", "it is the owner's signature in base64")
        }
        entry = NodeEntry(tuple: tuple, signature: signature)
        if let id = fields.optional("nodeID"), id.string != entry.nodeID {
            throw .malformed("\(path).nodeID", "it is not the digest of the public key")
        }
        managerMeasurement = try fields.optional("managerMeasurement") == nil ? [] : fields.hex("managerMeasurement")
        let worker = fields.optional("workerMeasurement")
        workerMeasurement = worker == nil || worker?.string == "" ? [] : try fields.hex("workerMeasurement")
        if fields.optional("evidence") != nil {
            let platform: Platform = try fields.word("platform")
            evidence = Evidence(
                platform: platform, bytes: try fields.hex("evidence", limit: Evidence.byteCountMax))
        }
    }

    var json: JSON {
        var object = JSONObject([
            .init(name: "version", value: 1), .init(name: "owner", value: .string(entry.owner)),
            .init(name: "address", value: .string(entry.address)), .init(name: "nodeID", value: .string(entry.nodeID)),
            .init(name: "publicKey", value: .string(PEM.encode(entry.publicKey, label: "PUBLIC KEY"))),
        ])
        if let evidence {
            object.append("platform", .string(evidence.platform.rawValue))
            object.append("managerMeasurement", .string(Hex.encode(managerMeasurement)))
            object.append("workerMeasurement", .string(Hex.encode(workerMeasurement)))
            object.append("evidence", .string(Hex.encode(evidence.bytes)))
        }
        object.append("signature", .string(Base64.encode(entry.signature)))
        return .object(object)
    }

    /// The code that the evidence shows, as judged by a TEE manifest at a time.
    /// - Throws: `AttestationError` when there is no evidence, or it does not hold, or is of another key or other code.
    public func code(tee: TEEManifest, at time: UInt64) throws(AttestationError) -> NodeCode {
        guard let evidence else { throw .malformed("the proposal brings no evidence of the node's code") }
        let verified = try evidence.verify(at: time, manifest: tee, owner: entry.owner)
        guard verified.claims.measurement == managerMeasurement else {
            throw .malformed("the evidence is of other code than the file says")
        }
        guard
            verified.claims.reportData
                == ReportData.initial(nodeKey: entry.publicKey, workerMeasurement: workerMeasurement)
        else { throw .malformed("the evidence was made for another key or another worker") }
        return NodeCode(
            platform: verified.claims.platform, manager: managerMeasurement, worker: workerMeasurement)
    }
}

/// The code of a node as verified evidence shows it.
public struct NodeCode: Sendable, Hashable {
    /// The platform.
    public var platform: Platform
    /// Measurement of the manager.
    public var manager: [UInt8]
    /// Measurement of the worker; empty when it is part of the manager.
    public var worker: [UInt8]

    /// Code on a platform.
    public init(platform: Platform, manager: [UInt8], worker: [UInt8]) {
        self.platform = platform
        self.manager = manager
        self.worker = worker
    }

    /// The entries of the code manifest that admit it; nil when one is missing.
    func entries(in manifest: CodeManifest) -> [CodeManifest.Entry]? {
        let role: CodeManifest.Role = worker.isEmpty ? .combined : .manager
        guard let first = manifest.entry(role: role, platform: platform, measurement: manager) else { return nil }
        if worker.isEmpty { return [first] }
        guard let second = manifest.entry(role: .worker, platform: platform, measurement: worker) else { return nil }
        return [first, second]
    }
}
