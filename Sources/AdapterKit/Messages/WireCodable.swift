public import Ledger
public import Primitives

/// A value with one byte form inside worker messages.
public protocol WireCodable {
    /// Appends the byte form.
    func encode(to writer: inout ByteWriter)
    /// Reads it back, refusing all that ``encode(to:)`` doesn't write.
    init(from reader: inout ByteReader) throws(ByteReaderError)
}

extension ByteReader {
    /// Reads an actor's, endpoint's or map's name.
    package mutating func name() throws(ByteReaderError) -> String {
        try text(limit: AdapterLimits.nameBytesMax)
    }

    /// Reads a list of values with a byte form.
    package mutating func values<T: WireCodable>(
        of type: T.Type = T.self, limit: Int
    ) throws(ByteReaderError) -> [T] {
        try list(limit: limit) { reader throws(ByteReaderError) in try T(from: &reader) }
    }

    /// Reads an optional byte string of at most `limit` bytes.
    package mutating func optionalBlob(limit: Int = .max) throws(ByteReaderError) -> [UInt8]? {
        try optional { reader throws(ByteReaderError) in try reader.blob(limit: limit) }
    }

    /// Reads 32 bytes.
    package mutating func bytes32() throws(ByteReaderError) -> Bytes32 {
        let at = offset
        guard let value = Bytes32(try raw(32)) else { throw .invalid(at: at) }
        return value
    }
}

extension ByteWriter {
    /// Appends a list of values with a byte form.
    package mutating func values(_ values: [some WireCodable]) {
        list(values) { writer, value in value.encode(to: &writer) }
    }

    /// Appends an optional byte string.
    package mutating func optionalBlob(_ value: [UInt8]?) {
        optional(value) { $0.blob($1) }
    }

    /// Appends 32 bytes.
    package mutating func bytes32(_ value: Bytes32) {
        value.withUnsafeBytes { raw($0) }
    }
}

extension TransactionID: WireCodable {
    /// Appends view and seqno.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(view)
        writer.integer(seqno)
    }

    /// Reads view and seqno.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let view = try reader.integer(UInt64.self)
        self.init(view: view, seqno: try reader.integer())
    }
}
