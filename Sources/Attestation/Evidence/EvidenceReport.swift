/// How a verification came out, line by line.
public struct EvidenceReport: Sendable, Hashable {
    /// The platform.
    public let platform: Platform
    /// The steps, in the order in which they were made.
    public let checks: [EvidenceCheck]
    /// What the evidence claims; nil when it can't be read. To be believed only if ``isAccepted``.
    public let claims: EvidenceClaims?

    /// Whether every step passed.
    public var isAccepted: Bool { claims != nil && !checks.contains { $0.outcome == .failed } }

    /// The steps that failed.
    public var failures: [EvidenceCheck] { checks.filter { $0.outcome == .failed } }

    /// The first step that failed, as an error; nil when the evidence is accepted.
    public var refusal: AttestationError? {
        guard let first = failures.first else { return nil }
        return AttestationError(first)
    }
}

extension Evidence {
    /// Verifies the evidence and tells of each step. Pure: the same arguments always give the same report.
    /// - Parameters:
    ///   - policy: what is asked of it.
    ///   - collateral: what its makers published, from the operator's cache.
    ///   - time: milliseconds since 1970 at which certificates and collateral must be valid.
    public func examine(policy: EvidencePolicy, collateral: Collateral, at time: UInt64) -> EvidenceReport {
        let context = VerificationContext(policy: policy, collateral: collateral, time: time)
        return switch platform {
        case .software: Self.examine(SoftwareEvidence.self, bytes, context)
        case .sevSNP: Self.examine(SNPEvidence.self, bytes, context)
        case .tdx: Self.examine(TDXEvidence.self, bytes, context)
        case .sgx: Self.examine(SGXEvidence.self, bytes, context)
        }
    }

    private static func examine<E: PlatformEvidence>(
        _ type: E.Type, _ bytes: [UInt8], _ context: VerificationContext
    ) -> EvidenceReport {
        var account = EvidenceAccount()
        let evidence: E
        do { evidence = try E(decoding: bytes) } catch {
            account.fail(.format, error.reason)
            return EvidenceReport(platform: E.platform, checks: account.checks, claims: nil)
        }
        let claims = evidence.verify(in: context, account: &account)
        context.policy.check(claims, account: &account)
        return EvidenceReport(platform: E.platform, checks: account.checks, claims: claims)
    }
}
