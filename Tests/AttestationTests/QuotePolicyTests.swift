import Attestation
import Crypto
import Foundation
import Primitives
import Testing

/// An Intel of our own: root, platform authority, platform, statements, so that quotes can say what captured ones don't.
struct TestIntel {
    let root = TestSigner.p256(P256.Signing.PrivateKey())
    let authority = TestSigner.p256(P256.Signing.PrivateKey())
    let platform = P256.Signing.PrivateKey()
    let signing = P256.Signing.PrivateKey()
    let attestation = P256.Signing.PrivateKey()
    var rootDER: [UInt8] = []
    var authorityDER: [UInt8] = []
    var platformDER: [UInt8] = []
    var signingDER: [UInt8] = []

    static let time = CivilTime.parse("2026-06-01T00:00:00Z") ?? 0
    static let fmspc = "00a067110000"
    static let qeSigner = String(repeating: "5a", count: 32)
    private static let ca = "Intel SGX PCK Platform CA"
    private static let rootName = "Intel SGX Root CA"

    init() throws {
        rootDER = try root.certify(
            Self.rootName, root, issuer: Self.rootName, extensions: DERWriter.authority(pathLength: 1))
        authorityDER = try root.certify(
            Self.ca, authority, issuer: Self.rootName, serial: 2, extensions: DERWriter.authority(pathLength: 0))
        platformDER = try authority.certify(
            "Intel SGX PCK Certificate", .p256(platform), issuer: Self.ca, serial: 3, extensions: [Self.sgxExtension])
        signingDER = try root.certify(
            "Intel SGX TCB Signing", .p256(signing), issuer: Self.rootName, serial: 4)
    }

    /// All components 5, PCE 11.
    private static var sgxExtension: [UInt8] {
        let arc = "1.2.840.113741.1.13.1"
        func item(_ suffix: String, _ value: [UInt8]) -> [UInt8] {
            DERWriter.sequence(DERWriter.oid("\(arc).\(suffix)"), value)
        }
        var tcb: [UInt8] = []
        for index in 1...16 { tcb += item("2.\(index)", DERWriter.integer(5)) }
        tcb += item("2.17", DERWriter.integer(11))
        tcb += item("2.18", DERWriter.tlv(0x04, [UInt8](repeating: 5, count: 16)))
        let items =
            item("1", DERWriter.tlv(0x04, [UInt8](repeating: 1, count: 16))) + item("2", DERWriter.tlv(0x30, tcb))
            + item("3", DERWriter.tlv(0x04, [0, 0])) + item("4", DERWriter.tlv(0x04, Hex.decode(fmspc) ?? []))
        return DERWriter.extension(arc, DERWriter.tlv(0x30, items))
    }

    // MARK: Quotes

    private func enclaveReport(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 384)
        bytes[48] = 0x05
        bytes.put(Hex.decode(Self.qeSigner) ?? [], at: 128)
        bytes.put(little(UInt16(2)), at: 256)
        bytes.put(little(UInt16(6)), at: 258)
        change(&bytes)
        return bytes
    }

    private func finish(
        _ signed: [UInt8], version: UInt16, chain: [[UInt8]]?, qe: (inout [UInt8]) -> Void
    ) throws -> [UInt8] {
        let key = Array(attestation.publicKey.rawRepresentation)
        let auth = [UInt8](repeating: 0xAA, count: 32)
        let report = enclaveReport {
            $0.put(sha256(key + auth), at: 320)
            qe(&$0)
        }
        let chain = pem(chain ?? [platformDER, authorityDER, rootDER]) + [0]
        let certification =
            report + Array(try platform.signature(for: report).rawRepresentation) + little(UInt16(32)) + auth
            + little(UInt16(5)) + little(UInt32(chain.count)) + chain
        var section = Array(try attestation.signature(for: signed).rawRepresentation) + key
        if version >= 4 { section += little(UInt16(6)) + little(UInt32(certification.count)) }
        section += certification
        return signed + little(UInt32(section.count)) + section
    }

    private func header(_ version: UInt16, tee: UInt32) -> [UInt8] {
        little(version) + little(UInt16(2)) + little(tee) + [0, 0, 0, 0]
            + (Hex.decode("939a7233f79c4ca9940a0db3957f0607") ?? []) + [UInt8](repeating: 0, count: 20)
    }

    /// A TD 1.5 in a quote of version 5: module 1.6, SEPT_VE_DISABLE.
    func tdQuote(
        launch: [UInt8] = [6, 1, 3], now: [UInt8] = [6, 1, 3], chain: [[UInt8]]? = nil,
        _ change: (inout [UInt8]) -> Void = { _ in }, qe: (inout [UInt8]) -> Void = { _ in }
    ) throws -> [UInt8] {
        var body = [UInt8](repeating: 0, count: 648)
        body.put(launch, at: 0)
        body[123] = 0x10
        body.put(now, at: 584)
        change(&body)
        return try finish(
            header(5, tee: 0x81) + little(UInt16(3)) + little(UInt32(648)) + body, version: 5, chain: chain, qe: qe)
    }

    /// An enclave in a quote of any version.
    func enclaveQuote(version: UInt16, _ change: (inout [UInt8]) -> Void = { _ in }) throws -> [UInt8] {
        let prefix = version == 5 ? little(UInt16(1)) + little(UInt32(384)) : []
        return try finish(
            header(version, tee: 0) + prefix + enclaveReport(change), version: version, chain: nil, qe: { _ in })
    }

    // MARK: Statements

    private func signed(_ name: String, _ value: JSON) throws -> [UInt8] {
        let inner = value.serialized()
        let signature = Array(try signing.signature(for: inner).rawRepresentation)
        return Array("{\"\(name)\":".utf8) + inner + Array(",\"signature\":\"\(Hex.encode(signature))\"}".utf8)
    }

    private static func level(_ svn: Int64, _ status: String, tdx: Bool) -> JSON {
        let components = JSON.array((0..<16).map { _ in ["svn": .integer(svn)] })
        let td = JSON.array([5, 0, 3].map { ["svn": .integer($0)] } + (3..<16).map { _ in ["svn": 0] })
        var tcb: JSON = ["sgxtcbcomponents": components, "pcesvn": 11]
        if tdx { tcb = ["sgxtcbcomponents": components, "pcesvn": 11, "tdxtcbcomponents": td] }
        return [
            "tcb": tcb, "tcbDate": "2025-01-01T00:00:00Z", "tcbStatus": .string(status),
            "advisoryIDs": .array(status == "UpToDate" ? [] : [.string("INTEL-SA-\(svn)")]),
        ]
    }

    private static func enclaveLevels(_ levels: [(Int64, String)]) -> JSON {
        .array(
            levels.map {
                ["tcb": ["isvsvn": .integer($0.0)], "tcbDate": "2025-01-01T00:00:00Z", "tcbStatus": .string($0.1)]
            })
    }

    /// Statements; what is asked for differs, all else is as it should be.
    func collateral(
        tdx: Bool = true, status: String = "UpToDate", svn: Int64 = 5, qe: String = "UpToDate",
        module: [(Int64, String)] = [(6, "UpToDate"), (4, "OutOfDate")], qeChange: (String, JSON)? = nil,
        infoChange: (String, JSON)? = nil, revoked: [Int] = [], rootRevoked: [Int] = [], signer: [[UInt8]]? = nil
    ) throws -> Collateral.Intel {
        let zeros48 = JSON.string(String(repeating: "0", count: 96))
        let module0: JSON = [
            "mrsigner": zeros48, "attributes": "0000000000000000", "attributesMask": "FFFFFFFFFFFFFFFF",
        ]
        var info: [(String, JSON)] = [
            ("id", tdx ? "TDX" : "SGX"), ("version", 3), ("issueDate", "2026-05-20T00:00:00Z"),
            ("nextUpdate", "2026-06-20T00:00:00Z"), ("fmspc", .string(Self.fmspc)), ("pceId", "0000"), ("tcbType", 0),
            ("tcbEvaluationDataNumber", 18),
        ]
        if tdx {
            info.append(("tdxModule", module0))
            info.append(
                (
                    "tdxModuleIdentities",
                    [
                        [
                            "id": "TDX_01", "mrsigner": zeros48, "attributes": "0000000000000000",
                            "attributesMask": "FFFFFFFFFFFFFFFF", "tcbLevels": Self.enclaveLevels(module),
                        ]
                    ]
                ))
        }
        info.append(("tcbLevels", [Self.level(svn, status, tdx: tdx), Self.level(1, "OutOfDate", tdx: tdx)]))
        var identity: [(String, JSON)] = [
            ("id", tdx ? "TD_QE" : "QE"), ("version", 2), ("issueDate", "2026-05-20T00:00:00Z"),
            ("nextUpdate", "2026-06-20T00:00:00Z"), ("tcbEvaluationDataNumber", 18), ("miscselect", "00000000"),
            ("miscselectMask", "FFFFFFFF"), ("attributes", "05000000000000000000000000000000"),
            ("attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"), ("mrsigner", .string(Self.qeSigner.uppercased())),
            ("isvprodid", 2), ("tcbLevels", Self.enclaveLevels([(6, qe), (1, "OutOfDate")])),
        ]
        if let qeChange { identity = identity.map { $0.0 == qeChange.0 ? qeChange : $0 } }
        if let infoChange { info = info.map { $0.0 == infoChange.0 ? infoChange : $0 } }
        let chain = pem(signer ?? [signingDER, rootDER])
        func object(_ members: [(String, JSON)]) -> JSON {
            .object(JSONObject(members.map { .init(name: $0.0, value: $0.1) }))
        }
        return Collateral.Intel(
            tcbInfo: try signed("tcbInfo", object(info)), tcbInfoChain: chain,
            qeIdentity: try signed("enclaveIdentity", object(identity)), qeIdentityChain: chain,
            pckRevocationList: try authority.revoke(revoked, issuer: Self.ca),
            rootRevocationList: try root.revoke(rootRevoked, issuer: Self.rootName))
    }

    func examine(
        _ quote: [UInt8], _ set: Collateral.Intel, platform: Platform = .tdx,
        _ change: (inout PlatformRequirements) -> Void = { _ in }
    ) -> EvidenceReport {
        var requirements = PlatformRequirements(roots: [sha256(rootDER)])
        change(&requirements)
        return Evidence(platform: platform, bytes: quote).examine(
            policy: EvidencePolicy(requirements: requirements), collateral: Collateral(intel: [set]), at: Self.time)
    }

    /// The status that the quote comes to, whatever is accepted.
    func status(_ quote: [UInt8], _ set: Collateral.Intel, platform: Platform = .tdx) -> String? {
        let report = examine(quote, set, platform: platform)
        return report.claims?.fields.first { $0.name == "tcb_status" }?.value.string
    }
}

@Suite("Quotes under a root of our own")
struct QuotePolicyTests {
    private let intel: TestIntel

    init() throws { intel = try TestIntel() }

    @Test("TDs and enclaves are accepted as they should be")
    func accepted() throws {
        let td = intel.examine(try intel.tdQuote(), try intel.collateral())
        #expect(td.isAccepted, "\(td.failures)")
        for version in [UInt16(3), 4, 5] {
            let enclave = intel.examine(
                try intel.enclaveQuote(version: version), try intel.collateral(tdx: false), platform: .sgx)
            #expect(enclave.isAccepted, "\(version): \(enclave.failures)")
            #expect(enclave.claims?.measurement == [UInt8](repeating: 0, count: 32))
        }
        #expect(throws: AttestationError.malformed("")) {
            try Evidence(platform: .tdx, bytes: try intel.enclaveQuote(version: 4)).claims()
        }
        #expect(
            intel.examine(try intel.tdQuote(), try intel.collateral()) { $0.roots = [] }.failedKinds
                .isSuperset(of: [.pckChain, .rootNotTrusted, .tcbInfoChain]))
    }

    @Test(
        "a TD's launch is judged",
        arguments: [
            (120, UInt8(1), EvidenceCheck.Kind.policyDebug), (120, 2, .policyConfiguration),
            (123, 0, .policyConfiguration),
            (123, 0x30, .policyMigration), (600, 1, .policyMigration), (112, 1, .tdxModuleMismatch),
            (64, 1, .tdxModuleMismatch),
        ])
    func trustDomain(offset: Int, value: UInt8, kind: EvidenceCheck.Kind) throws {
        let report = intel.examine(try intel.tdQuote { $0[offset] = value }, try intel.collateral())
        #expect(report.failedKinds == [kind], "\(report.failures)")
    }

    @Test("an enclave's launch is judged, and its configuration is part of the code")
    func enclave() throws {
        let set = try intel.collateral(tdx: false)
        func examine(_ change: (inout [UInt8]) -> Void) throws -> EvidenceReport {
            intel.examine(try intel.enclaveQuote(version: 3, change), set, platform: .sgx)
        }
        #expect(try examine { $0[48] = 0x07 }.failedKinds == [.policyDebug])
        #expect(try examine { $0[48] = 0x04 }.failedKinds == [.policyConfiguration])
        #expect(try examine { $0[48] = 0x15 }.failedKinds == [.policyConfiguration])
        let plain = try examine { $0[64] = 7 }
        let configured = try examine {
            $0[64] = 7
            $0[192] = 1
        }
        #expect(plain.isAccepted && configured.isAccepted)
        #expect(plain.claims?.measurement.first == 7 && configured.claims?.measurement != plain.claims?.measurement)
    }

    @Test("statuses of platform, module and quoting enclave converge as Intel says")
    func convergence() throws {
        let quote = try intel.tdQuote()
        for (platform, qe, expected) in [
            ("UpToDate", "UpToDate", "UpToDate"), ("SWHardeningNeeded", "UpToDate", "SWHardeningNeeded"),
            ("UpToDate", "OutOfDate", "OutOfDate"), ("SWHardeningNeeded", "OutOfDate", "OutOfDate"),
            ("ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"),
            ("ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"),
            ("UpToDate", "ConfigurationNeeded", "UpToDate"), ("UpToDate", "Revoked", "Revoked"),
            ("Revoked", "UpToDate", "Revoked"), ("Revoked", "OutOfDate", "Revoked"),
        ] {
            let set = try intel.collateral(status: platform, qe: qe)
            #expect(intel.status(quote, set) == expected, "\(platform), \(qe)")
        }
        let revoked = intel.examine(quote, try intel.collateral(status: "Revoked")) { $0.statuses = TCBStatus.allCases }
        #expect(revoked.failedKinds == [.tcbRevoked] && revoked.refusal == .revoked(""))
    }

    @Test("a TD under an old module is old, and is advised to relaunch once a new one runs")
    func relaunch() throws {
        func status(_ launch: [UInt8], _ now: [UInt8], _ platform: String = "UpToDate") throws -> String? {
            intel.status(try intel.tdQuote(launch: launch, now: now), try intel.collateral(status: platform))
        }
        #expect(try status([4, 1, 3], [4, 1, 3]) == "OutOfDate")
        #expect(try status([4, 1, 3], [6, 1, 3]) == "TDRelaunchAdvised")
        #expect(try status([4, 1, 3], [6, 1, 3], "SWHardeningNeeded") == "TDRelaunchAdvised")
        #expect(try status([4, 1, 3], [6, 1, 3], "ConfigurationNeeded") == "TDRelaunchAdvisedConfigurationNeeded")
        #expect(try status([6, 1, 3], [4, 1, 3]) == "UpToDate")
        #expect(try status([5, 0, 3], [5, 0, 3]) == "UpToDate")
        // No level, or no module, that Intel knows.
        for (launch, kind) in [
            ([UInt8(2), 1, 3], EvidenceCheck.Kind.tcbNotSupported), ([6, 1, 2], .tcbNotSupported),
            ([4, 0, 3], .tcbNotSupported), ([6, 9, 3], .tdxModuleMismatch),
        ] {
            let report = intel.examine(try intel.tdQuote(launch: launch), try intel.collateral())
            #expect(report.failedKinds == [kind], "\(launch): \(report.failures)")
        }
    }

    @Test("a platform is compared with levels, component by component")
    func levels() throws {
        let quote = try intel.tdQuote()
        #expect(intel.status(quote, try intel.collateral(svn: 6)) == "OutOfDate")
        let set = try intel.collateral(status: "ConfigurationNeeded")
        #expect(intel.examine(quote, set).failedKinds == [.policyTCB])
        #expect(intel.examine(quote, set) { $0.statuses = [.configurationNeeded] }.isAccepted)
        let refused = intel.examine(quote, set) {
            $0.statuses = [.configurationNeeded]
            $0.refusedAdvisories = ["INTEL-SA-5"]
        }
        #expect(refused.failedKinds == [.policyTCB])
    }

    @Test("what is revoked is refused")
    func revoked() throws {
        let quote = try intel.tdQuote()
        #expect(intel.examine(quote, try intel.collateral(revoked: [3])).failedKinds == [.pckRevoked])
        #expect(intel.examine(quote, try intel.collateral(rootRevoked: [2])).failedKinds == [.pckRevoked])
        #expect(intel.examine(quote, try intel.collateral(rootRevoked: [4])).failedKinds == [.tcbInfoChain])
        #expect(intel.examine(quote, try intel.collateral(revoked: [2, 4], rootRevoked: [3])).isAccepted)
        var swapped = try intel.collateral()
        swap(&swapped.pckRevocationList, &swapped.rootRevocationList)
        #expect(intel.examine(quote, swapped).failedKinds == [.pckRevocationList, .rootRevocationList])
    }

    @Test(
        "a statement must be for this platform and enclave, in date, by Intel's signer",
        arguments: [
            ("fmspc", JSON.string("00a067110001"), true, EvidenceCheck.Kind.tcbInfoMismatch),
            ("pceId", "0001", true, .tcbInfoMismatch), ("version", 2, true, .tcbInfoSignature),
            ("tcbType", 1, true, .tcbInfoSignature), ("id", "SGX2", true, .tcbInfoSignature),
            ("nextUpdate", "2026-05-31T00:00:00Z", true, .tcbInfoExpired),
            ("issueDate", "2026-06-02T00:00:00Z", true, .tcbInfoExpired),
            ("tcbLevels", .array([]), true, .tcbNotSupported),
            ("id", "QE", false, .qeIdentityMismatch), ("isvprodid", 1, false, .qeIdentityMismatch),
            ("miscselect", "00000001", false, .qeIdentityMismatch),
            ("mrsigner", .string(String(repeating: "00", count: 32)), false, .qeIdentityMismatch),
            ("attributes", "11000000000000000000000000000000", false, .qeIdentityMismatch),
            ("nextUpdate", "2026-05-31T00:00:00Z", false, .qeIdentityExpired),
            ("tcbLevels", .array([]), false, .tcbNotSupported),
            ("version", 3, false, .qeIdentitySignature),
        ])
    func statement(name: String, value: JSON, isInfo: Bool, kind: EvidenceCheck.Kind) throws {
        let set = try intel.collateral(
            qeChange: isInfo ? nil : (name, value), infoChange: isInfo ? (name, value) : nil)
        let report = intel.examine(try intel.tdQuote(), set)
        #expect(report.failedKinds.contains(kind), "\(report.failures)")
    }

    @Test("a platform's certificate can't sign statements, nor one of another root")
    func signer() throws {
        let quote = try intel.tdQuote()
        let other = try TestIntel()
        for chain in [
            [intel.platformDER, intel.authorityDER], [intel.signingDER], [intel.signingDER, other.rootDER],
            [other.signingDER, other.rootDER], [intel.authorityDER, intel.rootDER],
        ] {
            let report = intel.examine(quote, try intel.collateral(signer: chain))
            #expect(report.failedKinds.contains(.tcbInfoChain), "\(report.failures)")
        }
    }

    @Test("the quoting enclave and its chain are this platform's")
    func chain() throws {
        let set = try intel.collateral()
        let other = try TestIntel()
        for (chain, kind) in [
            ([intel.platformDER, intel.authorityDER], EvidenceCheck.Kind.pckChain),
            ([intel.authorityDER, intel.platformDER, intel.rootDER], .pckChain),
            ([other.platformDER, intel.authorityDER, intel.rootDER], .pckChain),
            ([other.platformDER, other.authorityDER, other.rootDER], .rootNotTrusted),
            ([intel.signingDER, intel.authorityDER, intel.rootDER], .pckChain),
        ] {
            let report = intel.examine(try intel.tdQuote(chain: chain), set)
            #expect(report.failedKinds.contains(kind), "\(report.failures)")
        }
        let report = intel.examine(try intel.tdQuote(qe: { $0[320] ^= 1 }), set)
        #expect(report.failedKinds == [.qeReportData])
        let old = intel.examine(try intel.tdQuote(qe: { $0[258] = 0 }), set)
        #expect(old.failedKinds == [.tcbNotSupported])
    }

    @Test("a cache of several sets gives the one for the platform, the newest if there are two")
    func cache() throws {
        let quote = try intel.tdQuote()
        let right = try intel.collateral()
        let wrong = [
            try intel.collateral(tdx: false), try intel.collateral(infoChange: ("fmspc", "00a067110001")),
            try intel.collateral(status: "OutOfDate", infoChange: ("tcbEvaluationDataNumber", 17)),
        ]
        var policy = EvidencePolicy(requirements: PlatformRequirements(roots: [sha256(intel.rootDER)]))
        for sets in [wrong + [right], [right] + wrong] {
            let report = Evidence(platform: .tdx, bytes: quote).examine(
                policy: policy, collateral: Collateral(intel: sets), at: TestIntel.time)
            #expect(report.isAccepted, "\(report.failures)")
        }
        let none = Evidence(platform: .tdx, bytes: quote).examine(
            policy: policy, collateral: Collateral(intel: [wrong[0], wrong[1]]), at: TestIntel.time)
        #expect(none.failedKinds == [.collateral])
        policy.needsCollateral = false
        let bare = Evidence(platform: .tdx, bytes: quote).examine(
            policy: policy, collateral: Collateral(), at: TestIntel.time)
        #expect(bare.isAccepted)
    }
}
