import Primitives
import Testing
import ThresholdCryptography

/// TDH2: thresholds, and each attack on decryption. The negative cases follow those of smartcontractkit/tdh2.
@Suite struct EncryptionTests {
    private let keys: PublicKeySet
    private let shares: [KeyShare]
    private let message: SecretBytes
    private let ciphertext: Ciphertext
    private let checked: CheckedCiphertext

    init() throws {
        (_, keys, shares) = try sharedKey(5, threshold: 3)
        var random = SeededBytes(21)
        message = random.secret()
        ciphertext = try Ciphertext(
            encrypting: message, label: try label(keys), to: keys, randomness: random.secret())
        checked = try ciphertext.checked(for: keys)
    }

    private func parts(
        _ checked: CheckedCiphertext, _ shares: [KeyShare], _ keys: PublicKeySet
    ) throws -> [VerifiedDecryptionShare] {
        try shares.map {
            let share = try DecryptionShare(
                of: checked, by: $0, randomness: SecretBytes(copying: [UInt8](repeating: 3, count: 32)))
            return try DecryptionShare(decoding: share.encoded).verified(for: checked, keys: keys)
        }
    }

    /// Each subset of the right size of each threshold among up to seven actors opens, and gives the same.
    @Test func everySubsetOfUpToSeven() throws {
        var random = SeededBytes(22)
        var subsetCount = 0
        for count in 1...7 {
            for threshold in 1...count {
                let (_, keys, shares) = try sharedKey(count, threshold: threshold, seed: UInt64(count + 10))
                let message = random.secret()
                let checked = try Ciphertext(
                    encrypting: message, label: try label(keys), to: keys, randomness: random.secret()
                ).checked(for: keys)
                let parts = try parts(checked, shares, keys)
                for mask in 0..<(1 << count) {
                    let subset = (0..<count).filter { mask >> $0 & 1 == 1 }.map { parts[$0] }
                    if subset.count < threshold {
                        #expect(throws: ThresholdError.tooFew("")) { try checked.open(with: subset, keys: keys) }
                    } else {
                        subsetCount += 1
                        #expect(try checked.open(with: subset.reversed(), keys: keys).isEqual(to: message))
                    }
                }
            }
        }
        // Σ_N Σ_M Σ_{k ≥ M} C(N, k) = Σ_N N·2^(N-1).
        #expect(subsetCount == 1 + 4 + 12 + 32 + 80 + 192 + 448)
    }

    @Test func oneActorsShareManyTimesIsOneShare() throws {
        let parts = try parts(checked, shares, keys)
        #expect(throws: ThresholdError.tooFew("")) {
            try checked.open(with: [parts[0], parts[0], parts[1], parts[1]], keys: keys)
        }
        #expect(try checked.open(with: [parts[0], parts[0], parts[1], parts[4]], keys: keys).isEqual(to: message))
    }

    /// What M - 1 shares interpolate to, as if they were enough, is not the element that masks the message.
    @Test func oneShareTooFewOpensNothing() throws {
        let u = try element(ciphertext.encoded, 4)
        let parts = shares.prefix(3).map { $0.secret * u }
        func combine(_ count: Int) throws -> RistrettoElement {
            let weights = try Lagrange.coefficients((1...count).map(index))
            return zip(weights, parts).reduce(RistrettoElement.identity) { $0 + $1.0 * $1.1 }
        }
        let right = try combine(3)
        let all = try Lagrange.coefficients([index(3), index(4), index(5)])
        #expect(zip(all, shares.suffix(3)).reduce(RistrettoElement.identity) { $0 + $1.0 * ($1.1.secret * u) } == right)
        #expect(try combine(2) != right)
        #expect(try combine(1) != right)
    }

    private func element(_ bytes: [UInt8], _ place: Int) throws -> RistrettoElement {
        try RistrettoElement(decoding: try #require(try Tree.item(bytes, at: [place]).bytesValue))
    }

    @Test func encryptionsOfTheSameDiffer() throws {
        var random = SeededBytes(23)
        let other = try Ciphertext(
            encrypting: message, label: try label(keys), to: keys, randomness: random.secret())
        #expect(other != ciphertext)
        // The same randomness for another message or label gives other nonces too.
        let same = random.secret()
        let first = try Ciphertext(encrypting: message, label: try label(keys), to: keys, randomness: same)
        let second = try Ciphertext(encrypting: random.secret(), label: try label(keys), to: keys, randomness: same)
        let third = try Ciphertext(encrypting: message, label: try label(keys, epoch: 2), to: keys, randomness: same)
        for place in [4, 5] {
            let elements = try Set([first, second, third].map { try element($0.encoded, place) })
            #expect(elements.count == 3)
        }
    }

    @Test func wrongSizesAndLabelsAreRefused() throws {
        var random = SeededBytes(24)
        #expect(throws: ThresholdError.malformed("")) {
            try Ciphertext(
                encrypting: random.secret(31), label: try label(keys), to: keys, randomness: random.secret())
        }
        #expect(throws: ThresholdError.malformed("")) {
            try Ciphertext(
                encrypting: message, label: try label(keys), to: keys, randomness: random.secret(31))
        }
        for (network, key) in [("other", keys.keyID), ("network", keys.keyID + 1)] {
            let label = try Label(
                networkID: network, epoch: 1, keyID: 1, sharedKeyID: key, constitutionDigest: .zero, purpose: "p")
            #expect(throws: ThresholdError.stale("")) {
                try Ciphertext(encrypting: message, label: label, to: keys, randomness: random.secret())
            }
        }
    }

    @Test func mauledCiphertexts() throws {
        var random = SeededBytes(25)
        let bytes = ciphertext.encoded
        var masked = try #require(try Tree.item(bytes, at: [3]).bytesValue)
        masked[0] ^= 1
        let element = CBOR.bytes(random.scalar().timesGenerator.encoding.bytes)
        let scalar = CBOR.bytes(random.scalar().encoding.array)
        for (path, item) in [(3, CBOR.bytes(masked)), (4, element), (5, element), (6, scalar), (7, scalar)] {
            let mauled = try Ciphertext(decoding: Tree.replacing(bytes, at: [path], with: item))
            #expect(throws: ThresholdError.badProof(""), "field \(path)") { try mauled.checked(for: keys) }
        }
        // u and ū both times two, as a homomorphism would have it.
        var doubled = bytes
        for place in [4, 5] {
            let twice = try self.element(bytes, place) + self.element(bytes, place)
            doubled = try Tree.replacing(doubled, at: [place], with: .bytes(twice.encoding.bytes))
        }
        #expect(throws: ThresholdError.badProof("")) { try Ciphertext(decoding: doubled).checked(for: keys) }
    }

    @Test func aCiphertextOfOneEpochIsNotOfTheNext() throws {
        let bytes = ciphertext.encoded
        let next = try label(keys, epoch: 2).encoded
        let moved = try Ciphertext(decoding: Tree.replacing(bytes, at: [2], with: .bytes(next)))
        #expect(throws: ThresholdError.badProof("")) { try moved.checked(for: keys) }
        for (place, item) in [
            (3, CBOR.unsigned(9)), (4, .unsigned(9)), (6, .bytes([UInt8](repeating: 1, count: 32))),
            (7, .text("index key")),
        ] {
            let changed = try Ciphertext(decoding: Tree.replacing(bytes, at: [2, place], with: item))
            #expect(throws: ThresholdError.badProof(""), "label field \(place)") { try changed.checked(for: keys) }
        }
        for (place, item) in [(2, CBOR.text("other")), (5, .unsigned(2))] {
            let changed = try Ciphertext(decoding: Tree.replacing(bytes, at: [2, place], with: item))
            #expect(throws: ThresholdError.stale("")) { try changed.checked(for: keys) }
        }
    }

    /// Another key's holders, same network and same id: the ciphertext is not to them.
    @Test func aCiphertextIsToOneKey() throws {
        let (_, otherKeys, otherShares) = try sharedKey(5, threshold: 3, seed: 9)
        #expect(throws: ThresholdError.badProof("")) { try ciphertext.checked(for: otherKeys) }
        #expect(throws: ThresholdError.stale("")) {
            try DecryptionShare(of: checked, by: otherShares[0], randomness: message)
        }
        #expect(throws: ThresholdError.stale("")) { try checked.open(with: [], keys: otherKeys) }
    }

    @Test func wrongDecryptionShares() throws {
        var random = SeededBytes(26)
        let good = try DecryptionShare(of: checked, by: shares[0], randomness: random.secret()).encoded
        let other = try DecryptionShare(of: checked, by: shares[1], randomness: random.secret()).encoded
        // A share with the right form and a wrong value; another's value or proof; another's index.
        let value = try Tree.replacing(good, at: [5], with: .bytes(random.scalar().timesGenerator.encoding.bytes))
        let swapped = try Tree.replacing(good, at: [5], with: Tree.item(other, at: [5]))
        let proof = try Tree.replacing(good, at: [6], with: Tree.item(other, at: [6]))
        let index = try Tree.replacing(good, at: [2], with: .unsigned(2))
        for bytes in [value, swapped, proof, index] {
            #expect(throws: ThresholdError.badProof("")) {
                try DecryptionShare(decoding: bytes).verified(for: checked, keys: keys)
            }
        }
        let nobody = try Tree.replacing(good, at: [2], with: .unsigned(99))
        #expect(throws: ThresholdError.stale("")) {
            try DecryptionShare(decoding: nobody).verified(for: checked, keys: keys)
        }
        #expect(throws: Never.self) { try DecryptionShare(decoding: good).verified(for: checked, keys: keys) }
    }

    @Test func sharesOfAnotherCiphertext() throws {
        var random = SeededBytes(27)
        for epoch in [1, 2] as [UInt64] {
            let other = try Ciphertext(
                encrypting: random.secret(), label: try label(keys, epoch: epoch), to: keys, randomness: random.secret()
            ).checked(for: keys)
            let share = try DecryptionShare(of: other, by: shares[0], randomness: random.secret())
            #expect(throws: ThresholdError.stale("")) { try share.verified(for: checked, keys: keys) }
            // Renamed to this one, its proof does not hold.
            let renamed = try Tree.replacing(share.encoded, at: [4], with: .bytes(checked.digest.bytes))
            #expect(throws: ThresholdError.badProof("")) {
                try DecryptionShare(decoding: renamed).verified(for: checked, keys: keys)
            }
            // Verified for its own, it does not open this one.
            let parts = try parts(checked, shares, keys)
            let foreign = try share.verified(for: other, keys: keys)
            #expect(throws: ThresholdError.stale("")) {
                try checked.open(with: [parts[1], parts[2], foreign], keys: keys)
            }
        }
    }

    /// Two ciphertexts with the same u, whose labels differ: the share of one would open the other.
    @Test func theProofIsBoundToTheLabel() throws {
        let share = try DecryptionShare(of: checked, by: shares[0], randomness: message)
        #expect(share.ciphertextDigest == checked.digest)
        let moved = try Ciphertext(
            decoding: Tree.replacing(ciphertext.encoded, at: [2], with: .bytes(try label(keys, epoch: 2).encoded)))
        #expect(throws: ThresholdError.badProof("")) { try moved.checked(for: keys) }
    }

    @Test func theSecondGeneratorIsTheNetworks() {
        let one = Ciphertext.secondGenerator(networkID: "network")
        #expect(one != Ciphertext.secondGenerator(networkID: "other"))
        #expect(one != .generator)
        #expect(one != PublicSharing.commitmentGenerator(networkID: "network"))
    }
}
