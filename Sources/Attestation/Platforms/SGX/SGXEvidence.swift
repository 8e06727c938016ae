internal import Primitives

/// Evidence of `sgx`: a DCAP quote over an enclave.
struct SGXEvidence: PlatformEvidence {
    static let platform = Platform.sgx

    let quote: Quote
    let body: EnclaveReport

    init(decoding bytes: [UInt8]) throws(AttestationError) {
        quote = try Quote(bytes)
        guard case .enclave(let body) = quote.body else {
            throw .malformed("the quote is of a TD, not of an SGX enclave")
        }
        self.body = body
    }

    var claims: EvidenceClaims { claims(nil) }

    private func claims(_ pck: PCKCertificate?) -> EvidenceClaims {
        var claims = EvidenceClaims(
            platform: .sgx, measurement: CodeIdentity.sgx(body), reportData: body.reportData, platformKey: [],
            isDebug: body.isDebug, tcb: pck?.tcb ?? [])
        claims.fields = quote.fields + body.fields
        return claims
    }

    func verify(in context: VerificationContext, account: inout EvidenceAccount) -> EvidenceClaims {
        var verifier = DCAPVerifier(quote, platform: .sgx, context: context, account: account)
        verifier.run()
        account = verifier.account
        var claims = claims(verifier.pck)
        claims.fields += verifier.fields
        claims.validity = verifier.validity
        let wanted = context.policy.requirements
        account.check(
            .policyConfiguration, body.isInitialised, pass: "the enclave is initialised",
            fail: "the enclave is not initialised")
        if wanted.allowsRelaxedAttributes {
            account.note(.policyConfiguration, "attributes \(Hex.encode(body.attributes)); any are accepted")
        } else {
            account.check(
                .policyConfiguration, !body.hasProvisioningKey, pass: "the enclave has no provisioning key",
                fail: "the enclave has the provisioning key")
        }
        return claims
    }
}

extension Quote {
    /// What the quote says of itself.
    var fields: [ClaimField] {
        [
            ClaimField("version", version), ClaimField("tee", .string(teeName)), ClaimField("body_type", bodyType),
            ClaimField("trailing", trailingByteCount),
        ]
    }
}

extension PCKCertificate {
    /// Components and PCE, 18 bytes; the PCE's version big-endian, so that bytes compare as numbers while it is small.
    var tcb: [UInt8] { componentSVNs + [UInt8(pceSVN >> 8), UInt8(pceSVN & 0xFF)] }
}
