public import Identity
internal import Primitives

/// Evidence of the `software` platform: a platform key, which the TEE manifest lists for one owner, vouches that a
/// process with this measurement asked for these report data. `SoftwareEvidenceForm` has the bytes.
public struct SoftwareEvidence: Sendable, Hashable {
    /// Length of the byte form.
    public static let byteCount = SoftwareEvidenceForm.byteCount

    private let form: SoftwareEvidenceForm

    /// Measurement of the process, 32 bytes.
    public var measurement: [UInt8] { form.measurement }
    /// What the process wanted vouched for, 64 bytes.
    public var reportData: [UInt8] { form.reportData }
    /// The platform's public key, X9.63 uncompressed, 65 bytes.
    public var platformKey: [UInt8] { form.platformKey }
    /// r ‖ s, 64 bytes.
    public var signature: [UInt8] { form.signature }

    /// Has the platform vouch for a process of this measurement.
    /// - Parameters:
    ///   - measurement: 32 bytes.
    ///   - reportData: 64 bytes.
    ///   - platformKey: the platform's P-256 key.
    /// - Throws: ``AttestationError/malformed(_:file:line:)`` for other lengths or another curve,
    ///   ``AttestationError/signing(_:file:line:)``.
    public static func sign(
        measurement: [UInt8], reportData: [UInt8], platformKey: SigningKey
    ) throws(AttestationError) -> SoftwareEvidence {
        let publicKey = try PlatformKey.x963(platformKey.publicKey)
        guard
            let message = SoftwareEvidenceForm.signedBytes(
                measurement: measurement, reportData: reportData, platformKey: publicKey)
        else { throw .malformed("a measurement has 32 bytes, report data have 64") }
        let signature: [UInt8]
        do { signature = try platformKey.rawSignature(message: message) } catch {
            throw .signing("the platform key could not sign")
        }
        return try SoftwareEvidence(decoding: message + signature)
    }

    /// Reads the byte form. The signature is not looked at.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    public init(decoding bytes: [UInt8]) throws(AttestationError) {
        do { form = try SoftwareEvidenceForm(decoding: bytes) } catch {
            throw .malformed("software evidence of \(bytes.count) bytes, version \(bytes.first ?? 0): \(error)")
        }
    }

    /// The byte form.
    public var bytes: [UInt8] { form.bytes }

    /// The evidence with its platform's name.
    public var evidence: Evidence { Evidence(platform: .software, bytes: bytes) }

    var claims: EvidenceClaims {
        EvidenceClaims(
            platform: .software, measurement: measurement, reportData: reportData, platformKey: platformKey,
            isDebug: false, tcb: [])
    }

    /// Checks the signature under the key that the evidence names.
    func verifySignature() throws(AttestationError) {
        let key = try PlatformKey.publicKey(x963: platformKey)
        guard key.verifies(rawSignature: signature, message: form.signedBytes) else {
            throw .badSignature("the platform key did not sign this evidence")
        }
    }
}

/// Keys of `software` platforms, P-256 points in X9.63 uncompressed form: `04` ‖ x ‖ y.
public enum PlatformKey {
    /// Length of the form.
    public static let byteCount = SoftwareEvidenceForm.platformKeyByteCount

    /// SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480): algorithm id-ecPublicKey with secp256r1, and a
    /// bit string of 66 bytes.
    private static let spkiPrefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce,
        0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ]

    /// The key of a point.
    /// - Throws: ``AttestationError/malformed(_:file:line:)`` unless the bytes are a point of P-256.
    public static func publicKey(x963 bytes: [UInt8]) throws(AttestationError) -> PublicKey {
        guard bytes.count == byteCount, let key = try? PublicKey(spki: spkiPrefix + bytes) else {
            throw .malformed("a platform key is no point of P-256")
        }
        return key
    }

    /// The point of a key.
    /// - Throws: ``AttestationError/malformed(_:file:line:)`` for another curve.
    public static func x963(_ key: PublicKey) throws(AttestationError) -> [UInt8] {
        guard key.spki.count == spkiPrefix.count + byteCount, key.spki.starts(with: spkiPrefix) else {
            throw .malformed("a platform key is on P-256")
        }
        return Array(key.spki.dropFirst(spkiPrefix.count))
    }
}
