public import Ledger
public import Primitives
public import Store

/// What a manager asks of its worker. Requests are served in order; each gets one ``WorkerReply`` with its number.
public enum WorkerRequest: Sendable {
    /// Makes the adapters of the constitution, each at its genesis. The first request, and only once.
    case open([AdapterConfiguration])
    /// Executes a batch on an adapter's latest state.
    case execute(endpoint: String, Batch)
    /// Takes over an entry executed elsewhere.
    case apply(endpoint: String, id: TransactionID, WriteSet)
    /// Everything up to here is committed, for all adapters.
    case commit(TransactionID)
    /// Everything after this never happened, for all adapters.
    case rollback(TransactionID)
    /// A client's request.
    case query(endpoint: String, Query)
    /// The submissions of a query are decided.
    case finish(endpoint: String, token: QueryToken, [SubmissionOutcome])
    /// The history that a query asked for; what it can't see is left out.
    case resume(endpoint: String, token: QueryToken, [HistoryEntry])
    /// What came of a query's questions for services outside, in their order.
    case called(endpoint: String, token: QueryToken, [OutsideAnswer])
    /// A query's client is gone.
    case discard(endpoint: String, token: QueryToken)
    /// An adapter drops its state, to be restored.
    case beginRestore(endpoint: String)
    /// The next part of a snapshot.
    case restore(endpoint: String, SnapshotPart)
    /// The snapshot is complete.
    case endRestore(endpoint: String, TransactionID)
    /// Tell the processor time by stage.
    case measure
}

/// What a worker answers.
public enum WorkerReply: Sendable {
    /// To `open`: name and version of each adapter, in the order asked for.
    case opened(versions: [String])
    /// To `execute`.
    case executed(BatchResult)
    /// To `query`, `finish`, `called` and `resume`.
    case answer(QueryReply)
    /// To `measure`: nanoseconds since the worker's start, in the order of ``Stage``.
    case measured([UInt64])
    /// To all others.
    case done
    /// To any: it could not be served. After a failed `execute`, `apply`, `commit`, `rollback` or restore the worker's
    /// state is in doubt and the manager rebuilds it.
    case failed(String)
}

/// A numbered message as it stands in one frame: version, number, kind, content.
public struct WorkerFrame<Message: Sendable>: Sendable {
    /// Ties a reply to its request.
    public var number: UInt64
    /// The message.
    public var message: Message

    /// A numbered message.
    public init(number: UInt64, _ message: Message) {
        self.number = number
        self.message = message
    }
}

extension WorkerFrame where Message: WireCodable {
    /// The frame's bytes, without a length.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 512)
        writer.integer(WorkerProtocol.version)
        writer.integer(number)
        message.encode(to: &writer)
        return writer.bytes
    }

    /// Reads a frame's bytes.
    /// - Throws: ``AdapterError`` for another version, malformed content or bytes left over.
    public init(decoding bytes: [UInt8]) throws(AdapterError) {
        var reader = ByteReader(bytes)
        do {
            let version = try reader.integer(UInt8.self)
            guard version == WorkerProtocol.version else {
                throw AdapterError.unsupportedVersion(version, of: "a worker message")
            }
            number = try reader.integer()
            message = try Message(from: &reader)
            try reader.finish()
        } catch let error as AdapterError {
            throw error
        } catch {
            throw .malformed("worker message at byte \(reader.offset)")
        }
    }
}

/// Constants of the messages between manager and worker.
public enum WorkerProtocol {
    /// First byte of each message.
    public static let version: UInt8 = 2
}

extension WorkerRequest: WireCodable {
    /// Appends kind and content.
    public func encode(to writer: inout ByteWriter) {
        switch self {
        case .open(let adapters):
            writer.integer(0 as UInt8)
            writer.values(adapters)
        case .execute(let endpoint, let batch):
            writer.head(1, endpoint)
            batch.encode(to: &writer)
        case .apply(let endpoint, let id, let writes):
            writer.head(2, endpoint)
            id.encode(to: &writer)
            writes.encode(to: &writer)
        case .commit(let id):
            writer.integer(3 as UInt8)
            id.encode(to: &writer)
        case .rollback(let id):
            writer.integer(4 as UInt8)
            id.encode(to: &writer)
        case .query(let endpoint, let query):
            writer.head(5, endpoint)
            query.encode(to: &writer)
        case .finish(let endpoint, let token, let outcomes):
            writer.head(6, endpoint)
            writer.integer(token)
            writer.values(outcomes)
        case .resume(let endpoint, let token, let entries):
            writer.head(7, endpoint)
            writer.integer(token)
            writer.values(entries)
        case .discard(let endpoint, let token):
            writer.head(8, endpoint)
            writer.integer(token)
        case .beginRestore(let endpoint):
            writer.head(9, endpoint)
        case .restore(let endpoint, let part):
            writer.head(10, endpoint)
            part.encode(to: &writer)
        case .endRestore(let endpoint, let id):
            writer.head(11, endpoint)
            id.encode(to: &writer)
        case .called(let endpoint, let token, let answers):
            writer.head(12, endpoint)
            writer.integer(token)
            writer.values(answers)
        case .measure:
            writer.integer(20 as UInt8)
        }
    }

    /// Reads kind and content.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0: self = .open(try reader.values(limit: AdapterLimits.adaptersMax))
        case 1: self = .execute(endpoint: try reader.name(), try .init(from: &reader))
        case 2: self = .apply(endpoint: try reader.name(), id: try .init(from: &reader), try .init(from: &reader))
        case 3: self = .commit(try .init(from: &reader))
        case 4: self = .rollback(try .init(from: &reader))
        case 5: self = .query(endpoint: try reader.name(), try .init(from: &reader))
        case 6:
            self = .finish(
                endpoint: try reader.name(), token: try reader.integer(),
                try reader.values(limit: AdapterLimits.submissionsMax))
        case 7:
            self = .resume(
                endpoint: try reader.name(), token: try reader.integer(),
                try reader.values(limit: AdapterLimits.historyEntriesMax))
        case 8: self = .discard(endpoint: try reader.name(), token: try reader.integer())
        case 9: self = .beginRestore(endpoint: try reader.name())
        case 10: self = .restore(endpoint: try reader.name(), try .init(from: &reader))
        case 11: self = .endRestore(endpoint: try reader.name(), try .init(from: &reader))
        case 12:
            self = .called(
                endpoint: try reader.name(), token: try reader.integer(),
                try reader.values(limit: AdapterLimits.outsideCallsMax))
        case 20: self = .measure
        default: throw .invalid(at: at)
        }
    }
}

extension WorkerReply: WireCodable {
    /// Appends kind and content.
    public func encode(to writer: inout ByteWriter) {
        switch self {
        case .opened(let versions):
            writer.integer(0 as UInt8)
            writer.list(versions) { $0.text($1) }
        case .executed(let result):
            writer.integer(1 as UInt8)
            result.encode(to: &writer)
        case .answer(let reply):
            writer.integer(2 as UInt8)
            reply.encode(to: &writer)
        case .done:
            writer.integer(3 as UInt8)
        case .failed(let reason):
            writer.integer(4 as UInt8)
            writer.text(reason)
        case .measured(let nanoseconds):
            writer.integer(20 as UInt8)
            writer.list(nanoseconds) { $0.integer($1) }
        }
    }

    /// Reads kind and content.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0:
            self = .opened(
                versions: try reader.list(limit: AdapterLimits.adaptersMax) { reader throws(ByteReaderError) in
                    try reader.name()
                })
        case 1: self = .executed(try .init(from: &reader))
        case 2: self = .answer(try .init(from: &reader))
        case 3: self = .done
        case 4: self = .failed(try reader.text())
        case 20:
            self = .measured(
                try reader.list(limit: 64) { reader throws(ByteReaderError) in try reader.integer(UInt64.self) })
        default: throw .invalid(at: at)
        }
    }
}

extension ByteWriter {
    /// Appends a request's kind and endpoint.
    fileprivate mutating func head(_ kind: UInt8, _ endpoint: String) {
        integer(kind)
        text(endpoint)
    }
}
