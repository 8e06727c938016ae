/// Why something is no constitution. Two errors are equal when they are of the same kind and about the same place; the
/// reason is for people.
public struct ConstitutionError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Code: Hashable, Sendable {
        case malformed
        case missing
        case duplicate
        case unknown
        case outOfRange
        case badSignature
        case unsafe
        case unsupported
    }

    let code: Code
    /// Where, such as `members[1].id`.
    public let path: String
    /// What was found, in words.
    public let reason: String

    private init(_ code: Code, _ path: String, _ reason: String) {
        self.code = code
        self.path = path
        self.reason = reason
    }

    /// Something does not have the form that it must have.
    public static func malformed(_ path: String, _ reason: String) -> Self { Self(.malformed, path, reason) }
    /// Something must be there and is not.
    public static func missing(_ path: String, _ reason: String) -> Self { Self(.missing, path, reason) }
    /// Something is there twice.
    public static func duplicate(_ path: String, _ reason: String) -> Self { Self(.duplicate, path, reason) }
    /// Something names what is not there.
    public static func unknown(_ path: String, _ reason: String) -> Self { Self(.unknown, path, reason) }
    /// A number or size is out of its bounds.
    public static func outOfRange(_ path: String, _ reason: String) -> Self { Self(.outOfRange, path, reason) }
    /// A node's tuple is not signed by its owner.
    public static func badSignature(_ path: String, _ reason: String) -> Self { Self(.badSignature, path, reason) }
    /// A network with this would not be safe or could never decide.
    public static func unsafe(_ path: String, _ reason: String) -> Self { Self(.unsafe, path, reason) }
    /// This build can't do it.
    public static func unsupported(_ path: String, _ reason: String) -> Self { Self(.unsupported, path, reason) }

    /// Errors of the same kind about the same place are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code && left.path == right.path }

    /// Hashes kind and place.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(path)
    }

    /// Place and reason.
    public var description: String { "\(path): \(reason)" }
}
