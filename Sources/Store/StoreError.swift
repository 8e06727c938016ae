/// What the store and its codecs refuse. Two errors are equal when they are of the same kind; the text and the place are
/// for people. No error carries a key or a value.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: Hashable, Sendable {
        case malformed
        case tooLarge
        case outOfOrder
        case unknownVersion
    }

    private let code: Code
    /// What was found, in words.
    public let reason: String
    /// Source file that raised the error.
    public let file: String
    /// Line in that file.
    public let line: Int

    private init(_ code: Code, _ reason: String, _ file: String, _ line: Int) {
        self.code = code
        self.reason = reason
        self.file = file
        self.line = line
    }

    /// Bytes don't follow the layout.
    public static func malformed(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.malformed, reason, file, line)
    }

    /// A length or count is over its limit.
    public static func tooLarge(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.tooLarge, reason, file, line)
    }

    /// A write set came at a sequence number that the store has already passed.
    public static func outOfOrder(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.outOfOrder, reason, file, line)
    }

    /// A version that the store no longer keeps, or does not have yet.
    public static func unknownVersion(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.unknownVersion, reason, file, line)
    }

    /// Errors of the same kind are equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.code == right.code
    }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
    }

    /// The kind and the reason.
    public var description: String {
        "store: \(code): \(reason)"
    }
}
