extension CBOR {
    /// The item in core deterministic encoding (RFC 8949, 4.2.1): shortest heads, definite lengths, map keys in the
    /// bytewise order of their encodings. A key that stands twice in a map is a programmer's error.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    private func encode(into bytes: inout [UInt8]) {
        switch self {
        case .unsigned(let value): Self.head(0, value, &bytes)
        case .negative(let value): Self.head(1, value, &bytes)
        case .bytes(let value):
            Self.head(2, UInt64(value.count), &bytes)
            bytes.append(contentsOf: value)
        case .text(let value):
            Self.head(3, UInt64(value.utf8.count), &bytes)
            bytes.append(contentsOf: value.utf8)
        case .array(let items):
            Self.head(4, UInt64(items.count), &bytes)
            for item in items { item.encode(into: &bytes) }
        case .map(let pairs):
            Self.head(5, UInt64(pairs.count), &bytes)
            let encoded = pairs.map { (key: $0.key.encoded(), value: $0.value) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (index, pair) in encoded.enumerated() {
                precondition(index == 0 || encoded[index - 1].key != pair.key, "a CBOR map has one key twice")
                bytes.append(contentsOf: pair.key)
                pair.value.encode(into: &bytes)
            }
        case .tagged(let tag, let item):
            Self.head(6, tag, &bytes)
            item.encode(into: &bytes)
        case .bool(let value): bytes.append(value ? 0xF5 : 0xF4)
        case .null: bytes.append(0xF6)
        }
    }

    private static func head(_ major: UInt8, _ value: UInt64, _ bytes: inout [UInt8]) {
        let type = major << 5
        switch value {
        case 0..<24: bytes.append(type | UInt8(value))
        case 24...0xFF: bytes.append(contentsOf: [type | 24, UInt8(value)])
        case 0x100...0xFFFF: append(type | 25, UInt16(value), &bytes)
        case 0x1_0000...0xFFFF_FFFF: append(type | 26, UInt32(value), &bytes)
        default: append(type | 27, value, &bytes)
        }
    }

    private static func append<T: FixedWidthInteger>(_ head: UInt8, _ value: T, _ bytes: inout [UInt8]) {
        bytes.append(head)
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
