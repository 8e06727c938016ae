public import Primitives

private let idBytesMax = 256

extension LogPosition {
    /// Appends view and seqno.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(view)
        writer.integer(seqno)
    }

    init(_ reader: inout ByteReader) throws(ByteReaderError) {
        self.init(view: try reader.integer(), seqno: try reader.integer())
    }
}

extension Vote {
    func encode(to writer: inout ByteWriter) {
        switch self {
        case .free: writer.integer(UInt8(0))
        case .spent: writer.integer(UInt8(1))
        case .given(let id):
            writer.integer(UInt8(2))
            writer.text(id)
        }
    }

    init(decoding reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0: self = .free
        case 1: self = .spent
        case 2: self = .given(try reader.text(limit: idBytesMax))
        default: throw .invalid(at: at)
        }
    }
}

extension HardState {
    /// Appends the binary form, which starts with a version, for the sealed file.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(UInt8(2))
        writer.integer(view)
        vote.encode(to: &writer)
        committed.encode(to: &writer)
        writer.optional(claim) { $1.encode(to: &$0) }
    }

    /// Reads a binary form: this version or the first, which had neither the view of the committed entry nor a claim.
    /// - Throws: `ByteReaderError`.
    public init(decoding reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        let version = try reader.integer(UInt8.self)
        guard version == 1 || version == 2 else { throw .invalid(at: at) }
        self.init(view: try reader.integer(), vote: try Vote(decoding: &reader))
        guard version == 2 else {
            committed.seqno = try reader.integer()
            return
        }
        committed = try LogPosition(&reader)
        claim = try reader.optional { reader throws(ByteReaderError) in try RestartClaim(decoding: &reader) }
    }
}

extension RestartClaim {
    func encode(to writer: inout ByteWriter) {
        writer.integer(view)
        vote.encode(to: &writer)
        last.encode(to: &writer)
    }

    init(decoding reader: inout ByteReader) throws(ByteReaderError) {
        self.init(view: try reader.integer(), vote: try Vote(decoding: &reader), last: try LogPosition(&reader))
    }
}

extension Acknowledgement {
    func encode(to writer: inout ByteWriter) {
        writer.text(peer)
        position.encode(to: &writer)
    }

    init(decoding reader: inout ByteReader) throws(ByteReaderError) {
        self.init(peer: try reader.text(limit: idBytesMax), position: try LogPosition(&reader))
    }
}

extension Configuration {
    /// Appends the binary form, which starts with a version.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(UInt8(1))
        switch policy {
        case .majority: writer.integer(UInt8(0))
        case .flexible(let replication, let election):
            writer.integer(UInt8(1))
            writer.integer(UInt16(clamping: replication))
            writer.integer(UInt16(clamping: election))
        case .replication(let replication):
            writer.integer(UInt8(2))
            writer.integer(UInt16(clamping: replication))
        }
        writer.integer(settled)
        writer.list(voters) { $0.text($1) }
        writer.list(learners) { $0.text($1) }
    }

    /// Reads a binary form and checks it as ``init(voters:learners:policy:settled:)`` does.
    /// - Throws: ``ConsensusError`` or `ByteReaderError`.
    public init(decoding reader: inout ByteReader) throws {
        guard try reader.integer(UInt8.self) == 1 else { throw ConsensusError.configuration("unknown version") }
        let policy: QuorumPolicy
        switch try reader.integer(UInt8.self) {
        case 0: policy = .majority
        case 1:
            policy = .flexible(
                replication: Int(try reader.integer(UInt16.self)), election: Int(try reader.integer(UInt16.self)))
        case 2: policy = .replication(Int(try reader.integer(UInt16.self)))
        default: throw ConsensusError.configuration("unknown quorum policy")
        }
        let settled = try reader.integer(UInt64.self)
        let voters = try reader.list(limit: Self.nodesMax) { reader throws(ByteReaderError) in
            try reader.text(limit: idBytesMax)
        }
        let learners = try reader.list(limit: Self.nodesMax) { reader throws(ByteReaderError) in
            try reader.text(limit: idBytesMax)
        }
        try self.init(voters: voters, learners: learners, policy: policy, settled: settled)
        // One configuration has one byte form: names in their order.
        for (written, read) in [(self.voters, voters), (self.learners, learners)] {
            guard written.elementsEqual(read, by: { $0.utf8.elementsEqual($1.utf8) }) else {
                throw ConsensusError.configuration("nodes are not in their order")
            }
        }
    }
}
