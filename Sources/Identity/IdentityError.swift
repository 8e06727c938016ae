/// What keys, certificates and signed messages refuse. Two errors are equal when they are of the same kind. No error
/// carries key material.
public struct IdentityError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: Hashable, Sendable {
        case malformedKey
        case malformedCertificate
        case untrusted
        case notValidNow
        case malformedMessage
        case badSignature
        case signing
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

    /// Bytes are no key of a curve that is accepted here.
    public static func malformedKey(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.malformedKey, reason, file, line)
    }

    /// Bytes are no X.509 certificate, or one of a kind that is not accepted.
    public static func malformedCertificate(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.malformedCertificate, reason, file, line)
    }

    /// A certificate does not lead to the one that is trusted.
    public static func untrusted(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.untrusted, reason, file, line)
    }

    /// A certificate is expired or not valid yet.
    public static func notValidNow(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.notValidNow, reason, file, line)
    }

    /// Bytes are no COSE message of the form expected.
    public static func malformedMessage(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.malformedMessage, reason, file, line)
    }

    /// A signature is not by the key, or not over the bytes, that were expected.
    public static func badSignature(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badSignature, reason, file, line)
    }

    /// The cryptographic library would not sign or encode.
    public static func signing(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.signing, reason, file, line)
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
        "identity: \(code): \(reason)"
    }
}
