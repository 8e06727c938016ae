/// The bytes of the `software` platform's evidence: the one place that knows their layout. The launcher writes them,
/// `Attestation` reads and verifies them.
///
/// `u8` version 1 ‖ measurement (32) ‖ report data (64) ‖ platform public key, X9.63 uncompressed (65) ‖ ECDSA P-256
/// signature r ‖ s (64) over SHA-256 of all before it.
public struct SoftwareEvidenceForm: Sendable, Hashable {
    /// Version of the form.
    public static let version: UInt8 = 1
    /// Bytes of a measurement.
    public static let measurementByteCount = 32
    /// Bytes of report data.
    public static let reportDataByteCount = 64
    /// Bytes of a platform's public key.
    public static let platformKeyByteCount = 65
    /// Bytes of a signature.
    public static let signatureByteCount = 64
    /// Bytes of the form.
    public static let byteCount =
        1 + measurementByteCount + reportDataByteCount + platformKeyByteCount + signatureByteCount

    /// Measurement of the process.
    public let measurement: [UInt8]
    /// What the process wanted vouched for.
    public let reportData: [UInt8]
    /// The platform's public key.
    public let platformKey: [UInt8]
    /// r ‖ s.
    public let signature: [UInt8]

    /// What the platform signs; nil if a field has another length.
    public static func signedBytes(measurement: [UInt8], reportData: [UInt8], platformKey: [UInt8]) -> [UInt8]? {
        guard measurement.count == measurementByteCount, reportData.count == reportDataByteCount,
            platformKey.count == platformKeyByteCount
        else { return nil }
        return [version] + measurement + reportData + platformKey
    }

    /// Reads the form: the version, the lengths and nothing behind. The signature is not looked at.
    /// - Throws: ``ByteReaderError``.
    public init(decoding bytes: [UInt8]) throws(ByteReaderError) {
        var reader = ByteReader(bytes)
        guard try reader.integer(UInt8.self) == Self.version else { throw .invalid(at: 0) }
        measurement = try reader.raw(Self.measurementByteCount)
        reportData = try reader.raw(Self.reportDataByteCount)
        platformKey = try reader.raw(Self.platformKeyByteCount)
        signature = try reader.raw(Self.signatureByteCount)
        try reader.finish()
    }

    /// What the platform signed.
    public var signedBytes: [UInt8] { [Self.version] + measurement + reportData + platformKey }

    /// The form.
    public var bytes: [UInt8] { signedBytes + signature }
}
