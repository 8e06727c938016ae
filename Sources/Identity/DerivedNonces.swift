internal import Crypto
internal import FoundationEssentials
internal import Primitives

// ECDSA whose nonces follow from key and digest, so that simulations repeat to the byte. The arithmetic takes longer or
// shorter depending on the key, which gives it away to whoever measures: never for a key that is worth anything.
extension SigningKey {
    /// Whether P-256 signatures of the present task take derived nonces. For simulations only.
    @TaskLocal package static var derivesNonces = false

    /// Runs `body` with signatures that are a function of key and digest.
    package static func withDerivedNonces<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $derivesNonces.withValue(true) { try body() }
    }

    private static let order: UInt256 =
        0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_bce6_faad_a717_9e84_f3b9_cac2_fc63_2551

    /// The signature r ‖ s of a digest of 32 bytes.
    static func derivedSignature(of digest: [UInt8], _ key: P256.Signing.PrivateKey) throws
        -> P256.Signing.ECDSASignature
    {
        guard let secret = UInt256(bigEndian: key.rawRepresentation), let number = UInt256(bigEndian: digest) else {
            throw IdentityError.signing("a digest of \(digest.count) bytes")
        }
        for attempt in 0..<8 as Range<UInt8> {
            let seed = HMAC<SHA256>.authenticationCode(
                for: digest + [attempt], using: SymmetricKey(data: key.rawRepresentation))
            guard let point = try? P256.Signing.PrivateKey(rawRepresentation: Array(seed)),
                let nonce = UInt256(bigEndian: Array(seed)),
                let x = UInt256(bigEndian: point.publicKey.rawRepresentation.prefix(32))
            else { continue }
            let r = reduced(x)
            let s = inverse(nonce).multipliedModulo(
                reduced(number).addedModulo(r.multipliedModulo(secret, order), order), order)
            guard r != 0, s != 0 else { continue }
            return try P256.Signing.ECDSASignature(rawRepresentation: r.bytes + s.bytes)
        }
        throw IdentityError.signing("no nonce could be derived")
    }

    private static func reduced(_ value: UInt256) -> UInt256 { value < order ? value : value &- order }

    /// By Fermat: the order is prime.
    private static func inverse(_ value: UInt256) -> UInt256 {
        var result: UInt256 = 1
        for byte in (order &- 2).bytes {
            for bit in (0..<8).reversed() {
                result = result.multipliedModulo(result, order)
                if byte >> bit & 1 == 1 { result = result.multipliedModulo(value, order) }
            }
        }
        return result
    }

    /// A certificate's bytes with a derived signature by this key in place of the library's; the library's own without
    /// derived nonces.
    func resigned(_ certificate: [UInt8], toBeSigned: some Collection<UInt8>) throws -> [UInt8] {
        guard Self.derivesNonces, case .p256(let key) = backing else { return certificate }
        let signature = try Self.derivedSignature(of: Array(SHA256.hash(data: Array(toBeSigned))), key)
        // ecdsa-with-SHA256, RFC 5758 section 3.2.
        let algorithm: [UInt8] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
        let bits = Self.tagged(0x03, [0] + Array(signature.derRepresentation))
        return Self.tagged(0x30, Array(toBeSigned) + algorithm + bits)
    }

    /// A DER element of at most 64 KiB.
    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        switch count {
        case ..<128: return [tag, UInt8(count)] + content
        case ..<256: return [tag, 0x81, UInt8(count)] + content
        default: return [tag, 0x82, UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)] + content
        }
    }
}
