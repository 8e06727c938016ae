import Primitives
import Testing

@Suite struct FixedBytesTests {
    @Test func hexForms() {
        #expect(Hex.decode("0x00fFA1") == [0, 255, 161])
        #expect(Hex.decode("0x0") == nil && Hex.decode("zz") == nil && Hex.decode("") == [])
        #expect(Hex.encodePrefixed([1, 0xab] as [UInt8]) == "0x01ab")
    }

    @Test func wordsKeepByteOrder() throws {
        let bytes = (1...32).map { UInt8($0) }
        let value = try #require(Bytes32(bytes))
        #expect(value.bytes == bytes && Bytes32(hex: value.hex) == value && Bytes32(hex: "0x00") == nil)
        #expect(UInt256(value).bytes == bytes)
        let address = Address(tailOf: value)
        #expect(address.bytes == Array(bytes[12...]) && Address(hex: address.hex) == address)
        #expect(Address(number: 0x0102).bytes.suffix(2) == [1, 2])
        #expect(UInt256(address).bytes == [UInt8](repeating: 0, count: 12) + bytes[12...])
    }

    @Test func orderIsThatOfTheBytes() {
        var random = SplitMix(state: 5)
        for _ in 0..<2000 {
            let (a, b) = (Bytes32(random.word()), Bytes32(random.word()))
            #expect((a < b) == a.bytes.lexicographicallyPrecedes(b.bytes))
            let (c, d) = (Address(tailOf: a), Address(tailOf: b))
            #expect((c < d) == c.bytes.lexicographicallyPrecedes(d.bytes))
        }
    }
}
