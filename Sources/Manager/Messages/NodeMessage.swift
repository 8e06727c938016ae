public import AdapterKit
public import Ledger
public import Primitives

/// What validating nodes say to each other on an attested channel.
public enum NodeMessage: Sendable {
    /// A message of the consensus protocol, in its own codec.
    case consensus([UInt8])
    /// Writes that a client asked of a node that does not lead; answered by `.decided`, unless the sender goes on to
    /// another primary. `number` is the sender's.
    case forward(number: UInt64, endpoint: String, [Submission])
    /// The outcomes of a forwarded request, in its order.
    case decided(number: UInt64, [SubmissionOutcome])
    /// The receiver does not lead, or can't take more now; the sender decides what to tell its client.
    case declined(number: UInt64, Decline)
    /// A node that is not part of the network yet asks to be let in.
    case join(JoinRequest)
    /// What a new node needs to take part.
    case welcome(JoinGrant)
    /// Why a node is not let in now; it may ask again.
    case refused(reason: String, primary: String?)
    /// The primary has this snapshot for a node that needs what is not in the ledger any more.
    case snapshotOffer(SnapshotListing)
    /// A node wants the part of a snapshot's file that begins at an offset, of so many bytes.
    case snapshotPull(SnapshotName, offset: UInt64, byteCount: UInt32)
    /// That part.
    case snapshotPart(SnapshotName, offset: UInt64, [UInt8])
    /// There is no such snapshot any more.
    case snapshotGone(SnapshotName)
    /// The snapshot that was offered can't be used.
    case snapshotRefused(SnapshotName)
    /// Whether the sender could lead now: its worker serves and its disk takes writes.
    case fitness(Bool)
    /// A node that lost entries wants these, or those that the receiver has of them.
    case entriesPull(first: UInt64, last: UInt64)
    /// Committed entries from `first` on; none if the receiver can't give any, for the time being or, if `isEnd`, because
    /// nothing from there on is committed.
    case entriesPart(first: UInt64, [[UInt8]], isEnd: Bool)

    /// A governance message that came to a node that does not lead; answered by `.governed` or `.declined`.
    case govern(number: UInt64, GovernanceCall)
    /// The primary's answer to it.
    case governed(number: UInt64, GovernanceAnswer)
    /// A joiner asks what constitution is in force; `known` is the digest of the one that it has, or empty.
    case constitutionWanted(known: String)
    /// That constitution in the form of a genesis file; empty when it is the one that was named.
    case constitution([UInt8])

    /// Why a forwarded request was not taken.
    public enum Decline: UInt8, Sendable {
        /// The receiver does not lead.
        case notPrimary = 0
        /// Its queue is full.
        case busy = 1
    }

    /// Bytes of one message at most; above the largest entry, below what would strain memory.
    public static let bytesMax = 64 << 20
    /// Bytes of one part of a snapshot at most.
    public static let snapshotPartBytesMax = 1 << 20
    /// About so many bytes of entries are given at a time; one larger entry goes alone.
    static let entriesByteCount = 1 << 20
    /// More of the smallest entries than fit ``entriesByteCount``.
    static let entriesCountMax: UInt32 = 1 << 15
    static let version: UInt8 = 2

    /// The message's bytes, version first.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.integer(Self.version)
        switch self {
        case .consensus(let bytes):
            writer.integer(0 as UInt8)
            writer.raw(bytes)
        case .forward(let number, let endpoint, let submissions):
            writer.integer(1 as UInt8)
            writer.integer(number)
            writer.text(endpoint)
            writer.values(submissions)
        case .decided(let number, let outcomes):
            writer.integer(2 as UInt8)
            writer.integer(number)
            writer.values(outcomes)
        case .declined(let number, let why):
            writer.integer(3 as UInt8)
            writer.integer(number)
            writer.integer(why.rawValue)
        case .join(let request):
            writer.integer(4 as UInt8)
            request.encode(to: &writer)
        case .welcome(let grant):
            writer.integer(5 as UInt8)
            grant.encode(to: &writer)
        case .refused(let reason, let primary):
            writer.integer(6 as UInt8)
            writer.text(reason)
            writer.optional(primary) { $0.text($1) }
        case .snapshotOffer(let listing):
            writer.integer(7 as UInt8)
            writer.snapshot(listing.name)
            writer.integer(listing.byteCount)
        case .snapshotPull(let name, let offset, let byteCount):
            writer.integer(8 as UInt8)
            writer.snapshot(name)
            writer.integer(offset)
            writer.integer(byteCount)
        case .snapshotPart(let name, let offset, let bytes):
            writer.integer(9 as UInt8)
            writer.snapshot(name)
            writer.integer(offset)
            writer.blob(bytes)
        case .snapshotGone(let name):
            writer.integer(10 as UInt8)
            writer.snapshot(name)
        case .snapshotRefused(let name):
            writer.integer(11 as UInt8)
            writer.snapshot(name)
        case .fitness(let isFit):
            writer.integer(12 as UInt8)
            writer.integer(isFit ? 1 : 0 as UInt8)
        case .entriesPull(let first, let last):
            writer.integer(13 as UInt8)
            writer.integer(first)
            writer.integer(last)
        case .entriesPart(let first, let entries, let isEnd):
            writer.integer(14 as UInt8)
            writer.integer(first)
            writer.integer(isEnd ? 1 : 0 as UInt8)
            writer.integer(UInt32(entries.count))
            for entry in entries { writer.blob(entry) }
        case .govern(let number, let call):
            writer.integer(20 as UInt8)
            writer.integer(number)
            call.encode(to: &writer)
        case .governed(let number, let answer):
            writer.integer(21 as UInt8)
            writer.integer(number)
            answer.encode(to: &writer)
        case .constitutionWanted(let known):
            writer.integer(22 as UInt8)
            writer.text(known)
        case .constitution(let bytes):
            writer.integer(23 as UInt8)
            writer.blob(bytes)
        }
        return writer.bytes
    }

    /// Reads a message.
    /// - Throws: ``ByteReaderError`` for another version, malformed content or bytes left over.
    public init(decoding bytes: [UInt8]) throws(ByteReaderError) {
        var reader = ByteReader(bytes)
        guard try reader.integer(UInt8.self) == Self.version else { throw .invalid(at: 0) }
        switch try reader.integer(UInt8.self) {
        case 0:
            self = .consensus(Array(bytes[reader.offset...]))
            return
        case 1:
            self = .forward(
                number: try reader.integer(), endpoint: try reader.text(limit: AdapterLimits.nameBytesMax),
                try reader.values(limit: AdapterLimits.submissionsMax))
        case 2:
            self = .decided(
                number: try reader.integer(), try reader.values(limit: AdapterLimits.submissionsMax))
        case 3:
            let number = try reader.integer(UInt64.self)
            guard let why = Decline(rawValue: try reader.integer()) else { throw .invalid(at: reader.offset - 1) }
            self = .declined(number: number, why)
        case 4: self = .join(try .init(from: &reader))
        case 5: self = .welcome(try .init(from: &reader))
        case 6:
            self = .refused(
                reason: try reader.text(limit: 4_096),
                primary: try reader.optional { reader throws(ByteReaderError) in try reader.text(limit: 256) })
        case 7:
            self = .snapshotOffer(SnapshotListing(name: try reader.snapshot(), byteCount: try reader.integer()))
        case 8:
            self = .snapshotPull(
                try reader.snapshot(), offset: try reader.integer(), byteCount: try reader.integer())
        case 9:
            self = .snapshotPart(
                try reader.snapshot(), offset: try reader.integer(),
                try reader.blob(limit: NodeMessage.snapshotPartBytesMax))
        case 10: self = .snapshotGone(try reader.snapshot())
        case 11: self = .snapshotRefused(try reader.snapshot())
        case 12:
            let isFit = try reader.integer(UInt8.self)
            guard isFit <= 1 else { throw .invalid(at: reader.offset - 1) }
            self = .fitness(isFit == 1)
        case 13: self = .entriesPull(first: try reader.integer(), last: try reader.integer())
        case 14:
            let first = try reader.integer(UInt64.self)
            let isEnd = try reader.integer(UInt8.self)
            guard isEnd <= 1 else { throw .invalid(at: reader.offset - 1) }
            var entries: [[UInt8]] = []
            let count = try reader.integer(UInt32.self)
            guard count <= Self.entriesCountMax else { throw .invalid(at: reader.offset - 4) }
            for _ in 0..<count {
                entries.append(try reader.blob(limit: NodeMessage.bytesMax))
            }
            self = .entriesPart(first: first, entries, isEnd: isEnd == 1)
        case 20: self = .govern(number: try reader.integer(), try .init(from: &reader))
        case 21: self = .governed(number: try reader.integer(), try .init(from: &reader))
        case 22: self = .constitutionWanted(known: try reader.text(limit: 64))
        case 23: self = .constitution(try reader.blob(limit: 16 << 20))
        default: throw .invalid(at: 1)
        }
        try reader.finish()
    }
}

extension ByteWriter {
    fileprivate mutating func snapshot(_ name: SnapshotName) {
        integer(name.seqno)
        integer(name.evidence)
    }
}

extension ByteReader {
    fileprivate mutating func snapshot() throws(ByteReaderError) -> SnapshotName {
        let at = offset
        let name = SnapshotName(seqno: try integer(), evidence: try integer())
        guard name.seqno > 0, name.seqno < name.evidence else { throw .invalid(at: at) }
        return name
    }
}

/// A validating node's wish to take part. Who it is, the attested channel has shown.
public struct JoinRequest: Sendable, Hashable {
    /// The node's TLS address for other nodes, `host:port`, as its owner signed it.
    public var address: String
    /// Its certificate signing request's public part: the node key, SPKI DER; must be the channel's.
    public var publicKey: [UInt8]
    /// Digest of the constitution that its owner approved.
    public var constitution: String

    /// A wish to join.
    public init(address: String, publicKey: [UInt8], constitution: String) {
        self.address = address
        self.publicKey = publicKey
        self.constitution = constitution
    }
}

extension JoinRequest: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(address)
        writer.blob(publicKey)
        writer.text(constitution)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        address = try reader.text(limit: 256)
        publicKey = try reader.blob(limit: 4_096)
        constitution = try reader.text(limit: 64)
    }
}

/// The secrets and public facts that make a node part of the network. It travels on attested channels only.
public struct JoinGrant: Sendable, Hashable {
    /// The network's private identity key, raw P-256 scalar.
    public var networkKey: [UInt8]
    /// The network's certificate, PEM.
    public var networkCertificate: String
    /// The joiner's certificate endorsed by the network, PEM.
    public var nodeCertificate: String
    /// Session keys by epoch.
    public var epochKeys: [EpochKey]

    /// A grant.
    public init(networkKey: [UInt8], networkCertificate: String, nodeCertificate: String, epochKeys: [EpochKey]) {
        self.networkKey = networkKey
        self.networkCertificate = networkCertificate
        self.nodeCertificate = nodeCertificate
        self.epochKeys = epochKeys
    }
}

extension JoinGrant: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.blob(networkKey)
        writer.text(networkCertificate)
        writer.text(nodeCertificate)
        writer.values(epochKeys)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        networkKey = try reader.blob(limit: 64)
        networkCertificate = try reader.text(limit: 1 << 16)
        nodeCertificate = try reader.text(limit: 1 << 16)
        epochKeys = try reader.values(limit: 65_536)
    }
}

/// The symmetric session key of one epoch.
public struct EpochKey: Sendable, Hashable {
    /// Number of the epoch, from 1.
    public var epoch: UInt64
    /// 32 secret bytes.
    public var key: [UInt8]

    /// A session key.
    public init(epoch: UInt64, key: [UInt8]) {
        self.epoch = epoch
        self.key = key
    }
}

extension EpochKey: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(epoch)
        writer.blob(key)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        epoch = try reader.integer()
        key = try reader.blob(limit: 32)
    }
}
