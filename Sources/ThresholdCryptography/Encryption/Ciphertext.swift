public import Primitives

/// A secret of 32 bytes encrypted to a shared key by TDH2 (Shoup, Gennaro 1998), secure against chosen ciphertexts: whoever
/// made it knew what is in it, and it can't be changed into another, nor its label.
///
///     Ḡ = hash to group(network id)            generator of which nobody knows the logarithm
///     c = H1(r·Y) ⊕ m    u = r·G   w = s·G   ū = r·Ḡ   w̄ = s·Ḡ
///     e = H2(c, L, Y, u, w, ū, w̄)              f = s + r·e
///     valid when e = H2(c, L, Y, u, f·G - e·u, ū, f·Ḡ - e·ū)
///
/// Beyond the paper, H2 takes in Y too, so a ciphertext is to one key.
public struct Ciphertext: Hashable, Sendable {
    /// Bytes of a message.
    public static let messageByteCount = 32

    /// The label, in the clear.
    public let label: Label
    let masked: Bytes32
    let u: RistrettoElement
    let uBar: RistrettoElement
    let e: RistrettoScalar
    let f: RistrettoScalar

    /// Encrypts `message` of 32 bytes to a shared key. Nonces are hashed from `randomness` (32 bytes or more), message,
    /// label and key.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` for other lengths, ``ThresholdError/stale(_:file:line:)`` when
    ///   the label is not of this key.
    public init(encrypting message: SecretBytes, label: Label, to keys: PublicKeySet, randomness: SecretBytes)
        throws(ThresholdError)
    {
        guard label.networkID == keys.networkID, label.sharedKeyID == keys.keyID else {
            throw .stale("a label of another network or key")
        }
        guard message.count == Self.messageByteCount, randomness.count >= 32 else {
            throw .malformed("a message of \(message.count) bytes with \(randomness.count) random bytes")
        }
        let derive = { (name: String) -> SecretScalar in
            var transcript = Transcript("tdh2 \(name)")
            transcript.append(randomness)
            transcript.append(message)
            transcript.append(label.encoded)
            transcript.append(keys.publicKey)
            return transcript.secretScalar()
        }
        let (r, s) = (derive("r"), derive("s"))
        let gBar = Self.secondGenerator(networkID: label.networkID)
        self.label = label
        masked = Self.mask(message, r * keys.publicKey)
        u = r.timesGenerator
        uBar = r * gBar
        e = Self.challenge(masked, label, keys.publicKey, u, s.timesGenerator, uBar, s * gBar)
        // s - (-e)·r
        f = r.response(nonce: s, challenge: .zero - e)
    }

    /// Ḡ of a network.
    package static func secondGenerator(networkID: String) -> RistrettoElement {
        var transcript = Transcript("tdh2 gbar")
        transcript.append(networkID)
        return transcript.element()
    }

    private static func maskBytes(_ shared: RistrettoElement) -> SecretBytes {
        var transcript = Transcript("tdh2 mask")
        transcript.append(secret: shared)
        return transcript.secretBytes(messageByteCount)
    }

    /// H1(shared) ⊕ the message, which is public.
    private static func mask(_ message: SecretBytes, _ shared: RistrettoElement) -> Bytes32 {
        var masked = Bytes32.zero
        withUnsafeMutableBytes(of: &masked) { masked in
            message.withUnsafeBytes { message in
                maskBytes(shared).withUnsafeBytes { mask in
                    for place in 0..<messageByteCount { masked[place] = message[place] ^ mask[place] }
                }
            }
        }
        return masked
    }

    /// The message, given r·Y.
    func unmask(_ shared: RistrettoElement) -> SecretBytes {
        let mask = Self.maskBytes(shared)
        return SecretBytes(count: Self.messageByteCount) { message in
            masked.withUnsafeBytes { masked in
                mask.withUnsafeBytes { mask in
                    for place in 0..<Self.messageByteCount { message[place] = masked[place] ^ mask[place] }
                }
            }
        }
    }

    private static func challenge(
        _ masked: Bytes32, _ label: Label, _ key: RistrettoElement, _ u: RistrettoElement, _ w: RistrettoElement,
        _ uBar: RistrettoElement, _ wBar: RistrettoElement
    ) -> RistrettoScalar {
        var transcript = Transcript("tdh2 challenge")
        transcript.append(masked.bytes)
        transcript.append(label.encoded)
        for element in [key, u, w, uBar, wBar] { transcript.append(element) }
        return transcript.scalar()
    }

    /// Checks the ciphertext against the key that it must be to. Only what passed can be opened.
    /// - Throws: ``ThresholdError/stale(_:file:line:)`` when the label is of another network or key,
    ///   ``ThresholdError/badProof(_:file:line:)`` when it is not as its maker made it.
    public func checked(for keys: PublicKeySet) throws(ThresholdError) -> CheckedCiphertext {
        guard label.networkID == keys.networkID, label.sharedKeyID == keys.keyID else {
            throw .stale("a ciphertext to another network's or another key")
        }
        let gBar = Self.secondGenerator(networkID: label.networkID)
        let w = f.timesGenerator - e * u
        let wBar = f * gBar - e * uBar
        guard Self.challenge(masked, label, keys.publicKey, u, w, uBar, wBar) == e else {
            throw .badProof("a ciphertext that is not as its maker made it")
        }
        return CheckedCiphertext(ciphertext: self, publicKey: keys.publicKey)
    }

    /// Reads the form of ``encoded``.
    /// - Throws: ``ThresholdError``.
    public init(decoding bytes: [UInt8]) throws(ThresholdError) {
        var reader = try FieldReader(bytes, kind: "threshold.tdh2", count: 6)
        label = try Label(decoding: try reader.bytes("label", count: 1...1024))
        masked = try reader.digest("c")
        u = try reader.element("u")
        uBar = try reader.element("ū")
        e = try reader.scalar("e")
        f = try reader.scalar("f")
    }

    /// CBOR `[1, "threshold.tdh2", label, c, u, ū, e, f]`.
    public var encoded: [UInt8] {
        FieldWriter.message(
            "threshold.tdh2",
            [
                .bytes(label.encoded), .digest(masked), .element(u), .element(uBar), .bytes(e.encoding.bytes),
                .bytes(f.encoding.bytes),
            ])
    }
}

/// A ciphertext that was found valid for a key.
public struct CheckedCiphertext: Hashable, Sendable {
    /// The ciphertext.
    public let ciphertext: Ciphertext
    let publicKey: RistrettoElement
    /// Names the ciphertext in requests and shares.
    public let digest: Bytes32

    init(ciphertext: Ciphertext, publicKey: RistrettoElement) {
        self.ciphertext = ciphertext
        self.publicKey = publicKey
        var transcript = Transcript("ciphertext")
        transcript.append(ciphertext.encoded)
        digest = transcript.digest()
    }
}
