import Constitution
import Identity
import NodeConfiguration
import Primitives

extension FuzzTarget {
    static let configuration: [FuzzTarget] = [nodeYAML, genesisYAML, proposalYAML, policyYAML, nodeTuple]

    static let nodeYAML = FuzzTarget("node-yaml") {
        [("node", Array(FuzzConstitution.nodeYAML.utf8))]
    } check: { bytes in
        let configuration = try NodeConfiguration(yaml: fuzzText(bytes))
        guard configuration.check().isEmpty else { return }
        _ = configuration.resolved(against: "/etc/entente").settings(genesis: []).encoded
    }

    static let genesisYAML = FuzzTarget("genesis-yaml", byteCountMax: 8192) {
        [("banks", Array(try FuzzConstitution.genesisYAML().utf8))]
    } check: { bytes in
        let files = try genesisFiles.get()
        _ = try GenesisDocument(yaml: fuzzText(bytes), folder: "/", files: files).constitution()
    }

    private static let genesisFiles = Result {
        var files = FuzzFiles()
        for (index, bank) in FuzzConstitution.banks.enumerated() {
            let key = try FuzzKeys.key(UInt8(10 + index))
            let certificate = try X509Certificate.selfSigned(FuzzKeys.request(bank, .actor), key: key)
            files.contents["/\(bank).pem"] = Array(certificate.pem.utf8)
        }
        files.contents["/n.json"] = try FuzzConstitution.nodeFile()
        return files
    }

    static let proposalYAML = FuzzTarget("proposal-yaml") {
        [("much", Array(FuzzConstitution.proposalYAML.utf8))]
    } check: { bytes in
        _ = try ProposalDocument(yaml: fuzzText(bytes), folder: "/", files: FuzzFiles()).proposal.json.serialized()
    }

    static let policyYAML = FuzzTarget("evidence-policy-yaml") {
        [("tdx", Array(FuzzConstitution.policyYAML.utf8))]
    } check: { bytes in
        _ = try EvidencePolicyFile(yaml: fuzzText(bytes), folder: "/")
    }

    static let nodeTuple = FuzzTarget("node-tuple") {
        [("signed", try FuzzConstitution.nodeFile())]
    } check: { bytes in
        let file = try NodeTupleFile(json: bytes)
        try? file.check()
        try FuzzFinding.unlessStable(file.json, "node file") { try NodeTupleFile(json: $0).json }
    }
}
