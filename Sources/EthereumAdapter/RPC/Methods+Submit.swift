import AdapterKit
import EVM
import Primitives

// Methods that lead to an entry.
extension RPCServer {
    /// Checks what can be checked here, so that a hopeless transaction is refused at once and not by the primary.
    func sendRawTransaction(_ call: RPCCall) throws(RPCError) -> RPCMethod.WriteStep {
        try submit(try call.parameters.data(0))
    }

    /// Asks a service outside, then sends a transaction that finds the answer at the oracle contract. What can be refused
    /// is refused before anyone is asked.
    func ask(_ call: RPCCall) throws(RPCError) -> RPCMethod.WriteStep {
        guard chain.settings.oracle != nil else {
            throw .server("this chain has no oracle contract that would hear an answer")
        }
        guard let service = call.parameters.optional(0)?.string, service.utf8.count <= AdapterLimits.nameBytesMax
        else { throw .invalidArgument(0, "not the name of a service") }
        let question = try call.parameters.data(1)
        guard question.count <= AdapterLimits.outsideBodyBytesMax else { throw .invalidArgument(1, "too large") }
        let step = try submit(try call.parameters.data(2))
        guard case .submit(let body, let hash) = step else { return step }
        return .ask(OutsideCall(service: service, body: question), submit: body, hash: hash)
    }

    private func submit(_ raw: [UInt8]) throws(RPCError) -> RPCMethod.WriteStep {
        let prepared: SenderCache.Entry
        switch chain.prepare(raw) {
        case .success(let entry): prepared = entry
        case .failure(let error): throw .server(error.description)
        }
        let hash = prepared.transaction.hash
        // The first answer again: the transaction is in the ledger.
        if chain.committedPlace(of: hash) != nil { return .answered(.data(hash)) }
        let transaction = prepared.transaction.transaction
        if let refusal = TransactionPolicy.refusal(transaction, chain.settings) { throw .server(refusal) }
        let header = chain.blocks.latestCommitted.header
        do throws(TransactionError) {
            try transaction.validate(chain.rules.fork(number: header.number + 1, time: header.timestamp))
        } catch {
            throw .server(error.description)
        }
        // Nonces only grow, so a nonce that the committed state has passed stays used, but for transactions that are
        // executed and not committed: those the primary knows.
        let used = StateView(chain, height: chain.blocks.committed).account(prepared.sender)?.nonce ?? 0
        guard transaction.nonce >= used else {
            throw .server(
                "nonce too low: address \(prepared.sender.hex), tx: \(transaction.nonce) state: \(used)")
        }
        return .submit(SubmissionBody.transaction(raw).encoded(), hash: hash)
    }

    // MARK: Replay

    private func replayEnvironment() throws(RPCError) -> ReplayState {
        guard let replay = chain.replay else {
            throw .server("replay is not allowed: the genesis of this network doesn't have replay: true")
        }
        return replay
    }

    /// Loads the state that a public chain's block touches and that block's surroundings. The parameter has members of
    /// the replay file format: `chainId`, `header`, `blockHashes`, `codes`, `preState`; others are passed over.
    func replayLoad(_ call: RPCCall) throws(RPCError) -> RPCMethod.WriteStep {
        _ = try replayEnvironment()
        let object = try call.parameters.object(0)
        let load: ReplayLoad
        do throws(CaseFileError) {
            load = try ReplayLoad(.object(object))
        } catch {
            throw .invalidArgument(0, "\(error)")
        }
        let body = SubmissionBody.replayLoad(load).encoded()
        return .submit(body, hash: load.environment.header.hash)
    }

    /// Executes the signed transactions of the loaded block, in order, as one block.
    func replayBlock(_ call: RPCCall) throws(RPCError) -> RPCMethod.WriteStep {
        let replay = try replayEnvironment()
        guard let values = call.parameters.optional(0)?.array else { throw .invalidArgument(0, "not an array") }
        guard values.count <= SubmissionBody.replayTransactionsMax else {
            throw .invalidArgument(0, "too many transactions")
        }
        var raws: [[UInt8]] = []
        for value in values {
            guard let raw = value.dataBytes else { throw .invalidArgument(0, "not an array of hex data") }
            raws.append(raw)
        }
        return .submit(
            SubmissionBody.replayBlock(raws).encoded(), hash: replay.environment?.header.hash ?? .zero)
    }

    /// What a block did, for comparison: totals, receipts and each change of the state.
    func replayResult(_ call: RPCCall) throws(RPCError) -> JSON {
        _ = try replayEnvironment()
        let height = try chain.height(of: call.parameters.block(0, default: .latest))
        guard let record = chain.blocks.record(height), let hash = chain.blocks.block(height)?.hash else {
            throw .server("header not found")
        }
        var logs = 0
        let receipts = record.entries.enumerated().map { index, entry -> JSON in
            defer { logs += entry.receipt.logs.count }
            return RPCFormat.receipt(
                entry, at: .init(blockHash: hash, header: record.header, index: index), firstLog: logs)
        }
        let before = chain.blocks.block(height - min(1, height))?.header.stateRoot ?? .zero
        return [
            "number": .quantity(height), "preStateRoot": .data(before), "gasUsed": .quantity(record.header.gasUsed),
            "logsBloom": .data(record.header.logsBloom.bytes), "receiptsRoot": .data(record.header.receiptsRoot),
            "transactionsRoot": .data(record.header.transactionsRoot), "stateRoot": .data(record.header.stateRoot),
            "receipts": .array(receipts), "postStateDiff": try stateDiff(of: height),
        ]
    }

    /// What a block changed, in the replay file format: for each account the new values of what differs, null for one
    /// that was deleted.
    private func stateDiff(of height: UInt64) throws(RPCError) -> JSON {
        guard let reversal = chain.history.reversals.last(where: { $0.number == height }) else {
            throw .server("the changes of block \(height) are no longer kept")
        }
        let after = StateView(chain, height: height)
        var changes: [Address: JSONObject?] = [:]
        for (address, before) in reversal.accounts {
            guard let account = after.account(address) else {
                changes.updateValue(before == nil ? JSONObject() : nil, forKey: address)
                continue
            }
            var fields = JSONObject()
            if account.balance != before?.balance { fields.append("balance", .quantity(account.balance)) }
            if account.nonce != before?.nonce { fields.append("nonce", .quantity(account.nonce)) }
            let codeBefore = before?.codeHash ?? Keccak256.empty
            if account.codeHash != codeBefore { fields.append("code", .data(after.code(account.codeHash))) }
            changes.updateValue(fields, forKey: address)
        }
        var storage: [Address: [(slot: UInt256, value: UInt256)]] = [:]
        for (key, before) in reversal.storage {
            let value = after.storage(key.address, key.slot)
            if value != before { storage[key.address, default: []].append((UInt256(key.slot), value)) }
        }
        for (address, slots) in storage {
            guard var fields = changes[address] ?? JSONObject() else { continue }
            let sorted = slots.sorted { $0.slot < $1.slot }
            fields.append(
                "storage", .object(.init(sorted.map { .init(name: $0.slot.hex, value: .quantity($0.value)) })))
            changes.updateValue(fields, forKey: address)
        }
        var members: [JSONObject.Member] = []
        for (address, fields) in changes.sorted(by: { $0.key < $1.key }) {
            if let fields, fields.members.isEmpty { continue }
            members.append(.init(name: address.hex, value: fields.map { .object($0) } ?? .null))
        }
        return .object(.init(members))
    }
}
