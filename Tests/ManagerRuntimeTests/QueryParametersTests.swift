import ManagerRuntime
import Testing

@Suite struct QueryParametersTests {
    private func parse(_ text: String?) -> [String] {
        QueryParameters.parse(text.map { $0[...] }).map { "\($0.name)=\($0.value)" }
    }

    @Test func partsAreSplitAndDecoded() {
        #expect(parse(nil).isEmpty)
        #expect(parse("").isEmpty)
        #expect(parse("a=1&b=2") == ["a=1", "b=2"])
        #expect(parse("a&b=&=c&&") == ["a=", "b=", "=c"])
        #expect(parse("a=1=2") == ["a=1=2"])
        #expect(parse("a+b=%41%2b%26+") == ["a b=A+& "])
        #expect(parse("x=%C3%BC") == ["x=ü"])
    }

    @Test func whatIsNoEscapeStays() {
        #expect(parse("a=%&b=%4&c=%zz&d=100%") == ["a=%", "b=%4", "c=%zz", "d=100%"])
        #expect(parse("a=%+1&b=%0x&c=%-1") == ["a=% 1", "b=%0x", "c=%-1"])
        // Bytes that are no UTF-8 become replacement characters, never a trap.
        #expect(parse("a=%FF%00") == ["a=\u{FFFD}\0"])
    }

    @Test func theirNumberIsBounded() {
        let many = (0..<1_000).map { "p\($0)=v" }.joined(separator: "&")
        #expect(parse(many).count == 32)
    }
}
