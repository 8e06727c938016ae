/// Why bytes are not the CBOR that is accepted here; each case names the offset.
public enum CBORError: Error, Hashable, Sendable {
    /// The input ends within an item.
    case truncated(at: Int)
    /// A head is longer than it need be, or of a reserved form, or of indefinite length.
    case notPreferred(at: Int)
    /// A floating-point number or simple value that is not accepted.
    case unsupported(at: Int)
    /// A text is no UTF-8.
    case notText(at: Int)
    /// Items nest deeper than allowed.
    case tooDeep(at: Int)
    /// More items than allowed.
    case tooMany(at: Int)
    /// A map has a key twice.
    case duplicateKey(at: Int)
    /// A map's keys are not in bytewise order, where that is demanded.
    case keyOrder(at: Int)
    /// Bytes follow the item.
    case trailing(at: Int)
}

extension CBOR {
    /// What the decoder allows.
    public struct Limits: Sendable, Hashable {
        /// How deep arrays, maps and tags may nest.
        public var depthMax: Int
        /// Items of all kinds together.
        public var itemCountMax: Int
        /// Whether map keys must stand in the order of the deterministic encoding; COSE of other makers often doesn't.
        public var demandsKeyOrder: Bool

        /// Limits, by default those of COSE messages from anyone.
        public init(depthMax: Int = 16, itemCountMax: Int = 1 << 16, demandsKeyOrder: Bool = false) {
            self.depthMax = depthMax
            self.itemCountMax = itemCountMax
            self.demandsKeyOrder = demandsKeyOrder
        }

        /// Only the byte form that ``CBOR/encoded()`` gives.
        public static let deterministic = Limits(demandsKeyOrder: true)
    }

    /// Decodes one item that takes the whole of `bytes`.
    /// - Throws: ``CBORError``.
    public static func decode(_ bytes: [UInt8], limits: Limits = Limits()) throws(CBORError) -> CBOR {
        var decoder = CBORDecoder(bytes: bytes, limits: limits)
        let item = try decoder.item(depth: 0)
        guard decoder.offset == bytes.count else { throw .trailing(at: decoder.offset) }
        return item
    }
}

private struct CBORDecoder {
    let bytes: [UInt8]
    let limits: CBOR.Limits
    var offset = 0
    var itemCount = 0

    init(bytes: [UInt8], limits: CBOR.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func item(depth: Int) throws(CBORError) -> CBOR {
        let at = offset
        guard depth <= limits.depthMax else { throw .tooDeep(at: at) }
        itemCount += 1
        guard itemCount <= limits.itemCountMax else { throw .tooMany(at: at) }
        guard offset < bytes.count else { throw .truncated(at: at) }
        let first = bytes[offset]
        if first >> 5 == 7 { return try simple(first) }
        let argument = try argument()
        switch first >> 5 {
        case 0: return .unsigned(argument)
        case 1: return .negative(argument)
        case 2: return .bytes(try raw(argument, at))
        case 3:
            guard let text = String(validating: try raw(argument, at), as: UTF8.self) else { throw .notText(at: at) }
            return .text(text)
        case 4: return .array(try array(argument, at, depth))
        case 5: return .map(try map(argument, at, depth))
        default: return .tagged(argument, try item(depth: depth + 1))
        }
    }

    private mutating func simple(_ first: UInt8) throws(CBORError) -> CBOR {
        let at = offset
        offset += 1
        switch first {
        case 0xF4: return .bool(false)
        case 0xF5: return .bool(true)
        case 0xF6: return .null
        default: throw .unsupported(at: at)
        }
    }

    private mutating func array(_ count: UInt64, _ at: Int, _ depth: Int) throws(CBORError) -> [CBOR] {
        guard count <= UInt64(bytes.count - offset) else { throw .truncated(at: at) }
        var items: [CBOR] = []
        items.reserveCapacity(Int(min(count, 64)))
        for _ in 0..<count { items.append(try item(depth: depth + 1)) }
        return items
    }

    private mutating func map(_ count: UInt64, _ at: Int, _ depth: Int) throws(CBORError) -> [CBOR.Pair] {
        guard count <= UInt64((bytes.count - offset) / 2) else { throw .truncated(at: at) }
        var pairs: [CBOR.Pair] = []
        var keys: Set<[UInt8]> = []
        var last: [UInt8] = []
        for _ in 0..<count {
            let start = offset
            let key = try item(depth: depth + 1)
            let encoded = Array(bytes[start..<offset])
            // A key that is a map may come in several orders: it is the same key in each.
            guard keys.insert(key.isCompound ? key.encoded() : encoded).inserted else {
                throw .duplicateKey(at: start)
            }
            if limits.demandsKeyOrder, !pairs.isEmpty, !last.lexicographicallyPrecedes(encoded) {
                throw .keyOrder(at: start)
            }
            last = encoded
            pairs.append(CBOR.Pair(key, try item(depth: depth + 1)))
        }
        return pairs
    }

    private mutating func raw(_ count: UInt64, _ at: Int) throws(CBORError) -> [UInt8] {
        guard count <= UInt64(bytes.count - offset) else { throw .truncated(at: at) }
        defer { offset += Int(count) }
        return Array(bytes[offset..<offset + Int(count)])
    }

    /// Reads the head at `offset`, which must be in its shortest form.
    private mutating func argument() throws(CBORError) -> UInt64 {
        let at = offset
        let short = bytes[offset] & 0x1F
        offset += 1
        guard short >= 24 else { return UInt64(short) }
        guard short <= 27 else { throw .notPreferred(at: at) }
        let width = 1 << (short - 24)
        guard bytes.count - offset >= width else { throw .truncated(at: at) }
        var value: UInt64 = 0
        for byte in bytes[offset..<offset + width] { value = value << 8 | UInt64(byte) }
        offset += width
        let least: UInt64 = short == 24 ? 24 : 1 << (UInt64(width) * 4)
        guard value >= least else { throw .notPreferred(at: at) }
        return value
    }
}
