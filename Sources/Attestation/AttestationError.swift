/// Why evidence is not accepted. Two errors are equal when they are of the same kind; the text is for people.
public struct AttestationError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Code: Hashable, Sendable {
        case malformed
        case platformNotAllowed
        case platformKeyNotListed
        case badSignature
        case debug
        case tcbTooOld
        case measurementNotListed
        case reportDataMismatch
        case signing
        case untrusted
        case notInDate
        case revoked
        case collateralMissing
        case configuration
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

    /// Certificates don't lead to a root that is trusted, or are not for this platform.
    public static func untrusted(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.untrusted, reason, file, line)
    }

    /// A certificate, revocation list or statement of the maker is not valid at the time of verification.
    public static func notInDate(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.notInDate, reason, file, line)
    }

    /// The maker took back a key or a version of the platform.
    public static func revoked(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.revoked, reason, file, line)
    }

    /// What the maker says of the platform is not in the cache.
    public static func collateralMissing(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.collateralMissing, reason, file, line)
    }

    /// The environment was launched in a way that is not accepted: migration, privilege level, attributes, launch fields.
    public static func configuration(_ reason: String, file: String = #fileID, line: Int = #line) -> Self {
        Self(.configuration, reason, file, line)
    }

    /// A failed check as an error of the fitting kind.
    init(_ check: EvidenceCheck, file: String = #fileID, line: Int = #line) {
        let code: Code =
            switch check.kind {
            case .format: .malformed
            case .vekChain, .vekKind, .vekTCB, .vekChip, .product, .rootNotTrusted, .pckChain, .pckRevocationList,
                .rootRevocationList, .tcbInfoChain, .tcbInfoMismatch, .qeIdentityMismatch, .tdxModuleMismatch,
                .endorsementChain:
                .untrusted
            case .signingKey, .reportSignature, .qeReportSignature, .qeReportData, .quoteSignature, .tcbInfoSignature,
                .qeIdentitySignature, .softwareSignature, .endorsementSignature:
                .badSignature
            case .certificateExpired, .revocationListExpired, .tcbInfoExpired, .qeIdentityExpired: .notInDate
            case .vekRevoked, .pckRevoked, .tcbRevoked: .revoked
            case .tcbNotSupported, .policyTCB: .tcbTooOld
            case .collateral: .collateralMissing
            case .policyDebug: .debug
            case .policyMigration, .policyConfiguration, .policyClaims: .configuration
            case .policyMeasurement: .measurementNotListed
            case .policyReportData: .reportDataMismatch
            case .softwareKey: .platformKeyNotListed
            }
        self.init(code, "\(check.kind.rawValue): \(check.detail)", file, line)
    }

    /// Errors of the same kind are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The kind and the reason.
    public var description: String { "attestation: \(code): \(reason)" }
}
