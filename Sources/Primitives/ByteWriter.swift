/// Builds the byte forms of Entente's own formats: fixed-width little-endian integers, and byte strings and texts
/// behind a `u32` length.
@frozen
public struct ByteWriter: Sendable {
    /// What was written so far.
    @inlinable public var bytes: [UInt8] { storage }
    @usableFromInline var storage: [UInt8]

    /// An empty writer with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int = 64) {
        storage = []
        storage.reserveCapacity(capacity)
    }

    /// Appends a fixed-width integer, little-endian.
    @inlinable
    public mutating func integer<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { raw($0) }
    }

    /// Appends one byte: 1 for true, 0 for false.
    @inlinable
    public mutating func bool(_ value: Bool) {
        storage.append(value ? 1 : 0)
    }

    /// Appends bytes without a length.
    @inlinable
    public mutating func raw(_ value: some Sequence<UInt8>) {
        storage.append(contentsOf: value)
    }

    /// Appends a `u32` length and the bytes. A byte string of 4 GiB or more is a programmer's error.
    @inlinable
    public mutating func blob(_ value: [UInt8]) {
        precondition(value.count <= UInt32.max, "a blob of \(value.count) bytes has no u32 length")
        integer(UInt32(truncatingIfNeeded: value.count))
        storage.append(contentsOf: value)
    }

    /// Appends a text as UTF-8 behind its `u32` length in bytes.
    @inlinable
    public mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            precondition(utf8.count <= UInt32.max, "a text of \(utf8.count) bytes has no u32 length")
            integer(UInt32(truncatingIfNeeded: utf8.count))
            storage.append(contentsOf: utf8)
        }
    }

    /// Appends a presence byte and, if there is a value, what `write` makes of it.
    @inlinable
    public mutating func optional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    /// Appends a `u32` count and each element by `write`.
    @inlinable
    public mutating func list<T>(_ values: [T], _ write: (inout ByteWriter, T) -> Void) {
        precondition(values.count <= UInt32.max, "a list of \(values.count) elements has no u32 count")
        integer(UInt32(truncatingIfNeeded: values.count))
        for value in values { write(&self, value) }
    }
}
