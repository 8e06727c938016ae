import Primitives
import Testing
import ThresholdCryptography

/// Every field of every message: what is malformed there is refused, and nothing traps.
@Suite struct EncodingTests {
    /// A kind of message: an example, what reads and writes it, and where its elements, scalars and proofs are.
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let example: [UInt8]
        let reencode: @Sendable ([UInt8]) throws -> [UInt8]
        var elements: [[Int]] = []
        var scalars: [[Int]] = []
        var proofs: [[Int]] = []
        var indexes: [[Int]] = []
        var texts: [[Int]] = []

        var testDescription: String { name }
    }

    static let kinds: [Kind] = {
        // Tests' own data: a failure to make it shows as an empty list, which a test looks for.
        (try? makeKinds()) ?? []
    }()

    private static func makeKinds() throws -> [Kind] {
        var random = SeededBytes(11)
        let (actors, keys, shares) = try sharedKey(3, threshold: 2)
        let context = try actors.context()
        var run = try Run(context, actors)
        let dealer = try #require(run.dealers["actor-1"])
        try run.commit()
        try run.deal()
        let complaint = GenerationMessage(
            contextDigest: context.digest, sender: index(2),
            body: .complain([
                try run.receiver("actor-2").complaint(dealer.dealing, randomness: random.secret())
            ]))
        try run.complain()
        let ready = try run.receiver("actor-2").readiness(
            of: try run.shares()[1], fileDigest: .zero, randomness: random.secret())
        let registration = try #require(actors.keys["actor-1"]).registration(
            networkID: "network", actor: "actor-1", index: index(1), randomness: random.secret())
        let label = try label(keys)
        let ciphertext = try Ciphertext(
            encrypting: random.secret(), label: label, to: keys, randomness: random.secret())
        let checked = try ciphertext.checked(for: keys)
        let share = try DecryptionShare(of: checked, by: shares[1], randomness: random.secret())
        let recipient = Recipient(seed: 1)
        let request = try DecryptionRequest(
            networkID: "network", keysDigest: keys.digest, ciphertextDigest: checked.digest, requester: "actor-1",
            recipientKey: recipient.publicKey, reason: "test")
        let sealed = try shares[1].release(
            checked, for: CommittedRequest(request, view: 1, seqno: 2), expecting: label, randomness: random.secret())
        let file = try ShareFile(of: shares[1], to: recipient.publicKey, randomness: random.secret())
        let plain = try Label(
            networkID: "network", epoch: 1, keyID: 1, sharedKeyID: 0, constitutionDigest: .zero, purpose: "session key")
        let sharing = try PublicSharing(
            sharing: random.secret(), label: plain, to: actors.roster, randomness: random.secret())
        let publicShare = try PublicDecryptionShare(
            of: try sharing.checked(networkID: "network", roster: actors.roster),
            by: try #require(actors.keys["actor-2"]), randomness: random.secret())
        let message: @Sendable ([UInt8]) throws -> [UInt8] = { try GenerationMessage(decoding: $0).encoded }
        return [
            Kind(
                name: "commit", example: dealer.commitMessage.encoded, reencode: message, indexes: [[3]]),
            Kind(
                name: "deal", example: dealer.dealMessage.encoded, reencode: message,
                elements: [[4, 1, 0], [4, 1, 1], [4, 3]], proofs: [[4, 2], [4, 4]], indexes: [[3], [4, 0]]),
            Kind(
                name: "complain", example: complaint.encoded, reencode: message, elements: [[4, 0, 1]],
                proofs: [[4, 0, 2]], indexes: [[3], [4, 0, 0]]),
            Kind(name: "ready", example: ready.encoded, reencode: message, proofs: [[4]], indexes: [[3]]),
            Kind(
                name: "registration", example: registration.encoded,
                reencode: { try ReceivingKeyRegistration(decoding: $0).encoded }, elements: [[2]], proofs: [[3]]),
            Kind(
                name: "keys", example: keys.encoded, reencode: { try PublicKeySet(decoding: $0).encoded },
                elements: [[7], [8, 0], [8, 1], [8, 2], [6, 1, 0, 2], [6, 1, 2, 2]], indexes: [[6, 1, 0, 0]],
                texts: [[2], [6, 1, 1, 1]]),
            Kind(
                name: "label", example: label.encoded, reencode: { try Label(decoding: $0).encoded },
                texts: [[2], [7]]),
            Kind(
                name: "ciphertext", example: ciphertext.encoded, reencode: { try Ciphertext(decoding: $0).encoded },
                elements: [[4], [5]], scalars: [[6], [7]], texts: [[2, 2], [2, 7]]),
            Kind(
                name: "share", example: share.encoded, reencode: { try DecryptionShare(decoding: $0).encoded },
                elements: [[5]], proofs: [[6]], indexes: [[2]]),
            Kind(
                name: "request", example: request.encoded, reencode: { try DecryptionRequest(decoding: $0).encoded },
                texts: [[2], [5], [7]]),
            Kind(
                name: "sealed", example: sealed.encoded,
                reencode: { try SealedDecryptionShare(decoding: $0).encoded }, indexes: [[2]]),
            Kind(
                name: "file", example: file.encoded, reencode: { try ShareFile(decoding: $0).encoded },
                elements: [[2, 5, 7], [2, 5, 8, 1]], indexes: [[2, 3]], texts: [[2, 2]]),
            Kind(
                name: "sharing", example: sharing.encoded, reencode: { try PublicSharing(decoding: $0).encoded },
                elements: [[5, 0, 0], [5, 0, 1], [5, 2, 0], [5, 2, 1], [3, 1, 1, 2]],
                proofs: [[5, 0, 2], [5, 1, 2]], indexes: [[3, 1, 0, 0]], texts: [[2, 2], [3, 1, 1, 1]]),
            Kind(
                name: "public share", example: publicShare.encoded,
                reencode: { try PublicDecryptionShare(decoding: $0).encoded }, elements: [[4]], proofs: [[5]],
                indexes: [[2]]),
        ]
    }

    @Test func thereIsAnExampleOfEachKind() { #expect(Self.kinds.count == 14) }

    @Test(arguments: kinds) func exampleReadsAsWritten(_ kind: Kind) throws {
        #expect(try kind.reencode(kind.example) == kind.example)
    }

    @Test(arguments: kinds) func badElementsAreRefused(_ kind: Kind) throws {
        let bad =
            (RistrettoVectorTests.invalid + RistrettoVectorTests.lowOrder).map(hex) + [
                [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xFF, count: 32),
            ]
        for path in kind.elements {
            #expect(try Tree.item(kind.example, at: path).bytesValue?.count == 32)
            for encoding in bad {
                let bytes = try Tree.replacing(kind.example, at: path, with: .bytes(encoding))
                #expect(throws: ThresholdError.badPoint(""), "\(path)") { try kind.reencode(bytes) }
            }
            for item in [CBOR.null, .unsigned(1), .bytes([]), .bytes([UInt8](repeating: 1, count: 33)), .array([])] {
                let bytes = try Tree.replacing(kind.example, at: path, with: item)
                #expect(throws: ThresholdError.self, "\(path)") { try kind.reencode(bytes) }
            }
        }
    }

    @Test(arguments: kinds) func badScalarsAreRefused(_ kind: Kind) throws {
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        let all = [UInt8](repeating: 0xFF, count: 32)
        for path in kind.scalars {
            for encoding in [order, all] {
                let bytes = try Tree.replacing(kind.example, at: path, with: .bytes(encoding))
                #expect(throws: ThresholdError.badScalar(""), "\(path)") { try kind.reencode(bytes) }
            }
        }
        for path in kind.proofs {
            let good = try #require(try Tree.item(kind.example, at: path).bytesValue)
            for encoding in [order + good[32...], Array(good[..<32]) + order, all + all] {
                let bytes = try Tree.replacing(kind.example, at: path, with: .bytes(encoding))
                #expect(throws: ThresholdError.badScalar(""), "\(path)") { try kind.reencode(bytes) }
            }
        }
    }

    @Test(arguments: kinds) func badIndexesAndTextsAreRefused(_ kind: Kind) throws {
        for path in kind.indexes {
            for item in [CBOR.unsigned(0), .unsigned(65536), .unsigned(.max), .negative(0), .text("1")] {
                let bytes = try Tree.replacing(kind.example, at: path, with: item)
                #expect(throws: ThresholdError.malformed(""), "\(path)") { try kind.reencode(bytes) }
            }
        }
        for path in kind.texts {
            for text in ["", "tab\t", "ä", String(repeating: "x", count: 129)] {
                let bytes = try Tree.replacing(kind.example, at: path, with: .text(text))
                #expect(throws: ThresholdError.malformed(""), "\(path)") { try kind.reencode(bytes) }
            }
        }
    }

    @Test(arguments: kinds) func otherVersionsAndKindsAreRefused(_ kind: Kind) throws {
        for version: CBOR in [.unsigned(0), .unsigned(2), .text("1")] {
            let bytes = try Tree.replacing(kind.example, at: [0], with: version)
            #expect(throws: ThresholdError.malformed("")) { try kind.reencode(bytes) }
        }
        for other in Self.kinds where try Tree.item(other.example, at: [1]) != Tree.item(kind.example, at: [1]) {
            if kind.name != "commit" && kind.name != "deal" && kind.name != "complain" && kind.name != "ready" {
                #expect(throws: ThresholdError.malformed("")) { try kind.reencode(other.example) }
            }
            let renamed = try Tree.replacing(kind.example, at: [1], with: Tree.item(other.example, at: [1]))
            #expect(throws: ThresholdError.malformed("")) { try kind.reencode(renamed) }
        }
    }

    /// Bits, bytes, cuts, insertions, and whole items that change place: whatever comes out is refused with an error of the
    /// module, or reads as exactly these bytes.
    @Test(arguments: kinds) func fuzz(_ kind: Kind) throws {
        var random = SeededBytes(UInt64(kind.name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
        var accepted = 0
        for _ in 0..<3000 {
            let bytes = mutate(kind.example, &random)
            do throws(any Error) {
                #expect(try kind.reencode(bytes) == bytes)
                accepted += 1
            } catch {
                #expect(error is ThresholdError, "\(kind.name): \(error)")
            }
        }
        // Most changes hit something that is checked.
        #expect(accepted < 2700)
    }

    private func mutate(_ bytes: [UInt8], _ random: inout SeededBytes) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = random.below(bytes.count)
            switch random.below(8) {
            case 0: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(40)))
            case 3: bytes.insert(contentsOf: random.bytes(1 + random.below(8)), at: place)
            case 4: bytes = Array(bytes[..<place])
            case 5: bytes += random.bytes(1 + random.below(16))
            case 6:
                // A head of CBOR that promises much.
                bytes.replaceSubrange(
                    place..<place + 1,
                    with: [[0x9B, 0x5B, 0xBB, 0xDB][random.below(4)]] + [UInt8](repeating: 0xFF, count: 8))
            default:
                let other = random.below(bytes.count)
                let part = bytes[other..<min(bytes.count, other + 33)]
                bytes.replaceSubrange(place..<min(bytes.count, place + part.count), with: part)
            }
        }
        return bytes
    }
}
