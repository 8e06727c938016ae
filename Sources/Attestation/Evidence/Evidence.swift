public import Primitives

/// The name that the constitution gives an actor, such as `bank-a`.
public typealias ActorID = String

/// What a platform says about a piece of code that runs on it: raw bytes, not verified.
public struct Evidence: Sendable, Hashable {
    /// The platform that it is from, as its sender says.
    public var platform: Platform
    /// The platform's bytes.
    public var bytes: [UInt8]

    /// Evidence over this size is refused.
    public static let byteCountMax = 1 << 16
    /// Version of the byte form.
    public static let version: UInt8 = 1

    /// Evidence of a platform.
    public init(platform: Platform, bytes: [UInt8]) {
        self.platform = platform
        self.bytes = bytes
    }

    /// `u8` version ‖ `u8` platform code ‖ `u32` length ‖ the platform's bytes.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(Self.version)
        writer.integer(platform.code)
        writer.blob(bytes)
    }

    /// The byte form.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: bytes.count + 8)
        encode(to: &writer)
        return writer.bytes
    }

    /// Reads the byte form out of a longer message.
    /// - Throws: `ByteReaderError`.
    public init(decoding reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        guard try reader.integer(UInt8.self) == Self.version else { throw .invalid(at: at) }
        guard let platform = Platform(code: try reader.integer()) else { throw .invalid(at: at + 1) }
        self.init(platform: platform, bytes: try reader.blob(limit: Self.byteCountMax))
    }

    /// Reads the byte form.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    public init(decoding bytes: [UInt8]) throws(AttestationError) {
        do {
            var reader = ByteReader(bytes)
            try self.init(decoding: &reader)
            try reader.finish()
        } catch { throw .malformed("no evidence: \(error)") }
    }
}

/// What evidence claims, parsed but not verified.
public struct EvidenceClaims: Sendable, Hashable {
    /// The platform.
    public let platform: Platform
    /// The code, as a code manifest lists it; ``Platform/measurementByteCount`` bytes. See ``CodeIdentity``.
    public let measurement: [UInt8]
    /// What the code wanted vouched for, 64 bytes.
    public let reportData: [UInt8]
    /// The key that vouches: for `software` the platform's public key, X9.63 uncompressed, 65 bytes; empty where
    /// certificates of the evidence lead to the maker's root instead.
    public let platformKey: [UInt8]
    /// Whether the host may look into the environment.
    public let isDebug: Bool
    /// Version of the platform's firmware in the platform's own form: `sev-snp` the reported TCB_VERSION (8 bytes),
    /// `sgx` the 16 component versions and the PCE's (18), `tdx` these and the TD's 16 (34); empty for `software`, which
    /// has none.
    public let tcb: [UInt8]
    /// Every claim by name, for people and for policies that ask for one.
    public internal(set) var fields: [ClaimField] = []
    /// When all certificates, lists and statements that were used are in date; nil where none was used.
    public internal(set) var validity: ValidityPeriod?
}

/// Evidence that was verified for an owner against a TEE manifest. Only ``Evidence/verify(at:manifest:owner:)`` makes
/// one, so that "verified" can't be forgotten. What the code is and what the report data mean is still to be judged.
public struct VerifiedEvidence: Sendable, Hashable {
    /// What it says.
    public let claims: EvidenceClaims
    /// For whom the TEE manifest accepts it.
    public let owner: ActorID
}
