import Primitives
import Testing
import ThresholdCryptography

/// Proofs: the vectors of RFC 9497 (ristretto255-SHA512), and what no proof may do.
@Suite struct ProofTests {
    struct Vector: Sendable {
        let mode: UInt8
        let secret: String
        let key: String
        let blinded: [String]
        let evaluated: [String]
        let nonce: String
        let proof: String
    }

    private static let verifiable = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
    private static let verifiableKey = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
    private static let partial = "145c79c108538421ac164ecbe131942136d5570b16d8bf41a24d4337da981e07"
    private static let partialKey = "c647bef38497bc6ec077c22af65b696efa43bff3b4a1975a3e8e0a1c5a79d631"
    private static let nonce = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
    private static let batchNonce = "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c"

    /// RFC 9497, A.1.2 and A.1.3.
    static let vectors = [
        Vector(
            mode: 1, secret: verifiable, key: verifiableKey,
            blinded: ["863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"],
            evaluated: ["aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"], nonce: nonce,
            proof: "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
                + "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d"),
        Vector(
            mode: 1, secret: verifiable, key: verifiableKey,
            blinded: ["cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"],
            evaluated: ["60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"], nonce: nonce,
            proof: "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a"
                + "67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02"),
        Vector(
            mode: 1, secret: verifiable, key: verifiableKey,
            blinded: [
                "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
                "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
            ],
            evaluated: [
                "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
                "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
            ], nonce: batchNonce,
            proof: "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
                + "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08"),
        Vector(
            mode: 2, secret: partial, key: partialKey,
            blinded: ["c8713aa89241d6989ac142f22dba30596db635c772cbf25021fdd8f3d461f715"],
            evaluated: ["1a4b860d808ff19624731e67b5eff20ceb2df3c3c03b906f5693e2078450d874"], nonce: nonce,
            proof: "41ad1a291aa02c80b0915fbfbb0c0afa15a57e2970067a602ddb9e8fd6b7100d"
                + "e32e1ecff943a36f0b10e3dae6bd266cdeb8adf825d86ef27dbc6c0e30c52206"),
        Vector(
            mode: 2, secret: partial, key: partialKey,
            blinded: ["f0f0b209dd4d5f1844dac679acc7761b91a2e704879656cb7c201e82a99ab07d"],
            evaluated: ["8c3c9d064c334c6991e99f286ea2301d1bde170b54003fb9c44c6d7bd6fc1540"], nonce: nonce,
            proof: "4c39992d55ffba38232cdac88fe583af8a85441fefd7d1d4a8d0394cd1de7701"
                + "8bf135c174f20281b3341ab1f453fe72b0293a7398703384bed822bfdeec8908"),
        Vector(
            mode: 2, secret: partial, key: partialKey,
            blinded: [
                "c8713aa89241d6989ac142f22dba30596db635c772cbf25021fdd8f3d461f715",
                "423a01c072e06eb1cce96d23acce06e1ea64a609d7ec9e9023f3049f2d64e50c",
            ],
            evaluated: [
                "1a4b860d808ff19624731e67b5eff20ceb2df3c3c03b906f5693e2078450d874",
                "aa1f16e903841036e38075da8a46655c94fc92341887eb5819f46312adfc0504",
            ], nonce: batchNonce,
            proof: "43fdb53be399cbd3561186ae480320caa2b9f36cca0e5b160c4a677b8bbf4301"
                + "b28f12c36aa8e11e5a7ef551da0781e863a6dc8c0b2bf5a149c9e00621f02006"),
    ]

    @Test(arguments: vectors) func equalityVectors(_ vector: Vector) throws {
        let context = Array("OPRFV1-".utf8) + [vector.mode] + Array("-ristretto255-SHA512".utf8)
        var secret = SecretScalar(bytes: hex(vector.secret))
        #expect(secret.timesGenerator.description == vector.key)
        let blinded = try vector.blinded.map { try RistrettoElement(decoding: hex($0)) }
        let evaluated = try vector.evaluated.map { try RistrettoElement(decoding: hex($0)) }
        // In the partially oblivious mode the key is tweaked by the public info, "test info".
        if vector.mode == 2 {
            let info = Array("test info".utf8)
            let tweak = EqualityStatement.hashToScalar(
                Array("Info".utf8) + [0, UInt8(info.count)] + info, contextString: context)
            secret = secret + SecretScalar(tweak)
        }
        // ... and the statement is about evaluated = blinded / key, so points and products change places.
        let statement = EqualityStatement(
            contextString: context, base: .generator, key: secret.timesGenerator,
            points: vector.mode == 2 ? evaluated : blinded, products: vector.mode == 2 ? blinded : evaluated)
        let proof = statement.prove(secret, nonce: SecretScalar(bytes: hex(vector.nonce)))
        #expect(Hex.encode(proof.encoding) == vector.proof)
        #expect(statement.isProved(by: proof))
        #expect(try statement.isProved(by: Proof(decoding: hex(vector.proof))))
    }

    @Test func aProofIsOfItsStatementAlone() {
        var random = SeededBytes(2)
        let secret = random.scalar()
        let key = secret.timesGenerator
        let proof = KnowledgeStatement(purpose: "a", context: [1], element: key)
            .prove(secret, randomness: random.secret())
        #expect(KnowledgeStatement(purpose: "a", context: [1], element: key).isProved(by: proof))
        #expect(!KnowledgeStatement(purpose: "b", context: [1], element: key).isProved(by: proof))
        #expect(!KnowledgeStatement(purpose: "a", context: [2], element: key).isProved(by: proof))
        #expect(!KnowledgeStatement(purpose: "a", context: [1], element: key + .generator).isProved(by: proof))
    }

    @Test func nobodyProvesTheIdentity() {
        var random = SeededBytes(3)
        let zero = SecretScalar(.zero)
        let statement = KnowledgeStatement(purpose: "a", context: [], element: .identity)
        #expect(!statement.isProved(by: statement.prove(zero, randomness: random.secret())))
        let equality = EqualityStatement(
            contextString: [1], base: .generator, key: .identity, points: [.generator], products: [.identity])
        #expect(!equality.isProved(by: equality.prove(zero, randomness: random.secret())))
    }

    /// Were the nonce that of the randomness alone, a generator that repeats itself would give the secret away: two
    /// responses under one nonce are two equations in two unknowns.
    @Test func noncesDontRepeatWhenRandomnessDoes() {
        var random = SeededBytes(4)
        let secret = random.scalar()
        let key = secret.timesGenerator
        let same = random.secret()
        var commitments: Set<RistrettoElement> = []
        for number in 0..<16 {
            let statement = KnowledgeStatement(purpose: "p", context: [UInt8(number)], element: key)
            let proof = statement.prove(secret, randomness: same)
            commitments.insert(proof.response.timesGenerator + proof.challenge * key)
            let point = RistrettoScalar(UInt64(number + 2)).timesGenerator
            let equality = EqualityStatement(
                contextString: [1], base: .generator, key: key, points: [point], products: [secret * point])
            let second = equality.prove(secret, randomness: same)
            #expect(equality.isProved(by: second))
            commitments.insert(second.response.timesGenerator + second.challenge * key)
        }
        #expect(commitments.count == 32)
        let statement = KnowledgeStatement(purpose: "p", context: [], element: key)
        #expect(statement.prove(secret, randomness: same) == statement.prove(secret, randomness: same))
        #expect(statement.prove(secret, randomness: same) != statement.prove(secret, randomness: random.secret()))
    }

    @Test func falseEqualitiesAreNotProved() {
        var random = SeededBytes(5)
        let secret = random.scalar()
        let points = (0..<3).map { _ in random.scalar().timesGenerator }
        var products = points.map { secret * $0 }
        let good = EqualityStatement(
            contextString: [1], base: .generator, key: secret.timesGenerator, points: points, products: products)
        #expect(good.isProved(by: good.prove(secret, randomness: random.secret())))
        for place in products.indices {
            let right = products[place]
            products[place] = right + .generator
            let bad = EqualityStatement(
                contextString: [1], base: .generator, key: secret.timesGenerator, points: points, products: products)
            #expect(!bad.isProved(by: bad.prove(secret, randomness: random.secret())))
            products[place] = right
        }
        // Two errors that cancel out in a plain sum.
        let shift = random.scalar().timesGenerator
        products = [products[0] + shift, products[1] - shift, products[2]]
        let cancelling = EqualityStatement(
            contextString: [1], base: .generator, key: secret.timesGenerator, points: points, products: products)
        #expect(!cancelling.isProved(by: cancelling.prove(secret, randomness: random.secret())))
    }
}
