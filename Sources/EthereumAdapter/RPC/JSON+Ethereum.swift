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
    static func data(_ bytes: [UInt8]) -> JSON { .string(Hex.encodePrefixed(bytes)) }

    /// Data of 32 bytes.
    static func data(_ value: Bytes32) -> JSON { .string(value.hex) }

    /// An address.
    static func data(_ value: Address) -> JSON { .string(value.hex) }

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
