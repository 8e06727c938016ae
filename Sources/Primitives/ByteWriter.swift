/// Builds the byte forms of Entente's own formats: fixed-width little-endian integers, and byte strings and texts
/// behind a `u32` length.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8]

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 64) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Appends a fixed-width integer, little-endian.
    @inlinable
    public mutating func integer<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { raw($0) }
    }

    /// Appends one byte: 1 for true, 0 for false.
    public mutating func bool(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    /// Appends bytes without a length.
    public mutating func raw(_ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
    }

    /// Appends a `u32` length and the bytes. A byte string of 4 GiB or more is a programmer's error.
    public mutating func blob(_ value: [UInt8]) {
        precondition(value.count <= UInt32.max, "a blob of \(value.count) bytes has no u32 length")
        integer(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    /// Appends a text as UTF-8 behind its `u32` length in bytes.
    public mutating func text(_ value: String) {
        blob(Array(value.utf8))
    }

    /// Appends a presence byte and, if there is a value, what `write` makes of it.
    public mutating func optional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    /// Appends a `u32` count and each element by `write`.
    public mutating func list<T>(_ values: [T], _ write: (inout ByteWriter, T) -> Void) {
        precondition(values.count <= UInt32.max, "a list of \(values.count) elements has no u32 count")
        integer(UInt32(truncatingIfNeeded: values.count))
        for value in values { write(&self, value) }
    }
}
