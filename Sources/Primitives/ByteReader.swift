/// Reads what ``ByteWriter`` wrote, from bytes that nobody vouches for: each read checks what is left, lengths and
/// counts are held against it before anything is allocated.
@frozen
public struct ByteReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    /// Place of the next byte, from the start of the input.
    @inlinable public var offset: Int { place }
    @usableFromInline var place: Int
    @usableFromInline let end: Int

    /// Reads the whole of `bytes`.
    @inlinable
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        place = 0
        end = bytes.count
    }

    /// Reads a part of `bytes`; bounds outside of it are clamped.
    @inlinable
    public init(_ bytes: [UInt8], from start: Int, to end: Int) {
        self.bytes = bytes
        self.end = max(0, min(end, bytes.count))
        place = max(0, min(start, self.end))
    }

    /// Bytes that are left.
    @inlinable
    public var remaining: Int { end - offset }

    /// Reads a fixed-width little-endian integer.
    /// - Throws: ``ByteReaderError/truncated(at:)``.
    @inlinable
    public mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(ByteReaderError) -> T {
        let width = MemoryLayout<T>.size
        guard remaining >= width else { throw .truncated(at: offset) }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
        place += width
        return T(littleEndian: value)
    }

    /// Reads one byte that must be 0 or 1.
    /// - Throws: ``ByteReaderError``.
    @inlinable
    public mutating func bool() throws(ByteReaderError) -> Bool {
        switch try integer(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .invalid(at: offset - 1)
        }
    }

    /// Reads exactly `count` bytes.
    /// - Throws: ``ByteReaderError/truncated(at:)``.
    @inlinable
    public mutating func raw(_ count: Int) throws(ByteReaderError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw .truncated(at: offset) }
        defer { place += count }
        return Array(bytes[offset..<offset + count])
    }

    /// Reads a `u32` length of at most `limit` and that many bytes.
    /// - Throws: ``ByteReaderError``.
    @inlinable
    public mutating func blob(limit: Int = .max) throws(ByteReaderError) -> [UInt8] {
        let at = offset
        let count = Int(try integer(UInt32.self))
        guard count <= limit else { throw .tooLarge(at: at, limit: limit) }
        return try raw(count)
    }

    /// Reads a `u32` length of at most `limit` bytes and that much valid UTF-8.
    /// - Throws: ``ByteReaderError``.
    public mutating func text(limit: Int = 1 << 20) throws(ByteReaderError) -> String {
        let at = offset
        guard let text = String(validating: try blob(limit: limit), as: UTF8.self) else { throw .invalid(at: at) }
        return text
    }

    /// Reads a presence byte and, if it is 1, a value by `read`.
    /// - Throws: ``ByteReaderError``.
    @inlinable
    public mutating func optional<T>(
        _ read: (inout ByteReader) throws(ByteReaderError) -> T
    ) throws(ByteReaderError) -> T? {
        try bool() ? try read(&self) : nil
    }

    /// Reads a `u32` count of at most `limit` and that many elements by `read`. Each element must take at least one
    /// byte, so a count can't promise more than what is there.
    /// - Throws: ``ByteReaderError``.
    @inlinable
    public mutating func list<T>(
        limit: Int = .max, _ read: (inout ByteReader) throws(ByteReaderError) -> T
    ) throws(ByteReaderError) -> [T] {
        let at = offset
        let count = Int(try integer(UInt32.self))
        guard count <= limit, count <= remaining else { throw .tooLarge(at: at, limit: min(limit, remaining)) }
        var values: [T] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Checks that nothing is left.
    /// - Throws: ``ByteReaderError/trailing(at:)``.
    @inlinable
    public func finish() throws(ByteReaderError) {
        guard remaining == 0 else { throw .trailing(at: offset) }
    }
}

/// Why bytes could not be read; each case names the offset.
public enum ByteReaderError: Error, Hashable, Sendable {
    /// The input ends before the value does.
    case truncated(at: Int)
    /// A length or count is over its limit, or over what is left of the input.
    case tooLarge(at: Int, limit: Int)
    /// The bytes don't form a value of the kind read.
    case invalid(at: Int)
    /// Bytes follow the last value.
    case trailing(at: Int)
}
