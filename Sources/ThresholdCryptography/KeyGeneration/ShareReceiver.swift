public import Primitives

/// The secret side of an actor that gets a share.
public struct ShareReceiver: Sendable {
    private let context: GenerationContext
    private let member: RosterMember
    private let key: ReceivingKey

    /// An actor of the roster, with the private key of its receiving key.
    /// - Throws: ``ThresholdError/refused(_:file:line:)`` when the roster has no such actor or another key for it.
    public init(context: GenerationContext, actor: String, key: ReceivingKey) throws(ThresholdError) {
        guard let member = context.roster[actor: actor], member.receivingKey == key.publicKey else {
            throw .refused("the roster has no \(actor) with this receiving key")
        }
        self.context = context
        self.member = member
        self.key = key
    }

    /// Third round: opens this actor's share of each standing dealing and complains of those that are bad. A message
    /// without complaints is worth sending: the round ends when all have spoken.
    /// - Throws: ``ThresholdError/stale(_:file:line:)`` for another generation.
    public func complaints(about generation: KeyGeneration, randomness: SecretBytes) throws(ThresholdError)
        -> GenerationMessage
    {
        guard generation.context == context else { throw .stale("another key generation") }
        var complaints: [Complaint] = []
        for dealing in generation.standing {
            let shared = key.secret * dealing.ephemeralKey
            if generation.goodShare(of: dealing, member, shared) == nil {
                complaints.append(complaint(dealing, shared, randomness))
            }
        }
        return message(.complain(complaints))
    }

    /// A complaint about a dealing, justified or not.
    package func complaint(_ dealing: Dealing, randomness: SecretBytes) -> Complaint {
        complaint(dealing, key.secret * dealing.ephemeralKey, randomness)
    }

    private func complaint(_ dealing: Dealing, _ shared: RistrettoElement, _ randomness: SecretBytes) -> Complaint {
        let statement = Complaint.statement(context, dealing, member, shared)
        return Complaint(
            dealer: dealing.dealer, shared: shared, proof: statement.prove(key.secret, randomness: randomness))
    }

    /// After the complaints: this actor's share of the key. `oldShare` is needed for a refresh alone.
    /// - Throws: ``ThresholdError``.
    public func share(from generation: KeyGeneration, oldShare: KeyShare? = nil) throws(ThresholdError) -> KeyShare {
        guard generation.context == context else { throw .stale("another key generation") }
        guard let keys = generation.keys else { throw .refused("a key generation without keys yet") }
        let dealings = generation.standing
        let coefficients = try PublicKeySet.coefficients(context, dealings.map(\.dealer))
        var secret = SecretScalar(.zero)
        if case .refresh(let old) = context.purpose {
            guard let oldShare, oldShare.keys == old, oldShare.index == member.index else {
                throw .stale("a refresh without this actor's share of the key that is refreshed")
            }
            secret = oldShare.secret
        }
        for (dealing, coefficient) in zip(dealings, coefficients) {
            // Whether each fits its commitment was seen before complaining; that the sum fits is checked at the end.
            guard let share = generation.openedShare(of: dealing, member, key.secret * dealing.ephemeralKey) else {
                throw .badShare("dealer \(dealing.dealer)'s share, of which nobody complained")
            }
            secret = secret + share * coefficient
        }
        return try KeyShare(keys: keys, index: member.index, secret: secret)
    }

    /// Fourth round: proof that this actor holds its share, made from the share file whose digest goes with it.
    public func readiness(of share: KeyShare, fileDigest: Bytes32, randomness: SecretBytes) -> GenerationMessage {
        let statement = Readiness.statement(share.keys, share.index, fileDigest)
        return message(
            .ready(Readiness(proof: statement.prove(share.secret, randomness: randomness), fileDigest: fileDigest)))
    }

    private func message(_ body: GenerationMessage.Body) -> GenerationMessage {
        GenerationMessage(contextDigest: context.digest, sender: member.index, body: body)
    }
}
