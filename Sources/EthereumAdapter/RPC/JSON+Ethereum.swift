import Primitives

// The two ways in which Ethereum's JSON-RPC writes what JSON has no type for: quantities (numbers, hex without leading
// zeros) and data (bytes, two digits each).
extension JSON {
    /// A quantity.
    static func quantity(_ value: UInt64) -> JSON { .string("0x" + String(value, radix: 16)) }

    /// A quantity.
    static func quantity(_ value: Int) -> JSON { .string("0x" + String(value, radix: 16)) }

    /// A quantity.
    static func quantity(_ value: UInt256) -> JSON { .string(value.hex) }

    /// Data.
    static func data(_ bytes: [UInt8]) -> JSON { bytes.withUnsafeBytes { hex($0) } }

    /// Data of 32 bytes.
    static func data(_ value: Bytes32) -> JSON { value.withUnsafeBytes { hex($0) } }

    /// An address.
    static func data(_ value: Address) -> JSON { value.withUnsafeBytes { hex($0) } }

    /// Answers are mostly this, so it is done without a generic step per byte.
    private static func hex(_ bytes: UnsafeRawBufferPointer) -> JSON {
        let count = 2 + bytes.count * 2
        return .string(
            String(unsafeUninitializedCapacity: count) { text in
                text[0] = UInt8(ascii: "0")
                text[1] = UInt8(ascii: "x")
                var place = 2
                for byte in bytes {
                    text[place] = digit(byte >> 4)
                    text[place + 1] = digit(byte & 15)
                    place += 2
                }
                return count
            })
    }

    @inline(__always)
    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }

    /// The bytes of a data string: `0x` and an even number of digits.
    var dataBytes: [UInt8]? {
        guard let text = string, text.utf8.starts(with: "0x".utf8) else { return nil }
        return Hex.decode(text)
    }

    /// The number of a quantity string: `0x` and one to 64 digits without a leading zero.
    var quantityValue: UInt256? {
        guard let text = string, text.utf8.starts(with: "0x".utf8), text.utf8.count > 2 else { return nil }
        let digits = text.utf8.dropFirst(2)
        if digits.first == UInt8(ascii: "0"), digits.count > 1 { return nil }
        return UInt256(hex: text)
    }

    /// The number of a quantity string, if it fits.
    var quantity64: UInt64? { quantityValue?.asUInt64 }
}
