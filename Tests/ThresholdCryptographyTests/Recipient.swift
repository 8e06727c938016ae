import Crypto
import FoundationEssentials
import Primitives
import ThresholdCryptography

/// A P-256 key pair that decryption shares and share files are sealed to.
struct Recipient {
    let publicKey: [UInt8]
    let privateKey: SecretBytes

    init(seed: UInt64) {
        var random = SeededBytes(seed)
        var bytes = random.bytes(32)
        bytes[0] &= 0x7F
        // swift-format-ignore: NeverUseForceTry
        let key = try! P256.KeyAgreement.PrivateKey(rawRepresentation: bytes)
        publicKey = Array(key.publicKey.x963Representation)
        privateKey = SecretBytes(copying: bytes)
    }
}
