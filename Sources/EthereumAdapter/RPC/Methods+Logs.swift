import AdapterKit
import EVM
import Primitives

// Log queries and filters.
extension RPCServer {
    func getLogs(_ call: RPCCall) throws(RPCError) -> JSON {
        .array(try logs(LogFilter(call.parameters.object(0))))
    }

    func newFilter(_ call: RPCCall) throws(RPCError) -> JSON {
        let filter = try LogFilter(call.parameters.object(0))
        guard filter.blockHash == nil else { throw .server("a filter by block hash has no changes to wait for") }
        return try add(.logs(filter), call)
    }

    func newBlockFilter(_ call: RPCCall) throws(RPCError) -> JSON { try add(.blocks, call) }

    /// Transactions are known to all nodes when they are committed, so this reports those of new blocks.
    func newPendingTransactionFilter(_ call: RPCCall) throws(RPCError) -> JSON {
        guard !(try call.parameters.bool(0, default: false)) else {
            throw .invalidArgument(0, "full transactions are not reported")
        }
        return try add(.pendingTransactions, call)
    }

    private func add(_ subject: FilterRegistry.Subject, _ call: RPCCall) throws(RPCError) -> JSON {
        try filters.add(subject, for: call.query.actor, next: chain.blocks.committed + 1, now: call.query.time)
    }

    func getFilterChanges(_ call: RPCCall) throws(RPCError) -> JSON {
        let last = chain.blocks.committed
        let (subject, first) = try filters.poll(
            call.parameters.hash(0), of: call.query.actor, through: last, now: call.query.time)
        guard first <= last else { return [] }
        switch subject {
        case .blocks: return .array((first...last).compactMap { chain.blocks.block($0) }.map { .data($0.hash) })
        case .pendingTransactions:
            return .array(
                (first...last).compactMap { chain.blocks.record($0) }.flatMap { record in
                    record.entries.map { .data($0.transaction.hash) }
                })
        case .logs(let filter):
            // The filter's own range still holds, but "latest" moves along.
            var from = first
            var to = last
            if case .number(let number) = filter.from { from = max(from, number) }
            if case .number(let number) = filter.to { to = min(to, number) }
            return from <= to ? .array(try logs(filter, from: from, to: to)) : []
        }
    }

    func getFilterLogs(_ call: RPCCall) throws(RPCError) -> JSON {
        let id = try call.parameters.hash(0)
        guard case .logs(let filter) = try filters.subject(id, of: call.query.actor, now: call.query.time) else {
            throw .server("filter not found")
        }
        return .array(try logs(filter))
    }

    func uninstallFilter(_ call: RPCCall) throws(RPCError) -> JSON {
        .bool(filters.remove(try call.parameters.hash(0), of: call.query.actor))
    }

    // MARK: Search

    private func logs(_ filter: LogFilter) throws(RPCError) -> [JSON] {
        if let hash = filter.blockHash {
            guard let height = chain.height(hash: hash) else { throw .server("unknown block") }
            return try logs(filter, from: height, to: height)
        }
        let last = chain.blocks.committed
        let from = bound(filter.from)
        let to = bound(filter.to)
        // Who polls asks from the block after the last one, up to the latest: that is no mistake.
        if case .number = filter.to, from > to { throw .invalidParameters("invalid block range params") }
        guard from <= to, from <= last else { return [] }
        return try logs(filter, from: max(from, chain.blocks.first), to: min(to, last))
    }

    private func bound(_ block: BlockReference) -> UInt64 {
        switch block {
        case .latest, .pending: chain.blocks.committed
        case .earliest: chain.blocks.first
        case .number(let number): number
        case .hash(let hash): chain.height(hash: hash) ?? chain.blocks.committed
        }
    }

    /// The wanted logs of committed blocks. Headers' filters are looked at first: a block is only unpacked if it may
    /// have some.
    private func logs(_ filter: LogFilter, from: UInt64, to: UInt64) throws(RPCError) -> [JSON] {
        guard to - from < chain.settings.logBlockRangeMax else {
            throw .invalidParameters("block range over the limit of \(chain.settings.logBlockRangeMax) blocks")
        }
        var found: [JSON] = []
        for number in from...to {
            guard let block = chain.blocks.block(number), filter.mayMatch(block.header.logsBloom),
                let record = chain.blocks.record(number)
            else { continue }
            var logIndex = 0
            for (index, entry) in record.entries.enumerated() {
                for log in entry.receipt.logs {
                    defer { logIndex += 1 }
                    guard filter.matches(log) else { continue }
                    guard found.count < chain.settings.logResultsMax else {
                        throw .server("query returned more than \(chain.settings.logResultsMax) results")
                    }
                    found.append(
                        RPCFormat.log(
                            log, of: entry.transaction.hash,
                            at: .init(blockHash: block.hash, header: block.header, index: index), index: logIndex))
                }
            }
        }
        return found
    }
}
