import Primitives
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "Values survive parsing and writing, in order",
        arguments: [
            "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "\"\"",
            "[]", "{}", #"{"b":1,"a":[1,"x",null,{"z":{}}],"c":""}"#, #""\"\\\b\f\n\r\t\u0000\u001f/é😀""#,
        ])
    func roundTrip(_ text: String) throws {
        let value = try JSON(parsing: Array(text.utf8))
        #expect(String(decoding: value.serialized(), as: UTF8.self) == text)
        #expect(try JSON(parsing: value.serialized()) == value)
    }

    @Test("White space and escapes are read")
    func reading() throws {
        let value = try JSON(parsing: Array(" { \"a\\u0041\\ud83d\\ude00\" : [ 1e2 , -0.5 ] }\n".utf8))
        #expect(value == ["aA\u{1F600}": [.double(100), .double(-0.5)]])
    }

    @Test(
        "Broken texts are refused with their kind",
        arguments: [
            ("", JSONError.syntax(at: 0)), ("{", .syntax(at: 0)), ("[1,]", .syntax(at: 0)),
            ("{\"a\":1,}", .syntax(at: 0)),
            ("01", .syntax(at: 0)), ("1 2", .syntax(at: 0)), ("'a'", .syntax(at: 0)), ("\"\\x\"", .syntax(at: 0)),
            ("\"\u{1}\"", .syntax(at: 0)), ("nul", .syntax(at: 0)), ("\"abc", .syntax(at: 0)),
            ("\"abc\\", .syntax(at: 0)),
            ("]", .syntax(at: 0)), ("{\"a\":1,\"a\":2}", .duplicate(at: 0)), ("9223372036854775808", .number(at: 0)),
            ("1e999", .number(at: 0)), ("\"\\ud800\"", .syntax(at: 0)), ("{\"\\u0000\":1}", .syntax(at: 0)),
        ])
    func refusals(_ text: String, _ error: JSONError) {
        #expect(throws: error) { try JSON(parsing: Array(text.utf8)) }
    }

    @Test("Invalid UTF-8 is refused")
    func encoding() {
        #expect(throws: JSONError.encoding(at: 0)) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.encoding(at: 0)) { try JSON(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test("Limits hold before anything is built")
    func limits() throws {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONError.tooDeep(at: 0)) { try JSON(parsing: deep) }
        let fits = Array(String(repeating: "[", count: 64).utf8) + Array(String(repeating: "]", count: 64).utf8)
        #expect(try JSON(parsing: fits).array?.count == 1)
        let wide = Array("[1,2,3,4]".utf8)
        #expect(throws: JSONError.tooMany(at: 0)) { try JSON(parsing: wide, limits: .init(valuesMax: 4)) }
        #expect(throws: JSONError.tooLarge(limit: 8)) { try JSON(parsing: wide, limits: .init(bytesMax: 8)) }
        // Brackets within strings don't count.
        let quoted = Array("\"\(String(repeating: "[", count: 200))\\\"[\"".utf8)
        #expect(try JSON(parsing: quoted).string?.utf8.count == 202)
    }

    @Test("Mutated texts never trap, and what parses is written and read back")
    func mutation() throws {
        var generator = SeededGenerator(seed: 0x4A53_4F4E)
        let base = Array(
            #"{"jsonrpc":"2.0","id":-17.25,"method":"eth_call","params":[{"to":"0x00","x":null},[true]]}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = base
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(base[Int.random(in: 0..<base.count, using: &generator)], at: place)
                }
            }
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect(try JSON(parsing: value.serialized()) == value)
        }
    }
}

/// SplitMix64, so that a failure can be repeated.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
