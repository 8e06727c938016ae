import Primitives
import Testing
import ThresholdCryptography

/// The fallback before the first key generation: a secret shared in public.
@Suite struct PublicSharingTests {
    private let randomness = SecretBytes(copying: [UInt8](repeating: 6, count: 32))

    private func label(_ network: String = "network", epoch: UInt64 = 0) throws -> Label {
        try Label(
            networkID: network, epoch: epoch, keyID: 1, sharedKeyID: 0, constitutionDigest: .zero,
            purpose: "session key")
    }

    private func parts(_ checked: CheckedPublicSharing, _ actors: Actors) throws -> [VerifiedPublicDecryptionShare] {
        try checked.sharing.roster.members.map { member in
            let share = try PublicDecryptionShare(
                of: checked, by: try #require(actors.keys[member.actor]), randomness: randomness)
            return try PublicDecryptionShare(decoding: share.encoded).verified(for: checked)
        }
    }

    @Test func everySubset() throws {
        var random = SeededBytes(51)
        for count in 1...5 {
            for threshold in 1...count {
                let actors = try Actors(Array(1...count), threshold: threshold)
                let message = random.secret()
                let sharing = try PublicSharing(
                    sharing: message, label: try label(), to: actors.roster, randomness: random.secret())
                let checked = try PublicSharing(decoding: sharing.encoded)
                    .checked(networkID: "network", roster: actors.roster)
                let parts = try parts(checked, actors)
                for mask in 0..<(1 << count) {
                    let subset = (0..<count).filter { mask >> $0 & 1 == 1 }.map { parts[$0] }
                    if subset.count < threshold {
                        #expect(throws: ThresholdError.tooFew("")) { try checked.open(with: subset) }
                    } else {
                        #expect(try checked.open(with: subset).isEqual(to: message))
                    }
                }
            }
        }
    }

    @Test func whatIsNotAsItsMakerMadeIt() throws {
        var random = SeededBytes(52)
        let actors = try Actors(Array(1...4), threshold: 2)
        let sharing = try PublicSharing(
            sharing: random.secret(), label: try label(), to: actors.roster, randomness: random.secret())
        let bytes = sharing.encoded
        func element() -> CBOR { .bytes(random.scalar().timesGenerator.encoding.bytes) }
        let swappedShare = try Tree.replacing(bytes, at: [5, 0, 1], with: Tree.item(bytes, at: [5, 1, 1]))
        let swappedProof = try Tree.replacing(bytes, at: [5, 0, 2], with: Tree.item(bytes, at: [5, 1, 2]))
        for bad in [
            try Tree.replacing(bytes, at: [5, 0, 0], with: element()),
            try Tree.replacing(bytes, at: [5, 3, 1], with: element()),
            try Tree.replacing(bytes, at: [4], with: .bytes([UInt8](repeating: 1, count: 32))),
            try Tree.replacing(bytes, at: [2, 3], with: .unsigned(5)), swappedShare, swappedProof,
        ] {
            #expect(throws: ThresholdError.badProof("")) {
                try PublicSharing(decoding: bad).checked(networkID: "network", roster: actors.roster)
            }
        }
        // A record more or fewer than the roster.
        let records = try #require(try Tree.item(bytes, at: [5]).arrayValue)
        for list in [Array(records.dropLast()), records + [records[0]]] {
            #expect(throws: ThresholdError.malformed("")) {
                try PublicSharing(decoding: Tree.replacing(bytes, at: [5], with: .array(list)))
            }
        }
        let others = try Actors(Array(1...4), threshold: 2, seed: 4)
        #expect(throws: ThresholdError.stale("")) {
            try sharing.checked(networkID: "network", roster: others.roster)
        }
        #expect(throws: ThresholdError.stale("")) {
            try sharing.checked(networkID: "other", roster: actors.roster)
        }
        #expect(throws: ThresholdError.stale("")) {
            try PublicSharing(
                sharing: random.secret(),
                label: try Label(
                    networkID: "network", epoch: 1, keyID: 1, sharedKeyID: 1, constitutionDigest: .zero, purpose: "p"),
                to: actors.roster, randomness: random.secret())
        }
    }

    /// An honest-looking sharing of a higher degree, which M could not open: its proofs all hold, the test of shares does
    /// not.
    @Test func sharesOfAHigherDegreeAreFound() throws {
        var random = SeededBytes(53)
        let wide = try Actors(Array(1...5), threshold: 4)
        let narrow = try Actors(Array(1...5), threshold: 3)
        let sharing = try PublicSharing(
            sharing: random.secret(), label: try label(), to: wide.roster, randomness: random.secret())
        // The roster's threshold is part of every proof, so the cheat must be made by an own roster in the first place;
        // as it is claimed to be of the narrow one, the test of degree comes first.
        let claimed = try PublicSharing(decoding: Tree.replacing(sharing.encoded, at: [3, 0], with: .unsigned(3)))
        let error = #expect(throws: ThresholdError.badProof("")) {
            try claimed.checked(networkID: "network", roster: narrow.roster)
        }
        #expect(error?.reason == "shares that are not of one polynomial")
    }

    @Test func wrongShares() throws {
        var random = SeededBytes(54)
        let actors = try Actors(Array(1...3), threshold: 2)
        let sharings = try (0..<2).map { _ in
            try PublicSharing(
                sharing: random.secret(), label: try label(), to: actors.roster, randomness: random.secret()
            ).checked(networkID: "network", roster: actors.roster)
        }
        let share = try PublicDecryptionShare(
            of: sharings[0], by: try #require(actors.keys["actor-1"]), randomness: randomness)
        #expect(throws: ThresholdError.stale("")) { try share.verified(for: sharings[1]) }
        let renamed = try Tree.replacing(share.encoded, at: [3], with: .bytes(sharings[1].digest.bytes))
        let value = try Tree.replacing(
            share.encoded, at: [4], with: .bytes(random.scalar().timesGenerator.encoding.bytes))
        let moved = try Tree.replacing(share.encoded, at: [2], with: .unsigned(2))
        for (bytes, sharing) in [(renamed, sharings[1]), (value, sharings[0]), (moved, sharings[0])] {
            #expect(throws: ThresholdError.badProof("")) {
                try PublicDecryptionShare(decoding: bytes).verified(for: sharing)
            }
        }
        let nobody = try Tree.replacing(share.encoded, at: [2], with: .unsigned(9))
        #expect(throws: ThresholdError.stale("")) {
            try PublicDecryptionShare(decoding: nobody).verified(for: sharings[0])
        }
        let mixed = [try parts(sharings[0], actors)[0], try parts(sharings[1], actors)[1]]
        #expect(throws: ThresholdError.stale("")) { try sharings[0].open(with: mixed) }
        let stranger = try ReceivingKey(seed: random.secret())
        #expect(throws: ThresholdError.refused("")) {
            try PublicDecryptionShare(of: sharings[0], by: stranger, randomness: randomness)
        }
    }

    @Test func releaseForACommittedRequest() throws {
        var random = SeededBytes(55)
        let actors = try Actors(Array(1...3), threshold: 2)
        let message = random.secret()
        let checked = try PublicSharing(
            sharing: message, label: try label(), to: actors.roster, randomness: random.secret()
        ).checked(networkID: "network", roster: actors.roster)
        let recipient = Recipient(seed: 56)
        func request(_ roster: Bytes32, _ digest: Bytes32) throws -> CommittedRequest {
            CommittedRequest(
                try DecryptionRequest(
                    networkID: "network", keysDigest: roster, ciphertextDigest: digest, requester: "node",
                    recipientKey: recipient.publicKey, reason: "restart"), view: 1, seqno: 1)
        }
        let good = try request(checked.rosterDigest, checked.digest)
        let parts = try ["actor-1", "actor-3"].map { actor in
            let sealed = try #require(actors.keys[actor]).release(
                checked, for: good, expecting: try label(), randomness: randomness)
            #expect(throws: ThresholdError.malformed("")) { try sealed.open(with: recipient.privateKey, for: good) }
            return try SealedDecryptionShare(decoding: sealed.encoded)
                .openPublicShare(with: recipient.privateKey, for: good).verified(for: checked)
        }
        #expect(try checked.open(with: parts).isEqual(to: message))
        let key = try #require(actors.keys["actor-1"])
        for bad in [try request(.zero, checked.digest), try request(checked.rosterDigest, .zero)] {
            #expect(throws: ThresholdError.refused("")) {
                try key.release(checked, for: bad, expecting: try label(), randomness: randomness)
            }
        }
        #expect(throws: ThresholdError.refused("")) {
            try key.release(checked, for: good, expecting: try label(epoch: 1), randomness: randomness)
        }
    }
}
