public import Identity
internal import Primitives
internal import Store

/// Verifies a ledger from its chunk files, trusting nothing but, if it is given, the service's certificate.
///
/// Checked are: names, ranges and position tables of the chunks; framing, types and maps of each entry; seqnos without a
/// gap and views that never fall; the Merkle root at each signature; the signatures of node and service, that they name
/// the entry they stand in, that the node was trusted then and its certificate issued by the service of then; the tree in
/// the signature entry; the service's status transitions; that a committed chunk ends with a signature. A ledger that does
/// not reach back to its first entry is verified from a snapshot on, whose receipt the service must have signed: the
/// caller's, if it has a certificate, else the one that the snapshot itself names. In our own ledgers
/// also each entry's tag, one byte form for everything, and that both kinds of signature are there.
public struct LedgerVerifier: Sendable {
    /// What was found so far.
    public private(set) var report = LedgerReport()

    private let trusted: X509Certificate?
    private let visit: (@Sendable (LedgerEntry) -> Void)?
    private var tree = MerkleTree()
    private var history = ServiceHistory()
    private var nextSeqno: UInt64 = 1
    private var view: UInt64 = 0
    private var isLastChunkOpen = false

    /// Leaves before the last signature that are kept, so that the tree in a signature entry, which may go back further
    /// after a recovery, can be compared byte for byte.
    private static let keptLeafCount: UInt64 = 1 << 16

    /// A verifier of one ledger.
    /// - Parameters:
    ///   - trusted: the service certificate that the ledger must end with, if the caller has one. Without it the ledger is
    ///     checked against the service that it names itself.
    ///   - visit: is shown each entry once its own form is checked.
    public init(trusted: X509Certificate? = nil, visit: (@Sendable (LedgerEntry) -> Void)? = nil) {
        self.trusted = trusted
        self.visit = visit
    }

    /// Verifies a whole ledger.
    /// - Parameters:
    ///   - names: file names; those that are no chunk files are left out.
    ///   - snapshots: the committed snapshots that are with it.
    ///   - openSnapshot: parses one of them.
    ///   - read: gives a file's bytes.
    /// - Returns: what was found up to the first fault.
    public static func verify(
        files names: [String], trusted: X509Certificate? = nil, visit: (@Sendable (LedgerEntry) -> Void)? = nil,
        snapshots: [SnapshotName] = [],
        openSnapshot: (SnapshotName) throws -> SnapshotFile = { _ in
            throw LedgerError.storage("there is no snapshot")
        }, read: (String) throws -> [UInt8]
    ) -> LedgerReport {
        var verifier = LedgerVerifier(trusted: trusted, visit: visit)
        var chunks = names.compactMap(ChunkName.init).sorted { ($0.start, $0.end ?? 0) < ($1.start, $1.end ?? 0) }
        if let first = chunks.first, first.start > 1 {
            // A chunk ends where a snapshot is made, so that one begins right after each.
            let starts = Set(chunks.map(\.start))
            let usable = snapshots.sorted().first { snapshot in
                starts.contains(snapshot.seqno + 1) || chunks.last?.end == snapshot.seqno
            }
            guard let usable else {
                verifier.report.fault = LedgerFault(
                    file: first.fileName, offset: 0, seqno: first.start,
                    error: .malformed("the ledger begins with entry \(first.start), and no snapshot leads to it"))
                return verifier.finish()
            }
            do {
                try verifier.begin(after: openSnapshot(usable), name: usable)
            } catch {
                let known = error as? LedgerError ?? .storage("the file can't be read: \(error)")
                verifier.report.fault = LedgerFault(
                    file: usable.fileName, offset: 0, seqno: usable.seqno, error: known)
                return verifier.finish()
            }
            chunks.removeAll { $0.start <= usable.seqno }
        }
        for chunk in chunks {
            let bytes: [UInt8]
            do { bytes = try read(chunk.fileName) } catch {
                verifier.report.fault = LedgerFault(
                    file: chunk.fileName, offset: 0, seqno: nil, error: .storage("the file can't be read: \(error)"))
                break
            }
            do { try verifier.add(chunk, bytes) } catch { break }
        }
        return verifier.finish()
    }

    /// Begins after a snapshot instead of at the first entry.
    private mutating func begin(after snapshot: SnapshotFile, name: SnapshotName) throws(LedgerError) {
        try history.apply(snapshot.publicState)
        guard snapshot.id.seqno == name.seqno else { throw .malformed("the file holds the snapshot at \(snapshot.id)") }
        guard let service = trusted ?? history.certificate else { throw .untrusted("the snapshot names no service") }
        try snapshot.verify(service: service, evidence: name.evidence)
        guard let bytes = snapshot.publicState[Tables.tree]?[Tables.singleton] else {
            throw .malformed("the snapshot has no Merkle tree")
        }
        tree = try MerkleTree(serialized: bytes)
        guard tree.count == snapshot.id.seqno, let signature = try RootSignature(tables: snapshot.publicState),
            signature.id == snapshot.id, signature.root == tree.root
        else { throw .badSignature("the Merkle tree of the snapshot is another") }
        tree.append(snapshot.leaf)
        nextSeqno = snapshot.id.seqno + 1
        view = snapshot.id.view
        report.isEntente = true
        report.startsAfter = snapshot.id
        report.lastVerified = snapshot.id
        report.lastCommitted = snapshot.id
        report.serviceStatus = history.status
        report.serviceCertificate = history.certificate?.pem
    }

    /// Verifies the next chunk.
    /// - Throws: the fault, which ``report`` then holds; nothing may be added after that.
    public mutating func add(_ name: ChunkName, _ bytes: [UInt8]) throws(LedgerFault) {
        do {
            try check(name, bytes)
            if !report.emptyChunks.contains(name.fileName) { report.chunkCount += 1 }
        } catch {
            report.fault = error
            throw error
        }
    }

    /// The report, once all chunks are added.
    public mutating func finish() -> LedgerReport {
        if report.fault == nil, let trusted, history.certificate?.publicKey != trusted.publicKey {
            report.fault = LedgerFault(
                file: "", offset: 0, seqno: nil, error: .untrusted("the ledger is not of the trusted service"))
        }
        return report
    }

    private mutating func check(_ name: ChunkName, _ bytes: [UInt8]) throws(LedgerFault) {
        func fault(_ error: LedgerError, _ offset: Int = 0, _ seqno: UInt64? = nil) -> LedgerFault {
            LedgerFault(file: name.fileName, offset: offset, seqno: seqno, error: error)
        }
        // A crash may leave the file of the next chunk without an entry, or with nothing but room kept free.
        if name.end == nil, Self.isZero(bytes, from: 0) {
            report.emptyChunks.append(name.fileName)
            return
        }
        guard report.emptyChunks.isEmpty else {
            throw fault(.malformed("the chunk follows \(report.emptyChunks[0]), which is empty"))
        }
        guard name.start == nextSeqno else {
            throw fault(.malformed("the chunk begins with \(name.start) where \(nextSeqno) is due"))
        }
        guard !isLastChunkOpen else { throw fault(.malformed("the chunk follows one that is open")) }
        let positions: [UInt32]?
        var end = bytes.count
        do {
            guard let offset = ChunkLayout.tableOffset(bytes) else {
                throw LedgerError.malformed("a chunk of \(bytes.count) bytes")
            }
            if offset == 0 {
                guard name.end == nil else { throw LedgerError.malformed("a closed chunk without a position table") }
                positions = nil
                isLastChunkOpen = true
            } else {
                guard offset < UInt64(bytes.count) else {
                    throw LedgerError.malformed("the position table would be at \(offset) of \(bytes.count) bytes")
                }
                end = Int(offset)
                let table = try ChunkLayout.positions(table: Array(bytes[end...]), offset: end)
                if let last = name.end, UInt64(table.count) != last - name.start + 1 {
                    throw LedgerError.malformed("\(table.count) positions in a chunk from \(name.start) to \(last)")
                }
                positions = table
            }
        } catch let error as LedgerError { throw fault(error) } catch { throw fault(.malformed("\(error)")) }

        var offset = ChunkLayout.headerByteCount
        var index = 0
        while offset < end {
            if positions == nil, Self.isZero(bytes, from: offset) { break }
            do throws(LedgerError) {
                if let positions, index >= positions.count || positions[index] != offset {
                    throw LedgerError.malformed("the position table does not lead to this entry")
                }
                let header = try EntryHeader(bytes, at: offset, end: end)
                try check(Array(bytes[offset..<offset + header.entryByteCount]), isCommitted: name.isCommitted)
                offset += header.entryByteCount
                index += 1
            } catch { throw fault(error, offset, nextSeqno) }
        }
        if let positions, index != positions.count {
            throw fault(.malformed("\(positions.count) positions for \(index) entries"), end)
        }
        if name.isCommitted, report.unsignedTailCount > 0 {
            throw fault(.malformed("a committed chunk that does not end with a signature"), end, nextSeqno - 1)
        }
    }

    private mutating func check(_ bytes: [UInt8], isCommitted: Bool) throws(LedgerError) {
        if nextSeqno == 1 { report.isEntente = EntryTag.isValid(bytes, in: 0..<bytes.count) }
        let entry = try LedgerEntry(bytes, form: report.isEntente ? .entente : .ccf)
        guard entry.id.seqno == nextSeqno else {
            throw .malformed("entry \(entry.id) where seqno \(nextSeqno) is due")
        }
        guard entry.id.view >= view else { throw .malformed("view \(entry.id.view) after view \(view)") }
        guard !entry.header.isSnapshot else { throw .malformed("a snapshot in the ledger") }
        if report.isEntente, !entry.header.privateRange.isEmpty { _ = try PrivateDomain(entry) }
        visit?(entry)
        try history.apply(entry.tables)
        report.serviceStatus = history.status
        report.serviceCertificate = history.certificate?.pem
        if let signature = try RootSignature(tables: entry.tables) {
            try check(signature, in: entry)
            report.signatureCount += 1
            report.lastVerified = entry.id
            if isCommitted { report.lastCommitted = entry.id }
            report.unsignedTailCount = 0
        } else {
            report.unsignedTailCount += 1
        }
        view = entry.id.view
        tree.append(entry.leaf)
        report.entryCount += 1
        nextSeqno += 1
        if nextSeqno > Self.keptLeafCount { tree.flush(to: nextSeqno - Self.keptLeafCount) }
    }

    private mutating func check(_ signature: RootSignature, in entry: LedgerEntry) throws(LedgerError) {
        let root = tree.root
        guard signature.id == entry.id else {
            throw .badSignature("the signature in \(entry.id) is for \(signature.id)")
        }
        if signature.isSignedByNode {
            guard signature.root == root else { throw .badSignature("the signed root is not that of the ledger") }
            let node = try history.signer(signature.nodeID, isStrict: report.isEntente)
            if let pem = signature.certificate {
                guard let certificate = try? X509Certificate(pem: pem), certificate.publicKey == node.publicKey,
                    !report.isEntente || certificate == node
                else { throw .untrusted("the certificate with the signature is not the node's") }
            }
            guard node.publicKey.verifies(derSignature: signature.signature, digest: root.bytes) else {
                throw .badSignature("the node's signature does not verify")
            }
        }
        if let cose = signature.cose {
            try check(cose: cose, root: root, id: entry.id)
        }
        if report.isEntente {
            guard signature.isSignedByNode, signature.cose != nil else {
                throw .badSignature("one of the two kinds of signature is missing")
            }
            guard entry.tables.maps.count <= 3, entry.header.privateRange.isEmpty else {
                throw .malformed("a signature entry with other data")
            }
        }
        if let bytes = entry.tables[Tables.tree]?[Tables.singleton] {
            let embedded = try MerkleTree(serialized: bytes)
            guard embedded.root == root else { throw .badSignature("the tree in the entry has another root") }
            if let own = tree.serialized(from: embedded.flushedCount), own != bytes {
                throw .badSignature("the tree in the entry is not that of the ledger")
            }
        }
    }

    private func check(cose bytes: [UInt8], root: Bytes32, id: TransactionID) throws(LedgerError) {
        guard let service = history.certificate else { throw .untrusted("a service signature without a service") }
        do {
            let message = try CoseSign1(bytes)
            guard message.keyID == Array(service.publicKey.id.utf8) else {
                throw LedgerError.badSignature("the COSE signature is by another key than the service's")
            }
            guard message.protected[CoseSign1.Label.verifiableDataStructure] == .unsigned(CoseReceipt.ccfLedgerSHA256)
            else { throw LedgerError.badSignature("the COSE signature is not over a CCF ledger") }
            guard try RootSignature.transaction(ofCose: bytes) == id else {
                throw LedgerError.badSignature("the COSE signature is for another entry")
            }
            try message.verify(key: service.publicKey, detached: root.bytes)
            if report.isEntente, message.encoded() != bytes || message.unprotected != .map([]) {
                throw LedgerError.badSignature("the COSE signature has another form than ours")
            }
        } catch let error as LedgerError { throw error } catch {
            throw .badSignature("the COSE signature: \(error)")
        }
    }

    private static func isZero(_ bytes: [UInt8], from offset: Int) -> Bool {
        !bytes[offset...].contains { $0 != 0 }
    }
}
