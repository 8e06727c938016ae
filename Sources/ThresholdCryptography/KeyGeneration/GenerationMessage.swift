public import Primitives

/// A message of a key generation, as it stands on the administrative ledger. Who sent it is known from the entry's
/// signature; `sender` must agree with it.
public struct GenerationMessage: Hashable, Sendable {
    /// What is said.
    public enum Body: Hashable, Sendable {
        /// Round 0: the digest of the dealing to come, so that nobody's depends on another's.
        case commit(Bytes32)
        /// Round 1: the dealing.
        case deal(Dealing)
        /// Round 2: what the sender objects to, perhaps nothing.
        case complain([Complaint])
        /// Round 3: proof that the sender holds its share, and the digest of the share file that holds it.
        case ready(Readiness)
    }

    /// The generation's digest.
    public let contextDigest: Bytes32
    /// The sender's index.
    public let sender: ShareIndex
    /// What is said.
    public let body: Body

    package init(contextDigest: Bytes32, sender: ShareIndex, body: Body) {
        self.contextDigest = contextDigest
        self.sender = sender
        self.body = body
    }

    /// CBOR `[1, "dkg.commit" | "dkg.deal" | "dkg.complain" | "dkg.ready", context, sender, …]`, deterministic.
    public var encoded: [UInt8] {
        let head: [CBOR] = [.digest(contextDigest), .index(sender)]
        switch body {
        case .commit(let digest): return FieldWriter.message("dkg.commit", head + [.digest(digest)])
        case .deal(let dealing): return FieldWriter.message("dkg.deal", head + [.array(dealing.fields)])
        case .complain(let complaints):
            return FieldWriter.message("dkg.complain", head + [.array(complaints.map(\.cbor))])
        case .ready(let readiness):
            return FieldWriter.message("dkg.ready", head + [.proof(readiness.proof), .digest(readiness.fileDigest)])
        }
    }

    /// Reads the form of ``encoded`` and no other.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        // The kind stands at a fixed place: array head, version, text head.
        let kind = bytes.count > 3 ? String(decoding: bytes[3...].prefix(Int(bytes[2] & 0x1F)), as: UTF8.self) : ""
        switch kind {
        case "dkg.commit":
            var reader = try FieldReader(bytes, kind: kind, count: 3)
            (contextDigest, sender) = try Self.head(&reader)
            body = .commit(try reader.digest("dealing"))
        case "dkg.deal":
            var reader = try FieldReader(bytes, kind: kind, count: 3)
            (contextDigest, sender) = try Self.head(&reader)
            body = .deal(try Dealing(reading: try reader.item("dealing")))
        case "dkg.complain":
            var reader = try FieldReader(bytes, kind: kind, count: 3)
            (contextDigest, sender) = try Self.head(&reader)
            let complaints = try reader.records("complaints", count: 0...Roster.memberCountMax, width: 3) {
                item throws(ThresholdError) in
                Complaint(
                    dealer: try item.index("dealer"), shared: try item.element("shared value"),
                    proof: try item.proof("proof"))
            }
            guard zip(complaints, complaints.dropFirst()).allSatisfy({ $0.dealer < $1.dealer }) else {
                throw .malformed("dkg.complain: complaints that are not in order of dealers, one each")
            }
            body = .complain(complaints)
        case "dkg.ready":
            var reader = try FieldReader(bytes, kind: kind, count: 4)
            (contextDigest, sender) = try Self.head(&reader)
            body = .ready(Readiness(proof: try reader.proof("proof"), fileDigest: try reader.digest("share file")))
        default: throw .malformed("no message of a key generation")
        }
    }

    private static func head(_ reader: inout FieldReader) throws(ThresholdError) -> (Bytes32, ShareIndex) {
        (try reader.digest("context"), try reader.index("sender"))
    }
}

/// A receiver's objection to one dealing: the Diffie-Hellman value that opens its share for everyone, with the proof that it
/// is the right one. It opens that share and nothing else.
public struct Complaint: Hashable, Sendable {
    /// Whose dealing is bad.
    public let dealer: ShareIndex
    let shared: RistrettoElement
    let proof: Proof

    package init(dealer: ShareIndex, shared: RistrettoElement, proof: Proof) {
        self.dealer = dealer
        self.shared = shared
        self.proof = proof
    }

    var cbor: CBOR { .array([.index(dealer), .element(shared), .proof(proof)]) }

    static func statement(
        _ context: GenerationContext, _ dealing: Dealing, _ receiver: RosterMember, _ shared: RistrettoElement
    ) -> EqualityStatement {
        var transcript = Transcript("complaint")
        transcript.append(context.digest.bytes)
        transcript.append(dealing.dealer)
        transcript.append(receiver.index)
        return EqualityStatement(
            purpose: "complaint", context: transcript.bytes(32), key: receiver.receivingKey,
            points: [dealing.ephemeralKey], products: [shared])
    }
}

/// Proof of possession of a share.
public struct Readiness: Hashable, Sendable {
    let proof: Proof
    /// Digest of the share file from which possession was proved, so that a stale file can be told later.
    public let fileDigest: Bytes32

    package init(proof: Proof, fileDigest: Bytes32) {
        self.proof = proof
        self.fileDigest = fileDigest
    }

    static func statement(_ keys: PublicKeySet, _ index: ShareIndex, _ fileDigest: Bytes32) -> KnowledgeStatement {
        var transcript = Transcript("readiness")
        transcript.append(keys.digest.bytes)
        transcript.append(index)
        transcript.append(fileDigest.bytes)
        return KnowledgeStatement(
            purpose: "readiness", context: transcript.bytes(32), element: keys.shareKey(at: index) ?? .identity)
    }
}
