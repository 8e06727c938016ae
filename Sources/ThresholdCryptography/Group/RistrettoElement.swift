internal import CSodium
public import Primitives

/// An element of the prime-order group ristretto255 (RFC 9496). What is read from outside is never the identity; a sum or
/// product may be, and ``isIdentity`` tells.
public struct RistrettoElement: Hashable, Sendable {
    /// The one encoding, 32 bytes.
    public private(set) var encoding: Bytes32

    /// The identity, whose encoding is 32 zeros.
    public static let identity = RistrettoElement(unchecked: .zero)
    /// The generator of RFC 9496.
    public static let generator = RistrettoScalar.one.timesGenerator

    private init(unchecked encoding: Bytes32) { self.encoding = encoding }

    /// Reads the one encoding of an element other than the identity. libsodium takes the identity for valid, and version
    /// 1.0.18 ignores the top bit, so that each element would have two encodings and the identity one that is not zero.
    /// - Throws: ``ThresholdError/badPoint(_:file:line:)``.
    public init(decoding bytes: some Collection<UInt8>) throws(ThresholdError) {
        guard let encoding = Bytes32(bytes) else { throw .badPoint("a group element that is not 32 bytes") }
        guard !encoding.isZero else { throw .badPoint("the identity") }
        guard encoding.withUnsafeBytes({ $0[31] < 0x80 }) else { throw .badPoint("32 bytes with the top bit set") }
        let isValid = encoding.withUnsafeBytes { crypto_core_ristretto255_is_valid_point($0.bytePointer(count: 32)) }
        guard isValid == 1 else { throw .badPoint("32 bytes that encode no group element") }
        self.encoding = encoding
    }

    /// The one-way map of RFC 9496, 4.3.4, of 64 uniform bytes.
    package init(mapping uniform: UnsafeRawBufferPointer) {
        self.init(unchecked: .zero)
        let code = write { crypto_core_ristretto255_from_hash($0, uniform.bytePointer(count: 64)) }
        precondition(code == 0, "the one-way map has no failing input")
    }

    /// Whether this is the identity.
    public var isIdentity: Bool { encoding.isZero }

    /// The sum.
    public static func + (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_add($0, $1, $2) }
    }

    /// The difference.
    public static func - (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_sub($0, $1, $2) }
    }

    /// The multiple by a public scalar.
    public static func * (scalar: RistrettoScalar, element: Self) -> Self {
        scalar.encoding.withUnsafeBytes { element.multiplied(by: $0.bytePointer(count: 32)) }
    }

    /// The multiple by a secret scalar.
    package static func * (scalar: SecretScalar, element: Self) -> Self {
        scalar.bytes.withUnsafeBytes { element.multiplied(by: $0.bytePointer(count: 32)) }
    }

    // libsodium answers -1 both for bytes that are no element, which `self` can't hold, and for a result that is the
    // identity; so here -1 means the identity.
    private func multiplied(by scalar: UnsafePointer<UInt8>) -> Self {
        var result = Self.identity
        let code = result.write { result in
            encoding.withUnsafeBytes { crypto_scalarmult_ristretto255(result, scalar, $0.bytePointer(count: 32)) }
        }
        return code == 0 ? result : .identity
    }

    fileprivate init(generatorTimes scalar: UnsafePointer<UInt8>) {
        self = .identity
        let code = write { crypto_scalarmult_ristretto255_base($0, scalar) }
        if code != 0 { self = .identity }
    }

    private static func combine(
        _ a: Self, _ b: Self,
        _ body: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Int32
    ) -> Self {
        var result = Self.identity
        let code = result.write { result in
            a.encoding.withUnsafeBytes { a in
                b.encoding.withUnsafeBytes { b in body(result, a.bytePointer(count: 32), b.bytePointer(count: 32)) }
            }
        }
        precondition(code == 0, "a group operation on what is no element")
        return result
    }

    private mutating func write<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
        Swift.withUnsafeMutableBytes(of: &encoding) { body($0.bytePointer(count: 32)) }
    }
}

extension RistrettoScalar {
    /// The multiple of the generator.
    public var timesGenerator: RistrettoElement {
        encoding.withUnsafeBytes { RistrettoElement(generatorTimes: $0.bytePointer(count: 32)) }
    }
}

extension SecretScalar {
    /// The multiple of the generator: the public key of this private key.
    public var timesGenerator: RistrettoElement {
        bytes.withUnsafeBytes { RistrettoElement(generatorTimes: $0.bytePointer(count: 32)) }
    }
}

extension RistrettoElement: CustomStringConvertible {
    /// 64 hexadecimal digits.
    public var description: String { encoding.description }
}
