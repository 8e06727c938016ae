internal import Attestation
internal import Identity
internal import Primitives

/// Reads the arguments of an action, and refuses names that nobody asked for.
struct ActionFields {
    let path: String
    private let object: JSONObject

    init(_ json: JSON, _ path: String, names: [String]) throws(ConstitutionError) {
        self.path = path
        object = try PolicyReader.object(json, path, names: names)
    }

    func optional(_ name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func value(_ name: String) throws(ConstitutionError) -> JSON {
        guard let value = optional(name) else { throw .missing("\(path).\(name)", "it is missing") }
        return value
    }

    func text(_ name: String, limit: Int = 128) throws(ConstitutionError) -> String {
        let text = try PolicyReader.text(value(name), "\(path).\(name)")
        guard text.utf8.count <= limit else { throw .outOfRange("\(path).\(name)", "over \(limit) bytes") }
        return text
    }

    func actor(_ name: String) throws(ConstitutionError) -> String {
        let text = try text(name)
        guard Names.isActorID(text) else { throw .malformed("\(path).\(name)", "it is the id of an actor") }
        return text
    }

    func nodeID(_ name: String) throws(ConstitutionError) -> String {
        let text = try text(name)
        guard Constitution.isNetworkID(text) else {
            throw .malformed("\(path).\(name)", "a node's id has 64 hexadecimal digits")
        }
        return text
    }

    func bool(_ name: String) throws(ConstitutionError) -> Bool {
        guard let value = try value(name).bool else { throw .malformed("\(path).\(name)", "it is true or false") }
        return value
    }

    func word<T: RawRepresentable<String> & CaseIterable>(_ name: String) throws(ConstitutionError) -> T {
        try PolicyReader.word(value(name), "\(path).\(name)")
    }

    func hex(_ name: String, limit: Int = 4096) throws(ConstitutionError) -> [UInt8] {
        let text = try text(name, limit: 2 * limit)
        guard let bytes = Hex.decode(text), !bytes.isEmpty else {
            throw .malformed("\(path).\(name)", "it is a hexadecimal text")
        }
        return bytes
    }

    func pem(_ name: String, label: String) throws(ConstitutionError) -> [UInt8] {
        try Self.pem(value(name), "\(path).\(name)", label: label)
    }

    private static func pem(_ json: JSON, _ path: String, label: String) throws(ConstitutionError) -> [UInt8] {
        let text = try PolicyReader.text(json, path)
        guard text.utf8.count <= 2 * Limits.certificateByteCountMax, let der = try? PEM.decode(text, label: label)
        else {
            throw .malformed(path, "it is no \(label) in PEM")
        }
        return der
    }

    /// Certificates in PEM; none when the name is not there.
    func certificates(_ name: String, _ kind: Actor.Certificate.Kind) throws(ConstitutionError) -> [Actor.Certificate] {
        guard let json = optional(name) else { return [] }
        let path = "\(path).\(name)"
        guard let list = json.array, list.count <= Limits.certificatesMax else {
            throw .malformed(path, "it is a list of up to \(Limits.certificatesMax) certificates in PEM")
        }
        var certificates: [Actor.Certificate] = []
        for (index, each) in list.enumerated() {
            let der = try Self.pem(each, "\(path)[\(index)]", label: "CERTIFICATE")
            certificates.append(.init(kind: kind, der: der))
        }
        return certificates
    }
}
