public import Primitives

// Version 2. Integers little-endian; layout is the order of the calls below. A new version gets a new first byte.
extension RaftMessage {
    /// Most entries that one message may carry.
    public static let entriesMax = 65_536
    /// Most bytes of one entry.
    public static let entryBytesMax = 256 << 20

    /// Most configurations that an answer may carry.
    static let configurationsMax = 64

    /// Most acknowledgements that a heartbeat may carry; of more nodes each heartbeat names the next ones.
    static let acknowledgementsMax = 64

    private static let version: UInt8 = 2

    /// The binary form.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: encodedSizeEstimate)
        encode(to: &writer)
        return writer.bytes
    }

    /// Appends the binary form.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(Self.version)
        switch body {
        case .append(let append):
            writer.integer(UInt8(1))
            writer.integer(view)
            append.encode(to: &writer)
        case .appendResponse(let response):
            writer.integer(UInt8(2))
            writer.integer(view)
            writer.bool(response.accepted)
            writer.bool(response.counts)
            writer.integer(response.seqno)
            response.agreement.encode(to: &writer)
            writer.integer(response.round)
            writer.integer(response.attempt)
            writer.integer(response.commit)
        case .voteRequest(let request):
            writer.integer(UInt8(3))
            writer.integer(view)
            writer.bool(request.isPreVote)
            writer.bool(request.isTransfer)
            request.lastSignature.encode(to: &writer)
        case .voteResponse(let response):
            writer.integer(UInt8(4))
            writer.integer(view)
            writer.bool(response.isPreVote)
            writer.integer(response.campaign)
            writer.bool(response.granted)
            response.committed.encode(to: &writer)
            response.settled.encode(to: &writer)
        case .timeoutNow:
            writer.integer(UInt8(5))
            writer.integer(view)
        case .restartQuery(let query):
            writer.integer(UInt8(6))
            writer.integer(view)
            writer.integer(query.start)
            writer.integer(query.nonce)
            query.claim.encode(to: &writer)
            query.last.encode(to: &writer)
        case .restartAnswer(let answer):
            writer.integer(UInt8(7))
            writer.integer(view)
            answer.encode(to: &writer)
        }
    }

    /// Reads a binary form; all of `bytes` must belong to it.
    /// - Throws: ``ConsensusError``.
    public init(decoding bytes: [UInt8]) throws(ConsensusError) {
        var reader = ByteReader(bytes)
        try self.init(decoding: &reader)
        guard reader.remaining == 0 else { throw .message("bytes after its end") }
    }

    /// Reads a binary form from the start of what `reader` has left.
    /// - Throws: ``ConsensusError``.
    public init(decoding reader: inout ByteReader) throws(ConsensusError) {
        do {
            self = try Self.read(&reader)
        } catch let error as ConsensusError {
            throw error
        } catch {
            throw .message("truncated, too large or malformed")
        }
    }

    private static func read(_ reader: inout ByteReader) throws -> RaftMessage {
        guard try reader.integer(UInt8.self) == version else { throw ConsensusError.message("unknown version") }
        let kind = try reader.integer(UInt8.self)
        let view = try reader.integer(UInt64.self)
        let body: Body
        switch kind {
        case 1: body = .append(try AppendEntries(decoding: &reader, view: view))
        case 2:
            body = .appendResponse(
                AppendResponse(
                    accepted: try reader.bool(), counts: try reader.bool(), seqno: try reader.integer(),
                    agreement: try LogPosition(&reader),
                    round: try reader.integer(), attempt: try reader.integer(), commit: try reader.integer()))
        case 3:
            body = .voteRequest(
                VoteRequest(
                    isPreVote: try reader.bool(), isTransfer: try reader.bool(),
                    lastSignature: try LogPosition(&reader)))
        case 4:
            body = .voteResponse(
                VoteResponse(
                    isPreVote: try reader.bool(), campaign: try reader.integer(), granted: try reader.bool(),
                    committed: try LogPosition(&reader), settled: try LogPosition(&reader)))
        case 5: body = .timeoutNow
        case 6:
            body = .restartQuery(
                RestartQuery(
                    start: try reader.integer(), nonce: try reader.integer(),
                    claim: try RestartClaim(decoding: &reader), last: try LogPosition(&reader)))
        case 7: body = .restartAnswer(try RestartAnswer(decoding: &reader))
        default: throw ConsensusError.message("unknown kind")
        }
        return RaftMessage(view: view, body: body)
    }

    private var encodedSizeEstimate: Int {
        guard case .append(let append) = body else { return 96 }
        return append.entries.reduce(64 + append.acknowledged.count * 84) { $0 + $1.bytes.count + 32 }
    }
}

extension AppendEntries {
    func encode(to writer: inout ByteWriter) {
        previous.encode(to: &writer)
        writer.integer(commit)
        writer.integer(round)
        writer.integer(attempt)
        writer.list(acknowledged) { $1.encode(to: &$0) }
        writer.integer(UInt32(truncatingIfNeeded: entries.count))
        for entry in entries {
            writer.integer(entry.view)
            switch entry.kind {
            case .data: writer.integer(UInt8(0))
            case .signature: writer.integer(UInt8(1))
            case .configuration(let configuration):
                writer.integer(UInt8(2))
                configuration.encode(to: &writer)
            }
            writer.blob(entry.bytes)
        }
    }

    init(decoding reader: inout ByteReader, view: UInt64) throws {
        let previous = try LogPosition(&reader)
        let commit = try reader.integer(UInt64.self)
        let round = try reader.integer(UInt64.self)
        let attempt = try reader.integer(UInt64.self)
        let acknowledged = try reader.list(limit: RaftMessage.acknowledgementsMax) { reader throws(ByteReaderError) in
            try Acknowledgement(decoding: &reader)
        }
        let count = Int(try reader.integer(UInt32.self))
        guard count <= RaftMessage.entriesMax, count <= reader.remaining / 13 else {
            throw ConsensusError.message("more entries than bytes")
        }
        guard previous.seqno < UInt64.max - UInt64(RaftMessage.entriesMax) else {
            throw ConsensusError.message("seqno out of range")
        }
        var entries: [LogEntry] = []
        entries.reserveCapacity(count)
        for index in 0..<count {
            let entryView = try reader.integer(UInt64.self)
            let kind: LogEntry.Kind
            switch try reader.integer(UInt8.self) {
            case 0: kind = .data
            case 1: kind = .signature
            case 2: kind = .configuration(try Configuration(decoding: &reader))
            default: throw ConsensusError.message("unknown kind of entry")
            }
            let bytes = try reader.blob(limit: RaftMessage.entryBytesMax)
            entries.append(
                LogEntry(view: entryView, seqno: previous.seqno + 1 + UInt64(index), kind: kind, bytes: bytes))
        }
        self.init(
            previous: previous, entries: entries, commit: commit, round: round, attempt: attempt,
            acknowledged: acknowledged)
        guard isWellFormed(in: view) else { throw ConsensusError.message("views of entries are not in order") }
    }

    /// Seqnos without gaps, views that never fall and stay within the message's, acknowledgements of this view.
    func isWellFormed(in view: UInt64) -> Bool {
        guard previous.seqno < UInt64.max - UInt64(RaftMessage.entriesMax), entries.count <= RaftMessage.entriesMax
        else { return false }
        guard acknowledged.count <= RaftMessage.acknowledgementsMax,
            acknowledged.allSatisfy({ $0.position.view <= view && $0.position.view > 0 && $0.position.seqno > 0 })
        else { return false }
        var last = previous
        guard last.view <= view, last.seqno > 0 || last.view == 0 else { return false }
        for entry in entries {
            guard entry.seqno == last.seqno + 1, entry.view >= last.view, entry.view <= view, entry.view > 0 else {
                return false
            }
            last = entry.position
        }
        return true
    }
}

extension RestartAnswer {
    func encode(to writer: inout ByteWriter) {
        writer.integer(start)
        writer.integer(nonce)
        writer.integer(objection?.rawValue ?? 0)
        writer.bool(isRestarting)
        writer.bool(isLeader)
        writer.bool(hearsLeader)
        writer.bool(hasVoted)
        lastSignature.encode(to: &writer)
        committed.encode(to: &writer)
        writer.list(configurations) {
            $0.integer($1.seqno)
            $1.configuration.encode(to: &$0)
        }
    }

    init(decoding reader: inout ByteReader) throws {
        let start = try reader.integer(UInt64.self)
        let nonce = try reader.integer(UInt64.self)
        let code = try reader.integer(UInt8.self)
        let objection = RollbackReason(rawValue: code)
        guard code == 0 || objection != nil else { throw ConsensusError.message("unknown objection") }
        self.init(
            start: start, nonce: nonce, objection: objection, isRestarting: try reader.bool(),
            isLeader: try reader.bool(), hearsLeader: try reader.bool(), hasVoted: try reader.bool(),
            lastSignature: try LogPosition(&reader), committed: try LogPosition(&reader), configurations: [])
        let count = Int(try reader.integer(UInt32.self))
        guard count <= RaftMessage.configurationsMax, count <= reader.remaining else {
            throw ConsensusError.message("too many configurations")
        }
        for _ in 0..<count {
            configurations.append(
                PlacedConfiguration(
                    seqno: try reader.integer(), configuration: try Configuration(decoding: &reader)))
        }
    }
}
