import Attestation
import Foundation
import Primitives
import Testing

@Suite("TEE manifest rules on captured evidence", .enabled(if: SharedEvidence.isThere, "no captured evidence here"))
struct TEEManifestRuleTests {
    private let genoa: Evidence
    private let genoaTime: UInt64
    private let amd: Collateral
    private let tdx: Evidence
    private let tdxTime: UInt64
    private let intel: Collateral

    init() throws {
        genoa = Evidence(platform: .sevSNP, bytes: try SharedEvidence.file("snp/genoa-v3-aci/report.bin"))
        genoaTime = try #require(CivilTime.parse("2026-06-01T00:00:00Z"))
        let chain = try PlatformCertificate.chain(pem: try SharedEvidence.file("snp/chains/genoa_vcek.pem"))
        amd = Collateral(
            amd: .init(certificates: [try SharedEvidence.file("snp/genoa-v3-aci/vcek.der")] + chain.map(\.der)))
        tdx = Evidence(platform: .tdx, bytes: try SharedEvidence.file("tdx/v5-td15-uptodate-google/quote.bin"))
        tdxTime = try #require(CivilTime.parse("2026-03-20T00:00:00Z"))
        intel = Collateral(intel: [try SharedEvidence.intel("tdx/v5-td15-uptodate-google/collateral")])
    }

    private func verify(
        snp requirements: PlatformRequirements, minimumTCB: [UInt8] = []
    ) throws(AttestationError) -> VerifiedEvidence {
        try genoa.verify(
            at: genoaTime,
            manifest: TEEManifest(
                rules: [.init(platform: .sevSNP, minimumTCB: minimumTCB, requirements: requirements)]),
            owner: "bank-a", collateral: amd)
    }

    private func verify(
        tdx requirements: PlatformRequirements, minimumTCB: [UInt8] = []
    ) throws(AttestationError) -> VerifiedEvidence {
        try tdx.verify(
            at: tdxTime,
            manifest: TEEManifest(rules: [.init(platform: .tdx, minimumTCB: minimumTCB, requirements: requirements)]),
            owner: "bank-a", collateral: intel)
    }

    @Test("the strict defaults accept sound evidence")
    func defaults() throws {
        let verified = try verify(snp: .init())
        #expect(verified.owner == "bank-a" && verified.claims.tcb == [10, 0, 0, 0, 0, 0, 23, 84])
        // HOST_DATA names the containers, so it is part of what runs.
        #expect(verified.claims.measurement.count == 48)
        let measurement = Array(genoa.bytes[0x90..<0xC0])
        #expect(verified.claims.measurement != measurement)
        #expect(
            verified.claims.measurement
                == CodeIdentity.snp(measurement: measurement, hostData: Array(genoa.bytes[0xC0..<0xE0])))
        #expect(CodeIdentity.snp(measurement: measurement, hostData: [0, 0]) == measurement)
        #expect(try verify(tdx: .init()).claims.tcb.count == 34)
    }

    @Test("roots, lines of processors and firmware are asked as the rule says")
    func snp() throws {
        let milan = PlatformRoots.amd[0].digest
        #expect(throws: AttestationError.untrusted("")) { try verify(snp: .init(roots: [milan])) }
        #expect(throws: AttestationError.tcbTooOld("")) {
            try verify(snp: .init(products: [.init(product: .milan, minimum: [0, 0, 0, 0, 0, 0, 0, 0])]))
        }
        let exact: [UInt8] = [10, 0, 0, 0, 0, 0, 23, 84]
        _ = try verify(snp: .init(products: [.init(product: .genoa, minimum: exact)]), minimumTCB: exact)
        for index in [0, 6, 7] {
            var newer = exact
            newer[index] += 1
            #expect(throws: AttestationError.tcbTooOld("")) {
                try verify(snp: .init(products: [.init(product: .genoa, minimum: newer)]))
            }
            #expect(throws: AttestationError.tcbTooOld("")) { try verify(snp: .init(), minimumTCB: newer) }
        }
        #expect(throws: AttestationError.configuration("")) { try verify(snp: .init(allowsSMT: false)) }
        #expect(throws: AttestationError.collateralMissing("")) { try verify(snp: .init(needsRevocationList: true)) }
    }

    @Test("claims are asked by name")
    func claims() throws {
        let hostData = "4f4448c67f3c8dfc8de8a5e37125d807dadcc41f06cf23f615dbd52eec777d10"
        func rule(_ name: String, _ condition: ClaimRule.Condition) -> PlatformRequirements {
            PlatformRequirements(claims: [.init(name: name, condition: condition)])
        }
        _ = try verify(snp: rule("host_data", .among(["00", hostData])))
        _ = try verify(snp: rule("guest_svn", .atLeast(2)))
        _ = try verify(snp: rule("debug", .among(["false"])))
        for wrong in [
            rule("host_data", .among(["00"])), rule("guest_svn", .atLeast(3)), rule("nothing", .among([""])),
            rule("host_data", .atLeast(0)),
        ] {
            #expect(throws: AttestationError.configuration("")) { try verify(snp: wrong) }
        }
    }

    @Test("statuses, evaluations and versions are asked as the rule says")
    func intelRules() throws {
        #expect(throws: AttestationError.tcbTooOld("")) { try verify(tdx: .init(statuses: [.outOfDate])) }
        #expect(throws: AttestationError.tcbTooOld("")) { try verify(tdx: .init(evaluationNumberMin: 19)) }
        _ = try verify(tdx: .init(evaluationNumberMin: 18))
        let tcb = try verify(tdx: .init()).claims.tcb
        _ = try verify(tdx: .init(), minimumTCB: tcb)
        var newer = tcb
        newer[18] += 1
        #expect(throws: AttestationError.tcbTooOld("")) { try verify(tdx: .init(), minimumTCB: newer) }
        #expect(throws: AttestationError.untrusted("")) { try verify(tdx: .init(roots: [PlatformRoots.amd[0].digest])) }
        #expect(throws: AttestationError.collateralMissing("")) {
            try tdx.verify(at: tdxTime, manifest: TEEManifest(rules: [.init(platform: .tdx)]), owner: "bank-a")
        }
        #expect(throws: AttestationError.platformNotAllowed(.tdx)) {
            try tdx.verify(at: tdxTime, manifest: TEEManifest(), owner: "bank-a", collateral: intel)
        }
        #expect(throws: AttestationError.notInDate("")) {
            try tdx.verify(
                at: tdxTime + 40 * 86_400_000, manifest: TEEManifest(rules: [.init(platform: .tdx)]), owner: "bank-a",
                collateral: intel)
        }
    }

    @Test("no rule can allow debug mode, a lower privilege level or an old platform by default")
    func debug() throws {
        let chain = try PlatformCertificate.chain(pem: try SharedEvidence.file("snp/chains/milan_vcek.pem"))
        let evidence = Evidence(platform: .sevSNP, bytes: try SharedEvidence.file("snp/milan-v2-debug/report.bin"))
        let collateral = Collateral(
            amd: .init(certificates: [try SharedEvidence.file("snp/milan-v2-debug/vcek.der")] + chain.map(\.der)))
        #expect(throws: AttestationError.debug()) {
            try evidence.verify(
                at: genoaTime, manifest: TEEManifest(rules: [.init(platform: .sevSNP, requirements: .lenient)]),
                owner: "bank-a", collateral: collateral)
        }
        let aws = Evidence(
            platform: .sevSNP,
            bytes: try SharedEvidence.file("snp/milan-v3-vlek-aws/report.bin")
                + SharedEvidence.file("snp/milan-v3-vlek-aws/auxblob.bin"))
        let time = try #require(CivilTime.parse("2025-06-01T00:00:00Z"))
        #expect(throws: AttestationError.configuration("")) {
            try aws.verify(at: time, manifest: TEEManifest(rules: [.init(platform: .sevSNP)]), owner: "bank-a")
        }
        let manifest = TEEManifest(rules: [.init(platform: .sevSNP, requirements: .init(vmplMax: 1))])
        #expect(try aws.verify(at: time, manifest: manifest, owner: "bank-a").claims.isDebug == false)
        let old = Evidence(platform: .tdx, bytes: try SharedEvidence.file("tdx/v4-outofdate-cmc/quote.bin"))
        #expect(throws: AttestationError.tcbTooOld("")) {
            try old.verify(
                at: tdxTime, manifest: TEEManifest(rules: [.init(platform: .tdx)]), owner: "bank-a",
                collateral: Collateral(intel: [try SharedEvidence.intel("tdx/v4-outofdate-cmc/collateral")]))
        }
    }
}

@Suite("Policies as JSON")
struct PolicyJSONTests {
    @Test("requirements come back as they were written")
    func roundTrip() throws {
        let all = PlatformRequirements(
            roots: [[UInt8](repeating: 7, count: 32)],
            products: [.init(product: .turin, minimum: [1, 1, 1, 4, 0, 0, 0, 81])], vmplMax: 2, allowsMigration: true,
            allowsSMT: false, allowsRelaxedAttributes: true, statuses: [.upToDate, .configurationNeeded],
            evaluationNumberMin: 18, refusedAdvisories: ["INTEL-SA-00615"], needsRevocationList: true,
            claims: [
                .init(name: "host_data", condition: .among(["00", "11"])),
                .init(name: "body.isvsvn", condition: .atLeast(3)),
            ])
        for each in [all, .init(), .lenient] { #expect(try PlatformRequirements(json: each.json) == each) }
        #expect(PlatformRequirements().json == [:])
    }

    @Test(
        "what is misspelt or out of range is refused",
        arguments: [
            #"{"root": []}"#, #"{"vmplMax": 4}"#, #"{"vmplMax": -1}"#, #"{"allowsSMT": 1}"#, #"{"statuses": ["Fine"]}"#,
            #"{"roots": ["00"]}"#, #"{"products": [{"product": "Rome", "minimumTCB": "0000000000000000"}]}"#,
            #"{"products": [{"product": "Milan"}]}"#, #"{"claims": [{"name": "x"}]}"#, #"{"allowsDebug": true}"#,
            #"{"claims": [{"name": "x", "among": [], "atLeast": 1}]}"#, #"{"evaluationNumberMin": 4294967296}"#, "[]",
        ])
    func refused(text: String) throws {
        let json = try JSON(parsing: Array(text.utf8))
        #expect(throws: AttestationError.malformed("")) { try PlatformRequirements(json: json) }
    }

    @Test("a policy is strict unless it says otherwise")
    func policy() throws {
        let policy = try EvidencePolicy(json: [:])
        #expect(!policy.allowsDebug && policy.needsCollateral && policy.requirements == .init())
        #expect(try EvidencePolicy(json: ["allowsDebug": true]).allowsDebug)
        #expect(throws: AttestationError.malformed("")) { try EvidencePolicy(json: ["allowdebug": true]) }
        #expect(throws: AttestationError.malformed("")) { try EvidencePolicy(json: ["reportData": "00"]) }
    }
}
