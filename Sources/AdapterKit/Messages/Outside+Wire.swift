internal import Ledger
public import Primitives

extension OutsideCall: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(service)
        writer.blob(body)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        service = try reader.name()
        body = try reader.blob(limit: AdapterLimits.outsideBodyBytesMax)
    }
}

extension OutsideAnswer: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        call.encode(to: &writer)
        writer.integer(time)
        switch result {
        case .body(let bytes):
            writer.integer(0 as UInt8)
            writer.blob(bytes)
        case .failed(let reason):
            writer.integer(1 as UInt8)
            writer.text(reason)
        }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        call = try .init(from: &reader)
        time = try reader.integer()
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0: result = .body(try reader.blob(limit: AdapterLimits.outsideBodyBytesMax))
        case 1: result = .failed(try reader.text(limit: 4_096))
        default: throw .invalid(at: at)
        }
    }
}
