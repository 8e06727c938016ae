internal import Primitives

/// What came of a case.
public struct EvidenceCaseOutcome: Sendable {
    /// Name of the case.
    public let id: String
    /// The steps of the verification.
    public let checks: [EvidenceCheck]
    /// Where the result is not what the case says, in words; empty when it is.
    public let differences: [String]
}

extension EvidenceCase {
    /// Verifies the evidence as the case says and compares.
    ///
    /// A case that names a reason is met when that very check failed; others may have failed too, since verification goes
    /// on after a failure.
    /// - Parameter read: gives a file by its path in the case file; its errors count as a difference.
    public func run(reading read: (String) throws -> [UInt8]) -> EvidenceCaseOutcome {
        let checks: [EvidenceCheck]
        let fields: [ClaimField]
        do { (checks, fields) = try verify(reading: read) } catch {
            return EvidenceCaseOutcome(id: id, checks: [], differences: ["the case can't be run: \(error)"])
        }
        var differences: [String] = []
        let failed = checks.filter { $0.outcome == .failed }.map(\.kind.rawValue)
        switch expectedResult {
        case "ok" where !failed.isEmpty: differences.append("refused (\(failed.joined(separator: ", "))), expected ok")
        case "ok": break
        case _ where failed.isEmpty: differences.append("accepted, expected \(expectedResult)")
        case "reject": break
        default:
            if !failed.contains(expectedResult) {
                differences.append("refused for \(failed.joined(separator: ", ")), expected \(expectedResult)")
            }
        }
        for claim in expectedClaims {
            let found = fields.last { $0.name == claim.name }?.value
            if found.map({ Self.areSame($0, claim.value) }) != true {
                let text = found.map { String(decoding: $0.serialized(), as: UTF8.self) } ?? "not there"
                let expected = String(decoding: claim.value.serialized(), as: UTF8.self)
                differences.append("\(claim.name) is \(text), expected \(expected)")
            }
        }
        return EvidenceCaseOutcome(id: id, checks: checks, differences: differences)
    }

    private func verify(reading read: (String) throws -> [UInt8]) throws -> ([EvidenceCheck], [ClaimField]) {
        var bytes = try read(evidence)
        for patch in patches { try Self.apply(patch, to: &bytes) }
        var policy = EvidencePolicy(requirements: .lenient, allowsDebug: allowsDebug)
        if let statuses { policy.requirements.statuses = statuses }
        if let root { policy.requirements.roots = try PlatformCertificate.chain(pem: try read(root)).map(\.digest) }
        var collateral = Collateral()
        let platform: Platform
        switch kind {
        case .uvm:
            return UVMEndorsement.examine(bytes, at: time)
        case .snp:
            platform = .sevSNP
            if let vek { collateral.amd.certificates.append(try read(vek)) }
            if let chain {
                collateral.amd.certificates += try PEMBundle.documents(try read(chain), label: "CERTIFICATE")
            }
        case .dcap:
            // What can't be read has no TEE; either reader then says why.
            platform = (try? Quote(bytes))?.bodyType == 1 ? .sgx : .tdx
            policy.needsCollateral = self.collateral != nil
            if let folder = self.collateral { collateral.intel = [try intel(folder, reading: read)] }
        }
        let report = Evidence(platform: platform, bytes: bytes).examine(
            policy: policy, collateral: collateral, at: time)
        return (report.checks, report.claims?.fields ?? [])
    }

    private func intel(_ folder: String, reading read: (String) throws -> [UInt8]) throws -> Collateral.Intel {
        func file(_ name: String) throws -> [UInt8] {
            let bytes = try read("\(folder)/\(name)")
            guard let replacement, replacement.file == name else { return bytes }
            return Self.replacing(Array(replacement.old.utf8), by: Array(replacement.new.utf8), in: bytes)
        }
        return Collateral.Intel(
            tcbInfo: try file("tcb_info.json"), tcbInfoChain: try file("tcb_info_issuer_chain.pem"),
            qeIdentity: try file("qe_identity.json"), qeIdentityChain: try file("qe_identity_issuer_chain.pem"),
            pckRevocationList: try file("pck_crl.der"), rootRevocationList: try file("root_ca_crl.der"))
    }

    private static func apply(_ patch: Patch, to bytes: inout [UInt8]) throws(AttestationError) {
        switch patch {
        case .xor(let offset, let mask):
            guard offset < bytes.count else { throw .malformed("a patch beyond the end of the evidence") }
            bytes[offset] ^= mask
        case .truncate(let count): bytes = Array(bytes.prefix(count))
        }
    }

    private static func replacing(_ old: [UInt8], by new: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: old) {
                result += new
                index += old.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// Whether two values are the same; the order of an object's members does not count.
    private static func areSame(_ left: JSON, _ right: JSON) -> Bool {
        switch (left, right) {
        case (.object(let left), .object(let right)):
            left.members.count == right.members.count
                && left.members.allSatisfy { member in right[member.name].map { areSame(member.value, $0) } ?? false }
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { areSame($0, $1) }
        default: left == right
        }
    }
}
