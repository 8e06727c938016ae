import EVM
import Primitives

/// Blocks, transactions, receipts and logs in the shapes of Ethereum's JSON-RPC (execution-apis), members in
/// go-ethereum's order.
enum RPCFormat {
    /// Where a transaction stands.
    struct Place {
        var blockHash: Bytes32
        var header: Header
        var index: Int

        /// Wei per blob gas. Blob transactions stand in replayed blocks only; Prague's headers tell of requests.
        var blobGasPrice: UInt256 {
            FeeRules.blobBaseFee(
                excess: header.excessBlobGas ?? 0, .schedule(header.requestsHash == nil ? .cancun : .prague))
        }
    }

    static func header(_ header: Header, hash: Bytes32) -> JSONObject {
        var object = JSONObject()
        object.members.reserveCapacity(28)
        object.append("number", .quantity(header.number))
        object.append("hash", .data(hash))
        object.append("parentHash", .data(header.parentHash))
        object.append("nonce", .data(withUnsafeBytes(of: header.nonce.bigEndian) { Array($0) }))
        object.append("mixHash", .data(header.mixHash))
        object.append("sha3Uncles", .data(header.ommersHash))
        object.append("logsBloom", .data(header.logsBloom.bytes))
        object.append("stateRoot", .data(header.stateRoot))
        object.append("miner", .data(header.beneficiary))
        object.append("difficulty", .quantity(header.difficulty))
        object.append("extraData", .data(header.extraData))
        object.append("gasLimit", .quantity(header.gasLimit))
        object.append("gasUsed", .quantity(header.gasUsed))
        object.append("timestamp", .quantity(header.timestamp))
        object.append("transactionsRoot", .data(header.transactionsRoot))
        object.append("receiptsRoot", .data(header.receiptsRoot))
        if let value = header.baseFeePerGas { object.append("baseFeePerGas", .quantity(value)) }
        if let value = header.withdrawalsRoot { object.append("withdrawalsRoot", .data(value)) }
        if let value = header.blobGasUsed { object.append("blobGasUsed", .quantity(value)) }
        if let value = header.excessBlobGas { object.append("excessBlobGas", .quantity(value)) }
        if let value = header.parentBeaconBlockRoot { object.append("parentBeaconBlockRoot", .data(value)) }
        if let value = header.requestsHash { object.append("requestsHash", .data(value)) }
        return object
    }

    static func block(_ record: BlockRecord, hash: Bytes32, full: Bool) -> JSON {
        var object = header(record.header, hash: hash)
        let headerSize = record.header.encoded.count
        let transactionsSize = record.entries.reduce(0) { $0 + $1.transaction.encoded.count }
        object.append("size", .quantity(headerSize + transactionsSize))
        object.append("uncles", [])
        object.append(
            "transactions",
            .array(
                record.entries.enumerated().map { index, entry in
                    full
                        ? transaction(entry, at: Place(blockHash: hash, header: record.header, index: index))
                        : .data(entry.transaction.hash)
                }))
        if record.header.withdrawalsRoot != nil { object.append("withdrawals", []) }
        return .object(object)
    }

    static func transaction(_ entry: BlockRecord.Entry, at place: Place) -> JSON {
        transaction(entry.transaction, sender: entry.sender, at: place)
    }

    /// A transaction; without a place it is pending.
    static func transaction(_ signed: SignedTransaction, sender: Address, at place: Place?) -> JSON {
        let transaction = signed.transaction
        var object = JSONObject()
        object.members.reserveCapacity(22)
        object.append("blockHash", place.map { .data($0.blockHash) } ?? .null)
        object.append("blockNumber", place.map { .quantity($0.header.number) } ?? .null)
        object.append("blockTimestamp", place.map { .quantity($0.header.timestamp) } ?? .null)
        object.append("from", .data(sender))
        object.append("gas", .quantity(transaction.gasLimit))
        let price = place.map { transaction.effectiveGasPrice(baseFee: $0.header.baseFeePerGas ?? .zero) }
        object.append("gasPrice", .quantity(price ?? transaction.maxFeePerGas))
        if transaction.kind.hasFeeCap {
            object.append("maxFeePerGas", .quantity(transaction.maxFeePerGas))
            object.append("maxPriorityFeePerGas", .quantity(transaction.maxPriorityFeePerGas))
        }
        if transaction.kind == .blob {
            object.append("maxFeePerBlobGas", .quantity(transaction.maxFeePerBlobGas))
            object.append("blobVersionedHashes", .array(transaction.blobVersionedHashes.map { .data($0) }))
        }
        if transaction.kind == .setCode {
            object.append("authorizationList", .array(transaction.authorizations.map(authorization)))
        }
        object.append("hash", .data(signed.hash))
        object.append("input", .data(transaction.input))
        object.append("nonce", .quantity(transaction.nonce))
        object.append("to", transaction.to.map { .data($0) } ?? .null)
        object.append("transactionIndex", place.map { .quantity($0.index) } ?? .null)
        object.append("value", .quantity(transaction.value))
        object.append("type", .quantity(UInt64(transaction.kind.rawValue)))
        if transaction.kind != .legacy { object.append("accessList", accessList(transaction.accessList)) }
        if let chainID = transaction.chainID { object.append("chainId", .quantity(chainID)) }
        object.append("v", .quantity(signed.v))
        object.append("r", .quantity(signed.signature.r))
        object.append("s", .quantity(signed.signature.s))
        if transaction.kind != .legacy { object.append("yParity", .quantity(signed.signature.yParity ? 1 : 0)) }
        return .object(object)
    }

    private static func authorization(_ authorization: Authorization) -> JSON {
        [
            "chainId": .quantity(authorization.chainID), "address": .data(authorization.address),
            "nonce": .quantity(authorization.nonce), "yParity": .quantity(UInt64(authorization.yParity)),
            "r": .quantity(authorization.r), "s": .quantity(authorization.s),
        ]
    }

    static func accessList(_ list: [Transaction.AccessListEntry]) -> JSON {
        .array(
            list.map { entry in
                ["address": .data(entry.address), "storageKeys": .array(entry.slots.map { .data($0) })]
            })
    }

    /// A receipt; `firstLog` is the number of logs of the block's transactions before.
    static func receipt(_ entry: BlockRecord.Entry, at place: Place, firstLog: Int) -> JSON {
        let receipt = entry.receipt
        var object = JSONObject()
        object.members.reserveCapacity(16)
        if receipt.kind == .blob {
            object.append("blobGasPrice", .quantity(place.blobGasPrice))
            object.append("blobGasUsed", .quantity(receipt.blobGasUsed))
        }
        object.append("blockHash", .data(place.blockHash))
        object.append("blockNumber", .quantity(place.header.number))
        object.append("contractAddress", receipt.contractAddress.map { .data($0) } ?? .null)
        object.append("cumulativeGasUsed", .quantity(receipt.cumulativeGasUsed))
        object.append("effectiveGasPrice", .quantity(receipt.effectiveGasPrice))
        object.append("from", .data(entry.sender))
        object.append("gasUsed", .quantity(receipt.gasUsed))
        object.append("logs", .array(logs(entry, at: place, firstLog: firstLog)))
        object.append("logsBloom", .data(receipt.bloom.bytes))
        switch receipt.outcome {
        case .status(let succeeded): object.append("status", .quantity(succeeded ? 1 : 0))
        case .stateRoot(let root): object.append("root", .data(root))
        }
        object.append("to", entry.transaction.transaction.to.map { .data($0) } ?? .null)
        object.append("transactionHash", .data(entry.transaction.hash))
        object.append("transactionIndex", .quantity(place.index))
        object.append("type", .quantity(UInt64(receipt.kind.rawValue)))
        return .object(object)
    }

    /// A transaction's logs.
    static func logs(_ entry: BlockRecord.Entry, at place: Place, firstLog: Int) -> [JSON] {
        entry.receipt.logs.enumerated().map { number, log in
            self.log(log, of: entry.transaction.hash, at: place, index: firstLog + number)
        }
    }

    /// One log; `index` counts within the block.
    static func log(_ log: Log, of transaction: Bytes32, at place: Place, index: Int) -> JSON {
        [
            "address": .data(log.address), "topics": .array(log.topics.map { .data($0) }), "data": .data(log.data),
            "blockNumber": .quantity(place.header.number), "transactionHash": .data(transaction),
            "transactionIndex": .quantity(place.index), "blockHash": .data(place.blockHash),
            "blockTimestamp": .quantity(place.header.timestamp), "logIndex": .quantity(index), "removed": false,
        ]
    }
}
