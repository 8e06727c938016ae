/// One step of a verification: what was looked at, how it came out and why.
public struct EvidenceCheck: Sendable, Hashable, CustomStringConvertible {
    /// What a step looks at. The raw values are names for people and for case files.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The evidence can be read, and what must be zero is.
        case format
        /// The signing key's certificate leads over AMD's intermediate to a root.
        case vekChain = "vek-chain"
        /// The signing key's certificate is that of a VCEK or VLEK, with what such a one must say.
        case vekKind = "vek-kind"
        /// The signing key's certificate is for the report's TCB.
        case vekTCB = "vek-tcb"
        /// The signing key's certificate is for the report's chip.
        case vekChip = "vek-chip"
        /// The report names the kind of key that signed it.
        case signingKey = "signing-key"
        /// Report, certificate and root are of the same line of processors.
        case product
        /// The root is one that the verifier trusts.
        case rootNotTrusted = "root-not-trusted"
        /// Certificates are valid at the time of verification.
        case certificateExpired = "cert-expired"
        /// The report is signed by the certified key.
        case reportSignature = "report-signature"
        /// The AMD certificates are not revoked.
        case vekRevoked = "vek-revoked"
        /// The quoting enclave's platform key is certified by Intel.
        case pckChain = "pck-chain"
        /// The list of revoked platform keys is by the authority that certified this one.
        case pckRevocationList = "pck-crl"
        /// The list of revoked authorities is by the root.
        case rootRevocationList = "root-crl"
        /// Revocation lists are in date.
        case revocationListExpired = "crl-expired"
        /// Neither platform key nor authority is revoked.
        case pckRevoked = "pck-revoked"
        /// The quoting enclave's report is signed by the platform key.
        case qeReportSignature = "qe-report-signature"
        /// The quoting enclave vouches for the attestation key.
        case qeReportData = "qe-report-data"
        /// The quote is signed by the attestation key.
        case quoteSignature = "quote-signature"
        /// The TCB signing certificate leads to the root.
        case tcbInfoChain = "tcb-info-chain"
        /// The TCB information is signed by Intel.
        case tcbInfoSignature = "tcb-info-signature"
        /// The TCB information is in date.
        case tcbInfoExpired = "tcb-info-expired"
        /// The TCB information is for this platform.
        case tcbInfoMismatch = "tcb-info-mismatch"
        /// The quoting enclave's identity is signed by Intel.
        case qeIdentitySignature = "qe-identity-signature"
        /// The quoting enclave's identity is in date.
        case qeIdentityExpired = "qe-identity-expired"
        /// The quoting enclave is the one that the identity describes.
        case qeIdentityMismatch = "qe-identity-mismatch"
        /// The TDX module is one that the TCB information describes.
        case tdxModuleMismatch = "tdx-module-mismatch"
        /// The platform's versions reach a TCB level that Intel knows.
        case tcbNotSupported = "tcb-not-supported"
        /// The TCB level is not revoked.
        case tcbRevoked = "tcb-revoked"
        /// The status of the TCB level is one that the verifier accepts.
        case policyTCB = "policy-tcb"
        /// What is needed to verify is in the cache.
        case collateral
        /// The environment can't be looked into.
        case policyDebug = "policy-debug"
        /// The environment can't be moved elsewhere.
        case policyMigration = "policy-migration"
        /// Privilege level and attributes are what the verifier wants.
        case policyConfiguration = "policy-configuration"
        /// Named claims have the values that the verifier wants.
        case policyClaims = "policy-claims"
        /// The code is what the verifier expects.
        case policyMeasurement = "policy-measurement"
        /// The report data are what the verifier expects.
        case policyReportData = "policy-report-data"
        /// A `software` platform's evidence is signed by the key that it names.
        case softwareSignature = "software-signature"
        /// That key is listed.
        case softwareKey = "software-key"
        /// An endorsement's certificates lead to the issuer that it names.
        case endorsementChain = "endorsement-chain"
        /// An endorsement is signed by its certificate.
        case endorsementSignature = "endorsement-signature"
    }

    /// How a step came out.
    public enum Outcome: String, Sendable, Hashable {
        /// As it should.
        case passed
        /// Not as it should.
        case failed
        /// Not looked at, or without bearing on the result; the detail says why.
        case noted
    }

    /// What was looked at.
    public let kind: Kind
    /// How it came out.
    public let outcome: Outcome
    /// Why, in words; no secret is ever part of evidence.
    public let detail: String

    /// One line: outcome, kind, detail.
    public var description: String {
        let mark =
            switch outcome {
            case .passed: "ok  "
            case .failed: "FAIL"
            case .noted: "note"
            }
        let name = kind.rawValue
        return "\(mark)  \(name)\(String(repeating: " ", count: max(1, 24 - name.utf8.count)))\(detail)"
    }
}

/// What was checked so far, in order.
struct EvidenceAccount: Sendable {
    private(set) var checks: [EvidenceCheck] = []

    var hasFailed: Bool { checks.contains { $0.outcome == .failed } }

    mutating func pass(_ kind: EvidenceCheck.Kind, _ detail: String) {
        checks.append(EvidenceCheck(kind: kind, outcome: .passed, detail: detail))
    }

    mutating func fail(_ kind: EvidenceCheck.Kind, _ detail: String) {
        checks.append(EvidenceCheck(kind: kind, outcome: .failed, detail: detail))
    }

    mutating func note(_ kind: EvidenceCheck.Kind, _ detail: String) {
        checks.append(EvidenceCheck(kind: kind, outcome: .noted, detail: detail))
    }

    /// Passes or fails by a condition.
    @discardableResult
    mutating func check(
        _ kind: EvidenceCheck.Kind, _ condition: Bool, pass: @autoclosure () -> String, fail: @autoclosure () -> String
    ) -> Bool {
        if condition { self.pass(kind, pass()) } else { self.fail(kind, fail()) }
        return condition
    }

    /// Passes when there is no objection.
    @discardableResult
    mutating func check(_ kind: EvidenceCheck.Kind, objection: String?, pass: @autoclosure () -> String) -> Bool {
        if let objection { fail(kind, objection) } else { self.pass(kind, pass()) }
        return objection == nil
    }

    /// What `body` gives, or a failed check when it throws.
    mutating func attempt<T>(
        _ kind: EvidenceCheck.Kind, _ what: String, _ body: () throws(AttestationError) -> T
    ) -> T? {
        do { return try body() } catch {
            fail(kind, "\(what): \(error.reason)")
            return nil
        }
    }
}
