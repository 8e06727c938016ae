internal import Primitives

/// The status of a platform by Intel's levels: platform, TDX module and quoting enclave together.
struct TCBRating {
    let info: TCBInfo
    let identity: QEIdentity
    let pck: PCKCertificate
    let quote: Quote

    /// The status of all together; nil when some part reaches no level.
    private(set) var status: TCBStatus?
    private(set) var date: String?
    private(set) var advisories: [String] = []
    private(set) var qeStatus: TCBStatus?
    private(set) var moduleStatus: TCBStatus?

    init(info: TCBInfo, identity: QEIdentity, pck: PCKCertificate, quote: Quote) {
        self.info = info
        self.identity = identity
        self.pck = pck
        self.quote = quote
    }

    private struct Launch {
        var status: TCBStatus
        var date: String
        var moduleStatus: TCBStatus?
        var advisories: [String]
    }

    /// Compares with the levels.
    mutating func rate(_ account: inout EvidenceAccount) {
        guard let qe = identity.level(of: quote.qeReport) else {
            return account.fail(
                .tcbNotSupported, "the quoting enclave's version \(quote.qeReport.isvSVN) reaches no level")
        }
        qeStatus = qe.status
        account.pass(.tcbNotSupported, "quoting enclave: version \(quote.qeReport.isvSVN) is \(qe.status)")
        switch quote.body {
        case .enclave:
            guard let level = info.level(of: pck, tee: nil) else {
                return account.fail(.tcbNotSupported, "the platform's versions \(Self.text(pck)) reach no level")
            }
            account.pass(.tcbNotSupported, "platform: versions \(Self.text(pck)) are \(level.status) of \(level.date)")
            conclude(level.status.converged(with: qe.status), level.date, level.advisories + qe.advisories)
        case .trustDomain(let body):
            checkModule(body, &account)
            guard var launch = launch(body.teeTCBSVN, qe, "at launch", &account) else { return }
            moduleStatus = launch.moduleStatus
            if let extended = body.extended {
                guard let now = self.launch(extended.teeTCBSVN2, qe, "now", &account) else { return }
                launch.status = launch.status.relaunched(at: now.status)
            }
            conclude(launch.status, launch.date, launch.advisories)
        }
    }

    private mutating func conclude(_ status: TCBStatus, _ date: String, _ advisories: [String]) {
        self.status = status
        self.date = date
        self.advisories = Set(advisories).sorted()
    }

    /// The status of a TD by its versions, converged with module and quoting enclave.
    private func launch(
        _ tee: [UInt8], _ qe: EnclaveLevel, _ when: String, _ account: inout EvidenceAccount
    ) -> Launch? {
        guard let level = info.level(of: pck, tee: tee) else {
            account.fail(
                .tcbNotSupported,
                "the platform's versions \(when), \(Self.text(pck)) and TD \(Hex.encode(tee)), reach no level")
            return nil
        }
        account.pass(
            .tcbNotSupported,
            "platform \(when): versions \(Self.text(pck)) and TD \(Hex.encode(tee)) are \(level.status) of \(level.date)"
        )
        var launch = Launch(
            status: level.status, date: level.date, moduleStatus: nil, advisories: level.advisories + qe.advisories)
        if tee[1] > 0 {
            guard let module = info.module(of: tee) else {
                account.fail(.tdxModuleMismatch, "Intel knows no TDX module of major version \(tee[1])")
                return nil
            }
            guard let moduleLevel = module.levels.first(where: { $0.isvSVN <= UInt16(tee[0]) }) else {
                account.fail(.tcbNotSupported, "module \(module.id) \(when): version \(tee[0]) reaches no level")
                return nil
            }
            account.pass(.tcbNotSupported, "module \(module.id) \(when): version \(tee[0]) is \(moduleLevel.status)")
            launch.moduleStatus = moduleLevel.status
            launch.status = launch.status.converged(with: moduleLevel.status)
            launch.advisories += moduleLevel.advisories
        }
        launch.status = launch.status.converged(with: qe.status)
        return launch
    }

    /// Whether the TDX module is one that Intel signed.
    private func checkModule(_ body: TDReport, _ account: inout EvidenceAccount) {
        guard let module = info.module(of: body.teeTCBSVN) else {
            return account.fail(.tdxModuleMismatch, "Intel knows no TDX module of major version \(body.teeTCBSVN[1])")
        }
        let attributes = masked(body.seamAttributes, module.attributesMask)
        var objection: String?
        if body.mrSignerSEAM != module.mrSigner { objection = "the TDX module has another signer" }
        if attributes != masked(module.attributes, module.attributesMask)
            || body.seamAttributes.contains(where: { $0 != 0 })
        {
            objection = "the TDX module has attributes \(Hex.encode(body.seamAttributes))"
        }
        account.check(
            .tdxModuleMismatch, objection: objection,
            pass: "the TDX module is Intel's \(module.id.isEmpty ? "of version 0" : module.id)")
    }

    /// Whether the status is one that is accepted.
    func check(_ wanted: PlatformRequirements, _ account: inout EvidenceAccount) {
        guard let status else { return }
        account.check(
            .tcbRevoked, status != .revoked, pass: "the TCB level is not revoked", fail: "the TCB level is revoked")
        account.check(
            .policyTCB, wanted.statuses.contains(status), pass: "TCB status \(status) is accepted",
            fail: "TCB status \(status); accepted are \(wanted.statuses.map(\.rawValue).joined(separator: ", "))")
        if !advisories.isEmpty {
            account.note(.policyTCB, "advisories that apply: \(advisories.joined(separator: ", "))")
        }
        let refused = advisories.filter { wanted.refusedAdvisories.contains($0) }
        if !wanted.refusedAdvisories.isEmpty {
            account.check(
                .policyTCB, refused.isEmpty, pass: "none of the refused advisories applies",
                fail: "refused advisories apply: \(refused.joined(separator: ", "))")
        }
    }

    var fields: [ClaimField] {
        func text(_ status: TCBStatus?) -> JSON { status.map { .string($0.rawValue) } ?? .null }
        return [
            ClaimField("tcb_status", text(status)), ClaimField("tcb_date", date.map { .string($0) } ?? .null),
            ClaimField("advisories", .array(advisories.map { .string($0) })), ClaimField("qe_status", text(qeStatus)),
            ClaimField("module_status", text(moduleStatus)),
        ]
    }

    private static func text(_ pck: PCKCertificate) -> String {
        "\(Hex.encode(pck.componentSVNs)) and PCE \(pck.pceSVN)"
    }
}
