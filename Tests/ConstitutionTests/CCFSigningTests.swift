import Constitution
import Foundation
import Identity
import Primitives
import Testing

/// The tools of PyPI `ccf`, whose messages we take as they are: in the environment that `scripts/python.sh` makes, or beside
/// the interpreter that `ENTENTE_CCF_PYTHON` names.
private let tools: URL? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let python =
        ProcessInfo.processInfo.environment["ENTENTE_CCF_PYTHON"].map { URL(filePath: $0) }
        ?? root.appending(path: ".venv-ccf/bin/python")
    let folder = python.deletingLastPathComponent()
    return FileManager.default.isExecutableFile(atPath: folder.appending(path: "ccf_cose_sign1").path) ? folder : nil
}()

@Suite(
    "Messages of PyPI ccf", .enabled(if: tools != nil, "skipped: .venv-ccf is not there; scripts/python.sh makes it"))
struct CCFSigningTests {
    /// Runs a tool in a folder with the key and certificate of bank-a, and gives what it prints.
    private func run(
        _ tool: String, _ network: TestNetwork, bank: Int, content: [UInt8], _ arguments: [String],
        signature: [UInt8]? = nil
    ) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "entente-ccf-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let actor = try #require(network.constitution.actor(Sample.bank(bank)))
        let certificate = try X509Certificate(der: actor.certificates[0].der)
        try Data(certificate.pem.utf8).write(to: folder.appending(path: "cert.pem"))
        try Data(Sample.ownerKey(bank).pem.utf8).write(to: folder.appending(path: "key.pem"))
        try Data(content).write(to: folder.appending(path: "content.json"))
        var arguments = ["--content", "content.json", "--signing-cert", "cert.pem"] + arguments
        if tool == "ccf_cose_sign1" { arguments += ["--signing-key", "key.pem"] }
        if let signature {
            let text = Base64.encode(signature).replacing("+", with: "-").replacing("/", with: "_")
            try Data(#"{"value":"\#(text)"}"#.utf8).write(to: folder.appending(path: "signature.json"))
            arguments += ["--signature", "signature.json"]
        }
        let process = Process()
        process.executableURL = try #require(tools).appending(path: tool)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(tool)")
        return [UInt8](bytes)
    }

    private func time(_ network: TestNetwork, _ seconds: UInt64 = 1) -> [String] {
        let date = Date(timeIntervalSince1970: Double(network.time / 1000 + seconds))
        return ["--ccf-gov-msg-created-at", date.formatted(.iso8601)]
    }

    @Test("proposal, ballots and withdrawal signed by ccf_cose_sign1")
    func sign() throws {
        var network = try TestNetwork()
        let actions: JSON = ["actions": [["name": "set_open", "args": ["open": false]]]]
        let proposal = try run(
            "ccf_cose_sign1", network, bank: 0, content: actions.serialized(),
            ["--ccf-gov-msg-type", "proposal"] + time(network))
        let made = try #require(try network.take(proposal))
        #expect(made.state == .open && made.proposer == "bank-a")
        for bank in [1, 2] {
            let ballot = try run(
                "ccf_cose_sign1", network, bank: bank, content: Array(#"{"ballot": "for"}"#.utf8),
                ["--ccf-gov-msg-type", "ballot", "--ccf-gov-msg-proposal_id", made.id] + time(network))
            try network.take(ballot)
        }
        #expect(network.governance.record(of: made.id)?.state == .accepted)
        let again = try run(
            "ccf_cose_sign1", network, bank: 0,
            content: Array(#"{"actions":[{"name":"set_open","args":{"open":true}}]}"#.utf8),
            ["--ccf-gov-msg-type", "proposal"] + time(network))
        let second = try #require(try network.take(again))
        let withdrawal = try run(
            "ccf_cose_sign1", network, bank: 0, content: [],
            ["--ccf-gov-msg-type", "withdrawal", "--ccf-gov-msg-proposal_id", second.id] + time(network))
        #expect(try network.take(withdrawal)?.state == .withdrawn)
        // What CCF signs besides means nothing here.
        let ack = try run(
            "ccf_cose_sign1", network, bank: 0, content: Array("{}".utf8),
            ["--ccf-gov-msg-type", "ack"] + time(network))
        #expect(throws: GovernanceError(.malformed)) { try network.take(ack) }
        try network.check()
    }

    @Test("a key in another device: ccf_cose_sign1_prepare and _finish")
    func prepareAndFinish() throws {
        var network = try TestNetwork()
        let content = Array(#"{"actions":[{"name":"set_open","args":{"open":false}}]}"#.utf8)
        let arguments = ["--ccf-gov-msg-type", "proposal"] + time(network)
        let prepared = try JSON(
            parsing: run("ccf_cose_sign1_prepare", network, bank: 1, content: content, arguments))
        let digest = try #require(prepared["value"]?.string.flatMap { Base64.decode($0) })
        let der = try Sample.ownerKey(1).signature(digest: digest)
        let message = try run(
            "ccf_cose_sign1_finish", network, bank: 1, content: content, arguments, signature: raw(der))
        #expect(try network.take(message)?.proposer == "bank-b")
    }

    /// r ‖ s of a P-256 signature in DER.
    private func raw(_ der: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = der.dropFirst(2)
        for _ in 0..<2 {
            let count = Int(rest[rest.startIndex + 1])
            let number = rest.dropFirst(2).prefix(count).drop { $0 == 0 }
            bytes += [UInt8](repeating: 0, count: 32 - number.count) + number
            rest = rest.dropFirst(2 + count)
        }
        return bytes
    }
}
