/// Hexadecimal text.
public enum Hex {
    /// Two lower-case digits a byte.
    @inlinable
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        let count = bytes.count * 2
        return String(unsafeUninitializedCapacity: count) { text in
            var i = 0
            for byte in bytes {
                text[i] = digit(byte >> 4)
                text[i + 1] = digit(byte & 15)
                i += 2
            }
            return count
        }
    }

    /// `0x` and two lower-case digits a byte.
    @inlinable
    public static func encodePrefixed(_ bytes: some Collection<UInt8>) -> String { "0x" + encode(bytes) }

    /// The bytes of an even number of digits of either case, after an optional `0x`; nil for anything else.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        text.utf8.withContiguousStorageIfAvailable { decode(UnsafeRawBufferPointer($0)) }
            ?? Array(text.utf8).withUnsafeBytes { decode($0) }
    }

    private static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        let start = text.count >= 2 && text[0] == 0x30 && text[1] == 0x78 ? 2 : 0
        let digits = text.count - start
        guard digits % 2 == 0 else { return nil }
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: digits / 2) { bytes, count in
            for place in 0..<digits / 2 {
                guard let high = value(ofDigit: text[start + 2 * place]),
                    let low = value(ofDigit: text[start + 2 * place + 1])
                else {
                    isValid = false
                    return
                }
                bytes[place] = high << 4 | low
                count = place + 1
            }
        }
        return isValid ? bytes : nil
    }

    /// The value of one ASCII digit.
    @inlinable
    public static func value(ofDigit character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x37
        case 0x61...0x66: character - 0x57
        default: nil
        }
    }

    @inlinable
    static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
