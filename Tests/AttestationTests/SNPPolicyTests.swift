import Attestation
import Crypto
import CryptoExtras
import Primitives
import Testing

/// An AMD of our own: root, intermediate and chip, so that reports can say what captured ones don't.
struct TestAMD {
    let ark: TestSigner
    let ask: TestSigner
    let chip: P384.Signing.PrivateKey
    let chipID = [UInt8](repeating: 0xC1, count: 64)
    var arkDER: [UInt8] = []
    var askDER: [UInt8] = []

    static let time = CivilTime.parse("2026-06-01T00:00:00Z") ?? 0

    init() throws {
        ark = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        ask = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        chip = P384.Signing.PrivateKey()
        arkDER = try ark.certify("ARK-Milan", ark, issuer: "ARK-Milan", extensions: DERWriter.authority())
        askDER = try ask(pathLength: 0)
    }

    func ask(
        pathLength: Int?, usage: UInt8 = 0x04, validity: (String, String) = ("200101000000Z", "400101000000Z")
    ) throws -> [UInt8] {
        try ark.certify(
            "SEV-Milan", ask, issuer: "ARK-Milan", serial: 7, validity: validity,
            extensions: DERWriter.authority(pathLength: pathLength, usage: usage))
    }

    /// TCB 3, 0, 8, 115 unless said otherwise.
    func vek(
        subject: String = "SEV-VCEK", product: String = "Milan-B0", microcode: Int = 115, chipID: [UInt8]? = nil,
        provider: String? = nil, by signer: TestSigner? = nil
    ) throws -> [UInt8] {
        let arc = "1.3.6.1.4.1.3704.1"
        var extensions = [
            DERWriter.extension("\(arc).1", DERWriter.integer(0)),
            DERWriter.extension("\(arc).2", DERWriter.tlv(0x16, Array(product.utf8))),
            DERWriter.extension("\(arc).3.1", DERWriter.integer(3)),
            DERWriter.extension("\(arc).3.2", DERWriter.integer(0)),
            DERWriter.extension("\(arc).3.3", DERWriter.integer(8)),
            DERWriter.extension("\(arc).3.8", DERWriter.integer(microcode)),
        ]
        if let provider {
            extensions.append(DERWriter.extension("\(arc).5", DERWriter.tlv(0x16, Array(provider.utf8))))
        } else {
            extensions.append(DERWriter.extension("\(arc).4", chipID ?? self.chipID))
        }
        return try (signer ?? ask).certify(
            subject, .p384(chip), issuer: "SEV-Milan", serial: 0, extensions: extensions)
    }

    /// A report that is signed after `change`.
    func report(version: UInt32 = 3, _ change: (inout [UInt8]) -> Void = { _ in }) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1184)
        bytes.put(little(version), at: 0)
        bytes.put(little(UInt64(0x3001F)), at: 8)
        bytes.put(little(UInt32(1)), at: 0x34)
        for offset in [0x38, 0x180, 0x1E0, 0x1F0] { bytes.put([3, 0, 0, 0, 0, 0, 8, 115], at: offset) }
        bytes.put([UInt8](repeating: 0xFF, count: 32), at: 0x160)
        if version >= 3 { bytes.put([0x19, 0x01, 1], at: 0x188) }
        bytes.put(chipID, at: 0x1A0)
        change(&bytes)
        let signature = Array(try chip.signature(for: SHA384.hash(data: bytes[..<0x2A0])).rawRepresentation)
        bytes.put(signature[..<48].reversed(), at: 0x2A0)
        bytes.put(signature[48...].reversed(), at: 0x2A0 + 72)
        return bytes
    }

    func examine(
        _ report: [UInt8], certificates: [[UInt8]]? = nil, lists: [[UInt8]] = [],
        _ change: (inout PlatformRequirements) -> Void = { _ in }
    ) throws -> EvidenceReport {
        var requirements = PlatformRequirements(roots: [sha256(arkDER)])
        change(&requirements)
        let all = try certificates ?? [vek(), askDER, arkDER]
        return Evidence(platform: .sevSNP, bytes: report).examine(
            policy: EvidencePolicy(requirements: requirements),
            collateral: Collateral(amd: .init(certificates: all, revocationLists: lists)), at: Self.time)
    }
}

extension EvidenceReport {
    /// The kinds of the checks that failed.
    var failedKinds: Set<EvidenceCheck.Kind> { Set(failures.map(\.kind)) }
}

@Suite("SNP reports under a root of our own")
struct SNPPolicyTests {
    private let amd: TestAMD

    init() throws { amd = try TestAMD() }

    @Test("every version is accepted as it should be", arguments: [UInt32(2), 3, 4, 5])
    func versions(version: UInt32) throws {
        let report = try amd.examine(try amd.report(version: version))
        #expect(report.isAccepted, "\(report.failures)")
        #expect(report.claims?.fields.contains { $0.name == "launch_mit_vector" } == (version == 5))
        // What is a field in version 5 is reserved before.
        let mitigations = try amd.examine(try amd.report(version: version) { $0[0x1F8] = 1 })
        #expect(mitigations.isAccepted == (version == 5))
    }

    @Test("the published roots don't know this one")
    func root() throws {
        #expect(try amd.examine(try amd.report()) { $0.roots = [] }.failedKinds == [.rootNotTrusted])
    }

    @Test(
        "what the guest was launched with is judged",
        arguments: [
            (8, 10, UInt8(0x0B), EvidenceCheck.Kind.policyDebug), (8, 10, 0x07, .policyMigration),
            (0x160, 0x160, 0x00, .policyMigration), (0x30, 0x30, 1, .policyConfiguration), (0x30, 0x30, 4, .format),
            (8, 10, 0x01, .format), (8, 15, 0x80, .format), (0x4C, 0x4C, 1, .format), (0x209, 0x209, 1, .format),
            (0x34, 0x34, 2, .format), (0x48, 0x48, 4, .signingKey), (0x48, 0x48, 0x1C, .signingKey),
            (0x180, 0x187, 116, .vekTCB), (0x180, 0x182, 1, .vekTCB), (0x188, 0x189, 0x11, .product),
            (0x1A0, 0x1A0, 1, .vekChip),
        ])
    func configuration(field: Int, offset: Int, value: UInt8, kind: EvidenceCheck.Kind) throws {
        let report = try amd.examine(try amd.report { $0[offset] = value })
        #expect(report.failedKinds.contains(kind), "field at \(field): \(report.failures)")
        #expect(!report.failedKinds.contains(.reportSignature))
    }

    @Test("a migration agent, threads and levels are accepted where the rule says so")
    func allowed() throws {
        let report = try amd.report {
            $0[10] = 0x07
            $0[0x30] = 2
        }
        #expect(try amd.examine(report).failedKinds == [.policyMigration, .policyConfiguration])
        let wide = try amd.examine(report) {
            $0.allowsMigration = true
            $0.vmplMax = 2
        }
        #expect(wide.isAccepted)
        #expect(try amd.examine(report) { $0.allowsSMT = false }.failedKinds.contains(.policyConfiguration))
        let single = try amd.report { $0[10] = 0x02 }
        #expect(try amd.examine(single) { $0.allowsSMT = false }.isAccepted)
    }

    @Test("the committed firmware counts, not only the reported")
    func committed() throws {
        let behind = try amd.report { $0[0x1E7] = 100 }
        let minimum = PlatformRequirements.ProductTCB(product: .milan, minimum: [3, 0, 0, 0, 0, 0, 8, 115])
        #expect(try amd.examine(behind).isAccepted)
        #expect(try amd.examine(behind) { $0.products = [minimum] }.failedKinds == [.policyTCB])
        #expect(try amd.examine(try amd.report()) { $0.products = [minimum] }.isAccepted)
    }

    @Test("a chip's id may be masked, a provider's key has none")
    func chips() throws {
        let masked = try amd.report {
            $0[0x48] = 2
            $0.put([UInt8](repeating: 0, count: 64), at: 0x1A0)
        }
        #expect(try amd.examine(masked).isAccepted)
        // A provider's key must come from the intermediate for such keys.
        let vlek = try amd.vek(subject: "SEV-VLEK", provider: "CN=cloud")
        let report = try amd.report { $0[0x48] = 4 }
        let result = try amd.examine(report, certificates: [vlek, amd.askDER, amd.arkDER])
        #expect(result.failedKinds == [.vekKind])
        let both = try amd.vek(subject: "SEV-VLEK")
        #expect(try amd.examine(report, certificates: [both, amd.askDER, amd.arkDER]).failedKinds == [.vekKind])
    }

    @Test("a chain must be made by those who may")
    func chain() throws {
        let report = try amd.report()
        let other = TestSigner.p384(P384.Signing.PrivateKey())
        let vek = try amd.vek()
        for (certificates, kind) in [
            ([vek, amd.askDER], EvidenceCheck.Kind.vekChain), ([vek, amd.arkDER], .vekChain), ([vek], .vekChain),
            ([], .collateral), ([try amd.vek(by: other), amd.askDER, amd.arkDER], .vekChain),
            ([vek, try amd.ask(pathLength: 0, usage: 0x02), amd.arkDER], .vekChain),
            (
                [vek, try amd.ask(pathLength: 0, validity: ("200101000000Z", "260101000000Z")), amd.arkDER],
                .certificateExpired
            ),
            ([vek, try amd.ark.certify("SEV-Milan", amd.ask, issuer: "ARK-Milan"), amd.arkDER], .vekChain),
            ([try amd.vek(product: "Genoa"), amd.askDER, amd.arkDER], .product),
            ([try amd.vek(microcode: 114), amd.askDER, amd.arkDER], .vekTCB),
            ([try amd.vek(chipID: [UInt8](repeating: 1, count: 64)), amd.askDER, amd.arkDER], .vekChip),
            ([try amd.vek(chipID: [1]), amd.askDER, amd.arkDER], .vekChip),
            ([try amd.vek(subject: "SEV-OTHER"), amd.askDER, amd.arkDER], .vekKind),
            ([vek + [0], amd.askDER, amd.arkDER], .vekChain),
        ] {
            let result = try amd.examine(report, certificates: certificates)
            #expect(result.failedKinds.contains(kind), "\(kind): \(result.failures)")
        }
    }

    @Test("revocation lists count when they are at hand, and can be demanded")
    func revocation() throws {
        let report = try amd.report()
        func examine(_ lists: [[UInt8]]) throws -> Set<EvidenceCheck.Kind> {
            try amd.examine(report, lists: lists) { $0.needsRevocationList = true }.failedKinds
        }
        #expect(try examine([]) == [.collateral])
        #expect(try examine([try amd.ark.revoke([], issuer: "ARK-Milan")]).isEmpty)
        #expect(try examine([try amd.ark.revoke([6, 8], issuer: "ARK-Milan")]).isEmpty)
        #expect(try examine([try amd.ark.revoke([6, 7], issuer: "ARK-Milan")]) == [.vekRevoked])
        #expect(try examine([try amd.ark.revoke([], issuer: "ARK-Genoa")]) == [.collateral])
        #expect(try examine([try amd.ask.revoke([], issuer: "ARK-Milan")]) == [.vekRevoked])
        let late = try amd.ark.revoke([], issuer: "ARK-Milan", validity: ("260101000000Z", "260301000000Z"))
        #expect(try examine([late]) == [.revocationListExpired])
        let early = try amd.ark.revoke([], issuer: "ARK-Milan", validity: ("260701000000Z", "260801000000Z"))
        #expect(try examine([early]) == [.revocationListExpired])
        let delta = try amd.ark.revoke(
            [], issuer: "ARK-Milan",
            extensions: [DERWriter.extension("2.5.29.27", DERWriter.integer(1), critical: true)])
        #expect(try examine([delta]).contains(.vekRevoked))
        #expect(try amd.examine(report, lists: [try amd.ark.revoke([7], issuer: "ARK-Milan")]).refusal == .revoked(""))
        let list = try amd.ark.revoke([7], issuer: "ARK-Milan")
        for count in stride(from: 0, to: list.count, by: 5) {
            #expect(try !amd.examine(report, lists: [Array(list.prefix(count))]).isAccepted)
        }
    }

    @Test("certificates cut at any byte are refused")
    func truncated() throws {
        for der in [amd.arkDER, amd.askDER, try amd.vek()] {
            #expect(try PlatformCertificate(der: der).der == der)
            for count in 0..<der.count {
                #expect(throws: AttestationError.malformed("")) {
                    try PlatformCertificate(der: Array(der.prefix(count)))
                }
            }
            for offset in der.indices {
                var changed = der
                changed[offset] ^= 0x11
                _ = try? PlatformCertificate(der: changed)
            }
        }
    }
}
