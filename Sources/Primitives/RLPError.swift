/// Why bytes are not canonical RLP, or not of the shape asked for. Errors are equal when their codes are.
public struct RLPError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: String {
        case truncated, trailing, nonCanonical, tooDeep, tooMany, notBytes, notList, wrongSize, leadingZero
    }

    private let code: Code
    /// Place in the input, in bytes.
    public let offset: Int

    /// The input ends before the item does.
    public static func truncated(at offset: Int) -> RLPError { RLPError(code: .truncated, offset: offset) }
    /// Bytes follow the item.
    public static func trailing(at offset: Int) -> RLPError { RLPError(code: .trailing, offset: offset) }
    /// A length or a single byte is not written in its shortest form.
    public static func nonCanonical(at offset: Int) -> RLPError { RLPError(code: .nonCanonical, offset: offset) }
    /// Lists are nested deeper than the limit.
    public static func tooDeep(at offset: Int) -> RLPError { RLPError(code: .tooDeep, offset: offset) }
    /// There are more items than the limit.
    public static func tooMany(at offset: Int) -> RLPError { RLPError(code: .tooMany, offset: offset) }
    /// A byte string is needed, a list found.
    public static func notBytes(at offset: Int) -> RLPError { RLPError(code: .notBytes, offset: offset) }
    /// A list is needed, a byte string found.
    public static func notList(at offset: Int) -> RLPError { RLPError(code: .notList, offset: offset) }
    /// The byte string or list has another number of elements than the type asked for.
    public static func wrongSize(at offset: Int) -> RLPError { RLPError(code: .wrongSize, offset: offset) }
    /// An integer is written with leading zeros.
    public static func leadingZero(at offset: Int) -> RLPError { RLPError(code: .leadingZero, offset: offset) }

    /// Equality by code.
    public static func == (a: RLPError, b: RLPError) -> Bool { a.code == b.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The code and the place.
    public var description: String { "RLP: \(code.rawValue) at byte \(offset)" }
}
