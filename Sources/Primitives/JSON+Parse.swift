internal import CJansson

extension JSON {
    /// Parses one JSON value by jansson. Duplicate names, invalid UTF-8 and anything after the value are refused.
    ///
    /// Depth and number of values are held against the limits in one pass before the parser allocates anything.
    /// - Throws: ``JSONError``.
    public init(parsing bytes: [UInt8], limits: JSONLimits = .init()) throws(JSONError) {
        guard bytes.count <= limits.bytesMax else { throw .tooLarge(limit: limits.bytesMax) }
        try JSON.checkShape(bytes, limits)
        var failure = json_error_t()
        let flags = size_t(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)
        let root = bytes.withUnsafeBytes {
            json_loadb($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, flags, &failure)
        }
        guard let root else { throw JSON.error(&failure) }
        defer { json_decref(root) }
        self = JSON(root)
    }

    /// Seeds the parser's hash tables, so that it need not open the system's random device later, which a sandbox may
    /// forbid. Only the first call in a process counts. The seed never shows in a result.
    public static func seedParser(_ seed: UInt32) {
        json_object_seed(Int(seed == 0 ? 1 : seed))
    }

    /// Converts what jansson built; its depth was bounded before.
    private init(_ node: UnsafeMutablePointer<json_t>) {
        switch node.pointee.type {
        case JSON_OBJECT:
            var members: [JSONObject.Member] = []
            members.reserveCapacity(json_object_size(node))
            var iterator = json_object_iter(node)
            while let place = iterator {
                if let value = json_object_iter_value(place) {
                    let name = JSON.text(json_object_iter_key(place), json_object_iter_key_len(place))
                    members.append(.init(name: name, value: JSON(value)))
                }
                iterator = json_object_iter_next(node, place)
            }
            self = .object(.init(members))
        case JSON_ARRAY:
            let count = json_array_size(node)
            var elements: [JSON] = []
            elements.reserveCapacity(count)
            for index in 0..<count {
                if let value = json_array_get(node, index) { elements.append(JSON(value)) }
            }
            self = .array(elements)
        case JSON_STRING: self = .string(JSON.text(json_string_value(node), json_string_length(node)))
        case JSON_INTEGER: self = .integer(Int64(json_integer_value(node)))
        case JSON_REAL: self = .double(json_real_value(node))
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        default: self = .null
        }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        guard let start, count > 0 else { return "" }
        return start.withMemoryRebound(to: UInt8.self, capacity: count) {
            String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
        }
    }

    /// Bounds nesting and the number of values from outside of strings; jansson checks the grammar afterwards.
    private static func checkShape(_ bytes: [UInt8], _ limits: JSONLimits) throws(JSONError) {
        var depth = 0
        var values = 1
        var inString = false
        var index = 0
        let count = bytes.count
        let failure: JSONError? = bytes.withUnsafeBufferPointer { text in
            while index < count {
                let byte = text[index]
                if inString {
                    if byte == UInt8(ascii: "\\") {
                        index += 1
                    } else if byte == UInt8(ascii: "\"") {
                        inString = false
                    }
                } else {
                    switch byte {
                    case UInt8(ascii: "\""): inString = true
                    case UInt8(ascii: "{"), UInt8(ascii: "["):
                        depth += 1
                        values += 1
                        if depth > limits.depthMax { return .tooDeep(at: index) }
                    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                    case UInt8(ascii: ","), UInt8(ascii: ":"):
                        values += 1
                        if values > limits.valuesMax { return .tooMany(at: index) }
                    default: break
                    }
                }
                index += 1
            }
            return nil
        }
        if let failure { throw failure }
    }

    private static func error(_ failure: inout json_error_t) -> JSONError {
        let offset = max(0, Int(failure.position))
        switch json_error_code(&failure) {
        case json_error_out_of_memory: return .outOfMemory(at: offset)
        case json_error_invalid_utf8: return .encoding(at: offset)
        case json_error_duplicate_key: return .duplicate(at: offset)
        case json_error_numeric_overflow: return .number(at: offset)
        case json_error_stack_overflow: return .tooDeep(at: offset)
        default: return .syntax(at: offset)
        }
    }
}
