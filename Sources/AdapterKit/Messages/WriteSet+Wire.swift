public import Primitives
public import Store

// A write set travels as a blob in the store's own byte form, which is also what the entry's domains hold.
extension WriteSet: WireCodable {
    /// Appends the length and the store's byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.blob(encoded())
    }

    /// Reads what ``encode(to:)`` wrote.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        let bytes = try reader.blob()
        do {
            self = try WriteSet.decode(bytes)
        } catch {
            throw .invalid(at: at)
        }
    }
}
