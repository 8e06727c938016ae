public import Primitives

/// A secret of 32 bytes shared by who encrypts it, verifiably for all (Schoenmakers 1999, with the test of SCRAPE): for the
/// time before the first key generation is done, as it needs nothing but the actors' receiving keys.
///
///     p random of degree M - 1      Ĝ = hash to group(network id)
///     v_i = p(i)·Ĝ   y_i = p(i)·PK_i   with log_Ĝ v_i = log_PK_i y_i proved, and the v_i tested to be of one p
///     c = H(p(0)·G) ⊕ m
///
/// Each actor opens S_j = p(j)·G out of y_j, and M of these give p(0)·G. It grows with the roster, has no public key and
/// can't be reshared: hence the fallback only.
public struct PublicSharing: Hashable, Sendable {
    /// The label, in the clear; its shared key id is 0.
    public let label: Label
    /// Who can open it.
    public let roster: Roster
    let masked: Bytes32
    let commitments: [RistrettoElement]
    let shares: [RistrettoElement]
    let proofs: [Proof]

    /// Shares `message` of 32 bytes out to a roster. All that is random is hashed from `randomness` (32 bytes or more),
    /// message, label and roster.
    /// - Throws: ``ThresholdError``.
    public init(sharing message: SecretBytes, label: Label, to roster: Roster, randomness: SecretBytes)
        throws(ThresholdError)
    {
        guard message.count == Ciphertext.messageByteCount, randomness.count >= 32 else {
            throw .malformed("a message of \(message.count) bytes with \(randomness.count) random bytes")
        }
        guard label.sharedKeyID == 0 else { throw .stale("a label of a shared key, where there is none") }
        let derive = { (name: String, number: Int) -> Transcript in
            var transcript = Transcript("public sharing \(name)")
            transcript.append(randomness)
            transcript.append(message)
            transcript.append(label.encoded)
            transcript.append(roster.cbor.encoded())
            transcript.append(UInt64(number))
            return transcript
        }
        let polynomial = SecretPolynomial(
            coefficients: (0..<roster.threshold).map { derive("coefficient", $0).secretScalar() })
        self.init(polynomial, message, label, roster, derive("proofs", 0).secretBytes(32))
    }

    private init(
        _ polynomial: SecretPolynomial, _ message: SecretBytes, _ label: Label, _ roster: Roster,
        _ randomness: SecretBytes
    ) {
        let base = Self.commitmentGenerator(networkID: label.networkID)
        let values = roster.members.map { polynomial.value(at: $0.index) }
        let masked = Self.xor(message, Self.mask(polynomial.constant.timesGenerator))
        let commitments = values.map { $0 * base }
        let shares = zip(values, roster.members).map { $0 * $1.receivingKey }
        let context = Self.context(label, roster, masked, commitments, shares)
        proofs = values.indices.map { place in
            Self.statement(context, base, commitments[place], roster.members[place], shares[place])
                .prove(values[place], randomness: randomness)
        }
        self.label = label
        self.roster = roster
        self.masked = masked
        self.commitments = commitments
        self.shares = shares
    }

    /// Ĝ of a network, of whose logarithm nobody knows anything.
    package static func commitmentGenerator(networkID: String) -> RistrettoElement {
        var transcript = Transcript("public sharing generator")
        transcript.append(networkID)
        return transcript.element()
    }

    private static func mask(_ shared: RistrettoElement) -> SecretBytes {
        var transcript = Transcript("public sharing mask")
        transcript.append(secret: shared)
        return transcript.secretBytes(Ciphertext.messageByteCount)
    }

    private static func xor(_ message: SecretBytes, _ mask: SecretBytes) -> Bytes32 {
        var masked = Bytes32.zero
        withUnsafeMutableBytes(of: &masked) { masked in
            message.withUnsafeBytes { message in
                mask.withUnsafeBytes { mask in
                    for place in masked.indices { masked[place] = message[place] ^ mask[place] }
                }
            }
        }
        return masked
    }

    func unmask(_ shared: RistrettoElement) -> SecretBytes {
        let mask = Self.mask(shared)
        return SecretBytes(count: Ciphertext.messageByteCount) { message in
            masked.withUnsafeBytes { masked in
                mask.withUnsafeBytes { mask in
                    for place in message.indices { message[place] = masked[place] ^ mask[place] }
                }
            }
        }
    }

    // Every proof is over everything, so no part can be taken out, put elsewhere or changed.
    private static func context(
        _ label: Label, _ roster: Roster, _ masked: Bytes32, _ commitments: [RistrettoElement],
        _ shares: [RistrettoElement]
    ) -> [UInt8] {
        var transcript = Transcript("public sharing")
        transcript.append(label.encoded)
        transcript.append(roster.cbor.encoded())
        transcript.append(masked.bytes)
        for element in commitments + shares { transcript.append(element) }
        return transcript.bytes(32)
    }

    private static func statement(
        _ context: [UInt8], _ base: RistrettoElement, _ commitment: RistrettoElement, _ member: RosterMember,
        _ share: RistrettoElement
    ) -> EqualityStatement {
        var transcript = Transcript("public share")
        transcript.append(context)
        transcript.append(member.index)
        return EqualityStatement(
            purpose: "public share", context: transcript.bytes(32), base: base, key: commitment,
            points: [member.receivingKey], products: [share])
    }

    /// Checks that every actor of `roster` gets its share of one and the same secret, and that it is what its maker made.
    /// - Throws: ``ThresholdError/stale(_:file:line:)`` for another network or roster,
    ///   ``ThresholdError/badProof(_:file:line:)``.
    public func checked(networkID: String, roster: Roster) throws(ThresholdError) -> CheckedPublicSharing {
        guard label.networkID == networkID, label.sharedKeyID == 0, self.roster == roster else {
            throw .stale("a public sharing of another network or to another roster")
        }
        let context = Self.context(label, roster, masked, commitments, shares)
        var seed = Transcript("public sharing check")
        seed.append(context)
        guard
            DualCode.isOrthogonal(
                indexes: roster.members.map(\.index), elements: commitments, degree: roster.threshold - 1, seed: seed)
        else { throw .badProof("shares that are not of one polynomial") }
        let base = Self.commitmentGenerator(networkID: networkID)
        for (place, member) in roster.members.enumerated() {
            guard
                Self.statement(context, base, commitments[place], member, shares[place]).isProved(by: proofs[place])
            else { throw .badProof("the public share of index \(member.index)") }
        }
        return CheckedPublicSharing(sharing: self)
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.public", count: 4)
        label = try Label(decoding: try reader.bytes("label", count: 1...1024))
        roster = try Roster(reading: try reader.item("roster"), kind: "threshold.public roster")
        masked = try reader.digest("c")
        let count = roster.members.count
        var commitments: [RistrettoElement] = []
        var shares: [RistrettoElement] = []
        proofs = try reader.records("shares", count: count...count, width: 3) { share throws(ThresholdError) in
            commitments.append(try share.element("commitment"))
            shares.append(try share.element("share"))
            return try share.proof("proof")
        }
        self.commitments = commitments
        self.shares = shares
    }

    /// CBOR `[1, "threshold.public", label, roster, c, [[v_i, y_i, proof] …]]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.public",
            [
                .bytes(label.encoded), roster.cbor, .digest(masked),
                .array(
                    proofs.indices.map { place in
                        .array([.element(commitments[place]), .element(shares[place]), .proof(proofs[place])])
                    }),
            ])
    }
}

/// A public sharing that was found valid.
public struct CheckedPublicSharing: Hashable, Sendable {
    /// The sharing.
    public let sharing: PublicSharing
    /// Names it in requests and shares.
    public let digest: Bytes32
    /// Names its roster in requests, where a key set's digest stands otherwise.
    public let rosterDigest: Bytes32

    init(sharing: PublicSharing) {
        self.sharing = sharing
        var transcript = Transcript("public sharing digest")
        transcript.append(sharing.encoded)
        digest = transcript.digest()
        transcript = Transcript("public sharing roster")
        transcript.append(sharing.roster.cbor.encoded())
        rosterDigest = transcript.digest()
    }
}
