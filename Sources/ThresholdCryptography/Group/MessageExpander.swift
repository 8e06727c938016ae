internal import CSodium

/// `expand_message_xmd` of RFC 9380, 5.3.1, with SHA-512. Parts of the message may be secret: they are hashed where they
/// lie, and what is derived from them goes to memory that the caller zeroes.
package struct MessageExpander {
    package enum Part {
        case open([UInt8])
        case secret(SecretBytes)
    }

    private static let hashCount = 64
    private static let blockCount = 128
    private let suffix: [UInt8]

    /// `domain` is the domain separation tag, 1 to 255 bytes.
    package init(domain: [UInt8]) {
        precondition((1...255).contains(domain.count), "a domain separation tag of \(domain.count) bytes")
        suffix = domain + [UInt8(domain.count)]
    }

    package func expand(_ message: [Part], into output: UnsafeMutableRawBufferPointer) {
        precondition((1...255 * Self.hashCount).contains(output.count), "\(output.count) bytes to expand to")
        var first = [UInt8](repeating: 0, count: Self.hashCount)
        var block = [UInt8](repeating: 0, count: Self.hashCount)
        defer {
            erase(&first)
            erase(&block)
        }
        let length = [UInt8(output.count >> 8), UInt8(output.count & 255), 0]
        Self.hash(
            [.open([UInt8](repeating: 0, count: Self.blockCount))] + message + [.open(length), .open(suffix)],
            into: &first)
        var written = 0
        var number: UInt8 = 0
        while written < output.count {
            number += 1
            for place in 0..<Self.hashCount { block[place] ^= first[place] }
            Self.hash(&block, [number] + suffix)
            let count = min(Self.hashCount, output.count - written)
            block.withUnsafeBytes { block in
                UnsafeMutableRawBufferPointer(rebasing: output[written..<written + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[..<count]))
            }
            written += count
        }
    }

    static func hash(_ parts: [Part], into digest: inout [UInt8]) {
        var state = crypto_hash_sha512_state()
        crypto_hash_sha512_init(&state)
        for part in parts {
            switch part {
            case .open(let bytes): bytes.withUnsafeBytes { update(&state, $0) }
            case .secret(let secret): secret.withUnsafeBytes { update(&state, $0) }
            }
        }
        // Zeroes the state too.
        crypto_hash_sha512_final(&state, &digest)
    }

    private static func hash(_ block: inout [UInt8], _ rest: [UInt8]) {
        var state = crypto_hash_sha512_state()
        crypto_hash_sha512_init(&state)
        block.withUnsafeBytes { update(&state, $0) }
        rest.withUnsafeBytes { update(&state, $0) }
        crypto_hash_sha512_final(&state, &block)
    }

    private static func update(_ state: inout crypto_hash_sha512_state, _ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        crypto_hash_sha512_update(&state, start.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
}
