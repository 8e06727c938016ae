import CSecp256k1
import EthereumAdapter
import Primitives

/// A private key that signs transactions, for tests.
struct Wallet: Sendable {
    let key: [UInt8]
    let address: Address

    /// The wallet whose private key is a small number.
    init(_ number: UInt8) {
        let key = [UInt8](repeating: 0, count: 31) + [number]
        self.key = key
        address = Wallet.withContext { context in
            var point = secp256k1_pubkey()
            guard secp256k1_ec_pubkey_create(context, &point, key) == 1 else { return .zero }
            var bytes = [UInt8](repeating: 0, count: 65)
            var length = bytes.count
            secp256k1_ec_pubkey_serialize(context, &bytes, &length, &point, UInt32(SECP256K1_EC_UNCOMPRESSED))
            return Address(tailOf: Keccak256.hash(Array(bytes[1...])))
        }
    }

    /// The signed transaction.
    func sign(_ transaction: Transaction) -> SignedTransaction {
        SignedTransaction(transaction, signature: sign(transaction.signingHash))
    }

    /// The signature of a digest.
    func sign(_ digest: Bytes32) -> Signature {
        Wallet.withContext { context in
            var signature = secp256k1_ecdsa_recoverable_signature()
            _ = secp256k1_ecdsa_sign_recoverable(context, &signature, digest.bytes, key, nil, nil)
            var compact = [UInt8](repeating: 0, count: 64)
            var parity: Int32 = 0
            secp256k1_ecdsa_recoverable_signature_serialize_compact(context, &compact, &parity, &signature)
            let r = UInt256(bigEndian: compact[..<32]) ?? .zero
            let s = UInt256(bigEndian: compact[32...]) ?? .zero
            return Signature(r: r, s: s, yParity: parity == 1)
        }
    }

    /// A signed transfer or call that offers nothing for its gas.
    func send(
        _ nonce: UInt64, to: Address?, value: UInt64 = 0, input: [UInt8] = [], gas: UInt64 = 100_000,
        price: UInt64 = 0, chainID: UInt64 = TestChain.chainID
    ) -> SignedTransaction {
        sign(
            Transaction(
                kind: .dynamicFee, chainID: chainID, nonce: nonce, maxPriorityFeePerGas: UInt256(price),
                maxFeePerGas: UInt256(price), gasLimit: gas, to: to, value: UInt256(value), input: input))
    }

    private static func withContext<T>(_ body: (OpaquePointer) -> T) -> T {
        let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_SIGN))!
        defer { secp256k1_context_destroy(context) }
        return body(context)
    }
}
