internal import Primitives

/// The secret side of a dealer. Everything follows from the seed and the context, so after a restart the same seed deals the
/// same dealing, and another context never sees the same polynomial.
public struct Dealer: Sendable {
    private let context: GenerationContext
    private let index: ShareIndex
    package let dealing: Dealing

    /// Deals.
    ///
    /// - Parameters:
    ///   - context: The generation.
    ///   - actor: Who deals.
    ///   - seed: At least 32 secret random bytes, of this dealer alone.
    ///   - oldShare: The share to be reshared; nil for a fresh key and for a refresh.
    /// - Throws: ``ThresholdError``.
    public init(context: GenerationContext, actor: String, seed: SecretBytes, oldShare: KeyShare? = nil)
        throws(ThresholdError)
    {
        guard seed.count >= 32 else { throw .malformed("a seed of \(seed.count) bytes") }
        guard let dealer = context.dealers[actor: actor] else { throw .refused("\(actor) is no dealer here") }
        let derive = { (label: String, number: Int) -> Transcript in
            var transcript = Transcript("dealer \(label)")
            transcript.append(seed)
            transcript.append(context.digest.bytes)
            transcript.append(dealer.index)
            transcript.append(UInt64(number))
            return transcript
        }
        let constant: SecretScalar
        switch context.purpose {
        case .fresh:
            guard oldShare == nil else { throw .malformed("an old share in a fresh key generation") }
            constant = derive("coefficient", 0).secretScalar()
        case .reshare(let old):
            guard let oldShare, oldShare.keys == old, oldShare.index == dealer.index else {
                throw .stale("a resharing without the dealer's share of the key that is reshared")
            }
            constant = oldShare.secret
        case .refresh:
            guard oldShare == nil else { throw .malformed("an old share in a refresh, which deals zeros") }
            constant = SecretScalar(.zero)
        }
        let polynomial = SecretPolynomial(
            coefficients: [constant]
                + (1..<context.roster.threshold).map { derive("coefficient", $0).secretScalar() })
        self.init(context: context, dealer: dealer, polynomial: polynomial, derive: derive)
    }

    /// Deals a given polynomial, right or wrong, and to single receivers something else: for tests that play a dishonest
    /// dealer.
    package init(
        context: GenerationContext, dealer: RosterMember, polynomial: SecretPolynomial, seed: SecretBytes,
        cheating others: [ShareIndex: SecretScalar] = [:]
    ) {
        self.init(context: context, dealer: dealer, polynomial: polynomial, cheating: others) { label, number in
            var transcript = Transcript("dealer \(label)")
            transcript.append(seed)
            transcript.append(UInt64(number))
            return transcript
        }
    }

    private init(
        context: GenerationContext, dealer: RosterMember, polynomial: SecretPolynomial,
        cheating others: [ShareIndex: SecretScalar] = [:], derive: (String, Int) -> Transcript
    ) {
        self.context = context
        index = dealer.index
        let all = polynomial.commitment.coefficients
        let commitments = context.dealsConstants ? all : Array(all.dropFirst())
        let ephemeral = derive("ephemeral", 0).secretScalar()
        let ephemeralKey = ephemeral.timesGenerator
        let randomness = derive("proofs", 0).secretBytes(32)
        let sealedShares = context.roster.members.map { receiver in
            ShareEnvelope(
                context: context, dealer: dealer.index, commitments: commitments, ephemeralKey: ephemeralKey,
                receiver: receiver
            ).seal(
                others[receiver.index] ?? polynomial.value(at: receiver.index),
                shared: ephemeral * receiver.receivingKey)
        }
        let constantProof =
            context.dealsConstants
            ? Dealing.constantStatement(context, dealer.index, commitments)
                .prove(polynomial.constant, randomness: randomness) : nil
        dealing = Dealing(
            dealer: dealer.index, commitments: commitments, constantProof: constantProof, ephemeralKey: ephemeralKey,
            ephemeralProof: Dealing.ephemeralStatement(context, dealer.index, ephemeralKey)
                .prove(ephemeral, randomness: randomness), sealedShares: sealedShares)
    }

    /// First round: the dealing's digest.
    public var commitMessage: GenerationMessage {
        GenerationMessage(contextDigest: context.digest, sender: index, body: .commit(dealing.digest))
    }

    /// Second round: the dealing.
    public var dealMessage: GenerationMessage {
        GenerationMessage(contextDigest: context.digest, sender: index, body: .deal(dealing))
    }
}
