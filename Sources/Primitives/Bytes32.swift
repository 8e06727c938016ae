/// 32 bytes held inline: a digest, a storage key, a public value. Half as dear to hash as an array and never copied to
/// the heap. The four words are the bytes in memory order, so the memory of the value is the bytes themselves.
@frozen
public struct Bytes32: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline var r0: UInt64
    @usableFromInline var r1: UInt64
    @usableFromInline var r2: UInt64
    @usableFromInline var r3: UInt64

    @inlinable @inline(__always)
    init(r0: UInt64, r1: UInt64, r2: UInt64, r3: UInt64) {
        self.r0 = r0
        self.r1 = r1
        self.r2 = r2
        self.r3 = r3
    }

    /// 32 zero bytes.
    @inlinable
    public static var zero: Bytes32 { Bytes32(r0: 0, r1: 0, r2: 0, r3: 0) }

    /// The bytes given; nil unless there are exactly 32.
    @inlinable
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self = .zero
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// The 32 bytes at an address.
    @inlinable @inline(__always)
    public init(loading source: UnsafeRawPointer) {
        self.init(
            r0: source.loadUnaligned(as: UInt64.self),
            r1: source.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            r2: source.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            r3: source.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    /// The big-endian bytes of a number.
    @inlinable
    public init(_ value: UInt256) {
        self.init(
            r0: value.w3.byteSwapped, r1: value.w2.byteSwapped, r2: value.w1.byteSwapped, r3: value.w0.byteSwapped)
    }

    /// The bytes of 64 hexadecimal digits, with or without `0x`; nil for anything else.
    public init?(hex text: some StringProtocol) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes)
    }

    /// Whether all bytes are 0.
    @inlinable
    public var isZero: Bool { (r0 | r1 | r2 | r3) == 0 }

    /// The bytes as an array.
    @inlinable
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Lends the bytes in place.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try Swift.withUnsafeBytes(of: self, body)
    }

    /// `0x` and 64 digits.
    public var hex: String { "0x" + Hex.encode(bytes) }
}

extension Bytes32: Comparable {
    /// Lexicographic order of the bytes.
    @inlinable
    public static func < (a: Bytes32, b: Bytes32) -> Bool {
        if a.r0 != b.r0 { return a.r0.byteSwapped < b.r0.byteSwapped }
        if a.r1 != b.r1 { return a.r1.byteSwapped < b.r1.byteSwapped }
        if a.r2 != b.r2 { return a.r2.byteSwapped < b.r2.byteSwapped }
        return a.r3.byteSwapped < b.r3.byteSwapped
    }
}

extension Bytes32: CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public var description: String { Hex.encode(bytes) }
}
