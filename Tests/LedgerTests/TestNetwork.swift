import Identity
import Ledger
import Primitives
import Store

/// A small seeded generator, so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// A network of a few nodes that writes a ledger without consensus: what the manager does, in small.
struct TestNetwork {
    static let networkID = Array("test network".utf8)
    static let now: UInt64 = 1_790_000_000_000
    static let year: UInt64 = 31_536_000_000

    let serviceKey: SigningKey
    let service: X509Certificate
    let nodeKeys: [SigningKey]
    let nodes: [X509Certificate]
    let session: SessionKey
    var tree = MerkleTree()
    var view: UInt64 = 2
    var leader = 0
    var bootNonce: UInt8 = 1
    var entries: [LedgerEntry] = []
    var signatures: [RootSignature] = []
    var lastSignature: UInt64 = 0

    init(nodeCount: Int = 3) throws {
        serviceKey = try SigningKey(rawRepresentation: [UInt8](repeating: 0x51, count: 32))
        service = try .selfSigned(
            CertificateRequest(
                commonName: "Test Service", purpose: .authority(pathLength: 0), serial: [1], notBefore: Self.now,
                notAfter: Self.now + Self.year), key: serviceKey)
        let key = serviceKey
        let issuer = service
        nodeKeys = try (0..<nodeCount).map {
            try SigningKey(rawRepresentation: [UInt8](repeating: UInt8($0 + 1), count: 32))
        }
        nodes = try nodeKeys.map {
            try .issue(
                CertificateRequest(
                    commonName: "Test Node", purpose: .node, serial: [2], notBefore: Self.now,
                    notAfter: Self.now + Self.year, alternativeNames: [.ip([127, 0, 0, 1])]),
                for: $0.publicKey, issuer: issuer, issuerKey: key)
        }
        session = try SessionKey(epoch: 1, bytes: [UInt8](repeating: 0x77, count: 32))
    }

    var nextID: TransactionID { TransactionID(view: view, seqno: tree.count) }

    func nodeID(_ index: Int) -> String { nodeKeys[index].publicKey.id }

    func cipher() throws -> EntryCipher {
        try EntryCipher(
            session: session, networkID: Self.networkID,
            leadership: Leadership(
                epoch: 1, view: view, nodeID: nodeKeys[leader].publicKey.digest,
                bootNonce: [UInt8](repeating: bootNonce, count: 16)))
    }

    /// Another node leads, in a later view.
    mutating func changeLeader(to index: Int) {
        leader = index
        view += 1
        bootNonce += 1
    }

    @discardableResult
    mutating func append(
        _ tables: WriteSet = WriteSet(), compartments: [Compartment] = [], claims: Bytes32 = .zero,
        flags: EntryFlags = []
    ) throws -> LedgerEntry {
        let contents = EntryContents(id: nextID, flags: flags, tables: tables, claimsDigest: claims)
        return add(try cipher().seal(contents, compartments: compartments))
    }

    @discardableResult
    mutating func sign(flags: EntryFlags = []) throws -> LedgerEntry {
        let signature = try RootSignature.sign(
            tree, id: nextID, nodeKey: nodeKeys[leader], nodeCertificate: nodes[leader], serviceKey: serviceKey,
            claims: .init(issuer: "test.example", subject: "ledger", issuedAt: 1_790_000_000))
        let tables = signature.tables(tree: tree.serialized(from: lastSignature))
        lastSignature = nextID.seqno
        signatures.append(signature)
        return add(try cipher().publicEntry(EntryContents(id: signature.id, flags: flags, tables: tables)))
    }

    private mutating func add(_ entry: LedgerEntry) -> LedgerEntry {
        tree.append(entry.leaf)
        entries.append(entry)
        return entry
    }

    /// Genesis, the service's opening and all nodes' joins, signed.
    mutating func start() throws {
        try append(ServiceTables.genesis(service: service, nodeID: nodeID(0), node: nodes[0]))
        try sign()
        var writes = WriteSet()
        ServiceTables.setService(.open, certificate: service, in: &writes)
        for index in 1..<nodes.count {
            ServiceTables.setNode(nodeID(index), .trusted, in: &writes)
            ServiceTables.endorse(nodeID(index), certificate: nodes[index], in: &writes)
        }
        try append(writes)
        try sign()
    }

    /// A compartment with random writes.
    static func compartment(_ random: inout SplitMix, readers: String = "bank-a|bank-b") -> Compartment {
        Compartment(
            readers: Array(readers.utf8),
            writes: WriteSet([
                MapWrites(
                    name: "accounts",
                    writes: (0..<4).map { _ in .init(key: random.bytes(20), value: random.bytes(40)) })
            ]))
    }

    /// The ledger in chunk files.
    func files(chunkByteCount: Int, commit: UInt64? = nil) throws -> MemoryLedgerStorage {
        var files = try LedgerFiles(opening: MemoryLedgerStorage(), chunkByteCount: chunkByteCount)
        try files.append(entries)
        try files.sync()
        try files.commit(to: commit ?? lastSignature)
        return files.storage
    }

    static func verify(_ storage: MemoryLedgerStorage, trusted: X509Certificate? = nil) -> LedgerReport {
        LedgerVerifier.verify(files: Array(storage.files.keys), trusted: trusted) { storage.files[$0] ?? [] }
    }
}

/// A ledger of several views, chunks and compartments, with a batch at each data entry.
func mixedLedger(entryCount: Int = 30, seed: UInt64 = 1) throws -> TestNetwork {
    var random = SplitMix(state: seed)
    var network = try TestNetwork()
    try network.start()
    for index in 0..<entryCount {
        if index % 10 == 9 { network.changeLeader(to: (index / 10 + 1) % 3) }
        let digests = (0..<index % 5 + 1).map { _ in Bytes32(random.bytes(32)) ?? .zero }
        let batch = try BatchTree(seed: network.cipher().batchSeed(network.nextID), digests: digests)
        try network.append(
            compartments: (0..<index % 3).map { _ in TestNetwork.compartment(&random) }, claims: batch.claimsDigest)
        if index % 4 == 3 { try network.sign() }
    }
    try network.sign()
    return network
}
