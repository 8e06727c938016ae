internal import Crypto
internal import Host
internal import Identity
internal import Ledger
internal import Primitives
internal import Synchronization

/// What a node's ledger files show without any key: entries, Merkle roots and signatures up to, and beyond, the last
/// entry that the client was told of.
public struct LedgerProof: Sendable {
    /// The last entry that a verified signature covers; 0 if none does.
    public var verifiedSeqno: UInt64
    /// The entry that must be covered.
    public var neededSeqno: UInt64
    /// Entries read.
    public var entries: Int
    /// SHA-256 over the bytes of all entries up to the needed one: equal on all nodes if their ledgers are.
    public var digest: [UInt8]
    /// What the verifier found wrong; nil if nothing.
    public var fault: String?
    /// Whether the same bytes were found on the other nodes.
    public var agrees = true

    package init(verifiedSeqno: UInt64, neededSeqno: UInt64, entries: Int, digest: [UInt8]) {
        self.verifiedSeqno = verifiedSeqno
        self.neededSeqno = neededSeqno
        self.entries = entries
        self.digest = digest
    }

    /// Whether the ledger is good, goes far enough and agrees with the others.
    public var holds: Bool { fault == nil && verifiedSeqno >= neededSeqno && agrees }

    var json: JSON {
        [
            "verifiedSeqno": .integer(Int64(clamping: verifiedSeqno)),
            "neededSeqno": .integer(Int64(clamping: neededSeqno)), "entries": .integer(Int64(entries)),
            "digest": .string(Hex.encode(digest)), "fault": fault.map { .string($0) } ?? .null,
            "agrees": .bool(agrees), "holds": .bool(holds),
        ]
    }

    /// Verifies the chunk files in a folder.
    /// - Parameters:
    ///   - networkCertificatePEM: whose ledger it must be.
    ///   - seqno: the entry that must be covered by a signature.
    public static func verify(folder: String, networkCertificatePEM: [UInt8], through seqno: UInt64) -> LedgerProof {
        var proof = LedgerProof(verifiedSeqno: 0, neededSeqno: seqno, entries: 0, digest: [])
        do {
            let trusted = try X509Certificate(pem: String(decoding: networkCertificatePEM, as: UTF8.self))
            let directory = try Directory(path: folder)
            let digest = EntryDigest(through: seqno)
            let report = LedgerVerifier.verify(
                files: try directory.list(), trusted: trusted, visit: { digest.add($0) },
                read: { try directory.read($0) })
            proof.verifiedSeqno = report.lastVerified?.seqno ?? 0
            proof.entries = report.entryCount
            proof.digest = digest.value
            proof.fault = report.fault.map { "\($0)" } ?? (report.isGood ? nil : "no signature verified")
        } catch {
            proof.fault = "\(error)"
        }
        return proof
    }

    /// Marks those that differ from the first one.
    static func compare(_ proofs: inout [LedgerProof?]) {
        guard let first = proofs.compactMap({ $0 }).first else { return }
        for index in proofs.indices {
            let digest = proofs[index]?.digest
            proofs[index]?.agrees = digest == first.digest
        }
    }
}

/// SHA-256 over entries as the verifier shows them.
private final class EntryDigest: Sendable {
    private let last: UInt64
    private let state = Mutex(SHA256())

    init(through seqno: UInt64) { last = seqno }

    func add(_ entry: LedgerEntry) {
        guard entry.id.seqno <= last else { return }
        state.withLock { $0.update(data: entry.bytes) }
    }

    var value: [UInt8] { state.withLock { Array($0.finalize()) } }
}
