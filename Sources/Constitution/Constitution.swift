public import Attestation
internal import Primitives
public import Store

/// A network's constitution in force: a document without problems, and the id of the network that it is of.
///
/// It is made from a genesis, and from then on read back from the administrative maps of the ledger, where later
/// proposals change single entries.
public struct Constitution: Sendable {
    /// The content, its lists sorted.
    public let document: ConstitutionDocument
    /// SHA-256 of the genesis file, 64 lower-case hexadecimal digits: the same for the whole life of the network.
    public let networkID: String
    private let directory: ActorDirectory

    /// The constitution that an accepted proposal makes of another.
    init(document: ConstitutionDocument, networkID: String) throws(ConstitutionError) {
        try self.init(validating: document, networkID: networkID)
    }

    private init(validating document: ConstitutionDocument, networkID: String?) throws(ConstitutionError) {
        let document = document.sorted()
        if let problem = document.problems().first { throw problem }
        if !document.unknown.isEmpty {
            // What this build does not know must not stand where it knows something.
            let read = try ConstitutionDocument(reading: WriteSet(document.mapWrites()))
            guard read == document else { throw .malformed("unknown", "an entry in the place of one that is known") }
        }
        let genesis = GenesisFile.encode(document)
        guard genesis.count <= GenesisFile.byteCountMax else {
            throw .outOfRange("genesis", "a constitution of \(genesis.count) bytes, over \(GenesisFile.byteCountMax)")
        }
        self.document = document
        self.networkID = networkID ?? GenesisFile.digest(genesis)
        directory = ActorDirectory(document.actors)
    }

    /// The constitution that a network starts with.
    /// - Throws: the first of ``ConstitutionDocument/problems()``.
    public init(genesis document: ConstitutionDocument) throws(ConstitutionError) {
        try self.init(validating: document, networkID: nil)
    }

    /// Reads a genesis file, which must be in its one canonical form.
    /// - Throws: ``ConstitutionError``.
    public init(genesis bytes: [UInt8]) throws(ConstitutionError) {
        try self.init(validating: GenesisFile.decode(bytes), networkID: nil)
    }

    /// Reads the constitution back from the administrative maps.
    /// - Throws: ``ConstitutionError``.
    public init(reading maps: some AdministrativeMaps) throws(ConstitutionError) {
        let document = try ConstitutionDocument(reading: maps)
        try self.init(validating: document, networkID: Self.networkID(in: maps))
    }

    /// Reads a constitution that stands in the form of a genesis file, but is a later version of its network's.
    /// - Parameter networkID: the network's id, which only a genesis has in itself.
    /// - Throws: ``ConstitutionError``.
    public init(file bytes: [UInt8], networkID: String) throws(ConstitutionError) {
        guard Self.isNetworkID(networkID) else { throw .malformed("network", "an id has 64 hexadecimal digits") }
        try self.init(validating: GenesisFile.decode(bytes), networkID: networkID)
    }

    /// What a node knows of a network before it has seen its constitution: the id and nothing else. Nobody is an actor of
    /// it and no node is listed.
    public init(unknownTo networkID: String) {
        document = ConstitutionDocument(name: "")
        self.networkID = networkID
        directory = ActorDirectory([])
    }

    /// Whether it is more than a network's id.
    public var isKnown: Bool { !document.nodes.isEmpty }

    /// The genesis file of this content. Its SHA-256 is the network id only while the constitution is the genesis.
    public var genesisFile: [UInt8] { GenesisFile.encode(document) }

    /// SHA-256 of the content in hexadecimal: what an owner approves before its node downloads anything. Equal to the
    /// network id as long as nothing was changed.
    public var digest: String { GenesisFile.digest(genesisFile) }

    /// Writes that fill the administrative maps, all of them private: what a founder puts into the first entry.
    public func writeSet() -> WriteSet {
        var writer = ByteWriter(capacity: 128)
        writer.integer(UInt8(1))
        writer.text(networkID)
        return WriteSet(
            document.mapWrites() + [
                MapWrites(name: ConstitutionMaps.network, writes: [.init(key: Self.idKey, value: writer.bytes)])
            ])
    }

    private static let idKey = Array("id".utf8)

    private static func networkID(in maps: some AdministrativeMaps) throws(ConstitutionError) -> String {
        let path = "\(ConstitutionMaps.network)[id]"
        guard let value = maps.entries(ofMap: ConstitutionMaps.network).first(where: { $0.key == idKey })?.value else {
            throw .missing(path, "the network's id is not there")
        }
        do {
            var reader = ByteReader(value)
            guard try reader.integer(UInt8.self) == 1 else {
                throw ConstitutionError.unsupported(path, "a value of another version")
            }
            let id = try reader.text(limit: 64)
            try reader.finish()
            guard isNetworkID(id) else { throw ConstitutionError.malformed(path, "an id has 64 hexadecimal digits") }
            return id
        } catch let error as ConstitutionError { throw error } catch {
            throw .malformed(path, "the value can't be read: \(error)")
        }
    }

    /// Whether a text has the form of a network id: 64 lower-case hexadecimal digits.
    public static func isNetworkID(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    // MARK: Actors

    /// The actor that a client's certificates stand for: its own certificate, or one that leads to its organisation's.
    /// - Parameters:
    ///   - chain: DER forms, the client's own first, then what it sent along.
    ///   - time: milliseconds since 1970 at which the certificates must be valid.
    /// - Throws: ``ActorRefusal``.
    public func resolveActor(certificateChain chain: [[UInt8]], at time: UInt64) throws(ActorRefusal) -> Actor {
        try directory.actor(chain, at: time)
    }

    /// As ``resolveActor(certificateChain:at:)``, nil for nobody.
    public func actor(forCertificateChain chain: [[UInt8]], at time: UInt64) -> Actor? {
        try? directory.actor(chain, at: time)
    }

    /// The actor of an id.
    public func actor(_ id: ActorID) -> Actor? { directory.actor(id) }

    /// Whether an actor may transact now; false for an id that is nobody's (any more).
    public func mayTransact(_ id: ActorID) -> Bool { actor(id)?.mayTransact ?? false }

    /// Whether an actor governs now.
    public func isMember(_ id: ActorID) -> Bool { actor(id)?.isMember ?? false }

    // MARK: Nodes

    /// The listed node of an id.
    public func node(_ nodeID: String) -> NodeEntry? { document.nodes.first { $0.nodeID == nodeID } }

    /// By what nodes judge each other.
    public var admissionPolicy: AdmissionPolicy {
        AdmissionPolicy(
            networkID: networkID,
            nodes: document.nodes.map { .init(nodeID: $0.nodeID, owner: $0.owner, publicKey: $0.publicKey) },
            code: document.code, tee: document.tee)
    }
}

extension Constitution: Hashable {
    /// Equal content of the same network.
    public static func == (left: Self, right: Self) -> Bool {
        left.networkID == right.networkID && left.document == right.document
    }

    /// Hashes the network and the content.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(networkID)
        hasher.combine(document)
    }
}
