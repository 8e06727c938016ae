internal import Primitives

extension SoftwareEvidence: PlatformEvidence {
    static let platform = Platform.software

    func verify(in context: VerificationContext, account: inout EvidenceAccount) -> EvidenceClaims {
        account.pass(.format, "software evidence, \(Self.byteCount) bytes")
        do {
            try verifySignature()
            account.pass(.softwareSignature, "signed by the platform key that it names")
        } catch {
            account.fail(.softwareSignature, error.reason)
        }
        if let keys = context.policy.platformKeys {
            account.check(
                .softwareKey, keys.contains(platformKey), pass: "the platform key is listed",
                fail: "the platform key \(Hex.encode(platformKey)) is not listed")
        } else {
            account.note(.softwareKey, "any platform key is accepted, so this proves nothing about the machine")
        }
        var claims = self.claims
        claims.fields = [
            ClaimField("measurement", hex: measurement), ClaimField("report_data", hex: reportData),
            ClaimField("platform_key", hex: platformKey),
        ]
        return claims
    }
}
