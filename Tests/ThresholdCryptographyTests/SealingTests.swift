import Crypto
import FoundationEssentials
import Primitives
import Testing
import ThresholdCryptography

/// HPKE, what is sealed with it, and the rule that shares leave only for a committed request.
@Suite struct SealingTests {
    private let keys: PublicKeySet
    private let shares: [KeyShare]
    private let message: SecretBytes
    private let checked: CheckedCiphertext
    private let recipient = Recipient(seed: 41)
    private let other = Recipient(seed: 42)
    private let randomness = SecretBytes(copying: [UInt8](repeating: 5, count: 32))

    init() throws {
        (_, keys, shares) = try sharedKey(3, threshold: 2)
        var random = SeededBytes(43)
        message = random.secret()
        checked = try Ciphertext(
            encrypting: message, label: try label(keys), to: keys, randomness: random.secret()
        ).checked(for: keys)
    }

    /// RFC 9180's published vectors: mode base, P-256, HKDF-SHA256, AES-256-GCM.
    @Test func hpkeVector() throws {
        let box = try SealedBox(
            sealing: SecretBytes(copying: hex("4265617574792069732074727574682c20747275746820626561757479")),
            to: hex(
                "04abc7e49a4c6b3566d77d0304addc6ed0e98512ffccf505e6a8e3eb25c685136f"
                    + "853148544876de76c0f2ef99cdc3a05ccf5ded7860c7c021238f9e2073d2356c"),
            info: hex("4f6465206f6e2061204772656369616e2055726e"), associatedData: hex("436f756e742d30"),
            randomness: SecretBytes(copying: hex("a90d3417c3da9cb6c6ae19b4b5dd6cc9529a4cc24efb7ae0ace1f31887a8cd6c")))
        #expect(
            Hex.encode(box.encapsulatedKey)
                == "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e"
                + "0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0")
        #expect(
            Hex.encode(box.ciphertext)
                == "58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d291742465e902cd216f8908da49f8f96f")
    }

    @Test func theLibrarysHPKEOpensAndSealsForOurs() throws {
        let info = Array("info".utf8)
        for count in [1, 31, 32, 500] {
            let plain = SecretBytes(copying: (0..<count).map { UInt8(truncatingIfNeeded: $0) })
            let box = try SealedBox(
                sealing: plain, to: recipient.publicKey, info: info, associatedData: [1, 2], randomness: randomness)
            #expect(
                try box.open(with: recipient.privateKey, info: info, associatedData: [1, 2]).isEqual(to: plain))
            let key = try P256.KeyAgreement.PublicKey(x963Representation: recipient.publicKey)
            var sender = try HPKE.Sender(
                recipientKey: key, ciphersuite: .P256_SHA256_AES_GCM_256, info: Data(info))
            let sealed = try sender.seal(plain.array, authenticating: [UInt8]([1, 2]))
            let theirs = SealedBox(
                encapsulatedKey: Array(sender.encapsulatedKey), ciphertext: Array(sealed))
            #expect(
                try theirs.open(with: recipient.privateKey, info: info, associatedData: [1, 2]).isEqual(to: plain))
            for (secret, info, data) in [
                (other.privateKey, info, [1, 2] as [UInt8]), (recipient.privateKey, [], [1, 2]),
                (recipient.privateKey, info, [1]),
            ] {
                #expect(throws: ThresholdError.decryption("")) {
                    try box.open(with: secret, info: info, associatedData: data)
                }
            }
        }
        for bad in [[], [UInt8](repeating: 4, count: 65), Array(recipient.publicKey.dropLast())] {
            #expect(throws: ThresholdError.malformed("")) {
                try SealedBox(sealing: message, to: bad, info: [], associatedData: [], randomness: randomness)
            }
        }
        #expect(throws: ThresholdError.malformed("")) {
            try SealedBox(
                sealing: message, to: recipient.publicKey, info: [], associatedData: [],
                randomness: SecretBytes(copying: [1]))
        }
    }

    private func request(
        network: String = "network", keysDigest: Bytes32? = nil, ciphertext: Bytes32? = nil, reason: String = "restart"
    ) throws -> CommittedRequest {
        let request = try DecryptionRequest(
            networkID: network, keysDigest: keysDigest ?? keys.digest, ciphertextDigest: ciphertext ?? checked.digest,
            requester: "node-1", recipientKey: recipient.publicKey, reason: reason)
        return CommittedRequest(try DecryptionRequest(decoding: request.encoded), view: 3, seqno: 77)
    }

    @Test func aReleaseOpensForItsRecipient() throws {
        let request = try request()
        let parts = try shares.prefix(2).map { share in
            let sealed = try share.release(
                checked, for: request, expecting: try label(keys), randomness: randomness)
            return try SealedDecryptionShare(decoding: sealed.encoded)
                .open(with: recipient.privateKey, for: request).verified(for: checked, keys: keys)
        }
        #expect(try checked.open(with: parts, keys: keys).isEqual(to: message))
    }

    /// There is no way to a share but through a request, and it must be one for this ciphertext.
    @Test func askingWithoutARecordForItIsRefused() throws {
        let label = try label(keys)
        let zero = Bytes32.zero
        for bad in [
            try request(network: "other"), try request(keysDigest: zero), try request(ciphertext: zero),
        ] {
            #expect(throws: ThresholdError.refused("")) {
                try shares[0].release(checked, for: bad, expecting: label, randomness: randomness)
            }
        }
        // What the policy allows to open is another epoch's key.
        #expect(throws: ThresholdError.refused("")) {
            try shares[0].release(
                checked, for: try request(), expecting: try ThresholdCryptographyTests.label(keys, epoch: 2),
                randomness: randomness)
        }
        #expect(throws: ThresholdError.malformed("")) {
            try shares[0].release(
                checked, for: try request(), expecting: label, randomness: SecretBytes(copying: [1]))
        }
    }

    @Test func aReleaseIsForOneRequestAndOneKey() throws {
        let request = try request()
        let sealed = try shares[0].release(
            checked, for: request, expecting: try label(keys), randomness: randomness)
        #expect(throws: ThresholdError.decryption("")) { try sealed.open(with: other.privateKey, for: request) }
        let elsewhere = CommittedRequest(request.request, view: 3, seqno: 78)
        #expect(throws: ThresholdError.stale("")) { try sealed.open(with: recipient.privateKey, for: elsewhere) }
        #expect(throws: ThresholdError.stale("")) {
            try sealed.open(with: recipient.privateKey, for: try self.request(reason: "audit"))
        }
        // Renamed to answer the other, or as of another actor, it does not open.
        let renamed = try Tree.replacing(sealed.encoded, at: [3], with: .bytes(elsewhere.digest.bytes))
        let moved = try Tree.replacing(sealed.encoded, at: [2], with: .unsigned(2))
        #expect(throws: ThresholdError.decryption("")) {
            try SealedDecryptionShare(decoding: renamed).open(with: recipient.privateKey, for: elsewhere)
        }
        #expect(throws: ThresholdError.decryption("")) {
            try SealedDecryptionShare(decoding: moved).open(with: recipient.privateKey, for: request)
        }
        var bytes = sealed.encoded
        bytes[bytes.count - 1] ^= 1
        #expect(throws: ThresholdError.decryption("")) {
            try SealedDecryptionShare(decoding: bytes).open(with: recipient.privateKey, for: request)
        }
        // No two releases are sealed with one ephemeral key, though the randomness is the same.
        let second = try shares[0].release(
            checked, for: elsewhere, expecting: try label(keys), randomness: randomness)
        let third = try shares[1].release(checked, for: request, expecting: try label(keys), randomness: randomness)
        let ephemeral = try Set([sealed, second, third].map { try Tree.item($0.encoded, at: [4]) })
        #expect(ephemeral.count == 3)
    }

    @Test func shareFiles() throws {
        let file = try ShareFile(of: shares[1], to: recipient.publicKey, randomness: randomness)
        let read = try ShareFile(decoding: file.encoded)
        #expect(read == file)
        #expect(read.digest == file.digest)
        #expect(read.actor == "actor-2")
        #expect(read.keys == keys)
        let share = try read.open(with: recipient.privateKey)
        #expect(share.secret.encoding.isEqual(to: shares[1].secret.encoding))
        #expect(share.keys == keys)
        #expect(throws: ThresholdError.decryption("")) { try read.open(with: other.privateKey) }
        // Possession proved from the file makes the generation final, as the share of a node does.
        let bytes = file.encoded
        #expect(bytes.count < 1000)
        // Another actor's name and index, other keys, another recipient, a changed ciphertext: nothing opens.
        var foreign = try Tree.replacing(bytes, at: [2, 2], with: .text("actor-1"))
        #expect(throws: ThresholdError.malformed("")) { try ShareFile(decoding: foreign) }
        foreign = try Tree.replacing(foreign, at: [2, 3], with: .unsigned(1))
        let key = try Tree.replacing(bytes, at: [2, 4], with: .bytes(other.publicKey))
        let others = try sharedKey(3, threshold: 2, seed: 9).keys
        let rekeyed = try Tree.replacing(bytes, at: [2, 5], with: .bytes(others.encoded))
        var ciphertext = try #require(try Tree.item(bytes, at: [4]).bytesValue)
        ciphertext[3] ^= 1
        let bit = try Tree.replacing(bytes, at: [4], with: .bytes(ciphertext))
        for bad in [foreign, key, rekeyed, bit] {
            #expect(throws: ThresholdError.decryption("")) {
                try ShareFile(decoding: bad).open(with: recipient.privateKey)
            }
        }
    }

    /// M share files, a ciphertext of the ledger, and the actors' keys are all that recovery takes.
    @Test func recoveryFromShareFiles() throws {
        let files = try shares.suffix(2).map {
            try ShareFile(of: $0, to: recipient.publicKey, randomness: randomness).encoded
        }
        let opened = try files.map { try ShareFile(decoding: $0).open(with: recipient.privateKey) }
        let keys = try #require(opened.first).keys
        let ciphertext = try Ciphertext(decoding: checked.ciphertext.encoded).checked(for: keys)
        let request = try request()
        let parts = try opened.map {
            try $0.release(ciphertext, for: request, expecting: try label(keys), randomness: randomness)
                .open(with: recipient.privateKey, for: request).verified(for: ciphertext, keys: keys)
        }
        #expect(try ciphertext.open(with: parts, keys: keys).isEqual(to: message))
    }
}
