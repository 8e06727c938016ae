internal import Ledger
public import Primitives

extension QueryContext: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        committed.encode(to: &writer)
        writer.integer(time)
        writer.integer(peers)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        committed = try .init(from: &reader)
        time = try reader.integer()
        peers = try reader.integer()
    }
}

extension Query: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(actor)
        writer.blob(body)
        context.encode(to: &writer)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        actor = try reader.name()
        body = try reader.blob()
        context = try .init(from: &reader)
    }
}

extension QueryReply: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        switch self {
        case .done(let body, let readers):
            writer.integer(0 as UInt8)
            writer.blob(body)
            readers.encode(to: &writer)
        case .submit(let requests, let token):
            writer.integer(1 as UInt8)
            writer.values(requests)
            writer.integer(token)
        case .history(let range, let token):
            writer.integer(2 as UInt8)
            writer.integer(range.first)
            writer.integer(range.last)
            writer.integer(token)
        case .call(let calls, let token):
            writer.integer(3 as UInt8)
            writer.values(calls)
            writer.integer(token)
        }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0: self = .done(body: try reader.blob(), readers: try .init(from: &reader))
        case 1:
            self = .submit(try reader.values(limit: AdapterLimits.submissionsMax), token: try reader.integer())
        case 2:
            self = .history(
                .init(first: try reader.integer(), last: try reader.integer()), token: try reader.integer())
        case 3:
            self = .call(try reader.values(limit: AdapterLimits.outsideCallsMax), token: try reader.integer())
        default: throw .invalid(at: at)
        }
    }
}

extension SubmissionOutcome: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        switch self {
        case .committed(let id, let index, let response):
            writer.integer(0 as UInt8)
            id.encode(to: &writer)
            writer.integer(index)
            writer.blob(response)
        case .invalid(let rejection):
            writer.integer(1 as UInt8)
            rejection.encode(to: &writer)
        case .deferred(let response):
            writer.integer(2 as UInt8)
            writer.blob(response)
        case .unknown:
            writer.integer(3 as UInt8)
        }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0:
            self = .committed(
                id: try .init(from: &reader), index: try reader.integer(), response: try reader.blob())
        case 1: self = .invalid(try .init(from: &reader))
        case 2: self = .deferred(response: try reader.blob())
        case 3: self = .unknown
        default: throw .invalid(at: at)
        }
    }
}

extension HistoryEntry: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        id.encode(to: &writer)
        writes.encode(to: &writer)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        id = try .init(from: &reader)
        writes = try .init(from: &reader)
    }
}

extension AdapterConfiguration: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(endpoint)
        writer.text(kind)
        writer.blob(settings)
        writer.bool(flags.replay)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        endpoint = try reader.name()
        kind = try reader.name()
        settings = try reader.blob()
        flags = .init(replay: try reader.bool())
    }
}

extension SnapshotPart: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(map)
        writer.list(records) {
            $0.blob($1.key)
            $0.blob($1.value)
        }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        map = try reader.name()
        records = try reader.list(limit: AdapterLimits.snapshotRecordsMax) { reader throws(ByteReaderError) in
            let key = try reader.blob()
            return .init(key: key, value: try reader.blob())
        }
    }
}
