public import Primitives

/// A transaction with its signature, its bytes on the wire and its hash. Comes from ``init(decoding:)`` or from
/// signing, so that bytes and fields always agree; whose it is, ``sender(_:)`` says.
public struct SignedTransaction: Hashable, Sendable {
    /// The terms.
    public let transaction: Transaction
    /// The signature over them.
    public let signature: Signature
    /// The canonical bytes: RLP, after the type byte if typed.
    public let encoded: [UInt8]
    /// Keccak-256 of ``encoded``: the transaction's name.
    public let hash: Bytes32

    /// A transaction with its signature.
    public init(_ transaction: Transaction, signature: Signature) {
        let encoded = transaction.encoded(with: signature)
        self.init(transaction, signature: signature, encoded: encoded, hash: Keccak256.hash(encoded))
    }

    init(_ transaction: Transaction, signature: Signature, encoded: [UInt8], hash: Bytes32) {
        self.transaction = transaction
        self.signature = signature
        self.encoded = encoded
        self.hash = hash
    }

    /// The v of the wire: parity, for a legacy transaction plus 27, or plus 35 and twice the chain id (EIP-155).
    public var v: UInt256 { transaction.v(signature) }
}

extension Transaction {
    /// What the sender signs (EIP-155 for a legacy transaction with a chain id).
    public var signingHash: Bytes32 {
        let body = RLPWriter.list { fields in
            encodeFields(to: &fields)
            if kind == .legacy, let chainID {
                fields.integer(chainID)
                fields.integer(0 as UInt64)
                fields.integer(0 as UInt64)
            }
        }
        guard kind != .legacy else { return Keccak256.hash(body) }
        var hasher = Keccak256()
        hasher.update([kind.rawValue])
        hasher.update(body)
        return hasher.finalize()
    }

    /// The bytes on the wire.
    func encoded(with signature: Signature) -> [UInt8] {
        let body = RLPWriter.list { fields in
            encodeFields(to: &fields)
            fields.integer(v(signature))
            fields.integer(signature.r)
            fields.integer(signature.s)
        }
        return kind == .legacy ? body : [kind.rawValue] + body
    }

    /// Parity; for a legacy transaction plus 27, or plus 35 and twice the chain id (EIP-155).
    func v(_ signature: Signature) -> UInt256 {
        let parity = UInt256(signature.yParity ? 1 as UInt64 : 0)
        guard kind == .legacy else { return parity }
        guard let chainID else { return parity &+ UInt256(27 as UInt64) }
        return parity &+ UInt256(35 as UInt64) &+ UInt256(chainID) &+ UInt256(chainID)
    }

    /// The signed fields in their order.
    private func encodeFields(to fields: inout RLPWriter) {
        if kind != .legacy { fields.integer(chainID ?? 0) }
        fields.integer(nonce)
        if kind.hasFeeCap { fields.integer(maxPriorityFeePerGas) }
        fields.integer(maxFeePerGas)
        fields.integer(gasLimit)
        fields.bytes(to)
        fields.integer(value)
        fields.bytes(input)
        if kind == .legacy { return }
        fields.list { list in
            for entry in accessList {
                list.list { pair in
                    pair.bytes(entry.address)
                    pair.list { slots in
                        for slot in entry.slots { slots.bytes(slot) }
                    }
                }
            }
        }
        if kind == .blob {
            fields.integer(maxFeePerBlobGas)
            fields.list { list in
                for hash in blobVersionedHashes { list.bytes(hash) }
            }
        }
        if kind == .setCode {
            fields.list { list in
                for authorization in authorizations { authorization.encode(to: &list) }
            }
        }
    }
}
