package import Primitives

/// Reads the typed fields of a JSON object, keeping track of where it is for the error.
package struct CaseFields: Sendable {
    package let object: JSONObject
    package let path: String

    package init(_ json: JSON, _ path: String) throws(CaseFileError) {
        guard let object = json.object else { throw CaseFileError(path, "not an object") }
        self.object = object
        self.path = path
    }

    package func error(_ name: String, _ problem: String) -> CaseFileError {
        CaseFileError(path.isEmpty ? name : "\(path).\(name)", problem)
    }

    package func has(_ name: String) -> Bool { object[name] != nil }

    package func json(_ name: String) throws(CaseFileError) -> JSON {
        guard let value = object[name] else { throw error(name, "missing") }
        return value
    }

    package func fields(_ name: String) throws(CaseFileError) -> CaseFields {
        try CaseFields(json(name), path.isEmpty ? name : "\(path).\(name)")
    }

    package func array(_ name: String) throws(CaseFileError) -> [JSON] {
        guard let array = try json(name).array else { throw error(name, "not an array") }
        return array
    }

    /// The objects of an array.
    package func list(_ name: String) throws(CaseFileError) -> [CaseFields] {
        var list: [CaseFields] = []
        let prefix = path.isEmpty ? name : "\(path).\(name)"
        for (index, element) in try array(name).enumerated() {
            list.append(try CaseFields(element, "\(prefix)[\(index)]"))
        }
        return list
    }

    package func string(_ name: String) throws(CaseFileError) -> String {
        guard let string = try json(name).string else { throw error(name, "not a string") }
        return string
    }

    package func bytes(_ name: String) throws(CaseFileError) -> [UInt8] {
        guard let bytes = CaseFields.bytes(try string(name)) else { throw error(name, "not hex bytes") }
        return bytes
    }

    package func hash(_ name: String) throws(CaseFileError) -> Bytes32 {
        guard let hash = Bytes32(try bytes(name)) else { throw error(name, "not 32 bytes") }
        return hash
    }

    package func address(_ name: String) throws(CaseFileError) -> Address {
        guard let address = Address(try bytes(name)) else { throw error(name, "not 20 bytes") }
        return address
    }

    package func quantity(_ name: String) throws(CaseFileError) -> UInt256 {
        guard let value = CaseFields.quantity(try string(name)) else { throw error(name, "not a 256-bit hex number") }
        return value
    }

    package func integer(_ name: String) throws(CaseFileError) -> UInt64 {
        guard let value = try quantity(name).asUInt64 else { throw error(name, "over 64 bits") }
        return value
    }

    package func hashes(_ name: String) throws(CaseFileError) -> [Bytes32] {
        var hashes: [Bytes32] = []
        for element in try array(name) {
            guard let text = element.string, let bytes = CaseFields.bytes(text), let hash = Bytes32(bytes) else {
                throw error(name, "not a list of 32-byte hashes")
            }
            hashes.append(hash)
        }
        return hashes
    }

    /// Bytes of a hex string with 0x.
    package static func bytes(_ text: String) -> [UInt8]? {
        text.hasPrefix("0x") ? Hex.decode(text) : nil
    }

    /// A number in hex with 0x; leading zeros are taken, as the files have them, and 0x is zero.
    package static func quantity(_ text: String) -> UInt256? {
        guard text.hasPrefix("0x") else { return nil }
        var digits = text.utf8.dropFirst(2).drop { $0 == UInt8(ascii: "0") }
        guard digits.count <= 64 else { return nil }
        var value = UInt256.zero
        while let digit = digits.popFirst() {
            let nibble: UInt64
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = UInt64(digit - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = UInt64(digit - UInt8(ascii: "A")) + 10
            default: return nil
            }
            value = value << 4 | UInt256(nibble)
        }
        return value
    }
}
