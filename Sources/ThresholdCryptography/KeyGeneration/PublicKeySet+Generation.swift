extension PublicKeySet {
    /// The keys that standing dealings make: sums for a fresh key and a refresh, interpolation for a resharing.
    init(context: GenerationContext, dealings: [Dealing]) throws(ThresholdError) {
        guard !dealings.isEmpty else { throw .tooFew("no dealings") }
        let coefficients = try Self.coefficients(context, dealings.map(\.dealer))
        var sum: PolynomialCommitment?
        for (dealing, coefficient) in zip(dealings, coefficients) {
            let polynomial = dealing.polynomial(in: context)
            let term = coefficient == .one ? polynomial : coefficient * polynomial
            sum = sum.map { $0 + term } ?? term
        }
        guard let sum else { throw .tooFew("no dealings") }
        var shareKeys = context.roster.members.map { sum.value(at: $0.index) }
        let publicKey: RistrettoElement
        let keyID: UInt64
        switch context.purpose {
        case .fresh:
            publicKey = sum.constant
            keyID = context.id
        case .reshare(let old):
            guard sum.constant == old.publicKey else { throw .badShare("a resharing that changes the key") }
            publicKey = old.publicKey
            keyID = old.keyID
        case .refresh(let old):
            publicKey = old.publicKey
            keyID = old.keyID
            shareKeys = zip(old.shareKeys, shareKeys).map { $0 + $1 }
        }
        try self.init(
            networkID: context.networkID, keyID: keyID, generationID: context.id, contextDigest: context.digest,
            roster: context.roster, publicKey: publicKey, shareKeys: shareKeys)
    }

    /// What each dealing counts with.
    static func coefficients(_ context: GenerationContext, _ dealers: [ShareIndex]) throws(ThresholdError)
        -> [RistrettoScalar]
    {
        if case .reshare = context.purpose { return try Lagrange.coefficients(dealers) }
        return dealers.map { _ in .one }
    }
}
