import Attestation
import Foundation
import Primitives
import Testing

/// Writes what the fuzzer begins with for hardware evidence: its makers' keys are only here. Asked for by
/// `ENTENTE_REWRITE=1`; the tests of the fuzz targets read the files.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["ENTENTE_REWRITE"] != nil, "writes files"))
struct FuzzCorpusTests {
    private func write(_ bytes: [UInt8], _ target: String, _ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fuzz/Corpus/\(target)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: folder.appending(path: name))
    }

    /// Parts, each behind its `u16` length.
    private func join(_ parts: [[UInt8]]) -> [UInt8] { parts.flatMap { little(UInt16($0.count)) + $0 } }

    /// The table in which a host hands certificates in: entries of GUID, offset and length, then the certificates.
    private func table(_ entries: [(guid: String, der: [UInt8])]) -> [UInt8] {
        var (head, body): ([UInt8], [UInt8]) = ([], [])
        let start = (entries.count + 1) * 24
        for entry in entries {
            head +=
                (Hex.decode(entry.guid) ?? []) + little(UInt32(start + body.count)) + little(UInt32(entry.der.count))
            body += entry.der
        }
        return head + [UInt8](repeating: 0, count: 24) + body
    }

    @Test func snp() throws {
        let amd = try TestAMD()
        let certificates = table([
            ("63da758de6644564adc5f4b93be8accd", try amd.vek()), ("4ab7b379bbac4fe4a02f05aef327c782", amd.askDER),
            ("c0b406a4a803495297433fb6014cd0ae", amd.arkDER),
        ])
        try write(join([try amd.report() + certificates, amd.arkDER]), "evidence-snp", "version-3")
        try write(join([try amd.report(version: 2), amd.arkDER]), "evidence-snp", "no-table")
        try write(try amd.vek(), "platform-certificate", "vek")
        try write(try amd.ark.revoke([7], issuer: "ARK-Milan"), "revocation-list", "amd")
    }

    @Test func dcap() throws {
        let intel = try TestIntel()
        for (name, quote, isTDX) in [
            ("td", try intel.tdQuote(), true), ("enclave-3", try intel.enclaveQuote(version: 3), false),
            ("enclave-5", try intel.enclaveQuote(version: 5), false),
        ] {
            let set = try intel.collateral(tdx: isTDX)
            try write(
                join([
                    quote, set.tcbInfo, set.tcbInfoChain, set.qeIdentity, set.qeIdentityChain, set.pckRevocationList,
                    set.rootRevocationList, intel.rootDER,
                ]), "evidence-dcap", name)
            try write(set.tcbInfo, "intel-statements", "tcb-info-\(name)")
            try write(set.qeIdentity, "intel-statements", "identity-\(name)")
            try write(set.pckRevocationList, "revocation-list", "intel")
        }
        try write(intel.platformDER, "platform-certificate", "pck")
        try write(pem([intel.platformDER, intel.rootDER]), "platform-certificate", "chain")
    }
}
