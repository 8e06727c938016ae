internal import Crypto
internal import FoundationEssentials

/// HPKE (RFC 9180) in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, for one message to a P-256
/// key. swift-crypto opens; it would seal too, but draws the ephemeral key itself, and here randomness comes in.
package struct SealedBox: Hashable, Sendable {
    /// The ephemeral public key, in X9.63 form.
    package let encapsulatedKey: [UInt8]
    /// Ciphertext and tag.
    package let ciphertext: [UInt8]

    package static let encapsulatedKeyByteCount = 65
    package static let tagByteCount = 16

    package init(encapsulatedKey: [UInt8], ciphertext: [UInt8]) {
        self.encapsulatedKey = encapsulatedKey
        self.ciphertext = ciphertext
    }

    /// Seals to a public key in X9.63 form. The ephemeral key follows from `randomness`, 32 bytes or more used for this
    /// message alone (DeriveKeyPair, RFC 9180, 7.1.3).
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` for a key that is no point of P-256 in uncompressed form.
    package init(
        sealing message: SecretBytes, to recipient: [UInt8], info: [UInt8], associatedData: [UInt8],
        randomness: SecretBytes
    ) throws(ThresholdError) {
        guard recipient.count == Self.encapsulatedKeyByteCount,
            let recipient = try? P256.KeyAgreement.PublicKey(x963Representation: recipient)
        else { throw .malformed("a recipient's key that is no uncompressed point of P-256") }
        guard randomness.count >= 32 else { throw .malformed("\(randomness.count) bytes to seal with") }
        let ephemeral = try Self.deriveKey(randomness)
        guard let agreed = try? ephemeral.sharedSecretFromKeyAgreement(with: recipient) else {
            throw .malformed("a recipient's key that gives no shared secret")
        }
        let encapsulatedKey = Array(ephemeral.publicKey.x963Representation)
        let none = SymmetricKey(data: [UInt8]())
        let kem = Labels(suite: Array("KEM".utf8) + [0x00, 0x10])
        let extracted = kem.extract(salt: none, "eae_prk", agreed.withUnsafeBytes { SymmetricKey(data: $0) })
        let shared = kem.expand(extracted, "shared_secret", encapsulatedKey + Array(recipient.x963Representation), 32)
        let suite = Labels(suite: Array("HPKE".utf8) + [0x00, 0x10, 0x00, 0x01, 0x00, 0x02])
        var schedule: [UInt8] = [0]
        schedule += suite.extract(salt: none, "psk_id_hash", none).withUnsafeBytes { Array($0) }
        schedule += suite.extract(salt: none, "info_hash", SymmetricKey(data: info)).withUnsafeBytes { Array($0) }
        let secret = suite.extract(salt: shared, "secret", none)
        let key = suite.expand(secret, "key", schedule, 32)
        let nonce = suite.expand(secret, "base_nonce", schedule, 12).withUnsafeBytes { Array($0) }
        let sealed = message.withUnsafeBytes { message in
            (try? AES.GCM.Nonce(data: nonce)).flatMap {
                try? AES.GCM.seal(message, using: key, nonce: $0, authenticating: associatedData)
            }
        }
        guard let sealed else { throw .malformed("a message that can't be sealed") }
        self.encapsulatedKey = encapsulatedKey
        ciphertext = Array(sealed.ciphertext) + Array(sealed.tag)
    }

    /// Opens with the private key, 32 bytes.
    /// - Throws: ``ThresholdError/decryption(_:file:line:)``.
    package func open(with privateKey: SecretBytes, info: [UInt8], associatedData: [UInt8]) throws(ThresholdError)
        -> SecretBytes
    {
        guard let key = privateKey.withUnsafeBytes({ try? P256.KeyAgreement.PrivateKey(rawRepresentation: $0) }) else {
            throw .malformed("a private key that is not 32 bytes of P-256")
        }
        do {
            var recipient = try HPKE.Recipient(
                privateKey: key, ciphersuite: .P256_SHA256_AES_GCM_256, info: Data(info),
                encapsulatedKey: Data(encapsulatedKey))
            var message = try recipient.open(ciphertext, authenticating: associatedData)
            defer { message.resetBytes(in: 0..<message.count) }
            guard !message.isEmpty else { throw ThresholdError.decryption("a sealed message of no bytes") }
            return SecretBytes(count: message.count) { memory in
                message.withUnsafeBytes { memory.copyMemory(from: $0) }
            }
        } catch { throw .decryption("a sealed message that does not open with this key and context") }
    }

    private static func deriveKey(_ randomness: SecretBytes) throws(ThresholdError) -> P256.KeyAgreement.PrivateKey {
        let kem = Labels(suite: Array("KEM".utf8) + [0x00, 0x10])
        let root = kem.extract(
            salt: SymmetricKey(data: [UInt8]()), "dkp_prk", randomness.withUnsafeBytes { SymmetricKey(data: $0) })
        for counter in 0...UInt8.max {
            let candidate = kem.expand(root, "candidate", [counter], 32)
            let key = candidate.withUnsafeBytes { try? P256.KeyAgreement.PrivateKey(rawRepresentation: $0) }
            if let key { return key }
        }
        throw .malformed("randomness from which no key follows")
    }

    /// LabeledExtract and LabeledExpand (RFC 9180, 4).
    private struct Labels {
        let suite: [UInt8]
        private let version = Array("HPKE-v1".utf8)

        func extract(salt: SymmetricKey, _ label: String, _ input: SymmetricKey) -> SymmetricKey {
            // One hash over label and secret, without a copy of both that would have to be erased: HKDF-Extract is HMAC.
            var code = HMAC<SHA256>(key: salt)
            code.update(data: version + suite + Array(label.utf8))
            input.withUnsafeBytes { code.update(data: $0) }
            return code.finalize().withUnsafeBytes { SymmetricKey(data: $0) }
        }

        func expand(_ key: SymmetricKey, _ label: String, _ info: [UInt8], _ count: Int) -> SymmetricKey {
            let all = [UInt8(count >> 8), UInt8(count & 255)] + version + suite + Array(label.utf8) + info
            return HKDF<SHA256>.expand(pseudoRandomKey: key, info: all, outputByteCount: count)
        }
    }
}
