internal import Primitives

/// What a hash of the scheme takes in: named by its purpose, each field behind its length, so that no two different
/// lists of fields hash alike. Hashing is RFC 9380's `expand_message_xmd` with the tag `entente/v1/threshold/PURPOSE`;
/// scalars and elements come from 64 bytes of it, as in RFC 9497, 4.1.
struct Transcript {
    private let expander: MessageExpander
    private var parts: [MessageExpander.Part] = []

    init(_ purpose: String) {
        expander = MessageExpander(domain: Array("entente/v1/threshold/\(purpose)".utf8))
    }

    mutating func append(_ bytes: [UInt8]) {
        append(count: bytes.count)
        parts.append(.open(bytes))
    }

    mutating func append(_ text: String) { append(Array(text.utf8)) }

    mutating func append(_ number: UInt64) {
        append(withUnsafeBytes(of: number.littleEndian) { Array($0) })
    }

    mutating func append(_ element: RistrettoElement) { append(element.encoding.bytes) }

    mutating func append(_ index: ShareIndex) { append(UInt64(index.value)) }

    mutating func append(_ secret: SecretBytes) {
        append(count: secret.count)
        parts.append(.secret(secret))
    }

    /// An element that is a secret, such as a Diffie-Hellman result.
    mutating func append(secret element: RistrettoElement) {
        append(SecretBytes(count: 32) { memory in element.encoding.withUnsafeBytes { memory.copyMemory(from: $0) } })
    }

    private mutating func append(count: Int) {
        parts.append(.open(withUnsafeBytes(of: UInt32(count).littleEndian) { Array($0) }))
    }

    func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { expander.expand(parts, into: $0) }
        return bytes
    }

    func digest() -> Bytes32 {
        var digest = Bytes32.zero
        withUnsafeMutableBytes(of: &digest) { expander.expand(parts, into: $0) }
        return digest
    }

    func secretBytes(_ count: Int) -> SecretBytes {
        SecretBytes(count: count) { expander.expand(parts, into: $0) }
    }

    func scalar() -> RistrettoScalar { bytes(64).withUnsafeBytes { RistrettoScalar(reducing: $0) } }

    func element() -> RistrettoElement { bytes(64).withUnsafeBytes { RistrettoElement(mapping: $0) } }

    func secretScalar() -> SecretScalar { SecretScalar(reducing: secretBytes(64)) }
}
