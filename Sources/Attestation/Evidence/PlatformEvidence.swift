/// Evidence of one platform, parsed. Each platform has one type of this kind; ``Evidence`` picks it by name.
///
/// All is a pure function of bytes, collateral, policy and time: nothing is fetched, no clock is read.
protocol PlatformEvidence: Sendable {
    /// The platform.
    static var platform: Platform { get }

    /// Reads the platform's bytes. Nothing is verified.
    init(decoding bytes: [UInt8]) throws(AttestationError)

    /// What the evidence says of itself.
    var claims: EvidenceClaims { get }

    /// Checks the evidence and adds each step to the account; goes on after a failure as far as it can, so that the
    /// account is whole.
    /// - Returns: the claims, with what verification adds to them.
    func verify(in context: VerificationContext, account: inout EvidenceAccount) -> EvidenceClaims
}

/// What evidence is held against.
struct VerificationContext: Sendable {
    var policy: EvidencePolicy
    var collateral: Collateral
    /// Milliseconds since 1970.
    var time: UInt64
}
