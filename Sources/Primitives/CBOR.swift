/// A CBOR data item (RFC 8949), as far as COSE needs it: no floating point, no indefinite lengths.
public indirect enum CBOR: Sendable, Hashable {
    /// Major type 0.
    case unsigned(UInt64)
    /// Major type 1: the number is `-1 - n`.
    case negative(UInt64)
    /// Major type 2.
    case bytes([UInt8])
    /// Major type 3.
    case text(String)
    /// Major type 4.
    case array([CBOR])
    /// Major type 5: pairs in the order of their bytes. The encoder sorts them by the encoded keys.
    case map([Pair])
    /// Major type 6.
    case tagged(UInt64, CBOR)
    /// Simple values 20 and 21.
    case bool(Bool)
    /// Simple value 22.
    case null

    /// A key of a map and its value.
    public struct Pair: Sendable, Hashable {
        /// The key.
        public let key: CBOR
        /// The value.
        public let value: CBOR

        /// Pairs `key` with `value`.
        public init(_ key: CBOR, _ value: CBOR) {
            self.key = key
            self.value = value
        }
    }

    /// An integer of either sign.
    public static func integer(_ value: Int64) -> CBOR {
        value >= 0 ? .unsigned(UInt64(value)) : .negative(~UInt64(bitPattern: value))
    }

    /// The integer, when it is one that fits.
    public var integerValue: Int64? {
        switch self {
        case .unsigned(let value): Int64(exactly: value)
        case .negative(let value): Int64(exactly: value).map { -1 - $0 }
        default: nil
        }
    }

    /// The byte string, when it is one.
    public var bytesValue: [UInt8]? {
        if case .bytes(let value) = self { value } else { nil }
    }

    /// The text, when it is one.
    public var textValue: String? {
        if case .text(let value) = self { value } else { nil }
    }

    /// The elements, when it is an array.
    public var arrayValue: [CBOR]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// Whether it holds other items, and so possibly a map.
    var isCompound: Bool {
        switch self {
        case .array, .map, .tagged: true
        default: false
        }
    }

    /// The value at `key`, when this is a map that has it.
    public subscript(key: CBOR) -> CBOR? {
        guard case .map(let pairs) = self else { return nil }
        return pairs.first { $0.key == key }?.value
    }

    /// The value at an integer key.
    public subscript(key: Int64) -> CBOR? { self[.integer(key)] }

    /// The value at a text key.
    public subscript(key: String) -> CBOR? { self[.text(key)] }
}
