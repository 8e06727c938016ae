internal import Primitives

/// Evidence of `sev-snp`: the report (1184 bytes), then, if the host gave one, its table of certificates as it came.
struct SNPEvidence: PlatformEvidence {
    static let platform = Platform.sevSNP

    let report: SNPReport
    let table: SNPCertificateTable

    init(decoding bytes: [UInt8]) throws(AttestationError) {
        report = try SNPReport(Array(bytes.prefix(SNPReport.byteCount)))
        table = try SNPCertificateTable(Array(bytes.dropFirst(SNPReport.byteCount)))
    }

    var claims: EvidenceClaims { claims(report.product) }

    private func claims(_ product: SNPProduct?) -> EvidenceClaims {
        var claims = EvidenceClaims(
            platform: .sevSNP,
            measurement: CodeIdentity.snp(measurement: report.measurement, hostData: report.hostData),
            reportData: report.reportData, platformKey: [], isDebug: report.allowsDebug, tcb: report.reportedTCB.bytes)
        claims.fields = report.fields(product)
        return claims
    }

    func verify(in context: VerificationContext, account: inout EvidenceAccount) -> EvidenceClaims {
        account.pass(.format, "SNP report of version \(report.version), \(SNPReport.byteCount) bytes")
        for oddity in report.oddities { account.fail(.format, oddity) }
        let chain = SNPChain(for: report, table: table, context: context, account: &account)
        var claims = claims(report.product ?? chain?.product)
        if let chain {
            check(chain, context, &account)
            claims.validity = chain.validity
            claims.fields += [
                ClaimField("signer", .string(chain.vek.certificate.subject.commonName)),
                ClaimField("vek_sha256", hex: chain.vek.certificate.digest),
                ClaimField("ark_sha256", hex: chain.root.digest),
                ClaimField("valid_from", .string(CivilTime.text(chain.validity.from))),
                ClaimField("valid_until", .string(CivilTime.text(chain.validity.until))),
            ]
            if let provider = chain.vek.providerID { claims.fields.append(ClaimField("csp_id", .string(provider))) }
        }
        checkConfiguration(report.product ?? chain?.product, context.policy, &account)
        return claims
    }

    /// Whether the report is by the certified key, and the key the one for this report.
    private func check(_ chain: SNPChain, _ context: VerificationContext, _ account: inout EvidenceAccount) {
        let vek = chain.vek
        account.check(
            .signingKey, report.signingKey == vek.kind, pass: "the report says that it is signed by a \(vek.kind)",
            fail: "the report names signing key \(report.flags >> 2 & 7), the certificate is of a \(vek.kind)")
        let byReport = report.cpuid == nil ? chain.product : report.product
        account.check(
            .product, byReport == chain.product && vek.product == chain.product,
            pass: "processor, signing key and root are \(chain.product)",
            fail:
                "the processor is \(byReport?.rawValue ?? "unknown"), the signing key of \(vek.productName), the root of \(chain.product)"
        )
        account.check(
            .vekTCB, vek.isFor(report.reportedTCB, chain.product),
            pass: "the signing key is of the reported TCB: \(report.reportedTCB.text(chain.product))",
            fail: "the signing key is of another TCB than the reported \(report.reportedTCB.text(chain.product))")
        checkChip(chain, &account)
        account.check(
            .reportSignature, vek.certificate.key.verifies(raw: report.signature, over: report.signedBytes),
            pass: "the report is signed by the certified key (ECDSA P-384)",
            fail: "the report is not signed by the certified key")
    }

    private func checkChip(_ chain: SNPChain, _ account: inout EvidenceAccount) {
        let isNamed = report.chipID.contains { $0 != 0 }
        switch chain.vek.kind {
        case .vlek:
            account.note(.vekChip, "a provider's key, not bound to a chip: \(chain.vek.providerID ?? "")")
        case .vcek where report.masksChip && !isNamed:
            account.note(.vekChip, "the host masks the chip's id")
        case .vcek:
            account.check(
                .vekChip, chain.vek.isFor(chipID: report.chipID, chain.product),
                pass: "the signing key is of the report's chip",
                fail: "the signing key is of another chip than the report's")
        }
    }

    /// How the guest was launched, and on what firmware.
    private func checkConfiguration(_ product: SNPProduct?, _ policy: EvidencePolicy, _ account: inout EvidenceAccount)
    {
        let wanted = policy.requirements
        let hasAgent = report.allowsMigrationAgent || report.reportIDMA.contains { $0 != 0xFF }
        if wanted.allowsMigration {
            account.note(
                .policyMigration,
                "a migration agent is \(hasAgent ? "bound or allowed" : "not allowed"); either is accepted")
        } else {
            account.check(
                .policyMigration, !hasAgent, pass: "no migration agent, and none allowed",
                fail: "a migration agent is bound or allowed")
        }
        account.check(
            .policyConfiguration, report.vmpl <= UInt32(wanted.vmplMax),
            pass: "VM privilege level \(report.vmpl)",
            fail: "VM privilege level \(report.vmpl), at most \(wanted.vmplMax) is accepted")
        if !wanted.allowsSMT {
            account.check(
                .policyConfiguration, !report.allowsSMT, pass: "no simultaneous threads",
                fail: "the guest policy lets the host run two threads on a core")
        }
        guard let product else { return }
        let isBehind = !report.committedTCB.isAtLeast(report.reportedTCB)
        account.note(
            .policyTCB,
            "reported \(report.reportedTCB.text(product)); committed \(report.committedTCB.text(product)); current \(report.currentTCB.text(product))\(isBehind ? "; the host can still go back behind what is reported" : "")"
        )
        guard !wanted.products.isEmpty else { return }
        guard let minimum = wanted.products.first(where: { $0.product == product }), minimum.minimum.count == 8 else {
            return account.fail(.policyTCB, "\(product) processors are not accepted")
        }
        let oldest = SNPTCBVersion(bytes: minimum.minimum)
        for (name, version) in [("reported", report.reportedTCB), ("committed", report.committedTCB)] {
            account.check(
                .policyTCB, version.isAtLeast(oldest),
                pass: "the \(name) TCB is not older than \(oldest.text(product))",
                fail: "the \(name) TCB \(version.text(product)) is older than \(oldest.text(product))")
        }
    }
}
