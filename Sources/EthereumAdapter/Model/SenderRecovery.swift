internal import CSecp256k1
public import EVM
public import Primitives

extension Signature {
    /// Whether r and s are in range: from 1 below the order, and s in the lower half from Homestead on (EIP-2).
    public func isInRange(lowS: Bool) -> Bool {
        !r.isZero && !s.isZero && r < Signature.order && s < Signature.order && (!lowS || s <= Signature.halfOrder)
    }

    /// The address of the key that made this signature of a digest; nil if there is none.
    public func signer(of digest: Bytes32) -> Address? {
        guard isInRange(lowS: false) else { return nil }
        return Secp256k1.recover(digest: digest, r: r, s: s, yParity: yParity)
    }
}

/// libsecp256k1 with one shared context, which verification only reads.
enum Secp256k1 {
    private struct Context: @unchecked Sendable {
        // Never written to after creation: libsecp256k1 allows concurrent use of a constant context.
        let pointer: OpaquePointer?
    }

    private static let context = Context(pointer: secp256k1_context_create(UInt32(SECP256K1_CONTEXT_VERIFY)))

    static func recover(digest: Bytes32, r: UInt256, s: UInt256, yParity: Bool) -> Address? {
        guard let context = context.pointer else { return nil }
        var signature = secp256k1_ecdsa_recoverable_signature()
        let compact = r.bytes + s.bytes
        guard
            secp256k1_ecdsa_recoverable_signature_parse_compact(context, &signature, compact, yParity ? 1 : 0) == 1
        else { return nil }
        var key = secp256k1_pubkey()
        guard secp256k1_ecdsa_recover(context, &key, &signature, digest.bytes) == 1 else { return nil }
        var point = [UInt8](repeating: 0, count: 65)
        var length = point.count
        secp256k1_ec_pubkey_serialize(context, &point, &length, &key, UInt32(SECP256K1_EC_UNCOMPRESSED))
        return Address(tailOf: Keccak256.hash(point[1...]))
    }
}

extension SignedTransaction {
    /// The sender, from the signature. Checks r, s (low from Homestead on), and the chain id: any on a chain of its
    /// own before EIP-155 knew it is refused, as is a type that the fork doesn't know.
    /// - Throws: ``TransactionError``: `.unsupportedType`, `.invalidChainID`, `.invalidSignature`.
    public func sender(chainID: UInt64, fork: Fork) throws(TransactionError) -> Address {
        guard fork >= transaction.kind.since else {
            throw TransactionError(.unsupportedType, "type \(transaction.kind.rawValue)")
        }
        if let signed = transaction.chainID {
            if fork < .spuriousDragon { throw TransactionError(.invalidSignature, "v: \(v)") }
            guard signed == chainID else {
                throw TransactionError(.invalidChainID, "have \(signed) want \(chainID)")
            }
        }
        guard signature.isInRange(lowS: fork >= .homestead) else { throw TransactionError(.invalidSignature) }
        guard let address = signature.signer(of: transaction.signingHash) else {
            throw TransactionError(.invalidSignature)
        }
        return address
    }
}

extension Transaction.Kind {
    /// The first fork that knows the type.
    public var since: Fork {
        switch self {
        case .legacy: .frontier
        case .accessList: .berlin
        case .dynamicFee: .london
        case .blob: .cancun
        case .setCode: .prague
        }
    }
}
