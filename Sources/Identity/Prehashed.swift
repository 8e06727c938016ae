internal import Crypto

/// A digest that came from elsewhere, so that a Merkle root can be signed as it is.
struct Prehashed: Digest {
    static let byteCount = 32

    let bytes: [UInt8]

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try bytes.withUnsafeBytes(body)
    }

    var description: String { "digest of \(bytes.count) bytes" }
}
