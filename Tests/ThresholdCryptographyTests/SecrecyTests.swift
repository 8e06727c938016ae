import Primitives
import Testing
import ThresholdCryptography

/// Secrets show nowhere and leave no trace in memory.
@Suite struct SecrecyTests {
    @Test func memoryIsZeroedWhenTheLastReferenceGoes() {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 48, alignment: 16)
        defer { memory.deallocate() }
        for place in memory.indices { memory[place] = UInt8(place + 1) }
        var secret: SecretBytes? = SecretBytes(adopting: memory)
        var second = secret
        #expect(secret?.count == 48)
        secret = nil
        #expect(memory[47] == 48)
        #expect(second?.withUnsafeBytes { $0[0] } == 1)
        second = nil
        #expect(memory.allSatisfy { $0 == 0 })
    }

    @Test func anArrayThatIsTakenIsZeroed() throws {
        var bytes = [UInt8](repeating: 7, count: 32)
        let secret = try SecretBytes(taking: &bytes)
        #expect(bytes.allSatisfy { $0 == 0 })
        #expect(secret.array == [UInt8](repeating: 7, count: 32))
        var none: [UInt8] = []
        #expect(throws: ThresholdError.malformed("")) { try SecretBytes(taking: &none) }
    }

    @Test func comparison() {
        let one = SecretBytes(copying: [1, 2, 3])
        #expect(one.isEqual(to: SecretBytes(copying: [1, 2, 3])))
        #expect(!one.isEqual(to: SecretBytes(copying: [1, 2, 4])))
        #expect(!one.isEqual(to: SecretBytes(copying: [1, 2])))
    }

    /// Everything that holds a secret, printed, reflected and dumped, shows neither its bytes nor their digits.
    @Test func descriptionsShowNothing() throws {
        var random = SeededBytes(61)
        let (actors, keys, shares) = try sharedKey(3, threshold: 2)
        let seed = random.secret()
        let receiving = try ReceivingKey(seed: seed)
        let message = random.secret()
        let checked = try Ciphertext(
            encrypting: message, label: try label(keys), to: keys, randomness: random.secret()
        ).checked(for: keys)
        let part = try DecryptionShare(of: checked, by: shares[0], randomness: random.secret())
        let verified = try part.verified(for: checked, keys: keys)
        let context = try actors.context()
        let dealer = try Dealer(context: context, actor: "actor-1", seed: seed)
        let receiver = try ShareReceiver(
            context: context, actor: "actor-1", key: try #require(actors.keys["actor-1"]))
        let polynomial = SecretPolynomial(coefficients: [shares[0].secret])
        let element = try #require(try Tree.item(part.encoded, at: [5]).bytesValue)
        let secrets = [seed.array, message.array, shares[0].secret.encoding.array, element]
        let things: [Any] = [
            seed, message, shares[0], shares[0].secret, receiving, part, verified, dealer, receiver, polynomial,
            [shares[0]], Optional(part) as Any,
        ]
        for thing in things {
            var dumped = ""
            dump(thing, to: &dumped)
            let text = "\(thing) \(String(reflecting: thing)) \(dumped)".lowercased()
            for secret in secrets {
                #expect(!text.contains(Hex.encode(secret)), "\(type(of: thing))")
                #expect(!text.contains(Hex.encode(secret.prefix(8))), "\(type(of: thing))")
                let digits = secret.prefix(6).map(String.init)
                #expect(!text.contains(digits.joined(separator: ", ")), "\(type(of: thing))")
                // As dump shows an array: one element a line.
                #expect(
                    !dumped.replacing(" ", with: "").contains(digits.joined(separator: "\n-")), "\(type(of: thing))")
                // As Bytes32 would show its words.
                let word = secret.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                #expect(!text.contains(String(word)), "\(type(of: thing))")
            }
        }
    }

    /// Errors of operations on secrets carry no bytes of them.
    @Test func errorsShowNothing() throws {
        let secret = [UInt8](repeating: 0xA7, count: 32)
        let (_, keys, shares) = try sharedKey(3, threshold: 2)
        var errors: [ThresholdError] = []
        func keep(_ body: () throws(ThresholdError) -> Void) {
            do throws(ThresholdError) { try body() } catch { errors.append(error) }
        }
        keep { () throws(ThresholdError) in _ = try SecretScalar(decoding: SecretBytes(copying: secret)) }
        keep { () throws(ThresholdError) in _ = try RistrettoElement(decoding: secret) }
        keep { () throws(ThresholdError) in _ = try RistrettoScalar(decoding: secret) }
        keep { () throws(ThresholdError) in
            _ = try KeyShare(keys: keys, index: shares[1].index, secret: shares[0].secret)
        }
        keep { () throws(ThresholdError) in _ = try GenerationMessage(decoding: secret) }
        keep { () throws(ThresholdError) in _ = try ShareFile(decoding: secret) }
        #expect(errors.count == 6)
        let share = shares[0].secret.encoding.array
        for error in errors {
            let text = "\(error) \(String(reflecting: error))"
            #expect(!text.contains("a7a7") && !text.contains("167, 167") && !text.contains(Hex.encode(share)))
        }
    }
}
