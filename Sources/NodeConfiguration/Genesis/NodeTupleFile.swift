public import Attestation
public import Constitution
public import Identity
internal import Primitives

/// The file by which a node asks for its place on the VN list: made by `entente node init`, signed by the owner, read by
/// `entente genesis`. JSON:
///
/// ```json
/// {"version": 1, "owner": "bank-a", "address": "node1.bank-a.example:8547", "nodeID": "…", "publicKey": "PEM",
///  "platform": "software", "platformKey": "hex", "managerMeasurement": "hex", "workerMeasurement": "hex",
///  "evidence": "hex", "signature": "base64 of r ‖ s, when it is signed"}
/// ```
public struct NodeTupleFile: Sendable, Hashable {
    /// Owner, address and public key.
    public var tuple: NodeTuple
    /// What the platform says about the code that made the key, with ``ReportData/initial(nodeKey:workerMeasurement:)``.
    public var evidence: Evidence
    /// Measurement of the manager.
    public var managerMeasurement: [UInt8]
    /// Measurement of the worker; empty when it is part of the manager.
    public var workerMeasurement: [UInt8]
    /// The owner's signature, r ‖ s; nil until it is signed.
    public var signature: [UInt8]?

    /// Larger files are refused.
    public static let byteCountMax = 1 << 18
    private static let version: Int64 = 1

    /// A file not yet signed.
    public init(tuple: NodeTuple, evidence: Evidence, managerMeasurement: [UInt8], workerMeasurement: [UInt8]) {
        self.tuple = tuple
        self.evidence = evidence
        self.managerMeasurement = managerMeasurement
        self.workerMeasurement = workerMeasurement
    }

    /// Makes a file of what the manager left in the data folder (`identity.json`: the fields `nodeID`, `publicKey`,
    /// `platform`, `managerMeasurement`, `workerMeasurement` and `evidence`), the owner and the address.
    /// - Throws: ``ConfigurationError``.
    public init(identity json: [UInt8], owner: ActorID, address: String) throws(ConfigurationError) {
        let reader = try JSONFields(json, limit: Self.byteCountMax)
        try self.init(reader, owner: owner, address: address)
        try reader.finish()
    }

    /// Reads a file, signed or not. ``check()`` verifies it.
    /// - Throws: ``ConfigurationError``.
    public init(json: [UInt8]) throws(ConfigurationError) {
        let reader = try JSONFields(json, limit: Self.byteCountMax)
        guard try reader.integer("version") == Self.version else {
            throw ConfigurationError("a file of another version", path: "version")
        }
        try self.init(reader, owner: try reader.text("owner"), address: try reader.text("address"))
        if let text = try reader.optionalText("signature") {
            guard let bytes = Base64.decode(text) else {
                throw ConfigurationError("it is no base64", path: "signature")
            }
            signature = bytes
        }
        if let text = try reader.optionalText("platformKey"), text != Hex.encode(try platformKey()) {
            throw ConfigurationError("it is not the key in the evidence", path: "platformKey")
        }
        try reader.finish()
    }

    private init(_ reader: JSONFields, owner: ActorID, address: String) throws(ConfigurationError) {
        let key: PublicKey
        do {
            key = try PublicKey(spki: PEM.decode(try reader.text("publicKey"), label: "PUBLIC KEY"))
        } catch let error as ConfigurationError { throw error } catch {
            throw ConfigurationError("it is no public key in PEM", path: "publicKey")
        }
        guard try reader.text("nodeID") == key.id else {
            throw ConfigurationError("it is not the digest of the public key", path: "nodeID")
        }
        guard let platform = Platform(rawValue: try reader.text("platform")) else {
            throw ConfigurationError("there is no such platform", path: "platform")
        }
        self.init(
            tuple: NodeTuple(owner: owner, address: address, publicKey: key.spki),
            evidence: Evidence(platform: platform, bytes: try reader.hex("evidence")),
            managerMeasurement: try reader.hex("managerMeasurement"),
            workerMeasurement: try reader.hex("workerMeasurement"))
    }

    /// The file's text.
    public var json: [UInt8] {
        var object = JSONObject([
            .init(name: "version", value: .integer(Self.version)), .init(name: "owner", value: .string(tuple.owner)),
            .init(name: "address", value: .string(tuple.address)), .init(name: "nodeID", value: .string(nodeID)),
            .init(name: "publicKey", value: .string(PEM.encode(tuple.publicKey, label: "PUBLIC KEY"))),
            .init(name: "platform", value: .string(evidence.platform.rawValue)),
            .init(name: "platformKey", value: .string(Hex.encode((try? platformKey()) ?? []))),
            .init(name: "managerMeasurement", value: .string(Hex.encode(managerMeasurement))),
            .init(name: "workerMeasurement", value: .string(Hex.encode(workerMeasurement))),
            .init(name: "evidence", value: .string(Hex.encode(evidence.bytes))),
        ])
        if let signature { object.append("signature", .string(Base64.encode(signature))) }
        return JSON.object(object).serialized() + [0x0a]
    }

    /// Lower-case hex SHA-256 of the public key.
    public var nodeID: String { NodeEntry(tuple: tuple, signature: []).nodeID }

    /// The key of the node's platform, for the TEE manifest.
    /// - Throws: ``ConfigurationError`` when the evidence can't be read.
    public func platformKey() throws(ConfigurationError) -> [UInt8] {
        do { return try evidence.claims().platformKey } catch {
            throw ConfigurationError(error.reason, path: "evidence")
        }
    }

    /// What the owner signs; a key in another device signs it with ECDSA and the curve's own hash.
    public var signedBytes: [UInt8] { tuple.signedBytes }

    /// The owner's step: checks the evidence, then signs.
    /// - Throws: ``ConfigurationError``.
    public mutating func sign(with key: SigningKey) throws(ConfigurationError) {
        try check()
        do { signature = try tuple.signed(by: key).signature } catch {
            throw ConfigurationError("the key could not sign", path: "signature")
        }
    }

    /// The owner's step with a key in another device.
    /// - Parameter signature: r ‖ s over ``signedBytes`` by `key`.
    /// - Throws: ``ConfigurationError`` when it is not by this key.
    public mutating func finish(signature: [UInt8], by key: PublicKey) throws(ConfigurationError) {
        try check()
        guard key.verifies(rawSignature: signature, message: signedBytes) else {
            throw ConfigurationError("the signature is not by this key over this file", path: "signature")
        }
        self.signature = signature
    }

    /// Checks the evidence: whole, made for this node key and these measurements. Whether the platform and the code are
    /// welcome is for the manifests to say; who signed, for the membership list.
    /// - Throws: ``ConfigurationError``.
    public func check() throws(ConfigurationError) {
        let claims: EvidenceClaims
        do { claims = try evidence.verifyIntegrity(at: 0) } catch {
            throw ConfigurationError(error.reason, path: "evidence")
        }
        guard claims.measurement == managerMeasurement else {
            throw ConfigurationError("the evidence is of other code", path: "managerMeasurement")
        }
        let expected = ReportData.initial(nodeKey: tuple.publicKey, workerMeasurement: workerMeasurement)
        guard claims.reportData == expected else {
            throw ConfigurationError("the evidence was made for another key or another worker", path: "evidence")
        }
    }

    /// The signed entry for the VN list.
    /// - Throws: ``ConfigurationError`` when it is not signed.
    public func entry() throws(ConfigurationError) -> NodeEntry {
        guard let signature else { throw ConfigurationError("the owner has not signed it", path: "signature") }
        return NodeEntry(tuple: tuple, signature: signature)
    }
}

/// Reads the members of a JSON object once each, and refuses those that nobody read.
final class JSONFields {
    private let object: JSONObject
    private var known: [String] = []

    init(_ bytes: [UInt8], limit: Int) throws(ConfigurationError) {
        let json: JSON
        do { json = try JSON(parsing: bytes, limits: JSONLimits(bytesMax: limit, depthMax: 8, valuesMax: 1024)) } catch
        {
            throw ConfigurationError("this is no JSON: \(error)")
        }
        guard let object = json.object else { throw ConfigurationError("this is no JSON object") }
        self.object = object
    }

    private func value(_ name: String) -> JSON? {
        known.append(name)
        return object[name]
    }

    func optionalText(_ name: String) throws(ConfigurationError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw ConfigurationError("it is a text", path: name) }
        return text
    }

    func text(_ name: String) throws(ConfigurationError) -> String {
        guard let text = try optionalText(name) else { throw ConfigurationError("it is missing", path: name) }
        return text
    }

    func integer(_ name: String) throws(ConfigurationError) -> Int64 {
        guard let number = value(name)?.integer else { throw ConfigurationError("it is a whole number", path: name) }
        return number
    }

    func hex(_ name: String) throws(ConfigurationError) -> [UInt8] {
        guard let bytes = Hex.decode(try text(name)) else {
            throw ConfigurationError("it is no hexadecimal text", path: name)
        }
        return bytes
    }

    func finish() throws(ConfigurationError) {
        for member in object.members where !known.contains(member.name) {
            throw ConfigurationError("there is no such field", path: String(member.name.prefix(40)))
        }
    }
}
