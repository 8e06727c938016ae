public import EVM
public import Primitives

/// What became of a transaction (yellow paper, section 4.3.1; EIP-658; EIP-2718), with what JSON-RPC adds to it.
public struct Receipt: Hashable, Sendable {
    /// The first field of a receipt.
    public enum Outcome: Hashable, Sendable {
        /// The state root after the transaction: receipts before Byzantium.
        case stateRoot(Bytes32)
        /// Whether it succeeded: from Byzantium on (EIP-658).
        case status(Bool)
    }

    /// The type of the transaction.
    public var kind: Transaction.Kind
    /// Success, or the state root of old.
    public var outcome: Outcome
    /// Gas that the block used up to and with this transaction.
    public var cumulativeGasUsed: UInt64
    /// What contracts logged; none if the transaction failed.
    public var logs: [Log]
    /// The filter over the logs; computed each time, since most receipts of a follower are never asked for theirs.
    public var bloom: Bloom { Bloom(logs) }
    /// Gas that this transaction used, after refunds. Not in the consensus encoding.
    public var gasUsed: UInt64
    /// Wei paid per gas. Not in the consensus encoding.
    public var effectiveGasPrice: UInt256
    /// The contract that a successful or failed creation would live at; nil for a call. Not in the consensus encoding.
    public var contractAddress: Address?
    /// Blob gas used. Not in the consensus encoding.
    public var blobGasUsed: UInt64

    /// A receipt.
    public init(
        kind: Transaction.Kind, outcome: Outcome, cumulativeGasUsed: UInt64, logs: [Log], gasUsed: UInt64,
        effectiveGasPrice: UInt256, contractAddress: Address? = nil, blobGasUsed: UInt64 = 0
    ) {
        self.kind = kind
        self.outcome = outcome
        self.cumulativeGasUsed = cumulativeGasUsed
        self.logs = logs
        self.gasUsed = gasUsed
        self.effectiveGasPrice = effectiveGasPrice
        self.contractAddress = contractAddress
        self.blobGasUsed = blobGasUsed
    }

    /// Whether it succeeded; nil before Byzantium, whose receipts don't say.
    public var succeeded: Bool? {
        if case .status(let status) = outcome { return status }
        return nil
    }

    /// The consensus encoding, a leaf of the receipts trie: RLP, after the type byte if typed.
    public var encoded: [UInt8] { encoded(bloom: bloom) }

    func encoded(bloom: Bloom) -> [UInt8] {
        let body = RLPWriter.list { receipt in
            switch outcome {
            case .stateRoot(let root): receipt.bytes(root)
            case .status(let status): receipt.integer(status ? 1 as UInt64 : 0)
            }
            receipt.integer(cumulativeGasUsed)
            receipt.bytes(bloom.bytes)
            receipt.list { list in
                for log in logs { log.encode(to: &list) }
            }
        }
        return kind == .legacy ? body : [kind.rawValue] + body
    }

    /// The `receiptsRoot` of a block.
    public static func root(_ receipts: [Receipt]) -> Bytes32 {
        OrderedTrie.root(indexed: receipts.map(\.encoded))
    }
}

/// The receipts of a block as they are made: each one's bytes and filter are computed once for all that needs them.
struct EncodedReceipts {
    private var encodings: [[UInt8]] = []
    /// Union of the filters.
    private(set) var bloom = Bloom()

    /// Adds the next receipt and gives its bytes.
    @discardableResult
    mutating func append(_ receipt: Receipt) -> [UInt8] {
        let own = receipt.bloom
        if !receipt.logs.isEmpty { bloom.formUnion(own) }
        let encoded = receipt.encoded(bloom: own)
        encodings.append(encoded)
        return encoded
    }

    /// The `receiptsRoot`.
    var root: Bytes32 { OrderedTrie.root(indexed: encodings) }
}

extension Log {
    /// Appends the RLP of address, topics, data.
    public func encode(to writer: inout RLPWriter) {
        writer.list { log in
            log.bytes(address)
            log.list { list in
                for topic in topics { list.bytes(topic) }
            }
            log.bytes(data)
        }
    }
}
