import Attestation
import Foundation
import Primitives
import Testing

@Suite("Case files of captured evidence", .enabled(if: SharedEvidence.isThere, "no captured evidence here"))
struct EvidenceCaseTests {
    @Test("every case answers as its file says", arguments: [("snp", 39), ("tdx", 46), ("sgx", 23)])
    func casesAnswerAsStated(folder: String, count: Int) throws {
        let cases = try EvidenceCase.all(in: try SharedEvidence.file("\(folder)/manifest.json"))
        #expect(cases.count >= count)
        for each in cases {
            let outcome = each.run { try SharedEvidence.file("\(folder)/\($0)") }
            #expect(outcome.differences.isEmpty, "\(each.id): \(outcome.differences)")
            #expect(!outcome.checks.isEmpty)
        }
    }
}

@Suite("Altered case files", .enabled(if: SharedEvidence.isThere, "no captured evidence here"))
struct AlteredCaseTests {
    private func outcomes(_ folder: String, _ change: (String) -> String) throws -> [EvidenceCaseOutcome] {
        let text = String(decoding: try SharedEvidence.file("\(folder)/manifest.json"), as: UTF8.self)
        let changed = change(text)
        try #require(changed != text)
        return try EvidenceCase.all(in: Array(changed.utf8)).map { each in
            each.run { try SharedEvidence.file("\(folder)/\($0)") }
        }
    }

    @Test(
        "a result that is turned round is a difference in every case",
        arguments: [("snp", 39), ("tdx", 46), ("sgx", 23)])
    func results(folder: String, count: Int) throws {
        let json = try JSON(parsing: try SharedEvidence.file("\(folder)/manifest.json"))
        var changed = JSONObject()
        var cases: [JSON] = []
        for each in try #require(json["cases"]?.array) {
            let result = each["expect"]?["result"]?.string == "ok" ? "reject" : "ok"
            var object = JSONObject(each.object?.members.filter { $0.name != "expect" } ?? [])
            object.append("expect", ["result": .string(result)])
            cases.append(.object(object))
        }
        changed.append("format", 1)
        changed.append("cases", .array(cases))
        let all = try EvidenceCase.all(in: JSON.object(changed).serialized())
        #expect(all.count >= count)
        for each in all {
            let outcome = each.run { try SharedEvidence.file("\(folder)/\($0)") }
            #expect(!outcome.differences.isEmpty, "\(each.id)")
        }
    }

    @Test("a changed claim, reason or status is a difference")
    func details() throws {
        let changes: [(String, String, String)] = [
            ("snp", #""vmpl": 1"#, #""vmpl": 0"#), ("snp", #""ucode": 219"#, #""ucode": 220"#),
            ("snp", #""result": "vek-chip""#, #""result": "format""#),
            ("tdx", "TDRelaunchAdvised", "UpToDate"), ("tdx", #""trailing": 3065"#, #""trailing": 0"#),
            ("tdx", #""result": "tcb-info-signature""#, #""result": "crl-expired""#),
            ("sgx", "INTEL-SA-00615", "INTEL-SA-00616"), ("sgx", #""body.isvsvn": 2"#, #""body.isvsvn": 3"#),
            ("sgx", #""body.mrenclave": "33"#, #""body.mrenclave": "34"#),
        ]
        for (folder, old, new) in changes {
            let outcomes = try outcomes(folder) { $0.replacingOccurrences(of: old, with: new) }
            #expect(outcomes.contains { !$0.differences.isEmpty }, "\(old) to \(new)")
        }
    }

    @Test(
        "what a case file says and is not understood is refused",
        arguments: [
            #"{"format": 2, "cases": []}"#, #"{"cases": []}"#, "[]", "{",
            #"{"format": 1, "cases": [{"id": "a", "kind": "snp", "evidence": "x", "at": "2026-06-01T00:00:00Z"}]}"#,
            #"{"format": 1, "cases": [{"id": "a", "kind": "snp", "evidence": "x", "at": "now", "expect": {"result": "ok"}}]}"#,
            #"{"format": 1, "cases": [{"id": "a", "kind": "snp", "evidence": "x", "at": "2026-06-01T00:00:00Z", "expect": {"result": "fine"}}]}"#,
            #"{"format": 1, "cases": [{"id": "a", "kind": "snp", "evidence": "x", "at": "2026-06-01T00:00:00Z", "expect": {"result": "ok"}, "nonce": 1}]}"#,
            #"{"format": 1, "cases": [{"id": "a", "kind": "snp", "evidence": "x", "at": "2026-06-01T00:00:00Z", "expect": {"result": "ok"}, "policy": {"allow": 1}}]}"#,
        ])
    func malformed(text: String) {
        #expect(throws: AttestationError.malformed("")) { try EvidenceCase.all(in: Array(text.utf8)) }
    }

    @Test("a case whose files are missing differs")
    func missing() throws {
        let cases = try EvidenceCase.all(in: try SharedEvidence.file("sgx/manifest.json"))
        let outcome = try #require(cases.first).run { _ in throw AttestationError.malformed("no file") }
        #expect(outcome.differences.count == 1 && outcome.checks.isEmpty)
    }
}
