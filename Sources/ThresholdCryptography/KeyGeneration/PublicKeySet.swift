public import Primitives

/// The outcome of a key generation that everyone can compute: the public shared network key, and the public value of each
/// actor's share.
public struct PublicKeySet: Hashable, Sendable {
    /// The network.
    public let networkID: String
    /// The generation that first made this key; resharing and refresh keep it.
    public let keyID: UInt64
    /// The generation that made these shares.
    public let generationID: UInt64
    /// The digest of that generation's context.
    public let contextDigest: Bytes32
    /// Who holds shares.
    public let roster: Roster
    /// Y, the public shared network key.
    public let publicKey: RistrettoElement
    /// Y_j by the roster's order: each actor's share times the generator.
    public let shareKeys: [RistrettoElement]
    /// SHA-512-based digest of all of it: what shares of other rosters and generations don't match.
    public let digest: Bytes32

    init(
        networkID: String, keyID: UInt64, generationID: UInt64, contextDigest: Bytes32, roster: Roster,
        publicKey: RistrettoElement, shareKeys: [RistrettoElement]
    ) throws(ThresholdError) {
        guard shareKeys.count == roster.members.count else {
            throw .malformed("\(shareKeys.count) share keys of \(roster.members.count) actors")
        }
        guard !publicKey.isIdentity, !shareKeys.contains(where: \.isIdentity) else {
            throw .badPoint("a key set with an identity")
        }
        self.networkID = networkID
        self.keyID = keyID
        self.generationID = generationID
        self.contextDigest = contextDigest
        self.roster = roster
        self.publicKey = publicKey
        self.shareKeys = shareKeys
        var transcript = Transcript("key set")
        transcript.append(
            Self.encode(networkID, keyID, generationID, contextDigest, roster, publicKey, shareKeys))
        digest = transcript.digest()
    }

    /// Y_j of an actor.
    public func shareKey(at index: ShareIndex) -> RistrettoElement? {
        roster.members.firstIndex { $0.index == index }.map { shareKeys[$0] }
    }

    /// Reads the form of ``encoded``, and checks that all share keys lie on one polynomial of the right degree with
    /// ``publicKey``, so that every M of them belong together.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.keys", count: 7)
        let networkID = try reader.text("network id")
        let keyID = try reader.unsigned("key id")
        let generationID = try reader.unsigned("generation id")
        let contextDigest = try reader.digest("context")
        let roster = try Roster(reading: try reader.item("roster"), kind: "threshold.keys roster")
        let publicKey = try reader.element("public key")
        var shareKeys: [RistrettoElement] = []
        for item in try reader.list("share keys", count: roster.members.count...roster.members.count) {
            guard let bytes = item.bytesValue else { throw .malformed("a share key that is no byte string") }
            shareKeys.append(try RistrettoElement(decoding: bytes))
        }
        try self.init(
            networkID: networkID, keyID: keyID, generationID: generationID, contextDigest: contextDigest,
            roster: roster, publicKey: publicKey, shareKeys: shareKeys)
        guard isConsistent else { throw .malformed("share keys that are not of one polynomial") }
    }

    /// CBOR `[1, "threshold.keys", network id, key id, generation id, context, roster, Y, [Y_j …]]`.
    public var encoded: [UInt8] {
        Self.encode(networkID, keyID, generationID, contextDigest, roster, publicKey, shareKeys)
    }

    private static func encode(
        _ networkID: String, _ keyID: UInt64, _ generationID: UInt64, _ contextDigest: Bytes32, _ roster: Roster,
        _ publicKey: RistrettoElement, _ shareKeys: [RistrettoElement]
    ) -> [UInt8] {
        FieldWriter.message(
            "threshold.keys",
            [
                .text(networkID), .unsigned(keyID), .unsigned(generationID), .digest(contextDigest), roster.cbor,
                .element(publicKey), .array(shareKeys.map { .element($0) }),
            ])
    }

    // (0, Y) and the (j, Y_j) are N + 1 points of a polynomial of degree M - 1 if every vector of the dual code is
    // orthogonal to them (SCRAPE); one that nobody could choose is enough.
    private var isConsistent: Bool {
        var seed = Transcript("key set check")
        seed.append(encoded)
        return DualCode.isOrthogonal(
            indexes: [nil] + roster.members.map(\.index), elements: [publicKey] + shareKeys,
            degree: roster.threshold - 1, seed: seed)
    }
}
