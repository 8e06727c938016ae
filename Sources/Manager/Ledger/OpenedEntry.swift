import AdapterKit
import Consensus
import Constitution
import Ledger
import Primitives
import Store

/// An entry as the manager works with it: opened, and told apart by who needs which part.
struct OpenedEntry: Sendable {
    let id: TransactionID
    /// The adapter whose batch it is.
    var endpoint: String?
    /// Writes that the manager itself keeps: public maps and its own private ones.
    var administrative = WriteSet()
    /// Writes for the adapter.
    var application = WriteSet()
    var transactionCount = 0
    /// The maps of a signature entry.
    var signature: WriteSet?
    /// A signature entry after which a snapshot is made.
    var isSnapshotPoint = false
    /// The epoch whose session key sealed it.
    var epoch: UInt64?
    var byteCount = 0
    /// Ledger time in milliseconds, if the entry says one.
    var time: UInt64?

    var isSignature: Bool { signature != nil }

    /// The changes of the private state, and of adapters' public maps, which snapshots seal with it.
    var snapshotChanges: [WriteSet] {
        let own = WriteSet(administrative.maps.filter { !$0.isPublic })
        return [own, application].filter { !$0.isEmpty }
    }

    /// Whether a map belongs to the adapter at an endpoint, whose name has no dot.
    static func isMap(_ name: String, of endpoint: String) -> Bool {
        name.hasPrefix(endpoint + ".") || name.hasPrefix(MapWrites.publicPrefix + endpoint + ".")
    }

    /// Whether the constitution is another afterwards.
    var changesConstitution: Bool { ConstitutionMaps.areTouched(by: administrative) }
}

/// What the manager's own compartment of an entry says about the entry itself.
struct EntryRecord: Sendable, Hashable {
    /// Ledger time in milliseconds since 1970.
    var time: UInt64
    /// The random input of the batch.
    var randomness = Bytes32.zero
    /// The adapter, in the entry of a batch.
    var endpoint: String?
    /// Transactions in the batch.
    var transactionCount: UInt32 = 0

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 96)
        writer.integer(1 as UInt8)
        writer.integer(time)
        randomness.withUnsafeBytes { writer.raw($0) }
        writer.optional(endpoint) { $0.text($1) }
        writer.integer(transactionCount)
        return writer.bytes
    }

    init(time: UInt64, randomness: Bytes32 = .zero, endpoint: String? = nil, transactionCount: UInt32 = 0) {
        self.time = time
        self.randomness = randomness
        self.endpoint = endpoint
        self.transactionCount = transactionCount
    }

    init(decoding bytes: [UInt8]) throws(ByteReaderError) {
        var reader = ByteReader(bytes)
        guard try reader.integer(UInt8.self) == 1 else { throw .invalid(at: 0) }
        time = try reader.integer()
        guard let random = Bytes32(try reader.raw(32)) else { throw .invalid(at: 9) }
        randomness = random
        endpoint = try reader.optional { reader throws(ByteReaderError) in
            try reader.text(limit: AdapterLimits.nameBytesMax)
        }
        transactionCount = try reader.integer()
        try reader.finish()
    }
}

/// Who asked for what: kept private with each batch, for audit and for receipts of single transactions.
struct InputRecord: Sendable, Hashable {
    let actor: ActorID
    let requestID: RequestID?
    let input: [UInt8]
    let claims: [Bytes32]

    init(_ transaction: IncludedTransaction) {
        actor = transaction.actor
        requestID = transaction.requestID
        input = transaction.input
        claims = transaction.claims
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 96 + input.count)
        writer.integer(1 as UInt8)
        writer.text(actor)
        writer.optional(requestID) { $0.blob($1) }
        writer.blob(input)
        writer.list(claims) { writer, claim in claim.withUnsafeBytes { writer.raw($0) } }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(ByteReaderError) {
        var reader = ByteReader(bytes)
        guard try reader.integer(UInt8.self) == 1 else { throw .invalid(at: 0) }
        actor = try reader.text(limit: AdapterLimits.nameBytesMax)
        requestID = try reader.optional { reader throws(ByteReaderError) in
            try reader.blob(limit: AdapterLimits.requestIDBytesMax)
        }
        input = try reader.blob()
        claims = try reader.list(limit: AdapterLimits.claimsMax) { reader throws(ByteReaderError) in
            guard let claim = Bytes32(try reader.raw(32)) else { throw .invalid(at: reader.offset) }
            return claim
        }
        try reader.finish()
    }

    /// What stands for the transaction in the batch's Merkle tree:
    /// SHA-256("entente/v1/transaction" ‖ number of claims, u32 big-endian ‖ claims).
    static func digest(of claims: [Bytes32]) -> Bytes32 {
        var bytes = Array("entente/v1/transaction".utf8)
        withUnsafeBytes(of: UInt32(claims.count).bigEndian) { bytes.append(contentsOf: $0) }
        for claim in claims { claim.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return Digests.sha256(bytes)
    }
}

/// Names of the manager's own maps in an entry.
enum ManagerMaps {
    /// How the names of all private maps begin that the manager itself keeps, those of the constitution included.
    static let prefix = "entente."
    /// What the entry says of itself, under one key.
    static let entry = "entente.entry"
    /// The batch's transactions by index, u32 big-endian.
    static let inputs = "entente.inputs"
    /// What services outside said, by the submission's place in the batch, u32 big-endian.
    static let answers = "entente.answers"
    /// What belongs to its entry alone and not to the state.
    static let ofOneEntry: Set = [inputs, answers]

    static func record(_ record: EntryRecord) -> MapWrites {
        MapWrites(name: entry, writes: [.init(key: Tables.singleton, value: record.encoded())])
    }

    static func inputs(_ transactions: [IncludedTransaction]) -> MapWrites {
        MapWrites(
            name: inputs,
            writes: transactions.enumerated().map { index, transaction in
                .init(key: key(UInt32(index)), value: InputRecord(transaction).encoded())
            })
    }

    static func key(_ index: UInt32) -> [UInt8] {
        withUnsafeBytes(of: index.bigEndian) { Array($0) }
    }
}

/// The configuration that an entry puts in force, readable by everyone who verifies the ledger.
enum ConfigurationMap {
    static let name = "public:entente.consensus.configuration"

    static func writes(_ configuration: Configuration) -> WriteSet {
        var writer = ByteWriter()
        configuration.encode(to: &writer)
        return WriteSet([MapWrites(name: name, writes: [.init(key: Tables.singleton, value: writer.bytes)])])
    }

    static func read(_ tables: WriteSet) throws -> Configuration? {
        guard let bytes = tables[name]?[Tables.singleton] else { return nil }
        var reader = ByteReader(bytes)
        let configuration = try Configuration(decoding: &reader)
        try reader.finish()
        return configuration
    }
}

/// What a snapshot says about itself in a public map, beside the state: the configurations that count there.
enum SnapshotMap {
    static let name = "public:entente.snapshot"

    static func writes(_ configurations: [PlacedConfiguration]) -> MapWrites {
        var writer = ByteWriter()
        writer.integer(1 as UInt8)
        writer.list(configurations) { writer, placed in
            writer.integer(placed.seqno)
            placed.configuration.encode(to: &writer)
        }
        return MapWrites(name: name, writes: [.init(key: Tables.singleton, value: writer.bytes)])
    }

    static func read(_ tables: WriteSet) throws -> [PlacedConfiguration] {
        guard let bytes = tables[name]?[Tables.singleton] else {
            throw ManagerError.ledger("the snapshot names no configuration")
        }
        var reader = ByteReader(bytes)
        guard try reader.integer(UInt8.self) == 1 else { throw ByteReaderError.invalid(at: 0) }
        let placed = try reader.list(limit: 1_024) { reader throws(ByteReaderError) in
            let seqno = try reader.integer(UInt64.self)
            guard let configuration = try? Configuration(decoding: &reader) else {
                throw ByteReaderError.invalid(at: reader.offset)
            }
            return PlacedConfiguration(seqno: seqno, configuration: configuration)
        }
        try reader.finish()
        guard !placed.isEmpty, zip(placed, placed.dropFirst()).allSatisfy({ $0.seqno < $1.seqno }) else {
            throw ByteReaderError.invalid(at: 1)
        }
        return placed
    }
}

/// CCF's public maps about nodes and the service, which independent verifiers read.
enum CCFMaps {
    static func trustedNode(_ id: PeerID, certificate: String, address: String) -> WriteSet {
        let info: JSON = ["status": "Trusted", "node_data": ["address": .string(address)]]
        let key = Array(id.utf8)
        return WriteSet([
            MapWrites(name: Tables.nodes, writes: [.init(key: key, value: info.serialized())]),
            MapWrites(name: Tables.endorsedCertificates, writes: [.init(key: key, value: Array(certificate.utf8))]),
        ])
    }

    static func retiredNode(_ id: PeerID) -> WriteSet {
        let info: JSON = ["status": "Retired"]
        return WriteSet([
            MapWrites(name: Tables.nodes, writes: [.init(key: Array(id.utf8), value: info.serialized())])
        ])
    }

    /// The service's certificate, PEM, in its public entry.
    static func certificate(_ service: [UInt8]) -> String? { (try? JSON(parsing: service))?["cert"]?.string }

    static func service(status: String, certificate: String) -> WriteSet {
        let info: JSON = ["cert": .string(certificate), "status": .string(status)]
        return WriteSet([
            MapWrites(name: Tables.service, writes: [.init(key: Tables.singleton, value: info.serialized())])
        ])
    }
}
