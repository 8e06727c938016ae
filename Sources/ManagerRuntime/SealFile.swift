internal import Crypto
internal import FoundationEssentials
package import Host
internal import Primitives

/// The sealed state on disk: AES-256-GCM under a key that only this measurement on this platform gets, with a random
/// nonce each time. Version byte ‖ nonce ‖ ciphertext ‖ tag; the version is authenticated.
package struct SealFile: Sendable {
    package static let name = "sealed"
    private static let version: UInt8 = 1
    private let folder: Directory
    private let key: SymmetricKey

    package init(folder: Directory, key: [UInt8]) {
        self.folder = folder
        self.key = SymmetricKey(data: key)
    }

    /// Replaces the file, durably and at once.
    package func write(_ bytes: [UInt8]) throws {
        let box = try AES.GCM.seal(bytes, using: key, authenticating: [Self.version])
        guard let combined = box.combined else { throw HostError.corrupt("the seal has no combined form") }
        try folder.replace(Self.name, with: [Self.version] + combined)
    }

    /// What was sealed last; nil if nothing ever was.
    /// - Throws: if the file is damaged, or was sealed by another measurement or platform.
    package func read() throws -> [UInt8]? {
        guard try folder.size(Self.name) != nil else { return nil }
        let bytes = try folder.read(Self.name, limit: 64 << 20)
        guard bytes.first == Self.version else { throw HostError.corrupt("an unknown version of the sealed state") }
        do {
            let box = try AES.GCM.SealedBox(combined: bytes.dropFirst())
            return [UInt8](try AES.GCM.open(box, using: key, authenticating: [Self.version]))
        } catch {
            throw HostError.corrupt(
                "the sealed state does not open: the program or the platform is another, or the file is damaged")
        }
    }
}
