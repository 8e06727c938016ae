import Attestation
import Identity
import Primitives

extension FuzzTarget {
    static let attestation: [FuzzTarget] = [
        evidence, evidenceSNP, evidenceDCAP, platformCertificate, revocationList, statements,
        collateral, handshake, evidenceCases,
    ]

    private static let lenient = EvidencePolicy(
        requirements: .lenient, allowsDebug: true, needsCollateral: false, platformKeys: nil)

    /// When the seeds' certificates and statements are valid.
    private static let time = CivilTime.parse("2026-06-01T00:00:00Z") ?? 0

    /// All that is done with evidence of a peer, short of believing it. A certificate in `root` is trusted.
    private static func examine(
        _ platform: Platform, _ bytes: [UInt8], _ collateral: Collateral = .init(), root: [UInt8]? = nil
    ) throws {
        let evidence = Evidence(platform: platform, bytes: bytes)
        var strict = EvidencePolicy()
        var relaxed = lenient
        if let root, let certificate = try? PlatformCertificate(der: root) {
            strict.requirements.roots = [certificate.digest]
            relaxed.requirements.roots = [certificate.digest]
        }
        for policy in [strict, relaxed] {
            let report = evidence.examine(policy: policy, collateral: collateral, at: time)
            for check in report.checks { _ = check.description }
            _ = report.refusal
        }
        _ = Platform(evidence: bytes)
        _ = try evidence.claims()
    }

    private static func software() throws -> [UInt8] {
        try SoftwareEvidence.sign(
            measurement: [UInt8](repeating: 1, count: 32), reportData: [UInt8](repeating: 2, count: 64),
            platformKey: FuzzKeys.key(7)
        ).bytes
    }

    static let evidence = FuzzTarget("evidence") {
        [("software", Evidence(platform: .software, bytes: try software()).encoded)]
    } check: { bytes in
        let evidence = try Evidence(decoding: bytes)
        try FuzzFinding.unless(evidence.encoded, is: bytes, "evidence")
        try examine(evidence.platform, evidence.bytes)
    }

    // The seeds of hardware evidence are made by Tests/AttestationTests, whose makers sign them.

    /// A report with its certificate table, and a root.
    static let evidenceSNP = FuzzTarget("evidence-snp", byteCountMax: 16_384, seeds: { [] }) { bytes in
        let parts = FuzzParts.split(bytes)
        guard let report = parts.first else { return }
        try examine(.sevSNP, report, root: parts.dropFirst().first)
    }

    /// A quote, six answers of Intel's service, and a root.
    static let evidenceDCAP = FuzzTarget("evidence-dcap", byteCountMax: 32_768, seeds: { [] }) { bytes in
        let parts = FuzzParts.split(bytes)
        guard parts.count >= 8 else { return }
        let intel = Collateral.Intel(
            tcbInfo: parts[1], tcbInfoChain: parts[2], qeIdentity: parts[3], qeIdentityChain: parts[4],
            pckRevocationList: parts[5], rootRevocationList: parts[6])
        let platform: Platform = Platform(evidence: parts[0]) == .sgx ? .sgx : .tdx
        try examine(platform, parts[0], Collateral(intel: [intel]), root: parts[7])
    }

    static let platformCertificate = FuzzTarget("platform-certificate") {
        [("p256", try FuzzKeys.authority().der)]
    } check: { bytes in
        let certificate = try PlatformCertificate(der: bytes)
        guard certificate.der == bytes else { throw FuzzFinding("a certificate of other bytes") }
        _ = try? PlatformCertificate.chain(pem: bytes)
    }

    static let revocationList = FuzzTarget("revocation-list", seeds: { [] }) { _ = try RevocationList($0) }

    static let statements = FuzzTarget("intel-statements", byteCountMax: 8192, seeds: { [] }) { bytes in
        if let statement = try? SignedStatement(bytes, name: "enclaveIdentity") {
            _ = try QEIdentity(statement.value)
        } else {
            _ = try TCBInfo(SignedStatement(bytes, name: "tcbInfo").value)
        }
    }

    static let collateral = FuzzTarget("collateral", byteCountMax: 8192) {
        let intel = Collateral.Intel(
            tcbInfo: [1], tcbInfoChain: [2], qeIdentity: [3], qeIdentityChain: [4], pckRevocationList: [5],
            rootRevocationList: [])
        return [
            ("both", Collateral(amd: .init(certificates: [[1]], revocationLists: [[2, 3]]), intel: [intel]).encoded)
        ]
    } check: { bytes in
        try FuzzFinding.unless(Collateral(decoding: bytes).encoded, is: bytes, "collateral")
    }

    static let handshake = FuzzTarget("handshake", byteCountMax: 2048) {
        let evidence = Evidence(platform: .software, bytes: try software())
        let messages: [(String, HandshakeMessage)] = [
            (
                "hello",
                .hello(
                    .init(
                        networkID: String(repeating: "ab", count: 32), nodeKey: try FuzzKeys.key(2).publicKey.spki,
                        challenge: [UInt8](repeating: 3, count: 32)))
            ),
            (
                "attest",
                .attest(
                    .init(
                        evidence: evidence, workerMeasurement: [UInt8](repeating: 4, count: 32),
                        signature: [UInt8](repeating: 5, count: 64)))
            ),
            ("accept", .accept), ("refuse", .refuse(.notListed)),
        ]
        return messages.map { ($0.0, $0.1.encoded) }
    } check: { bytes in
        let message = try HandshakeMessage(decoding: bytes)
        // A reason of a later version is read as one of this.
        if case .refuse = message { return }
        try FuzzFinding.unless(message.encoded, is: bytes, "handshake message")
    }

    static let evidenceCases = FuzzTarget("evidence-cases") {
        let text = #"""
            {"format":1,"cases":[{"id":"a","kind":"snp","evidence":"e","vek":"v","chain":"c","at":"2026-01-02T03:04:05Z",
            "patch":[{"offset":1,"xor":2},{"truncate":9}],"policy":{"allow_debug":true,"accept_tcb":["UpToDate"]},
            "collateral_replace":["f","old","new"],"expect":{"result":"reject"}}]}
            """#
        return [("case", Array(text.utf8))]
    } check: { bytes in
        for each in try EvidenceCase.all(in: bytes).prefix(8) {
            _ = each.run { _ in [UInt8](repeating: 1, count: 1184) }
        }
    }
}
