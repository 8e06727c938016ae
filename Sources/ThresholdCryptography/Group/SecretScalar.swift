internal import CSodium
internal import Primitives

/// A secret number modulo the order of ristretto255: a key, a share, a nonce, a coefficient. Its memory is zeroed when
/// the last copy goes; every operation takes the same time for all values.
public struct SecretScalar: Sendable, CustomStringConvertible, CustomReflectable {
    let bytes: SecretBytes

    init(_ write: (UnsafeMutablePointer<UInt8>) -> Void) {
        bytes = SecretBytes(count: 32) { write($0.bytePointer(count: 32)) }
    }

    /// The scalar whose one encoding these 32 bytes are.
    /// - Throws: ``ThresholdError/badScalar(_:file:line:)`` when they are none, or zero.
    public init(decoding secret: SecretBytes) throws(ThresholdError) {
        guard secret.withUnsafeBytes(RistrettoScalar.isCanonical) else {
            throw .badScalar("a secret scalar that is not 32 bytes below the group's order")
        }
        bytes = secret
        guard !isZero else { throw .badScalar("a secret scalar that is zero") }
    }

    /// A number that is no secret, as a constant among secrets.
    package init(_ value: RistrettoScalar) {
        self.init { result in
            value.encoding.withUnsafeBytes { result.update(from: $0.bytePointer(count: 32), count: 32) }
        }
    }

    /// The one encoding, for sealing.
    public var encoding: SecretBytes { bytes }

    var isZero: Bool { bytes.withUnsafeBytes { sodium_is_zero($0.bytePointer(count: 32), 32) == 1 } }

    package static func + (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_scalar_add($0, $1, $2) }
    }

    package static func * (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_scalar_mul($0, $1, $2) }
    }

    package static func * (a: Self, b: RistrettoScalar) -> Self { a * Self(b) }

    /// 1 over this; nil for zero.
    package var inverse: Self? {
        guard !isZero else { return nil }
        return Self { result in
            bytes.withUnsafeBytes { _ = crypto_core_ristretto255_scalar_invert(result, $0.bytePointer(count: 32)) }
        }
    }

    /// `nonce` - `challenge` · this: the response of a proof, which is public.
    func response(nonce: Self, challenge: RistrettoScalar) -> RistrettoScalar {
        let product = self * challenge
        var response = RistrettoScalar.zero
        response.write { result in
            nonce.bytes.withUnsafeBytes { nonce in
                product.bytes.withUnsafeBytes { product in
                    crypto_core_ristretto255_scalar_sub(
                        result, nonce.bytePointer(count: 32), product.bytePointer(count: 32))
                }
            }
        }
        return response
    }

    private static func combine(
        _ a: Self, _ b: Self,
        _ body: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> Self {
        Self { result in
            a.bytes.withUnsafeBytes { a in
                b.bytes.withUnsafeBytes { b in body(result, a.bytePointer(count: 32), b.bytePointer(count: 32)) }
            }
        }
    }

    /// Tells nothing.
    public var description: String { "SecretScalar" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretScalar {
    /// 64 uniform secret bytes modulo ℓ.
    init(reducing uniform: SecretBytes) {
        self.init { result in
            uniform.withUnsafeBytes { crypto_core_ristretto255_scalar_reduce(result, $0.bytePointer(count: 64)) }
        }
    }
}

extension SecretScalar {
    /// A scalar that may be zero; the bytes are canonical.
    init(unchecked bytes: SecretBytes) { self.bytes = bytes }
}
