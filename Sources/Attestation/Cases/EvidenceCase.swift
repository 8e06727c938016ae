internal import Primitives

/// One case of a case file: evidence, what to verify it with, and what must come of it.
///
/// The form of the file is `{"format": 1, "cases": [...]}`; the fields of a case are listed in docs/formats.md.
public struct EvidenceCase: Sendable {
    /// What the evidence is.
    enum Kind: String, Sendable {
        /// An SNP report.
        case snp
        /// A quote of an SGX enclave or a TD.
        case dcap
        /// An endorsement of a utility VM.
        case uvm
    }

    /// A change to the evidence before it is verified.
    enum Patch: Sendable {
        case xor(offset: Int, UInt8)
        case truncate(Int)
    }

    /// Name of the case.
    public let id: String
    let kind: Kind
    let evidence: String
    let vek: String?
    let chain: String?
    let root: String?
    let collateral: String?
    let time: UInt64
    let allowsDebug: Bool
    let statuses: [TCBStatus]?
    let patches: [Patch]
    let replacement: (file: String, old: String, new: String)?
    /// `ok`, `reject`, or the name of a check that must fail.
    let expectedResult: String
    let expectedClaims: [JSONObject.Member]

    /// Reads a case file.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``, which names the case: also for fields that are not known,
    ///   since a case whose meaning is not understood must not pass.
    public static func all(in file: [UInt8]) throws(AttestationError) -> [EvidenceCase] {
        let json: JSON
        do { json = try JSON(parsing: file) } catch { throw .malformed("the case file: \(error)") }
        guard json["format"]?.integer == 1, let list = json["cases"]?.array else {
            throw .malformed("the case file is not of format 1")
        }
        var cases: [EvidenceCase] = []
        for (index, each) in list.enumerated() {
            do throws(AttestationError) { cases.append(try EvidenceCase(each)) } catch {
                throw .malformed("case \(each["id"]?.string ?? "number \(index + 1)"): \(error.reason)")
            }
        }
        guard Set(cases.map(\.id)).count == cases.count else { throw .malformed("two cases have the same id") }
        return cases
    }

    private static let known = [
        "id", "of", "kind", "evidence", "vek", "chain", "root", "collateral", "at", "policy", "patch",
        "collateral_replace", "expect",
    ]

    private init(_ json: JSON) throws(AttestationError) {
        guard let object = json.object else { throw .malformed("it is no object") }
        for member in object.members where !Self.known.contains(member.name) {
            throw .malformed("there is no field \(member.name)")
        }
        guard let id = json["id"]?.string, let kind = json["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let evidence = json["evidence"]?.string, let time = json["at"]?.string.flatMap(CivilTime.parse),
            let result = json["expect"]?["result"]?.string
        else { throw .malformed("id, kind, evidence, at or expect.result is missing or wrong") }
        guard result == "ok" || result == "reject" || EvidenceCheck.Kind(rawValue: result) != nil else {
            throw .malformed("there is no result \(result)")
        }
        self.id = id
        self.kind = kind
        self.evidence = evidence
        self.time = time
        vek = json["vek"]?.string
        chain = json["chain"]?.string
        root = json["root"]?.string
        collateral = json["collateral"]?.string
        expectedResult = result
        expectedClaims = json["expect"]?["claims"]?.object?.members ?? []
        (allowsDebug, statuses) = try Self.policy(json["policy"])
        patches = try Self.patches(json["patch"])
        replacement = try Self.replacement(json["collateral_replace"])
    }

    private static func policy(_ json: JSON?) throws(AttestationError) -> (Bool, [TCBStatus]?) {
        var (allowsDebug, statuses): (Bool, [TCBStatus]?) = (false, nil)
        for member in json?.object?.members ?? [] {
            switch (member.name, member.value) {
            case ("allow_debug", .bool(let value)): allowsDebug = value
            case ("accept_tcb", .array(let names)):
                statuses = try names.map { name throws(AttestationError) in
                    guard let status = name.string.flatMap(TCBStatus.init(rawValue:)) else {
                        throw .malformed("policy.accept_tcb has an unknown status")
                    }
                    return status
                }
            default: throw .malformed("policy.\(member.name) is unknown or wrong")
            }
        }
        return (allowsDebug, statuses)
    }

    private static func patches(_ json: JSON?) throws(AttestationError) -> [Patch] {
        guard let json else { return [] }
        return try (json.array ?? [json]).map { patch throws(AttestationError) in
            if let count = patch["truncate"]?.integer.flatMap({ Int(exactly: $0) }), count >= 0 {
                return .truncate(count)
            }
            guard let offset = patch["offset"]?.integer.flatMap({ Int(exactly: $0) }), offset >= 0,
                let mask = patch["xor"]?.integer.flatMap({ UInt8(exactly: $0) })
            else { throw .malformed("a patch is neither {offset, xor} nor {truncate}") }
            return .xor(offset: offset, mask)
        }
    }

    private static func replacement(_ json: JSON?) throws(AttestationError) -> (String, String, String)? {
        guard let json else { return nil }
        guard let parts = json.array, parts.count == 3, let file = parts[0].string, let old = parts[1].string,
            let new = parts[2].string, !old.isEmpty
        else { throw .malformed("collateral_replace is not [file, old, new]") }
        return (file, old, new)
    }
}
