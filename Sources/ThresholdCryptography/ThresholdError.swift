/// What the threshold scheme refuses. Two errors are equal when they are of the same kind; text and place are for
/// people. No error carries a secret, nor bytes that came from one.
public struct ThresholdError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: Hashable, Sendable {
        case malformed
        case badPoint
        case badScalar
        case badProof
        case badShare
        case stale
        case refused
        case tooFew
        case decryption
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

    /// Bytes or parameters don't follow the layout or its limits.
    public static func malformed(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.malformed, reason, file, line)
    }

    /// Bytes are no group element in its one encoding, or are the identity.
    public static func badPoint(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badPoint, reason, file, line)
    }

    /// Bytes are no scalar in its one encoding, or are zero where that is forbidden.
    public static func badScalar(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badScalar, reason, file, line)
    }

    /// A proof does not hold.
    public static func badProof(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badProof, reason, file, line)
    }

    /// A secret does not belong to the public value that commits to it.
    public static func badShare(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badShare, reason, file, line)
    }

    /// Something is of another network, key generation, roster, epoch or ciphertext.
    public static func stale(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.stale, reason, file, line)
    }

    /// A rule forbids it.
    public static func refused(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.refused, reason, file, line)
    }

    /// Fewer shares or dealers than the threshold.
    public static func tooFew(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.tooFew, reason, file, line)
    }

    /// A sealed value does not open.
    public static func decryption(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.decryption, reason, file, line)
    }

    /// Equality by kind.
    public static func == (a: Self, b: Self) -> Bool { a.code == b.code }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// Kind, reason and place.
    public var description: String { "\(code): \(reason) (\(file):\(line))" }
}
