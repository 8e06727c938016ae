public import AdapterKit
internal import EVM
public import Ledger
public import Primitives

/// A block as the ledger keeps it: all that a follower or a restored node needs to answer about it, senders included so
/// that nobody recovers them again.
public struct BlockRecord: Sendable {
    /// A transaction in its place.
    public struct Entry: Sendable {
        /// The signed transaction.
        public var transaction: SignedTransaction
        /// Whose it is.
        public var sender: Address
        /// What it did.
        public var receipt: Receipt

        /// A transaction in its place.
        public init(transaction: SignedTransaction, sender: Address, receipt: Receipt) {
            self.transaction = transaction
            self.sender = sender
            self.receipt = receipt
        }
    }

    /// The entry of the ledger that holds the block.
    public var id: TransactionID
    /// The header.
    public var header: Header
    /// The transactions in order.
    public var entries: [Entry]

    /// A block.
    public init(id: TransactionID, header: Header, entries: [Entry]) {
        self.id = id
        self.header = header
        self.entries = entries
    }

    /// First byte of the form.
    static let version: UInt8 = 1
}

extension BlockRecord {
    /// The byte form: version, entry, header's RLP, then each transaction with sender and receipt.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 640 + entries.count * 320)
        writer.integer(BlockRecord.version)
        writer.integer(id.view)
        writer.integer(id.seqno)
        writer.blob(header.encoded)
        writer.integer(UInt32(entries.count))
        for entry in entries {
            writer.blob(entry.transaction.encoded)
            entry.sender.withUnsafeBytes { writer.raw($0) }
            BlockRecord.encode(entry.receipt, to: &writer)
        }
        return writer.bytes
    }

    /// Reads the byte form.
    /// - Throws: ``AdapterError/malformed(_:)`` or ``AdapterError/unsupportedVersion(_:of:)``.
    public init(decoding bytes: [UInt8]) throws(AdapterError) {
        var reader = ByteReader(bytes)
        do {
            let version = try reader.integer(UInt8.self)
            guard version == BlockRecord.version else {
                throw AdapterError.unsupportedVersion(version, of: "a block record")
            }
            let view = try reader.integer(UInt64.self)
            id = TransactionID(view: view, seqno: try reader.integer())
            header = try Header(decoding: reader.blob())
            let count = try reader.integer(UInt32.self)
            guard count <= AdapterLimits.submissionsMax, count <= reader.remaining else {
                throw AdapterError.malformed("block record")
            }
            entries = []
            entries.reserveCapacity(Int(count))
            var cumulative: UInt64 = 0
            for _ in 0..<count {
                let transaction = try SignedTransaction(decoding: reader.blob())
                guard let sender = Address(try reader.raw(20)) else { throw AdapterError.malformed("block record") }
                let receipt = try BlockRecord.receipt(&reader, transaction.transaction, sender, &cumulative)
                entries.append(.init(transaction: transaction, sender: sender, receipt: receipt))
            }
            try reader.finish()
        } catch let error as AdapterError {
            throw error
        } catch {
            throw .malformed("block record at byte \(reader.offset)")
        }
    }

    /// What the consensus encoding says, without what follows from it or from the transaction.
    private static func encode(_ receipt: Receipt, to writer: inout ByteWriter) {
        switch receipt.outcome {
        case .status(let succeeded): writer.integer(succeeded ? 1 as UInt8 : 0)
        case .stateRoot(let root):
            writer.integer(2 as UInt8)
            root.withUnsafeBytes { writer.raw($0) }
        }
        writer.integer(receipt.gasUsed)
        writer.blob(receipt.effectiveGasPrice.minimalBytes)
        writer.list(receipt.logs) { writer, log in
            log.address.withUnsafeBytes { writer.raw($0) }
            writer.integer(UInt8(truncatingIfNeeded: log.topics.count))
            for topic in log.topics { topic.withUnsafeBytes { writer.raw($0) } }
            writer.blob(log.data)
        }
    }

    private static func receipt(
        _ reader: inout ByteReader, _ transaction: Transaction, _ sender: Address, _ cumulative: inout UInt64
    ) throws -> Receipt {
        let malformed = AdapterError.malformed("receipt in a block record")
        let outcome: Receipt.Outcome
        switch try reader.integer(UInt8.self) {
        case 0: outcome = .status(false)
        case 1: outcome = .status(true)
        case 2:
            guard let root = Bytes32(try reader.raw(32)) else { throw malformed }
            outcome = .stateRoot(root)
        default: throw malformed
        }
        let gasUsed = try reader.integer(UInt64.self)
        guard let price = UInt256(bigEndian: try reader.blob(limit: 32)) else { throw malformed }
        let logs = try reader.list { reader throws(ByteReaderError) in
            let at = reader.offset
            guard let address = Address(try reader.raw(20)) else { throw .invalid(at: at) }
            let count = try reader.integer(UInt8.self)
            guard count <= 4 else { throw .invalid(at: at) }
            var topics: [Bytes32] = []
            for _ in 0..<count {
                guard let topic = Bytes32(try reader.raw(32)) else { throw .invalid(at: at) }
                topics.append(topic)
            }
            return Log(address: address, topics: topics, data: try reader.blob())
        }
        let (sum, overflow) = cumulative.addingReportingOverflow(gasUsed)
        guard !overflow else { throw malformed }
        cumulative = sum
        return Receipt(
            kind: transaction.kind, outcome: outcome, cumulativeGasUsed: sum, logs: logs, gasUsed: gasUsed,
            effectiveGasPrice: price,
            contractAddress: transaction.isCreate ? sender.created(nonce: transaction.nonce) : nil,
            blobGasUsed: transaction.blobGas)
    }
}
