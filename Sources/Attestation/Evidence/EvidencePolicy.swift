internal import Primitives

/// By what evidence is judged.
public struct EvidencePolicy: Sendable, Hashable {
    /// What is asked of the platform.
    public var requirements: PlatformRequirements
    /// Whether debug mode is accepted. Only tests and inspection say so; policies that come from a TEE manifest never do.
    public var allowsDebug: Bool
    /// Oldest acceptable firmware in the platform's own form (``EvidenceClaims/tcb``), compared byte by byte; empty when
    /// nothing is asked.
    public var minimumTCB: [UInt8]
    /// `tdx`, `sgx`: whether Intel's statements on the TCB must be at hand. Without them only signatures and chain are
    /// checked, and the platform may be an old or a revoked one.
    public var needsCollateral: Bool
    /// `software`: keys that may vouch; nil for any, which proves nothing about where the evidence was made.
    public var platformKeys: [[UInt8]]?
    /// Code that is accepted; nil for any.
    public var measurements: [[UInt8]]?
    /// The 64 bytes that the evidence must be bound to; nil for any.
    public var reportData: [UInt8]?

    /// A policy; the defaults are strict about the platform and leave code and report data to the caller.
    public init(
        requirements: PlatformRequirements = .init(), allowsDebug: Bool = false, minimumTCB: [UInt8] = [],
        needsCollateral: Bool = true, platformKeys: [[UInt8]]? = [], measurements: [[UInt8]]? = nil,
        reportData: [UInt8]? = nil
    ) {
        self.requirements = requirements
        self.allowsDebug = allowsDebug
        self.minimumTCB = minimumTCB
        self.needsCollateral = needsCollateral
        self.platformKeys = platformKeys
        self.measurements = measurements
        self.reportData = reportData
    }

    /// SHA-256 of the accepted roots of a platform.
    func roots(of platform: Platform) -> [[UInt8]] {
        requirements.roots.isEmpty ? PlatformRoots.published(platform) : requirements.roots
    }

    /// The checks that are the same on every platform.
    func check(_ claims: EvidenceClaims, account: inout EvidenceAccount) {
        if claims.isDebug, allowsDebug {
            account.note(.policyDebug, "debug mode is on, and this policy accepts it")
        } else {
            account.check(
                .policyDebug, !claims.isDebug, pass: "debug mode is off", fail: "debug mode is on: the host can look in"
            )
        }
        if !minimumTCB.isEmpty {
            account.check(
                .policyTCB, TEEManifest.Rule.admits(claims.tcb, minimum: minimumTCB),
                pass: "firmware \(Hex.encode(claims.tcb)) is not older than \(Hex.encode(minimumTCB))",
                fail: "firmware \(Hex.encode(claims.tcb)) is older than \(Hex.encode(minimumTCB))")
        }
        for rule in requirements.claims { check(rule, claims, account: &account) }
        if let measurements {
            account.check(
                .policyMeasurement, measurements.contains(claims.measurement),
                pass: "the code is \(Hex.encode(claims.measurement)), which is listed",
                fail: "the code is \(Hex.encode(claims.measurement)), which is not listed")
        }
        if let reportData {
            account.check(
                .policyReportData, claims.reportData == reportData, pass: "the report data are the expected ones",
                fail: "the report data are \(Hex.encode(claims.reportData)), not the expected ones")
        }
    }

    private func check(_ rule: ClaimRule, _ claims: EvidenceClaims, account: inout EvidenceAccount) {
        let wanted =
            switch rule.condition {
            case .among(let texts): texts.joined(separator: " or ")
            case .atLeast(let minimum): "\(minimum) or more"
            }
        guard let field = claims.fields.first(where: { $0.name == rule.name }) else {
            return account.fail(.policyClaims, "the evidence has no \(rule.name); \(wanted) is asked")
        }
        let value = String(decoding: field.value.serialized(), as: UTF8.self)
        account.check(
            .policyClaims, rule.admits(field.value), pass: "\(rule.name) is \(value)",
            fail: "\(rule.name) is \(value); \(wanted) is asked")
    }
}
