import Conformance
import EthereumAdapter
import Testing

/// Small files of our own: what is right passes, and one digit of it changed does not.
@Suite("Test files")
struct TestFileTests {
    private func verdicts(_ text: String, name: String = "test.json") throws -> [TestFile.Outcome.Verdict] {
        var verdicts: [TestFile.Outcome.Verdict] = []
        try TestFile(Array(text.utf8), name: name).run { verdicts.append($0.verdict) }
        return verdicts
    }

    private func isFailure(_ verdict: TestFile.Outcome.Verdict) -> Bool {
        if case .failed = verdict { true } else { false }
    }

    @Test func encodings() throws {
        func file(_ input: String, _ out: String) -> String { #"{"t": {"in": \#(input), "out": "\#(out)"}}"# }
        #expect(
            try verdicts(file(##"["dog", [], "#18446744073709551616"]"##, "0xcf83646f67c089010000000000000000")) == [
                .passed
            ])
        #expect(
            try verdicts(file(##"["dog", [], "#18446744073709551616"]"##, "0xcf83646f67c089010000000000000001"))
                .allSatisfy(isFailure))
        #expect(try verdicts(file(#""INVALID""#, "0x8100")) == [.passed])
        #expect(try verdicts(file(#""INVALID""#, "0x81ff")).allSatisfy(isFailure))
        #expect(try verdicts(file(#""VALID""#, "0x8100")).allSatisfy(isFailure))
    }

    @Test func tries() throws {
        func file(_ root: String) -> String {
            #"{"t": {"in": [["do", "verb"], ["ether", "x"], ["horse", "stallion"], ["doge", "coin"], ["ether", null], ["#
                + #""dog", "puppy"]], "root": "\#(root)"}}"#
        }
        let root = "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84"
        #expect(try verdicts(file(root)) == [.passed])
        #expect(try verdicts(file(root), name: "secure.json").allSatisfy(isFailure))
        #expect(try verdicts(file(root.replacing("9ac84", with: "9ac85"))).allSatisfy(isFailure))
    }

    @Test func precompiles() throws {
        func file(_ output: String, _ gas: Int) -> String {
            #"[{"Name": "two words", "Input": "00ff", "Expected": "\#(output)", "Gas": \#(gas)}]"#
        }
        #expect(try verdicts(file("00ff", 18), name: "identity.json") == [.passed])
        #expect(try verdicts(file("00fe", 18), name: "identity.json").allSatisfy(isFailure))
        #expect(try verdicts(file("00ff", 15), name: "identity.json").allSatisfy(isFailure))
        for name in ["nobody.json", "", "...", "-.-"] {
            #expect(throws: CaseFileError.self, "\(name)") { try verdicts(file("00ff", 18), name: name) }
        }
    }

    @Test func whatIsNoTestIsRefused() {
        for text in ["", "{", "[]", "{}", "1", #"{"t": {}}"#, #"{"t": {"post": {}, "transaction": {}}}"#] {
            #expect(throws: CaseFileError.self, "\(text)") { try verdicts(text) }
        }
    }
}
