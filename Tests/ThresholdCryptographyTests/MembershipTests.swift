import Primitives
import Testing
import ThresholdCryptography

/// Resharing, refresh, and fresh keys after a removal.
@Suite struct MembershipTests {
    private let actors: Actors
    private let keys: PublicKeySet
    private let shares: [KeyShare]
    private let message: SecretBytes
    private let ciphertext: Ciphertext

    init() throws {
        (actors, keys, shares) = try sharedKey(5, threshold: 3)
        var random = SeededBytes(31)
        message = random.secret()
        ciphertext = try Ciphertext(
            encrypting: message, label: try label(keys), to: keys, randomness: random.secret())
    }

    private func open(_ keys: PublicKeySet, _ shares: [KeyShare]) throws -> SecretBytes {
        let checked = try ciphertext.checked(for: keys)
        return try checked.open(
            with: try shares.map {
                try DecryptionShare(of: checked, by: $0, randomness: message).verified(for: checked, keys: keys)
            }, keys: keys)
    }

    private func reshare(
        to indexes: [Int], threshold: Int, without absent: [Int] = []
    ) throws -> (run: Run, shares: [KeyShare]) {
        let next = try Actors(indexes, threshold: threshold)
        let context = try next.context(id: 2, openedAt: 1000, purpose: .reshare(keys))
        var run = try Run(context, next, oldShares: shares.filter { !absent.contains(Int($0.index.value)) })
        let fresh = try run.finish()
        return (run, fresh)
    }

    @Test(arguments: [
        ([1, 2, 3, 4, 5, 6], 4), ([1, 2, 4, 5], 3), ([1, 2, 3, 4, 5], 3), ([6, 7, 8], 2), ([2], 1),
        ([1, 2, 3, 4, 5], 5),
    ])
    func resharingKeepsTheKey(_ indexes: [Int], _ threshold: Int) throws {
        let (run, fresh) = try reshare(to: indexes, threshold: threshold)
        let now = try #require(run.generation.keys)
        #expect(run.generation.isFinal)
        #expect(now.publicKey == keys.publicKey)
        #expect(now.keyID == keys.keyID)
        #expect(now.generationID == 2)
        #expect(now.digest != keys.digest)
        #expect(try PublicKeySet(decoding: now.encoded) == now)
        // What was encrypted before opens with new shares, by each end of the roster.
        #expect(try open(now, Array(fresh.prefix(threshold))).isEqual(to: message))
        #expect(try open(now, Array(fresh.suffix(threshold))).isEqual(to: message))
        if threshold > 1 {
            #expect(throws: ThresholdError.tooFew("")) { try open(now, Array(fresh.prefix(threshold - 1))) }
        }
    }

    @Test func anyEnoughOldActorsReshare() throws {
        for absent in [[1, 2], [4, 5], [2], []] {
            let (run, fresh) = try reshare(to: [3, 6, 7], threshold: 2, without: absent)
            #expect(run.generation.qualified.count == 5 - absent.count)
            #expect(try open(try #require(run.generation.keys), Array(fresh.suffix(2))).isEqual(to: message))
        }
        let next = try Actors([3, 6, 7], threshold: 2)
        let context = try next.context(id: 2, openedAt: 1000, purpose: .reshare(keys))
        var run = try Run(context, next, oldShares: Array(shares.prefix(2)))
        try run.commit()
        #expect(run.generation.phase == .failed(.tooFewDealers))
    }

    @Test func aDealerThatResharesSomethingElse() throws {
        let next = try Actors([3, 6, 7], threshold: 2)
        let context = try next.context(id: 2, openedAt: 1000, purpose: .reshare(keys))
        var random = SeededBytes(32)
        // It deals a share other than its own. The constant is fixed, so its shares fit no commitment.
        var run = try Run(context, next, oldShares: shares)
        run.dealers["actor-2"] = Dealer(
            context: context, dealer: try #require(keys.roster[index(2)]),
            polynomial: SecretPolynomial(coefficients: [random.scalar(), random.scalar()]), seed: random.secret())
        try run.commit()
        try run.deal()
        let verdicts = try run.complain()
        #expect(verdicts["actor-3"] == .ruled([KeyGeneration.Ruling(dealer: index(2), outcome: .upheld)]))
        #expect(verdicts["actor-6"] == .accepted)
        #expect(run.generation.qualified.map(\.value) == [1, 3, 4, 5])
        #expect(try open(try #require(run.generation.keys), Array(try run.shares().prefix(2))).isEqual(to: message))
        // A share of another key can't be dealt at all.
        let other = try sharedKey(5, threshold: 3, seed: 9)
        #expect(throws: ThresholdError.stale("")) {
            try Dealer(context: context, actor: "actor-2", seed: random.secret(), oldShare: other.shares[1])
        }
        #expect(throws: ThresholdError.stale("")) {
            try Dealer(context: context, actor: "actor-2", seed: random.secret(), oldShare: shares[0])
        }
        #expect(throws: ThresholdError.stale("")) {
            try Dealer(context: context, actor: "actor-2", seed: random.secret())
        }
    }

    /// Old and new shares don't go together, in either order, and a stale roster's are refused.
    @Test func oldAndNewSharesDontMix() throws {
        let (run, fresh) = try reshare(to: [1, 2, 3, 4, 5], threshold: 3)
        let now = try #require(run.generation.keys)
        let checked = try ciphertext.checked(for: now)
        let old = try DecryptionShare(of: checked, by: shares[0], randomness: message)
        #expect(throws: ThresholdError.stale("")) { try old.verified(for: checked, keys: now) }
        let new = try DecryptionShare(of: checked, by: fresh[0], randomness: message)
        #expect(throws: ThresholdError.stale("")) { try new.verified(for: checked, keys: keys) }
        // Relabelled as of the new roster, the proof does not hold.
        let relabelled = try Tree.replacing(old.encoded, at: [3], with: .bytes(now.digest.bytes))
        #expect(throws: ThresholdError.badProof("")) {
            try DecryptionShare(decoding: relabelled).verified(for: checked, keys: now)
        }
        // Each verified against its own keys, they still don't combine.
        let mixed = [
            try old.verified(for: checked, keys: keys), try new.verified(for: checked, keys: now),
            try DecryptionShare(of: checked, by: fresh[1], randomness: message).verified(for: checked, keys: now),
        ]
        #expect(throws: ThresholdError.stale("")) { try checked.open(with: mixed, keys: now) }
        // And as mere numbers they interpolate to another secret.
        let coefficients = try Lagrange.coefficients([index(1), index(2), index(3)])
        let secrets = [shares[0], fresh[1], fresh[2]]
        let sum = zip(secrets, coefficients).reduce(RistrettoElement.identity) {
            $0 + $1.1 * $1.0.secret.timesGenerator
        }
        #expect(sum != keys.publicKey)
        // What nobody can change: M old shares still open what was encrypted to the same key.
        #expect(try open(keys, Array(shares.prefix(3))).isEqual(to: message))
    }

    @Test func aRemovedActorCanNotHelp() throws {
        let (run, _) = try reshare(to: [1, 2, 3, 4], threshold: 3)
        let now = try #require(run.generation.keys)
        let checked = try ciphertext.checked(for: now)
        let removed = try DecryptionShare(of: checked, by: shares[4], randomness: message)
        #expect(throws: ThresholdError.stale("")) { try removed.verified(for: checked, keys: now) }
        let relabelled = try Tree.replacing(removed.encoded, at: [3], with: .bytes(now.digest.bytes))
        #expect(throws: ThresholdError.stale("")) {
            try DecryptionShare(decoding: relabelled).verified(for: checked, keys: now)
        }
    }

    /// Removal for cause: a new key, to which the old shares are nothing.
    @Test func aFreshKeyAfterRemoval() throws {
        let rest = try Actors([1, 2, 3, 4], threshold: 3)
        var run = try Run(try rest.context(id: 2, openedAt: 1000), rest, seed: 99)
        let fresh = try run.finish()
        let now = try #require(run.generation.keys)
        #expect(run.generation.isFinal)
        #expect(now.publicKey != keys.publicKey)
        #expect(now.keyID == 2)
        var random = SeededBytes(33)
        let rewrapped = try Ciphertext(
            encrypting: message, label: try label(now), to: now, randomness: random.secret()
        ).checked(for: now)
        for old in shares {
            #expect(throws: ThresholdError.stale("")) {
                try DecryptionShare(of: rewrapped, by: old, randomness: random.secret())
            }
        }
        let parts = try fresh.prefix(3).map {
            try DecryptionShare(of: rewrapped, by: $0, randomness: random.secret()).verified(for: rewrapped, keys: now)
        }
        #expect(try rewrapped.open(with: parts, keys: now).isEqual(to: message))
        #expect(throws: ThresholdError.stale("")) { try ciphertext.checked(for: now) }
    }

    @Test func refreshChangesAllSharesAndNotTheKey() throws {
        let context = try actors.context(id: 2, openedAt: 1000, purpose: .refresh(keys))
        var run = try Run(context, actors)
        let fresh = try run.finish(old: shares)
        let now = try #require(run.generation.keys)
        #expect(run.generation.isFinal)
        #expect(now.publicKey == keys.publicKey)
        #expect(now.keyID == keys.keyID)
        #expect(try PublicKeySet(decoding: now.encoded) == now)
        for (old, new) in zip(keys.shareKeys, now.shareKeys) { #expect(old != new) }
        #expect(try open(now, Array(fresh.suffix(3))).isEqual(to: message))
        // Two stolen before and one after are not three.
        let checked = try ciphertext.checked(for: now)
        let stolen = try DecryptionShare(of: checked, by: shares[0], randomness: message)
        #expect(throws: ThresholdError.stale("")) { try stolen.verified(for: checked, keys: now) }
        #expect(throws: ThresholdError.stale("")) {
            try run.receiver("actor-1").share(from: run.generation, oldShare: shares[1])
        }
        #expect(throws: ThresholdError.stale("")) { try run.receiver("actor-1").share(from: run.generation) }
    }

    @Test func refreshTakesZeroAlone() throws {
        let context = try actors.context(id: 2, openedAt: 1000, purpose: .refresh(keys))
        var random = SeededBytes(34)
        var run = try Run(context, actors)
        // A constant that is not zero would move the key: the constant is fixed, so the shares don't fit.
        run.dealers["actor-2"] = Dealer(
            context: context, dealer: try #require(keys.roster[index(2)]),
            polynomial: SecretPolynomial(coefficients: (0..<3).map { _ in random.scalar() }), seed: random.secret())
        try run.commit()
        try run.deal()
        let verdicts = try run.complain()
        #expect(verdicts["actor-1"] == .ruled([KeyGeneration.Ruling(dealer: index(2), outcome: .upheld)]))
        let fresh = try run.shares(old: shares)
        #expect(try open(try #require(run.generation.keys), Array(fresh.prefix(3))).isEqual(to: message))
        // The form of a fresh key's dealing, with a constant and its proof, is of the wrong degree here.
        let polynomial = try Run(try actors.context(id: 2, openedAt: 1000), actors)
        let foreign = try #require(polynomial.dealers["actor-3"]).dealing
        var other = try Run(context, actors)
        _ = try other.say(
            GenerationMessage(contextDigest: context.digest, sender: index(3), body: .commit(foreign.digest)),
            by: "actor-3")
        other.dealers["actor-3"] = nil
        try other.commit()
        let verdict = try other.say(
            GenerationMessage(contextDigest: context.digest, sender: index(3), body: .deal(foreign)), by: "actor-3")
        #expect(verdict == .faulty(.wrongDegree))
    }

    @Test func whatCanNotBeResharedOrRefreshed() throws {
        let other = try Actors(Array(1...5), threshold: 3, networkID: "other")
        #expect(throws: ThresholdError.stale("")) { try other.context(purpose: .reshare(keys)) }
        #expect(throws: ThresholdError.stale("")) { try other.context(purpose: .refresh(keys)) }
        #expect(throws: ThresholdError.malformed("")) {
            try Actors(Array(1...4), threshold: 3).context(purpose: .refresh(keys))
        }
        let alone = try sharedKey(3, threshold: 1)
        #expect(throws: ThresholdError.malformed("")) { try alone.actors.context(purpose: .refresh(alone.keys)) }
        // An actor keeps its index, and an index its actor.
        var random = SeededBytes(35)
        let key = try ReceivingKey(seed: random.secret())
        for (number, name) in [(7, "actor-1"), (1, "somebody")] {
            let registration = key.registration(
                networkID: "network", actor: name, index: index(number), randomness: random.secret())
            let member = try RosterMember(
                index: index(number), actor: name, networkID: "network", registration: registration)
            let roster = try Roster(members: [actors.roster.members[1], member])
            #expect(throws: ThresholdError.malformed("")) {
                try GenerationContext(
                    networkID: "network", id: 2, openedAt: 1, purpose: .reshare(keys), roster: roster,
                    schedule: .init(commitUntil: 2, dealUntil: 3, complainUntil: 4, readyUntil: 5))
            }
        }
    }

    /// Receivers that counted other sets of dealers would hold shares of nothing; each finds out by itself.
    @Test func anInconsistentSetOfDealersIsFound() throws {
        let next = try Actors([3, 6, 7], threshold: 2)
        let context = try next.context(id: 2, openedAt: 1000, purpose: .reshare(keys))
        var run = try Run(context, next, oldShares: shares)
        try run.commit()
        try run.deal()
        try run.complain()
        // The same ledger without one dealing.
        var other = try Run(context, next, oldShares: shares)
        other.dealers["actor-1"] = nil
        try other.commit()
        try other.deal()
        try other.complain()
        let (mine, theirs) = (try run.shares(), try other.shares())
        #expect(run.generation.keys?.publicKey == other.generation.keys?.publicKey)
        #expect(run.generation.keys?.digest != other.generation.keys?.digest)
        let keys = try #require(run.generation.keys)
        for share in theirs {
            #expect(throws: ThresholdError.badShare("")) {
                try KeyShare(keys: keys, index: share.index, secret: share.secret)
            }
        }
        for share in mine {
            #expect(throws: Never.self) { try KeyShare(keys: keys, index: share.index, secret: share.secret) }
        }
    }

    @Test func anOldKeySetThatDoesNotBelongTogether() throws {
        let mixed = try Tree.replacing(
            keys.encoded, at: [8, 0], with: .bytes(RistrettoScalar(3).timesGenerator.encoding.bytes))
        #expect(throws: ThresholdError.malformed("")) { try PublicKeySet(decoding: mixed) }
    }
}
