internal import CSodium
public import Primitives

/// A public number modulo the order ℓ of ristretto255 (RFC 9496): a challenge, a response, a Lagrange coefficient.
/// Secret ones are ``SecretScalar``.
public struct RistrettoScalar: Hashable, Sendable {
    /// The one encoding: 32 bytes, little-endian, below ℓ.
    public private(set) var encoding: Bytes32

    /// 0.
    public static let zero = RistrettoScalar(UInt64(0))
    /// 1.
    public static let one = RistrettoScalar(UInt64(1))

    init(unchecked encoding: Bytes32) { self.encoding = encoding }

    /// A small number.
    public init(_ value: UInt64) {
        var bytes = Bytes32.zero
        Swift.withUnsafeMutableBytes(of: &bytes) { $0.storeBytes(of: value.littleEndian, as: UInt64.self) }
        encoding = bytes
    }

    /// Reads the one encoding of a scalar, zero included. libsodium would reduce others in silence.
    /// - Throws: ``ThresholdError/badScalar(_:file:line:)``.
    public init(decoding bytes: some Collection<UInt8>) throws(ThresholdError) {
        guard let encoding = Bytes32(bytes), encoding.withUnsafeBytes(Self.isCanonical) else {
            throw .badScalar("a scalar that is not 32 bytes below the group's order")
        }
        self.encoding = encoding
    }

    /// 64 uniform bytes modulo ℓ (RFC 9496, 4.4).
    init(reducing uniform: UnsafeRawBufferPointer) {
        self.init(unchecked: .zero)
        write { result in
            crypto_core_ristretto255_scalar_reduce(result, uniform.bytePointer(count: 64))
        }
    }

    /// Whether 32 bytes encode a number below ℓ; takes the same time for all.
    static func isCanonical(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == 32 else { return false }
        let order: [UInt64] = [0x5812_631A_5CF5_D3ED, 0x14DE_F9DE_A2F7_9CD6, 0, 0x1000_0000_0000_0000]
        var borrow: UInt64 = 0
        for limb in 0..<4 {
            let value = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * limb, as: UInt64.self))
            let (first, under) = value.subtractingReportingOverflow(order[limb])
            let (_, underAgain) = first.subtractingReportingOverflow(borrow)
            borrow = (under ? 1 : 0) | (underAgain ? 1 : 0)
        }
        return borrow == 1
    }

    /// The sum.
    public static func + (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_scalar_add($0, $1, $2) }
    }

    /// The difference.
    public static func - (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_scalar_sub($0, $1, $2) }
    }

    /// The product.
    public static func * (a: Self, b: Self) -> Self {
        combine(a, b) { crypto_core_ristretto255_scalar_mul($0, $1, $2) }
    }

    /// 1 over this; nil for zero.
    public var inverse: Self? {
        var result = Self.zero
        let code = result.write { result in
            encoding.withUnsafeBytes { crypto_core_ristretto255_scalar_invert(result, $0.bytePointer(count: 32)) }
        }
        return code == 0 ? result : nil
    }

    private static func combine(
        _ a: Self, _ b: Self,
        _ body: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> Self {
        var result = Self.zero
        result.write { result in
            a.encoding.withUnsafeBytes { a in
                b.encoding.withUnsafeBytes { b in body(result, a.bytePointer(count: 32), b.bytePointer(count: 32)) }
            }
        }
        return result
    }

    @discardableResult
    mutating func write<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
        Swift.withUnsafeMutableBytes(of: &encoding) { body($0.bytePointer(count: 32)) }
    }
}

extension UnsafeRawBufferPointer {
    /// The start, for C functions that read `count` bytes from it.
    func bytePointer(count: Int) -> UnsafePointer<UInt8> {
        precondition(self.count >= count, "\(self.count) bytes where \(count) are read")
        return baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The start, for C functions that write `count` bytes to it.
    func bytePointer(count: Int) -> UnsafeMutablePointer<UInt8> {
        precondition(self.count >= count, "\(self.count) bytes where \(count) are written")
        return baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
    }
}
