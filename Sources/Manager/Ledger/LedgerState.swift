import AdapterKit
import Consensus
import Identity
import Ledger
import Primitives
import Store

/// The manager's view of the ledger: the Merkle tree over all entries, the newest entries opened, and the making and
/// checking of entries.
struct LedgerState: Sendable {
    /// Readers of the manager's own compartment: nobody outside of managers.
    static let managerReaders: [UInt8] = [0xFF]
    /// Entries that stay opened in memory after they were committed, for a worker that is a little behind.
    static let recentMax: UInt64 = 64

    private let networkID: [UInt8]
    private(set) var tree = MerkleTree()
    /// What consensus has to know of the log at a restart.
    private(set) var index = LogIndex()
    /// The newest entries, by seqno.
    private(set) var recent: [UInt64: OpenedEntry] = [:]
    private var oldestRecent: UInt64 = 1
    private var lastSignature: UInt64 = 0
    private var ciphers: [Leadership: EntryCipher] = [:]
    /// Keys of nodes by their certificates, since reading one takes longer than a verification.
    private var signers: [String: PublicKey] = [:]
    private var leading: Leadership?
    private var prepared: OpenedEntry?
    /// The entry that was made here, or opened for its time, since it is mostly taken next.
    private var looked: (entry: LedgerEntry, opened: OpenedEntry)?

    init(networkID: String) {
        self.networkID = Array(networkID.utf8)
    }

    /// Seqno of the last entry.
    var lastSeqno: UInt64 { tree.count - 1 }

    // MARK: Reading

    /// The entry as consensus takes it.
    func logEntry(_ bytes: [UInt8]) throws -> LogEntry {
        let entry = try LedgerEntry(bytes)
        return LogEntry(view: entry.id.view, seqno: entry.id.seqno, kind: try Self.kind(of: entry), bytes: bytes)
    }

    private static func kind(of entry: LedgerEntry) throws -> LogEntry.Kind {
        if entry.kind == .signature { return .signature }
        if let configuration = try ConfigurationMap.read(entry.tables) { return .configuration(configuration) }
        return .data
    }

    /// Opens an entry of any leadership.
    func open(_ bytes: [UInt8], keys: [EpochKey]) throws -> OpenedEntry {
        try open(LedgerEntry(bytes), keys: keys)
    }

    private func open(_ entry: LedgerEntry, keys: [EpochKey]) throws -> OpenedEntry {
        var opened = OpenedEntry(id: entry.id)
        opened.isSignature = entry.kind == .signature
        if !opened.isSignature { opened.administrative = entry.tables }
        guard let leadership = try Leadership(of: entry) else { return opened }
        for compartment in try cipher(leadership, keys).open(entry) {
            let writes = try compartment.writes()
            if compartment.readers == Self.managerReaders {
                opened.administrative.merge(writes)
            } else {
                opened.application.merge(writes)
            }
        }
        try opened.readRecord(publicTables: entry.tables)
        return opened
    }

    /// The part of an entry that an actor may read, for its adapter.
    func visible(_ bytes: [UInt8], to actor: ActorID, endpoint: String, keys: [EpochKey]) throws -> OpenedEntry? {
        let entry = try LedgerEntry(bytes)
        guard let leadership = try Leadership(of: entry) else { return nil }
        var opened = OpenedEntry(id: entry.id)
        for compartment in try cipher(leadership, keys).open(entry) {
            let writes = try compartment.writes()
            if compartment.readers == Self.managerReaders {
                opened.administrative.merge(writes)
                continue
            }
            var reader = ByteReader(compartment.readers)
            if try ReaderSet(from: &reader).admits(actor) { opened.application.merge(writes) }
        }
        try opened.readRecord(publicTables: entry.tables)
        return opened.endpoint == endpoint ? opened : nil
    }

    /// Ledger time of an entry that has not been taken.
    mutating func time(of entry: LogEntry, keys: [EpochKey]) -> UInt64? {
        guard let parsed = try? LedgerEntry(entry.bytes), let opened = try? open(parsed, keys: keys) else { return nil }
        looked = (parsed, opened)
        return opened.time
    }

    private func cipher(_ leadership: Leadership, _ keys: [EpochKey]) throws -> EntryCipher {
        if let cipher = ciphers[leadership] { return cipher }
        guard let key = keys.first(where: { $0.epoch == leadership.epoch }) else {
            throw ManagerError.ledger("no session key for epoch \(leadership.epoch)")
        }
        return try EntryCipher(
            session: SessionKey(epoch: key.epoch, bytes: key.key), networkID: networkID, leadership: leadership)
    }

    // MARK: Growing and shrinking

    /// Checks the next entry and makes it part of the tree.
    /// - Parameter certificateOf: the certificate, PEM, that the ledger so far endorses for a node.
    mutating func take(
        _ entry: LogEntry, keys: [EpochKey], certificateOf: (PeerID) -> String?
    ) throws -> OpenedEntry {
        let known = looked.flatMap { $0.entry.id.seqno == entry.seqno && $0.entry.bytes == entry.bytes ? $0 : nil }
        let parsed = try known?.entry ?? LedgerEntry(entry.bytes)
        guard parsed.id == TransactionID(view: entry.view, seqno: entry.seqno), entry.seqno == lastSeqno + 1 else {
            throw ManagerError.ledger("its bytes say \(parsed.id) after \(lastSeqno)")
        }
        guard try Self.kind(of: parsed) == entry.kind else { throw ManagerError.ledger("its kind is another") }
        let opened: OpenedEntry
        if let made = prepared, made.id == parsed.id {
            opened = made
        } else {
            opened = try known?.opened ?? open(parsed, keys: keys)
            if let leadership = try Leadership(of: parsed) {
                if ciphers.count > 64 { ciphers.removeAll() }
                if ciphers[leadership] == nil { ciphers[leadership] = try cipher(leadership, keys) }
            } else if !opened.isSignature {
                // Without a sealed part nothing shows that a manager wrote it.
                throw ManagerError.ledger("it has no sealed part and is no signature")
            }
            if opened.isSignature { try check(parsed, certificateOf) }
        }
        prepared = nil
        looked = nil
        if opened.isSignature { lastSignature = entry.seqno }
        tree.append(parsed.leaf)
        index.append(entry.position, kind: entry.kind)
        recent[entry.seqno] = opened
        return opened
    }

    /// A signature entry of another must be over this very tree, by the key of a node that the ledger endorses.
    private mutating func check(_ entry: LedgerEntry, _ certificateOf: (PeerID) -> String?) throws {
        guard let signature = try RootSignature(tables: entry.tables), signature.id == entry.id,
            signature.root == tree.root
        else { throw ManagerError.ledger("its signature is over another root") }
        guard let certificate = certificateOf(signature.nodeID) else {
            throw ManagerError.ledger("its signer is no node of the network")
        }
        let key = try signers[certificate] ?? X509Certificate(pem: certificate).publicKey
        signers[certificate] = key
        guard key.id == signature.nodeID, key.verifies(derSignature: signature.signature, digest: signature.root.bytes)
        else { throw ManagerError.ledger("its signature is not by the node that it names") }
    }

    /// Entries after `seqno` never happened.
    mutating func truncate(to seqno: UInt64) {
        for gone in seqno + 1..<max(seqno + 1, lastSeqno + 1) { recent[gone] = nil }
        tree.retract(to: seqno + 1)
        index.truncate(to: seqno)
        lastSignature = index.lastSignature.seqno
        prepared = nil
    }

    /// Everything up to `seqno` is committed.
    mutating func commit(upTo seqno: UInt64) {
        index.forget(before: seqno)
    }

    /// Lets go of opened entries that are committed and that no worker needs any more.
    mutating func forgetRecent(before seqno: UInt64) {
        while oldestRecent + Self.recentMax <= seqno {
            recent[oldestRecent] = nil
            oldestRecent += 1
        }
    }

    // MARK: Making

    /// Announces this node's leadership: entries from here on are sealed under its own subkey.
    mutating func startLeading(view: UInt64, node: PeerID, bootNonce: [UInt8], keys: [EpochKey]) throws {
        guard let epoch = keys.map(\.epoch).max(), let nodeID = Hex.decode(node) else {
            throw ManagerError.ledger("no session key to lead with")
        }
        let leadership = try Leadership(epoch: epoch, view: view, nodeID: nodeID, bootNonce: bootNonce)
        ciphers[leadership] = try cipher(leadership, keys)
        leading = leadership
    }

    private func ownCipher() throws -> EntryCipher {
        guard let leading, let cipher = ciphers[leading] else { throw ManagerError.ledger("this node does not lead") }
        return cipher
    }

    /// The entry of a batch.
    mutating func makeBatch(
        _ id: TransactionID, record: EntryRecord, compartments: [AdapterKit.Compartment], administrative: WriteSet,
        transactions: [IncludedTransaction]
    ) throws -> LogEntry {
        let cipher = try ownCipher()
        let digests = transactions.map { InputRecord.digest(of: $0.claims) }
        let batch = BatchTree(seed: cipher.batchSeed(id), digests: digests)
        var tables = WriteSet()
        var application = WriteSet()
        var sealed = [
            Ledger.Compartment(
                readers: Self.managerReaders,
                writes: administrative.merging(ManagerMaps.record(record), ManagerMaps.inputs(transactions)))
        ]
        for compartment in compartments {
            application.merge(compartment.writes)
            if compartment.readers == .public {
                tables.merge(compartment.writes)
            } else {
                var readers = ByteWriter(capacity: 16)
                compartment.readers.encode(to: &readers)
                sealed.append(Ledger.Compartment(readers: readers.bytes, writes: compartment.writes))
            }
        }
        let entry = try cipher.seal(
            EntryContents(id: id, tables: tables, claimsDigest: batch.claimsDigest), compartments: sealed)
        var opened = OpenedEntry(id: id)
        opened.endpoint = record.endpoint
        opened.administrative = administrative.merging(ManagerMaps.record(record))
        opened.application = application
        opened.transactionCount = transactions.count
        opened.time = record.time
        prepared = opened
        looked = (entry, opened)
        return LogEntry(view: id.view, seqno: id.seqno, kind: .data, bytes: entry.bytes)
    }

    /// An entry of administrative maps alone.
    mutating func makeAdministrative(
        _ id: TransactionID, public tables: WriteSet, private secret: WriteSet, kind: LogEntry.Kind, time: UInt64
    ) throws -> LogEntry {
        let writes = secret.merging(ManagerMaps.record(EntryRecord(time: time)))
        let entry = try ownCipher().seal(
            EntryContents(id: id, tables: tables),
            compartments: [Ledger.Compartment(readers: Self.managerReaders, writes: writes)])
        var opened = OpenedEntry(id: id)
        opened.administrative = tables.merging(writes)
        opened.time = time
        prepared = opened
        looked = (entry, opened)
        return LogEntry(view: id.view, seqno: id.seqno, kind: kind, bytes: entry.bytes)
    }

    /// A signature over everything so far.
    mutating func makeSignature(
        _ id: TransactionID, node: NodeIdentity, nodeCertificate: X509Certificate, networkKey: SigningKey,
        claims: RootSignature.Claims
    ) throws -> LogEntry {
        let signature = try RootSignature.sign(
            tree, id: id, nodeKey: node.key, nodeCertificate: nodeCertificate, serviceKey: networkKey, claims: claims)
        let tables = signature.tables(tree: tree.serialized(from: lastSignature))
        let entry = try ownCipher().publicEntry(EntryContents(id: id, tables: tables))
        var opened = OpenedEntry(id: id)
        opened.isSignature = true
        prepared = opened
        looked = (entry, opened)
        return LogEntry(view: id.view, seqno: id.seqno, kind: .signature, bytes: entry.bytes)
    }

    // MARK: Receipts

    /// The parts of an entry's leaf, which only a node can give: they show that the entry was committed.
    func components(of entry: LedgerEntry, keys: [EpochKey]) throws -> LeafComponents? {
        guard let leadership = try Leadership(of: entry) else { return nil }
        return LeafComponents(
            writeSetDigest: entry.writeSetDigest, commitEvidence: try cipher(leadership, keys).commitEvidence(entry.id),
            claimsDigest: entry.claimsDigest ?? .zero)
    }

    /// The batch's tree and its transactions, opened from an entry.
    func batch(of entry: LedgerEntry, keys: [EpochKey]) throws -> (tree: BatchTree, inputs: [InputRecord])? {
        guard let leadership = try Leadership(of: entry) else { return nil }
        let cipher = try cipher(leadership, keys)
        var inputs: [InputRecord] = []
        for compartment in try cipher.open(entry) where compartment.readers == Self.managerReaders {
            for write in try compartment.writes()[ManagerMaps.inputs]?.writes ?? [] {
                inputs.append(try InputRecord(decoding: write.value))
            }
        }
        guard !inputs.isEmpty else { return nil }
        let tree = BatchTree(
            seed: cipher.batchSeed(entry.id), digests: inputs.map { InputRecord.digest(of: $0.claims) })
        return (tree, inputs)
    }
}

extension OpenedEntry {
    /// Reads what the entry says of itself, and gives an adapter its public maps.
    mutating func readRecord(publicTables: WriteSet) throws {
        guard let bytes = administrative[ManagerMaps.entry]?[Tables.singleton] else { return }
        let record = try EntryRecord(decoding: bytes)
        time = record.time
        endpoint = record.endpoint
        transactionCount = Int(record.transactionCount)
        if endpoint != nil {
            application.merge(publicTables)
            administrative = WriteSet(administrative.maps.filter { !$0.isPublic && $0.name != ManagerMaps.inputs })
        }
    }
}

extension WriteSet {
    /// These changes followed by those of maps.
    func merging(_ maps: MapWrites...) -> WriteSet {
        var merged = self
        for map in maps { merged.merge(map) }
        return merged
    }

    /// These changes followed by `later`.
    func merging(_ later: WriteSet) -> WriteSet {
        var merged = self
        merged.merge(later)
        return merged
    }
}
