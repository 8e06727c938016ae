import Attestation
import Foundation
import Primitives
import Testing

/// One untouched piece of captured evidence and what it is accepted with.
private struct Sample: Sendable, CustomStringConvertible {
    let name: String
    let evidence: Evidence
    let collateral: Collateral
    let policy: EvidencePolicy
    let time: UInt64

    var description: String { name }

    func examine(_ bytes: [UInt8]) -> EvidenceReport {
        Evidence(platform: evidence.platform, bytes: bytes).examine(policy: policy, collateral: collateral, at: time)
    }

    static func snp(_ name: String, vek: String, chain: String, at time: String) throws -> Sample {
        let certificates =
            try [SharedEvidence.file("snp/\(name)/\(vek)")]
            + PlatformCertificate.chain(pem: try SharedEvidence.file("snp/chains/\(chain).pem")).map(\.der)
        return Sample(
            name: name,
            evidence: Evidence(platform: .sevSNP, bytes: try SharedEvidence.file("snp/\(name)/report.bin")),
            collateral: Collateral(amd: .init(certificates: certificates)),
            policy: EvidencePolicy(requirements: .lenient), time: try #require(CivilTime.parse(time)))
    }

    static func quote(_ path: String, _ platform: Platform, at time: String, debug: Bool = false) throws -> Sample {
        Sample(
            name: path, evidence: Evidence(platform: platform, bytes: try SharedEvidence.file("\(path)/quote.bin")),
            collateral: Collateral(intel: [try SharedEvidence.intel("\(path)/collateral")]),
            policy: EvidencePolicy(requirements: .lenient, allowsDebug: debug),
            time: try #require(CivilTime.parse(time)))
    }

    static func all() throws -> [Sample] {
        [
            try snp("milan-v2-aci", vek: "vcek.der", chain: "milan_vcek", at: "2026-06-01T00:00:00Z"),
            try snp("genoa-v3-aci", vek: "vcek.der", chain: "genoa_vcek", at: "2026-06-01T00:00:00Z"),
            try snp("turin-v5-aci", vek: "vcek.der", chain: "turin_vcek", at: "2026-06-01T00:00:00Z"),
            try snp("milan-v3-vlek-aws", vek: "vlek.der", chain: "milan_vlek", at: "2025-06-01T00:00:00Z"),
            try quote("tdx/v4-uptodate-phala", .tdx, at: "2025-07-01T00:00:00Z"),
            try quote("tdx/v5-td15-uptodate-google", .tdx, at: "2026-03-20T00:00:00Z"),
            try quote("sgx/v3-confighardening-phala", .sgx, at: "2025-07-01T00:00:00Z"),
            try quote("sgx/v3-debug-occlum", .sgx, at: "2025-09-01T00:00:00Z", debug: true),
        ]
    }
}

@Suite("Captured evidence, cut and changed", .enabled(if: SharedEvidence.isThere, "no captured evidence here"))
struct EvidenceCorruptionTests {
    @Test("is accepted as it is")
    func untouched() throws {
        for sample in try Sample.all() {
            let report = sample.examine(sample.evidence.bytes)
            #expect(report.isAccepted, "\(sample): \(report.failures)")
            #expect(report.refusal == nil)
        }
    }

    @Test("is refused as malformed when cut at any byte")
    func truncated() throws {
        for sample in try Sample.all() {
            let bytes = sample.evidence.bytes
            // Padding after a quote may go; everything before may not.
            let whole = sample.evidence.platform == .sevSNP ? bytes.count : try Quote(bytes).byteCount
            for count in 0..<whole {
                let cut = Array(bytes.prefix(count))
                #expect(throws: AttestationError.malformed(""), "\(sample) cut to \(count)") {
                    try Evidence(platform: sample.evidence.platform, bytes: cut).claims()
                }
            }
            for count in [0, 1, 47, 48, 100, 431, 436, 600, 1183] where count < whole {
                let report = sample.examine(Array(bytes.prefix(count)))
                #expect(report.refusal == .malformed("") && !report.isAccepted && report.claims == nil)
            }
        }
    }

    @Test("is refused when a bit of it flips, wherever that is signed")
    func flipped() throws {
        for sample in try Sample.all() {
            let bytes = sample.evidence.bytes
            let isSNP = sample.evidence.platform == .sevSNP
            // Of SNP reports every byte counts, the signature's padding too. Of quotes: header, body, signature and key,
            // quoting enclave. The certificates behind are cut by step, since each of their bytes takes a whole
            // verification.
            let end = isSNP ? bytes.count : try Quote(bytes).byteCount
            let dense = isSNP ? bytes.count : min(end, 1200)
            for offset in Array(stride(from: 0, to: dense, by: 3)) + Array(stride(from: dense, to: end, by: 41)) {
                var changed = bytes
                changed[offset] ^= 1 << UInt8(offset % 8)
                let report = sample.examine(changed)
                // A line's end in the PEM text is no part of a certificate; the same bytes come out.
                if report.isAccepted, !isSNP, offset >= dense {
                    #expect(report.claims?.measurement == sample.examine(bytes).claims?.measurement)
                    #expect(Self.certificates(changed) == Self.certificates(bytes), "\(sample) at \(offset)")
                } else {
                    #expect(!report.isAccepted, "\(sample) at \(offset)")
                }
            }
        }
    }

    /// The certificates that a quote carries.
    private static func certificates(_ bytes: [UInt8]) -> [[UInt8]] {
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: "-----BEGIN".utf8) }),
            let chain = try? PlatformCertificate.chain(pem: Array(bytes[start...]))
        else { return [] }
        return chain.map(\.der)
    }

    @Test("is refused with collateral that was cut or changed, never accepted with another meaning")
    func collateral() throws {
        for path in ["tdx/v5-td15-uptodate-google", "sgx/v3-confighardening-phala"] {
            let sample = try Sample.quote(
                path, path.hasPrefix("tdx") ? .tdx : .sgx,
                at: path.hasPrefix("tdx") ? "2026-03-20T00:00:00Z" : "2025-07-01T00:00:00Z")
            let fields: [WritableKeyPath<Collateral.Intel, [UInt8]>] = [
                \.tcbInfo, \.tcbInfoChain, \.qeIdentity, \.qeIdentityChain, \.pckRevocationList, \.rootRevocationList,
            ]
            let accepted = sample.examine(sample.evidence.bytes)
            for field in fields {
                let good = sample.collateral.intel[0][keyPath: field]
                for offset in stride(from: 0, to: good.count, by: max(1, good.count / 24)) {
                    var cut = sample.collateral
                    cut.intel[0][keyPath: field] = Array(good.prefix(offset))
                    let whenCut = sample.evidence.examine(policy: sample.policy, collateral: cut, at: sample.time)
                    #expect(!whenCut.isAccepted, "\(path) cut at \(offset)")
                    var changed = sample.collateral
                    changed.intel[0][keyPath: field][offset] ^= 1
                    let whenChanged = sample.evidence.examine(
                        policy: sample.policy, collateral: changed, at: sample.time)
                    if whenChanged.isAccepted { #expect(whenChanged.claims == accepted.claims) }
                }
            }
            #expect(try Collateral(decoding: sample.collateral.encoded) == sample.collateral)
        }
    }

    @Test("random bytes never trap")
    func random() throws {
        var random = Random(state: 11)
        let samples = try Sample.all()
        for round in 0..<2_000 {
            var bytes = samples[round % samples.count].evidence.bytes
            for _ in 0...random.below(6) { bytes[random.below(min(bytes.count, 1400))] = UInt8(random.below(256)) }
            if random.below(4) == 0 { bytes = random.bytes(random.below(3000)) }
            for platform in Platform.allCases {
                _ = try? Evidence(platform: platform, bytes: bytes).claims()
            }
            _ = try? SNPCertificateTable(bytes)
            _ = try? PlatformCertificate(der: bytes)
            _ = try? UVMEndorsement(bytes)
            _ = try? Collateral(decoding: bytes)
        }
    }
}

@Suite("Certificates that hosts hand in", .enabled(if: SharedEvidence.isThere, "no captured evidence here"))
struct CertificateTableTests {
    @Test(
        "a report with the host's table is verified without a cache",
        arguments: [
            ("genoa-v3-aci", "2026-06-01T00:00:00Z"), ("milan-v3-vlek-aws", "2025-06-01T00:00:00Z"),
        ])
    func table(name: String, at: String) throws {
        let time = try #require(CivilTime.parse(at))
        let report = try SharedEvidence.file("snp/\(name)/report.bin")
        let table = try SharedEvidence.file("snp/\(name)/auxblob.bin")
        let evidence = Evidence(platform: .sevSNP, bytes: report + table)
        let claims = try evidence.verifyIntegrity(at: time)
        #expect(claims.reportData == Array(report[0x50..<0x90]))
        #expect(throws: AttestationError.collateralMissing("")) {
            try Evidence(platform: .sevSNP, bytes: report).verifyIntegrity(at: time)
        }
        // Cut anywhere, a table is refused or holds less, so that the chain is not whole.
        let end = table.lastIndex { $0 != 0 } ?? 0
        for count in stride(from: 1, through: end, by: 7) {
            #expect(throws: AttestationError.self, "cut to \(count)") {
                try Evidence(platform: .sevSNP, bytes: report + table.prefix(count)).verifyIntegrity(at: time)
            }
        }
    }

    @Test("the signing key is found among those of other chips")
    func search() throws {
        var certificates: [[UInt8]] = []
        for name in ["milan-v2-aci", "milan-v2-azure-cvm", "milan-v3-aci", "milan-v2-debug"] {
            certificates.append(try SharedEvidence.file("snp/\(name)/vcek.der"))
        }
        for name in ["milan_vcek", "milan_vlek", "genoa_vcek"] {
            let pem = try SharedEvidence.file("snp/chains/\(name).pem")
            certificates += try PlatformCertificate.chain(pem: pem).map(\.der)
        }
        for name in ["milan-v2-aci", "milan-v2-azure-cvm", "milan-v3-aci"] {
            let evidence = Evidence(platform: .sevSNP, bytes: try SharedEvidence.file("snp/\(name)/report.bin"))
            let report = evidence.examine(
                policy: EvidencePolicy(), collateral: Collateral(amd: .init(certificates: certificates)),
                at: try #require(CivilTime.parse("2026-06-01T00:00:00Z")))
            #expect(report.isAccepted, "\(name): \(report.failures)")
        }
    }
}
