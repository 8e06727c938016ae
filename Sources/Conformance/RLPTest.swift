import EthereumAdapter
import Primitives

/// A value and its encoding, or bytes that are no canonical encoding.
enum RLPTest {
    static func run(_ test: CaseFields) throws(CaseFileError) -> String? {
        let text = try test.string("out")
        guard let bytes = text.isEmpty ? [] : Hex.decode(text) else { throw test.error("out", "not hex bytes") }
        let input = try test.json("in")
        switch input.string {
        case "INVALID":
            return (try? RLP.decode(bytes)) == nil ? nil : "accepted"
        case "VALID":
            guard let item = try? RLP.decode(bytes), let again = try? encode(item) else { return "refused" }
            return again == bytes ? nil : "encodes to \(Hex.encode(again))"
        default:
            guard let encoded = encode(input) else { throw test.error("in", "no value that RLP can hold") }
            if encoded != bytes { return "encodes to \(Hex.encode(encoded)), not \(Hex.encode(bytes))" }
            return (try? encode(RLP.decode(bytes))) == bytes ? nil : "does not decode"
        }
    }

    private static func encode(_ item: RLPItem) throws(RLPError) -> [UInt8] {
        var writer = RLPWriter()
        try write(item, to: &writer)
        return writer.bytes
    }

    private static func write(_ item: RLPItem, to writer: inout RLPWriter) throws(RLPError) {
        guard item.isList else { return writer.bytes(try item.bytes()) }
        var inner = RLPWriter()
        for child in try item.items() { try write(child, to: &inner) }
        writer.list { $0.raw(inner.bytes) }
    }

    private static func encode(_ json: JSON) -> [UInt8]? {
        var writer = RLPWriter()
        return write(json, to: &writer) ? writer.bytes : nil
    }

    /// Text is bytes, `#` in front of digits a number of any size.
    private static func write(_ json: JSON, to writer: inout RLPWriter) -> Bool {
        if let items = json.array {
            var inner = RLPWriter()
            for item in items where !write(item, to: &inner) { return false }
            writer.list { $0.raw(inner.bytes) }
            return true
        }
        if let number = json.integer, number >= 0 {
            writer.integer(UInt64(number))
            return true
        }
        guard let text = json.string else { return false }
        guard text.hasPrefix("#") else {
            writer.bytes(Array(text.utf8))
            return true
        }
        guard let bytes = decimal(text.dropFirst()) else { return false }
        writer.bytes(bytes)
        return true
    }

    /// The bytes of a decimal number, most significant first, none for 0.
    private static func decimal(_ digits: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        for digit in digits.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            var carry = Int(digit - UInt8(ascii: "0"))
            for index in bytes.indices.reversed() {
                let value = Int(bytes[index]) * 10 + carry
                bytes[index] = UInt8(value & 0xff)
                carry = value >> 8
            }
            if carry > 0 { bytes.insert(UInt8(carry), at: 0) }
        }
        return bytes
    }
}
