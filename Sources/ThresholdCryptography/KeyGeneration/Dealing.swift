package import Primitives

/// What a dealer publishes: a commitment to its polynomial, the proof that it chose the constant itself, and a share for
/// each actor, encrypted.
///
/// All shares of a dealing are encrypted with one ephemeral key R = r·G, and `ephemeralProof` shows that the dealer knows
/// r. Without it a dealer could copy the R of another's dealing, deal garbage to j under it, and have j publish in its
/// complaint the very Diffie-Hellman value that opens the other dealer's share.
public struct Dealing: Hashable, Sendable {
    let dealer: ShareIndex
    /// The coefficients' commitments; without the constant's where that is fixed (resharing, refresh).
    let commitments: [RistrettoElement]
    let constantProof: Proof?
    let ephemeralKey: RistrettoElement
    let ephemeralProof: Proof
    /// By the receivers' order.
    let sealedShares: [[UInt8]]

    init(
        dealer: ShareIndex, commitments: [RistrettoElement], constantProof: Proof?, ephemeralKey: RistrettoElement,
        ephemeralProof: Proof, sealedShares: [[UInt8]]
    ) {
        self.dealer = dealer
        self.commitments = commitments
        self.constantProof = constantProof
        self.ephemeralKey = ephemeralKey
        self.ephemeralProof = ephemeralProof
        self.sealedShares = sealedShares
    }

    /// The statement that the dealer knows its constant; binds every coefficient.
    static func constantStatement(
        _ context: GenerationContext, _ dealer: ShareIndex, _ commitments: [RistrettoElement]
    ) -> KnowledgeStatement {
        var transcript = dealerTranscript("constant", context, dealer)
        for commitment in commitments { transcript.append(commitment) }
        return KnowledgeStatement(
            purpose: "constant", context: transcript.bytes(32), element: commitments.first ?? .identity)
    }

    static func ephemeralStatement(
        _ context: GenerationContext, _ dealer: ShareIndex, _ key: RistrettoElement
    ) -> KnowledgeStatement {
        KnowledgeStatement(
            purpose: "ephemeral", context: dealerTranscript("ephemeral", context, dealer).bytes(32), element: key)
    }

    private static func dealerTranscript(_ purpose: String, _ context: GenerationContext, _ dealer: ShareIndex)
        -> Transcript
    {
        var transcript = Transcript(purpose)
        transcript.append(context.digest.bytes)
        transcript.append(dealer)
        return transcript
    }

    /// What is committed to in the first round.
    package var digest: Bytes32 {
        var transcript = Transcript("dealing")
        transcript.append(CBOR.array(fields).encoded())
        return transcript.digest()
    }

    /// What makes a dealing invalid for everyone, if anything; nil when only a receiver can still object.
    func fault(in context: GenerationContext) -> KeyGeneration.Fault? {
        guard sealedShares.count == context.roster.members.count else { return .wrongReceivers }
        guard commitments.count == context.roster.threshold - (context.dealsConstants ? 0 : 1) else {
            return .wrongDegree
        }
        guard Self.ephemeralStatement(context, dealer, ephemeralKey).isProved(by: ephemeralProof) else {
            return .badProof
        }
        if context.dealsConstants {
            guard let constantProof,
                Self.constantStatement(context, dealer, commitments).isProved(by: constantProof)
            else { return .badProof }
        } else if constantProof != nil {
            return .badProof
        }
        return nil
    }

    /// The commitment to the whole polynomial; the constant that is fixed comes from the context.
    func polynomial(in context: GenerationContext) -> PolynomialCommitment {
        switch context.purpose {
        case .fresh: PolynomialCommitment(commitments)
        case .reshare(let old): PolynomialCommitment([old.shareKey(at: dealer) ?? .identity] + commitments)
        case .refresh: PolynomialCommitment([.identity] + commitments)
        }
    }

    var fields: [CBOR] {
        [
            .index(dealer), .array(commitments.map { .element($0) }), constantProof.map { .proof($0) } ?? .null,
            .element(ephemeralKey), .proof(ephemeralProof), .array(sealedShares.map { .bytes($0) }),
        ]
    }

    init(reading item: CBOR) throws(ThresholdError) {
        var reader = try FieldReader(item, kind: "dealing", count: 6)
        dealer = try reader.index("dealer")
        var commitments: [RistrettoElement] = []
        for item in try reader.list("commitments", count: 0...Roster.memberCountMax) {
            guard let bytes = item.bytesValue else { throw .malformed("dealing: a commitment that is no byte string") }
            commitments.append(try RistrettoElement(decoding: bytes))
        }
        self.commitments = commitments
        switch try reader.item("proof of the constant") {
        case .null: constantProof = nil
        case .bytes(let bytes): constantProof = try Proof(decoding: bytes)
        default: throw .malformed("dealing: the proof of the constant is neither null nor a byte string")
        }
        ephemeralKey = try reader.element("ephemeral key")
        ephemeralProof = try reader.proof("proof of the ephemeral key")
        var sealedShares: [[UInt8]] = []
        for item in try reader.list("shares", count: 1...Roster.memberCountMax) {
            guard let bytes = item.bytesValue, bytes.count == ShareEnvelope.byteCount else {
                throw .malformed("dealing: a share that is not \(ShareEnvelope.byteCount) bytes")
            }
            sealedShares.append(bytes)
        }
        self.sealedShares = sealedShares
    }
}

extension GenerationContext {
    /// Whether a dealer chooses the constant of its polynomial.
    var dealsConstants: Bool { if case .fresh = purpose { true } else { false } }
}
