internal import Primitives

/// Where in the ledger something happened, and when by ledger time.
public struct LedgerPlace: Sendable, Hashable, CustomStringConvertible {
    /// View of the entry.
    public var view: UInt64
    /// Sequence number of the entry.
    public var seqno: UInt64
    /// Ledger time of the entry, milliseconds since 1970.
    public var time: UInt64

    /// A place.
    public init(view: UInt64, seqno: UInt64, time: UInt64) {
        self.view = view
        self.seqno = seqno
        self.time = time
    }

    /// The transaction id.
    public var description: String { "\(view).\(seqno)" }

    func encode(to writer: inout ByteWriter) {
        writer.integer(view)
        writer.integer(seqno)
        writer.integer(time)
    }

    init(reading reader: inout ByteReader) throws(ByteReaderError) {
        view = try reader.integer()
        seqno = try reader.integer()
        time = try reader.integer()
    }
}
