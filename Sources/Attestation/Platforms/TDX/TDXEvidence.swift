internal import Primitives

/// Evidence of `tdx`: a DCAP quote over a trust domain.
struct TDXEvidence: PlatformEvidence {
    static let platform = Platform.tdx

    let quote: Quote
    let body: TDReport

    init(decoding bytes: [UInt8]) throws(AttestationError) {
        quote = try Quote(bytes)
        guard case .trustDomain(let body) = quote.body else {
            throw .malformed("the quote is of an SGX enclave, not of a TD")
        }
        self.body = body
    }

    var claims: EvidenceClaims { claims(nil) }

    private func claims(_ pck: PCKCertificate?) -> EvidenceClaims {
        var claims = EvidenceClaims(
            platform: .tdx, measurement: CodeIdentity.tdx(body), reportData: body.reportData, platformKey: [],
            isDebug: body.isDebug, tcb: pck.map { $0.tcb + body.teeTCBSVN } ?? [])
        claims.fields = quote.fields + body.fields
        return claims
    }

    func verify(in context: VerificationContext, account: inout EvidenceAccount) -> EvidenceClaims {
        var verifier = DCAPVerifier(quote, platform: .tdx, context: context, account: account)
        verifier.run()
        account = verifier.account
        var claims = claims(verifier.pck)
        claims.fields += verifier.fields
        claims.validity = verifier.validity
        checkConfiguration(context.policy.requirements, &account)
        return claims
    }

    private func checkConfiguration(_ wanted: PlatformRequirements, _ account: inout EvidenceAccount) {
        if wanted.allowsMigration {
            account.note(
                .policyMigration,
                "\(body.isMigratable ? "migratable" : "not migratable"), \(body.hasServiceTD ? "a" : "no") service TD is bound; either is accepted"
            )
        } else {
            account.check(
                .policyMigration, !body.isMigratable, pass: "the TD can't be migrated", fail: "the TD can be migrated")
            account.check(
                .policyMigration, !body.hasServiceTD, pass: "no service TD is bound",
                fail: "a service TD is bound: \(Hex.encode(body.extended?.mrServiceTD ?? []))")
        }
        if wanted.allowsRelaxedAttributes {
            account.note(.policyConfiguration, "attributes \(Hex.encode(body.tdAttributes)); any are accepted")
        } else {
            account.check(
                .policyConfiguration, !body.hasReservedDebugBits, pass: "reserved attributes are 0",
                fail: "attributes \(Hex.encode(body.tdAttributes)) have reserved bits set")
            account.check(
                .policyConfiguration, body.disablesExceptions,
                pass: "the host can't raise exceptions inside (SEPT_VE_DISABLE)",
                fail: "the host can raise exceptions inside (SEPT_VE_DISABLE is off)")
        }
    }
}
