/// Why bytes are not the JSON that is taken here. Names the place, never the content.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: String, Hashable, Sendable {
        case syntax = "invalid JSON"
        case encoding = "invalid UTF-8"
        case duplicate = "duplicate member name"
        case number = "number out of range"
        case tooLarge = "JSON text too large"
        case tooDeep = "JSON nested too deeply"
        case tooMany = "too many JSON values"
        case outOfMemory = "out of memory"
    }

    private let code: Code
    /// Byte at which it was noticed.
    public let offset: Int

    private init(_ code: Code, _ offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// What is wrong and where.
    public var description: String { "\(code.rawValue) at byte \(offset)" }

    /// Equal if of the same kind.
    public static func == (left: JSONError, right: JSONError) -> Bool { left.code == right.code }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The grammar is broken.
    public static func syntax(at offset: Int) -> JSONError { .init(.syntax, offset) }
    /// A string is not valid UTF-8.
    public static func encoding(at offset: Int) -> JSONError { .init(.encoding, offset) }
    /// An object has a name twice.
    public static func duplicate(at offset: Int) -> JSONError { .init(.duplicate, offset) }
    /// An integer is over 64 bits, or a real number over a double.
    public static func number(at offset: Int) -> JSONError { .init(.number, offset) }
    /// The text is longer than the limit.
    public static func tooLarge(limit: Int) -> JSONError { .init(.tooLarge, limit) }
    /// Arrays and objects are nested beyond the limit.
    public static func tooDeep(at offset: Int) -> JSONError { .init(.tooDeep, offset) }
    /// More values than the limit.
    public static func tooMany(at offset: Int) -> JSONError { .init(.tooMany, offset) }
    /// The parser could not get memory.
    public static func outOfMemory(at offset: Int) -> JSONError { .init(.outOfMemory, offset) }
}

/// What a JSON text may not exceed.
public struct JSONLimits: Hashable, Sendable {
    /// Bytes of the text.
    public var bytesMax: Int
    /// Arrays and objects within one another.
    public var depthMax: Int
    /// Values in all, names of members counted too.
    public var valuesMax: Int

    /// Limits; the defaults suit a request from a client.
    public init(bytesMax: Int = 16 << 20, depthMax: Int = 64, valuesMax: Int = 1 << 20) {
        self.bytesMax = bytesMax
        self.depthMax = depthMax
        self.valuesMax = valuesMax
    }
}
