import Attestation
import NodeConfiguration
import Testing

@Suite("Policy files for evidence")
struct EvidencePolicyFileTests {
    @Test("every setting is read, in YAML and in JSON")
    func settings() throws {
        let file = try EvidencePolicyFile(
            yaml: """
                platform: tdx
                at: 1970-01-01T00:01:00Z
                collateral: cache
                allowsDebug: true
                needsCollateral: false
                minimumTCB: "0102"
                measurements: ["aa", "bb"]
                requirements:
                  statuses: [UpToDate, OutOfDate]
                  evaluationNumberMin: 18
                  claims: [{name: body.isvsvn, atLeast: 2}, {name: host_data, among: ["00"]}]
                """, folder: "/etc/policy")
        #expect(file.platform == .tdx && file.time == 60_000 && file.collateral == "/etc/policy/cache")
        #expect(file.policy.allowsDebug && !file.policy.needsCollateral && file.policy.minimumTCB == [1, 2])
        #expect(file.policy.measurements == [[0xAA], [0xBB]])
        #expect(file.policy.requirements.statuses == [.upToDate, .outOfDate])
        #expect(file.policy.requirements.claims.count == 2)
        let json = try EvidencePolicyFile(yaml: #"{"collateral": "/cache", "allowsDebug": true}"#, folder: "/etc")
        #expect(json.collateral == "/cache" && json.platform == nil && json.time == nil && json.policy.allowsDebug)
    }

    @Test(
        "what is wrong or misspelt is refused",
        arguments: [
            "platform: enclave", "at: noon", "at: 2026-02-30T00:00:00Z", "collateral: [a]", "alowsDebug: true",
            "minimumTCB: 12", "requirements: {vmplMax: 9}", "[a]", "",
        ])
    func refused(text: String) {
        #expect(throws: ConfigurationError.self) { try EvidencePolicyFile(yaml: text, folder: "/") }
    }
}
