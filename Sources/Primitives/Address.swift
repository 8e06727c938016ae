/// The 20-byte name of an Ethereum account, held inline. The words are the bytes in memory order.
@frozen
public struct Address: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline var r0: UInt64
    @usableFromInline var r1: UInt64
    @usableFromInline var r2: UInt32

    @inlinable @inline(__always)
    init(r0: UInt64, r1: UInt64, r2: UInt32) {
        self.r0 = r0
        self.r1 = r1
        self.r2 = r2
    }

    /// 20 zero bytes.
    @inlinable
    public static var zero: Address { Address(r0: 0, r1: 0, r2: 0) }

    /// The bytes given; nil unless there are exactly 20.
    @inlinable
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 20 else { return nil }
        self = .zero
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// The 20 bytes at an address.
    @inlinable @inline(__always)
    public init(loading source: UnsafeRawPointer) {
        self.init(
            r0: source.loadUnaligned(as: UInt64.self), r1: source.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            r2: source.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    }

    /// The lowest 20 big-endian bytes of a number; higher ones are dropped.
    @inlinable
    public init(truncating value: UInt256) {
        self.init(
            r0: (value.w1 >> 32 | value.w2 << 32).byteSwapped, r1: (value.w0 >> 32 | value.w1 << 32).byteSwapped,
            r2: UInt32(truncatingIfNeeded: value.w0).byteSwapped)
    }

    /// The last 20 bytes of a digest: how accounts get their names.
    @inlinable
    public init(tailOf digest: Bytes32) {
        self.init(truncating: UInt256(digest))
    }

    /// The address of a small number, such as a precompile's.
    @inlinable
    public init(number: UInt64) {
        self.init(truncating: UInt256(number))
    }

    /// The bytes of 40 hexadecimal digits, with or without `0x`; nil for anything else. Letter case (the checksum of
    /// EIP-55) is not looked at.
    public init?(hex text: some StringProtocol) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes)
    }

    /// The bytes as an array.
    @inlinable
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Lends the bytes in place.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try Swift.withUnsafeBytes(of: self, body)
    }

    /// `0x` and 40 digits.
    public var hex: String { "0x" + Hex.encode(bytes) }
}

extension Address: Comparable {
    /// Lexicographic order of the bytes.
    @inlinable
    public static func < (a: Address, b: Address) -> Bool {
        if a.r0 != b.r0 { return a.r0.byteSwapped < b.r0.byteSwapped }
        if a.r1 != b.r1 { return a.r1.byteSwapped < b.r1.byteSwapped }
        return a.r2.byteSwapped < b.r2.byteSwapped
    }
}

extension Address: CustomStringConvertible {
    /// 40 lower-case hexadecimal digits.
    public var description: String { Hex.encode(bytes) }
}
