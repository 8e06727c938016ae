/// The certificates from a report's signing key to AMD's root: VEK ← ASK ← ARK.
struct SNPChain: Sendable {
    let vek: VEKCertificate
    let intermediate: PlatformCertificate
    let root: PlatformCertificate
    /// Line of processors, by the root's name.
    let product: SNPProduct
    /// When all of it is valid.
    let validity: ValidityPeriod

    /// Finds and checks the chain among the certificates that the host gave and those of the cache; all failures are in
    /// the account.
    /// - Returns: nil when there is no chain to go on with.
    init?(
        for report: SNPReport, table: SNPCertificateTable, context: VerificationContext, account: inout EvidenceAccount
    ) {
        var pool: [PlatformCertificate] = []
        for der in table.certificates + context.collateral.amd.certificates {
            let parsed = account.attempt(.vekChain, "a certificate") { () throws(AttestationError) in
                try PlatformCertificate(der: der)
            }
            guard let parsed else { return nil }
            pool.append(parsed)
        }
        guard let leaf = Self.signingKey(for: report, in: pool) else {
            account.fail(.collateral, "no certificate of the signing key: neither the host nor the cache has one")
            return nil
        }
        let vek = account.attempt(.vekKind, "the signing key's certificate") { () throws(AttestationError) in
            try VEKCertificate(leaf)
        }
        let candidates = pool.filter { $0.subject == leaf.issuer && $0 != leaf }
        // Several certificates may have the name; the one whose key signed is meant.
        guard let intermediate = candidates.first(where: { leaf.isSigned(by: $0) }) ?? candidates.first else {
            account.fail(.vekChain, "no certificate of \(leaf.issuer), which issued the signing key's")
            return nil
        }
        let roots = pool.filter { $0.subject == intermediate.issuer && $0 != intermediate }
        guard let root = roots.first(where: { intermediate.isSigned(by: $0) }) ?? roots.first else {
            account.fail(
                .vekChain, "no certificate of \(intermediate.issuer), which issued that of \(intermediate.subject)")
            return nil
        }
        let objection =
            leaf.objection(to: intermediate, authoritiesBelow: 0)
            ?? intermediate.objection(to: root, authoritiesBelow: 1)
            ?? (root.isSelfSigned ? nil : "\(root.subject) is not signed by itself")
        account.check(
            .vekChain, objection: objection,
            pass: "\(leaf.subject) is certified by \(intermediate.subject), that by \(root.subject)")
        account.check(
            .rootNotTrusted, context.policy.roots(of: .sevSNP).contains(root.digest),
            pass: "\(root.subject) is a trusted root", fail: "\(root.subject) is not a trusted root")
        var validity = leaf.validity.intersection(intermediate.validity).intersection(root.validity)
        account.check(
            .certificateExpired, validity.contains(context.time), pass: "certificates are valid from \(validity.text)",
            fail: "certificates are valid from \(validity.text), not at \(CivilTime.text(context.time))")
        Self.checkRevocation(
            [(leaf, intermediate), (intermediate, root)], context: context, validity: &validity, account: &account)
        guard let product = SNPProduct(rootName: root.subject.commonName) else {
            account.fail(.product, "\(root.subject) is no root of a known line of processors")
            return nil
        }
        guard let vek else { return nil }
        let expected = vek.kind == .vcek ? "SEV-\(product)" : "SEV-VLEK-\(product)"
        account.check(
            .vekKind, intermediate.subject.commonName == expected, pass: "a \(vek.kind), issued by \(expected)",
            fail: "a \(vek.kind) issued by \(intermediate.subject), not by \(expected)")
        self.vek = vek
        self.intermediate = intermediate
        self.root = root
        self.product = product
        self.validity = validity
    }

    /// The signing key's certificate: among several, the first that fits the report best.
    private static func signingKey(for report: SNPReport, in pool: [PlatformCertificate]) -> PlatformCertificate? {
        // What signs is whatever no other certificate of the pool was issued by, so a name that AMD does not use shows
        // up as such.
        let issuers = Set(pool.map(\.issuer))
        let keys = pool.filter { VEKCertificate.kind($0) != nil || !issuers.contains($0.subject) }
        func rank(_ certificate: PlatformCertificate) -> Int {
            guard let vek = try? VEKCertificate(certificate), let product = vek.product else { return 0 }
            var rank = 1
            if vek.kind == report.signingKey { rank += 1 }
            if vek.isFor(report.reportedTCB, product) { rank += 2 }
            if vek.isFor(chipID: report.chipID, product) { rank += 4 }
            return rank
        }
        var best: (rank: Int, certificate: PlatformCertificate)?
        for key in keys {
            let rank = rank(key)
            if rank > best?.rank ?? -1 { best = (rank, key) }
        }
        return best?.certificate
    }

    private static func checkRevocation(
        _ links: [(PlatformCertificate, PlatformCertificate)], context: VerificationContext,
        validity: inout ValidityPeriod, account: inout EvidenceAccount
    ) {
        var lists: [RevocationList] = []
        for bytes in context.collateral.amd.revocationLists {
            let parsed = account.attempt(.vekRevoked, "a revocation list") { () throws(AttestationError) in
                try RevocationList(bytes)
            }
            if let parsed { lists.append(parsed) }
        }
        for (certificate, issuer) in links {
            let own = lists.filter { $0.issuer == issuer.subject }
            if own.isEmpty {
                // AMD publishes lists of its roots only.
                if issuer.isAuthority, issuer.isSelfSigned, context.policy.requirements.needsRevocationList {
                    account.fail(.collateral, "no revocation list of \(issuer.subject)")
                } else {
                    account.note(.vekRevoked, "no revocation list of \(issuer.subject) at hand")
                }
            }
            for list in own {
                if let objection = list.objection(to: issuer) {
                    account.fail(.vekRevoked, objection)
                    continue
                }
                validity = validity.intersection(list.validity)
                account.check(
                    .revocationListExpired, list.validity.contains(context.time),
                    pass: "the revocation list of \(issuer.subject) is in date, \(list.validity.text)",
                    fail: "the revocation list of \(issuer.subject) is out of date: \(list.validity.text)")
                account.check(
                    .vekRevoked, !list.lists(certificate), pass: "\(certificate.subject) is not revoked",
                    fail: "\(certificate.subject) is revoked by \(issuer.subject)")
            }
        }
    }
}
