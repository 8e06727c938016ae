/// Reader and writer of CCF's serialisation: little-endian `u64` integers, and byte strings behind a `u64` length.
///
/// Apart from `ByteReader` because lengths here are 64 bits wide, and because this loop is hot on followers.
package struct Layout {
    private let bytes: [UInt8]
    /// Place of the next byte, from the start of the whole input.
    package private(set) var offset: Int
    private let end: Int

    /// Reads the part of `bytes` in `range`, clamped to what is there.
    package init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        end = max(0, min(range.upperBound, bytes.count))
        offset = max(0, min(range.lowerBound, end))
    }

    /// Whether nothing is left.
    package var isAtEnd: Bool { offset >= end }

    /// Bytes that are left.
    package var remaining: Int { end - offset }

    /// Reads a `u64`.
    package mutating func integer() throws(StoreError) -> UInt64 {
        guard remaining >= 8 else { throw .malformed("the bytes end at \(end), within an integer") }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        offset += 8
        return UInt64(littleEndian: value)
    }

    /// Reads a byte.
    package mutating func byte() throws(StoreError) -> UInt8 {
        guard remaining >= 1 else { throw .malformed("the bytes end at \(end), where a byte is due") }
        offset += 1
        return bytes[offset - 1]
    }

    /// Reads exactly `count` bytes.
    package mutating func raw(_ count: Int) throws(StoreError) -> [UInt8] {
        guard count >= 0, remaining >= count else {
            throw .malformed("the bytes end at \(end), within a field of \(count) bytes")
        }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// Reads a `u64` length of at most `limit` and that many bytes.
    package mutating func blob(limit: Int) throws(StoreError) -> [UInt8] {
        let at = offset
        let length = try integer()
        guard length <= UInt64(remaining) else {
            throw .malformed("length at byte \(at) is over what is left")
        }
        guard length <= UInt64(limit) else { throw .tooLarge("length at byte \(at) is over the limit of \(limit)") }
        return try raw(Int(length))
    }

    /// Reads a `u64` count of elements of at least `minimumBytes` each, so that it can't promise more than is there.
    package mutating func count(minimumBytes: Int, limit: Int) throws(StoreError) -> Int {
        let at = offset
        let count = try integer()
        guard count <= UInt64(remaining / minimumBytes) else {
            throw .malformed("count at byte \(at) is over what is left")
        }
        guard count <= UInt64(limit) else { throw .tooLarge("count at byte \(at) is over the limit of \(limit)") }
        return Int(count)
    }

    /// Appends a `u64`.
    @inline(__always)
    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends a `u64` length and the bytes.
    @inline(__always)
    package static func append(_ value: [UInt8], to bytes: inout [UInt8]) {
        append(UInt64(value.count), to: &bytes)
        bytes.append(contentsOf: value)
    }
}
