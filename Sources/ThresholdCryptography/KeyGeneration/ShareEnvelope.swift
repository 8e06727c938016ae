internal import CSodium
internal import Primitives

/// The encryption of one share to one receiver: ChaCha20-Poly1305 (RFC 8439) under a key that is hashed from the
/// Diffie-Hellman value of the dealer's ephemeral key and the receiver's key, and from who, to whom, and in which
/// generation. A key encrypts once, so the nonce is zero.
struct ShareEnvelope {
    static let byteCount = 32 + 16

    let context: GenerationContext
    let dealer: ShareIndex
    let commitments: [RistrettoElement]
    let ephemeralKey: RistrettoElement
    let receiver: RosterMember

    private func key(_ shared: RistrettoElement) -> SecretBytes {
        var transcript = Transcript("share key")
        transcript.append(secret: shared)
        transcript.append(context.digest.bytes)
        transcript.append(dealer)
        transcript.append(receiver.index)
        transcript.append(ephemeralKey)
        transcript.append(receiver.receivingKey)
        return transcript.secretBytes(32)
    }

    private var associatedData: [UInt8] {
        var transcript = Transcript("share data")
        transcript.append(context.digest.bytes)
        for commitment in commitments { transcript.append(commitment) }
        return transcript.bytes(32)
    }

    /// `shared` is r · PK_j.
    func seal(_ share: SecretScalar, shared: RistrettoElement) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: Self.byteCount)
        let data = associatedData
        let nonce = [UInt8](repeating: 0, count: 12)
        key(shared).withUnsafeBytes { key in
            share.bytes.withUnsafeBytes { share in
                _ = crypto_aead_chacha20poly1305_ietf_encrypt(
                    &sealed, nil, share.bytePointer(count: 32), 32, data, UInt64(data.count), nil, nonce,
                    key.bytePointer(count: 32))
            }
        }
        return sealed
    }

    /// The share; nil when the bytes don't open, or hold no scalar.
    func open(_ sealed: [UInt8], shared: RistrettoElement) -> SecretScalar? {
        guard sealed.count == Self.byteCount else { return nil }
        let data = associatedData
        let nonce = [UInt8](repeating: 0, count: 12)
        var code: Int32 = -1
        let key = key(shared)
        let share = SecretBytes(count: 32) { share in
            code = key.withUnsafeBytes { key in
                crypto_aead_chacha20poly1305_ietf_decrypt(
                    share.bytePointer(count: 32), nil, nil, sealed, UInt64(sealed.count), data, UInt64(data.count),
                    nonce, key.bytePointer(count: 32))
            }
        }
        guard code == 0, share.withUnsafeBytes(RistrettoScalar.isCanonical) else { return nil }
        return SecretScalar(unchecked: share)
    }
}
