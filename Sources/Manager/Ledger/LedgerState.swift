import AdapterKit
import Consensus
import Identity
import Ledger
import Primitives
import Store

/// The manager's view of the ledger: the right edge of the Merkle tree over all entries, the newest entries opened, and
/// the making and checking of entries.
struct LedgerState: Sendable {
    /// Readers of the manager's own compartment: nobody outside of managers.
    static let managerReaders: [UInt8] = [0xFF]
    /// Entries that stay opened in memory after they were committed, for a worker that is a little behind.
    static let recentMax: UInt64 = 64

    private let networkID: [UInt8]
    /// Only what comes after the last committed signature can be proven from it: each signature entry carries the part
    /// that proves the entries since the one before.
    private(set) var tree = MerkleTree()
    /// What consensus has to know of the log at a restart.
    private(set) var index = LogIndex()
    private var views = ViewHistory()
    /// The newest entries, by seqno.
    private(set) var recent: [UInt64: OpenedEntry] = [:]
    private var oldestRecent: UInt64 = 1
    private var lastSignature: UInt64 = 0
    /// Signature entries after which a snapshot is made: the last committed one and all after it.
    private var snapshotPoints: [UInt64] = []
    /// Bytes of entries since the last of them.
    private(set) var byteCountSincePoint: UInt64 = 0
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

    /// The ledger up to a snapshot, which was verified.
    /// - Throws: ``ManagerError`` and others when it does not hold together.
    init(networkID: String, snapshot: OpenedSnapshot) throws {
        self.init(networkID: networkID)
        let id = snapshot.id
        guard let bytes = snapshot.publicState[Tables.tree]?[Tables.singleton],
            let signature = try RootSignature(tables: snapshot.publicState), signature.id == id
        else { throw ManagerError.ledger("the snapshot at \(id) does not stand at a signature") }
        tree = try MerkleTree(serialized: bytes)
        guard tree.count == id.seqno, tree.root == signature.root else {
            throw ManagerError.ledger("the Merkle tree of the snapshot at \(id) is another")
        }
        tree.append(snapshot.leaf)
        let configurations = try SnapshotMap.read(snapshot.publicState)
        guard let history = ViewHistory(starts: snapshot.viewHistory), history.view(at: id.seqno) == id.view,
            configurations.allSatisfy({ $0.seqno <= id.seqno })
        else { throw ManagerError.ledger("the view history of the snapshot at \(id) is another") }
        views = history
        index = LogIndex(
            snapshot: LogPosition(view: id.view, seqno: id.seqno), configurations: configurations)
        lastSignature = id.seqno
        oldestRecent = id.seqno + 1
        snapshotPoints = [id.seqno]
    }

    /// Seqno of the last entry.
    var lastSeqno: UInt64 { tree.count - 1 }

    /// The last signature entry after which a snapshot is made, committed or not; 0 before any.
    var lastSnapshotPoint: UInt64 { snapshotPoints.last ?? 0 }

    /// The id of the entry at a seqno, also of one that consensus has forgotten.
    func id(at seqno: UInt64) -> TransactionID? {
        guard seqno > 0 else { return TransactionID(view: 0, seqno: 0) }
        guard seqno <= lastSeqno else { return nil }
        return views.view(at: seqno).map { TransactionID(view: $0, seqno: seqno) }
    }

    /// What a snapshot after the committed signature entry at `seqno` needs from here; all after it may be uncommitted.
    /// Nodes make the same whenever they do.
    func snapshotPoint(
        at seqno: UInt64
    ) -> (leaf: Bytes32, viewHistory: [UInt64], configurations: [PlacedConfiguration])? {
        guard let leaf = tree.leaf(seqno), seqno > index.base.seqno else { return nil }
        var history = views
        history.truncate(to: seqno)
        var index = index
        index.truncate(to: seqno)
        index.forget(before: seqno)
        return (leaf, history.starts, index.configurations)
    }

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
        opened.byteCount = entry.bytes.count
        if entry.kind == .signature {
            opened.signature = entry.tables
            opened.isSnapshotPoint = entry.flags.contains(.chunkAfter)
        } else {
            opened.administrative = entry.tables
        }
        guard let leadership = try Leadership(of: entry) else { return opened }
        opened.epoch = leadership.epoch
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
        byteCountSincePoint += UInt64(opened.byteCount)
        if opened.isSnapshotPoint {
            snapshotPoints.append(entry.seqno)
            byteCountSincePoint = 0
        }
        tree.append(parsed.leaf)
        index.append(entry.position, kind: entry.kind)
        views.append(view: entry.view, seqno: entry.seqno)
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
        views.truncate(to: seqno)
        while let last = snapshotPoints.last, last > seqno { snapshotPoints.removeLast() }
        lastSignature = index.lastSignature.seqno
        prepared = nil
    }

    /// Everything up to `seqno` is committed.
    mutating func commit(upTo seqno: UInt64) {
        index.forget(before: seqno)
        // The next signature entry carries the tree from the last one on.
        tree.flush(to: min(seqno, lastSignature))
        while snapshotPoints.count > 1, snapshotPoints[1] <= seqno { snapshotPoints.removeFirst() }
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
        transactions: [IncludedTransaction], answers: WriteSet = WriteSet()
    ) throws -> LogEntry {
        let cipher = try ownCipher()
        let digests = transactions.map { InputRecord.digest(of: $0.claims) }
        let batch = BatchTree(seed: cipher.batchSeed(id), digests: digests)
        var tables = WriteSet()
        var application = WriteSet()
        var sealed = [
            Ledger.Compartment(
                readers: Self.managerReaders,
                writes: administrative.merging(ManagerMaps.record(record), ManagerMaps.inputs(transactions))
                    .merging(answers))
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
        opened.byteCount = entry.bytes.count
        opened.epoch = leading?.epoch
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
        _ id: TransactionID, public tables: WriteSet, private secret: WriteSet, kind: LogEntry.Kind, time: UInt64,
        claims: Bytes32 = .zero
    ) throws -> LogEntry {
        let writes = secret.merging(ManagerMaps.record(EntryRecord(time: time)))
        let entry = try ownCipher().seal(
            EntryContents(id: id, tables: tables, claimsDigest: claims),
            compartments: [Ledger.Compartment(readers: Self.managerReaders, writes: writes)])
        var opened = OpenedEntry(id: id)
        opened.byteCount = entry.bytes.count
        opened.epoch = leading?.epoch
        opened.administrative = tables.merging(writes)
        opened.time = time
        prepared = opened
        looked = (entry, opened)
        return LogEntry(view: id.view, seqno: id.seqno, kind: kind, bytes: entry.bytes)
    }

    /// A signature over everything so far.
    /// - Parameter isSnapshotPoint: every node makes a snapshot after it, and its chunk of the ledger ends with it.
    mutating func makeSignature(
        _ id: TransactionID, node: NodeIdentity, nodeCertificate: X509Certificate, networkKey: SigningKey,
        claims: RootSignature.Claims, isSnapshotPoint: Bool
    ) throws -> LogEntry {
        let signature = try RootSignature.sign(
            tree, id: id, nodeKey: node.key, nodeCertificate: nodeCertificate, serviceKey: networkKey, claims: claims)
        let tables = signature.tables(tree: tree.serialized(from: lastSignature))
        let entry = try ownCipher().publicEntry(
            EntryContents(id: id, flags: isSnapshotPoint ? .chunkAfter : [], tables: tables))
        var opened = OpenedEntry(id: id)
        opened.byteCount = entry.bytes.count
        opened.signature = tables
        opened.isSnapshotPoint = isSnapshotPoint
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
            administrative = WriteSet(
                administrative.maps.filter { !$0.isPublic && !ManagerMaps.ofOneEntry.contains($0.name) })
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
