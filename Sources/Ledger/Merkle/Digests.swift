internal import Crypto
package import Primitives

/// SHA-256 with results held inline.
package enum Digests {
    /// SHA-256 of `bytes`.
    package static func sha256(_ bytes: [UInt8]) -> Bytes32 {
        Bytes32(digest: SHA256.hash(data: bytes))
    }

    /// SHA-256 of a text's UTF-8.
    package static func sha256(_ text: String) -> Bytes32 {
        sha256(Array(text.utf8))
    }

    /// SHA-256 of a part of `bytes`.
    package static func sha256(_ bytes: [UInt8], in range: Range<Int>) -> Bytes32 {
        bytes.withUnsafeBytes { sha256(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// SHA-256 of a buffer.
    package static func sha256(_ buffer: UnsafeRawBufferPointer) -> Bytes32 {
        var hash = SHA256()
        hash.update(bufferPointer: buffer)
        return Bytes32(digest: hash.finalize())
    }

    /// SHA-256(left ‖ right): an inner node of a Merkle tree.
    package static func pair(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
        withUnsafeBytes(of: (left, right)) { sha256($0) }
    }

    /// SHA-256(first ‖ second ‖ third).
    package static func triple(_ first: Bytes32, _ second: Bytes32, _ third: Bytes32) -> Bytes32 {
        withUnsafeBytes(of: (first, second, third)) { sha256($0) }
    }
}

extension Bytes32 {
    init(digest: SHA256Digest) {
        self = digest.withUnsafeBytes { $0.baseAddress.map { Bytes32(loading: $0) } ?? .zero }
    }
}
