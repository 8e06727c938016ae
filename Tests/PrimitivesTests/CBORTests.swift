import Primitives
import Testing

private func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
        let nibble = digit >= 97 ? digit - 87 : digit - 48
        if let upper = high {
            bytes.append(upper << 4 | nibble)
            high = nil
        } else {
            high = nibble
        }
    }
    return bytes
}

@Suite struct CBORTests {
    /// RFC 8949, appendix A: those examples that have no float, no indefinite length and no odd simple value.
    static let vectors: [(CBOR, String)] = [
        (.unsigned(0), "00"), (.unsigned(1), "01"), (.unsigned(10), "0a"), (.unsigned(23), "17"),
        (.unsigned(24), "1818"), (.unsigned(25), "1819"), (.unsigned(100), "1864"), (.unsigned(1000), "1903e8"),
        (.unsigned(1_000_000), "1a000f4240"), (.unsigned(1_000_000_000_000), "1b000000e8d4a51000"),
        (.unsigned(.max), "1bffffffffffffffff"), (.negative(.max), "3bffffffffffffffff"), (.integer(-1), "20"),
        (.integer(-10), "29"), (.integer(-100), "3863"), (.integer(-1000), "3903e7"), (.bool(false), "f4"),
        (.bool(true), "f5"), (.null, "f6"), (.tagged(1, .unsigned(1_363_896_240)), "c11a514b67b0"),
        (.tagged(23, .bytes([1, 2, 3, 4])), "d74401020304"),
        (.tagged(32, .text("http://www.example.com")), "d82076687474703a2f2f7777772e6578616d706c652e636f6d"),
        (.bytes([]), "40"), (.bytes([1, 2, 3, 4]), "4401020304"), (.text(""), "60"), (.text("a"), "6161"),
        (.text("IETF"), "6449455446"), (.text("\"\\"), "62225c"), (.text("\u{fc}"), "62c3bc"),
        (.text("\u{6c34}"), "63e6b0b4"), (.text("\u{10151}"), "64f0908591"), (.array([]), "80"),
        (.array([.unsigned(1), .unsigned(2), .unsigned(3)]), "83010203"),
        (.array([.unsigned(1), .array([.unsigned(2), .unsigned(3)])]), "8201820203"),
        (
            .array((1...25).map { .unsigned($0) }),
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819"
        ), (.map([]), "a0"),
        (.map([.init(.unsigned(1), .unsigned(2)), .init(.unsigned(3), .unsigned(4))]), "a201020304"),
        (
            .map([.init(.text("a"), .unsigned(1)), .init(.text("b"), .array([.unsigned(2), .unsigned(3)]))]),
            "a26161016162820203"
        ),
    ]

    @Test(arguments: vectors) func agreesWithRFC8949(item: CBOR, text: String) throws {
        #expect(item.encoded() == hex(text))
        #expect(try CBOR.decode(hex(text), limits: .deterministic) == item)
    }

    @Test func sortsKeysByTheirEncoding() throws {
        let map = CBOR.map([
            .init(.text("ccf.v1"), .null), .init(.integer(395), .unsigned(2)), .init(.integer(-1), .null),
            .init(.integer(15), .null), .init(.integer(4), .null),
        ])
        #expect(map.encoded() == hex("a5" + "04f6" + "0ff6" + "19018b02" + "20f6" + "666363662e7631f6"))
        #expect(map[395] == .unsigned(2))
        #expect(map["ccf.v1"] == .null)
        #expect(map["none"] == nil)
    }

    @Test(arguments: [
        ("", CBORError.truncated(at: 0)), ("18", .truncated(at: 0)), ("1817", .notPreferred(at: 0)),
        ("190017", .notPreferred(at: 0)), ("1900ff", .notPreferred(at: 0)), ("1a0000ffff", .notPreferred(at: 0)),
        ("1b00000000ffffffff", .notPreferred(at: 0)), ("1c", .notPreferred(at: 0)), ("5f4101ff", .notPreferred(at: 0)),
        ("9fff", .notPreferred(at: 0)), ("4201", .truncated(at: 0)), ("5bffffffffffffffff00", .truncated(at: 0)),
        ("9bffffffffffffffff00", .truncated(at: 0)), ("bbffffffffffffffff00", .truncated(at: 0)),
        ("62c328", .notText(at: 0)), ("f7", .unsupported(at: 0)), ("f90000", .unsupported(at: 0)),
        ("f800", .unsupported(at: 0)), ("ff", .unsupported(at: 0)), ("0000", .trailing(at: 1)),
        ("a201000100", .duplicateKey(at: 3)), ("a202000100", .keyOrder(at: 3)),
    ]) func refuses(text: String, error: CBORError) {
        #expect(throws: error) { try CBOR.decode(hex(text), limits: .deterministic) }
    }

    @Test func boundsDepthAndCount() {
        #expect(throws: CBORError.tooDeep(at: 17)) {
            try CBOR.decode([UInt8](repeating: 0x81, count: 40) + [0])
        }
        #expect(throws: CBORError.tooDeep(at: 17)) {
            try CBOR.decode([UInt8](repeating: 0xC1, count: 100_000) + [0])
        }
        #expect(throws: CBORError.tooMany(at: 4)) {
            try CBOR.decode([0x84, 0, 0, 0, 0], limits: .init(itemCountMax: 4))
        }
    }

    @Test(arguments: 0..<8) func survivesAnyBytes(seed: UInt64) {
        var state = seed &* 0x9E37_79B9 &+ 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        for _ in 0..<3000 {
            let bytes = (0..<Int(next() % 40)).map { _ in UInt8(truncatingIfNeeded: next() >> 20) }
            if let item = try? CBOR.decode(bytes, limits: .deterministic) { #expect(item.encoded() == bytes) }
            _ = try? CBOR.decode(bytes)
        }
    }
}
