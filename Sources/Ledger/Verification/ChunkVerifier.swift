public import Identity
internal import Primitives
internal import Store

/// Verifies a run of entries by itself, however old it is: entries that follow a signature entry and end with one, as those
/// of a committed chunk do.
///
/// Each signature entry carries the part of the Merkle tree since the one before, and the service's signature over its
/// root. So every entry's leaf must be in the tree of the signature that covers it, and that tree's root must be signed by
/// this network's service, at this view and seqno, and by a node that the service endorses. Who gave the entries does not
/// matter.
public struct ChunkVerifier: Sendable {
    private let service: X509Certificate
    private let first: UInt64
    private var next: UInt64
    private var view: UInt64 = 0
    /// Leaves since the last signature, its own included, which the next one covers.
    private var open: [(seqno: UInt64, leaf: Bytes32)] = []
    private var lastSignature: UInt64 = 0

    /// A verifier of entries from `first` on.
    /// - Parameter service: the network's certificate.
    public init(first: UInt64, service: X509Certificate) {
        self.first = first
        self.service = service
        next = first
    }

    /// The next entry that is due.
    public var nextSeqno: UInt64 { next }
    /// Everything before this is verified: the entry after the last signature.
    public var verifiedEnd: UInt64 { max(first, lastSignature + 1) }

    /// Takes the next entry.
    /// - Throws: ``LedgerError`` when it is malformed, another than the one that is due, or its signature does not hold:
    ///   ``LedgerError/untrusted(_:file:line:)`` when another network signed.
    public mutating func add(_ bytes: [UInt8]) throws(LedgerError) {
        let entry = try LedgerEntry(bytes)
        guard entry.id.seqno == next else { throw .malformed("entry \(entry.id) where seqno \(next) is due") }
        guard entry.id.view >= view else { throw .malformed("view \(entry.id.view) after view \(view)") }
        if entry.kind == .signature {
            guard let signature = try RootSignature(tables: entry.tables) else {
                throw .malformed("signature entry \(entry.id) has no signature")
            }
            try check(signature, in: entry)
            open = []
            lastSignature = next
        }
        open.append((next, entry.leaf))
        view = entry.id.view
        next += 1
    }

    private func check(_ signature: RootSignature, in entry: LedgerEntry) throws(LedgerError) {
        guard signature.id == entry.id else {
            throw .badSignature("the signature in \(entry.id) is for \(signature.id)")
        }
        guard let bytes = entry.tables[Tables.tree]?[Tables.singleton] else {
            throw .badSignature("signature entry \(entry.id) has no tree")
        }
        guard entry.tables == signature.tables(tree: bytes), entry.header.privateRange.isEmpty else {
            throw .malformed("signature entry \(entry.id) has another form than ours")
        }
        let tree = try MerkleTree(serialized: bytes)
        guard tree.count == entry.id.seqno, tree.root == signature.root else {
            throw .badSignature("the tree in entry \(entry.id) is not the signed one")
        }
        guard let cose = signature.cose, signature.isSignedByNode, let pem = signature.certificate else {
            throw .badSignature("one of the two kinds of signature is missing in \(entry.id)")
        }
        do {
            let message = try CoseSign1(cose)
            guard message.keyID == Array(service.publicKey.id.utf8) else {
                throw LedgerError.untrusted("entry \(entry.id) is signed by another network")
            }
            guard try RootSignature.transaction(ofCose: cose) == entry.id else {
                throw LedgerError.badSignature("the service's signature in \(entry.id) is for another entry")
            }
            try message.verify(key: service.publicKey, detached: signature.root.bytes)
            let node = try X509Certificate(pem: pem)
            guard node.publicKey.id == signature.nodeID, node.isSigned(by: service.publicKey),
                node.publicKey.verifies(derSignature: signature.signature, digest: signature.root.bytes)
            else { throw LedgerError.badSignature("the node's signature in \(entry.id) does not hold") }
        } catch let error as LedgerError { throw error } catch {
            throw .badSignature("the signature in entry \(entry.id): \(error)")
        }
        for (seqno, leaf) in open {
            guard tree.leaf(seqno) == leaf else {
                throw .badSignature("entry \(seqno) is not the one that is signed in \(entry.id)")
            }
        }
    }

    /// Whether the entries so far end with a signature, so that all of them are verified.
    public var isComplete: Bool { next > first && lastSignature + 1 == next }

    /// Verifies all entries of a range.
    /// - Throws: as ``add(_:)``; also when they are not all there or the last is no signature.
    public static func verify(
        _ entries: [[UInt8]], range: Range<UInt64>, service: X509Certificate
    ) throws(LedgerError) {
        var verifier = ChunkVerifier(first: range.lowerBound, service: service)
        for entry in entries { try verifier.add(entry) }
        guard verifier.next == range.upperBound, verifier.isComplete else {
            throw .malformed(
                "the entries end at \(verifier.next - 1), not with the signature at \(range.upperBound - 1)")
        }
    }
}
