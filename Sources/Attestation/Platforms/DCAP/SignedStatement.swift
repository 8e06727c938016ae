package import Primitives

/// A statement as Intel's provisioning service sends it: `{"tcbInfo": {…}, "signature": "r ‖ s in hexadecimal"}`. What is
/// signed are the exact bytes of the inner object, so they are cut out, never written anew.
package struct SignedStatement: Sendable {
    let signedBytes: [UInt8]
    package let value: JSON
    let signature: [UInt8]

    private static let limits = JSONLimits(bytesMax: Collateral.itemByteCountMax, depthMax: 16, valuesMax: 1 << 16)

    /// - Parameter name: name of the inner object.
    package init(_ bytes: [UInt8], name: String) throws(AttestationError) {
        let outer: JSON
        do { outer = try JSON(parsing: bytes, limits: Self.limits) } catch { throw .malformed("\(error)") }
        guard let value = outer[name], value.object != nil, let text = outer["signature"]?.string,
            let signature = Hex.decode(text), signature.count == 64, let span = Self.span(of: name, in: bytes)
        else { throw .malformed("no signed \(name)") }
        self.value = value
        self.signature = signature
        signedBytes = Array(bytes[span])
        // The cut is only right if it parses to the same.
        guard let cut = try? JSON(parsing: signedBytes, limits: Self.limits), cut == value else {
            throw .malformed("the signed \(name) can't be cut out")
        }
    }

    /// Where the member `name` of the outer object has its object: from the brace after the name to its partner. The text
    /// is known to be JSON.
    private static func span(of name: String, in bytes: [UInt8]) -> Range<Int>? {
        var depth = 0
        var index = 0
        var key: ArraySlice<UInt8> = []
        var start: Int?
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let opening = index + 1
                index = opening
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                if depth == 1, start == nil { key = bytes[opening..<min(index, bytes.count)] }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if depth == 1, start == nil, bytes[index] == UInt8(ascii: "{"), key.elementsEqual(name.utf8) {
                    start = index
                }
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 1, let start { return start..<index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }
}

/// Reading members of Intel's statements.
struct StatementReader {
    let value: JSON
    let path: String

    func member(_ name: String) throws(AttestationError) -> JSON {
        guard let member = value[name] else { throw .malformed("\(path) has no \(name)") }
        return member
    }

    func text(_ name: String) throws(AttestationError) -> String {
        guard let text = try member(name).string else { throw .malformed("\(path): \(name) is no text") }
        return text
    }

    /// Hexadecimal of either case.
    func hex(_ name: String, count: Int) throws(AttestationError) -> [UInt8] {
        guard let bytes = Hex.decode(try text(name)), bytes.count == count else {
            throw .malformed("\(path): \(name) is not \(count) bytes in hexadecimal")
        }
        return bytes
    }

    func number<T: FixedWidthInteger>(_ name: String, as type: T.Type = T.self) throws(AttestationError) -> T {
        guard let number = try member(name).integer, let value = T(exactly: number) else {
            throw .malformed("\(path): \(name) is no number in range")
        }
        return value
    }

    func time(_ name: String) throws(AttestationError) -> UInt64 {
        guard let time = CivilTime.parse(try text(name)) else { throw .malformed("\(path): \(name) is no time") }
        return time
    }

    func validity() throws(AttestationError) -> ValidityPeriod {
        ValidityPeriod(from: try time("issueDate"), until: try time("nextUpdate"))
    }

    func list(_ name: String) throws(AttestationError) -> [StatementReader] {
        guard let list = try member(name).array else { throw .malformed("\(path): \(name) is no list") }
        return list.map { StatementReader(value: $0, path: "\(path).\(name)") }
    }

    func child(_ name: String) throws(AttestationError) -> StatementReader {
        StatementReader(value: try member(name), path: "\(path).\(name)")
    }

    func status() throws(AttestationError) -> TCBStatus {
        guard let status = TCBStatus(rawValue: try text("tcbStatus")), status.isOfLevel else {
            throw .malformed("\(path): an unknown status")
        }
        return status
    }

    func advisories() throws(AttestationError) -> [String] {
        guard value["advisoryIDs"] != nil else { return [] }
        var ids: [String] = []
        for each in try list("advisoryIDs") {
            guard let id = each.value.string else { throw .malformed("\(path): an advisory that is no text") }
            ids.append(id)
        }
        return ids
    }
}
