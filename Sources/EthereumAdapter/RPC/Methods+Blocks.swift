import AdapterKit
import EVM
import Primitives

// Blocks and their transactions. What isn't there is null, as go-ethereum answers.
extension RPCServer {
    func getBlockByHash(_ call: RPCCall) throws(RPCError) -> JSON {
        block(at: chain.height(hash: try call.parameters.hash(0)), full: try call.parameters.bool(1, default: false))
    }

    func getBlockByNumber(_ call: RPCCall) throws(RPCError) -> JSON {
        block(
            at: chain.knownHeight(of: try call.parameters.block(0)), full: try call.parameters.bool(1, default: false))
    }

    private func block(at height: UInt64?, full: Bool) -> JSON {
        guard let height, let hash = chain.blocks.block(height)?.hash, let record = chain.blocks.record(height) else {
            return .null
        }
        return RPCFormat.block(record, hash: hash, full: full)
    }

    func getBlockReceipts(_ call: RPCCall) throws(RPCError) -> JSON {
        guard let height = chain.knownHeight(of: try call.parameters.block(0)),
            let hash = chain.blocks.block(height)?.hash, let record = chain.blocks.record(height)
        else { return .null }
        var logs = 0
        return .array(
            record.entries.enumerated().map { index, entry in
                defer { logs += entry.receipt.logs.count }
                return RPCFormat.receipt(
                    entry, at: .init(blockHash: hash, header: record.header, index: index), firstLog: logs)
            })
    }

    func getTransactionCountByHash(_ call: RPCCall) throws(RPCError) -> JSON {
        transactionCount(chain.height(hash: try call.parameters.hash(0)))
    }

    func getTransactionCountByNumber(_ call: RPCCall) throws(RPCError) -> JSON {
        transactionCount(chain.knownHeight(of: try call.parameters.block(0)))
    }

    private func transactionCount(_ height: UInt64?) -> JSON {
        height.flatMap { chain.blocks.block($0) }.map { .quantity($0.transactionCount) } ?? .null
    }

    func getUncleCountByHash(_ call: RPCCall) throws(RPCError) -> JSON {
        chain.height(hash: try call.parameters.hash(0)) == nil ? .null : "0x0"
    }

    func getUncleCountByNumber(_ call: RPCCall) throws(RPCError) -> JSON {
        chain.knownHeight(of: try call.parameters.block(0)) == nil ? .null : "0x0"
    }

    /// There are none here.
    func getUncle(_ call: RPCCall) throws(RPCError) -> JSON { .null }

    // MARK: Transactions

    func getTransactionByHash(_ call: RPCCall) throws(RPCError) -> JSON {
        let hash = try call.parameters.hash(0)
        if let place = chain.committedPlace(of: hash) { return transaction(place.block, Int(place.index)) }
        guard let waiting = chain.pool[hash] else { return .null }
        return RPCFormat.transaction(waiting.transaction, sender: waiting.sender, at: nil)
    }

    func getTransactionByBlockHash(_ call: RPCCall) throws(RPCError) -> JSON {
        let index = try call.parameters.integer(1)
        guard let height = chain.height(hash: try call.parameters.hash(0)) else { return .null }
        return transaction(height, Int(clamping: index))
    }

    func getTransactionByBlockNumber(_ call: RPCCall) throws(RPCError) -> JSON {
        let index = try call.parameters.integer(1)
        guard let height = chain.knownHeight(of: try call.parameters.block(0)) else { return .null }
        return transaction(height, Int(clamping: index))
    }

    private func transaction(_ height: UInt64, _ index: Int) -> JSON {
        guard let hash = chain.blocks.block(height)?.hash, let record = chain.blocks.record(height),
            index < record.entries.count
        else { return .null }
        return RPCFormat.transaction(
            record.entries[index], at: .init(blockHash: hash, header: record.header, index: index))
    }

    func getRawTransaction(_ call: RPCCall) throws(RPCError) -> JSON {
        let hash = try call.parameters.hash(0)
        if let place = chain.committedPlace(of: hash), let record = chain.blocks.record(place.block) {
            return .data(record.entries[Int(place.index)].transaction.encoded)
        }
        return chain.pool[hash].map { .data($0.transaction.encoded) } ?? .null
    }

    func getTransactionReceipt(_ call: RPCCall) throws(RPCError) -> JSON {
        guard let place = chain.committedPlace(of: try call.parameters.hash(0)),
            let hash = chain.blocks.block(place.block)?.hash, let record = chain.blocks.record(place.block)
        else { return .null }
        let index = Int(place.index)
        let logsBefore = record.entries[..<index].reduce(0) { $0 + $1.receipt.logs.count }
        return RPCFormat.receipt(
            record.entries[index], at: .init(blockHash: hash, header: record.header, index: index),
            firstLog: logsBefore)
    }

    /// The transaction's id in the ledger, `view.seqno.index`, for which `/app/receipt` gives a receipt; null while it is not
    /// committed. Where the genesis allows replay a recorded block is one transaction of the ledger, so the id is the
    /// entry's, `view.seqno`.
    func ledgerTransactionID(_ call: RPCCall) throws(RPCError) -> JSON {
        guard let place = chain.committedPlace(of: try call.parameters.hash(0)),
            let record = chain.blocks.record(place.block)
        else { return .null }
        return .string(chain.replay == nil ? "\(record.id).\(place.index)" : "\(record.id)")
    }

    // MARK: Pool

    func poolStatus(_ call: RPCCall) throws(RPCError) -> JSON {
        ["pending": "0x0", "queued": .quantity(chain.pool.count)]
    }

    func poolContent(_ call: RPCCall) throws(RPCError) -> JSON {
        var queued = JSONObject()
        for (sender, transactions) in chain.pool.sorted { queued.append(sender.hex, content(transactions)) }
        return ["pending": [:], "queued": .object(queued)]
    }

    func poolContentFrom(_ call: RPCCall) throws(RPCError) -> JSON {
        let sender = try call.parameters.address(0)
        let mine = chain.pool.sorted.first { $0.sender == sender }?.transactions ?? []
        return ["pending": [:], "queued": content(mine)]
    }

    private func content(_ transactions: [TransactionPool.Waiting]) -> JSON {
        .object(
            .init(
                transactions.map { waiting in
                    .init(
                        name: String(waiting.transaction.transaction.nonce),
                        value: RPCFormat.transaction(waiting.transaction, sender: waiting.sender, at: nil))
                }))
    }
}
