/// What the ledger's codecs, files, verifiers and ciphers refuse. Two errors are equal when they are of the same kind;
/// text and place are for people. No error carries a key, a plaintext or an entry's bytes.
public struct LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: Hashable, Sendable {
        case malformed
        case tooLarge
        case corrupt
        case untrusted
        case badSignature
        case badReceipt
        case decryption
        case outOfRange
        case storage
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

    /// A size or count is over its limit.
    public static func tooLarge(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.tooLarge, reason, file, line)
    }

    /// A ledger on disk is damaged where a torn last write can't explain it.
    public static func corrupt(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.corrupt, reason, file, line)
    }

    /// A signer was not entitled to sign.
    public static func untrusted(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.untrusted, reason, file, line)
    }

    /// A signature or a signed root is wrong.
    public static func badSignature(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badSignature, reason, file, line)
    }

    /// A receipt does not prove what it says.
    public static func badReceipt(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.badReceipt, reason, file, line)
    }

    /// A private domain can't be opened with the keys at hand.
    public static func decryption(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.decryption, reason, file, line)
    }

    /// A sequence number that the ledger does not have, or that does not follow.
    public static func outOfRange(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.outOfRange, reason, file, line)
    }

    /// The storage below failed.
    public static func storage(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.storage, reason, file, line)
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
        "ledger: \(code): \(reason)"
    }
}
