internal import Crypto
internal import Primitives

/// The `software` platform's device: a P-256 key and a secret in a file of the host. It proves nothing against whoever
/// holds that file.
///
/// Its evidence is a `SoftwareEvidenceForm` of `Primitives`, verified in `Attestation`.
public struct SoftwarePlatform: Sendable {
    private let key: P256.Signing.PrivateKey
    private let secret: [UInt8]

    /// Version of the file.
    private static let fileVersion: UInt8 = 1

    /// A new platform from fresh randomness.
    public init() {
        key = P256.Signing.PrivateKey()
        secret = HostRandom.bytes(32)
    }

    /// A platform from the content of its file.
    private init(file bytes: [UInt8]) throws(HostError) {
        guard bytes.count == 65, bytes[0] == Self.fileVersion else {
            throw .corrupt("the platform key file has an unknown form")
        }
        do {
            key = try P256.Signing.PrivateKey(rawRepresentation: bytes[1..<33])
        } catch {
            throw .corrupt("the platform key file holds no P-256 key")
        }
        secret = Array(bytes[33...])
    }

    /// The platform kept in the file `name` of `directory`; made, readable by its owner only, when there is none.
    /// - Throws: ``HostError``.
    public init(directory: Directory, name: String = "platform.key") throws(HostError) {
        do throws(HostError) {
            self = try Self(file: directory.read(name, limit: 4096))
        } catch {
            guard error.isNotFound else { throw error }
            let new = Self()
            try directory.replace(name, with: [Self.fileVersion] + Array(new.key.rawRepresentation) + new.secret)
            self = new
        }
    }

    /// The platform's public key, X9.63 uncompressed, 65 bytes: what a TEE manifest lists.
    public var publicKey: [UInt8] { Array(key.publicKey.x963Representation) }

    /// Evidence for a process of this measurement, 226 bytes.
    /// - Parameters:
    ///   - measurement: 32 bytes.
    ///   - reportData: 64 bytes.
    /// - Throws: ``HostError`` for other lengths.
    public func evidence(measurement: [UInt8], reportData: [UInt8]) throws(HostError) -> [UInt8] {
        guard
            let signed = SoftwareEvidenceForm.signedBytes(
                measurement: measurement, reportData: reportData, platformKey: publicKey)
        else { throw .platform("a measurement has 32 bytes, report data have 64") }
        do {
            return signed + Array(try key.signature(for: SHA256.hash(data: signed)).rawRepresentation)
        } catch {
            throw .platform("the platform key could not sign")
        }
    }

    /// A key that only a process of this measurement on this platform gets: HKDF-SHA256 of the platform secret with the
    /// measurement as salt and "entente sealing key v1" ‖ 0 ‖ label as info. 32 bytes.
    public func sealingKey(measurement: [UInt8], label: String) -> [UInt8] {
        let info = Array("entente sealing key v1".utf8) + [0] + Array(label.utf8)
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), salt: measurement, info: info, outputByteCount: 32)
        return key.withUnsafeBytes { Array($0) }
    }
}
