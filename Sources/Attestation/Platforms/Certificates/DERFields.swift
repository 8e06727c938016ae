internal import SwiftASN1

/// The parts of a DER sequence or set, one after the other.
struct DERFields {
    private var iterator: ASN1NodeCollection.Iterator
    private(set) var current: ASN1Node?

    init(_ node: ASN1Node, _ identifier: ASN1Identifier = .sequence) throws(AttestationError) {
        guard node.identifier == identifier, case .constructed(let parts) = node.content else {
            throw .malformed("DER: \(node.identifier) where \(identifier) is due")
        }
        iterator = parts.makeIterator()
        current = iterator.next()
    }

    /// The next part, which must be there.
    mutating func next() throws(AttestationError) -> ASN1Node {
        guard let node = current else { throw .malformed("DER: a part is missing") }
        current = iterator.next()
        return node
    }

    /// The next part if it has this tag.
    mutating func next(if identifier: ASN1Identifier) -> ASN1Node? {
        guard let node = current, node.identifier == identifier else { return nil }
        current = iterator.next()
        return node
    }

    /// Checks that no part is left.
    func finish() throws(AttestationError) {
        guard current == nil else { throw .malformed("DER: more parts than expected") }
    }

    /// All that are left.
    var rest: [ASN1Node] {
        mutating get {
            var nodes: [ASN1Node] = []
            while let node = current {
                nodes.append(node)
                current = iterator.next()
            }
            return nodes
        }
    }
}

/// Single DER values with this module's errors.
enum DERValue {
    static func parse(_ bytes: some Collection<UInt8>) throws(AttestationError) -> ASN1Node {
        do { return try DER.parse(Array(bytes)) } catch { throw .malformed("no DER") }
    }

    static func oid(_ node: ASN1Node) throws(AttestationError) -> String {
        do { return "\(try ASN1ObjectIdentifier(derEncoded: node))" } catch { throw .malformed("DER: no object id") }
    }

    /// Content of a primitive value.
    static func content(_ node: ASN1Node, _ identifier: ASN1Identifier) throws(AttestationError) -> [UInt8] {
        guard node.identifier == identifier, case .primitive(let bytes) = node.content else {
            throw .malformed("DER: \(node.identifier) where \(identifier) is due")
        }
        return Array(bytes)
    }

    /// Two's complement bytes of an integer, as short as they can be.
    static func integerBytes(_ node: ASN1Node) throws(AttestationError) -> [UInt8] {
        let bytes = try content(node, .integer)
        guard let first = bytes.first else { throw .malformed("DER: an integer without bytes") }
        if bytes.count > 1, first == 0 && bytes[1] < 0x80 || first == 0xFF && bytes[1] >= 0x80 {
            throw .malformed("DER: an integer longer than it need be")
        }
        return bytes
    }

    /// An integer from 0 to `limit`.
    static func integer(_ node: ASN1Node, limit: Int = Int(UInt32.max)) throws(AttestationError) -> Int {
        let bytes = try integerBytes(node)
        guard bytes.count <= 5, bytes[0] < 0x80 else { throw .malformed("DER: an integer out of range") }
        let value = bytes.reduce(0) { $0 << 8 | Int($1) }
        guard value <= limit else { throw .malformed("DER: an integer out of range") }
        return value
    }

    static func bool(_ node: ASN1Node) throws(AttestationError) -> Bool {
        switch try content(node, .boolean) {
        case [0x00]: return false
        case [0xFF]: return true
        default: throw .malformed("DER: no truth value")
        }
    }

    /// Bytes of a bit string whose last byte is used whole.
    static func wholeBytes(_ node: ASN1Node) throws(AttestationError) -> [UInt8] {
        let bytes = try content(node, .bitString)
        guard bytes.first == 0 else { throw .malformed("DER: a bit string that is no whole bytes") }
        return Array(bytes.dropFirst())
    }

    /// UTCTime or GeneralizedTime in milliseconds since 1970.
    static func time(_ node: ASN1Node) throws(AttestationError) -> UInt64 {
        let time: UInt64?
        if let utc = try? UTCTime(derEncoded: node) {
            time = CivilTime.milliseconds(
                year: utc.year, month: utc.month, day: utc.day, hour: utc.hours, minute: utc.minutes,
                second: utc.seconds)
        } else if let general = try? GeneralizedTime(derEncoded: node), general.rawFractionalSeconds.isEmpty {
            time = CivilTime.milliseconds(
                year: general.year, month: general.month, day: general.day, hour: general.hours,
                minute: general.minutes, second: general.seconds)
        } else {
            time = nil
        }
        guard let time else { throw .malformed("DER: no time") }
        return time
    }

    /// The one value inside an explicit context tag.
    static func explicit(_ node: ASN1Node) throws(AttestationError) -> ASN1Node {
        guard case .constructed(let parts) = node.content else { throw .malformed("DER: an empty tag") }
        var iterator = parts.makeIterator()
        guard let inner = iterator.next(), iterator.next() == nil else {
            throw .malformed("DER: a tag without exactly one value")
        }
        return inner
    }

    static func context(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}
