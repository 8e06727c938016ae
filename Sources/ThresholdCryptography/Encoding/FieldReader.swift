internal import Primitives

/// Reads the fields of one of the scheme's messages: a CBOR array in deterministic encoding whose first items are the
/// version 1 and the message's kind. Nothing but the byte form that the encoder gives is accepted.
struct FieldReader {
    static let messageBytesMax = 1 << 20
    static let textBytesMax = 128

    private let kind: String
    private let items: [CBOR]
    private var place = 0

    /// Opens a message with `count` fields after version and kind.
    init(_ bytes: [UInt8], kind: String, count: Int) throws(ThresholdError) {
        guard bytes.count <= Self.messageBytesMax else { throw .malformed("\(kind): \(bytes.count) bytes") }
        let item: CBOR
        do {
            item = try CBOR.decode(
                bytes, limits: CBOR.Limits(depthMax: 4, itemCountMax: 1 << 14, demandsKeyOrder: true))
        } catch { throw .malformed("\(kind): \(error)") }
        try self.init(item, kind: kind, count: count + 2)
        guard try unsigned("version") == 1 else { throw .malformed("\(kind): a version other than 1") }
        guard try text("kind") == kind else { throw .malformed("a message that is no \(kind)") }
    }

    /// Opens an item inside of a message.
    init(_ item: CBOR, kind: String, count: Int) throws(ThresholdError) {
        guard let items = item.arrayValue, items.count == count else {
            throw .malformed("\(kind): no array of \(count) items")
        }
        self.kind = kind
        self.items = items
    }

    /// A field whose form the caller reads.
    mutating func item(_ name: String) throws(ThresholdError) -> CBOR { try next(name) }

    private mutating func next(_ name: String) throws(ThresholdError) -> CBOR {
        guard place < items.count else { throw .malformed("\(kind): \(name) is missing") }
        defer { place += 1 }
        return items[place]
    }

    mutating func unsigned(_ name: String, max: UInt64 = .max) throws(ThresholdError) -> UInt64 {
        guard case .unsigned(let value) = try next(name), value <= max else {
            throw .malformed("\(kind): \(name) is no number up to \(max)")
        }
        return value
    }

    mutating func bytes(_ name: String, count: ClosedRange<Int>) throws(ThresholdError) -> [UInt8] {
        guard let value = try next(name).bytesValue, count.contains(value.count) else {
            throw .malformed("\(kind): \(name) is no byte string of \(count.lowerBound) to \(count.upperBound) bytes")
        }
        return value
    }

    mutating func bytes(_ name: String, count: Int) throws(ThresholdError) -> [UInt8] {
        try bytes(name, count: count...count)
    }

    mutating func digest(_ name: String) throws(ThresholdError) -> Bytes32 {
        guard let value = Bytes32(try bytes(name, count: 32)) else { throw .malformed("\(kind): \(name)") }
        return value
    }

    /// A text of printable ASCII: others could be equal in Swift and yet different bytes.
    mutating func text(_ name: String) throws(ThresholdError) -> String {
        guard let value = try next(name).textValue, Self.isPlain(value) else {
            throw .malformed("\(kind): \(name) is no text of 1 to \(Self.textBytesMax) printable ASCII characters")
        }
        return value
    }

    static func isPlain(_ text: String) -> Bool {
        (1...textBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    mutating func index(_ name: String) throws(ThresholdError) -> ShareIndex {
        guard let index = ShareIndex(UInt16(try unsigned(name, max: 0xFFFF))) else {
            throw .malformed("\(kind): \(name) is the index 0")
        }
        return index
    }

    mutating func element(_ name: String) throws(ThresholdError) -> RistrettoElement {
        try RistrettoElement(decoding: try bytes(name, count: 32))
    }

    mutating func scalar(_ name: String) throws(ThresholdError) -> RistrettoScalar {
        try RistrettoScalar(decoding: try bytes(name, count: 32))
    }

    mutating func proof(_ name: String) throws(ThresholdError) -> Proof {
        try Proof(decoding: try bytes(name, count: Proof.byteCount))
    }

    mutating func list(_ name: String, count: ClosedRange<Int>) throws(ThresholdError) -> [CBOR] {
        guard let items = try next(name).arrayValue, count.contains(items.count) else {
            throw .malformed("\(kind): \(name) is no list of \(count.lowerBound) to \(count.upperBound) items")
        }
        return items
    }

    /// A list of lists of `width` fields each, read by `read`.
    mutating func records<T>(
        _ name: String, count: ClosedRange<Int>, width: Int,
        _ read: (inout FieldReader) throws(ThresholdError) -> T
    ) throws(ThresholdError) -> [T] {
        var values: [T] = []
        for item in try list(name, count: count) {
            var reader = try FieldReader(item, kind: "\(kind) \(name)", count: width)
            values.append(try read(&reader))
        }
        return values
    }
}

/// Builds what ``FieldReader`` reads.
enum FieldWriter {
    static func message(_ kind: String, _ fields: [CBOR]) -> [UInt8] {
        CBOR.array([.unsigned(1), .text(kind)] + fields).encoded()
    }
}

extension CBOR {
    static func element(_ element: RistrettoElement) -> CBOR { .bytes(element.encoding.bytes) }
    static func digest(_ digest: Bytes32) -> CBOR { .bytes(digest.bytes) }
    static func index(_ index: ShareIndex) -> CBOR { .unsigned(UInt64(index.value)) }
    static func proof(_ proof: Proof) -> CBOR { .bytes(proof.encoding) }
}
