/// Why evidence is not accepted. Two errors are equal when they are of the same kind; the text is for people.
public struct AttestationError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Code: Hashable, Sendable {
        case malformed
        case unsupportedPlatform
        case platformNotAllowed
        case platformKeyNotListed
        case badSignature
        case debug
        case tcbTooOld
        case measurementNotListed
        case reportDataMismatch
        case signing
    }

    let code: Code
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

    /// Bytes are not what they should be.
    public static func malformed(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.malformed, reason, file, line)
    }

    /// This build can't verify evidence of the platform.
    public static func unsupportedPlatform(_ platform: Platform, file: String = #fileID, line: Int = #line) -> Self {
        Self(.unsupportedPlatform, "\(platform) is not supported by this build's TEE manifest", file, line)
    }

    /// The network's TEE manifest does not allow the platform.
    public static func platformNotAllowed(_ platform: Platform, file: String = #fileID, line: Int = #line) -> Self {
        Self(.platformNotAllowed, "the TEE manifest does not allow \(platform)", file, line)
    }

    /// The platform key is not listed for the owner.
    public static func platformKeyNotListed(owner: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.platformKeyNotListed, "the TEE manifest does not list this platform key for \(owner)", file, line)
    }

    /// A signature is not by the key, or not over the bytes, that were expected.
    public static func badSignature(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badSignature, reason, file, line)
    }

    /// The environment may be looked into by its host.
    public static func debug(file: String = #fileID, line: Int = #line) -> Self {
        Self(.debug, "the environment is in debug mode", file, line)
    }

    /// The platform's firmware is older than the TEE manifest wants.
    public static func tcbTooOld(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.tcbTooOld, reason, file, line)
    }

    /// The code manifest does not list what runs.
    public static func measurementNotListed(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.measurementNotListed, reason, file, line)
    }

    /// The evidence is for another key, network, channel or challenge.
    public static func reportDataMismatch(file: String = #fileID, line: Int = #line) -> Self {
        Self(.reportDataMismatch, "the evidence was made for another key, network, channel or challenge", file, line)
    }

    /// The cryptographic library would not sign.
    public static func signing(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.signing, reason, file, line)
    }

    /// Errors of the same kind are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The kind and the reason.
    public var description: String { "attestation: \(code): \(reason)" }
}
