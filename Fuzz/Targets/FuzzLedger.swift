import Identity
import Ledger
import Primitives
import Store

/// A small ledger of one node, whose files are the seeds of the ledger's targets.
struct FuzzLedger {
    static let networkID = Array("fuzz network".utf8)

    let serviceKey: SigningKey
    let service: X509Certificate
    let nodeKey: SigningKey
    let node: X509Certificate
    let session: SessionKey
    let cipher: EntryCipher
    let batch: BatchTree
    private(set) var tree = MerkleTree()
    private(set) var entries: [LedgerEntry] = []
    private(set) var signatures: [RootSignature] = []

    init() throws {
        serviceKey = try FuzzKeys.key(1)
        service = try FuzzKeys.authority()
        nodeKey = try FuzzKeys.key(2)
        node = try FuzzKeys.issued("node", .node)
        session = try SessionKey(epoch: 1, bytes: [UInt8](repeating: 0x77, count: 32))
        cipher = try EntryCipher(
            session: session, networkID: Self.networkID,
            leadership: Leadership(
                epoch: 1, view: 2, nodeID: nodeKey.publicKey.digest, bootNonce: [UInt8](repeating: 1, count: 16)))
        batch = BatchTree(
            seed: cipher.batchSeed(TransactionID(view: 2, seqno: 3)),
            digests: (0..<3).map { Bytes32([UInt8](repeating: UInt8($0), count: 32)) ?? .zero })
        try append(ServiceTables.genesis(service: service, nodeID: nodeKey.publicKey.id, node: node))
        try sign()
        try append(Self.publicWrites, [Self.compartment], claims: batch.claimsDigest)
        try sign()
    }

    static let publicWrites = WriteSet([
        MapWrites(name: "public:a", writes: [.init(key: [1], value: [2, 3])], removes: [[4]]),
        MapWrites(name: "public:b", writes: [.init(key: [], value: [])]),
    ])

    static let compartment = Compartment(
        readers: Array("bank-a".utf8),
        writes: WriteSet([MapWrites(name: "accounts", writes: [.init(key: [1], value: [9, 9])])]))

    private var next: TransactionID { TransactionID(view: 2, seqno: tree.count) }

    private mutating func append(
        _ tables: WriteSet, _ compartments: [Compartment] = [], claims: Bytes32 = .zero
    ) throws {
        add(
            try cipher.seal(
                EntryContents(id: next, tables: tables, claimsDigest: claims), compartments: compartments))
    }

    private mutating func sign() throws {
        let signature = try RootSignature.sign(
            tree, id: next, nodeKey: nodeKey, nodeCertificate: node, serviceKey: serviceKey,
            claims: .init(issuer: "fuzz.example", subject: "ledger", issuedAt: 1_790_000_000))
        signatures.append(signature)
        add(try cipher.publicEntry(EntryContents(id: next, tables: signature.tables(tree: tree.serialized(from: 0)))))
    }

    private mutating func add(_ entry: LedgerEntry) {
        tree.append(entry.leaf)
        entries.append(entry)
    }

    /// The entries as one chunk file, with its table unless it is open.
    func chunk(isOpen: Bool = false) -> [UInt8] {
        var body: [UInt8] = []
        var positions: [UInt32] = []
        for entry in entries {
            positions.append(UInt32(ChunkLayout.headerByteCount + body.count))
            body += entry.bytes
        }
        let end = UInt64(ChunkLayout.headerByteCount + body.count)
        return ChunkLayout.header(tableOffset: isOpen ? 0 : end) + body + (isOpen ? [] : ChunkLayout.table(positions))
    }

    /// What makes the leaf of the entry with the batch.
    var components: LeafComponents {
        LeafComponents(
            writeSetDigest: entries[2].writeSetDigest, commitEvidence: cipher.commitEvidence(entries[2].id),
            claimsDigest: batch.claimsDigest)
    }

    /// A receipt for a transaction of the batch, in both forms.
    func receipts() throws -> (json: [UInt8], cose: [UInt8]) {
        guard
            let json = Receipt(
                tree: tree, seqno: 3, components: components, signature: signatures[1], batch: batch.proof(1)),
            let cose = CoseReceipt(
                tree: tree, seqno: 3, components: components, signature: signatures[1], batch: batch.proof(1))
        else { throw FuzzFinding("no receipt") }
        return (json.json.serialized(), cose.encoded())
    }

    /// A snapshot file after the last entry; `receipt` is what follows it.
    func snapshot(receipt: [UInt8] = []) throws -> [UInt8] {
        let key = try SnapshotKey(
            session: session, networkID: Self.networkID, seqno: 4, nonce: [UInt8](repeating: 4, count: 16))
        var writer = try SnapshotWriter(
            id: TransactionID(view: 2, seqno: 4), leaf: entries[3].leaf, viewHistory: [1, 1],
            publicState: WriteSet(Self.publicWrites.maps.map { MapWrites(name: $0.name, writes: $0.writes) }), key: key)
        var bytes = writer.head
        bytes += try writer.frame(Self.compartmentState, isLast: true)
        bytes.replaceSubrange(0..<8, with: writer.framing())
        return bytes + receipt
    }

    private static let compartmentState = WriteSet([
        MapWrites(name: "accounts", writes: [.init(key: [1], value: [9, 9])])
    ])
}
