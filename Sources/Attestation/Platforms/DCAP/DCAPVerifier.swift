internal import Crypto
internal import Primitives

/// What is the same in quotes of SGX enclaves and of TDs: Intel's verification (QVL), with its order of steps.
struct DCAPVerifier {
    let quote: Quote
    let context: VerificationContext
    private(set) var account: EvidenceAccount
    private(set) var fields: [ClaimField] = []
    private(set) var validity = ValidityPeriod.always
    /// The platform, once its certificate could be read.
    private(set) var pck: PCKCertificate?

    private let platform: Platform

    init(_ quote: Quote, platform: Platform, context: VerificationContext, account: EvidenceAccount) {
        self.quote = quote
        self.platform = platform
        self.context = context
        self.account = account
    }

    /// Makes every step.
    mutating func run() {
        account.pass(.format, "quote of version \(quote.version), \(quote.byteCount) bytes")
        if quote.trailingByteCount > 0 {
            account.note(.format, "\(quote.trailingByteCount) bytes after the quote are ignored")
        }
        let parsed = account.attempt(.pckChain, "the platform key's chain") { () throws(AttestationError) in
            try PlatformCertificate.chain(pem: quote.pckChain)
        }
        guard let chain = parsed else { return checkQuotingEnclave(nil) }
        checkChain(chain)
        checkQuotingEnclave(chain[0])
        pck = account.attempt(.pckChain, "the platform key's certificate") { () throws(AttestationError) in
            try PCKCertificate(chain[0])
        }
        if let pck { fields += pck.fields }
        fields += [
            ClaimField("qe.mrsigner", hex: quote.qeReport.mrSigner), ClaimField("qe.isvsvn", quote.qeReport.isvSVN),
            ClaimField("qe.isvprodid", quote.qeReport.isvProdID),
        ]
        checkCollateral(chain)
        if validity != .always {
            fields += [
                ClaimField("valid_from", .string(CivilTime.text(validity.from))),
                ClaimField("valid_until", .string(CivilTime.text(validity.until))),
            ]
        }
    }

    // MARK: Certificates and signatures of the quote

    /// Leaf, authority, root, in that order.
    private mutating func checkChain(_ chain: [PlatformCertificate]) {
        guard chain.count == 3 else {
            return account.fail(.pckChain, "\(chain.count) certificates; platform key, authority and root are due")
        }
        let objection =
            chain[0].objection(to: chain[1], authoritiesBelow: 0) ?? chain[1].objection(
                to: chain[2], authoritiesBelow: 1)
            ?? (chain[2].isSelfSigned ? nil : "\(chain[2].subject) is not signed by itself")
            ?? (context.policy.roots(of: platform).contains(chain[2].digest) ? nil : "it ends in no trusted root")
        account.check(
            .pckChain, objection: objection,
            pass: "\(chain[0].subject) is certified by \(chain[1].subject), that by \(chain[2].subject)")
        checkRoot(chain[2])
        checkValidity(chain, .certificateExpired, "the platform key's certificates")
    }

    private mutating func checkRoot(_ root: PlatformCertificate) {
        account.check(
            .rootNotTrusted, context.policy.roots(of: platform).contains(root.digest),
            pass: "\(root.subject) is a trusted root", fail: "\(root.subject) is not a trusted root")
    }

    private mutating func checkValidity(_ chain: [PlatformCertificate], _ kind: EvidenceCheck.Kind, _ what: String) {
        let period = chain.reduce(ValidityPeriod.always) { $0.intersection($1.validity) }
        validity = validity.intersection(period)
        account.check(
            kind, period.contains(context.time), pass: "\(what) are valid from \(period.text)",
            fail: "\(what) are valid from \(period.text), not at \(CivilTime.text(context.time))")
    }

    private mutating func checkQuotingEnclave(_ leaf: PlatformCertificate?) {
        if let leaf {
            account.check(
                .qeReportSignature, leaf.key.verifies(raw: quote.qeReportSignature, over: quote.qeReport.bytes),
                pass: "the quoting enclave's report is signed by the platform key",
                fail: "the quoting enclave's report is not signed by the platform key")
        }
        let expected = Array(SHA256.hash(data: quote.attestedKeyBytes)) + [UInt8](repeating: 0, count: 32)
        account.check(
            .qeReportData, quote.qeReport.reportData == expected,
            pass: "the quoting enclave vouches for the attestation key",
            fail: "the quoting enclave vouches for another attestation key")
        let key = try? P256.Signing.PublicKey(rawRepresentation: quote.attestationKey)
        account.check(
            .quoteSignature,
            key.map { CertificateKey.p256($0).verifies(raw: quote.signature, over: quote.signedBytes) } ?? false,
            pass: "the quote is signed by the attestation key (ECDSA P-256)",
            fail: key == nil
                ? "the attestation key is no point of P-256" : "the quote is not signed by the attestation key")
    }

    // MARK: Intel's statements

    private mutating func checkCollateral(_ chain: [PlatformCertificate]) {
        guard let set = context.collateral.set(for: quote, pck) else {
            if context.policy.needsCollateral {
                let what = pck.map { "\(quote.teeName) platforms of FMSPC \(Hex.encode($0.fmspc))" } ?? "the platform"
                account.fail(.collateral, "the cache has nothing on \(what)")
            } else {
                account.note(
                    .collateral, "only signatures and chain are checked, not how old or how sound the platform is")
            }
            fields += [ClaimField("tcb_status", .null), ClaimField("module_status", .null)]
            return
        }
        if chain.count == 3 { checkRevocation(set, chain) }
        let info = statement(
            set.tcbInfo, "tcbInfo", chain: set.tcbInfoChain, rootList: set.rootRevocationList, .tcbInfoSignature,
            TCBInfo.init)
        let identity = statement(
            set.qeIdentity, "enclaveIdentity", chain: set.qeIdentityChain, rootList: set.rootRevocationList,
            .qeIdentitySignature, QEIdentity.init)
        guard let info, let identity, let pck else { return }
        checkDate(info.validity, .tcbInfoExpired, "TCB information")
        checkDate(identity.validity, .qeIdentityExpired, "the quoting enclave's identity")
        account.check(
            .tcbInfoMismatch, objection: mismatch(info, pck),
            pass:
                "TCB information is for \(quote.teeName) on FMSPC \(Hex.encode(pck.fmspc)), evaluation \(info.evaluationNumber)"
        )
        account.check(
            .qeIdentityMismatch,
            objection: identity.id == (quote.teeName == "SGX" ? "QE" : "TD_QE")
                ? identity.objection(to: quote.qeReport) : "the identity is of \(identity.id)",
            pass: "the quoting enclave is Intel's \(identity.id)")
        let number = min(info.evaluationNumber, identity.evaluationNumber)
        fields.append(ClaimField("tcb_evaluation_data_number", number))
        let minimum = context.policy.requirements.evaluationNumberMin
        account.check(
            .policyTCB, number >= minimum, pass: "evaluation number \(number)",
            fail: "evaluation number \(number), at least \(minimum) is asked")
        var rating = TCBRating(info: info, identity: identity, pck: pck, quote: quote)
        rating.rate(&account)
        fields += rating.fields
        rating.check(context.policy.requirements, &account)
    }

    private func mismatch(_ info: TCBInfo, _ pck: PCKCertificate) -> String? {
        if info.id != quote.teeName { return "TCB information is for \(info.id), the quote is of \(quote.teeName)" }
        if info.fmspc != pck.fmspc {
            return "TCB information is for FMSPC \(Hex.encode(info.fmspc)), the platform is \(Hex.encode(pck.fmspc))"
        }
        if info.pceID != pck.pceID { return "TCB information is for another PCE" }
        return nil
    }

    private mutating func checkDate(_ period: ValidityPeriod, _ kind: EvidenceCheck.Kind, _ what: String) {
        validity = validity.intersection(period)
        account.check(
            kind, period.contains(context.time), pass: "\(what): in date, \(period.text)",
            fail: "\(what): in date from \(period.text), not at \(CivilTime.text(context.time))")
    }

    private mutating func checkRevocation(_ set: Collateral.Intel, _ chain: [PlatformCertificate]) {
        let parts: [(EvidenceCheck.Kind, [UInt8], PlatformCertificate, PlatformCertificate)] = [
            (.rootRevocationList, set.rootRevocationList, chain[1], chain[2]),
            (.pckRevocationList, set.pckRevocationList, chain[0], chain[1]),
        ]
        for (kind, bytes, certificate, issuer) in parts {
            let list = account.attempt(kind, "the revocation list") { () throws(AttestationError) in
                try RevocationList(bytes)
            }
            guard let list else { continue }
            account.check(
                kind, objection: list.objection(to: issuer), pass: "the list of \(issuer.subject) is signed by it")
            checkDate(list.validity, .revocationListExpired, "the list of \(issuer.subject)")
            account.check(
                .pckRevoked, !list.lists(certificate), pass: "\(certificate.subject) is not on it",
                fail: "\(certificate.subject) is revoked by \(issuer.subject)")
        }
    }

    /// A statement whose chain and signature were checked; nil when it can't be read.
    private mutating func statement<T>(
        _ bytes: [UInt8], _ name: String, chain pem: [UInt8], rootList: [UInt8], _ kind: EvidenceCheck.Kind,
        _ read: (JSON) throws(AttestationError) -> T
    ) -> T? {
        let parsed = account.attempt(.tcbInfoChain, "the chain of \(name)") { () throws(AttestationError) in
            try PlatformCertificate.chain(pem: pem)
        }
        let statement = account.attempt(kind, name) { () throws(AttestationError) in
            try SignedStatement(bytes, name: name)
        }
        guard let chain = parsed else { return nil }
        guard chain.count == 2 else {
            account.fail(
                .tcbInfoChain, "\(chain.count) certificates with \(name); a signing certificate and a root are due")
            return nil
        }
        var objection = chain[0].objection(to: chain[1], authoritiesBelow: 0)
        if objection == nil, !chain[1].isSelfSigned { objection = "\(chain[1].subject) is not signed by itself" }
        if objection == nil, !context.policy.roots(of: platform).contains(chain[1].digest) {
            objection = "\(chain[1].subject) is not a trusted root"
        }
        // Platform keys and their authority lead to the same root and must not pass for a statement's signer.
        if objection == nil, chain[0].subject.commonName != "Intel SGX TCB Signing" {
            objection = "\(chain[0].subject) signs no statements"
        }
        if objection == nil, let list = try? RevocationList(rootList), list.issuer == chain[1].subject,
            list.lists(chain[0])
        {
            objection = "\(chain[0].subject) is revoked"
        }
        account.check(
            .tcbInfoChain, objection: objection,
            pass: "\(name): \(chain[0].subject) is certified by \(chain[1].subject)")
        checkValidity(chain, .tcbInfoChain, "the certificates of \(name)")
        guard let statement else { return nil }
        account.check(
            kind, chain[0].key.verifies(raw: statement.signature, over: statement.signedBytes),
            pass: "\(name) is signed by \(chain[0].subject)", fail: "\(name) is not signed by \(chain[0].subject)")
        return account.attempt(kind, name) { () throws(AttestationError) in try read(statement.value) }
    }
}

extension Collateral {
    /// Intel's answers for the quote's TEE and platform. A cache of one set gives that one, so that an account can say what
    /// is wrong with it.
    fileprivate func set(for quote: Quote, _ pck: PCKCertificate?) -> Intel? {
        if intel.count == 1 { return intel[0] }
        guard let pck else { return nil }
        var found: (number: UInt32, validity: UInt64, set: Intel)?
        for set in intel {
            guard let statement = try? SignedStatement(set.tcbInfo, name: "tcbInfo"),
                let info = try? TCBInfo(statement.value), info.id == quote.teeName, info.fmspc == pck.fmspc,
                info.pceID == pck.pceID, (try? RevocationList(set.pckRevocationList))?.issuer == pck.certificate.issuer
            else { continue }
            if let found, (found.number, found.validity) >= (info.evaluationNumber, info.validity.until) { continue }
            found = (info.evaluationNumber, info.validity.until, set)
        }
        return found?.set
    }
}
