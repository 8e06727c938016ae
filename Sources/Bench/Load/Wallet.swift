internal import CSecp256k1
public import EthereumAdapter
public import Primitives

/// A secp256k1 key that signs transactions of the bench.
public struct Wallet: Sendable {
    /// The account.
    public let address: Address
    private let key: [UInt8]

    /// One context for all: making one takes far longer than a signature, and signing only reads it.
    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer?
    }

    private static let context = Context(pointer: secp256k1_context_create(UInt32(SECP256K1_CONTEXT_SIGN)))

    /// The wallet of a private key; nil if the 32 bytes are none.
    public init?(key: [UInt8]) {
        guard key.count == 32, let context = Self.context.pointer else { return nil }
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(context, &point, key) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65)
        var length = bytes.count
        guard
            secp256k1_ec_pubkey_serialize(context, &bytes, &length, &point, UInt32(SECP256K1_EC_UNCOMPRESSED)) == 1
        else { return nil }
        self.key = key
        address = Address(tailOf: Keccak256.hash(bytes[1...]))
    }

    /// Wallet `index` of a run: keys come from the seed, so they guard nothing but the bench's own accounts.
    package init(seed: UInt64, index: Int) {
        var attempt: UInt64 = 0
        while true {
            let text = "entente bench \(seed) \(index) \(attempt)"
            if let wallet = Wallet(key: Keccak256.hash(Array(text.utf8)).bytes) {
                self = wallet
                return
            }
            // Not a scalar below the order; as likely as a collision of the hash.
            attempt += 1
        }
    }

    /// The signed transaction; the nonce of the signature is RFC 6979's, so the same terms give the same bytes.
    public func sign(_ transaction: Transaction) -> SignedTransaction {
        var signature = secp256k1_ecdsa_recoverable_signature()
        let digest = transaction.signingHash.bytes
        let isSigned =
            Self.context.pointer.map {
                secp256k1_ecdsa_sign_recoverable($0, &signature, digest, key, nil, nil) == 1
            } ?? false
        precondition(isSigned, "a checked key signs every digest")
        var compact = [UInt8](repeating: 0, count: 64)
        var parity: Int32 = 0
        _ = Self.context.pointer.map {
            secp256k1_ecdsa_recoverable_signature_serialize_compact($0, &compact, &parity, &signature)
        }
        let (r, s) = compact.withUnsafeBytes { bytes in
            let base = bytes.baseAddress.unsafelyUnwrapped
            return (UInt256(loadingBigEndian: base), UInt256(loadingBigEndian: base + 32))
        }
        return SignedTransaction(transaction, signature: Signature(r: r, s: s, yParity: parity == 1))
    }
}
